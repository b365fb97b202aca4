# SPDX-License-Identifier: MIT
"""HTTP/1.1, HTTP/2 and capsules by hand, for peers that break their rules:
octets go out as they are written here, nothing is checked on the way."""
import socket
import ssl
import struct

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, \
    WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EXTENDED_CONNECT = 8
INITIAL_WINDOW = 4
HELLO = bytes.fromhex("00060068656c6c6f")  # a datagram with "hello"

UPGRADE = (b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
           b"Upgrade: connect-udp\r\nCapsule-Protocol: ?1\r\n\r\n")


def frame(kind, flags=0, stream=0, payload=b""):
    return (struct.pack("!I", len(payload))[1:] +
            struct.pack("!BBI", kind, flags, stream) + payload)


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack("!HI", *p) for p in pairs))


def integer(value, bits):
    """An HPACK integer behind a prefix whose other bits are 0."""
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([value])
    out, value = [limit], value - limit
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + [value])


def fields(*pairs):
    """Literals that are not indexed and not compressed."""
    out = b""
    for name, value in pairs:
        name, value = name.encode("latin-1"), value.encode("latin-1")
        out += b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value
    return out


def head(stream, *pairs, flags=END_HEADERS):
    return frame(HEADERS, flags, stream, fields(*pairs))


def connect(stream, path="/x", protocol="connect-udp", extra=(), flags=END_HEADERS):
    """An Extended CONNECT."""
    return head(stream, (":method", "CONNECT"), (":protocol", protocol),
                (":scheme", "http"), (":authority", "x"), (":path", path),
                ("capsule-protocol", "?1"), *extra, flags=flags)


def varint(value):
    for octets, prefix in ((1, 0), (2, 1), (4, 2), (8, 3)):
        if value < 1 << (8 * octets - 2):
            return (value | prefix << (8 * octets - 2)).to_bytes(octets, "big")
    raise ValueError(value)


def capsule(kind, value):
    return varint(kind) + varint(len(value)) + value


def status_of(block):
    """The :status at the start of a field block, where nghttp2 puts it."""
    while block and block[0] & 0xe0 == 0x20:  # the table's size
        block = block[1:]
    if block[0] & 0x80:
        return (200, 204, 206, 304, 400, 404, 500)[(block[0] & 0x7f) - 8]
    length = block[1] & 0x7f
    text = block[2:2 + length]
    if not block[1] & 0x80:
        return int(text)
    bits = "".join(f"{octet:08b}" for octet in text)
    codes = {"00000": "0", "00001": "1", "00010": "2"}
    codes.update((f"{25 + n:06b}", str(3 + n)) for n in range(7))
    digits, at = "", 0
    while len(digits) < 3:
        size = 5 if bits[at:at + 5] in codes else 6
        digits += codes[bits[at:at + size]]
        at += size
    return int(digits)


class Wire:
    """One connection. What arrives behind what was asked for stays in rest."""

    def __init__(self, sock):
        self.sock = sock
        self.rest = b""
        # What the peer of HTTP/2 lets us send: on the connection and, as if
        # there were only one, on a stream.
        self.windows = [65535, 65535]

    def send(self, data):
        self.sock.sendall(data)

    def dribble(self, data):
        """One octet per segment."""
        for octet in data:
            self.sock.sendall(bytes([octet]))

    def more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.rest += data

    def read(self, size):
        while len(self.rest) < size:
            self.more()
        out, self.rest = self.rest[:size], self.rest[size:]
        return out

    def head1(self):
        while b"\r\n\r\n" not in self.rest:
            self.more()
        out, _, self.rest = self.rest.partition(b"\r\n\r\n")
        return out

    def frame(self):
        header = self.read(9)
        payload = self.read(int.from_bytes(header[:3], "big"))
        kind, flags, sid = header[3], header[4], int.from_bytes(header[5:], "big")
        if kind == WINDOW_UPDATE:
            self.windows[sid > 0] += int.from_bytes(payload, "big")
        elif kind == SETTINGS:
            for at in range(0, len(payload), 6):
                if payload[at:at + 2] == b"\0\4":
                    self.windows[1] += int.from_bytes(payload[at + 2:at + 6], "big") - 65535
        return kind, flags, sid, payload

    def until(self, *kinds, stream=None):
        """The next frame of such a kind; SETTINGS and PING are answered."""
        while True:
            kind, flags, sid, payload = self.frame()
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.send(frame(kind, ACK, 0, payload if kind == PING else b""))
            if kind in kinds and stream in (None, sid) and \
                    not (kind == SETTINGS and flags & ACK):
                return kind, flags, sid, payload

    def drain(self):
        """Read until the other end closes, whichever way."""
        try:
            while self.sock.recv(65536):
                pass
        except OSError:
            pass

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.sock.close()

    def half_close(self):
        if isinstance(self.sock, ssl.SSLSocket):
            self.sock.unwrap()
        else:
            self.sock.shutdown(socket.SHUT_WR)
