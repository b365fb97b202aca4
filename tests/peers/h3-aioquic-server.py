# SPDX-License-Identifier: MIT
"""aioquic's own HTTP/3 as a server for tunnels. Prints its port, and what it
sees: "request {JSON}", and "tunnel PATH DATAGRAMS CAPSULES" when one ends.

Usage: h3-aioquic-server.py CERTIFICATE KEY [option ...]
  retry      validate addresses
  v2         prefer QUIC version 2

/echo sends back what comes in the way it came, /swap datagrams as capsules and
capsules as datagrams, /discard nothing; /status/NNN refuses."""
import asyncio
import json
import os
import sys

sys.dont_write_bytecode = True  # the sources may be read-only, or released
sys.path.insert(0, os.path.dirname(__file__))
from aioquic.asyncio import QuicConnectionProtocol, serve  # noqa: E402
from aioquic.h3.connection import H3Connection  # noqa: E402
from aioquic.h3.events import DatagramReceived, DataReceived, HeadersReceived  # noqa: E402
from aioquic.quic.configuration import QuicConfiguration  # noqa: E402
from aioquic.quic.events import ConnectionTerminated, StreamReset  # noqa: E402
from aioquic.quic.packet import QuicProtocolVersion  # noqa: E402
from h3wire import capsule, unvarint  # noqa: E402


class Tunnel:
    def __init__(self, path):
        self.path, self.datagrams, self.capsules, self.rest = path, 0, 0, b""

    def cut(self, octets):
        """The capsules that are complete by now."""
        self.rest += octets
        at, out = 0, []
        while (kind := unvarint(self.rest, at)) and (size := unvarint(self.rest, kind[1])) and \
                size[1] + size[0] <= len(self.rest):
            at = size[1] + size[0]
            out.append((kind[0], self.rest[size[1]:at]))
        self.rest = self.rest[at:]
        self.capsules += len(out)
        return out


class Server(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.h3 = H3Connection(self._quic, enable_webtransport=True)
        self.tunnels = {}

    def quic_event_received(self, event):
        if isinstance(event, StreamReset) and event.stream_id in self.tunnels:
            print("reset", self.tunnels[event.stream_id].path, f"{event.error_code:x}", flush=True)
            self.over(event.stream_id)
        if isinstance(event, ConnectionTerminated):
            for stream in list(self.tunnels):
                self.over(stream)
        for happening in self.h3.handle_event(event):
            if isinstance(happening, HeadersReceived):
                self.requested(happening)
            elif isinstance(happening, DatagramReceived):
                self.datagram(happening.stream_id, happening.data)
            elif isinstance(happening, DataReceived):
                self.data(happening)
        self.transmit()

    def answer(self, stream, status, *fields, body=None):
        self.h3.send_headers(stream, [(b":status", status), *fields], body is not None and not body)
        if body:
            self.h3.send_data(stream, body, True)

    def requested(self, event):
        fields = {k.decode(): v.decode() for k, v in event.headers}
        print("request", json.dumps(fields), f"v{'12'[self._quic._version != 1]}", flush=True)
        path, stream = fields.get(":path", ""), event.stream_id
        if path.startswith("/status/"):
            self.answer(stream, path[8:].encode(), (b"proxy-status", b"aioquic; error=http_request_denied"),
                        body=b"no\n")
        elif fields[":method"] != "CONNECT":
            self.answer(stream, b"200", (b"content-type", b"text/plain"), body=b"hello\n")
        elif ":protocol" not in fields:
            self.answer(stream, b"501", body=b"")
        else:
            self.tunnels[stream] = Tunnel(path)
            self.answer(stream, b"200", (b"capsule-protocol", b"?1"))

    def datagram(self, stream, octets):
        if tunnel := self.tunnels.get(stream):
            tunnel.datagrams += 1
            if tunnel.path == "/swap":
                self.h3.send_data(stream, capsule(0, octets), False)
            elif tunnel.path != "/discard":
                self.h3.send_datagram(stream, octets)

    def data(self, event):
        tunnel, stream = self.tunnels.get(event.stream_id), event.stream_id
        if not tunnel:
            return
        found = tunnel.cut(event.data)
        if tunnel.path == "/swap":
            for kind, value in found:
                if kind == 0:
                    self.h3.send_datagram(stream, value)
        elif tunnel.path != "/discard" and event.data:
            self.h3.send_data(stream, event.data, False)
        if event.stream_ended:
            self.h3.send_data(stream, b"", True)
            self.over(stream)

    def over(self, stream):
        tunnel = self.tunnels.pop(stream)
        print("tunnel", tunnel.path, tunnel.datagrams, tunnel.capsules, flush=True)


async def main(certificate, key, *options):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"],
                                      max_datagram_frame_size=65535)
    configuration.load_cert_chain(certificate, key)
    if "v2" in options:
        configuration.supported_versions = [QuicProtocolVersion.VERSION_2,
                                            QuicProtocolVersion.VERSION_1]
    server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Server,
                         retry="retry" in options)
    print(server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
