# SPDX-License-Identifier: MIT
"""aioquic's own HTTP/3 as a client for tunnels. Opens one, sends datagrams and
capsules, waits for as many echoes, ends it, and prints as one JSON object what
came of it.

Usage: h3-aioquic-client.py PORT CERTIFICATE [option ...]
  path=/x protocol=connect-udp
  datagrams=N capsules=N     how many of either; size=N octets with each
  window=N                   on their way at once
  v2                         offer QUIC version 2 first
  key-update                 ask for new keys in the middle
  migrate                    go on from another port in the middle
  get                        no tunnel: a GET of path"""
import asyncio
import json
import os
import socket
import sys
import time

sys.dont_write_bytecode = True  # the sources may be read-only, or released
sys.path.insert(0, os.path.dirname(__file__))
from aioquic.asyncio import QuicConnectionProtocol  # noqa: E402
from aioquic.h3.connection import H3Connection  # noqa: E402
from aioquic.h3.events import DatagramReceived, DataReceived, HeadersReceived  # noqa: E402
from aioquic.quic.configuration import QuicConfiguration  # noqa: E402
from aioquic.quic.connection import QuicConnection  # noqa: E402
from aioquic.quic.events import ConnectionTerminated, StreamReset  # noqa: E402
from aioquic.quic.packet import QuicProtocolVersion  # noqa: E402
from h3wire import capsule, unvarint  # noqa: E402


class Client(QuicConnectionProtocol):
    def __init__(self, quic):
        super().__init__(quic)
        self.h3 = H3Connection(quic, enable_webtransport=True)
        self.news = asyncio.Event()
        self.status, self.fields, self.body, self.ended, self.end = None, {}, b"", False, None
        self.datagrams = []

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            self.end = f"closed {event.error_code:x} {event.reason_phrase}"
        elif isinstance(event, StreamReset):
            self.end = f"reset {event.error_code:x}"
        for happening in self.h3.handle_event(event):
            if isinstance(happening, HeadersReceived):
                self.fields = {k.decode(): v.decode() for k, v in happening.headers}
                self.status = int(self.fields[":status"])
                self.ended |= happening.stream_ended
            elif isinstance(happening, DatagramReceived):
                self.datagrams.append(happening.data)
            elif isinstance(happening, DataReceived):
                self.body += happening.data
                self.ended |= happening.stream_ended
        self.news.set()

    async def until(self, holds, seconds=10):
        deadline = time.monotonic() + seconds
        while not holds() and self.end is None and time.monotonic() < deadline:
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), deadline - time.monotonic())
            except asyncio.TimeoutError:
                break
        return holds()


def values(octets):
    """Of the DATAGRAM capsules in it."""
    at, out = 0, []
    while (kind := unvarint(octets, at)) and (size := unvarint(octets, kind[1])):
        at = size[1] + size[0]
        if kind[0] == 0:
            out.append(octets[size[1]:at])
    return out


async def main(port, certificate, *words):
    option = dict(word.partition("=")[::2] for word in words)
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name="localhost",
                                      max_datagram_frame_size=65535)
    configuration.load_verify_locations(certificate)
    if "v2" in option:
        configuration.original_version = QuicProtocolVersion.VERSION_1
        configuration.supported_versions = [QuicProtocolVersion.VERSION_2,
                                            QuicProtocolVersion.VERSION_1]
    loop = asyncio.get_running_loop()
    client = Client(QuicConnection(configuration=configuration))
    transport, _ = await loop.create_datagram_endpoint(
        lambda: client, local_addr=("127.0.0.1", 0), family=socket.AF_INET)
    client.connect(("127.0.0.1", int(port)))
    await client.wait_connected()
    stream = client._quic.get_next_available_stream_id()
    common = [(b":scheme", b"https"), (b":authority", f"localhost:{port}".encode()),
              (b":path", option.get("path", "/x").encode())]
    if "get" in option:
        client.h3.send_headers(stream, [(b":method", b"GET"), *common], True)
    else:
        client.h3.send_headers(stream, [(b":method", b"CONNECT"),
                                        (b":protocol", option.get("protocol", "connect-udp").encode()),
                                        *common, (b"capsule-protocol", b"?1")])
    client.transmit()
    await client.until(lambda: client.status)
    size, window = int(option.get("size", 5)), int(option.get("window", 16))
    sent = {"datagrams": int(option.get("datagrams", 0)), "capsules": int(option.get("capsules", 0))}
    started = time.monotonic()
    if client.status == 200 and "get" not in option:
        total = 0

        def back():
            return len(client.datagrams) + len(values(client.body))
        for kind in ("datagrams", "capsules"):
            for n in range(sent[kind]):
                octets = b"\0" + f"{total:05}".encode().ljust(size, b".")[:size]
                if n == sent[kind] // 2 and ("key-update" in option or "migrate" in option):
                    # What is still on its way under old keys, or to the old
                    # port, is lost with them.
                    await client.until(lambda: back() >= total, 2)
                    if "key-update" in option:
                        client._quic.request_key_update()
                    else:
                        client._quic.change_connection_id()
                        client._transport = await moved(loop, client)
                if kind == "datagrams":
                    client.h3.send_datagram(stream, octets)
                else:
                    client.h3.send_data(stream, capsule(0, octets), False)
                client.transmit()
                total += 1
                await client.until(lambda: back() > total - window, 2)
        await client.until(lambda: back() >= total, 3)
        client.h3.send_data(stream, b"", True)
        client.transmit()
    await client.until(lambda: client.ended, 5)
    print(json.dumps({
        "status": client.status, "fields": client.fields, "sent": sent,
        "datagrams": len(client.datagrams), "distinct": len(set(client.datagrams)),
        "capsules": len(values(client.body)) if "get" not in option else 0,
        "body": client.body.decode("latin-1") if "get" in option else "",
        "ended": client.ended, "end": client.end, "version": client._quic._version,
        "seconds": round(time.monotonic() - started, 3),
        "settings": {hex(k): v for k, v in (client.h3.received_settings or {}).items()},
    }))
    client.close()
    transport.close()


async def moved(loop, client):
    """Another socket for the same connection."""
    class Second(asyncio.DatagramProtocol):
        def datagram_received(self, octets, address):
            client.datagram_received(octets, address)
    return (await loop.create_datagram_endpoint(Second, local_addr=("127.0.0.1", 0),
                                                family=socket.AF_INET))[0]


asyncio.run(main(*sys.argv[1:]))
