// Package pi_test checks the files of an installation with the programs that will read them.
package pi_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/parttest/confine"
)

const unit = "aovuon-gateway.service"

// The gateway may expose itself to 1.9 of 10 by systemd's own reckoning; README.md says what the rest is for.
func TestUnit_IsUnderstoodBySystemdAndExposesLittle(t *testing.T) {
	u := confine.Read(t, unit)
	u.Verify()
	u.Exposes(19)
}

func TestUnit_IsWhatTheProgramAndItsDoctorExpect(t *testing.T) {
	u := confine.Read(t, unit)
	for key, want := range map[string]string{
		"Type": "notify", "User": "aovuon", "Restart": "always", "StateDirectory": "aovuon", "SupplementaryGroups": "i2c gpio dialout",
		"DeviceAllow": "char-* rw", // all of them: a list would shut out an adapter that is plugged in later
		"ExecStart":   "/usr/bin/gateway run --config /etc/aovuon/gateway.yaml",
	} {
		if got := u.Values(key); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q; want %q", key, got, want)
		}
	}
	// Each of these forbids what the gateway needs; see the comment in the unit.
	for _, key := range []string{"ProtectClock", "PrivateDevices", "ProcSubset", "PrivateUsers"} {
		if got := u.Values(key); len(got) > 0 {
			t.Errorf("%s=%s", key, got)
		}
	}
}

// TestUnit_AllowsEverySystemCallTheGatewayMakes watches a gateway start, read, keep, answer and end.
func TestUnit_AllowsEverySystemCallTheGatewayMakes(t *testing.T) {
	strace := parttest.Tool(t, "strace")
	dir := t.TempDir()
	program := filepath.Join(dir, "gateway")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil { // TestMain is the program
		t.Fatal(err)
	}
	config := filepath.Join(dir, "gateway.yaml")
	write(t, config, `
gateway: gw-ao
server: { url: "tcp://127.0.0.1:1" }
seal: { commit_every: 50ms, every: 100ms, offline_every: 100ms }
buses: { w: { w1: w1 }, i: { i2c: "1" } }
sensors:
  - { id: ao1-temp, kind: ds18b20, bus: w, device: 28-0123456789ab, every: 1s }
  - { id: ao1-do, kind: ezo-do, bus: i, address: 0x61, every: 1s }
aerators: [{ id: ao1-quat, relay: { pin: GPIO17 }, oxygen: ao1-do, on_below: 4, off_above: 5.5 }]
metrics: { listen: "`+parttest.FreeAddress(t)+`" }
`)
	write(t, filepath.Join(dir, "w1/28-0123456789ab/w1_slave"), "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n")
	run(t, program, "init", "--config", config)
	run(t, "cp", filepath.Join(dir, "data/gateway.key"), filepath.Join(dir, "server.key"))
	card := run(t, program, "card", "--config", config)
	write(t, filepath.Join(dir, "server.vkey"), strings.Split(card, "\n")[2]+"\n") // any key of the right form
	trace := filepath.Join(dir, "trace")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-o", trace, program, "run", "--config", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
	})
	parttest.Await(t, "data/control.sock", func() bool {
		_, err := os.Stat(filepath.Join(dir, "data/control.sock"))
		return err == nil
	})
	run(t, program, "aerator", "--config", config, "ao1-quat", "on")
	parttest.Await(t, "data/spool.db", func() bool {
		_, err := os.Stat(filepath.Join(dir, "data/spool.db"))
		return err == nil
	})
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("the traced gateway: %v\n%s", err, &log)
	}
	made := confine.ReadTrace(t, trace)
	if made.Made("adjtimex")+made.Made("clock_adjtime") == 0 || made.Made("fdatasync")+made.Made("fsync") == 0 {
		t.Errorf("this is no trace of a gateway")
	}
	// The first ones may be refused; SQLite gives its files to their owner only when it runs as root.
	rules := confine.Rules{Harmless: []string{"prlimit64", "setrlimit", "sched_setaffinity", "fchown"}, Writes: []string{filepath.Join(dir, "data")}}
	for _, complaint := range confine.Read(t, unit).Check(made, rules) {
		t.Error(complaint)
	}
}

func TestSysusers_MakeTheUserOfTheUnit(t *testing.T) {
	path, err := filepath.Abs("aovuon.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "systemd-sysusers"), "--dry-run", path).CombinedOutput()
	if err != nil || strings.Contains(string(out), path) { // complaints name the file
		t.Errorf("systemd-sysusers: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for group := range strings.FieldsSeq(confine.Read(t, unit).Values("SupplementaryGroups")[0]) {
		if !strings.Contains(string(raw), "\nm aovuon "+group+"\n") {
			t.Errorf("the user is not in group %s", group)
		}
	}
}

func TestInstall_IsAShellScript(t *testing.T) {
	for _, script := range []string{"install.sh", "usb-claim", "readonly.sh"} {
		run(t, "sh", "-n", script)
	}
}

// TestInstall_PutsEveryFileWhereItIsLookedFor runs the script into a folder. The package does the same by its own list: firmware-sim/install.
func TestInstall_PutsEveryFileWhereItIsLookedFor(t *testing.T) {
	root := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "./install.sh", "/bin/true")
	cmd.Env = append(os.Environ(), "AOVUON_ROOT="+root)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, place := range map[string]string{
		"aovuon.sysusers": "usr/lib/sysusers.d/aovuon.conf", "aovuon.modules": "usr/lib/modules-load.d/aovuon.conf", "70-aovuon.rules": "usr/lib/udev/rules.d/70-aovuon.rules",
		"aovuon-watchdog.conf": "usr/lib/systemd/system.conf.d/aovuon-watchdog.conf", "aovuon-journald.conf": "usr/lib/systemd/journald.conf.d/aovuon.conf",
		unit: "usr/lib/systemd/system/" + unit, "aovuon-usb-claim@.service": "usr/lib/systemd/system/aovuon-usb-claim@.service",
		"usb-claim": "usr/lib/aovuon/usb-claim", "readonly.sh": "usr/lib/aovuon/readonly.sh", "/bin/true": "usr/bin/gateway",
	} {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(root, place)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not %s: %v", place, name, err)
		}
	}
}

func TestRules_NameWhatTheyMatchAndSet(t *testing.T) {
	raw, err := os.ReadFile("70-aovuon.rules")
	if err != nil {
		t.Fatal(err)
	}
	pair := regexp.MustCompile(`^[A-Z]+(\{[A-Za-z_]+\})?(==|!=|=|\+=)"[^"]*"$`)
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for part := range strings.SplitSeq(line, ", ") {
			if !pair.MatchString(part) {
				t.Errorf("udev would not read %q of %s", part, line)
			}
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, &errs)
	}
	return string(out)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// The settings of log and watchdog are ones that systemd knows: its own files name every one, as a comment. A misspelt one is a line in the log that nobody reads.
func TestSettings_AreKnownToSystemd(t *testing.T) {
	for ours, theirs := range map[string]string{"aovuon-journald.conf": "journald.conf", "aovuon-watchdog.conf": "system.conf"} {
		var known []byte
		var err error
		for _, dir := range []string{"/etc/systemd", "/usr/lib/systemd"} {
			if known, err = os.ReadFile(filepath.Join(dir, theirs)); err == nil {
				break
			}
		}
		if err != nil {
			parttest.Missing(t, "systemd", err.Error())
		}
		raw, err := os.ReadFile(ours)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			key, _, ok := strings.Cut(strings.TrimSpace(line), "=")
			if ok && !strings.HasPrefix(line, "#") && !regexp.MustCompile(`(?m)^#?`+key+`=`).Match(known) {
				t.Errorf("%s: systemd's %s knows no %s", ours, theirs, key)
			}
			if strings.HasPrefix(line, "[") && !strings.Contains(string(known), line) {
				t.Errorf("%s: systemd's %s has no section %s", ours, theirs, line)
			}
		}
	}
}
