#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Segments in words to hexadecimal packets, for pcap.py.

Each input line is one IPv4 segment between a client (192.0.2.1:40000) and a
server (198.51.100.1:443), for instance

    server flags=PA seq=1000 ack=1 ttl=57 id=7 len=100

Checksums are left 0; nobody who reads these looks at them.
"""
import struct
import sys

ENDS = {
    "client": (bytes([192, 0, 2, 1]), 40000),
    "server": (bytes([198, 51, 100, 1]), 443),
}
LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}

for line in sys.stdin:
    words = line.split()
    if not words:
        continue
    src = ENDS[words[0]]
    dst = ENDS["client" if words[0] == "server" else "server"]
    value = {"flags": "A", "seq": "0", "ack": "0", "ttl": "64", "id": "0", "len": "0"}
    value.update(word.split("=") for word in words[1:])
    flags = sum(LETTERS[letter] for letter in value["flags"])
    size = int(value["len"])
    tcp = struct.pack("!HHIIBBHHH", src[1], dst[1], int(value["seq"]) % 2**32,
                      int(value["ack"]) % 2**32, 0x50, flags, 500, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + size, int(value["id"]), 0x4000,
                     int(value["ttl"]), 6, 0, src[0], dst[0])
    print((ip + tcp + bytes(size)).hex())
