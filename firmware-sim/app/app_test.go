package app_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"aovuon/firmware-sim/app"
	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/field"
	gateway "aovuon/gateway/app"
	server "aovuon/server/app"
)

// goleakRun checks for leaked goroutines after the tests of this process.
type goleakRun struct{ m *testing.M }

func (g goleakRun) Run() int {
	code := g.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		if _, bad := os.Stderr.WriteString(err.Error() + "\n"); bad != nil {
			return 2
		}
		return 1
	}
	return code
}

// TestMain makes the test binary stand in for the programs, as commands on PATH.
func TestMain(m *testing.M) {
	testscript.Main(goleakRun{m}, map[string]func(){
		"firmware-sim": func() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) },
		"server":       func() { os.Exit(server.Main(os.Args[1:], os.Stdout, os.Stderr)) },
		"gateway":      func() { os.Exit(gateway.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// run calls the program in this process.
func run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, complaint bytes.Buffer
	status = app.Main(args, &out, &complaint)
	return out.String(), complaint.String(), status
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain_RefusesWhatItCannotDo(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.yaml")
	sample := write(t, filepath.Join(t.TempDir(), "field.yaml"), field.Sample())
	for name, tc := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"help":             {[]string{"--help"}, 0, ""},
		"nothing":          {nil, 2, "--help"},
		"unknown flag":     {[]string{"serve", "--love"}, 2, "--love"},
		"no field file":    {[]string{"serve", "--config", missing}, 1, "firmware-sim sample"},
		"no simulator":     {[]string{"fault", "--control", missing, "list"}, 1, "firmware-sim serve"},
		"no fault":         {[]string{"fault", "--control", missing, "ao1-do"}, 1, "which fault"},
		"no speed":         {[]string{"serve", "--config", sample, "--speed=NaN"}, 1, "want more than 0"},
		"backwards":        {[]string{"run", sample, "--speed=-1"}, 1, "want more than 0"},
		"far too fast":     {[]string{"serve", "--config", sample, "--speed=1e9"}, 1, "at most 100000"},
		"no gateway file":  {[]string{"season", "--config", missing, "--gateway-config", missing}, 1, "gateway configuration"},
		"season of 0 days": {[]string{"season", "--gateway-config", missing, "--days", "0"}, 1, "want 1 to"},
		"until when":       {[]string{"season", "--gateway-config", missing, "--until", "soon"}, 1, "2026-03-01"},
		"result nowhere":   {[]string{"fleet", "--broker", "tcp://127.0.0.1:1", "--server-key", missing, "--out", filepath.Join(missing, "r.json")}, 1, "name a file in a folder that is there"},
		"result a folder":  {[]string{"fleet", "--broker", "tcp://127.0.0.1:1", "--server-key", missing, "--out", filepath.Dir(missing)}, 1, "is a folder: name a file"},
		"demo of nothing":  {[]string{"demo", "--server", missing, "--gateway", missing}, 1, "make build"},
	} {
		_, complaint, status := run(t, tc.args...)
		if status != tc.status || !strings.Contains(complaint, tc.says) {
			t.Errorf("%s: status %d, %q; want %d, %q", name, status, complaint, tc.status, tc.says)
		}
	}
}

// screen collects what a program prints and can be waited on.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func newScreen() *screen { return &screen{more: make(chan struct{}, 1)} }

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the screen shows text.
func (s *screen) await(t *testing.T, text string) {
	t.Helper()
	late := time.NewTimer(3 * time.Minute)
	defer late.Stop()
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.more:
		case <-late.C:
			t.Fatalf("never said %q, only:\n%s", text, s)
		}
	}
}

// start starts a program of PATH as a process.
func start(t *testing.T, name string, args ...string) (*exec.Cmd, *screen) {
	t.Helper()
	s := newScreen()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = s, s
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			if err := errors.Join(cmd.Process.Kill(), cmd.Wait()); err != nil {
				t.Logf("%s: %v", name, err)
			}
		}
	})
	return cmd, s
}

func TestServe_LivesUntilToldToStop(t *testing.T) {
	sample, _, status := run(t, "sample")
	if status != 0 {
		t.Fatal("sample failed")
	}
	dir := t.TempDir()
	config := write(t, filepath.Join(dir, "field.yaml"), sample)
	cmd, screen := start(t, "firmware-sim", "serve", "--config", config)
	screen.await(t, "field is up")
	socket := filepath.Join(dir, "control.sock")
	if out, complaint, status := run(t, "fault", "--control", socket, "ao1-do", "unplug"); status != 0 {
		t.Errorf("fault: %s%s", out, complaint)
	}
	out, _, _ := run(t, "fault", "--control", socket, "list")
	if !strings.Contains(out, "ao1-do unplug unplug,shorted,") {
		t.Errorf("list: %s", out)
	}
	if out, complaint, status := run(t, "tell", "--control", socket, "help", "set"); status != 0 || !strings.HasPrefix(out, "set DEVICE FAULT [NUMBER] - ") {
		t.Errorf("tell help set: %s%s", out, complaint)
	}
	for _, number := range [][]string{{"--", "-1.5"}, {"-1.5"}, {"2"}} {
		if out, complaint, status := run(t, append([]string{"fault", "--control", socket, "ao1-do", "step"}, number...)...); status != 0 {
			t.Errorf("a fault with the number %v: %s%s", number, out, complaint)
		}
	}
	if out, complaint, status := run(t, "fault", "--control", socket, "ao1-do", "clean"); status != 0 {
		t.Errorf("clean: %s%s", out, complaint)
	}
	if out, complaint, status := run(t, "tell", "--control", socket, "drift", "ao1-do", "1", "-0.3"); status != 0 {
		t.Errorf("tell drift: %s%s", out, complaint)
	}
	if _, complaint, status := run(t, "fault", "--control", socket, "ao1-do", "love"); status != 1 || !strings.Contains(complaint, "it can be") {
		t.Errorf("a fault that is none: %d %s", status, complaint)
	}
	for _, device := range []string{"ao1-do", "all"} {
		if _, complaint, status := run(t, "fault", "--control", socket, device, "heal"); status != 0 {
			t.Errorf("heal %s: %s", device, complaint)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("serve: %v\n%s", err, screen)
	}
	if _, err := control.Ask(context.Background(), socket, "list"); err == nil {
		t.Error("still answers")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.sock")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
