#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Somebody at a terminal, who waits for words and types others.

    terminal.py [--size ROWSxCOLUMNS] [--env NAME=VALUE] [--raw] [STEP ...]
                -- COMMAND [ARGUMENT ...]

STEP: +TEXT  wait until that text has come (behind what was waited for before)
      =TEXT  type this
      !CMD   run this in a shell; $CHILD is the command
Texts may have escapes as in Python. What the command wrote goes to stdout,
carriage returns and escape sequences removed unless --raw. Ends with the
command's exit code, 128 and the number of the signal that killed it, 250 when
a text, or the end, did not come within 20 seconds, or 251 when the command
left the terminal in another state than it found it in.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PATIENCE = 20
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|[\r\a]")

split = sys.argv.index("--")
steps, command = sys.argv[1:split], sys.argv[split + 1:]
size, is_raw = (24, 80), False
while steps and steps[0].startswith("--"):
    option = steps.pop(0)
    if option == "--raw":
        is_raw = True
    elif option == "--size":
        size = tuple(int(n) for n in steps.pop(0).split("x"))
    else:
        os.environ.update([steps.pop(0).split("=", 1)])
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
before = termios.tcgetattr(slave)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in 0, 1, 2:
        os.dup2(slave, fd)
    os.close(master)
    os.close(slave)
    os.execvp(command[0], command)
seen = b""
place = 0


def finish(code):
    sys.stdout.buffer.write(seen)
    sys.stdout.flush()
    sys.exit(code)


def give_up(why):
    os.kill(child, signal.SIGKILL)
    print("terminal:", why, file=sys.stderr)
    finish(250)


def listen(deadline):
    """What comes next; False when the time is over."""
    global seen
    if not select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
        return False
    seen += os.read(master, 65536)
    if not is_raw:
        seen = ESCAPES.sub(b"", seen)
    return True


for step in steps:
    text = step[1:].encode().decode("unicode_escape").encode("latin-1")
    if step[0] == "=":
        os.write(master, text)
    elif step[0] == "!":
        subprocess.run(step[1:], shell=True, check=False,
                       env={**os.environ, "CHILD": str(child)})
    else:
        deadline = time.monotonic() + PATIENCE
        while (at := seen.find(text, place)) < 0:
            if not listen(deadline):
                give_up(f"this did not come: {step[1:]}")
        place = at + len(text)
deadline = time.monotonic() + PATIENCE
while True:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == child:
        break
    if time.monotonic() > deadline:
        give_up("the command did not end")
    # A terminal that nobody reads would keep it from ending.
    listen(min(deadline, time.monotonic() + 0.1))
while listen(time.monotonic()):
    pass
if termios.tcgetattr(slave) != before:
    finish(251)
code = os.waitstatus_to_exitcode(status)
finish(code if code >= 0 else 128 - code)
