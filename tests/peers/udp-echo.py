#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers UDP packets on the loopback; prints its port first.

    udp-echo.py [PREFIX]    with PREFIX in front of what came
"""
import socket
import sys

prefix = sys.argv[1].encode() if len(sys.argv) > 1 else b""
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
while True:
    data, peer = sock.recvfrom(65536)
    sock.sendto(prefix + data, peer)
