package parttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

const (
	readyTimeout = 60 * time.Second // from start to ready; a loaded CI machine is slow
	stopTimeout  = 30 * time.Second // from SIGTERM to the end
	pollEvery    = 10 * time.Millisecond
	logShown     = 16 << 10 // bytes of a part's log that a failed test shows
)

// process is one part: the same command line, started and ended any number of times.
type process struct {
	t    testing.TB
	name string
	path string
	args []string
	env  []string
	as   *syscall.Credential // nil: the user of the test
	stop syscall.Signal      // asks the part to end by itself
	logs string              // file that takes stdout and stderr of every start

	// ready asks the running part something only it can answer.
	ready func(ctx context.Context) error

	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has been waited for
	// waitErr is how it ended, readable once exited is closed. A killed part always has one: it is no failure.
	waitErr error
}

// newProcess prepares a part and promises that it is not running when the test ends.
func newProcess(t testing.TB, name, path string, args ...string) *process {
	t.Helper()
	p := &process{
		t: t, name: name, path: path, args: args, stop: syscall.SIGTERM,
		logs: filepath.Join(tempDir(t, "aovuon-log-"), name+".log"),
	}
	t.Cleanup(func() {
		p.end(p.stop)
		if t.Failed() {
			t.Logf("parttest: end of the log of %s:\n%s", name, p.tail())
		}
	})
	return p
}

// start runs the part and waits until it is ready.
func (p *process) start() error {
	if p.running() {
		return fmt.Errorf("%s runs already", p.name)
	}
	out, err := os.OpenFile(p.logs, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// The context of the command is the test's life, which Cleanup ends in order; not that of the call.
	cmd := exec.Command(p.path, p.args...) //nolint:noctx // ended by signals, politely first
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Dir = filepath.Dir(p.logs)
	if p.as != nil {
		cmd.Dir = "/"
	}
	cmd.SysProcAttr = attributes(p.as)
	err = cmd.Start()
	if cerr := out.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	exited := make(chan struct{})
	p.cmd, p.exited = cmd, exited
	go func() {
		defer close(exited)
		p.waitErr = cmd.Wait()
	}()
	return p.awaitReady()
}

// awaitReady asks until the part answers, has ended, or time is up.
func (p *process) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := p.ready(ctx)
		if err == nil && p.running() {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s was not ready yet: %w (%w)\n%s", p.name, errEnded, p.waitErr, p.tail())
		case <-ctx.Done():
			p.end(syscall.SIGKILL)
			return fmt.Errorf("%s is not ready after %s: %w\n%s", p.name, readyTimeout, err, p.tail())
		case <-tick.C:
		}
	}
}

// errEnded marks a part that ended by itself while it started, as when its port was taken meanwhile.
var errEnded = errors.New("it ended by itself")

func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// end sends sig and waits until the process is gone; one that does not go is killed. Ending what has ended is fine.
func (p *process) end(sig syscall.Signal) {
	if !p.running() {
		return
	}
	if err := p.cmd.Process.Signal(sig); err != nil && p.running() {
		p.t.Logf("parttest: signal %s to %s: %v", sig, p.name, err)
	}
	late := time.NewTimer(stopTimeout)
	defer late.Stop()
	select {
	case <-p.exited:
		return
	case <-late.C:
	}
	p.t.Logf("parttest: %s did not end within %s of %s: killed", p.name, stopTimeout, sig)
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Logf("parttest: kill %s: %v", p.name, err)
	}
	<-p.exited
}

// tail returns the end of the log.
func (p *process) tail() string {
	b, err := os.ReadFile(p.logs)
	if err != nil {
		return err.Error()
	}
	if len(b) > logShown {
		b = b[len(b)-logShown:]
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		}
	}
	return string(b)
}

// pid returns the process id, 0 when it does not run.
func (p *process) pid() int {
	if !p.running() {
		return 0
	}
	return p.cmd.Process.Pid
}
