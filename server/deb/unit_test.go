// Package deb_test checks the server's unit with the programs that will read it.
package deb_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"aovuon/server/app"
	"aovuon/server/parttest"
	"aovuon/server/parttest/confine"
)

const unit = "aovuon-server.service"

// TestMain is the server program when it is called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "server" {
		os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// The server may expose itself to 1.7 of 10 by systemd's own reckoning: it serves the Internet, on ports below 1024, and may have a modem.
func TestUnit_IsUnderstoodBySystemdAndExposesLittle(t *testing.T) {
	u := confine.Read(t, unit)
	u.Verify()
	u.Exposes(17)
}

// TestUnit_AllowsEverySystemCallTheServerMakes watches a server being made, started, asked for pages and ended.
func TestUnit_AllowsEverySystemCallTheServerMakes(t *testing.T) {
	strace := parttest.Tool(t, "strace")
	dir := t.TempDir()
	program, config, trace := filepath.Join(dir, "server"), filepath.Join(dir, "server.yaml"), filepath.Join(dir, "trace")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	pages := parttest.FreeAddress(t)
	text := "data_dir: data\nname: htx\nlisten: " + pages + "\npublic_url: http://" + pages + "\nbroker: { embedded: { listen: 127.0.0.1:0 } }\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, program, "init", "--config", config)
	run(t, dir, program, "farm", "demo", "--config", config)
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-qq", "-o", trace, program, "run", "--config", config)
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Setpgid: true}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }) //nolint:errcheck // it has ended by then
	for _, path := range []string{"/readyz", "/", "/qr/01/09521234010036/10/AO1-261123.svg"} {
		parttest.Await(t, path, func() bool {
			resp, err := http.Get("http://" + pages + path)
			if err != nil {
				return false
			}
			_, err = io.Copy(io.Discard, resp.Body)
			return err == nil && resp.Body.Close() == nil && resp.StatusCode < http.StatusInternalServerError
		})
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("the traced server: %v\n%s", err, &log)
	}
	made := confine.ReadTrace(t, trace)
	if made.Made("bind") == 0 || made.Made("fdatasync")+made.Made("fsync") == 0 {
		t.Error("this is no trace of a server")
	}
	rules := confine.Rules{Harmless: []string{"prlimit64", "setrlimit", "sched_setaffinity", "fchown"}, Writes: []string{filepath.Join(dir, "data")}}
	for _, complaint := range confine.Read(t, unit).Check(made, rules) {
		t.Error(complaint)
	}
}

func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}
