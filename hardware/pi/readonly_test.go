package pi_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aovuon/server/parttest"
)

// card is the system of a Raspberry Pi in a folder, and a partition of its own.
type card struct {
	t         *testing.T
	root, bin string
	device    string
}

func newCard(t *testing.T) card {
	t.Helper()
	if os.Getuid() != 0 {
		parttest.Missing(t, "root", "the test mounts a partition: run it as root")
	}
	c := card{t: t, root: t.TempDir(), bin: t.TempDir()}
	for path, text := range map[string]string{
		"etc/fstab":                           "PARTUUID=1-02 / ext4 defaults,noatime 0 1\nPARTUUID=1-01  /boot/firmware  vfat    defaults          0       2\n",
		"etc/machine-id":                      "0123456789abcdef0123456789abcdef\n",
		"boot/firmware/config.txt":            "arm_64bit=1\nauto_initramfs=1\n",
		"etc/overlayroot.conf":                "# a comment\noverlayroot_cfgdisk=\"disabled\"\noverlayroot=\"\"\n",
		"etc/aovuon/gateway.yaml":             "gateway: gw-ao\n",
		"var/lib/aovuon/gateway.key":          "key of this gateway\n",
		"var/lib/aovuon/spool.db":             "readings",
		"var/lib/systemd/timesync/clock":      "",
		"etc/NetworkManager/README":           "",
		"var/log/journal/0123/system.journal": "log",
	} {
		write(t, filepath.Join(c.root, path), text)
	}
	if err := os.Chmod(filepath.Join(c.root, "var/lib/aovuon"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"apt-get": "", "systemctl": `echo "$@" >>` + c.bin + "/asked\n", "findmnt": "cat " + c.bin + "/root\n"} {
		write(t, filepath.Join(c.bin, name), "#!/bin/sh\n"+text)
		if err := os.Chmod(filepath.Join(c.bin, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(c.bin, "root"), "ext4\n")
	image := filepath.Join(t.TempDir(), "data.img")
	run(t, "truncate", "-s", "24M", image)
	run(t, parttest.Tool(t, "mkfs.ext4"), "-q", image)
	out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "losetup"), "-f", "--show", image).CombinedOutput()
	if err != nil {
		parttest.Missing(t, "a loop device", "losetup failed ("+string(out)+"): run the test where root may do that")
	}
	device := strings.TrimSpace(string(out))
	c.device = device
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "-d", device).CombinedOutput(); err != nil {
			t.Errorf("losetup -d: %v: %s", err, out)
		}
	})
	return c
}

func (c card) makeReadOnly(device string) (out string, ok bool) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "sh", "./readonly.sh", device)
	cmd.Env = append(os.Environ(), "PATH="+c.bin+":"+os.Getenv("PATH"), "AOVUON_ROOT="+c.root)
	raw, err := cmd.CombinedOutput()
	return string(raw), err == nil
}

func (c card) read(path string) string {
	c.t.Helper()
	raw, err := os.ReadFile(filepath.Join(c.root, path))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(raw)
}

// mounts is the folder of the units that systemd makes of the table.
func (c card) mounts() string {
	c.t.Helper()
	const generator = "/usr/lib/systemd/system-generators/systemd-fstab-generator"
	if _, err := os.Stat(generator); err != nil {
		parttest.Missing(c.t, "systemd", err.Error())
	}
	dir := c.t.TempDir()
	cmd := exec.CommandContext(c.t.Context(), generator, dir, dir, dir)
	cmd.Env = append(os.Environ(), "SYSTEMD_FSTAB="+filepath.Join(c.root, "etc/fstab"), "SYSTEMD_SYSROOT_FSTAB=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// onData looks at the partition.
func (c card) onData(look func(dir string)) {
	c.t.Helper()
	dir := c.t.TempDir()
	run(c.t, "mount", c.device, dir)
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			c.t.Error(err)
		}
	}()
	look(dir)
}

func TestReadOnly_KeepsWhatMustStayAndNothingFillsTheMemory(t *testing.T) {
	c := newCard(t)
	for round := range 2 { // again is safe
		if out, ok := c.makeReadOnly(c.device); !ok {
			t.Fatalf("round %d: %s", round, out)
		}
	}
	fstab := c.read("etc/fstab")
	units := c.mounts()
	for unit, want := range map[string]string{
		`aovuon\x2ddata.mount`: "Where=/aovuon-data", "var-lib-aovuon.mount": "RequiresMountsFor=/aovuon-data", "var-log-journal.mount": "RequiresMountsFor=/aovuon-data",
		`etc-NetworkManager-system\x2dconnections.mount`: "Before=NetworkManager.service", `boot-firmware.mount`: "Options=defaults,ro",
	} {
		raw, err := os.ReadFile(filepath.Join(units, unit))
		if err != nil || !strings.Contains(string(raw), want) {
			t.Errorf("%s: %v: no %s in %s", unit, err, want, raw)
		}
	}
	for dir, count := range map[string]int{
		" / ext4 defaults,noatime 0 1": 1, "  /boot/firmware  vfat    defaults,ro  ": 1, " /aovuon-data ext4 defaults,noatime,": 1,
		"/aovuon-data/var/lib/aovuon /var/lib/aovuon none bind,nofail": 1, "/aovuon-data/etc/aovuon /etc/aovuon none bind": 1, "/aovuon-data/var/log/journal /var/log/journal none bind": 1,
		"/aovuon-data/etc/NetworkManager/system-connections ": 1, "/aovuon-data/var/lib/systemd/timesync ": 1,
	} {
		if strings.Count(fstab, dir) != count {
			t.Errorf("fstab has not %d times %q:\n%s", count, dir, fstab)
		}
	}
	if conf := c.read("etc/overlayroot.conf"); !strings.HasSuffix(conf, "overlayroot=\"tmpfs:swap=0,recurse=0\"\n") || !strings.Contains(conf, "cfgdisk=\"disabled\"") {
		t.Error(conf)
	}
	asked, err := os.ReadFile(filepath.Join(c.bin, "asked"))
	if err != nil || !strings.Contains(string(asked), "disable dphys-swapfile apt-daily.timer") {
		t.Errorf("%v: %s", err, asked)
	}
	c.onData(func(dir string) {
		for path, want := range map[string]string{"var/lib/aovuon/spool.db": "readings", "etc/aovuon/gateway.yaml": "gateway: gw-ao\n", "var/log/journal/0123/system.journal": "log"} {
			if raw, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(raw) != want {
				t.Errorf("%s: %v, %q", path, err, raw)
			}
		}
		if info, err := os.Stat(filepath.Join(dir, "var/lib/aovuon")); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("others may read the keys: %v, %v", info, err)
		}
		// Meanwhile the gateway works; then the card is made anew.
		write(t, filepath.Join(dir, "var/lib/aovuon/spool.db"), "newer readings")
	})
	if err := os.RemoveAll(filepath.Join(c.root, "var/lib/aovuon")); err != nil {
		t.Fatal(err)
	}
	if out, ok := c.makeReadOnly(c.device); !ok || !strings.Contains(out, "they are kept") {
		t.Errorf("a new card: %s", out)
	}
	c.onData(func(dir string) {
		if raw, err := os.ReadFile(filepath.Join(dir, "var/lib/aovuon/spool.db")); err != nil || string(raw) != "newer readings" {
			t.Errorf("the readings of the old card: %v, %q", err, raw)
		}
	})
}

func TestReadOnly_RefusesWhatWouldNotStart(t *testing.T) {
	for says, change := range map[string]func(c *card){
		"is no partition":    func(c *card) { c.device = "/dev/null" },
		"never been started": func(c *card) { write(t, filepath.Join(c.root, "etc/machine-id"), "") },
		"auto_initramfs=1":   func(c *card) { write(t, filepath.Join(c.root, "boot/firmware/config.txt"), "arm_64bit=1\n") },
		"read-only already":  func(c *card) { write(t, filepath.Join(c.bin, "root"), "overlay\n") },
		"of another gateway": func(c *card) {
			c.onData(func(dir string) { write(t, filepath.Join(dir, "var/lib/aovuon/gateway.key"), "another") })
		},
		"must be ext4": func(c *card) { run(t, "dd", "if=/dev/zero", "of="+c.device, "bs=64k", "count=8", "conv=fsync") },
	} {
		t.Run(says, func(t *testing.T) {
			c := newCard(t)
			before := c.read("etc/fstab")
			change(&c)
			if out, ok := c.makeReadOnly(c.device); ok || !strings.Contains(out, says) || c.read("etc/fstab") != before {
				t.Errorf("%v: %s", ok, out)
			}
		})
	}
}
