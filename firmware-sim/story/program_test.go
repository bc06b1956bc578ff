package story_test

import (
	"bytes"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"aovuon/firmware-sim/story"
)

// program is one of the three programs at work in a Go story: whatever it does not do as it should fails the test.
type program struct {
	*story.Program
	t       testing.TB
	started time.Time // the last time
}

// newProgram prepares a program and promises that it is gone when the story ends.
func newProgram(t testing.TB, bin string, args ...string) *program {
	t.Helper()
	p := &program{t: t, Program: story.NewProgram(bin, args...)}
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", bin, p.Out.Tail(12<<10))
		}
		if bad := p.Out.Crash(); bad != "" {
			t.Errorf("%s crashed by itself:\n%s", bin, bad)
		}
	})
	return p
}

func (p *program) start() {
	p.t.Helper()
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.started = time.Now()
}

func (p *program) kill() {
	p.t.Helper()
	if err := p.Kill(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.Signal(sig); err != nil {
		p.t.Error(err)
	}
}

func (p *program) stop() {
	p.t.Helper()
	if err := p.Stop(); err != nil {
		p.t.Fatal(err)
	}
}

func (p *program) awaitOutput(text string) {
	p.t.Helper()
	if err := p.AwaitOutput(p.t.Context(), text); err != nil {
		p.t.Fatal(err)
	}
}

// once runs a program to its end and returns what it printed on standard output.
func once(t testing.TB, bin string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", bin, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}
