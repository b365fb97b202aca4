#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The release archive builds, installs and uninstalls; missing libraries leave
# tools out and nothing else.
. "$(dirname "$0")/ci.bash"

fact "dist: configure" configured "$work/build" &&
  fact "dist: make distcheck" made "$work/build" distcheck

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
  out=$(configured "$work/without-$2" "$1=no" PKG_CONFIG="$work/no-$2") || return
  grep -E "$3.*LEFT OUT, missing:" <<<"$out" || { printf '%s\n' "$out"; return 1; }
  made "$work/without-$2" all && made "$work/without-$2" check TESTS='$(UNIT_TESTS) tests/fuzz/replay.sh'
}

fact "dist: install puts binaries, manuals and completions in place" installs_everything
fact "dist: uninstall takes them away" uninstalls_everything
for module in libcbor libpcap jansson readline; do
  printf '#!/bin/sh\ncase "$*" in *%s*) exit 1 ;; esac\nexec pkg-config "$@"\n' "$module" >"$work/no-$module"
  chmod +x "$work/no-$module"
done
fact "dist: without libcbor the rest builds and passes" leaves_out ac_cv_header_cbor_h libcbor rstdiag-send
fact "dist: without libpcap the rest builds and passes" leaves_out ac_cv_header_pcap_pcap_h libpcap rstdiag-sniff
fact "dist: without jansson the rest builds and passes" leaves_out ac_cv_header_jansson_h jansson rstdiag-sniff
fact "dist: without readline the rest builds and passes" leaves_out ac_cv_header_readline_readline_h readline 'mcproxy console'
