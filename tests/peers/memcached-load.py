#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that know what they must get: every value carries its key.

Usage: memcached-load.py PORT [--clients N] [--seconds N | --until FILE]
       [--rude] [--large] [--slow]
Prints "running", each SERVER_ERROR once, at the end "done N errors N wrong N": errors are
SERVER_ERROR lines, wrong is an answer that belongs to another request.
--rude adds a client that sends bad requests, --large values of a megabyte and
multigets of 2000 keys, --slow a client that asks for much and reads nothing.
"""
import argparse
import os
import random
import socket
import threading
import time

p = argparse.ArgumentParser()
p.add_argument("port", type=int)
p.add_argument("--clients", type=int, default=4)
p.add_argument("--seconds", type=float, default=60)
p.add_argument("--until")
for flag in ("--rude", "--large", "--slow"):
    p.add_argument(flag, action="store_true")
a = p.parse_args()
PREFIX = ["/foo/", "/bar/"]
end = time.monotonic() + a.seconds
counts = {"done": 0, "errors": 0, "wrong": 0}
lock = threading.Lock()
told = set()
seen = threading.Event()


def running():
    return time.monotonic() < end and not (a.until and os.path.exists(a.until))


def tell(line):
    """Each kind of error once."""
    with lock:
        if line not in told:
            told.add(line)
            print("error:", line, flush=True)


def value_of(key, large):
    return key * (1000000 // len(key) if large else 3)


class Client(threading.Thread):
    def __init__(self, number):
        super().__init__(daemon=True)
        self.r = random.Random(number)
        self.s = socket.create_connection(("127.0.0.1", a.port))
        self.s.settimeout(30)
        self.f = self.s.makefile("rb")

    def key(self):
        return (self.r.choice(PREFIX) + "key%d" % self.r.randrange(50)).encode()

    def answer(self, keys):
        """Of one get: whether it holds an error."""
        left = list(keys)
        while True:
            line = self.f.readline()
            if line == b"END\r\n":
                return False
            if line.startswith(b"SERVER_ERROR"):
                tell(line)
                return True
            word, key, _, size = line.split()
            data = self.f.read(int(size) + 2)[:-2]
            # In the order of the request, and what was stored under it.
            if word != b"VALUE" or key not in left or data not in (value_of(key, False), value_of(key, True)):
                raise ValueError(line)
            left = left[left.index(key) + 1:]

    def turn(self):
        keys = [[self.key() for _ in range(self.r.choice([1, 1, 4]))] for _ in range(self.r.choice([1, 5]))]
        if a.large and self.r.random() < 0.05:
            keys.append([self.key()[:5] + b"none%d" % i for i in range(2000)])
        k = self.key()
        v = value_of(k, a.large and self.r.random() < 0.05)
        self.s.sendall(b"set %s 0 0 %d\r\n%s\r\n" % (k, len(v), v) +
                       b"".join(b"get " + b" ".join(ks) + b"\r\n" for ks in keys))
        errors = 0
        line = self.f.readline()
        if line != b"STORED\r\n":
            if not line.startswith(b"SERVER_ERROR"):
                raise ValueError(line)
            tell(line)
            errors += 1
        for ks in keys:
            errors += self.answer(ks)
        with lock:
            counts["done"] += 1 + len(keys)
            counts["errors"] += errors
        seen.set()

    def run(self):
        while running():
            try:
                self.turn()
            except Exception as e:
                with lock:
                    counts["wrong"] += 1
                print("wrong:", repr(e), flush=True)
                return


def rude():
    """Requests that a backend refuses, or would choke on."""
    s = socket.create_connection(("127.0.0.1", a.port))
    f = s.makefile("rb")
    s.sendall(b"set /foo/text 0 0 1\r\nx\r\n")
    f.readline()
    bad = [b"incr /foo/text 1\r\n", b"incr /foo/text x\r\n", b"delete /foo/" + b"y" * 251 + b"\r\n",
           b"set /foo/z 0 0 5\r\nabc\r\n\r\n", b"mg /foo/a !\r\n", b"bogus\r\n",
           b"mg /foo/a v v\r\n", b"mg /foo/a Z\r\n", b"set /foo/z 0 x 5\r\nabcde\r\n",
           b"get /foo/a\0b\r\n", b"ma /foo/text q\r\n", b"ms /foo/z S2\r\nhi\r\n",
           # "/foo/\r\nx": what a memcached gives back without its base64.
           b"mg L2Zvby8NCng= b k N0\r\n", b"ma L2Zvby8NCng= b k N0\r\n", b"mg L2Zvby8NCng= b k\r\n"]
    while running():
        for b in bad:
            s.sendall(b + b"mn\r\n")
            while f.readline() != b"MN\r\n":
                pass


def slow():
    """Asks for megabytes again and again and does not read."""
    s = socket.create_connection(("127.0.0.1", a.port))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    v = value_of(b"/foo/slow", True)
    s.sendall(b"set /foo/slow 0 0 %d\r\n%s\r\n" % (len(v), v))
    s.settimeout(0.1)
    while running():
        try:
            s.send(b"get /foo/slow\r\n")
        except OSError:
            time.sleep(0.05)


clients = [Client(i) for i in range(a.clients)]
extra = [threading.Thread(target=t, daemon=True) for t, on in ((rude, a.rude), (slow, a.slow)) if on]
for t in clients + extra:
    t.start()
seen.wait(30)
print("running", flush=True)
for t in clients:
    t.join()
print("done %(done)d errors %(errors)d wrong %(wrong)d" % counts, flush=True)
