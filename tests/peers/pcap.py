#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hexadecimal packets to a capture file.

Usage: pcap.py [--link N] [--snaplen N] [--ng] [--usec N] < hex lines > capture

The last word of each line is the packet. Stamps start at 2026-03-01T12:00:00Z
and go on by --usec microseconds.
"""
import argparse
import struct
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--link", type=int, default=101)
parser.add_argument("--snaplen", type=int, default=262144)
parser.add_argument("--ng", action="store_true")
parser.add_argument("--usec", type=int, default=1000)
args = parser.parse_args()

out = sys.stdout.buffer
stamp = 1772366400 * 1000000


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


if args.ng:
    out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
    out.write(block(1, struct.pack("<HHI", args.link, 0, args.snaplen)))
else:
    out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, args.snaplen, args.link))
for line in sys.stdin:
    words = line.split()
    if not words or words[0].startswith("#"):
        continue
    packet = bytes.fromhex(words[-1])
    kept = packet[: args.snaplen]
    if args.ng:
        out.write(block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF,
                                       len(kept), len(packet)) + kept))
    else:
        out.write(struct.pack("<IIII", stamp // 1000000, stamp % 1000000,
                              len(kept), len(packet)) + kept)
    stamp += args.usec
