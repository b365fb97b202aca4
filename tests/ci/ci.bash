# SPDX-License-Identifier: MIT
# What the slow checks share. Each prints one TAP line per fact it checked;
# output of a failure goes to standard output as TAP diagnostics.
set -u

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cores=$(getconf _NPROCESSORS_ONLN)
export top cores
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fact DESCRIPTION COMMAND...: ok when the command succeeds
fact() {
  local description=$1
  shift
  if "$@" >"$work/fact.out" 2>&1; then
    echo "ok - $description"
  else
    echo "not ok - $description"
    grep -vE '^(PASS|ok)' "$work/fact.out" | tail -n 100 | sed 's/^/# /'
    return 1
  fi
}

skip() { # DESCRIPTION REASON
  echo "ok - $1 # SKIP $2"
}

# configured DIR OPTION...: an out-of-tree build directory
configured() {
  local dir=$1
  shift
  mkdir -p "$dir" && (cd "$dir" && CONFIG_SHELL=/bin/sh "$top/configure" --enable-werror "$@")
}

made() { # DIR TARGET...
  local dir=$1
  shift
  make -s -C "$dir" -j"$cores" "$@"
}

# The tests of a build directory. Their own SKIP lines are the peers', which
# the main run has already counted.
tested() { # DIR VARIABLE=VALUE...
  local dir=$1
  shift
  make -s -C "$dir" -j"$((cores * 2))" check VERBOSE=1 "$@"
}
