// Package child runs programs as children of this one: their lines, each with its program's name, on one screen; their ends
// told; none of them outlives this program, however it ends.
package child

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
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Child is a program that a Household runs. It has a process group of its own, so that Ctrl-C in a terminal reaches this program
// alone, which then ends its children in their order.
type Child struct {
	Name string
	Out  *Prefixed     // its standard output
	Done chan struct{} // closed when it has ended

	cmd   *exec.Cmd
	err   error       // how, once Done is closed
	asked atomic.Bool // somebody here ended it
}

// Household owns children.
type Household struct {
	screen *Screen
	width  int // of the longest name
	start  chan func()
	ended  chan *Child

	mu       sync.Mutex
	children []*Child // that may still run
}

// NewHousehold returns a household whose children live no longer than the program, also when it is killed: the kernel
// signals them when the thread that started them ends, so one thread starts them all and stays. names are what its children
// will be called, for a tidy screen.
func NewHousehold(s *Screen, names ...string) *Household {
	h := &Household{screen: s, start: make(chan func()), ended: make(chan *Child, 64)}
	for _, n := range names {
		h.width = max(h.width, len(n))
	}
	go func() {
		runtime.LockOSThread()
		for f := range h.start {
			f()
		}
	}()
	return h
}

// Close ends the thread; every child must have ended.
func (h *Household) Close() { close(h.start) }

// Ended tells of every child that ended, however it did. Nobody needs to listen: what 64 of them have not heard is forgotten.
func (h *Household) Ended() <-chan *Child { return h.ended }

// Writer writes lines to the screen with a name before each, as a child's.
func (h *Household) Writer(name string) *Prefixed {
	return h.screen.Writer(fmt.Sprintf("%-*s | ", h.width, name))
}

// Spec is a program that is to run.
type Spec struct {
	Name string
	Bin  string
	As   string // what it is told it is called; empty: Bin
	Args []string
	Env  []string // beside this program's own
	Dir  string   // where it runs; empty: where this program does
	Hold bool     // what it prints on standard output waits for Out.Release
	// Files are given to it as descriptors 3, 4 …
	Files []*os.File
}

// Spawn starts a program that runs on. Its log lines appear as they come.
func (h *Household) Spawn(s Spec) (*Child, error) {
	out, complaints := h.Writer(s.Name), h.Writer(s.Name)
	out.hold = s.Hold
	c := &Child{Name: s.Name, cmd: exec.Command(s.Bin, s.Args...), Out: out, Done: make(chan struct{})} //nolint:noctx // stopped by signal, in order
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.Dir, c.cmd.ExtraFiles = out, complaints, s.Dir, s.Files
	c.cmd.SysProcAttr = ownGroup()
	if s.As != "" {
		c.cmd.Args[0] = s.As
	}
	if len(s.Env) > 0 {
		c.cmd.Env = append(os.Environ(), s.Env...)
	}
	// A grandchild that keeps the pipe open must not keep us waiting.
	c.cmd.WaitDelay = 2 * time.Second
	started := make(chan error)
	h.start <- func() { started <- c.cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Name, err)
	}
	h.mu.Lock()
	h.children = append(slices.DeleteFunc(h.children, func(o *Child) bool { return !o.Alive() }), c)
	h.mu.Unlock()
	go func() {
		c.err = errors.Join(c.cmd.Wait(), out.end(), complaints.end())
		close(c.Done)
		select {
		case h.ended <- c:
		default:
		}
	}()
	return c, nil
}

// Alive reports whether the child has not ended.
func (c *Child) Alive() bool {
	select {
	case <-c.Done:
		return false
	default:
		return true
	}
}

// PID is the child's process id, which is also its group's.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Asked reports whether the child was ended from here: otherwise it ended by itself.
func (c *Child) Asked() bool { return c.asked.Load() }

// How is how a child that has ended did it: "exit status 0", "signal: killed".
func (c *Child) How() string {
	if c.err != nil {
		return c.err.Error()
	}
	return "exit status 0"
}

// Died is the error of a child that ended by itself.
func (c *Child) Died() error {
	return fmt.Errorf("%s ended by itself (%s); its last lines above say why", c.Name, c.How())
}

// Kill ends a child and all it started at once, and waits.
func (c *Child) Kill() error {
	if !c.Alive() {
		return nil
	}
	c.asked.Store(true)
	if err := killGroup(c.PID()); err != nil {
		return fmt.Errorf("kill %s: %w", c.Name, err)
	}
	<-c.Done
	return nil
}

// Stop asks a child to end and waits; one that does not within grace is killed with all it started.
func (c *Child) Stop(grace time.Duration) error {
	if c.Alive() {
		c.asked.Store(true)
		if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop %s: %w", c.Name, err)
		}
	}
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-c.Done:
	case <-t.C:
		if err := c.Kill(); err != nil {
			return err
		}
		return fmt.Errorf("%s did not end within %v of being asked, and was killed", c.Name, grace)
	}
	if c.err != nil && !c.obeyed() {
		return fmt.Errorf("%s: %w", c.Name, c.err)
	}
	return nil
}

// Await waits until ready says so, or the child ends, or ctx is done, or a minute is over. what is what is awaited, for errors.
func (c *Child) Await(ctx context.Context, what string, ready func(ctx context.Context) bool) error {
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready(waiting) {
		select {
		case <-c.Done:
			return c.Died()
		case <-tick.C:
		case <-waiting.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%s did not answer within a minute", what)
		}
	}
	return nil
}

// obeyed reports whether our own signal ended the child: it had not come so far as to catch it.
func (c *Child) obeyed() bool {
	ws, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGTERM
}

// StopAll ends the children that still run, the last started first.
func (h *Household) StopAll(grace time.Duration) error {
	h.mu.Lock()
	list := slices.Clone(h.children)
	h.mu.Unlock()
	var errs []error
	for _, c := range slices.Backward(list) {
		if c.Alive() {
			errs = append(errs, c.Stop(grace))
		}
	}
	return errors.Join(errs...)
}

// Ask runs a program to its end and returns what it printed. The error carries what it complained of.
func Ask(ctx context.Context, bin string, args ...string) (string, error) {
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
