# SPDX-License-Identifier: MIT
"""A client that abuses an HTTP/3 server for tunnels.

Usage: h3-hostile-client.py PORT ATTACK [argument ...]
       h3-hostile-client.py PORT each ATTACK ...

Prints what came of it, a line "holding" when there is something to look at,
and then waits until it is killed."""
import asyncio
import os
import socket
import ssl
import sys
import time

sys.dont_write_bytecode = True  # the sources may be read-only, or released
sys.path.insert(0, os.path.dirname(__file__))
from aioquic.quic.configuration import QuicConfiguration  # noqa: E402
from aioquic.quic.connection import QuicConnection  # noqa: E402
from h3wire import *  # noqa: E402,F403 it is the language of this file

address = ("127.0.0.1", int(sys.argv[1]))
attacks = {}
C = varint(CONTROL)


def attack(function):
    attacks[function.__name__.replace("_", "-")] = function
    return function


def configured(**changes):
    return QuicConfiguration(**{
        "is_client": True, "alpn_protocols": ["h3"], "verify_mode": ssl.CERT_NONE,
        "server_name": "localhost", "max_datagram_frame_size": 65535, "idle_timeout": 600,
        **changes})


async def dial(control=C + CLIENT_ON, **changes):
    """A connection whose handshake is complete, with a control stream."""
    loop = asyncio.get_running_loop()
    quic = QuicConnection(configuration=configured(**changes))
    transport, peer = await loop.create_datagram_endpoint(
        lambda: Peer(quic), local_addr=("127.0.0.1", 0), family=socket.AF_INET)
    peer.transport = transport
    peer.connect(address)
    await peer.wait_connected()
    if control is not None:
        peer.control = peer.uni(control)
    return peer


def said(*words):
    return " ".join(str(word) for word in words)


def hold():
    print("holding", flush=True)
    return asyncio.Event().wait()


async def ending(peer, stream=0, seconds=5):
    """How the server ends it: connection or stream, and the code."""
    await peer.until(lambda: stream in peer.reset or stream in peer.ended, seconds)
    # Where both happen, the connection's end is what counts.
    if peer.closed is None and stream in peer.reset:
        await peer.until(lambda: False, 0.3)
    if peer.closed:
        code, kind, _ = peer.closed
        return f"{'close' if kind is None else 'quic'} {code:x}"
    if stream in peer.reset:
        return f"reset {peer.reset[stream]:x}"
    if stream in peer.ended:
        fields_ = await peer.head_on(stream)
        return f"status {fields_[':status']}" if fields_ else "ended"
    return "open" if await peer.head_on_now(stream) else "nothing"


async def head_on_now(self, stream):
    return any(kind == HEADERS for kind, _ in frames(self.came.get(stream, b"")))


Peer.head_on_now = head_on_now


async def opened(path="/x", **changes):
    peer = await dial(**changes)
    peer.bidi(connect(path))
    fields_ = await peer.head_on(0)
    assert fields_ and fields_[":status"] == "200", fields_
    return peer


# --- settings and unidirectional streams --------------------------------------

streams = {
    "setting-2": [(C + settings((H3_DATAGRAM, 2)), False)],
    "duplicate": [(C + settings((H3_DATAGRAM, 1), (H3_DATAGRAM, 1)), False)],
    "duplicate-unknown": [(C + settings((0x4242, 1), (0x4242, 1)), False)],
    "http2-setting": [(C + settings((2, 0)), False)],
    "settings-cut": [(C + frame(SETTINGS, varint(H3_DATAGRAM)), False)],
    "settings-long": [(C + settings(*[(0x21 + 0x1f * n, n) for n in range(20000)]), False)],
    "settings-endless": [(C + b"\4" + varint((1 << 62) - 1), False)],
    "goaway-first": [(C + frame(GOAWAY, b"\0") + CLIENT_ON, False)],
    "grease-first": [(C + frame(0x21, b"x") + CLIENT_ON, False)],
    "settings-twice": [(C + CLIENT_ON + CLIENT_ON, False)],
    "data": [(C + CLIENT_ON + frame(DATA, b"x"), False)],
    "headers": [(C + CLIENT_ON + connect(), False)],
    "http2-ping": [(C + CLIENT_ON + frame(6, b"12345678"), False)],
    "http2-priority": [(C + CLIENT_ON + frame(2, b"12345"), False)],
    "push-promise": [(C + CLIENT_ON + frame(PUSH_PROMISE, b"\0"), False)],
    "max-push-falls": [(C + CLIENT_ON + frame(MAX_PUSH_ID, b"\5") + frame(MAX_PUSH_ID, b"\1"), False)],
    "max-push-long": [(C + CLIENT_ON + frame(MAX_PUSH_ID, b"\5\5"), False)],
    "goaway-rises": [(C + CLIENT_ON + frame(GOAWAY, b"\4") + frame(GOAWAY, b"\x08"), False)],
    "two-controls": [(C + CLIENT_ON, False), (C + CLIENT_ON, False)],
    "ended-control": [(C + CLIENT_ON, True)],
    "ended-type": [(C, True)],
    "two-encoders": [(C + CLIENT_ON, False), (varint(ENCODER), False), (varint(ENCODER), False)],
    "ended-encoder": [(C + CLIENT_ON, False), (varint(ENCODER), True)],
    "encoder-capacity": [(C + CLIENT_ON, False), (varint(ENCODER) + b"\x3f\xe1\x1f", False)],
    "encoder-insert": [(C + CLIENT_ON, False), (varint(ENCODER) + b"\x41x\1y", False)],
    "decoder-increment": [(C + CLIENT_ON, False), (varint(DECODER) + b"\1", False)],
    "push-stream": [(C + CLIENT_ON, False), (varint(PUSH) + b"\0", False)],
    "unknown-streams": [(C + CLIENT_ON, False)] + [(b"\x21" + b"x" * 1000, True)] * 10,
    "unknown-type-cut": [(C + CLIENT_ON, False), (b"\x40", True), (b"", True)],
    "unknown-frames": [(C + CLIENT_ON + frame(0x21) * 50000, False)],
    "unknown-frame-long": [(C + CLIENT_ON + frame(0x21, b"x" * 1000000), False)],
}


def starting(uni, **changes):
    async def act():
        peer = await dial(None, **changes)
        for octets, end in uni:
            peer.uni(octets, end)
        peer.bidi(connect())
        return said(await ending(peer, seconds=3))
    return act


for _name, _uni in streams.items():
    attacks[_name] = starting(_uni)
attacks["no-parameter"] = starting([(C + CLIENT_ON, False)], max_datagram_frame_size=None)
attacks["no-settings"] = starting([])
attacks["no-datagrams"] = starting([(C + settings(), False)], max_datagram_frame_size=None)


@attack
async def reset_control():
    peer = await opened()
    peer.abort(peer.control)
    return said(await ending(peer))


# --- requests -----------------------------------------------------------------

PSEUDO = ((":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/"))

requests = {
    "get": get(),
    "get-file": get("/x"),
    "head-cut": connect()[:-3],
    "data-first": frame(DATA, b"x") + connect(),
    "settings-here": CLIENT_ON,
    "goaway-here": frame(GOAWAY, b"\0"),
    "max-push-here": frame(MAX_PUSH_ID, b"\0"),
    "http2-ping-here": connect() + frame(6, b"12345678"),
    "http2-priority-here": frame(2, b"12345") + connect(),
    "push-promise-here": connect() + frame(PUSH_PROMISE, b"\0" + fields(*PSEUDO)),
    "unknown-frame": frame(0x21, b"x") + get(),
    "unknown-flood": frame(0x21) * 50000 + get(),
    "second-head": connect() + connect(),
    "trailers": connect() + head(("x", "y")),
    "no-method": head(*PSEUDO[1:]),
    "two-methods": head(PSEUDO[0], *PSEUDO),
    "no-path": head(*PSEUDO[:3]),
    "empty-path": head(*PSEUDO[:3], (":path", "")),
    "no-scheme": head(PSEUDO[0], *PSEUDO[2:]),
    "no-authority": head(PSEUDO[0], PSEUDO[1], PSEUDO[3]),
    "unknown-pseudo": head(*PSEUDO, (":x", "y")),
    "status-in-request": head(*PSEUDO, (":status", "200")),
    "pseudo-late": head(("x", "y"), *PSEUDO),
    "protocol-on-get": head(*PSEUDO, (":protocol", "connect-udp")),
    "upper-case": head(*PSEUDO, ("X", "y")),
    "connection": head(*PSEUDO, ("connection", "close")),
    "transfer-encoding": head(*PSEUDO, ("transfer-encoding", "chunked")),
    "te-gzip": head(*PSEUDO, ("te", "gzip")),
    "newline": head(*PSEUDO, ("x", "a\r\nb")),
    "nul": head(*PSEUDO, ("x", "a\0b")),
    "empty-name": head(*PSEUDO, ("", "y")),
    "content-length": connect("/x", "connect-udp", ("content-length", "0")),
    "content-type": connect("/x", "connect-udp", ("content-type", "text/html")),
    "other-protocol": connect("/x", "nonesuch"),
    "plain-connect": head((":method", "CONNECT"), (":authority", "localhost:1")),
    "qpack-garbage": frame(HEADERS, b"\xff" * 40),
    "qpack-cut": frame(HEADERS, fields(*PSEUDO)[:-2]),
    "qpack-dynamic": frame(HEADERS, b"\2\0\x80"),
    "qpack-post-base": frame(HEADERS, b"\0\0\x10"),
    "qpack-static-99": frame(HEADERS, b"\0\0\xff\x24"),
    "qpack-empty": frame(HEADERS),
    "head-bomb": head(*PSEUDO, ("x", "y" * 300000)),
    "fields-bomb": head(*PSEUDO, *[("x", "y")] * 20000),
    "fields-many": head(*PSEUDO, *[("x", "y")] * 1000),
    # A static entry of one octet again and again: much in little.
    "qpack-bomb": frame(HEADERS, fields(*PSEUDO) + b"\xfa" * 15000),
    "head-endless": b"\1" + varint((1 << 62) - 1) + b"\0\0",
    "body-endless": get()[:0] + head((":method", "POST"), *PSEUDO[1:]) + b"\0" + varint((1 << 62) - 1),
}


def requesting(octets):
    async def act(end="end"):
        peer = await dial()
        peer.bidi(octets, end == "end")
        return said(await ending(peer, seconds=3))
    return act


for _name, _octets in requests.items():
    attacks["r:" + _name] = requesting(_octets)


@attack
async def ask(*paths):
    """The status for each path."""
    peer = await dial()
    for n, path in enumerate(paths):
        peer.bidi(connect(path))
        fields_ = await peer.head_on(4 * n)
        print(fields_[":status"] if fields_ else "closed", path)


# --- datagrams ----------------------------------------------------------------

@attack
async def before_settings():
    """A datagram that comes before SETTINGS and before its stream."""
    peer = await dial(None)
    peer.to(0, b"early")
    peer.uni(C + CLIENT_ON)
    peer.bidi(connect())
    peer.bidi(connect())
    await peer.head_on(0)
    peer.to(0, b"hello")
    await peer.until(lambda: any(d.endswith(b"hello") for d in peer.datagrams), 5)
    return said(await ending(peer, seconds=1), *(d.hex() for d in peer.datagrams))


@attack
async def datagrams(*texts):
    """Each given in hexadecimal; what comes back, and then a good one."""
    peer = await opened()
    for text in texts:
        peer.datagram(bytes.fromhex(text))
    peer.to(0, b"hello")
    await peer.until(lambda: any(d.endswith(b"hello") for d in peer.datagrams), 3)
    return said(await ending(peer, seconds=0.5), *(d.hex() for d in peer.datagrams))


@attack
async def for_get():
    """A datagram for a request that has none."""
    peer = await dial()
    peer.bidi(head((":method", "POST"), *PSEUDO[1:]))
    peer.to(0, b"no")
    return said(await ending(peer, seconds=3))


@attack
async def finished_stream():
    """A datagram for a stream that both have ended."""
    peer = await dial()
    peer.bidi(get(), True)
    await peer.until(lambda: 0 in peer.ended)
    peer.bidi(connect())
    await peer.head_on(4)
    for _ in range(10):
        peer.to(0, b"no")
    peer.to(4, b"hello")
    await peer.until(lambda: peer.datagrams, 5)
    return said(await ending(peer, 4, 0.5), *(d.hex() for d in peer.datagrams))


@attack
async def half_closed():
    """A datagram behind our end of its stream."""
    peer = await opened()
    peer.bidi(connect())
    await peer.head_on(4)
    peer.send(4, b"", True)
    await peer.until(lambda: 4 in peer.ended, 3)
    peer.to(4, b"no")
    peer.to(0, b"hello")
    await peer.until(lambda: any(d.endswith(b"hello") for d in peer.datagrams), 5)
    return said(await ending(peer, 0, 0.5), *(d.hex() for d in peer.datagrams))


@attack
async def unknown_flood(count):
    """Datagrams for streams that may still come: kept for a while, not all."""
    peer = await opened()
    for n in range(int(count)):
        peer._quic.send_datagram_frame(varint(1 + n % 90) + b"\0" + b"x" * 1000)
        if n % 50 == 49:
            peer.transmit()
            await peer.until(lambda: len(peer._quic._datagrams_pending) < 50, 10)
    peer.to(0, b"hello")
    await peer.until(lambda: any(d.endswith(b"hello") for d in peer.datagrams), 10)
    print(await ending(peer, 0, 0.5))
    await hold()


# --- capsules -----------------------------------------------------------------

@attack
async def capsules(text, end="end"):
    """Octet by octet in frames of one; then how the server ends it."""
    peer = await opened()
    for octet in bytes.fromhex(text):
        peer.send(0, frame(DATA, bytes([octet])))
    if end == "reset":
        await peer.until(lambda: False, 0.2)
        peer.abort(0)
    elif end == "end":
        peer.send(0, b"", True)
    return said(await ending(peer, 0, 3), content(peer.came[0]).hex())


@attack
async def udp_payload(octets, path="/x"):
    """A DATAGRAM capsule with so many octets for UDP."""
    peer = await opened(path)
    peer.send(0, frame(DATA, capsule(0, b"\0" + b"x" * int(octets))))
    peer.send(0, frame(DATA, HELLO))
    await peer.until(lambda: peer.datagrams or HELLO in content(peer.came[0]), 3)
    return said(await ending(peer, 0, 0.5), len(content(peer.came[0])), len(peer.datagrams))


@attack
async def megabytes(count):
    """An unknown capsule, and one that is known."""
    peer = await opened()
    size = int(count) << 20
    peer.send(0, frame(DATA, b"\x17" + varint(size)))
    for _ in range(int(count)):
        peer.send(0, frame(DATA, b"x" * (1 << 20)))
        await peer.until(lambda: peer._quic._streams[0].sender.is_finished or
                         len(peer._quic._streams[0].sender._buffer) < 1 << 19, 60)
    peer.send(0, frame(DATA, HELLO), True)
    return said(await ending(peer, 0, 60))


@attack
async def deaf():
    """Sends all that is taken, gives no window for what comes back."""
    peer = await opened(max_data=20000, max_stream_data=10000)
    peer._quic._write_connection_limits = lambda *a, **k: None
    peer._quic._write_stream_limits = lambda *a, **k: None
    block = frame(DATA, capsule(0, b"\0" + b"x" * 1199) * 50)
    sender, poured, last = peer._quic._streams[0].sender, 0, 0
    deadline = time.monotonic() + 3
    # What is dropped for us has no end.
    while time.monotonic() < deadline and peer.closed is None and poured < 20 << 20:
        if len(sender._buffer) < 1 << 20:
            peer.send(0, block)
            poured += len(block)
            deadline = time.monotonic() + 1
        await asyncio.sleep(0.001)
    print("poured", poured - len(sender._buffer), "closed" if peer.closed else "")
    await hold()


@attack
async def slow_tunnel(path):
    """A tunnel whose client asks for a flood and acknowledges nothing of it."""
    peer = await opened(path)
    peer.to(0, b"flood")
    await peer.until(lambda: peer.datagrams)
    peer.datagram_received = lambda *packet: None
    await hold()


# --- many ---------------------------------------------------------------------

@attack
async def idle(count, each=100):
    """So many tunnels, each hundred on a connection of its own."""
    peers, each = [], int(each)
    for _ in range(int(count) // each):
        peer = await dial()
        for n in range(each):
            peer._quic.send_stream_data(4 * n, connect())
        peer.transmit()
        assert await peer.until(lambda: sum(1 for n in range(each) if peer.came.get(4 * n)) == each, 60), \
            (len(peers), peer.closed, len(peer.came))
        peers.append(peer)
        # QUIC's idle timeout is not what is tested.
        asyncio.ensure_future(kept_alive(peer))
    print("tunnels", sum(len([s for s in p.came if s % 4 == 0]) for p in peers if not p.closed))
    await hold()


async def kept_alive(peer):
    while peer.closed is None:
        await asyncio.sleep(10)
        peer._quic.send_ping(1)
        peer.transmit()


@attack
async def connections(count):
    """Connections without any request."""
    peers = []
    for _ in range(int(count)):
        try:
            peers.append(await dial())
        except ConnectionError:
            break
        asyncio.ensure_future(kept_alive(peers[-1]))
    print("connections", sum(1 for p in peers if not p.closed))
    await hold()


@attack
async def all_streams():
    """Every stream that the server allows, of both kinds, and nothing on them."""
    peer = await dial()
    quic = peer._quic
    bidi, uni = quic._remote_max_streams_bidi, quic._remote_max_streams_uni - 1
    for n in range(bidi):
        quic.send_stream_data(4 * n, b"\1")
    for n in range(uni):
        quic.send_stream_data(4 * n + 6, b"\x40")
    peer.transmit()
    await peer.until(lambda: False, 0.5)
    print("streams", bidi, uni, "closed" if peer.closed else "open")
    await hold()


@attack
async def beyond_streams():
    """One more than the server allows."""
    peer = await dial()
    peer._quic._remote_max_streams_bidi += 1
    peer._quic.send_stream_data(4 * (peer._quic._remote_max_streams_bidi - 1), connect())
    peer.transmit()
    return said(await ending(peer, 400, 3))


@attack
async def rapid_reset(count):
    """Requests that are cancelled at once."""
    peer = await dial()
    quic, made = peer._quic, 0
    while made < int(count) and peer.closed is None:
        while made < int(count) and made < quic._remote_max_streams_bidi:
            quic.send_stream_data(4 * made, connect())
            quic.reset_stream(4 * made, 0x10c)
            made += 1
        peer.transmit()
        if not await peer.until(lambda: made < quic._remote_max_streams_bidi or
                                made == int(count), 5):
            break
    return said(made if peer.closed or made < int(count) else "all", await ending(peer, -1, 1))


@attack
async def reset_answered(count):
    """Requests that are cancelled when they are answered."""
    peer = await dial()
    for n in range(int(count)):
        peer.bidi(connect())
        if not await peer.head_on(4 * n):
            break
        peer.abort(4 * n)
        if n % 50 == 0:
            peer.stop(4 * n)
    return said(n + 1, await ending(peer, -1, 0.5))


@attack
async def vanish(count):
    """At each stage, without a word."""
    for n in range(int(count)):
        peer = await dial(None)
        if n % 4 > 0:
            peer.uni(C + CLIENT_ON)
        if n % 4 > 1:
            peer.bidi(connect())
        if n % 4 > 2:
            await peer.head_on(0)
            peer.to(0, b"hello")
        peer.transport.abort()
    return said("vanished", n + 1)


# --- below HTTP ---------------------------------------------------------------

def initial(**changes):
    quic = QuicConnection(configuration=configured(**changes))
    quic.connect(address, time.monotonic())
    return quic, [octets for octets, _ in quic.datagrams_to_send(time.monotonic())]


def wire():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(1)
    sock.connect(address)
    return sock


def answers(sock, seconds):
    """What comes until so long nothing came."""
    sock.settimeout(seconds)
    out = []
    try:
        while True:
            out.append(sock.recv(65536))
    except (TimeoutError, ConnectionError):
        return out


def long_header(version, size=1200, destination=b"d" * 8, source=b"s" * 8):
    octets = (b"\xc0" + version.to_bytes(4, "big") + bytes([len(destination)]) + destination +
              bytes([len(source)]) + source)
    return octets + bytes(max(0, size - len(octets)))


@attack
async def handshake_flood(count):
    """First packets of ever new connections that are never gone on with."""
    sock = wire()
    sock.setblocking(False)
    for n in range(int(count)):
        if n % 100 == 0:
            # From ever new ports.
            sock = wire()
            sock.setblocking(False)
        for packet in initial()[1]:
            try:
                sock.send(packet)
            except (BlockingIOError, ConnectionError):
                pass
    return said("sent", n + 1)


@attack
async def garbage(count):
    """Datagrams that are no QUIC, of all sizes and first octets."""
    sock = wire()
    sock.setblocking(False)
    for n in range(int(count)):
        octets = bytes([n & 255]) + os.urandom(n * 7 % 1500)
        if n % 3 == 0:
            octets = long_header(1, 1200, os.urandom(n % 21), os.urandom(n % 21))
        try:
            sock.send(octets)
        except BlockingIOError:
            await asyncio.sleep(0.001)
    return said("sent", n + 1)


@attack
async def broken_initials(count):
    """True first packets with one bit that is not."""
    sock = wire()
    packet = initial()[1][0]
    for n in range(int(count)):
        octets = bytearray(packet)
        at = n * 8 * len(octets) // int(count)
        octets[at // 8] ^= 1 << (at % 8)
        sock.send(octets)
        if n % 50 == 0:
            await asyncio.sleep(0.01)
    return said("sent", n + 1)


@attack
async def amplification():
    """Octets sent and octets that came, by one who never answers."""
    sock = wire()
    packets = initial()[1]
    for packet in packets:
        sock.send(packet)
    sent, came = sum(map(len, packets)), sum(map(len, answers(sock, 3)))
    return said("sent", sent, "came", came, "below" if came <= 3 * sent else "above")


@attack
async def small_initial():
    """A first packet in a datagram that is too small for one."""
    sock = wire()
    sock.send(initial()[1][0][:1100])
    return said("answers", len(answers(sock, 1)))


@attack
async def version(number="1a2a3a4a", size="1200"):
    """What is offered to one who speaks another version."""
    sock = wire()
    sock.send(long_header(int(number, 16), int(size)))
    for octets in answers(sock, 1):
        n = octets[5]
        m = octets[6 + n]
        assert octets[1:5] == bytes(4) and octets[0] & 0x80
        assert octets[6:6 + n] == b"s" * 8 and octets[7 + n:7 + n + m] == b"d" * 8
        assert len(octets) <= int(size)
        rest = octets[7 + n + m:]
        print("versions", *(rest[i:i + 4].hex() for i in range(0, len(rest), 4)))
        return
    print("nothing")


@attack
async def stateless_reset(size="100"):
    """A packet of a connection that does not exist."""
    sock = wire()
    sent = b"\x40" + os.urandom(int(size) - 1)
    sock.send(sent)
    for octets in answers(sock, 1):
        assert octets[0] & 0xc0 == 0x40 and 21 <= len(octets) < len(sent)
        # The token depends on the connection id and on nothing else.
        sock.send(sent)
        again = answers(sock, 1)
        print("reset", "same" if again and again[0][-16:] == octets[-16:] else "differs")
        return
    print("nothing")


@attack
async def reset_storm(count):
    """What looks like packets of lost connections: no answer for each."""
    sock = wire()
    for n in range(int(count)):
        sock.send(b"\x40" + os.urandom(100))
        if n % 50 == 0:
            await asyncio.sleep(0.001)
    return said("sent", n + 1, "came", len(answers(sock, 1)))


@attack
async def alpn(name="x"):
    """One that the server does not have."""
    peer = None
    try:
        peer = await asyncio.wait_for(dial(alpn_protocols=[name]), 5)
        print("connected")
    except ConnectionError:
        print("refused")
    except asyncio.TimeoutError:
        print("nothing")


@attack
async def empty_datagrams(count):
    """UDP without an octet."""
    sock = wire()
    for _ in range(int(count)):
        sock.send(b"")
    return said("sent", int(count), "came", len(answers(sock, 0.5)))


async def main(name, *arguments):
    if name == "each":
        # Some at once; "NAME RESULT" for each.
        turns = asyncio.Semaphore(6)

        async def one(name):
            async with turns:
                return await attacks[name]()
        results = await asyncio.gather(*map(one, arguments), return_exceptions=True)
        for a, result in zip(arguments, results):
            print(a, result if isinstance(result, str) else repr(result))
        return
    result = await attacks[name](*arguments)
    if result:
        print(result)


asyncio.run(main(*sys.argv[2:]))
