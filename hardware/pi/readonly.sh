#!/bin/sh
# Makes the system of a Raspberry Pi read-only, so that a power cut finds nothing half written: sudo /usr/lib/aovuon/readonly.sh DEVICE
# DEVICE is a file system of its own for what must stay (spool, keys, configuration, log, Wi-Fi, time), ext4, such as /dev/mmcblk0p3 or a USB
# stick that stays in the box: README.md, "Read-only". Everything else lives in the memory over the card (overlayroot) and is as before after
# a restart; `sudo overlayroot-chroot` changes the system. Running this again is safe.
set -eu
root=${AOVUON_ROOT:-} # tests work on a folder
stay="var/lib/aovuon etc/aovuon var/log/journal etc/NetworkManager/system-connections var/lib/systemd/timesync"
fail() {
	echo "readonly.sh: $*" >&2
	exit 1
}
device=${1:?usage: sudo readonly.sh DEVICE (a file system of its own, ext4)}
[ "$(id -u)" = 0 ] || fail "needs root: sudo $0 $device"
[ "$(findmnt -n -o FSTYPE /)" != overlay ] || fail "the system is read-only already: sudo overlayroot-chroot changes it"
[ -b "$device" ] || fail "$device is no partition: lsblk lists them. Make one with parted, at least 2 GB, or plug a USB stick in, then mkfs.ext4 -L aovuon-data $device"
kind=$(blkid -o value -s TYPE "$device" || true)
[ "$kind" = ext4 ] || fail "$device is ${kind:-empty}, must be ext4: mkfs.ext4 -L aovuon-data $device (what is on it is lost)"
[ -s "$root/etc/machine-id" ] || fail "the card has never been started: /etc/machine-id is empty, and every start would begin a log of its own"
config=$root/boot/firmware/config.txt
[ ! -e "$config" ] || grep -q '^auto_initramfs=1' "$config" || fail "add the line auto_initramfs=1 to /boot/firmware/config.txt: without an initramfs nothing is laid over the card"
apt-get install -y overlayroot

systemctl stop aovuon-gateway 2>/dev/null || true
at=$(mktemp -d)
trap 'if mountpoint -q "$at"; then umount "$at"; fi; rmdir "$at"' EXIT
mount "$device" "$at"
if [ -e "$at/var/lib/aovuon/gateway.key" ] && ! cmp -s "$at/var/lib/aovuon/gateway.key" "$root/var/lib/aovuon/gateway.key"; then
	[ ! -e "$root/var/lib/aovuon/gateway.key" ] || fail "$device holds the key of another gateway: empty it, or take another one"
	echo "readonly.sh: $device holds a gateway's key and readings: they are kept, and used from now on"
fi
for dir in $stay; do
	mkdir -p "$at/$dir" "$root/$dir"
	# What lies there already is newer, or of the gateway that this card was made anew for.
	cp -a --no-clobber "$root/$dir/." "$at/$dir/"
	chown --reference="$root/$dir" "$at/$dir"
	chmod --reference="$root/$dir" "$at/$dir"
done
sync -f "$at"
umount "$at"

uuid=$(blkid -o value -s UUID "$device")
mkdir -p "$root/aovuon-data"
{
	grep -v aovuon-data "$root/etc/fstab" | sed '\|[[:space:]]/boot/firmware[[:space:]]|{/[ ,\t]ro[ ,\t]/!s/defaults/defaults,ro/}'
	# nofail: without it a broken partition ends in a console that nobody has. The gateway waits for its folder either way.
	# A commit is written at once by itself; commit=60 spares the card what is not asked to be.
	echo "UUID=$uuid /aovuon-data ext4 defaults,noatime,commit=60,errors=remount-ro,nofail,x-systemd.device-timeout=30s 0 2"
	for dir in $stay; do
		before= # who reads a folder as its own waits for it by itself; NetworkManager does not
		case $dir in etc/NetworkManager/*) before=,x-systemd.before=NetworkManager.service ;; esac
		echo "/aovuon-data/$dir /$dir none bind,nofail,x-systemd.requires-mounts-for=/aovuon-data$before 0 0"
	done
} >"$root/etc/fstab.new"
mv "$root/etc/fstab.new" "$root/etc/fstab"
# What would fill the memory that lies over the card: a swap file in it, lists of packages, an index of manuals.
systemctl disable dphys-swapfile apt-daily.timer apt-daily-upgrade.timer man-db.timer 2>/dev/null || true
# recurse=0: the partition above stays writable.
sed -i 's|^overlayroot=.*|overlayroot="tmpfs:swap=0,recurse=0"|' "$root/etc/overlayroot.conf"
grep -q '^overlayroot="tmpfs:swap=0,recurse=0"$' "$root/etc/overlayroot.conf" || fail "/etc/overlayroot.conf has no line overlayroot=: reinstall the package overlayroot"
echo "readonly.sh: done. Restart; then 'findmnt /' says overlay, 'findmnt /var/lib/aovuon' says $device"
