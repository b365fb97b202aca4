#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The two commands of the README on a fresh Debian 13, in a folder of its own.
. "$(dirname "$0")/ci.bash"

suite=trixie
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
  skip "Debian 13: bootstrap check and demo" "needs root and debootstrap"
  exit 0
fi

# The same mirror as this machine's own packages.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
root=$work/root

fresh_system() {
  debootstrap --variant=minbase "$suite" "$root" "$mirror" &&
    # What apt needs to reach the mirror is what this machine needs.
    cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" &&
    cp /etc/resolv.conf /etc/hosts "$root/etc/" &&
    mkdir "$root/src" &&
    git -C "$top" archive HEAD | tar -x -C "$root/src"
}

# A mount namespace, so that nothing stays mounted whatever happens.
inside() {
  # shellcheck disable=SC2016
  unshare --mount --fork --pid --kill-child bash -c '
    root=$1
    shift
    mount --bind "$root" "$root" # ip-netns(8) wants / to be a mount
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
      HOME=/root TERM=dumb WK_CONFIGURE=--enable-werror "$@"' - "$root" "$@"
}

fact "Debian 13: a fresh system" fresh_system &&
  fact "Debian 13: ./bootstrap check" inside /src/bootstrap check --yes &&
  fact "Debian 13: ./bootstrap demo" inside /src/bootstrap demo --yes
