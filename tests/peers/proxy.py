#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A proxy that does as it is told, for one kind of client at a time.

    proxy.py [--user U:P] connect|socks5 [BEHAVIOUR]

It listens on the loopback, prints its port, and then each target that it is
asked for. BEHAVIOUR is one of

    relay        connect to the target and relay (the default)
    slow         the same, but its own words go out octet by octet
    eager        the answer and the target's first octets in one segment
    refuse       403 with Proxy-Status; SOCKS5: not allowed by ruleset
    informs      102 before 200
    garbage      something that is neither HTTP nor SOCKS
    silent       nothing, ever
    leave        closes the connection instead of answering
"""

import base64
import socket
import struct
import sys
import threading

args = sys.argv[1:]
user = None
if args[0] == "--user":
    user = args[1]
    args = args[2:]
kind = args[0]
behaviour = args[1] if len(args) > 1 else "relay"


def relay(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for s in source, sink:
            s.close()


def read(client, n):
    data = b""
    while len(data) < n:
        more = client.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def say(client, data):
    if behaviour == "slow":
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            client.sendall(data[i:i + 1])
    else:
        client.sendall(data)


def join(client, host, port, answer):
    target = socket.create_connection((host, port))
    if behaviour == "eager":
        answer += target.recv(65536)
    say(client, answer)
    threading.Thread(target=relay, args=(client, target), daemon=True).start()
    relay(target, client)


def odd(client):
    if behaviour == "garbage":
        client.sendall(b"\0\1\2 who are you?\r\n\r\n")
    elif behaviour == "silent":
        client.recv(1)
    return behaviour in ("garbage", "silent", "leave")


def connect(client):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read(client, 1)
    lines = head.decode().split("\r\n")
    method, target, version = lines[0].split(" ")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:-2])
    print(method, target, version, flush=True)
    if odd(client):
        return
    if fields["host"] != target.lower():
        say(client, b"HTTP/1.1 400 Host differs\r\n\r\n")
    elif user is not None and "proxy-authorization: basic " + base64.b64encode(
            user.encode()).decode() not in [
                l[:27].lower() + l[27:] for l in lines]:
        say(client, b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\n\r\n")
    elif behaviour == "refuse":
        say(client, b"HTTP/1.1 403 Forbidden\r\n"
            b"Proxy-Status: here; error=http_request_denied\r\n"
            b"Content-Length: 3\r\n\r\nno\n")
    else:
        host, port = target.rsplit(":", 1)
        answer = b"HTTP/1.1 200 Fine\r\nVia: here\r\n\r\n"
        if behaviour == "informs":
            answer = b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n" + answer
        join(client, host.strip("[]"), int(port), answer)


def socks5(client):
    version, n = read(client, 2)
    methods = read(client, n)
    wanted = 0 if user is None else 2
    if version != 5 or odd(client):
        return
    if wanted not in methods:
        say(client, b"\5\xff")
        return
    say(client, bytes([5, wanted]))
    if wanted == 2:
        read(client, 1)
        name = read(client, read(client, 1)[0])
        password = read(client, read(client, 1)[0])
        is_good = name + b":" + password == user.encode()
        say(client, b"\1\0" if is_good else b"\1\1")
        if not is_good:
            return
    _, command, _, form = read(client, 4)
    if form == 3:
        host = read(client, read(client, 1)[0]).decode()
    else:
        family = socket.AF_INET if form == 1 else socket.AF_INET6
        host = socket.inet_ntop(family, read(client, 4 if form == 1 else 16))
    port = struct.unpack("!H", read(client, 2))[0]
    print("SOCKS5", command, "name" if form == 3 else "address", host, port,
          flush=True)
    if behaviour == "refuse":
        say(client, b"\5\2\0\1\0\0\0\0\0\0")
        return
    # A bound address of each form, so that all are read over.
    bound = {1: b"\1\0\0\0\0", 3: b"\3\3abc", 4: b"\4" + bytes(16)}[form]
    join(client, host, port, b"\5\0\0" + bound + b"\0\0")


def serve(client):
    try:
        {"connect": connect, "socks5": socks5}[kind](client)
    except (EOFError, ConnectionError):
        pass
    finally:
        client.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],),
                     daemon=True).start()
