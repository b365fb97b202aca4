# SPDX-License-Identifier: MIT
"""Copies stdin to stdout, a pipe, octet by octet: the next one is written when
the reader has taken the one before. An argument sets another size."""
import fcntl
import os
import struct
import sys
import termios


def unread():
    return struct.unpack("i", fcntl.ioctl(1, termios.FIONREAD, b"\0" * 4))[0]


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    data = sys.stdin.buffer.read()
    for at in range(0, len(data), size):
        while unread() > 0:
            os.sched_yield()
        os.write(1, data[at:at + size])


main()
