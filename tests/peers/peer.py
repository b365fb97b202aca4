#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One end of a TCP connection, and what becomes of it.

Usage: peer.py listen ADDR PORT WHAT    any number of connections
       peer.py connect ADDR PORT WHAT   one connection, then the end

WHAT: idle   read, write nothing
      chat   write one octet now and then, and read
      write  write as fast as it goes, and read
      stall  neither: what arrives stays unread
ADDR may end in %interface. Lines on stdout: "ready PORT" when listening, "open
LOCAL PEER" (ports) when connected, and "end LOCAL PEER HOW" with HOW an errno
name or EOF. A connection attempt that fails ends as "end 0 PORT HOW". Nothing
lasts longer than 30 seconds: HOW is then "patience".
"""
import errno
import select
import socket
import sys
import threading
import time

PATIENCE = 30


def say(*words):
    sys.stdout.write(" ".join(str(w) for w in words) + "\n")
    sys.stdout.flush()


def wait_for_end(sock, events, until):
    poll = select.poll()
    poll.register(sock, events)
    return poll.poll(max(0, until - time.monotonic()) * 1000)


def live(sock, what):
    """Until the connection ends; returns how."""
    until = time.monotonic() + PATIENCE
    wants = {"idle": select.POLLIN, "chat": select.POLLIN, "stall": 0,
             "write": select.POLLIN | select.POLLOUT}[what]
    chunk = b"x" * 65536
    next_word = time.monotonic()
    sock.setblocking(False)
    try:
        while time.monotonic() < until:
            if what == "chat" and time.monotonic() >= next_word:
                sock.send(b"x")
                next_word = time.monotonic() + 0.05
            for _, got in wait_for_end(sock, wants, next_word if what == "chat" else until):
                if got & (select.POLLERR | select.POLLHUP) and not got & select.POLLIN:
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    return errno.errorcode[code] if code else "EOF"
                if got & select.POLLIN and sock.recv(65536) == b"":
                    return "EOF"
                if got & select.POLLOUT:
                    sock.send(chunk)
    except OSError as e:
        return errno.errorcode[e.errno]
    return "patience"


def end(sock, what):
    ports = sock.getsockname()[1], sock.getpeername()[1]
    say("open", *ports)
    how = live(sock, what)
    say("end", *ports, how)
    sock.close()


def main():
    role, address, port, what = sys.argv[1:]
    family, _, _, _, where = socket.getaddrinfo(
        address, int(port), type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[0]
    sock = socket.socket(family, socket.SOCK_STREAM)
    if role == "listen":
        if what == "stall":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen()
        sock.settimeout(PATIENCE)
        say("ready", sock.getsockname()[1])
        while True:
            peer, _ = sock.accept()
            threading.Thread(target=end, args=(peer, what)).start()
    sock.settimeout(PATIENCE)
    try:
        sock.connect(where)
    except OSError as e:
        say("end", 0, port, errno.errorcode.get(e.errno, "patience"))
        return
    end(sock, what)


main()
