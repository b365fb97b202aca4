#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A Debian 13 in a folder, for peers that Debian 12 does not have: a newer
# ngtcp2, curl with HTTP/3, aioquic. Programs in it share this machine's
# network; the sources and the directory they are started in have the same
# names inside as outside.
#
# Usage: debian-next.sh base|peers              make them, unless they are there
#        debian-next.sh copy FOLDER             a fresh Debian 13 and nothing else
#        debian-next.sh run COMMAND [ARGUMENT]  with the peers
#        debian-next.sh shell FOLDER COMMAND [ARGUMENT]
#                                               in another folder, sharing nothing
set -euo pipefail

suite=trixie
peers='curl ngtcp2-client ngtcp2-server python3-aioquic'
top=$(cd "$(dirname "$0")/../.." && pwd)
folder=${WK_DEBIAN_NEXT:-$top/build/debian-next}

give_up() {
  echo "debian-next: $*" >&2
  exit 4
}

can_make() {
  [ "$(id -u)" -eq 0 ] || give_up "a Debian 13 folder needs root to be made"
  command -v debootstrap >/dev/null || give_up "needs debootstrap"
}

# Complete or not there at all: what was interrupted is made again. In memory,
# as dpkg waits for the disk after every file; an archive is what is kept.
base() {
  [ ! -e "$folder/base.tar" ] || return 0
  can_make
  mkdir -p "$folder/new"
  # The same mirror as this machine's own packages.
  local mirror
  # shellcheck disable=SC2016 # apt's own variable
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed -n 1p)
  # shellcheck disable=SC2016
  unshare --mount bash -ec '
    cd "$1"
    mount -t tmpfs tmpfs new
    debootstrap --variant=minbase "$2" new "$3"
    # What apt needs to reach the mirror is what this machine needs.
    cp -a /etc/apt/apt.conf.d/. new/etc/apt/apt.conf.d/
    cp /etc/resolv.conf /etc/hosts new/etc/
    rm -rf new/var/cache/apt/archives/*.deb
    # The folder can be made again at any time.
    echo force-unsafe-io >new/etc/dpkg/dpkg.cfg.d/fast
    tar --one-file-system -C new -cf base.new .
    mv base.new base.tar' - "$folder" "$suite" "$mirror"
  rmdir "$folder/new"
}

copy() { # FOLDER
  base
  mkdir "$1"
  tar -xpf "$folder/base.tar" -C "$1"
}

# A mount namespace, so that nothing stays mounted whatever happens.
shell() { # FOLDER COMMAND [ARGUMENT]
  # shellcheck disable=SC2016
  exec unshare --mount --fork --pid --kill-child bash -c '
    root=$1
    shift
    mount --bind "$root" "$root" # ip-netns(8) wants / to be a mount
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
      HOME=/root TERM=dumb WK_CONFIGURE="${WK_CONFIGURE-}" "$@"' - "$@"
}

make_peers() {
  [ ! -e "$folder/peers" ] || return 0
  can_make
  rm -rf "$folder/peers.new"
  copy "$folder/peers.new"
  printf '#!/bin/sh\nexit 101\n' >"$folder/peers.new/usr/sbin/policy-rc.d"
  chmod +x "$folder/peers.new/usr/sbin/policy-rc.d"
  # shellcheck disable=SC2016,SC2086 # words; for the other shell
  (shell "$folder/peers.new" sh -c '
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update &&
    apt-get -qq -y --no-install-recommends install "$@" &&
    apt-get clean && rm -rf /var/lib/apt/lists/*' - $peers)
  mv "$folder/peers.new" "$folder/peers"
}

# The process that was started becomes the command, so that it can be killed.
run() { # COMMAND [ARGUMENT]
  [ -e "$folder/peers" ] || give_up "not made yet; see ./bootstrap check --peers"
  local user=()
  [ "$(id -u)" -eq 0 ] || user=(--user --map-root-user)
  # shellcheck disable=SC2016
  exec unshare "${user[@]}" --mount bash -c '
    root=$1 here=$PWD
    shift
    # Before anything is hidden; what lies in /tmp outside must be seen inside.
    mount --rbind /dev "$root/dev"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    for shared in "$1" "$here"; do
      mkdir -p "$root$shared"
      mount --bind "$shared" "$root$shared"
    done
    shift
    exec chroot "$root" env -C "$here" PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
  ' - "$folder/peers" "$top" "$@"
}

case ${1-} in
  base) base ;;
  peers) make_peers ;;
  copy | run | shell)
    [ $# -ge 2 ] || give_up "expected arguments behind $1"
    "$@"
    ;;
  *) give_up "expected base, peers, copy, run or shell" ;;
esac
