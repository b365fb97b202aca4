# SPDX-License-Identifier: MIT
"""DNS messages by hand: dns.py query NAME writes one to standard output,
dns.py ask ADDRESS sends standard input there and writes what comes back,
dns.py show prints the code, the name and the addresses of standard input."""
import socket
import struct
import sys


def query(name):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    return struct.pack(">6H", 0x1234, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">BHH", 0, 1, 1)


def ask(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(sys.stdin.buffer.read(), (address, 53))
        return s.recv(65536)


def show(message):
    flags, _, answers = struct.unpack_from(">3H", message, 2)
    at = 12
    name = []
    while message[at]:
        name.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    at += 5
    addresses = []
    for _ in range(answers):
        kind, length = struct.unpack_from(">2xH6xH", message, at)
        if kind == 1:
            addresses.append(socket.inet_ntoa(message[at + 12:at + 12 + length]))
        at += 12 + length
    print("code", flags & 15, ".".join(name), *addresses)


if sys.argv[1] == "query":
    sys.stdout.buffer.write(query(sys.argv[2]))
elif sys.argv[1] == "ask":
    sys.stdout.buffer.write(ask(sys.argv[2]))
else:
    show(sys.stdin.buffer.read())
