#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Tests of commands and of the network with the tools under valgrind.
. "$(dirname "$0")/ci.bash"

if ! command -v valgrind >/dev/null; then
  skip "valgrind: integration tests" "valgrind is not installed"
  exit 0
fi
# In place of each tool a script that runs it under valgrind. Exit code 98
# appears in no test, so every error makes one fail; the log names it.
mkdir "$work/wrapped" "$work/tools"
chmod 755 "$work" "$work/wrapped" "$work/tools"
mkdir -m 1777 "$work/logs"
for tool in "$top"/cmd/*/; do
  tool=$(basename "$tool")
  install "$top/build/$tool" "$work/tools"
  cat >"$work/wrapped/$tool" <<EOF
#!/bin/sh
# A closed one would become valgrind's own log; give it what the tool does.
[ -e /proc/self/fd/0 ] || exec 0</dev/null
[ -e /proc/self/fd/1 ] || exec 1</dev/null
exec valgrind -q --vgdb=no --error-exitcode=98 --leak-check=full --errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect \\
  --log-file=$work/logs/$tool.%p $work/tools/$tool "\$@"
EOF
  chmod 755 "$work/wrapped/$tool"
done

# One bats file; WK_SLOW_TOOLS lets tests with a process per vector take fewer.
checked() { # FILE
  local name=${1#"$top"/tests/} out
  out=$work/${name//\//-}.out
  if bats --tap "$1" >"$out" 2>&1; then
    echo "ok - valgrind: $name"
  else
    echo "not ok - valgrind: $name"
    grep -v '^ok' "$out" | head -n 60 | sed 's/^/# /'
  fi
}
export -f checked
export work WK_BUILD=$work/wrapped WK_SOURCE=$top WK_SLOW_TOOLS=yes

# The reset diagnostics at work, and how a configuration is explained: a second
# for each process leaves no time for more, and the sanitizers have the rest.
printf '%s\n' "$top"/tests/cli/mcproxy.bats "$top"/tests/net/rstdiag-*.bats |
  xargs -P "$((cores * 2))" -I{} bash -c 'checked {}'
[ -z "$(find "$work/logs" -name '*.*' -size +0 -print -quit)" ]
fact "valgrind: no errors logged" test $? -eq 0 ||
  find "$work/logs" -type f -size +0 -exec head -n 30 {} + | sed 's/^/# /' | head -n 100
