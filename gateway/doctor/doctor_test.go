package doctor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/doctor"
	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/server/parttest"
)

// pi is a made-up Raspberry Pi on which everything is right; a test breaks one thing of it.
type pi struct {
	t    *testing.T
	root string
	p    *doctor.Patient
	fs   doctor.Volume
	unit string
	in   spool.Inspection
	inAt time.Time
	bad  error // of the spool
}

const throttledFile = "sys/devices/platform/soc/soc:firmware/get_throttled"

func now() time.Time { return time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC) }

func newPi(t *testing.T) *pi {
	t.Helper()
	m := &pi{
		t: t, root: t.TempDir(), inAt: now().Add(-20 * time.Second),
		fs:   doctor.Volume{Free: 20 << 30, Size: 32 << 30, Files: 1e6, Inode: 2e6},
		unit: "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNRestarts=0\nResult=success\n",
		in:   spool.Inspection{Stats: spool.Stats{Epoch: "e", Sealed: 1, NextSeq: 9, Released: 7, Bytes: 40 << 10}, Oldest: []byte("batch")},
	}
	data := filepath.Join(m.root, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"proc/self/mountinfo":                         "22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw\n23 22 0:20 / /proc rw - proc proc rw\n",
		"proc/412/comm":                               "systemd-timesyn\n",
		"proc/cmdline":                                "console=tty1 root=PARTUUID=1-02 rootwait\n",
		"proc/7/comm":                                 "kthreadd\n",
		"sys/dev/block/179:2/uevent":                  "MAJOR=179\nMINOR=2\nDEVNAME=mmcblk0p2\nDEVTYPE=partition\n",
		"sys/fs/ext4/mmcblk0p2/errors_count":          "0\n",
		"sys/class/rtc/rtc0/since_epoch":              fmt.Sprint(now().Unix() + 2),
		throttledFile:                                 "0\n",
		"sys/class/thermal/thermal_zone0/temp":        "51000\n",
		"sys/bus/w1/devices/w1_bus_master1/name":      "w1_bus_master1\n",
		"sys/bus/w1/devices/28-0123456789ab/w1_slave": "x\n",
		"sys/module/i2c_dev/refcnt":                   "1\n",
		"sys/module/w1_gpio/refcnt":                   "1\n",
		"sys/module/w1_therm/refcnt":                  "1\n",
		"run/systemd/system/x":                        "",
		"boot/firmware/config.txt":                    "# comment\ndtparam=i2c_arm=on,spi=on\ndtoverlay=w1-gpio\nenable_uart=1\n",
		"etc/timezone":                                "Asia/Ho_Chi_Minh\n",
		"etc/passwd":                                  fmt.Sprintf("root:x:0:0::/root:/bin/sh\naovuon:x:%d:990::/nonexistent:/bin/false\n", stranger()),
		"etc/group":                                   fmt.Sprintf("i2c:x:%d:pi\n", os.Getgid()),
		"dev/i2c-1":                                   "",
		"dev/ttyAMA0":                                 "",
		"data/gateway.key":                            "k\n",
		"data/mqtt.secret":                            "s\n",
		"data/status.pin":                             "p\n",
	} {
		m.write(name, text)
	}
	if err := parttest.WriteCertificates(m.root); err != nil {
		t.Fatal(err)
	}
	m.p = &doctor.Patient{
		Root: m.root, Gateway: "gw-ao", ConfigFile: "/etc/aovuon/gateway.yaml", DataDir: data, KeyFile: filepath.Join(data, "gateway.key"),
		PasswordFile: filepath.Join(data, "mqtt.secret"), PINFile: filepath.Join(data, "status.pin"),
		SpoolFile: filepath.Join(data, "spool.db"), CAFile: filepath.Join(m.root, "ca.pem"),
		Buses:  []doctor.Bus{{Name: "ao-i2c", I2C: "1"}, {Name: "ao-w1", W1: "/sys/bus/w1/devices"}, {Name: "ao-485", Serial: "/dev/ttyAMA0"}},
		User:   os.Getuid(),
		StatFS: func(string) (doctor.Volume, error) { return m.fs, nil },
		Unit:   "aovuon-gateway.service", Systemctl: func(context.Context, ...string) (string, error) { return m.unit, nil },
		Now:     measure.Instant{Wall: now(), Clock: measure.Synced},
		Inspect: func(context.Context) (spool.Inspection, error) { return m.in, m.bad },
		Oldest:  func([]byte) (time.Time, error) { return m.inAt, nil },
	}
	return m
}

// stranger is a user who is not the one that runs the test.
func stranger() int { return os.Getuid() + 1000 }

func (m *pi) write(name, text string) {
	m.t.Helper()
	p := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *pi) remove(name string) {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.root, name)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *pi) chmod(name string, mode fs.FileMode) {
	m.t.Helper()
	if err := os.Chmod(filepath.Join(m.root, name), mode); err != nil {
		m.t.Fatal(err)
	}
}

// mount gives the root another file system.
func (m *pi) mount(kind, opts string) {
	m.write("proc/self/mountinfo", "22 1 179:2 / / rw,noatime shared:1 - "+kind+" /dev/root "+opts+"\n")
}

func TestExamine_HealthyPi(t *testing.T) {
	found := newPi(t).p.Examine(t.Context())
	if len(found) < 18 {
		t.Errorf("only %d findings", len(found))
	}
	for _, f := range found {
		if f.Level != doctor.OK || f.Mend != "" || f.What == "" {
			t.Errorf("%+v", f)
		}
	}
	if doctor.Worst(found) != doctor.OK {
		t.Error("not ok")
	}
}

// sickness is one thing that is wrong, and what the doctor must say of it.
type sickness struct {
	harm  func(m *pi)
	check string
	level doctor.Level
	what  string
	mend  string
}

func TestExamine_EverySickness(t *testing.T) {
	for name, s := range merged(fileSicknesses(), diskSicknesses(), busSicknesses(), machineSicknesses(), spoolSicknesses()) {
		t.Run(name, func(t *testing.T) {
			m := newPi(t)
			s.harm(m)
			found := m.p.Examine(t.Context())
			for _, f := range found {
				if f.Check != s.check || f.Level != s.level || !strings.Contains(f.What, s.what) {
					continue
				}
				if !strings.Contains(f.Mend, s.mend) || f.Mend == "" {
					t.Errorf("mend %q, want %q", f.Mend, s.mend)
				}
				if doctor.Worst(found) != s.level {
					t.Errorf("worst is %s", doctor.Worst(found))
				}
				return
			}
			var b bytes.Buffer
			if err := doctor.Write(&b, found); err != nil {
				t.Fatal(err)
			}
			t.Errorf("no finding %s %s %q in\n%s", s.level, s.check, s.what, &b)
		})
	}
}

func merged(tables ...map[string]sickness) map[string]sickness {
	all := map[string]sickness{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

func fileSicknesses() map[string]sickness {
	return map[string]sickness{
		"no key":            {func(m *pi) { m.remove("data/gateway.key") }, "key", doctor.Bad, "is not there", "gateway init --config /etc/aovuon/gateway.yaml"},
		"key for everybody": {func(m *pi) { m.chmod("data/gateway.key", 0o644) }, "key", doctor.Bad, "mode 0644", "chmod 600"},
		"key for the group": {func(m *pi) { m.chmod("data/gateway.key", 0o640) }, "key", doctor.Bad, "mode 0640", "chmod 600"},
		"key of a stranger": {func(m *pi) { m.p.User = stranger() }, "key", doctor.Bad, "user aovuon, cannot read it", "sudo chown aovuon"},
		"key is a folder":   {func(m *pi) { m.remove("data/gateway.key"); m.write("data/gateway.key/x", "") }, "key", doctor.Bad, "is no file", "copy"},
		"no password":       {func(m *pi) { m.remove("data/mqtt.secret") }, "password", doctor.Bad, "is not there", "gateway init"},
		"pin for everybody": {func(m *pi) { m.chmod("data/status.pin", 0o604) }, "pin", doctor.Bad, "mode 0604", "chmod 600"},
		"no authority":      {func(m *pi) { m.remove("ca.pem") }, "certificate authority", doctor.Bad, "no such file", "PEM certificate"},
		"authority is text": {func(m *pi) { m.write("ca.pem", "hello") }, "certificate authority", doctor.Bad, "holds no PEM", "PEM certificate"},
		"authority ended":   {func(m *pi) { m.p.Now.Wall = now().AddDate(80, 0, 0) }, "certificate authority", doctor.Bad, "ended on 2099-01-01", "PEM certificate"},
		"authority ends": {func(m *pi) {
			m.p.Now.Wall = time.Date(2098, 12, 1, 0, 0, 0, 0, time.UTC)
			m.inAt = m.p.Now.Wall
			m.remove("sys/class/rtc")
		}, "certificate authority", doctor.Warn, "ends on 2099-01-01", "PEM certificate"},
		"no data folder":     {func(m *pi) { m.remove("data") }, "data folder", doctor.Bad, "is not there", "gateway init"},
		"data is a file":     {func(m *pi) { m.remove("data"); m.write("data", "") }, "data folder", doctor.Bad, "is no folder", "data_dir"},
		"data for everybody": {func(m *pi) { m.chmod("data", 0o777) }, "data folder", doctor.Bad, "others may write", "chmod 700"},
		"data of a stranger": {func(m *pi) { m.p.User = stranger() }, "data folder", doctor.Bad, "the gateway is user aovuon", "sudo chown -R aovuon"},
	}
}

func diskSicknesses() map[string]sickness {
	s := map[string]sickness{
		"full":        {func(m *pi) { m.fs.Free = 10 << 20 }, "disk", doctor.Bad, "10 MB of 32.0 GB free", "free some room"},
		"nearly full": {func(m *pi) { m.fs.Free = 300 << 20 }, "disk", doctor.Warn, "300 MB of", "free some room"},
		"no inodes":   {func(m *pi) { m.fs.Files = 7 }, "disk", doctor.Bad, "7 files", "small files"},
		"statfs fails": {func(m *pi) {
			m.p.StatFS = func(string) (doctor.Volume, error) { return doctor.Volume{}, errors.New("EIO") }
		}, "disk", doctor.Bad, "EIO", "data folder"},
		"read-only":    {func(m *pi) { m.mount("ext4", "ro,errors=remount-ro") }, "file system", doctor.Bad, "read-only", "dmesg"},
		"no barrier":   {func(m *pi) { m.mount("ext4", "rw,nobarrier") }, "file system", doctor.Bad, "power cut", "/etc/fstab"},
		"writeback":    {func(m *pi) { m.mount("ext4", "rw,data=writeback") }, "file system", doctor.Warn, "old bytes", "/etc/fstab"},
		"errors":       {func(m *pi) { m.write("sys/fs/ext4/mmcblk0p2/errors_count", "3") }, "disk wear", doctor.Bad, "3 errors", "fsck"},
		"worn eMMC":    {func(m *pi) { m.write("sys/block/mmcblk0/device/life_time", "0x01 0x0a") }, "disk wear", doctor.Bad, "90 %", "replace"},
		"few spares":   {func(m *pi) { m.write("sys/block/mmcblk0/device/pre_eol_info", "0x02") }, "disk wear", doctor.Warn, "80 % of its spare", "replacement"},
		"no spares":    {func(m *pi) { m.write("sys/block/mmcblk0/device/pre_eol_info", "0x03") }, "disk wear", doctor.Bad, "90 % of its spare", "replace"},
		"mounted sync": {func(m *pi) { m.mount("ext4", "rw,sync") }, "disk wear", doctor.Warn, "wears the card", "/etc/fstab"},
	}
	for kind, mend := range map[string]string{"tmpfs": "card", "overlay": "partition of its own", "nfs4": "this machine", "cifs": "this machine", "vfat": "ext4", "exfat": "ext4"} {
		s["on "+kind] = sickness{func(m *pi) { m.mount(kind, "rw") }, "file system", doctor.Bad, kind + " on /", mend}
	}
	return s
}

func busSicknesses() map[string]sickness {
	return map[string]sickness{
		"no i2c":           {func(m *pi) { m.remove("dev/i2c-1") }, "bus ao-i2c", doctor.Bad, "/dev/i2c-1 does not exist", "dtparam=i2c_arm=on"},
		"i2c not in group": {func(m *pi) { m.p.User = stranger() }, "bus ao-i2c", doctor.Bad, "may not be opened by user aovuon", "sudo usermod -aG i2c aovuon"},
		"no serial":        {func(m *pi) { m.remove("dev/ttyAMA0") }, "bus ao-485", doctor.Bad, "/dev/ttyAMA0 does not exist", "enable_uart=1"},
		"no w1 folder":     {func(m *pi) { m.remove("sys/bus/w1") }, "bus ao-w1", doctor.Bad, "no folder", "dtoverlay=w1-gpio"},
		"no w1 master":     {func(m *pi) { m.remove("sys/bus/w1/devices/w1_bus_master1") }, "bus ao-w1", doctor.Bad, "no master", "dtoverlay=w1-gpio"},
		"no thermometer":   {func(m *pi) { m.remove("sys/bus/w1/devices/28-0123456789ab") }, "bus ao-w1", doctor.Bad, "nothing on the wire", "4.7 kΩ"},
		"no socket":        {func(m *pi) { m.p.Buses[0].I2C = "unix:" + m.root + "/none" }, "bus ao-i2c", doctor.Bad, "no socket", "firmware-sim serve"},
		"socket is a file": {func(m *pi) { m.p.Buses[0].I2C = "unix:" + m.root + "/etc/group" }, "bus ao-i2c", doctor.Bad, "is no socket", "simulator"},
		"i2c switched off": {func(m *pi) {
			m.write("boot/firmware/config.txt", "enable_uart=1\ndtoverlay=w1-gpio\n#dtparam=i2c_arm=on\n")
			m.remove("dev/i2c-1")
		}, "boot settings", doctor.Bad, "I²C is switched off", "dtparam=i2c_arm=on"},
		"w1 switched off": {func(m *pi) {
			m.write("boot/firmware/config.txt", "dtparam=i2c_arm=on\nenable_uart=1\n")
			m.remove("sys/bus/w1")
		}, "boot settings", doctor.Bad, "1-Wire is switched off", "dtoverlay=w1-gpio"},
		"uart switched off": {func(m *pi) {
			m.write("boot/firmware/config.txt", "dtparam=i2c_arm=on\ndtoverlay=w1-gpio\n")
			m.remove("dev/ttyAMA0")
		}, "boot settings", doctor.Bad, "serial port is switched off", "enable_uart=1"},
		"old boot folder": {func(m *pi) {
			m.remove("boot/firmware")
			m.write("boot/config.txt", "enable_uart=1\ndtoverlay=w1-gpio\n")
			m.remove("dev/i2c-1")
		}, "boot settings", doctor.Bad, "I²C is switched off", "/boot/config.txt"},
		"console on serial":  {func(m *pi) { m.write("proc/cmdline", "console=ttyAMA0,115200 root=x") }, "boot settings", doctor.Bad, "the kernel talks", "cmdline.txt"},
		"no i2c-dev module":  {func(m *pi) { m.remove("sys/module/i2c_dev"); m.remove("dev/i2c-1") }, "boot settings", doctor.Bad, "i2c-dev is not loaded", "modprobe i2c-dev"},
		"no w1-therm module": {func(m *pi) { m.remove("sys/module/w1_therm") }, "boot settings", doctor.Bad, "w1-therm is not loaded", "modprobe w1-therm"},
	}
}

func machineSicknesses() map[string]sickness {
	unit := func(was, is string) func(*pi) { return func(m *pi) { m.unit = strings.Replace(m.unit, was, is, 1) } }
	throttled := func(bits string) func(*pi) {
		return func(m *pi) { m.write(throttledFile, bits) }
	}
	return map[string]sickness{
		"kernel is silent":     {func(m *pi) { m.p.Clock = errors.New("adjtimex: not permitted") }, "clock", doctor.Bad, "adjtimex", "assume_synced"},
		"clock not set":        {func(m *pi) { m.p.Now = measure.Instant{Clock: measure.Unsynced} }, "clock", doctor.Warn, "not set", "port 123"},
		"clock runs free":      {func(m *pi) { m.p.Now.Clock = measure.EstimatedClock }, "clock", doctor.Warn, "no longer is", "port 123"},
		"nothing sets it":      {func(m *pi) { m.remove("proc/412") }, "time service", doctor.Bad, "nothing sets the clock", "timedatectl set-ntp true"},
		"rtc is off":           {func(m *pi) { m.write("sys/class/rtc/rtc0/since_epoch", "300") }, "battery-backed clock", doctor.Warn, "off", "battery"},
		"rtc is garbled":       {func(m *pi) { m.write("sys/class/rtc/rtc0/since_epoch", "?") }, "battery-backed clock", doctor.Warn, "gives no time", "wires"},
		"zone of another land": {func(m *pi) { m.write("etc/timezone", "Europe/London") }, "time zone", doctor.Warn, "Europe/London", "set-timezone Asia/Ho_Chi_Minh"},
		"no zone":              {func(m *pi) { m.remove("etc/timezone") }, "time zone", doctor.Warn, "not set", "set-timezone"},
		"too little voltage":   {throttled("50005"), "power", doctor.Bad, "too low now", "official supply"},
		"too little it was":    {throttled("0x50000"), "power", doctor.Warn, "was too low", "official supply"},
		"voltage by the kernel": {func(m *pi) {
			m.remove("sys/devices")
			m.write("sys/class/hwmon/hwmon1/name", "rpi_volt")
			m.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1")
		}, "power", doctor.Bad, "too low now", "official supply"},
		"slowed by heat":       {throttled("80008"), "heat", doctor.Warn, "slowed down", "shade"},
		"hot":                  {func(m *pi) { m.write("sys/class/thermal/thermal_zone0/temp", "84000") }, "heat", doctor.Bad, "84 °C", "heat sink"},
		"unit failed":          {unit("ActiveState=active", "ActiveState=failed"), "service", doctor.Bad, "is failed", "journalctl"},
		"unit stopped":         {unit("ActiveState=active", "ActiveState=inactive"), "service", doctor.Bad, "is inactive", "enable --now"},
		"unit disabled":        {unit("UnitFileState=enabled", "UnitFileState=disabled"), "service", doctor.Bad, "will not start", "systemctl enable"},
		"unit restarts":        {unit("NRestarts=0", "NRestarts=17"), "service", doctor.Warn, "17 times", "journalctl"},
		"no unit":              {unit("LoadState=loaded", "LoadState=not-found"), "service", doctor.Warn, "no unit", "hardware/pi"},
		"no unit, but it runs": {func(m *pi) { unit("LoadState=loaded", "LoadState=not-found")(m); m.p.Running = true }, "service", doctor.Warn, "not as a service", "hardware/pi"},
		"systemd is silent": {func(m *pi) {
			m.p.Systemctl = func(context.Context, ...string) (string, error) { return "", errors.New("timeout") }
		}, "service", doctor.Warn, "timeout", "systemctl status"},
	}
}

func spoolSicknesses() map[string]sickness {
	return map[string]sickness{
		"spool corrupt":     {func(m *pi) { m.bad = spool.ErrCorrupt }, "spool", doctor.Bad, "corrupt", "restart the gateway"},
		"spool set aside":   {func(m *pi) { m.write("data/spool.db.corrupt-20261124T000000Z", "") }, "spool", doctor.Warn, "spool.db.corrupt-2026", "look at the card"},
		"waits for an hour": {func(m *pi) { m.inAt = now().Add(-3 * time.Hour) }, "receipts", doctor.Warn, "3h0m0s", "server"},
		"waits for days":    {func(m *pi) { m.inAt = now().Add(-50 * time.Hour) }, "receipts", doctor.Bad, "2026-11-23 01:00", "server"},
		"waits, no clock":   {func(m *pi) { m.inAt = time.Time{} }, "receipts", doctor.Warn, "does not say how long", "server"},
		"batch garbled": {func(m *pi) {
			m.p.Oldest = func([]byte) (time.Time, error) { return time.Time{}, errors.New("not a batch") }
		}, "receipts", doctor.Bad, "not a batch", "gateway renew"},
	}
}

func TestMendFault_SaysSomethingOfItsOwnForEachReason(t *testing.T) {
	seen := map[string]measure.FaultReason{}
	for _, r := range measure.FaultReasons() {
		mend := doctor.MendFault(r, 0x61, "")
		if other, twice := seen[mend]; twice || strings.Contains(mend, "--verbose") {
			t.Errorf("%s: %q, as %s", r, mend, other)
		}
		seen[mend] = r
	}
	if mend := doctor.MendFault(measure.NoResponse, 0x63, ""); !strings.Contains(mend, "0x63") {
		t.Error(mend)
	}
	if mend := doctor.MendFault(measure.NoResponse, 0, "28-0123456789ab"); !strings.Contains(mend, "28-0123456789ab") {
		t.Error(mend)
	}
}

func TestWriteJSON_IsForPrograms(t *testing.T) {
	m := newPi(t)
	m.chmod("data/gateway.key", 0o644)
	var b bytes.Buffer
	if err := doctor.WriteJSON(&b, m.p.Examine(t.Context())); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Worst    string
		Findings []doctor.Finding
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Worst != "bad" || len(got.Findings) < 18 || got.Findings[0].Check != "key" {
		t.Errorf("%+v", got)
	}
}
