#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# All tests under AddressSanitizer and UndefinedBehaviorSanitizer; what has
# threads under ThreadSanitizer.
. "$(dirname "$0")/ci.bash"

fact "sanitizers: configure" configured "$work/asan" --enable-sanitizers &&
  fact "sanitizers: build" made "$work/asan" all &&
  fact "sanitizers: all tests" tested "$work/asan"

fact "sanitizers: configure for threads" configured "$work/tsan" --enable-sanitizers=thread &&
  fact "sanitizers: build for threads" made "$work/tsan" test_resolve test_dial &&
  fact "sanitizers: lookups" "$work/tsan/test_resolve" &&
  fact "sanitizers: connecting" "$work/tsan/test_dial"
