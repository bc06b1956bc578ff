package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// child is a program that the demo runs. It has a process group of its own, so that Ctrl-C in a terminal reaches the demo
// alone, which then ends its children in their order.
type child struct {
	name string
	cmd  *exec.Cmd
	out  *prefixed     // its standard output
	done chan struct{} // closed when it has ended
	err  error         // how, once done is closed
}

// household owns the children of a demo.
type household struct {
	screen   *screen
	width    int // of the longest name
	start    chan func()
	children []*child
	ended    chan *child // one message per child that ended
}

// newHousehold returns a household whose children live no longer than the program, also when it is killed: the kernel
// signals them when the thread that started them ends, so one thread starts them all and stays.
func newHousehold(s *screen) *household {
	h := &household{screen: s, width: len("gw-ao-phukhe"), start: make(chan func()), ended: make(chan *child, 16)}
	go func() {
		runtime.LockOSThread()
		for f := range h.start {
			f()
		}
	}()
	return h
}

// close ends the thread; every child must have ended.
func (h *household) close() { close(h.start) }

// spawn starts a program that runs on. Its log lines appear as they come; with hold, what it prints on standard output
// (the server's address and label) waits for c.out.release.
func (h *household) spawn(name string, hold bool, bin string, args ...string) (*child, error) {
	prefix := fmt.Sprintf("%-*s | ", h.width, name)
	out, complaints := h.screen.writer(prefix), h.screen.writer(prefix)
	out.hold = hold
	c := &child{name: name, cmd: exec.Command(bin, args...), out: out, done: make(chan struct{})} //nolint:noctx // stopped by signal, in order
	c.cmd.Stdout, c.cmd.Stderr = out, complaints
	c.cmd.SysProcAttr = ownGroup()
	// A grandchild that keeps the pipe open must not keep us waiting.
	c.cmd.WaitDelay = 2 * time.Second
	started := make(chan error)
	h.start <- func() { started <- c.cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	h.children = append(h.children, c)
	go func() {
		c.err = errors.Join(c.cmd.Wait(), out.end(), complaints.end())
		close(c.done)
		h.ended <- c
	}()
	return c, nil
}

// alive reports whether the child has not ended.
func (c *child) alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// died is the error of a child that ended by itself.
func (c *child) died() error {
	how := "exit status 0"
	if c.err != nil {
		how = c.err.Error()
	}
	return fmt.Errorf("%s ended by itself (%s); its last lines above say why", c.name, how)
}

// stop asks a child to end and waits; one that does not within grace is killed with all it started.
func (c *child) stop(grace time.Duration) error {
	if c.alive() {
		if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop %s: %w", c.name, err)
		}
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-c.done:
	case <-t.C:
		if err := killGroup(c.cmd.Process.Pid); err != nil {
			return fmt.Errorf("kill %s: %w", c.name, err)
		}
		<-c.done
		return fmt.Errorf("%s did not end within %v of being asked, and was killed", c.name, grace)
	}
	if c.err != nil && !c.obeyed() {
		return fmt.Errorf("%s: %w", c.name, c.err)
	}
	return nil
}

// obeyed reports whether our own signal ended the child: it had not come so far as to catch it.
func (c *child) obeyed() bool {
	ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGTERM
}

// stopAll ends the children that still run, the last started first.
func (h *household) stopAll(grace time.Duration) error {
	var errs []error
	for _, c := range slices.Backward(h.children) {
		if c.alive() {
			errs = append(errs, c.stop(grace))
		}
	}
	return errors.Join(errs...)
}

// ask runs a program to its end and returns what it printed. The error carries what it complained of.
func ask(ctx context.Context, bin string, args ...string) (string, error) {
	var out, complaint strings.Builder
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(bin), strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}
