#!/bin/sh
# Installs the gateway from a checkout, where no Debian package is wanted: sudo ./install.sh PATH/TO/gateway
# It puts the same files to the same places as the package aovuon-gateway (make dist), which is the usual way. Running it again updates the program
# and the files of this folder; configuration, keys and readings are left alone.
set -eu
program=${1:?usage: sudo ./install.sh PATH/TO/gateway (make pi builds it: .bin/arm64/gateway or .bin/armv6/gateway)}
program=$(realpath "$program")
cd "$(dirname "$0")"
root=${AOVUON_ROOT:-} # tests install into a folder
[ -n "$root" ] || [ "$(id -u)" = 0 ] || { echo "install.sh: needs root: sudo $0 $program" >&2; exit 1; }
[ -z "$(dpkg-query -W -f '${db:Status-Status}' aovuon-gateway 2>/dev/null | grep -x installed)" ] ||
	{ echo "install.sh: the package aovuon-gateway is installed: update that instead (apt install ./aovuon-gateway_*.deb), or apt remove it first" >&2; exit 1; }
"$program" --help >/dev/null || { echo "install.sh: $program does not run on this machine: arm64 is for a 64-bit system, armv6 for a 32-bit one" >&2; exit 1; }

put() { install -D -m "$1" "$2" "$root$3"; } # put MODE FILE PLACE
put 0644 aovuon.sysusers /usr/lib/sysusers.d/aovuon.conf
put 0644 aovuon.modules /usr/lib/modules-load.d/aovuon.conf
put 0644 70-aovuon.rules /usr/lib/udev/rules.d/70-aovuon.rules
put 0644 aovuon-watchdog.conf /usr/lib/systemd/system.conf.d/aovuon-watchdog.conf
put 0644 aovuon-journald.conf /usr/lib/systemd/journald.conf.d/aovuon.conf
put 0644 aovuon-gateway.service /usr/lib/systemd/system/aovuon-gateway.service
put 0644 aovuon-usb-claim@.service /usr/lib/systemd/system/aovuon-usb-claim@.service
put 0755 usb-claim /usr/lib/aovuon/usb-claim
put 0755 readonly.sh /usr/lib/aovuon/readonly.sh
put 0755 "$program" /usr/bin/gateway.new
mv "$root/usr/bin/gateway.new" "$root/usr/bin/gateway"
[ -z "$root" ] || exit 0

for group in i2c gpio dialout; do
	getent group "$group" >/dev/null || groupadd --system "$group"
done
systemd-sysusers aovuon.conf
install -d -m 0750 -o root -g aovuon /etc/aovuon
install -d -m 0700 -o aovuon -g aovuon /var/lib/aovuon
if [ ! -e /etc/aovuon/gateway.yaml ]; then
	gateway sample --box >/etc/aovuon/gateway.yaml
	chown root:aovuon /etc/aovuon/gateway.yaml
	chmod 0640 /etc/aovuon/gateway.yaml
fi
udevadm control --reload || true
udevadm trigger --subsystem-match=tty --subsystem-match=gpio --subsystem-match=i2c-dev || true
systemctl daemon-reload
systemctl enable aovuon-gateway
systemctl restart aovuon-gateway
echo "installed, and started. PIN of this box, to be written inside its lid: $(gateway pin --config /etc/aovuon/gateway.yaml)"
echo "Next: edit /etc/aovuon/gateway.yaml (buses, probes), then hand it a claim: README.md, 'Enrol'"
