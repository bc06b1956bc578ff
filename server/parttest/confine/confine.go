// Package confine holds what a systemd unit forbids against what its program does: a unit file and a trace of the program (strace -f) go in,
// complaints come out. A directive that the program needs lifted is found at a desk and not at a pond.
package confine

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aovuon/server/parttest"
)

// Unit is a unit file.
type Unit struct {
	t    testing.TB
	path string
	text string
}

// Read reads a unit file.
func Read(t testing.TB, path string) *Unit {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &Unit{t, path, string(raw)}
}

// Values are the values of a key, in their order.
func (u *Unit) Values(key string) (values []string) {
	for line := range strings.Lines(u.text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

// Verify has systemd read the unit, with another program in the place of the one that is not installed here.
func (u *Unit) Verify() {
	u.t.Helper()
	here := filepath.Join(u.t.TempDir(), filepath.Base(u.path))
	if err := os.WriteFile(here, []byte(regexp.MustCompile(`(?m)^ExecStart=\S+`).ReplaceAllString(u.text, "ExecStart=/bin/true")), 0o600); err != nil {
		u.t.Fatal(err)
	}
	out, err := exec.CommandContext(u.t.Context(), parttest.Tool(u.t, "systemd-analyze"), "verify", "--man=no", here).CombinedOutput()
	if err != nil || strings.Contains(string(out), filepath.Base(u.path)) {
		u.t.Errorf("systemd-analyze verify %s: %v\n%s", u.path, err, out)
	}
}

// Exposes fails the test when systemd-analyze security rates the unit above tenths/10: 0 exposes nothing, 10 everything.
func (u *Unit) Exposes(tenths int) {
	u.t.Helper()
	out, err := exec.CommandContext(u.t.Context(), parttest.Tool(u.t, "systemd-analyze"), "security", "--offline=true", "--no-pager", fmt.Sprintf("--threshold=%d", tenths), u.path).CombinedOutput()
	if err != nil {
		out = regexp.MustCompile(`(?m)^.*✓.*\n`).ReplaceAll(out, nil)
		u.t.Errorf("systemd-analyze security %s: above %d.%d: %v\n%s", u.path, tenths/10, tenths%10, err, out)
	}
}

// Trace is what a program did.
type Trace struct {
	calls map[string]int
	lines []string
}

// ReadTrace reads what strace -f -o wrote.
func ReadTrace(t testing.TB, path string) *Trace {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tr := &Trace{calls: make(map[string]int)}
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(([a-z0-9_]+)\(.*)$`).FindAllStringSubmatch(string(raw), -1) {
		tr.calls[m[2]]++
		tr.lines = append(tr.lines, m[1])
	}
	return tr
}

// Made is how often a system call was made.
func (tr *Trace) Made(call string) int { return tr.calls[call] }

// Rules are what a unit cannot say of itself.
type Rules struct {
	Harmless []string // system calls that may be refused
	Writes   []string // folders that stand for those the unit lets the program write
}

// Check returns what the unit would have refused.
func (u *Unit) Check(tr *Trace, r Rules) (complaints []string) {
	u.t.Helper()
	allowed := u.allowedCalls()
	for _, call := range slices.Sorted(maps.Keys(tr.calls)) {
		if !allowed[call] && !slices.Contains(r.Harmless, call) {
			complaints = append(complaints, fmt.Sprintf("SystemCallFilter refuses %s (%d times)", call, tr.calls[call]))
		}
	}
	families := strings.Fields(strings.Join(u.Values("RestrictAddressFamilies"), " "))
	rules := []struct {
		key   string
		calls *regexp.Regexp // whose group the directive is about
		fine  func(what string) bool
	}{
		{"RestrictAddressFamilies", regexp.MustCompile(`^socket(?:pair)?\((AF_\w+)`), func(family string) bool { return slices.Contains(families, family) }},
		{"MemoryDenyWriteExecute", regexp.MustCompile(`^(?:mmap|mprotect|pkey_mprotect)\(.*(PROT_WRITE\|PROT_EXEC)`), never},
		{"RestrictNamespaces", regexp.MustCompile(`^(?:clone3?|unshare|setns)\(.*(CLONE_NEW\w+)`), never},
		{"RestrictRealtime", regexp.MustCompile(`^sched_setscheduler\(.*(SCHED_(?:FIFO|RR|DEADLINE))`), never},
		// What opens for writing, makes, moves and removes where the system is read-only; of two paths the second.
		{"ProtectSystem", regexp.MustCompile(`^openat\([^,]+, "([^"]+)", [^)]*O_(?:WRONLY|RDWR|CREAT)`), r.mayWrite},
		{"ProtectSystem", regexp.MustCompile(`^(?:mkdirat|unlinkat|mkdir|unlink|rmdir|fchmodat|chmod)\((?:[^",]+, )?"([^"]+)"`), r.mayWrite},
		{"ProtectSystem", regexp.MustCompile(`^(?:renameat2?|linkat|symlinkat|rename|link)\(.*"([^"]+)"[^"]*$`), r.mayWrite},
	}
	for _, rule := range rules {
		if u.Values(rule.key) == nil {
			u.t.Fatalf("%s does not say %s", u.path, rule.key)
		}
		for _, line := range tr.lines {
			if m := rule.calls.FindStringSubmatch(line); m != nil && !rule.fine(m[1]) && !strings.Contains(line, "= -1 ENOENT") {
				complaints = append(complaints, rule.key+": "+line)
			}
		}
	}
	return complaints
}

func never(string) bool { return false }

// mayWrite reports whether the unit lets the program write a path.
func (r Rules) mayWrite(path string) bool {
	own := append([]string{"/dev/", "/proc/self/"}, r.Writes...)
	return slices.ContainsFunc(own, func(dir string) bool { return strings.HasPrefix(path, dir) })
}

// allowedCalls is what the unit's filters leave, as systemd reads them: one line after the other.
func (u *Unit) allowedCalls() map[string]bool {
	u.t.Helper()
	out := make(map[string]bool)
	for i, line := range u.Values("SystemCallFilter") {
		line, deny := strings.CutPrefix(line, "~")
		if i == 0 && deny {
			u.t.Fatal("the first filter must say what is allowed")
		}
		for name := range strings.FieldsSeq(line) {
			for _, call := range u.expand(name) {
				out[call] = !deny
			}
		}
	}
	return out
}

// expand lists the system calls of a group.
func (u *Unit) expand(name string) (calls []string) {
	u.t.Helper()
	if !strings.HasPrefix(name, "@") {
		return []string{name}
	}
	var errs bytes.Buffer
	cmd := exec.CommandContext(u.t.Context(), parttest.Tool(u.t, "systemd-analyze"), "--no-pager", "syscall-filter", name)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		u.t.Fatalf("systemd-analyze syscall-filter %s: %v\n%s", name, err, &errs)
	}
	for line := range strings.Lines(string(out)) {
		if entry := strings.TrimSpace(line); strings.HasPrefix(line, " ") && entry != "" && !strings.HasPrefix(entry, "#") {
			calls = append(calls, u.expand(entry)...)
		}
	}
	return calls
}
