#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The completions in the shells they are for: loaded, and asked for values.
# That they know the options of --help is for all-tools.sh.

load tool

bash_completes() { # word ...
  bash -c '
    source "$1/completions/bash/$2"
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
    "$(complete -p "$1" | sed -E "s/.* -F ([^ ]+) .*/\1/")"
    printf "%s\n" "${COMPREPLY[@]}"' - "$WK_SOURCE" "$@"
}

fish_completes() { # line
  fish --no-config -c 'source $argv[1]/completions/fish/(string split " " $argv[2])[1].fish
    complete -C $argv[2]' "$WK_SOURCE" "$1"
}

needs_shell() {
  command -v "$1" >/dev/null || skip "no $1"
}

@test "bash completes the values of options" {
  run -0 bash_completes rstdiag-send --format cbor-
  [ "$(sort <<<"$output" | xargs)" = "cbor-array cbor-map cbor-seq" ]
  run -0 bash_completes rstdiag-send --code time
  [[ "$output" == timeout* ]]
  run -0 bash_completes rstdiag-sniff --try b
  [ "$(sort <<<"$output" | xargs)" = "b13 b14" ]
}

@test "fish completes the values of options" {
  needs_shell fish
  run -0 fish_completes 'rstdiag-send --format cbor-'
  [ "$(cut -f 1 <<<"$output" | xargs)" = "cbor-array cbor-map cbor-seq" ]
  run -0 fish_completes 'rstdiag-send --code time'
  [[ "$output" == timeout$'\t'"Connection timeout"* ]]
  run -0 fish_completes 'rstdiag-send --registry ietf-00 --code desy'
  [[ "$output" == desynchronized$'\t'* ]]
  run -0 fish_completes 'rstdiag-sniff --fields ts,sp'
  [[ "$output" == ts,sport$'\t'* ]]
}

@test "zsh completes the values of options" {
  needs_shell zsh
  zsh_completes() {
    timeout 60 zsh -f "$WK_SOURCE/tests/peers/completing.zsh" "$WK_SOURCE/completions/zsh" "$1"
  }
  run -0 zsh_completes 'rstdiag-send --format c'
  [[ "$output" == *"cbor-array  cbor-map    cbor-seq    compact"* ]]
  run -0 zsh_completes 'rstdiag-send --code tim'
  [[ "$output" == *"--code timeout "* ]]
  run -0 zsh_completes 'rstdiag-send --registry ietf-00 --code desy'
  [[ "$output" == *"--code desynchronized "* ]]
  run -0 zsh_completes 'rstdiag-sniff --fields ts,sp'
  [[ "$output" == *"--fields ts,sport"* ]]
}
