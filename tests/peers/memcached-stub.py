#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A memcached that misbehaves by order, and tells what it got.

Usage: memcached-stub.py PORT [--drop COMMAND] [--delay KEY SECONDS]... [--mute COMMAND]
Every line it gets is printed. To meta commands it answers HD with the key
behind it, to version as it should, to others NOT_FOUND. A connection on which
--drop's command comes is closed without an answer; --mute's gets none; what
names a key of --delay is answered so much later, as is all behind it.
"""
import argparse
import socket
import threading
import time

p = argparse.ArgumentParser()
p.add_argument("port", type=int)
p.add_argument("--drop")
p.add_argument("--mute")
p.add_argument("--delay", nargs=2, action="append", default=[])
a = p.parse_args()
delays = {key: float(seconds) for key, seconds in a.delay}


def serve(s):
    f = s.makefile("rb")
    for line in f:
        words = line.decode().split()
        print(" ".join(words), flush=True)
        if words[0] == a.drop:
            s.shutdown(socket.SHUT_RDWR)
            return
        if words[0] == a.mute:
            continue
        time.sleep(delays.get(words[1], 0) if len(words) > 1 else 0)
        answer = "VERSION 1" if words[0] == "version" else "HD k" + words[1] if len(words[0]) == 2 else "NOT_FOUND"
        s.sendall(answer.encode() + b"\r\n")


listener = socket.create_server(("127.0.0.1", a.port), reuse_port=False)
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
