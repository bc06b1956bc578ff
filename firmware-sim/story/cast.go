package story

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/gateway/sense"
)

// Options say how stories are told.
type Options struct {
	// Now is asked for the time, to know how long things took and when a gateway lost its power.
	Now func() time.Time
	// Many is how often a story repeats what it does at random moments ($MANY); 0 means 20.
	Many int
	// Seed decides the random moments; the same seed makes the same choices.
	Seed uint64
	// Require lets a story fail, not be skipped, where a part of others is not installed.
	Require bool
}

// verdictor is what a T of testscript can do beyond testscript.T; *testing.T and *stage both can.
type verdictor interface {
	Failed() bool
	Error(args ...any)
	Log(args ...any)
	Skip(args ...any)
}

// cast is who plays in one script, and what is known of them.
type cast struct {
	o        Options
	ctx      context.Context
	t        verdictor
	programs map[string]*Program
	order    []string // of the programs' first starts
	chance   *chance
	losses   []window // when a gateway may have lost what it had in memory
	faults   []window // when chips were broken
	notes    []string // told with the verdict
	mail     *mailbox // nil: the story has none
	step     *step    // the present one; nil under go test
}

type castKey struct{}

// Params returns what testscript needs to tell stories: Setup, the commands and the conditions. The caller adds where the
// scripts are.
func Params(ctx context.Context, o Options) testscript.Params {
	if o.Many == 0 {
		o.Many = 20
	}
	return testscript.Params{
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return setUp(ctx, o, env) },
		Cmds:                commands(),
	}
}

func setUp(ctx context.Context, o Options, env *testscript.Env) error {
	t, ok := env.T().(verdictor)
	if !ok {
		return fmt.Errorf("story: a %T cannot fail after the fact", env.T())
	}
	c := &cast{o: o, ctx: ctx, t: t, programs: map[string]*Program{}, chance: newChance(o.Seed)}
	if s, ok := env.T().(*stage); ok {
		c.step = &s.step
	}
	env.Values[castKey{}] = c
	env.Setenv("MANY", fmt.Sprint(o.Many))
	env.Defer(c.end)
	return nil
}

// end is the end of a story, good or not: nobody is left running, and what programs printed is shown when it failed.
func (c *cast) end() {
	for _, name := range c.order {
		p := c.programs[name]
		if err := p.Signal(syscall.SIGKILL); err != nil {
			c.t.Error(err)
		}
		if bad := p.Out.Crash(); bad != "" {
			c.t.Error(fmt.Sprintf("%s crashed by itself:\n%s", name, bad))
		}
	}
	if c.t.Failed() {
		for _, name := range c.order {
			c.t.Log(fmt.Sprintf("end of the log of %s:\n%s", name, c.programs[name].Out.Tail(4<<10)))
		}
	}
}

// castOf returns the cast of a script, and ends a script that uses a command improperly.
func castOf(ts *testscript.TestScript, neg bool, args []string, atLeast int, usage string) *cast {
	c, ok := ts.Value(castKey{}).(*cast)
	switch {
	case !ok:
		ts.Fatalf("story: no cast")
	case neg:
		ts.Fatalf("%s cannot be negated", strings.Fields(usage)[0])
	case len(args) < atLeast:
		ts.Fatalf("usage: %s", usage)
	}
	return c
}

func (c *cast) program(ts *testscript.TestScript, name string) *Program {
	p := c.programs[name]
	if p == nil {
		ts.Fatalf("nobody started %s; there are: %s", name, strings.Join(c.order, ", "))
	}
	return p
}

// begin starts a program under a name, again when it was there before.
func (c *cast) begin(ts *testscript.TestScript, name, bin string, args ...string) *Program {
	p := c.programs[name]
	if p == nil {
		p = NewProgram(bin)
		c.programs[name] = p
		c.order = append(c.order, name)
	}
	path, err := c.look(ts, bin)
	ts.Check(err)
	p.Bin, p.Args, p.Dir, p.Env = path, args, ts.MkAbs("."), append(os.Environ(), "PATH="+ts.Getenv("PATH"))
	if root := machineOf(ts, name); isFolder(root) {
		p.Env = append(p.Env, sense.MachineVariable+"="+root)
	}
	ts.Check(p.Start())
	return p
}

// look finds a program on the script's PATH, and where Debian hides those of daemons.
func (c *cast) look(ts *testscript.TestScript, bin string) (string, error) {
	if strings.ContainsRune(bin, os.PathSeparator) {
		return ts.MkAbs(bin), nil
	}
	for _, dir := range append(filepath.SplitList(ts.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, bin)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("no program %s on PATH", bin)
}

// ask runs a program to its end in the script's folder and returns what it printed on standard output.
func (c *cast) ask(ts *testscript.TestScript, bin string, args ...string) (string, error) {
	path, err := c.look(ts, bin)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(c.ctx, path, args...)
	cmd.Dir, cmd.SysProcAttr = ts.MkAbs("."), ownGroup()
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", bin, strings.Join(args, " "), err)
	}
	return string(out), nil
}

// await asks until state says done, and ends the script with state's last word when the limit is over.
func (c *cast) await(ts *testscript.TestScript, limit time.Duration, what string, state func(ctx context.Context) (done bool, word string)) {
	ctx, cancel := context.WithTimeout(c.ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	word := ""
	for {
		done, now := state(ctx)
		if done {
			return
		}
		if ctx.Err() == nil || word == "" {
			word = now // what the end of patience says is no news
		}
		select {
		case <-ctx.Done():
			if c.ctx.Err() != nil {
				ts.Fatalf("%s: interrupted; last: %s", what, word)
			}
			ts.Fatalf("%s: not within %v; last: %s", what, limit, word)
		case <-tick.C:
		}
	}
}

// pass lets time go by: a fault lasts, or comes at a random moment. It is no way to wait for something.
func (c *cast) pass(ts *testscript.TestScript, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c.ctx.Done():
		ts.Fatalf("interrupted")
	case <-timer.C:
	}
}

// note is a figure of the story, told with its verdict and in the log.
func (c *cast) note(ts *testscript.TestScript, format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	c.notes = append(c.notes, line)
	ts.Logf("%s", line)
	if c.step != nil {
		c.step.say(line)
		return
	}
	c.t.Log(line)
}
