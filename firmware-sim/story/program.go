package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// Patience is how long anything may take that takes a moment on an idle machine. A passing run never waits it out.
	Patience = 3 * time.Minute
	// quick is how long a program may take to end after Ctrl-C.
	quick = 15 * time.Second
	// pollEvery is how often a state is asked for that tells nobody when it changes.
	pollEvery = 20 * time.Millisecond
)

// Program is a program at work: the same command line, started and ended any number of times. It is for one goroutine.
type Program struct {
	Bin  string // a path, or a name on PATH
	Args []string
	Dir  string    // where it runs; empty: where we do
	Env  []string  // as of exec.Cmd; nil: ours
	In   io.Reader // standard input; nil: empty
	Out  *Output   // what it printed, in all its runs

	cmd    *exec.Cmd
	exited chan struct{} // closed when cmd has been waited for
	err    error         // how it ended; readable once exited is closed
}

// NewProgram prepares a program and starts nothing.
func NewProgram(bin string, args ...string) *Program {
	return &Program{Bin: bin, Args: args, Out: &Output{}}
}

// Start starts the program and waits for nothing.
func (p *Program) Start() error {
	if p.Running() {
		return fmt.Errorf("%s runs already", p.Bin)
	}
	p.Out.restart()
	cmd := exec.Command(p.Bin, p.Args...) //nolint:noctx // ended by signals, politely first
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.In, p.Out, p.Out
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.Dir, p.Env, ownGroup()
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Bin, err)
	}
	exited := make(chan struct{})
	p.cmd, p.exited = cmd, exited
	go func() {
		defer close(exited)
		p.err = cmd.Wait()
	}()
	return nil
}

// Running reports whether it was started and has not ended.
func (p *Program) Running() bool {
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

// PID is the process id of the last start, 0 before the first.
func (p *Program) PID() int {
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Ended is closed when the program, started, has ended; Err then says how.
func (p *Program) Ended() <-chan struct{} { return p.exited }

// Err is how an ended program ended: nil is status 0.
func (p *Program) Err() error { return p.err }

// Status is the exit status of an ended program; -1 when a signal ended it.
func (p *Program) Status() int { return p.cmd.ProcessState.ExitCode() }

// alive is an error when the program should run and does not.
func (p *Program) alive() error {
	switch {
	case p.cmd == nil:
		return fmt.Errorf("%s was never started", p.Bin)
	case !p.Running():
		return fmt.Errorf("%s should be running, but ended by itself: %w\n%s", p.Bin, orStatus0(p.err), p.Out.Tail(4<<10))
	}
	return nil
}

// orStatus0 gives nil its word.
func orStatus0(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// Kill is the power cut: SIGKILL, and nothing said before. It waits for the end.
func (p *Program) Kill() error {
	if err := p.alive(); err != nil {
		return err
	}
	return p.Signal(syscall.SIGKILL)
}

// Signal sends sig and waits for the end. A program that does not run is left alone; one that does not end is killed, which
// is an error.
func (p *Program) Signal(sig syscall.Signal) error {
	if !p.Running() {
		return nil
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %v to %s: %w", sig, p.Bin, err)
	}
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
	}
	err := p.cmd.Process.Kill()
	<-p.exited
	return errors.Join(fmt.Errorf("%s did not end within %v of %v", p.Bin, Patience, sig), err)
}

// Stop is Ctrl-C: the program has to end by itself, with status 0 and no child left behind.
func (p *Program) Stop() error {
	if err := p.alive(); err != nil {
		return err
	}
	group := p.cmd.Process.Pid
	if err := p.Signal(syscall.SIGINT); err != nil {
		return err
	}
	if p.err != nil {
		return fmt.Errorf("%s ended by Ctrl-C with %w\n%s", p.Bin, p.err, p.Out.Tail(4<<10))
	}
	if err := syscall.Kill(-group, 0); !errors.Is(err, syscall.ESRCH) {
		return errors.Join(fmt.Errorf("%s left a child behind in process group %d", p.Bin, group), err)
	}
	return nil
}

// AwaitOutput waits until the program, since its last start, has printed text.
func (p *Program) AwaitOutput(ctx context.Context, text string) error {
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case <-p.Out.seen(text):
	case <-ctx.Done():
		return ctx.Err()
	case <-p.exited:
		select {
		case <-p.Out.seen(text): // its last word
		default:
			return fmt.Errorf("%s ended (%w) without printing %q:\n%s", p.Bin, orStatus0(p.err), text, p.Out.Tail(4<<10))
		}
	case <-timer.C:
		return fmt.Errorf("%s did not print %q within %v:\n%s", p.Bin, text, Patience, p.Out.Tail(4<<10))
	}
	return nil
}
