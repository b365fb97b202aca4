# SPDX-License-Identifier: MIT
"""An HTTP/3 server for tunnels that does one wrong thing at each of its ports.
Prints "NAME PORT" for each and a line "ready", and serves until it is killed.
How a connection ended is printed as "ended NAME CODE", in hexadecimal.

Usage: h3-hostile-server.py CERTIFICATE KEY [NAME ...]   the default is all"""
import asyncio
import os
import socket
import sys

sys.dont_write_bytecode = True  # the sources may be read-only, or released
sys.path.insert(0, os.path.dirname(__file__))
from aioquic.asyncio import serve  # noqa: E402
from aioquic.quic.configuration import QuicConfiguration  # noqa: E402
from h3wire import *  # noqa: E402,F403 it is the language of this file

behaviours = {}
odd = {}  # name: changes of the QUIC configuration


def behaviour(name, **changes):
    def register(function):
        behaviours[name] = function
        odd[name] = changes
        return function
    return register


def status(code, *extra):
    return head((":status", code), *extra)


def data(*parts):
    return frame(DATA, b"".join(parts))


LAST = data(HELLO)

# --- answers ------------------------------------------------------------------

# What is sent behind the request's head, and then the end.
answers = {
    "good": OPEN + LAST,
    "201": status("201") + LAST,
    "204": status("204") + LAST,
    "205": status("205") + LAST,
    "206": status("206") + LAST,
    "101": status("101") + LAST,
    "302": status("302", ("location", "https://127.0.0.1:1/")),
    "407": status("407", ("proxy-authenticate", "Basic")),
    "502": status("502", ("proxy-status", "p; error=dns_error")),
    "content-length": status("200", ("content-length", "0")) + LAST,
    "content-type": status("200", ("content-type", "text/html")) + LAST,
    "transfer-encoding": status("200", ("transfer-encoding", "chunked")) + LAST,
    "connection": status("200", ("connection", "upgrade")) + LAST,
    "upper-case": status("200", ("X-Y", "z")) + LAST,
    "newline": status("200", ("x", "a\r\nb")) + LAST,
    "no-status": head(("x", "y")) + LAST,
    "two-statuses": status("200", (":status", "200")) + LAST,
    "status-late": head(("x", "y"), (":status", "200")) + LAST,
    "status-abc": status("abc") + LAST,
    "field-?0": status("200", ("capsule-protocol", "?0")) + LAST,
    "field-twice": status("200", *[("capsule-protocol", "?1")] * 2) + LAST,
    "informed": status("103") + OPEN + LAST,
    "informed-forever": status("103") * 100000,
    "ended-head": OPEN,
    "no-answer": b"",
    "trailers": OPEN + LAST + head(("x", "y")),
    "second-head": OPEN + LAST + OPEN,
    "data-first": LAST,
    "two-capsules": OPEN + LAST + LAST,
    "unknown-frame": frame(0x21, b"grease") + OPEN + frame(0x40, b"x") + LAST,
    "frame-cut": OPEN + LAST + b"\0\x10abc",
    "head-cut": OPEN[:-3],
    "head-bomb": status("200", ("x", "y" * 300000)),
    "fields-bomb": status("200", *[("x", "y")] * 100000),
    "head-length-bomb": b"\1" + varint((1 << 62) - 1) + b"\0\0",
    "qpack-garbage": frame(HEADERS, b"\xff" * 40),
    "qpack-cut": frame(HEADERS, fields((":status", "200"))[:-2]),
    "qpack-dynamic": frame(HEADERS, b"\2\0\x80"),
    "qpack-empty": frame(HEADERS),
    "http2-ping": OPEN + LAST + frame(6, b"12345678"),
    "http2-priority": frame(2, b"12345"),
    "http2-window": OPEN + LAST + frame(8, b"1234"),
    "http2-continuation": OPEN + LAST + frame(9, b""),
    "settings-here": OPEN + LAST + ON,
    "goaway-here": OPEN + LAST + frame(GOAWAY, b"\0"),
    "push-promise": OPEN + LAST + frame(PUSH_PROMISE, b"\0" + fields((":method", "GET"))),
    "octet-frames": OPEN + b"".join(frame(DATA, bytes([o])) for o in HELLO * 2),
    "data-empty-flood": OPEN + frame(DATA) * 200000 + LAST,
    "unknown-flood": OPEN + frame(0x21) * 200000 + LAST,
    "unknown-long": OPEN + LAST + frame(0x21, b"x" * 5000000) + LAST,
    "capsule-cut-type": OPEN + data(HELLO, b"\x40"),
    "capsule-cut-length": OPEN + data(HELLO, b"\0\x40"),
    "capsule-cut-header": OPEN + data(HELLO, b"\0\6"),
    "capsule-cut-value": OPEN + data(HELLO, HELLO[:5]),
    "capsule-endless": OPEN + data(HELLO, b"\0", varint((1 << 62) - 1), b"\0abc"),
    "unknown-endless": OPEN + data(HELLO, b"\x17", varint((1 << 62) - 1), b"abc"),
    "capsule-unknown": OPEN + data(HELLO, capsule(0x17, b"x" * 100000), HELLO),
    "datagram-empty": OPEN + data(b"\0\0", HELLO),
    "datagram-zero": OPEN + data(b"\0\1\0", HELLO),
    "datagram-context": OPEN + data(capsule(0, b"\2no"), HELLO),
    "udp-65527": OPEN + data(capsule(0, b"\0" + b"x" * 65527), HELLO),
    "udp-65528": OPEN + data(capsule(0, b"\0" + b"x" * 65528), HELLO),
}


def answering(answer):
    async def act(peer):
        peer.uni(varint(CONTROL) + ON)
        if await peer.head_on(0):
            peer.send(0, answer, True)
    return act


for _name, _answer in answers.items():
    behaviour("a:" + _name)(answering(_answer))

# --- what is wrong beside the request -----------------------------------------

C = varint(CONTROL)

# Unidirectional streams that are opened, and whether they end.
streams = {
    "setting-2": [(C + settings((EXTENDED_CONNECT, 1), (H3_DATAGRAM, 2)), False)],
    "connect-2": [(C + settings((EXTENDED_CONNECT, 2), (H3_DATAGRAM, 1)), False)],
    "no-settings": [(C + settings(), False)],
    "no-connect": [(C + settings((H3_DATAGRAM, 1)), False)],
    "duplicate": [(C + settings((EXTENDED_CONNECT, 1), (H3_DATAGRAM, 1), (H3_DATAGRAM, 1)), False)],
    "http2-setting": [(C + settings((EXTENDED_CONNECT, 1), (4, 65535)), False)],
    "settings-cut": [(C + frame(SETTINGS, varint(H3_DATAGRAM)), False)],
    "settings-long": [(C + settings(*[(0x21 + 0x1f * n, n) for n in range(100000)]), False)],
    "settings-endless": [(C + b"\4" + varint((1 << 62) - 1), False)],
    "goaway-first": [(C + frame(GOAWAY, b"\0") + ON, False)],
    "grease-first": [(C + frame(0x21, b"x") + ON, False)],
    "settings-twice": [(C + ON + ON, False)],
    "data": [(C + ON + data(b"x"), False)],
    "headers": [(C + ON + OPEN, False)],
    "max-push-id": [(C + ON + frame(MAX_PUSH_ID, b"\0"), False)],
    "push-promise": [(C + ON + frame(PUSH_PROMISE, b"\0"), False)],
    "cancel-push": [(C + ON + frame(CANCEL_PUSH, b"\0"), False)],
    "goaway-odd": [(C + ON + frame(GOAWAY, b"\1"), False)],
    "goaway-rises": [(C + ON + frame(GOAWAY, b"\4") + frame(GOAWAY, b"\x08"), False)],
    "goaway-long": [(C + ON + frame(GOAWAY, b"\0\0"), False)],
    "goaway-all": [(C + ON + frame(GOAWAY, b"\0"), False)],
    "http2-ping": [(C + ON + frame(6, b"12345678"), False)],
    "http2-priority": [(C + ON + frame(2, b"12345"), False)],
    "two-controls": [(C + ON, False), (C + ON, False)],
    "ended-control": [(C + ON, True)],
    "ended-type": [(C, True)],
    "two-encoders": [(C + ON, False), (varint(ENCODER), False), (varint(ENCODER), False)],
    "ended-decoder": [(C + ON, False), (varint(DECODER), True)],
    "encoder-capacity": [(C + ON, False), (varint(ENCODER) + b"\x3f\xe1\x1f", False)],
    "encoder-insert": [(C + ON, False), (varint(ENCODER) + b"\x41x\1y", False)],
    "decoder-increment": [(C + ON, False), (varint(DECODER) + b"\1", False)],
    "decoder-cancel": [(C + ON, False), (varint(DECODER) + b"\x40", False)],
    "push-stream": [(C + ON, False), (varint(PUSH) + b"\0", False)],
    "unknown-streams": [(b"\x21" + b"x" * 1000, True)] * 2 + [(C + ON, False)],
    "unknown-frames": [(C + ON + frame(0x21) * 200000, False)],
    "unknown-frame-long": [(C + ON + frame(0x21, b"x" * 5000000), False)],
}


def starting(opened):
    async def act(peer):
        for octets, end in opened:
            peer.uni(octets, end)
        if await peer.head_on(0):
            peer.send(0, OPEN + LAST, True)
    return act


for _name, _opened in streams.items():
    behaviour("s:" + _name)(starting(_opened))

behaviour("s:no-parameter", max_datagram_frame_size=None)(starting([(C + ON, False)]))


@behaviour("s:reset-control")
async def _(peer):
    control = peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)
        peer.abort(control)


@behaviour("s:server-bidi")
async def _(peer):
    peer.uni(C + ON)
    peer.bidi(b"x")


@behaviour("s:settings-late")
async def _(peer):
    """Behind a while of nothing, octet by octet."""
    await asyncio.sleep(0.3)
    control = peer.uni(C)
    for octet in ON:
        peer.send(control, bytes([octet]))
        await asyncio.sleep(0)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST, True)


# --- datagrams ----------------------------------------------------------------

def with_datagrams(*payloads):
    """After the answer, before a last good one."""
    async def act(peer):
        peer.uni(C + ON)
        if await peer.head_on(0):
            peer.send(0, OPEN)
            for payload in payloads:
                peer.datagram(payload)
            peer.to(0, b"hello")
            # The end is not to overtake what is not repeated.
            await asyncio.sleep(0.2)
            peer.send(0, b"", True)
    return act


for _name, _payloads in {
    "good": [],
    "empty": [b""],
    "cut": [b"\x40"],
    "too-large": [bytes.fromhex("d000000000000000") + b"\0x"],
    "largest": [bytes.fromhex("cfffffffffffffff") + b"\0x"],
    "unknown-stream": [b"\2\0no"],
    "no-context": [b"\0"],
    "context-cut": [b"\0\x40"],
    "context-2": [b"\0\2no"],
    "zero": [b"\0\0"],
    "long-ids": [bytes.fromhex("c000000000000000c000000000000000") + b"hello"],
    "thousand": [b"\0\0x"] * 1000,
}.items():
    behaviour("d:" + _name)(with_datagrams(*_payloads))


@behaviour("d:before-settings")
async def _(peer):
    peer.to(0, b"no")
    await asyncio.sleep(0.1)
    await with_datagrams()(peer)


@behaviour("d:before-answer")
async def _(peer):
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.to(0, b"hello")
        await asyncio.sleep(0.1)
        peer.send(0, OPEN)
        await asyncio.sleep(0.2)
        peer.send(0, b"", True)


@behaviour("d:after-end")
async def _(peer):
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST, True)
        await asyncio.sleep(0.1)
        peer.to(0, b"no")


@behaviour("d:capsules-only")
async def _(peer):
    """Each datagram comes back as a capsule, and the other way round."""
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN)
        done = 0
        while await peer.until(lambda: len(peer.datagrams) > done or 0 in peer.ended):
            for payload in peer.datagrams[done:]:
                peer.send(0, data(capsule(0, payload[unvarint(payload)[1]:])))
            done = len(peer.datagrams)
            if 0 in peer.ended:
                break
        peer.send(0, b"", True)


@behaviour("d:not-enabled", max_datagram_frame_size=None)
async def _(peer):
    """Neither the setting nor the parameter: capsules."""
    peer.uni(C + settings((EXTENDED_CONNECT, 1)))
    if await peer.head_on(0):
        peer.send(0, OPEN)
        await peer.until(lambda: 0 in peer.ended)
        peer.send(0, frame(DATA, content(peer.came[0])), True)


@behaviour("d:small", max_datagram_frame_size=100)
async def _(peer):
    """Datagrams of a hundred octets at most; what comes is echoed."""
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN)
        done = 0
        while await peer.until(lambda: len(peer.datagrams) > done or 0 in peer.ended):
            for payload in peer.datagrams[done:]:
                peer.datagram(payload)
            done = len(peer.datagrams)
            if 0 in peer.ended:
                break
        peer.send(0, b"", True)


@behaviour("d:flood")
async def _(peer):
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN)
        while peer.closed is None:
            if len(peer._quic._datagrams_pending) < 100:
                for _ in range(100):
                    peer._quic.send_datagram_frame(b"\0\0" + b"x" * 1100)
                peer.transmit()
            await asyncio.sleep(0)


# --- ends ---------------------------------------------------------------------

for _code in (0x100, 0x101, 0x102, 0x10b, 0x10c, 0x10d, 0x10e, 0x10f, 0x33, 0, 0x3fffffff):
    def _resets(code=_code, opened=False):
        async def act(peer):
            peer.uni(C + ON)
            if await peer.head_on(0):
                if opened:
                    peer.send(0, OPEN + LAST)
                    # A reset discards what is on its way.
                    await asyncio.sleep(0.2)
                peer.abort(0, code)
        return act
    behaviour(f"e:reset-{_code:x}")(_resets())
    behaviour(f"e:open-reset-{_code:x}")(_resets(opened=True))


@behaviour("e:reset-in-capsule")
async def _(peer):
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + data(HELLO, HELLO[:5]))
        await asyncio.sleep(0.2)
        peer.abort(0)


@behaviour("e:stop-sending")
async def _(peer):
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)
        peer.stop(0)
        await peer.until(lambda: 0 in peer.reset or 0 in peer.ended)
        peer.send(0, b"", True)


@behaviour("e:stop-control")
async def _(peer):
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)
        peer.stop(2)


def closing(code, when, frame_type=None):
    async def act(peer):
        if when != "first":
            peer.uni(C + ON)
            if await peer.head_on(0) and when == "open":
                peer.send(0, OPEN + LAST)
                await asyncio.sleep(0.2)
        peer._quic.close(error_code=code, frame_type=frame_type, reason_phrase="so \x1b[2J there")
        peer.transmit()
    return act


for _when in ("first", "asked", "open"):
    for _code in (0x100, 0x102, 0x107):
        behaviour(f"e:close-{_when}-{_code:x}")(closing(_code, _when))
    behaviour(f"e:close-{_when}-quic")(closing(0x0a, _when, 0))


@behaviour("e:goaway-open")
async def _(peer):
    """The request that is there goes on."""
    control = peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN)
        peer.send(control, frame(GOAWAY, b"\4"))
        await asyncio.sleep(0.2)
        peer.send(0, LAST, True)


@behaviour("e:goaway-refuses")
async def _(peer):
    control = peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(control, frame(GOAWAY, b"\0"))
        peer.abort(0, 0x10b)


@behaviour("e:answers-the-end")
async def _(peer):
    """The client ends first; what we say then must still arrive."""
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)
        await peer.until(lambda: 0 in peer.ended)
        peer.send(0, LAST, True)


@behaviour("e:silent-first")
async def _(peer):
    pass


@behaviour("e:silent")
async def _(peer):
    peer.uni(C + ON)


@behaviour("e:silent-open")
async def _(peer):
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)


@behaviour("e:vanishes")
async def _(peer):
    """As if it had been killed: not a packet more, not even for what comes."""
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)
        await asyncio.sleep(0.3)
        peer._transport = type("Nowhere", (), {"sendto": lambda *a: None, "close": lambda *a: None})()


@behaviour("e:forgets")
async def _(peer):
    """Restarted: it knows of no connection and sends stateless resets."""
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)
        await asyncio.sleep(0.3)
        token = peer._quic._host_cids[0].stateless_reset_token
        transport, address = peer._transport, peer._quic._network_paths[0].addr
        peer._transport = type("Nowhere", (), {"sendto": lambda *a: None, "close": lambda *a: None})()
        transport.sendto(b"\x40" + os.urandom(40) + token, address)


@behaviour("e:no-window", max_stream_data=1000, max_data=2000)
async def _(peer):
    """Takes two thousand octets and no more."""
    peer._quic._write_connection_limits = lambda *a, **k: None
    peer._quic._write_stream_limits = lambda *a, **k: None
    peer.uni(C + ON)
    if await peer.head_on(0):
        peer.send(0, OPEN + LAST)


# --- below HTTP ---------------------------------------------------------------

behaviour("q:other-alpn", alpn_protocols=["x"])(answering(OPEN + LAST))


class Raw(asyncio.DatagramProtocol):
    """What is no QUIC, or not ours."""

    def __init__(self, answer):
        self.answer = answer

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, octets, address):
        for packet in self.answer(octets):
            self.transport.sendto(packet, address)


def ids(octets):
    """Destination and source connection ids of a long header."""
    n = octets[5]
    m = octets[6 + n]
    return octets[6:6 + n], octets[7 + n:7 + n + m]


def negotiation(*versions):
    def answer(octets):
        destination, source = ids(octets)
        return [b"\x80" + bytes(4) + bytes([len(source)]) + source + bytes([len(destination)]) +
                destination + b"".join(v.to_bytes(4, "big") for v in versions)]
    return answer


def retry(octets):
    """With a tag that is wrong."""
    destination, source = ids(octets)
    return [b"\xf0\0\0\0\1" + bytes([len(source)]) + source + b"\x08" + b"12345678" + b"token" +
            bytes(16)]


raw = {
    "q:black-hole": lambda octets: [],
    "q:garbage": lambda octets: [os.urandom(n) for n in (1, 20, 21, 100, 1200, 1472)],
    "q:mirror": lambda octets: [octets],
    "q:no-version": negotiation(0x1a2a3a4a),
    "q:same-version": negotiation(1),
    "q:no-versions": negotiation(),
    "q:retry-garbage": retry,
    "q:empty": lambda octets: [b""] * 10,
}


# --- serving ------------------------------------------------------------------

def protocol_of(name):
    async def begins(peer):
        await behaviours[name](peer)
        await peer.until(lambda: False, 600)
        code, kind, _ = peer.closed or (-1, None, "")
        print("ended", name, f"{code:x}", "" if kind is None else "quic", flush=True)
    return type("Protocol", (Peer,), {"begins": staticmethod(begins)})


async def main(certificate, key, *names):
    loop = asyncio.get_running_loop()
    ends = []
    for name in names or [*behaviours, *raw]:
        if name in raw:
            transport, _ = await loop.create_datagram_endpoint(
                lambda name=name: Raw(raw[name]), ("127.0.0.1", 0), family=socket.AF_INET)
        else:
            configuration = QuicConfiguration(**{
                "is_client": False, "alpn_protocols": ["h3"], "max_datagram_frame_size": 65535,
                **odd[name]})
            configuration.load_cert_chain(certificate, key)
            server = await serve("127.0.0.1", 0, configuration=configuration,
                                 create_protocol=protocol_of(name))
            ends.append(server)
            transport = server._transport
        print(name, transport.get_extra_info("sockname")[1])
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
