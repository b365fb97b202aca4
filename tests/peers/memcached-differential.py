#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same random commands to a plain memcached and to a proxy in front of
another one: every answer must be the same, octet for octet.

Usage: memcached-differential.py PLAIN_PORT PROXY_PORT COMMANDS [SEED]
Keys go through the proxy unchanged, so it needs a route for all of them. Left
out is what memcached 1.6.18 does with the q flag of ms (it also silences the
next command), of ma with N (it shows what it created) and a get of a key that
is too long behind other commands (their answers are lost); numbers never
shrink, as the blanks behind them depend on what is being sent at the moment
(so does h after arithmetic with seeds beyond those that are used: the item is
a new one when an earlier answer with it is still to be sent);
nothing counts in a value of white space alone, because memcached looks for the
number in whatever memory lies behind it; keys in base64 with line ends do not
go with N, after which memcached gives them back as they are; and gat with a
time alone, blanks in front of a command, and values behind wrong flags are
what the proxy takes otherwise (see the manual).
"""
import base64
import random
import socket
import sys

plain_port, proxy_port, count = (int(a) for a in sys.argv[1:4])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
r = random.Random(seed)
KEYS = [b"k%d" % i for i in range(12)] + [b"x" * 250]
CODED = [base64.b64encode(k) for k in (b"k1", b"k2", b"\0\r\n bin", b"\xff" * 100)]
BLANK_KEYS = [b"e0", b"e1"]  # nobody counts here


def key():
    return r.choice(KEYS)


def value():
    length = r.choice([1, 5, 80, 3000, 70000])
    return b"a" + bytes(r.choice(b"ab\r\n 0") for _ in range(length - 1))


def stored():
    """A key and a value for it"""
    kind = r.random()
    if kind < 0.1:
        return r.choice(BLANK_KEYS), bytes(r.choice(b"\r\n ") for _ in range(r.choice([0, 1, 5])))
    return key(), value() if kind < 0.7 else number()


def number():
    return b"%d" % r.choice([0, 1, 7, 100, 2**32])


def storage(verb):
    k, v = stored()
    cas = b" " + r.choice([b"%d" % 2**40, unique()]) if verb == b"cas" else b""
    quiet = b" noreply" if r.random() < 0.1 else b""
    return b"%s %s %d 0 %d%s%s\r\n%s\r\n" % (verb, k, r.randrange(9), len(v), cas, quiet, v)


def meta_key(codes=CODED):
    """A key as it is, or in base64 with the flag that says so"""
    return key() if r.random() < 0.7 else r.choice(codes) + b" b"


def unique():
    """One that an item may have: both count alike"""
    return b"%d" % r.randrange(1, 300)


def meta_flags(letters):
    chosen = [f for f in letters if r.random() < 0.3]
    r.shuffle(chosen)
    return b"".join(b" " + f for f in chosen)


def command():
    kind = r.randrange(16)
    if kind < 3:
        return b"%s %s\r\n" % (r.choice([b"get", b"gets"]), b" ".join(r.sample(KEYS + BLANK_KEYS, r.randrange(1, 9))))
    if kind == 3:
        return b"%s 0 %s\r\n" % (r.choice([b"gat", b"gats"]), b" ".join(r.sample(KEYS, r.randrange(1, 4))))
    if kind < 7:
        return storage(r.choice([b"set", b"set", b"add", b"replace", b"append", b"prepend", b"cas"]))
    if kind == 7:
        return r.choice([b"incr %s %s%s\r\n" % (key(), number(), b" noreply" if r.random() < 0.1 else b""),
                         b"decr %s 0\r\n" % key()])
    if kind == 8:
        return b"delete %s%s\r\n" % (key(), r.choice([b"", b" 0", b" noreply"]))
    if kind == 9:
        return b"touch %s 0%s\r\n" % (key(), b" noreply" if r.random() < 0.1 else b"")
    if kind < 12:
        vivify = r.random() < 0.3
        return b"mg %s%s%s\r\n" % (meta_key(CODED[:2] if vivify else CODED), b" N0" if vivify else b"", meta_flags(
            [b"v", b"f", b"s", b"k", b"t", b"q", b"Oab1", b"c", b"h", b"T0", b"R0", b"x"]))
    if kind == 12:
        k, v = stored()
        return b"ms %s %d%s\r\n%s\r\n" % (k, len(v), meta_flags(
            [b"F7", b"T0", b"k", b"Ox", b"c", b"I", b"C" + unique(),
             r.choice([b"ME", b"MA", b"MP", b"MR", b"MS", b"Mx"])]), v)
    if kind == 13:
        return b"md %s%s\r\n" % (meta_key(), meta_flags([b"k", b"q", b"Oz", b"I", b"T0", b"C" + unique()]))
    if kind == 14:
        return b"ma %s%s\r\n" % (key(), meta_flags(
            [b"v", b"k", b"D3", b"c", b"t", b"T0", r.choice([b"MI", b"M+", b"Mx"]), b"C" + unique()] +
            r.choice([[b"q"], [b"N0", b"J5"]])))
    return r.choice([
        b"bogus\r\n", b"get\r\n", b"set k 0 0\r\n", b"incr k1 x\r\n", b"incr k1\r\n", b"touch k1 x\r\n",
        b"delete k1 5\r\n", b"mg k1 !\r\n", b"mg k1 q q\r\n", b"mg\r\n", b"me\r\n", b"me nope\r\n", b"mn\r\n",
        b"set k1 0 0 3\r\nabcdef\r\n", b"delete " + b"y" * 251 + b"\r\n", b"verbosity 1\r\n",
        b"GET k1\r\n", b"get  k1   k2  \r\n", b"mn 1 2\r\n", b"touch k1\r\n", b"gets\r\n",
        b"mg %s b v\r\n" % CODED[0][:-1], b"mg !!!! b\r\n", b"ms k1 x\r\n", b"ma k1 Dx\r\n", b"ma k1 Tx\r\n", b"\r\n",
        b"incr k1 18446744073709551616\r\n", b"set k1 0 0 -1\r\n", b"delete\r\n",
        b"mg k1 O" + b"o" * 32 + b"\r\n", b"verbosity\r\n", b"md k1 q q\r\n",
        b"cas k1 0 0 1\r\nx\r\n", b"gat x k1\r\n", b"mg k1 v Z\r\n", b"ms k1 2 Fx\r\nhi\r\n",
        b"set k2 0 0 2000000\r\n" + b"z" * 2000000 + b"\r\n"])


def answers(port, batch):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(20)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        out = b""
        for commands in batch:
            s.sendall(b"".join(commands) + b"mn\r\n" + b"ma nope-end\r\n")
            got = b""
            while not got.endswith(b"MN\r\nNF\r\n"):
                try:
                    piece = s.recv(1 << 20)
                except TimeoutError:
                    return out + got + b"<silence>"
                if not piece:
                    return out + got + b"<closed>"
                got += piece
            out += got
        return out


batches, left = [], count
while left > 0:
    n = min(left, r.choice([1, 1, 2, 10, 50]))
    batches.append([command() for _ in range(n)])
    left -= n
for i, batch in enumerate(batches):
    want, got = (answers(port, [batch]) for port in (plain_port, proxy_port))
    if want != got:
        at = next((k for k in range(min(len(want), len(got))) if want[k] != got[k]), min(len(want), len(got)))
        lines = [c.split(b"\r\n")[0][:80] for c in batch]
        sys.exit("batch %d of seed %d differs at octet %d\nsent %r\nplain %r\nproxy %r" % (
            i, seed, at, lines, want[max(0, at - 60):at + 100], got[max(0, at - 60):at + 100]))
print("%d commands in %d batches: the same answers" % (count, len(batches)))
