#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang compiles it without a warning, and the tests pass.
. "$(dirname "$0")/ci.bash"

fact "clang: configure" configured "$work/clang" CC=clang &&
  fact "clang: no warnings" made "$work/clang" all &&
  fact "clang: unit tests" made "$work/clang" check TESTS='$(UNIT_TESTS) tests/fuzz/replay.sh' VERBOSE=1
