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

# bootstrap COMMAND OPTION...: in that system, with these options to configure
bootstrap() {
  local command=$1
  shift
  # What tables and versions of HTTP have in common is tested once for all here.
  WK_CONFIGURE="--enable-werror $*" "$next" shell "$root" env WK_SLOW_TOOLS=yes \
    /src/bootstrap "$command" --yes
}

# What was built there with what was built here.
pairings() {
  WK_NEXT_ROOT=$root WK_SOURCE=$top WK_BUILD=$top/build bats --tap "$top/tests/net/h3-pairings.bats"
}

# All tests once more, so with the sanitizers of that compiler.
under_sanitizers() {
  rm -rf "$root/src/build"
  bootstrap check --enable-sanitizers
}

fact "Debian 13: a fresh system" fresh_system || exit 0
fact "Debian 13: ./bootstrap demo" bootstrap demo
fact "Debian 12 and 13: h3dgram in four pairings" pairings
fact "Debian 13: ./bootstrap check, under sanitizers" under_sanitizers
