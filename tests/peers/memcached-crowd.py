#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many clients of a proxy at once: idle ones, which have asked once, and busy
ones, each with a request at work at any time; every value carries its key.

Usage: memcached-crowd.py PORT PID IDLE BUSY ROUNDS
Prints "idle N bytes B", the growth of the resident memory of the process per
idle connection, and "busy N done N wrong N errors N".
"""
import resource
import selectors
import socket
import sys

port, pid, idle, busy, rounds = (int(a) for a in sys.argv[1:6])
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))


def resident():
    with open("/proc/%d/status" % pid) as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))


def connect(number):
    # The loopback has enough addresses for more ports than one of them has.
    s = socket.socket()
    s.bind(("127.0.1.%d" % (number // 20000 + 1), 0))
    s.connect(("127.0.0.1", port))
    return s


def ask_once(s, i):
    s.sendall(b"get /foo/none%d\r\n" % i)
    if s.recv(100) != b"END\r\n":
        sys.exit("no END")


warm = [connect(i) for i in range(200)]
for i, s in enumerate(warm):
    ask_once(s, i)
before = resident()
crowd = [connect(i) for i in range(idle)]
for i, s in enumerate(crowd):
    ask_once(s, i)
print("idle %d bytes %d" % (idle, (resident() - before) // max(idle, 1)), flush=True)

counts = {"done": 0, "wrong": 0, "errors": 0}
selector = selectors.DefaultSelector()


class Busy:
    def __init__(self, number):
        self.s = connect(number)
        self.number, self.round, self.got = number, 0, b""
        self.ask()

    def ask(self):
        self.key = b"/%s/key%d-%d" % (b"foo" if self.round % 2 else b"bar", self.number % 100, self.round % 7)
        value = self.key * 3
        self.got = b""
        self.s.sendall(b"set %s 0 0 %d\r\n%s\r\nget %s /foo/none\r\n" % (self.key, len(value), value, self.key))
        self.want = b"STORED\r\nVALUE %s 0 %d\r\n%s\r\nEND\r\n" % (self.key, len(value), value)

    def event(self):
        """True when this client is through."""
        piece = self.s.recv(65536)
        self.got += piece
        if not piece or not self.want.startswith(self.got):
            counts["errors" if b"_ERROR" in self.got else "wrong"] += 1
            return True
        if self.got != self.want:
            return False
        counts["done"] += 1
        self.round += 1
        if self.round == rounds:
            return True
        self.ask()
        return False


left = busy
for i in range(busy):
    client = Busy(idle + i)
    selector.register(client.s, selectors.EVENT_READ, client)
while left > 0:
    events = selector.select(20)
    if not events:
        sys.exit("nothing came for 20 seconds")
    for key, _ in events:
        if key.data.event():
            selector.unregister(key.fileobj)
            left -= 1
print("busy %d done %d wrong %d errors %d" % (busy, counts["done"], counts["wrong"], counts["errors"]))
# The idle ones are alive still.
for i, s in enumerate(crowd):
    ask_once(s, i)
