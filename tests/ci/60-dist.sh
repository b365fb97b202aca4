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

# The network tests have run twice by now, and do the same here.
fact "dist: configure" configured "$work/build" &&
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

# As on a machine without the library: neither module nor header.
leaves_out() { # header-cache-variable module tool
  local out
  out=$(configured "$work/without-$2" CFLAGS=-O0 "$1=no" PKG_CONFIG="$work/no-$2") || return
  grep -E "$3.*LEFT OUT, missing:" <<<"$out" || { printf '%s\n' "$out"; return 1; }
  made "$work/without-$2" all && made "$work/without-$2" check TESTS='$(UNIT_TESTS) tests/fuzz/replay.sh'
}

fact "dist: install puts binaries, manuals and completions in place" installs_everything
fact "dist: uninstall takes them away" uninstalls_everything
for module in libcbor libpcap jansson libnghttp2 libngtcp2 readline; do
  printf '#!/bin/sh\ncase "$*" in *%s*) exit 1 ;; esac\nexec pkg-config "$@"\n' "$module" >"$work/no-$module"
  chmod +x "$work/no-$module"
done
fact "dist: without libcbor the rest builds and passes" leaves_out ac_cv_header_cbor_h libcbor rstdiag-send
fact "dist: without libpcap the rest builds and passes" leaves_out ac_cv_header_pcap_pcap_h libpcap rstdiag-sniff
fact "dist: without jansson the rest builds and passes" leaves_out ac_cv_header_jansson_h jansson rstdiag-sniff
fact "dist: without nghttp2 the rest builds and passes" leaves_out ac_cv_header_nghttp2_nghttp2_h libnghttp2 capsule-cat
fact "dist: without libngtcp2 the rest builds and passes" leaves_out ac_cv_header_ngtcp2_ngtcp2_h libngtcp2 h3dgram
fact "dist: without readline the rest builds and passes" leaves_out ac_cv_header_readline_readline_h readline 'mcproxy console'
