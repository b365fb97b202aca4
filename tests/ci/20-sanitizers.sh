#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# All tests under AddressSanitizer and UndefinedBehaviorSanitizer.
. "$(dirname "$0")/ci.bash"

fact "sanitizers: configure" configured "$work/asan" --enable-sanitizers &&
  fact "sanitizers: build" made "$work/asan" all &&
  fact "sanitizers: all tests" tested "$work/asan"
