#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What must hold for every tool: its face, and that manual and completions
# name exactly the options that --help names.
set -u

n=0
tap() { # status description [diagnostics]
  n=$((n + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $n - $2"
  else
    echo "not ok $n - $2"
    [ $# -gt 2 ] && printf '%s\n' "$3" | sed 's/^/# /'
  fi
}

same() { # description wanted got
  local difference
  difference=$(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3"))
  tap $? "$1" "$difference"
}

# Options as "-x --name" or "--name", with "=" when they take an argument.
from_help() {
  "$WK_BUILD/$1" --help | sed '/^Examples:/q' |
    sed -nE 's/^ +((-.), )?--([a-z0-9.-]+)( [A-Z][A-Z0-9:.|,-]*)?( .*)?$/\2 --\3\4/p' |
    sed -E 's/^ //; s/ [A-Z].*$/=/' | sort
}

from_manual() {
  sed -nE 's/^\.It (Fl (.) , )?Fl -([a-z0-9.-]+)( Ar .*| Cm .*)?$/-\2 --\3\4/p' \
    "$WK_SOURCE/man/$1.1" | sed -E 's/^- //; s/ (Ar|Cm) .*$/=/' | sort
}

from_bash() {
  # What it offers after a dash, cut at the descriptions.
  bash -c '
    PATH=$3:$PATH
    source "$1"
    function_name=$(complete -p "$2" | sed -E "s/.* -F ([^ ]+) .*/\1/")
    COMP_WORDS=("$2" "-") COMP_CWORD=1 COMP_LINE="$2 -" COMP_POINT=0
    "$function_name"
    printf "%s\n" "${COMPREPLY[@]}"' - "$WK_SOURCE/completions/bash/$1" "$1" "$WK_BUILD" | sort
}

from_zsh() {
  sed -nE "s/^ *'?(\([^)]*\)|\*)?'?(\{(-.),--([a-z0-9.-]+)\}|--([a-z0-9.-]+))'?\[[^]]*\](:?).*/\3 --\4\5\6/p" \
    "$WK_SOURCE/completions/zsh/_$1" | sed -E 's/^ //; s/:$/=/' | sort
}

from_fish() {
  sed -nE 's/^\$c( -s (.))?( -l ([a-z0-9.-]+))( -[xr])?.*/-\2 --\4\5/p' \
    "$WK_SOURCE/completions/fish/$1.fish" | sed -E 's/^- //; s/ -[xr]$/=/' | sort
}

# Examples of the manual that an ordinary user can type: "command", then what
# it prints, each as one text; clock times are made equal.
examples_of() {
  sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE ALSO/p' "$WK_SOURCE/man/$1.1" |
    sed -E 's/\\e/\\/g; s/\\-/-/g; s/\\&//g; s/\\\(dq/"/g' |
    awk '/^\.Dl \$ / { print "$" substr($0, 7); is_on = 1; next }
      /^\.Dl / && is_on { print ">" substr($0, 5); next }
      { is_on = 0 }'
}

same_clock() {
  sed -E 's/[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}/12:00:00.123456/g'
}

check_examples() { # tool
  local example wanted got folder line
  mapfile -t lines < <(examples_of "$1")
  folder=$(mktemp -d)
  for ((i = 0; i < ${#lines[@]}; )); do
    example=${lines[i]#$}
    wanted=
    for ((i++; i < ${#lines[@]}; i++)); do
      line=${lines[i]}
      [[ $line == '>'* ]] || break
      wanted+=${line#>}$'\n'
    done
    got=$(cd "$folder" && PATH=$WK_BUILD:$PATH bash -c "$example" 2>&1 </dev/null)
    same "$1.1: $example" "$(same_clock <<<"${wanted%$'\n'}")" "$(same_clock <<<"$got")"
  done
  rm -rf "$folder"
}

# Does a call without anything have work to do, as cat(1) does?
reads_stdin() {
  "$WK_BUILD/$1" --help | grep -qE '^(Usage:|      ) +[^ ]+ \[option \.\.\.\] \[FILE \.\.\.\]$'
}

# What a command says on stderr when stdin is a terminal with nobody typing.
on_terminal() {
  script -qec "$1 2>&1 >/dev/null" /dev/null </dev/null | tr -d '\r'
}

words_of() { # "-x --name=" lines as single words, sorted
  sed -E 's/=$//' | tr ' ' '\n' | sort
}

tools=$(cd "$WK_SOURCE/cmd" && ls)
for tool in $tools; do
  if ! [ -x "$WK_BUILD/$tool" ]; then
    n=$((n + 1))
    echo "ok $n - $tool # SKIP not built here"
    continue
  fi
  help=$(from_help "$tool")
  [ -n "$help" ]
  tap $? "$tool --help lists options"
  same "$tool: the manual has the options of --help" "$help" "$(from_manual "$tool")"
  same "$tool: bash completes the options of --help" \
    "$(words_of <<<"$help")" "$(from_bash "$tool")"
  same "$tool: zsh completes the options of --help" "$help" "$(from_zsh "$tool")"
  same "$tool: fish completes the options of --help" "$help" "$(from_fish "$tool")"

  "$WK_BUILD/$tool" --help >/dev/full 2>"$WK_BUILD/face.err"
  [ $? -eq 4 ]
  tap $? "$tool --help on a full disk is exit code 4" "$(cat "$WK_BUILD/face.err")"
  long=$("$WK_BUILD/$tool" --help | awk 'length > 80')
  [ -z "$long" ]
  tap $? "$tool --help fits 80 columns" "$long"
  version=$("$WK_BUILD/$tool" --version | head -n 1)
  [[ $version =~ ^$tool\ \(wirekit\)\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
  tap $? "$tool --version names tool, kit and version" "$version"
  if reads_stdin "$tool"; then
    out=$("$WK_BUILD/$tool" 2>&1 </dev/null)
    [ "$?$out" = 0 ]
    tap $? "$tool alone reads standard input and says nothing of nothing" "$out"
    out=$(on_terminal "$WK_BUILD/$tool")
    [[ $out == "$tool: reading from the terminal"* ]]
    tap $? "$tool alone on a terminal says that it reads from there" "$out"
  else
    out=$("$WK_BUILD/$tool" 2>&1 >/dev/null </dev/null)
    [ $? -eq 2 ] && [[ $out == usage:* ]]
    tap $? "$tool alone shows its usage, exit code 2" "$out"
  fi
  out=$("$WK_BUILD/$tool" --no-such-option 2>&1 >/dev/null)
  [ $? -eq 2 ] && [[ $out == "$tool: unknown option --no-such-option"* ]]
  tap $? "$tool names the unknown option, exit code 2" "$out"
  "$WK_BUILD/$tool" --help >&- 2>/dev/null
  [ $? -eq 4 ]
  tap $? "$tool --help to a closed stdout is exit code 4"
  grep -q "$tool" "$WK_SOURCE/README.md"
  tap $? "the README names $tool"
  check_examples "$tool"
  if command -v mandoc >/dev/null; then
    out=$(mandoc -T lint -W warning "$WK_SOURCE/man/$tool.1" 2>&1)
    [ -z "$out" ]
    tap $? "$tool.1 passes mandoc's lint" "$out"
  else
    n=$((n + 1))
    echo "ok $n - $tool.1 passes mandoc's lint # SKIP mandoc is not installed"
  fi
done
rm -f "$WK_BUILD/face.err"

for shell in zsh fish; do
  for file in "$WK_SOURCE"/completions/"$shell"/*; do
    if command -v "$shell" >/dev/null; then
      out=$("$shell" -n "$file" 2>&1)
      tap $? "$shell reads ${file##*/}" "$out"
    else
      n=$((n + 1))
      echo "ok $n - $shell reads ${file##*/} # SKIP $shell is not installed"
    fi
  done
done
echo "1..$n"
