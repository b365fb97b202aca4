#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The two commands of the README on a fresh Debian 13, in a folder of its own.
. "$(dirname "$0")/ci.bash"

next=$top/tests/peers/debian-next.sh
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  skip "Debian 13: bootstrap check and demo" "needs root and debootstrap"
  exit 0
fi
root=$work/root

fresh_system() {
  "$next" copy "$root" &&
    mkdir "$root/src" &&
    git -C "$top" archive HEAD | tar -x -C "$root/src"
}

# What tables and versions of HTTP have in common is tested once for all here.
inside() {
  WK_CONFIGURE=--enable-werror "$next" shell "$root" env WK_SLOW_TOOLS=yes "$@"
}

fact "Debian 13: a fresh system" fresh_system &&
  fact "Debian 13: ./bootstrap check" inside /src/bootstrap check --yes &&
  fact "Debian 13: ./bootstrap demo" inside /src/bootstrap demo --yes

# What was built there with what was built here.
pairings() {
  WK_NEXT_ROOT=$root WK_SOURCE=$top WK_BUILD=$top/build bats --tap "$top/tests/net/h3-pairings.bats"
}
fact "Debian 12 and 13: h3dgram in four pairings" pairings
