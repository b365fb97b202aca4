#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run a command on a terminal of its own and talk to it.

Usage: terminal.py [--size ROWSxCOLUMNS] [--env NAME=VALUE] COMMAND [ARG ...]
Standard input says how, a line each: "expect TEXT" waits for it behind what
was expected before, "send TEXT" types it, "end CODE" waits for the command to
end so and checks that the terminal's modes are as they were. TEXT may have
escapes as in Python. Ten seconds are waited for each, at most.
"""
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

args, size, env = sys.argv[1:], (24, 80), dict(os.environ)
while args and args[0].startswith("--"):
    option, value, args = args[0], args[1], args[2:]
    if option == "--size":
        size = tuple(int(n) for n in value.split("x"))
    else:
        env.update([value.split("=", 1)])

script = [line.rstrip("\n").split(" ", 1) for line in sys.stdin]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
modes = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.close(master)
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.execvpe(args[0], args, env)
seen = b""


def more(deadline):
    global seen
    ready, _, _ = select.select([master], [], [], max(0, deadline - time.monotonic()))
    if ready:
        try:
            seen += os.read(master, 65536)
        except OSError:
            return False
    return bool(ready)


def fail(why):
    os.kill(pid, signal.SIGKILL)
    sys.exit("%s; seen behind the last one: %r" % (why, seen[-2000:]))


for verb, text in script:
    deadline = time.monotonic() + 10
    if verb == "end":
        # A terminal that nobody reads would keep it from ending.
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > deadline:
                fail("still running")
            more(min(deadline, time.monotonic() + 0.05))
        if os.waitstatus_to_exitcode(status) != int(text):
            sys.exit("ended with %d" % os.waitstatus_to_exitcode(status))
        if termios.tcgetattr(slave) != modes:
            sys.exit("the modes of the terminal have changed")
        continue
    data = text.encode().decode("unicode_escape").encode("latin-1")
    if verb == "send":
        os.write(master, data)
        continue
    while data not in seen:
        if not more(deadline):
            fail("no %r" % data)
    seen = seen[seen.index(data) + len(data):]
