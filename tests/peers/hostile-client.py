# SPDX-License-Identifier: MIT
"""A client that abuses a server for tunnels, without TLS.

Usage: hostile-client.py PORT ATTACK [argument ...]

Prints what came of it, a line "holding" when there is something to look at,
and then waits until it is killed."""
import os
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True  # the sources may be read-only, or released
sys.path.insert(0, os.path.dirname(__file__))
from wire import *  # noqa: E402,F403 it is the language of this file

port = int(sys.argv[1])
attacks = {}


def attack(function):
    attacks[function.__name__.replace("_", "-")] = function
    return function


def dial(buffer=None):
    sock = socket.socket()
    if buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.settimeout(120)
    sock.connect(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return Wire(sock)


def dial2(*pairs):
    wire = dial()
    # Without a table, so that status_of() need not know what was before.
    wire.send(PREFACE + settings((1, 0), *pairs))
    return wire


def hold():
    print("holding", flush=True)
    threading.Event().wait()


def ending(wire):
    """How the server ends it: with which GOAWAY, if any, or none in time."""
    try:
        code = int.from_bytes(wire.until(GOAWAY)[3][4:8], "big")
        return f"goaway {code:x}"
    except EOFError:
        return "closed"
    except ConnectionError:
        return "reset"
    except TimeoutError:
        return "nothing"


def push(wire, data):
    """Send what the server may stop to take."""
    try:
        wire.send(data)
    except ConnectionError:
        pass


def status1(wire):
    words = wire.head1().split()
    return int(words[1])


# --- many ---------------------------------------------------------------------

@attack
def idle1(count):
    wires = []
    for _ in range(int(count)):
        wires.append(dial())
        wires[-1].send(UPGRADE)
    for wire in wires:
        assert status1(wire) == 101
    hold()


@attack
def idle2(count):
    """A hundred tunnels on each connection."""
    wires = []
    for _ in range(int(count) // 100):
        wire = dial2()
        wire.until(SETTINGS)
        wire.send(b"".join(connect(1 + 2 * n) for n in range(100)))
        for _ in range(100):
            assert status_of(wire.until(HEADERS)[3]) == 200
        wires.append(wire)
    hold()


@attack
def half_handshakes(count):
    wires = [dial() for _ in range(int(count))]
    for wire in wires:
        wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    hold()


@attack
def slow_heads(count):
    """Octet by octet and never to the end, in both versions."""
    wires = [dial() for _ in range(int(count))]
    print("holding", flush=True)
    texts = (UPGRADE[:-2], PREFACE + settings() + connect(1)[:-1])
    for at in range(120):
        for n, wire in enumerate(wires):
            push(wire, texts[n % 2][at:at + 1])
        time.sleep(1)


@attack
def vanish(count):
    """At each stage, by a reset."""
    stages = (b"", UPGRADE[:30], UPGRADE, UPGRADE + HELLO[:5], PREFACE[:10],
              PREFACE + settings(), PREFACE + settings() + connect(1),
              PREFACE + settings() + connect(1) + frame(DATA, 0, 1, HELLO[:5]))
    for n in range(int(count)):
        wire = dial()
        wire.send(stages[n % len(stages)])
        if n % 3 == 0 and n % len(stages) in (2, 3):
            wire.head1()
        wire.reset()
    print("vanished")


@attack
def hoard(count):
    """As many connections as there can be, then fewer."""
    wires = [dial() for _ in range(int(count))]
    hold()


# --- floods -------------------------------------------------------------------

@attack
def requests1(count):
    wire = dial()
    threading.Thread(target=push, daemon=True, args=(
        wire, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * int(count))).start()
    print("answered", *sorted({status1(wire) for _ in range(int(count))}))


@attack
def requests2(count):
    wire = dial2()
    seen = set()
    for n in range(int(count)):
        wire.send(head(1 + 2 * n, (":method", "GET"), (":scheme", "http"),
                       (":authority", "x"), (":path", "/"), flags=5))
        if n % 50 == 49:
            seen.update(status_of(wire.until(HEADERS)[3]) for _ in range(50))
    print("answered", *sorted(seen))


@attack
def unread2(count):
    """Requests whose answers are not read."""
    wire = dial2()
    wire.sock.settimeout(2)
    get = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/")]
    try:
        for n in range(int(count)):
            wire.send(head(1 + 2 * n, *get, flags=5))
    except (TimeoutError, ConnectionError) as error:
        print("stopped by", type(error).__name__)
    hold()


@attack
def rapid_reset(count):
    wire = dial2()
    push(wire, b"".join(connect(1 + 2 * n) + frame(RST_STREAM, 0, 1 + 2 * n, b"\0\0\0\x08")
                        for n in range(int(count))))
    print(ending(wire))


def flooding(data, count=200000):
    def function():
        wire = dial2()
        push(wire, data * count)
        print(ending(wire))
    return function


attacks["settings"] = flooding(settings((3, 100)))
attacks["ping"] = flooding(frame(PING, 0, 0, b"12345678"))
attacks["empty-data"] = flooding(connect(1) + frame(DATA, 0, 1) * 200000, 1)
attacks["priority"] = flooding(frame(PRIORITY, 0, 1, b"\0\0\0\3\x10"))
attacks["continuation"] = flooding(
    connect(1, flags=0) + frame(CONTINUATION, 0, 1, b"") * 200000, 1)
attacks["continuation-bomb"] = flooding(
    connect(1, flags=0) + frame(CONTINUATION, 0, 1, fields(("x", "y" * 16000))) * 1000, 1)
attacks["hpack-bomb"] = flooding(frame(
    HEADERS, 4, 1, fields((":method", "GET")) + b"\x40\1x\x7f\xa1\x1e" + b"y" * 4000 +
    b"\xbe" * 12000) * 1, 1)
attacks["hpack-garbage"] = flooding(frame(HEADERS, 4, 1, b"\xff" * 40), 1)
attacks["even-stream"] = flooding(connect(2), 1)
attacks["window-overflow"] = flooding(frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 2, 1)
attacks["frame-too-big"] = flooding(frame(0x29, 0, 0, b"x" * 16385), 1)
attacks["data-on-0"] = flooding(frame(DATA, 0, 0, b"x"), 1)


@attack
def head_bomb1():
    wire = dial()
    push(wire, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * (1 << 20))
    print(status1(wire))


@attack
def fields_bomb1():
    wire = dial()
    push(wire, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100000)
    print(status1(wire))


# --- requests that hide others ------------------------------------------------

@attack
def smuggle(text):
    """All statuses that the server says, and what it does then."""
    wire = dial()
    wire.send(text.encode("latin-1").decode("unicode_escape").encode("latin-1"))
    data, how = b"", "open"
    try:
        while more := wire.sock.recv(65536):
            data += more
            # It answers at once, or not at all.
            wire.sock.settimeout(10)
        how = "closed"
    except ConnectionError:
        how = "reset"
    except TimeoutError:
        pass
    print(*[part[1:4].decode() for part in data.split(b"HTTP/1.1")[1:]], how)


@attack
def ask(*paths):
    """The status for each path, over HTTP/1.1 and HTTP/2."""
    wire2 = dial2()
    for n, path in enumerate(paths):
        wire = dial()
        wire.send(UPGRADE.replace(b"/x", path.encode("latin-1"), 1))
        wire2.send(connect(1 + 2 * n, path))
        kind, _, _, payload = wire2.until(HEADERS, RST_STREAM, stream=1 + 2 * n)
        print(status1(wire), status_of(payload) if kind == HEADERS else "reset", path)
        wire.reset()


# --- in the tunnel ------------------------------------------------------------

def opened1(buffer=None):
    wire = dial(buffer)
    wire.send(UPGRADE)
    assert status1(wire) == 101
    return wire


def opened2(path="/x"):
    wire = dial2()
    wire.until(SETTINGS)
    wire.send(connect(1, path))
    assert status_of(wire.until(HEADERS)[3]) == 200
    return wire


def wait_until_read(wire):
    """Until nothing waits for the server in its socket, which a reset drops."""
    ours = f":{wire.sock.getsockname()[1]:04X}"
    while True:
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table]
        # Its socket is the one whose peer we are; then tx_queue:rx_queue.
        row = [row for row in rows if row[2].endswith(ours)]
        if row and int(row[0][4].split(":")[1], 16) == 0:
            return
        time.sleep(0.01)


@attack
def capsules1(text, end="finish"):
    """Octet by octet; then how the server ends it."""
    wire = opened1()
    wire.dribble(bytes.fromhex(text))
    if end == "reset":
        wait_until_read(wire)
        wire.reset()
        print("reset by us")
        return
    wire.half_close()
    try:
        print("finished", wire.sock.recv(100).hex())
    except ConnectionError:
        print("reset")


@attack
def capsules2(text):
    wire = opened2()
    for octet in bytes.fromhex(text):
        wire.send(frame(DATA, 0, 1, bytes([octet])))
    wire.send(frame(DATA, END_STREAM, 1))
    kind, flags, _, payload = wire.until(DATA, RST_STREAM)
    print("finished" if kind == DATA and flags & END_STREAM else f"rst {payload.hex()}")


@attack
def gigabyte():
    """An unknown capsule of a GiB, and one that is known."""
    wire = opened1()
    wire.send(b"\x17" + varint(1 << 30))
    block = b"x" * (1 << 20)
    for _ in range(1 << 10):
        wire.send(block)
    wire.send(HELLO)
    wire.half_close()
    wire.drain()
    print("sent")


def pour(wire, make):
    """Send until nobody takes any more for a second."""
    wire.sock.settimeout(1)
    total = 0
    try:
        while True:
            total += wire.sock.send(make())
    except TimeoutError:
        return total


@attack
def deaf1():
    """Send all that is taken, read nothing back."""
    wire = opened1()
    block = capsule(0, b"\0" + b"x" * 1199) * 50
    print("poured", pour(wire, lambda: block))
    hold()


@attack
def deaf2():
    wire = opened2()
    wire.send(frame(WINDOW_UPDATE, 0, 0, b"\x00\x00\x40\x00"))
    data = frame(DATA, 0, 1, capsule(0, b"\0" + b"x" * 1199))
    sent = 0
    while min(wire.windows) >= len(data):
        wire.send(data)
        wire.windows = [n - len(data) + 9 for n in wire.windows]
        sent += len(data)
    print("poured", sent)
    hold()


@attack
def beyond_window():
    """HTTP/2 without regard to windows, to a server that cannot go on."""
    wire = opened2()
    push(wire, frame(DATA, 0, 1, b"\x17\xbf\xff\xff\xff" + b"x" * 10000) * 1000)
    print("rst", wire.until(RST_STREAM)[3].hex())


# --- proxied ------------------------------------------------------------------

@attack
def slow_tunnel(path):
    """A tunnel whose client asks for a flood and reads nothing of it."""
    wire = dial(4096)
    wire.send(UPGRADE.replace(b"/x", path.encode(), 1))
    assert status1(wire) == 101
    wire.send(capsule(0, b"\0flood"))
    hold()


@attack
def slow_tunnel2(path):
    wire = opened2(path)
    wire.send(frame(DATA, 0, 1, capsule(0, b"\0flood")))
    hold()


attacks[sys.argv[2]](*sys.argv[3:])
