#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The release archive builds, installs and uninstalls; missing libraries leave
# tools out and nothing else.
. "$(dirname "$0")/ci.bash"

# Everything that is tracked, but for what only this repository needs.
has_every_file() {
  local archive
  archive=$(echo "$work"/build/wirekit-*.tar.xz)
  diff <(git -C "$top" ls-files | grep -vE '^(\.|tests/ci/)' | sort) \
    <(tar -tf "$archive" | sed -n 's#^[^/]*/\(.*[^/]\)$#\1#p' | sort) | grep '^<' && return 1
  return 0
}

# Nearly all that is compiled is the same each time, but for the archive's.
export CCACHE_DIR=$work/ccache
compiler=(CC='ccache gcc' CFLAGS=-O0)
# The network tests have run twice by now, and do the same here.
fact "dist: configure" configured "$work/build" "${compiler[@]}" &&
  fact "dist: make distcheck" made "$work/build" distcheck \
    TESTS='$(UNIT_TESTS) tests/fuzz/replay.sh tests/cli/all-tools.sh'
fact "dist: the archive has every file" has_every_file

installs_everything() {
  made "$work/build" install DESTDIR="$work/root" || return
  local tool missing=0
  for tool in "$top"/cmd/*/; do
    tool=$(basename "$tool")
    for file in bin/"$tool" share/man/man1/"$tool".1 \
      share/bash-completion/completions/"$tool" \
      share/zsh/site-functions/_"$tool" \
      share/fish/vendor_completions.d/"$tool".fish; do
      [ -s "$work/root/usr/local/$file" ] || { echo "missing $file"; missing=1; }
    done
  done
  [ -s "$work/root/usr/local/share/man/man7/wirekit.7" ] || { echo "missing wirekit.7"; missing=1; }
  [ "$missing" -eq 0 ]
}

uninstalls_everything() {
  made "$work/build" uninstall DESTDIR="$work/root" || return
  find "$work/root" -type f
  [ -z "$(find "$work/root" -type f)" ]
}

# Those that the library changes; what is built for tests is linked where a
# whole floor of common/ lacks it.
tests_without() { # DIR, library
  case $2 in
    libngtcp2) tested "$1" TESTS='$(UNIT_TESTS) tests/cli/all-tools.sh' ;;
    libnghttp2 | libcbor) made "$1" check TESTS= && tested "$1" TESTS=tests/cli/all-tools.sh ;;
    *) tested "$1" TESTS=tests/cli/all-tools.sh check_PROGRAMS= ;;
  esac
}

# As on a machine without the libraries: neither modules nor headers.
leaves_out() { # tool, library ...
  local tool=$1 library out dir=$work/without-$2 headers=()
  shift
  for library in "$@"; do headers+=("ac_cv_header_${header[$library]}_h=no"); done
  printf '#!/bin/sh\ncase "$*" in %s) exit 1 ;; esac\nexec pkg-config "$@"\n' \
    "$(printf '|*%s*' "$@" | cut -c 2-)" >"$dir.pkg-config"
  chmod +x "$dir.pkg-config"
  out=$(configured "$dir" "${compiler[@]}" PKG_CONFIG="$dir.pkg-config" "${headers[@]}") || return
  grep -E "$tool.*LEFT OUT, missing:" <<<"$out" || { printf '%s\n' "$out"; return 1; }
  made "$dir" all && tests_without "$dir" "$1"
}

fact "dist: install puts binaries, manuals and completions in place" installs_everything
fact "dist: uninstall takes them away" uninstalls_everything
declare -A header=([libcbor]=cbor [libpcap]=pcap_pcap [jansson]=jansson [libnghttp2]=nghttp2_nghttp2
  [libngtcp2]=ngtcp2_ngtcp2 [readline]=readline_readline)
fact "dist: without libcbor and libpcap the rest builds and passes" leaves_out rstdiag-send libcbor libpcap
fact "dist: without jansson the rest builds and passes" leaves_out rstdiag-sniff jansson
fact "dist: without nghttp2 the rest builds and passes" leaves_out capsule-cat libnghttp2
fact "dist: without ngtcp2 the rest builds and passes" leaves_out h3dgram libngtcp2
fact "dist: without readline the rest builds and passes" leaves_out 'mcproxy console' readline
