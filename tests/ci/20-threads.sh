#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What has several threads, under load with ThreadSanitizer.
. "$(dirname "$0")/ci.bash"

fact "threads: configure" configured "$work/tsan" --enable-sanitizers=thread CFLAGS='-g -O1' &&
  fact "threads: build" made "$work/tsan" mcproxy test_resolve test_dial || exit 0
fact "threads: lookups" "$work/tsan/test_resolve"
fact "threads: connecting" "$work/tsan/test_dial"

# Every report is in a file, whatever the tests look at.
mkdir -m 1777 "$work/logs"
chmod 755 "$work" "$work/tsan"
export WK_BUILD=$work/tsan WK_SOURCE=$top
export TSAN_OPTIONS="log_path=$work/logs/tsan exitcode=98"

under_load() {
  bats --tap -f 'reload a hundred times|stopped backend|does not read|down and up|while it looks' \
    "$top"/tests/net/mcproxy*.bats
}

fact "threads: load, reloads, failures, watchers and administration" under_load
no_reports() {
  find "$work/logs" -type f -size +0 -exec head -n 60 {} +
  [ -z "$(find "$work/logs" -type f -size +0)" ]
}
fact "threads: no race was seen" no_reports
