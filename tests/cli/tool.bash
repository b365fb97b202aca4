# SPDX-License-Identifier: MIT
# What the command line tests share. WK_BUILD and WK_SOURCE come from the
# Makefile; by hand they default to this checkout's.

bats_require_minimum_version 1.5.0

WK_SOURCE=${WK_SOURCE:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
WK_BUILD=${WK_BUILD:-$WK_SOURCE/build}
# The distribution's interpreters come first: they have its packages, and need no
# wrapper that starts slowly.
PATH=$WK_BUILD:/usr/bin:$PATH
export TZ=UTC LC_ALL=C.UTF-8
unset NO_COLOR POSIXLY_CORRECT

# The named packets of tests/data/rstdiag/packets.txt, "NAME HEX" on each line.
packets() {
  local name
  for name in "$@"; do
    grep "^$name " "$WK_SOURCE/tests/data/rstdiag/packets.txt" | cut -d ' ' -f 1,2
  done
}

# Octets to hexadecimal.
hex() {
  od -An -tx1 -v | tr -d ' \n'
}

# Hex lines to a capture; options as in the script.
pcap() {
  python3 "$WK_SOURCE/tests/peers/pcap.py" "$@"
}

# Run until a condition holds. Three minutes are for the slowest machine:
# nothing is to depend on them. What lasts longer is asked after less often.
wait_until() {
  local limit=$((SECONDS + 180)) pause=.04 asked=0
  # Nothing ever comes from there; a process for each wait would cost more.
  [ -n "${wk_never-}" ] || exec {wk_never}<> <(:)
  while ((SECONDS <= limit)); do
    "$@" >/dev/null 2>&1 && return
    read -rt "$pause" -u "$wk_never" || :
    ((++asked < 20)) || pause=.2
  done
  echo "timed out waiting until: $*" >&2
  return 1
}

# Whether it was built with AddressSanitizer: memory is not what it is then.
is_sanitized() { # tool
  grep -q __asan_init "$WK_BUILD/$1"
}

# Run a command that may not open raw sockets, whoever we are.
without_raw() {
  if [ "$(id -u)" -eq 0 ]; then
    setpriv --bounding-set=-net_raw --inh-caps=-net_raw "$@"
  else
    "$@"
  fi
}

# The lines of a table; one in sixteen where every tool is slow.
table() {
  if [ -n "${WK_SLOW_TOOLS-}" ]; then
    cat "$@" | awk 'NR % 16 == 1'
  else
    cat "$@"
  fi
}
