#!/bin/sh
# Installs the gateway on a Raspberry Pi: sudo ./install.sh PATH/TO/gateway
# Running it again updates the program and the files of this folder; configuration, keys and readings are left alone.
set -eu
program=${1:?usage: sudo ./install.sh PATH/TO/gateway (make pi builds it: .bin/arm64/gateway or .bin/armv6/gateway)}
cd "$(dirname "$0")"
[ "$(id -u)" = 0 ] || { echo "install.sh: needs root: sudo $0 $program" >&2; exit 1; }
"$program" --help >/dev/null || { echo "install.sh: $program does not run on this machine: arm64 is for a 64-bit system, armv6 for a 32-bit one" >&2; exit 1; }

for group in i2c gpio dialout; do
	getent group "$group" >/dev/null || groupadd --system "$group"
done
install -D -m 0644 aovuon.sysusers /usr/lib/sysusers.d/aovuon.conf
install -D -m 0644 aovuon.modules /etc/modules-load.d/aovuon.conf
install -D -m 0644 70-aovuon.rules /etc/udev/rules.d/70-aovuon.rules
install -D -m 0644 aovuon-watchdog.conf /etc/systemd/system.conf.d/aovuon-watchdog.conf
install -D -m 0644 aovuon-gateway.service /etc/systemd/system/aovuon-gateway.service
systemd-sysusers aovuon.conf
install -D -m 0755 "$program" /usr/local/bin/gateway.new
mv /usr/local/bin/gateway.new /usr/local/bin/gateway
install -d -m 0750 -o root -g aovuon /etc/aovuon
install -d -m 0700 -o aovuon -g aovuon /var/lib/aovuon
if [ ! -e /etc/aovuon/gateway.yaml ]; then
	/usr/local/bin/gateway sample | sed 's|^data_dir: .*|data_dir: /var/lib/aovuon|' >/etc/aovuon/gateway.yaml
	chown root:aovuon /etc/aovuon/gateway.yaml
	chmod 0640 /etc/aovuon/gateway.yaml
fi
udevadm control --reload || true
udevadm trigger --subsystem-match=tty --subsystem-match=gpio --subsystem-match=i2c-dev || true
systemctl daemon-reload
echo "installed. Next: edit /etc/aovuon/gateway.yaml, then see README.md, 'Enrol'"
