# SPDX-License-Identifier: MIT
"""HTTP/3 by hand over aioquic's QUIC, for peers that break its rules: octets
go out as they are written here, nothing is checked on the way. Header blocks
use neither table."""
import asyncio

import pylsqpack
from aioquic.asyncio import QuicConnectionProtocol
from aioquic.quic.events import (ConnectionTerminated, DatagramFrameReceived, HandshakeCompleted,
                                 StopSendingReceived, StreamDataReceived, StreamReset)

DATA, HEADERS, CANCEL_PUSH, SETTINGS, PUSH_PROMISE, GOAWAY, MAX_PUSH_ID = 0, 1, 3, 4, 5, 7, 13
CONTROL, PUSH, ENCODER, DECODER = range(4)
EXTENDED_CONNECT, H3_DATAGRAM = 0x08, 0x33


def varint(value, size=0):
    for bits, octets in ((6, 1), (14, 2), (30, 4), (62, 8)):
        if value < 1 << bits and octets >= size:
            prefix = (octets.bit_length() - 1) << (8 * octets - 2)
            return (prefix | value).to_bytes(octets, "big")
    raise ValueError(value)


def unvarint(data, at=0):
    """The value and where it ends; None when the octets do not suffice."""
    if at >= len(data) or at + (1 << (data[at] >> 6)) > len(data):
        return None
    end = at + (1 << (data[at] >> 6))
    value = int.from_bytes(data[at:end], "big")
    return value & ((1 << (8 * (end - at) - 2)) - 1), end


def frame(kind, payload=b""):
    return varint(kind) + varint(len(payload)) + payload


def capsule(kind, value=b""):
    return varint(kind) + varint(len(value)) + value


def settings(*pairs):
    return frame(SETTINGS, b"".join(varint(k) + varint(v) for k, v in pairs))


def integer(value, bits, first=0):
    """A QPACK integer behind a prefix whose other bits are those of first."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([first | value])
    out, value = [first | limit], value - limit
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def fields(*pairs):
    out = b"\0\0"
    for name, value in pairs:
        name, value = name.encode("latin-1"), value.encode("latin-1")
        out += integer(len(name), 3, 0x20) + name + integer(len(value), 7) + value
    return out


def head(*pairs):
    return frame(HEADERS, fields(*pairs))


def connect(path="/x", protocol="connect-udp", *extra):
    """An Extended CONNECT."""
    return head((":method", "CONNECT"), (":protocol", protocol), (":scheme", "https"),
                (":authority", "localhost"), (":path", path), ("capsule-protocol", "?1"), *extra)


def get(path="/"):
    return head((":method", "GET"), (":scheme", "https"), (":authority", "localhost"),
                (":path", path))


def frames(data):
    """Those that are complete."""
    at, out = 0, []
    while (kind := unvarint(data, at)) and (length := unvarint(data, kind[1])):
        at = length[1] + length[0]
        if at > len(data):
            break
        out.append((kind[0], bytes(data[length[1]:at])))
    return out


def content(data):
    return b"".join(payload for kind, payload in frames(data) if kind == DATA)


HELLO = capsule(0, b"\0hello")  # a datagram with "hello"
ON = settings((EXTENDED_CONNECT, 1), (H3_DATAGRAM, 1))
CLIENT_ON = settings((H3_DATAGRAM, 1))
OPEN = head((":status", "200"), ("capsule-protocol", "?1"))


class Peer(QuicConnectionProtocol):
    """One connection; what came is kept as it came."""

    begins = None  # called with the connection when the handshake is complete

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.came = {}  # stream: octets
        self.ended, self.reset, self.stopped = set(), {}, {}
        self.datagrams = []
        self.closed = None
        self.news = asyncio.Event()
        self.next_uni = 3 if not self._quic.configuration.is_client else 2
        self.next_bidi = 0 if self._quic.configuration.is_client else 1

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived):
            self.came.setdefault(event.stream_id, bytearray()).extend(event.data)
            if event.end_stream:
                self.ended.add(event.stream_id)
        elif isinstance(event, StreamReset):
            self.reset[event.stream_id] = event.error_code
        elif isinstance(event, StopSendingReceived):
            self.stopped[event.stream_id] = event.error_code
        elif isinstance(event, DatagramFrameReceived):
            self.datagrams.append(event.data)
        elif isinstance(event, ConnectionTerminated):
            self.closed = event.error_code, event.frame_type, event.reason_phrase
        elif isinstance(event, HandshakeCompleted) and self.begins:
            asyncio.ensure_future(self.begins(self))
        self.news.set()

    async def until(self, holds, seconds=20):
        """Wait until it holds or the connection is closed; whether it holds."""
        async def wait():
            while not holds() and self.closed is None:
                # Some of what changes is no event: look all the same.
                self.news.clear()
                try:
                    await asyncio.wait_for(self.news.wait(), 0.05)
                except asyncio.TimeoutError:
                    pass
        try:
            await asyncio.wait_for(wait(), seconds)
        except asyncio.TimeoutError:
            pass
        return bool(holds())

    def send(self, stream, data=b"", end=False):
        self._quic.send_stream_data(stream, data, end)
        self.transmit()

    def uni(self, data, end=False):
        """A new unidirectional stream."""
        stream, self.next_uni = self.next_uni, self.next_uni + 4
        self.send(stream, data, end)
        return stream

    def bidi(self, data, end=False):
        stream, self.next_bidi = self.next_bidi, self.next_bidi + 4
        self.send(stream, data, end)
        return stream

    def datagram(self, data):
        self._quic.send_datagram_frame(data)
        self.transmit()

    def to(self, stream, payload, context=0):
        """An HTTP Datagram."""
        self.datagram(varint(stream // 4) + varint(context) + payload)

    def abort(self, stream, code=0x10c):
        self._quic.reset_stream(stream, code)
        self.transmit()

    def stop(self, stream, code=0x10c):
        self._quic.stop_stream(stream, code)
        self.transmit()

    async def head_on(self, stream):
        """The fields of the first HEADERS that comes there; None: closed."""
        def found():
            return [p for kind, p in frames(self.came.get(stream, b"")) if kind == HEADERS]
        if not await self.until(found):
            return None
        _, pairs = pylsqpack.Decoder(0, 0).feed_header(stream, found()[0])
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
