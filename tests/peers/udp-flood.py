# SPDX-License-Identifier: MIT
"""A UDP server: echoes, but to "flood" it sends 20000 datagrams of 1000 octets
back and then "done". Prints its port."""
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
while True:
    data, peer = sock.recvfrom(65536)
    if data != b"flood":
        sock.sendto(data, peer)
        continue
    for n in range(20000):
        sock.sendto(b"x" * 1000, peer)
        if n % 16 == 0:
            # One in turn with the proxy, so that the kernel drops nothing.
            sock.setblocking(False)
            try:
                data, other = sock.recvfrom(65536)
                sock.sendto(data, other)
            except BlockingIOError:
                pass
            sock.setblocking(True)
    sock.sendto(b"done", peer)
