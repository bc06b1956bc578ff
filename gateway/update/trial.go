package update

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"aovuon/gateway/wire"
)

// strikes is how many times a program on trial may end or hang: twice can be chance.
const strikes = 3

// Verdict is what became of a trial. Neither Good nor a Code: it was told to stop, and goes on at the next start.
type Verdict struct {
	Good bool
	Code string
	Why  string // in English
}

// Trial runs a program as a child until it has proven itself or failed.
type Trial struct {
	Path string
	Args []string // with its name
	Env  []string

	Within time.Duration // so long it may take to prove itself
	Beat   time.Duration // so long it may not beat; default 60 s
	Pause  time.Duration // before it is started again; default 2 s
	Grace  time.Duration // so long it may take to end when asked; default 40 s

	// Proof reports whether a receipt, as it came, is for something that the program on trial sealed itself.
	Proof func(ctx context.Context, receipt []byte) error
	// Well reports what is still amiss once there is a proof; nil: nothing.
	Well func(ctx context.Context) error
	// Alive is called every second or so, for the watchdog of this program.
	Alive  func()
	Stderr io.Writer
	Log    *slog.Logger
}

func (t *Trial) defaults() {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&t.Beat, time.Minute)
	def(&t.Pause, 2*time.Second)
	def(&t.Grace, 40*time.Second)
}

// Run tries the program. When it returns, the program has ended: in order when the verdict is good or ctx was done.
func (t *Trial) Run(ctx context.Context) Verdict {
	t.defaults()
	// The kernel ends the child when the thread that started it ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	end := time.NewTimer(t.Within)
	defer end.Stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	var last Verdict
	for range strikes {
		r := &round{Trial: t, hup: hup, end: end.C, last: last}
		v, again := r.run(ctx)
		if !again {
			return v
		}
		last = v
		t.Log.Warn("the program on trial failed, and is started again", slog.String("code", v.Code), slog.String("why", v.Why))
		if !t.rest(ctx) {
			return Verdict{}
		}
	}
	return last
}

// rest waits before the next start; false: told to stop.
func (t *Trial) rest(ctx context.Context) bool {
	pause := time.NewTimer(t.Pause)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-pause.C:
		return true
	}
}

// ending is how a program ended.
type ending struct{ err error }

// round is one start of the program on trial.
type round struct {
	*Trial
	hup  chan os.Signal
	end  <-chan time.Time
	last Verdict // of the round before

	cmd    *exec.Cmd
	tail   tail // what it complained of last
	proven bool
	amiss  error
}

// run returns again where the program may be started once more.
func (r *round) run(ctx context.Context) (v Verdict, again bool) {
	said, done, err := r.start()
	if err != nil {
		return Verdict{Code: wire.CodeCrash, Why: fmt.Sprintf("it cannot be started: %v", err)}, true
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	hang := time.NewTimer(r.Beat)
	defer hang.Stop()
	for {
		select {
		case <-ctx.Done():
			r.stop(done)
			return Verdict{}, false
		case end := <-done:
			return Verdict{Code: wire.CodeCrash, Why: strings.TrimSpace(fmt.Sprintf("it ended by itself (%s): %s", how(end.err), r.tail.String()))}, true
		case <-hang.C:
			r.kill(done)
			return Verdict{Code: wire.CodeHang, Why: fmt.Sprintf("it gave no sign of life for %v: %s", r.Beat, r.tail.String())}, true
		case <-r.end:
			r.stop(done)
			return r.late(), false
		case <-r.hup:
			r.signal(syscall.SIGHUP)
		case line, ok := <-said:
			if !ok {
				said = nil
				continue
			}
			hang.Reset(r.Beat)
			r.hear(ctx, line)
		case <-tick.C:
			r.Alive()
		}
		if r.proven && r.well(ctx) {
			r.stop(done)
			return Verdict{Good: true}, false
		}
	}
}

// late is the verdict when the time is over.
func (r *round) late() Verdict {
	if r.proven {
		return Verdict{Code: wire.CodeBlind, Why: fmt.Sprintf("it reports, but after %v: %v", r.Within, r.amiss)}
	}
	why := fmt.Sprintf("no receipt came within %v for anything it sealed: %s", r.Within, r.tail.String())
	if r.last.Code != "" {
		return Verdict{Code: r.last.Code, Why: r.last.Why}
	}
	return Verdict{Code: wire.CodeMute, Why: strings.TrimSpace(why)}
}

func (r *round) hear(ctx context.Context, line string) {
	receipt, ok := strings.CutPrefix(line, sayReceipt+" ")
	if !ok || r.proven {
		return
	}
	raw, err := base64.StdEncoding.DecodeString(receipt)
	if err == nil {
		err = r.Proof(ctx, raw)
	}
	if err != nil {
		r.Log.Debug("a receipt proves nothing yet", slog.Any("err", err))
		return
	}
	r.proven = true
}

func (r *round) well(ctx context.Context) bool {
	if r.Well == nil {
		return true
	}
	r.amiss = r.Well(ctx)
	return r.amiss == nil
}

// start starts the program; said carries its lines and is closed when there are no more, done its end.
func (r *round) start() (said <-chan string, done <-chan ending, err error) {
	in, out, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	r.cmd = exec.Command(r.Path) //nolint:noctx // it is ended by signal, in order
	r.cmd.Args, r.cmd.Env, r.cmd.ExtraFiles = r.Args, r.Env, []*os.File{out}
	r.cmd.Stdout, r.cmd.Stderr = r.Stderr, io.MultiWriter(r.Stderr, &r.tail)
	r.cmd.SysProcAttr = diesWithUs()
	r.cmd.WaitDelay = 2 * time.Second
	if err := errors.Join(r.cmd.Start(), out.Close()); err != nil {
		return nil, nil, errors.Join(err, in.Close())
	}
	lines, ended, gone := make(chan string, 16), make(chan ending, 1), make(chan struct{})
	go func() {
		defer close(lines)
		scan := bufio.NewScanner(in)
		for scan.Scan() {
			select {
			case lines <- scan.Text():
			case <-gone: // nobody listens any more
				return
			}
		}
	}()
	go func() {
		err := r.cmd.Wait()
		close(gone)
		ended <- ending{errors.Join(err, in.Close())}
	}()
	return lines, ended, nil
}

// stop asks the program to end and waits; one that does not is killed.
func (r *round) stop(done <-chan ending) {
	r.signal(syscall.SIGTERM)
	grace := time.NewTimer(r.Grace)
	defer grace.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			r.Alive()
		case <-grace.C:
			r.kill(done)
			return
		}
	}
}

func (r *round) kill(done <-chan ending) {
	r.signal(syscall.SIGKILL)
	<-done
}

func (r *round) signal(s syscall.Signal) {
	if err := r.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.Log.Warn("the program on trial takes no signal", slog.Any("err", err))
	}
}

func how(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// tailKept is how much of what a program complained of last is kept.
const tailKept = 400

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	end []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	t.end = bytes.Clone(t.end[max(0, len(t.end)-tailKept):])
	return len(p), nil
}

// String returns the last whole lines.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := strings.ToValidUTF8(strings.TrimSpace(string(t.end)), "")
	if len(t.end) == tailKept {
		if _, rest, ok := strings.Cut(s, "\n"); ok {
			s = rest
		}
	}
	return s
}
