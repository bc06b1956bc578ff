// Package pi_test checks the files of an installation with the programs that will read them.
package pi_test

import (
	"bytes"
	"errors"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aovuon/server/parttest"
)

const unit = "aovuon-gateway.service"

// lines are the values of a key of the unit, in their order.
func lines(t *testing.T, key string) (values []string) {
	t.Helper()
	raw, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

func TestUnit_IsUnderstoodBySystemd(t *testing.T) {
	analyze := parttest.Tool(t, "systemd-analyze")
	raw, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(t.TempDir(), unit) // the program is not installed on this machine
	raw = bytes.ReplaceAll(raw, []byte("ExecStart=/usr/local/bin/gateway"), []byte("ExecStart=/bin/true"))
	if err := os.WriteFile(here, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", here).CombinedOutput()
	if err != nil || strings.Contains(string(out), unit) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

func TestUnit_IsWhatTheProgramAndItsDoctorExpect(t *testing.T) {
	for key, want := range map[string]string{
		"Type": "notify", "User": "aovuon", "Restart": "always", "StateDirectory": "aovuon", "SupplementaryGroups": "i2c gpio dialout",
		"ExecStart": "/usr/local/bin/gateway run --config /etc/aovuon/gateway.yaml",
	} {
		if got := lines(t, key); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q; want %q", key, got, want)
		}
	}
	// Each of these forbids what the gateway needs; see the comment in the unit.
	for _, key := range []string{"ProtectClock", "PrivateDevices", "DeviceAllow", "DevicePolicy", "ProcSubset", "PrivateUsers"} {
		if got := lines(t, key); len(got) > 0 {
			t.Errorf("%s=%s", key, got)
		}
	}
}

// TestUnit_AllowsEverySystemCallTheGatewayMakes watches a gateway start, read, keep, answer and end.
func TestUnit_AllowsEverySystemCallTheGatewayMakes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the gateway")
	}
	analyze, strace := parttest.Tool(t, "systemd-analyze"), parttest.Tool(t, "strace")
	dir := t.TempDir()
	program := filepath.Join(dir, "gateway")
	run(t, "go", "build", "-o", program, "aovuon/gateway")
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
metrics: { listen: "`+freeAddress(t)+`" }
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
	allowed := allowedCalls(t, analyze)
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	made := make(map[string]int)
	for _, m := range regexp.MustCompile(`(?m)^\d+ +([a-z0-9_]+)\(`).FindAllStringSubmatch(string(raw), -1) {
		made[m[1]]++
	}
	if made["adjtimex"]+made["clock_adjtime"] == 0 || made["fdatasync"]+made["fsync"] == 0 {
		t.Errorf("this is no trace of a gateway: %v", made)
	}
	// The first ones may be refused; SQLite gives its files to their owner only when it runs as root.
	harmless := []string{"prlimit64", "setrlimit", "sched_setaffinity", "fchown"}
	for _, call := range slices.Sorted(maps.Keys(made)) {
		if !allowed[call] && !slices.Contains(harmless, call) {
			t.Errorf("the gateway calls %s (%d times), which the unit refuses", call, made[call])
		}
	}
}

// allowedCalls is what the unit's filters leave, as systemd reads them: one line after the other.
func allowedCalls(t *testing.T, analyze string) map[string]bool {
	t.Helper()
	out := make(map[string]bool)
	for i, line := range lines(t, "SystemCallFilter") {
		line, deny := strings.CutPrefix(line, "~")
		if i == 0 && deny {
			t.Fatal("the first filter must say what is allowed")
		}
		for name := range strings.FieldsSeq(line) {
			for _, call := range expand(t, analyze, name) {
				out[call] = !deny
			}
		}
	}
	return out
}

// expand lists the system calls of a group.
func expand(t *testing.T, analyze, name string) (calls []string) {
	t.Helper()
	if !strings.HasPrefix(name, "@") {
		return []string{name}
	}
	for line := range strings.Lines(run(t, analyze, "--no-pager", "syscall-filter", name)) {
		if entry := strings.TrimSpace(line); strings.HasPrefix(line, " ") && entry != "" && !strings.HasPrefix(entry, "#") {
			calls = append(calls, expand(t, analyze, entry)...)
		}
	}
	return calls
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
	for group := range strings.FieldsSeq(lines(t, "SupplementaryGroups")[0]) {
		if !strings.Contains(string(raw), "\nm aovuon "+group+"\n") {
			t.Errorf("the user is not in group %s", group)
		}
	}
}

func TestInstall_IsAShellScript(t *testing.T) {
	run(t, "sh", "-n", "install.sh")
	raw, err := os.ReadFile("install.sh")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"aovuon.sysusers", "aovuon.modules", "70-aovuon.rules", "aovuon-watchdog.conf", unit} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(raw), " "+name+" /") {
			t.Errorf("install.sh does not install %s", name)
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

// freeAddress is a port of this machine that nobody uses now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	return l.Addr().String()
}
