# SPDX-License-Identifier: MIT
"""A bad link between two network namespaces, as few kernels have one: a TUN
device wk1 in each, and this process in between. The first namespace has
198.51.100.1 and 2001:db8:1::1, the second the same with 2.

Usage: link.py NAMESPACE NAMESPACE [word ...]

Words, also one a line on standard input while it runs:
  loss=PERCENT        of the packets are lost
  duplicate=PERCENT   come twice
  reorder=PERCENT     come 10 ms late
  delay=MS            one way
  down, up
  seed=N              the same chances again
  count               print "passed N lost N duplicated N reordered N"

Prints "ready" when it is; ends with its standard input."""
import ctypes
import fcntl
import heapq
import os
import random
import selectors
import struct
import subprocess
import sys
import time

CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454ca, 1, 0x1000
QUEUE = 10000  # packets on their way; more are lost
libc = ctypes.CDLL(None, use_errno=True)
link = {"loss": 0.0, "duplicate": 0.0, "reorder": 0.0, "delay": 0.0}
counts = dict.fromkeys(("passed", "lost", "duplicated", "reordered"), 0)
is_up = True
chance = random.Random(1)


def device(namespace, host):
    with open(f"/run/netns/{namespace}") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"namespace {namespace}")
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", b"wk1", IFF_TUN | IFF_NO_PI))
    for words in (f"address add 198.51.100.{host}/24 dev wk1",
                  f"address add 2001:db8:1::{host}/64 dev wk1 nodad",
                  "link set wk1 up"):
        subprocess.run(["ip", *words.split()], check=True)
    return fd


def obey(word):
    global is_up
    name, _, value = word.partition("=")
    if name in ("up", "down"):
        is_up = name == "up"
    elif name == "seed":
        chance.seed(int(value))
    elif name == "count":
        print(*(f"{k} {v}" for k, v in counts.items()), flush=True)
    elif name:
        assert name in link, name
        link[name] = float(value)


def happens(name):
    return link[name] > 0 and chance.random() * 100 < link[name]


waiting = []  # (when, order, to, packet)
order = 0


def take(packet, to, now):
    global order
    if not is_up or happens("loss") or len(waiting) >= QUEUE:
        counts["lost"] += 1
        return
    copies = 1
    if happens("duplicate"):
        counts["duplicated"] += 1
        copies = 2
    when = now + link["delay"] / 1000
    if happens("reorder"):
        counts["reordered"] += 1
        when += 0.01
    for _ in range(copies):
        order += 1
        heapq.heappush(waiting, (when, order, to, packet))


def deliver(now):
    while waiting and waiting[0][0] <= now:
        _, _, to, packet = heapq.heappop(waiting)
        try:
            os.write(to, packet)
            counts["passed"] += 1
        except OSError:
            counts["lost"] += 1


left, right = device(sys.argv[1], 1), device(sys.argv[2], 2)
for argument in sys.argv[3:]:
    obey(argument)
selector = selectors.DefaultSelector()
selector.register(left, selectors.EVENT_READ, right)
selector.register(right, selectors.EVENT_READ, left)
selector.register(sys.stdin, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    for key, _ in selector.select(timeout):
        if key.fileobj is sys.stdin:
            words = os.read(0, 4096).decode().split()
            if not words:
                sys.exit()
            for argument in words:
                obey(argument)
            continue
        for _ in range(64):
            try:
                octets = os.read(key.fileobj, 65536)
            except BlockingIOError:
                break
            take(octets, key.data, time.monotonic())
    deliver(time.monotonic())
