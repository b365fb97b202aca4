# SPDX-License-Identifier: MIT
"""A server for tunnels that does one wrong thing at each of its ports. Prints
"NAME PORT" for each and a line "ready", and serves until it is killed.

Usage: hostile-server.py [certificate]    with key and certificate: TLS, too"""
import os
import select
import socket
import ssl
import struct
import sys
import threading

sys.dont_write_bytecode = True  # the sources may be read-only, or released
sys.path.insert(0, os.path.dirname(__file__))
from wire import *  # noqa: E402,F403 it is the language of this file

behaviours = {}


def behaviour(name):
    def register(function):
        behaviours[name] = function
        return function
    return register


# --- HTTP/1.1 -----------------------------------------------------------------

def answer1(*lines, body=b""):
    return "".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n" + body


def switching(*lines, body=HELLO):
    return answer1("HTTP/1.1 101 Switching Protocols", *lines, body=body)


GOOD = ("Connection: Upgrade", "Upgrade: connect-udp")
OPEN1 = switching(*GOOD, "Capsule-Protocol: ?1", body=b"")

# What is sent behind the request's head, and then the end.
answers1 = {
    "no-upgrade": switching("Connection: Upgrade"),
    "two-upgrades": switching(*GOOD, "Upgrade: connect-udp"),
    "upgrade-list": switching("Connection: Upgrade", "Upgrade: connect-udp, connect-udp"),
    "other-upgrade": switching("Connection: Upgrade", "Upgrade: websocket"),
    "no-connection": switching("Upgrade: connect-udp"),
    "content-length": switching(*GOOD, "Content-Length: 0"),
    "content-type": switching(*GOOD, "Content-Type: text/html"),
    "transfer-encoding": switching(*GOOD, "Transfer-Encoding: chunked"),
    "200": answer1("HTTP/1.1 200 OK", *GOOD, "Capsule-Protocol: ?1", body=HELLO),
    "204": answer1("HTTP/1.1 204 No Content", *GOOD),
    "302": answer1("HTTP/1.1 302 Found", "Location: http://127.0.0.1:1/", "Content-Length: 0"),
    "426": answer1("HTTP/1.1 426 Upgrade Required", "Upgrade: connect-udp", "Content-Length: 2",
                   body=b"no"),
    "proxy-status": answer1("HTTP/1.1 502 Bad Gateway", 'Proxy-Status: p; error=dns_error',
                            "Content-Length: 0"),
    "status-escapes": answer1("HTTP/1.1 502 \x1b[2Jx", "Proxy-Status: \x9b2J\t\xff",
                              "Content-Length: 0"),
    "field-?0": switching(*GOOD, "Capsule-Protocol: ?0"),
    "field-1": switching(*GOOD, "Capsule-Protocol: 1"),
    "field-twice": switching(*GOOD, "Capsule-Protocol: ?1", "Capsule-Protocol: ?1"),
    "field-list": switching(*GOOD, "Capsule-Protocol: ?1, ?1"),
    "field-parameter": switching(*GOOD, "Capsule-Protocol: ?1;a=b"),
    "field-absent": switching(*GOOD),
    "case": switching("CONNECTION: keep-alive, uPGRADE", "UPGRADE: connect-udp"),
    "informed": answer1("HTTP/1.1 100 Continue") + answer1("HTTP/1.1 103 Early Hints", "X: y") +
        OPEN1 + HELLO,
    "informed-forever": answer1("HTTP/1.1 103 Early Hints") * 100000,
    "garbage": b"\x16\x03\x01\x00\xff garbage of no protocol\r\n\r\n",
    "http-0.9": b"<html>hello</html>\r\n\r\n",
    "http-3.1": b"HTTP/3.1 101 x\r\n\r\n",
    "status-1000": b"HTTP/1.1 1000 x\r\n\r\n",
    "status-1": b"HTTP/1.1 1 x\r\n\r\n",
    "nul": switching(*GOOD, "X: a\0b"),
    "space-before-colon": switching(*GOOD, "X : a"),
    "folded": switching(*GOOD, "X: a", " b"),
    "lone-cr": switching(*GOOD, "X: a\rUpgrade: y"),
    "head-bomb": b"HTTP/1.1 101 x\r\n" + b"X: " + b"y" * (8 << 20),
    "fields-bomb": b"HTTP/1.1 101 x\r\n" + b"X: y\r\n" * 1000000,
    "h2-settings": settings((EXTENDED_CONNECT, 1)),
    "leaves": b"",
    "leaves-in-status": b"HTTP/1.1 1",
    "leaves-in-head": OPEN1[:-2],
    "leaves-open": OPEN1,
    "one-segment": OPEN1 + HELLO + HELLO,
    "capsule-cut-type": OPEN1 + HELLO + b"\x40",
    "capsule-cut-length": OPEN1 + HELLO + b"\0\x40",
    "capsule-cut-header": OPEN1 + HELLO + b"\0\6",
    "capsule-cut-value": OPEN1 + HELLO + HELLO[:5],
    "capsule-endless": OPEN1 + HELLO + b"\0" + varint((1 << 62) - 1) + b"\0abc",
    "unknown-endless": OPEN1 + HELLO + b"\x17" + varint((1 << 62) - 1) + b"abc",
    "datagram-empty": OPEN1 + b"\0\0" + HELLO,
    "datagram-zero": OPEN1 + b"\0\1\0" + HELLO,
    "datagram-65527": OPEN1 + capsule(0, b"\0" + b"x" * 65527) + HELLO,
    "datagram-65528": OPEN1 + capsule(0, b"\0" + b"x" * 65528) + HELLO,
    "datagram-context": OPEN1 + capsule(0, b"\2no") + HELLO,
    "long-varints": OPEN1 + bytes.fromhex("c000000000000000c000000000000006") + HELLO[2:],
    "unknown-skipped": OPEN1 + HELLO + capsule(0x17, b"x" * 100000) + HELLO,
}


def answering(answer):
    def serve(wire):
        wire.head1()
        wire.send(answer)
        wire.half_close()
    return serve


for _name, _answer in answers1.items():
    behaviours["1:" + _name] = answering(_answer)


@behaviour("1:dribble")
def _(wire):
    wire.head1()
    wire.dribble(OPEN1 + HELLO + b"\x17\x40\x03abc" + HELLO)
    wire.half_close()


@behaviour("1:silent")
def _(wire):
    wire.head1()


@behaviour("1:silent-in-head")
def _(wire):
    wire.head1()
    wire.send(OPEN1[:20])


@behaviour("1:silent-open")
def _(wire):
    wire.head1()
    wire.send(OPEN1 + HELLO)


@behaviour("1:reset")
def _(wire):
    wire.head1()
    wire.reset()


@behaviour("1:reset-in-head")
def _(wire):
    wire.head1()
    wire.send(OPEN1[:20])
    wire.reset()


@behaviour("1:reset-in-capsule")
def _(wire):
    wire.head1()
    wire.send(OPEN1 + HELLO + HELLO[:5])
    # Not before it is taken: a reset discards what is on its way.
    wire.read(1)
    wire.reset()


@behaviour("1:keeps-reading")
def _(wire):
    """We end first; what arrives then is told when the client ends."""
    wire.head1()
    wire.send(OPEN1 + HELLO)
    wire.half_close()
    wire.drain()


@behaviour("1:answers-the-end")
def _(wire):
    """The client ends first; what we say then must still arrive."""
    wire.head1()
    wire.send(OPEN1 + HELLO)
    wire.drain()
    wire.send(HELLO)
    wire.half_close()


@behaviour("1:never-reads")
def _(wire):
    wire.head1()
    wire.send(OPEN1 + HELLO)
    threading.Event().wait()


@behaviour("1:flood")
def _(wire):
    wire.head1()
    wire.send(OPEN1)
    block = capsule(0, b"\0" + b"x" * 1199) * 50
    while True:
        wire.send(block)


@behaviour("1:unknown-gigabyte")
def _(wire):
    wire.head1()
    wire.send(OPEN1 + HELLO + b"\x17" + varint(1 << 30))
    block = b"x" * (1 << 20)
    for _ in range(1 << 10):
        wire.send(block)
    wire.send(HELLO)
    wire.half_close()


@behaviour("1:zero-flood")
def _(wire):
    """A million datagrams without an octet, and one with."""
    wire.head1()
    wire.send(OPEN1 + b"\0\0" * 1000000 + HELLO)
    wire.half_close()


# --- HTTP/2 -------------------------------------------------------------------

SID = 1
ON = settings((EXTENDED_CONNECT, 1))
OPEN2 = head(SID, (":status", "200"), ("capsule-protocol", "?1"))
LAST = frame(DATA, END_STREAM, SID, HELLO)


def status(code, *extra, flags=END_HEADERS):
    return head(SID, (":status", code), *extra, flags=flags)


def goaway(last, code, text=b""):
    return frame(GOAWAY, 0, 0, struct.pack("!II", last, code) + text)


def rst(code):
    return frame(RST_STREAM, 0, SID, struct.pack("!I", code))


def window(stream, octets):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack("!I", octets))


answers2 = {
    "good": OPEN2 + LAST,
    "201": status("201") + LAST,
    "204": status("204") + LAST,
    "205": status("205") + LAST,
    "206": status("206") + LAST,
    "101": status("101") + LAST,
    "302": status("302", ("location", "http://127.0.0.1:1/")) + LAST,
    "407": status("407", ("proxy-authenticate", "Basic"), flags=END_HEADERS | END_STREAM),
    "content-length": status("200", ("content-length", "0")) + LAST,
    "content-type": status("200", ("content-type", "text/html")) + LAST,
    "transfer-encoding": status("200", ("transfer-encoding", "chunked")) + LAST,
    "connection": status("200", ("connection", "upgrade")) + LAST,
    "upgrade": status("200", ("upgrade", "connect-udp")) + LAST,
    "upper-case": status("200", ("X-Y", "z")) + LAST,
    "newline": status("200", ("x", "a\r\nb")) + LAST,
    "no-status": head(SID, ("x", "y")) + LAST,
    "two-statuses": status("200", (":status", "200")) + LAST,
    "status-late": head(SID, ("x", "y"), (":status", "200")) + LAST,
    "status-abc": status("abc") + LAST,
    "status-1000": status("1000") + LAST,
    "field-?0": status("200", ("capsule-protocol", "?0")) + LAST,
    "field-1": status("200", ("capsule-protocol", "1")) + LAST,
    "field-twice": status("200", *[("capsule-protocol", "?1")] * 2) + LAST,
    "field-parameter": status("200", ("capsule-protocol", "?1;a=b")) + LAST,
    "informed": status("103") + OPEN2 + LAST,
    "informed-forever": status("103") * 100000,
    "ended-head": status("200", flags=END_HEADERS | END_STREAM),
    "trailers": OPEN2 + frame(DATA, 0, SID, HELLO) + head(SID, ("x", "y"), flags=5),
    "second-head": OPEN2 + frame(DATA, 0, SID, HELLO) + head(SID, (":status", "200")),
    "data-first": LAST,
    "data-behind-end": OPEN2 + LAST + LAST,
    "data-stream-0": OPEN2 + frame(DATA, 0, SID, HELLO) + frame(DATA, 0, 0, HELLO),
    "data-idle-stream": OPEN2 + frame(DATA, 0, SID, HELLO) + frame(DATA, 0, 9, HELLO),
    "data-padded": OPEN2 + frame(DATA, PADDED | END_STREAM, SID, b"\5" + HELLO + b"\0" * 5),
    "data-all-padding": OPEN2 + frame(DATA, PADDED, SID, b"\xff" + b"\0" * 255) + LAST,
    "padding-too-long": OPEN2 + frame(DATA, 0, SID, HELLO) +
        frame(DATA, PADDED, SID, b"\x20" + HELLO),
    "data-empty-flood": OPEN2 + frame(DATA, 0, SID) * 1000000 + LAST,
    "frame-too-big": OPEN2 + frame(DATA, 0, SID, HELLO) + frame(DATA, 0, SID, b"x" * 16385),
    "unknown-frame": OPEN2 + frame(0x29, 0xff, SID, b"x") + LAST,
    "push": OPEN2 + frame(DATA, 0, SID, HELLO) +
        frame(PUSH_PROMISE, 4, SID, b"\0\0\0\2" + fields((":method", "GET"))),
    "continuation": OPEN2 + frame(DATA, 0, SID, HELLO) + frame(CONTINUATION, 4, SID, b""),
    "continuation-flood": head(SID, (":status", "200"), flags=0) +
        frame(CONTINUATION, 0, SID, fields(("x", "y" * 100)) * 100) * 500,
    "continuation-empty": head(SID, (":status", "200"), flags=0) +
        frame(CONTINUATION, 0, SID) * 100000,
    "interrupted-head": head(SID, (":status", "200"), flags=0) + LAST,
    "hpack-garbage": frame(HEADERS, 4, SID, b"\xff" * 40) + LAST,
    "hpack-cut": frame(HEADERS, 4, SID, b"\x88\0\x7f") + LAST,
    "hpack-bomb": frame(HEADERS, 4, SID, b"\x88\x40\1x\x7f\xa1\x1e" + b"y" * 4000 +
                        b"\xbe" * 12000) + LAST,
    "window-0": OPEN2 + frame(DATA, 0, SID, HELLO) + window(SID, 0),
    "window-overflow": OPEN2 + frame(DATA, 0, SID, HELLO) + window(SID, 0x7fffffff) * 2,
    "window-overflow-0": OPEN2 + frame(DATA, 0, SID, HELLO) + window(0, 0x7fffffff) * 2,
    "ping-short": frame(PING, 0, 0, b"x"),
    "ping-flood": frame(PING, 0, 0, b"12345678") * 1000000 + OPEN2 + LAST,
    "settings-flood": ON * 1000000 + OPEN2 + LAST,
    "settings-short": frame(SETTINGS, 0, 0, b"12345"),
    "settings-window": settings((INITIAL_WINDOW, 0x80000000)),
    "back-to-0": settings((EXTENDED_CONNECT, 0)) + OPEN2 + LAST,
    "back-to-0-open": OPEN2 + frame(DATA, 0, SID, HELLO) + settings((EXTENDED_CONNECT, 0)) + LAST,
    "setting-2": settings((EXTENDED_CONNECT, 2)),
    "goaway-refused": goaway(0, 0) + frame(PING, 0, 0, b"12345678"),
    "goaway-error": goaway(0, 11, b"calm \x1b[2J"),
    "goaway-open": OPEN2 + goaway(1, 0) + LAST,
    "goaway-error-open": OPEN2 + frame(DATA, 0, SID, HELLO) + goaway(1, 2),
    "goaway-goes-up": goaway(1, 0) + goaway(3, 0) + OPEN2 + LAST,
    "leaves": b"",
    "leaves-in-head": OPEN2[:12],
    "leaves-open": OPEN2 + frame(DATA, 0, SID, HELLO),
    "leaves-in-frame": OPEN2 + frame(DATA, 0, SID, HELLO) + LAST[:12],
    "capsule-cut": OPEN2 + frame(DATA, END_STREAM, SID, HELLO + HELLO[:5]),
    "octet-frames": OPEN2 + b"".join(frame(DATA, 0, SID, bytes([o])) for o in HELLO * 2) +
        frame(DATA, END_STREAM, SID),
}
answers2.update((f"rst-{c:x}", rst(c)) for c in list(range(14)) + [0x109, 0xffffffff])
answers2.update((f"open-rst-{c:x}", OPEN2 + frame(DATA, 0, SID, HELLO) + rst(c))
                for c in list(range(14)) + [0x109, 0xffffffff])


def start2(wire, first=ON):
    wire.read(len(PREFACE))
    wire.send(first)
    return wire.until(HEADERS)


def answering2(answer):
    def serve(wire):
        start2(wire)
        wire.send(answer)
        if not answer.endswith(LAST):
            wire.half_close()
    return serve


for _name, _answer in answers2.items():
    behaviours["2:" + _name] = answering2(_answer)

# What comes in place of, or with, the SETTINGS.
starts2 = {
    "no-setting": settings(),
    "setting-0": settings((EXTENDED_CONNECT, 0)),
    "setting-2-first": settings((EXTENDED_CONNECT, 2)),
    "only-ack": frame(SETTINGS, ACK),
    "ping-first": frame(PING, 0, 0, b"12345678"),
    "goaway-first": goaway(0, 0),
    "setting-then-0": ON + settings((EXTENDED_CONNECT, 0)),
    "speaks-1.1": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"\0\1\2 garbage of no protocol",
    "leaves-first": b"",
}


def starting(first):
    def serve(wire):
        wire.read(len(PREFACE))
        wire.send(first)
        # An end of ours must not be the reason.
        if not first or not first.startswith(settings()[:3]):
            wire.half_close()
    return serve


for _name, _first in starts2.items():
    behaviours["2:" + _name] = starting(_first)


@behaviour("2:setting-later")
def _(wire):
    """Announced with a second SETTINGS only; nothing may be asked before."""
    wire.read(len(PREFACE))
    wire.send(settings())
    wire.until(SETTINGS)
    wire.send(frame(PING, 0, 0, b"12345678"))
    wire.until(PING)
    wire.send(ON)
    wire.until(HEADERS)
    wire.send(OPEN2 + LAST)


@behaviour("2:settings-late")
def _(wire):
    """Octet by octet, behind all that the client says by itself."""
    wire.read(len(PREFACE))
    wire.frame()
    wire.dribble(ON)
    wire.until(HEADERS)
    wire.dribble(OPEN2 + LAST)


@behaviour("2:silent")
def _(wire):
    start2(wire)


@behaviour("2:silent-first")
def _(wire):
    wire.read(len(PREFACE))


@behaviour("2:silent-open")
def _(wire):
    start2(wire)
    wire.send(OPEN2 + frame(DATA, 0, SID, HELLO))


@behaviour("2:reset")
def _(wire):
    start2(wire)
    wire.reset()


@behaviour("2:reset-in-capsule")
def _(wire):
    start2(wire)
    wire.send(OPEN2 + frame(DATA, 0, SID, HELLO + HELLO[:5]))
    wire.until(DATA)
    wire.reset()


@behaviour("2:answers-the-end")
def _(wire):
    start2(wire)
    wire.send(OPEN2 + frame(DATA, 0, SID, HELLO))
    while not wire.until(DATA)[1] & END_STREAM:
        pass
    wire.send(LAST)


@behaviour("2:never-reads")
def _(wire):
    start2(wire)
    wire.send(window(0, 1 << 30) + window(SID, 1 << 30) + OPEN2 + frame(DATA, 0, SID, HELLO))
    threading.Event().wait()


@behaviour("2:no-window")
def _(wire):
    """Reads all, gives nothing back: the client must stop by itself."""
    start2(wire)
    wire.send(OPEN2 + frame(DATA, 0, SID, HELLO))
    while True:
        wire.frame()


@behaviour("2:flood")
def _(wire):
    """As much as the client's windows allow, for ever."""
    start2(wire)
    wire.send(OPEN2)
    data = frame(DATA, 0, SID, capsule(0, b"\0" + b"x" * 1199))
    while True:
        while min(wire.windows) >= len(data) and \
                not select.select([wire.sock], [], [], 0)[0]:
            wire.send(data)
            wire.windows = [n - len(data) + 9 for n in wire.windows]
        wire.frame()


@behaviour("2:beyond-window")
def _(wire):
    """Without regard to any window."""
    start2(wire)
    wire.send(OPEN2)
    data = frame(DATA, 0, SID, capsule(0, b"\0" + b"x" * 1199)) * 10
    while True:
        wire.send(data)


# --- below HTTP ---------------------------------------------------------------

@behaviour("0:refuses-tls")
def _(wire):
    wire.more()
    wire.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    wire.half_close()


@behaviour("0:tls-garbage")
def _(wire):
    wire.more()
    wire.send(b"\x16\x03\x03\x00\x10" + b"\xff" * 16)
    wire.half_close()


@behaviour("0:tls-alert")
def _(wire):
    wire.more()
    wire.send(b"\x15\x03\x03\x00\x02\x02\x28")
    wire.half_close()


@behaviour("0:leaves")
def _(wire):
    wire.half_close()


@behaviour("0:leaves-in-hello")
def _(wire):
    wire.more()
    wire.send(b"\x16\x03\x03\x40\x00\x02")
    wire.half_close()


@behaviour("0:reset")
def _(wire):
    wire.more()
    wire.reset()


@behaviour("0:silent")
def _(wire):
    wire.more()


def secured(alpn, function):
    def serve(wire):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1])
        context.set_alpn_protocols(alpn)
        wire.sock = context.wrap_socket(wire.sock, server_side=True)
        function(wire)
    return serve


def cut(wire):
    """The end without close_notify."""
    wire.head1()
    wire.send(OPEN1 + HELLO)
    os.close(wire.sock.detach())


if len(sys.argv) > 1:
    behaviours["t:1"] = secured(["http/1.1"], behaviours["1:one-segment"])
    behaviours["t:2"] = secured(["h2"], behaviours["2:good"])
    behaviours["t:other-alpn"] = secured(["x"], behaviours["1:one-segment"])
    behaviours["t:2-without-alpn"] = secured(["x"], behaviours["2:good"])
    behaviours["t:cut"] = secured(["http/1.1"], cut)
    behaviours["t:silent"] = secured(["h2"], behaviours["2:silent-first"])


# --- serving ------------------------------------------------------------------

def serve(function, sock):
    wire = Wire(sock)
    try:
        function(wire)
        wire.drain()
    except (OSError, EOFError):
        pass
    wire.sock.close()


def listen(function, listener):
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(function, sock), daemon=True).start()


threading.stack_size(256 * 1024)
for _name, _function in behaviours.items():
    _listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listen, args=(_function, _listener), daemon=True).start()
    print(_name, _listener.getsockname()[1])
print("ready", flush=True)
threading.Event().wait()
