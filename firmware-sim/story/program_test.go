package story_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is one of the three programs at work: the same command line, started and ended any number of times.
type program struct {
	t    testing.TB
	bin  string
	args []string
	dir  string    // where it runs; empty: where the test does
	in   io.Reader // standard input; nil: empty
	out  *output

	started time.Time // the last time
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has been waited for
	err     error         // how it ended; readable once exited is closed
}

// newProgram prepares a program and promises that it is gone when the story ends.
func newProgram(t testing.TB, bin string, args ...string) *program {
	t.Helper()
	p := &program{t: t, bin: bin, args: args, out: &output{}}
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", bin, p.out.tail(12<<10))
		}
		if bad := p.out.crash(); bad != "" {
			t.Errorf("%s crashed by itself:\n%s", bin, bad)
		}
	})
	return p
}

// start runs the program and does not wait for anything.
func (p *program) start() {
	p.t.Helper()
	if p.running() {
		p.t.Fatalf("%s runs already", p.bin)
	}
	p.out.restart()
	cmd := exec.Command(p.bin, p.args...) // ended by signals, politely first
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.in, p.out, p.out
	cmd.Dir, cmd.SysProcAttr = p.dir, ownGroup()
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", p.bin, err)
	}
	exited := make(chan struct{})
	p.cmd, p.exited, p.started = cmd, exited, time.Now()
	go func() {
		defer close(exited)
		p.err = cmd.Wait()
	}()
}

func (p *program) running() bool {
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

// kill is the power cut: SIGKILL, and nothing said before.
func (p *program) kill() {
	p.t.Helper()
	if !p.running() {
		p.t.Fatalf("%s should be running, but ended by itself: %v\n%s", p.bin, p.err, p.out.tail(4<<10))
	}
	p.signal(syscall.SIGKILL)
}

// signal sends sig and waits for the end.
func (p *program) signal(sig syscall.Signal) {
	if !p.running() {
		return
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal %v to %s: %v", sig, p.bin, err)
	}
	select {
	case <-p.exited:
		return
	case <-time.After(patience):
	}
	p.t.Errorf("%s did not end within %v of %v", p.bin, patience, sig)
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Logf("kill %s: %v", p.bin, err)
	}
	<-p.exited
}

// stop is Ctrl-C: the program has to end by itself, with status 0 and no child left behind. It returns how long that took.
func (p *program) stop() time.Duration {
	p.t.Helper()
	if !p.running() {
		p.t.Fatalf("%s should be running, but ended by itself: %v\n%s", p.bin, p.err, p.out.tail(4<<10))
	}
	group, began := p.cmd.Process.Pid, time.Now()
	p.signal(syscall.SIGINT)
	took := time.Since(began)
	if p.err != nil {
		p.t.Errorf("%s ended by Ctrl-C with %v\n%s", p.bin, p.err, p.out.tail(4<<10))
	}
	if err := syscall.Kill(-group, 0); !errors.Is(err, syscall.ESRCH) {
		p.t.Errorf("%s left a child behind in process group %d (%v)", p.bin, group, err)
	}
	return took
}

// awaitOutput waits until the program, since its last start, has printed text.
func (p *program) awaitOutput(text string) {
	p.t.Helper()
	select {
	case <-p.out.seen(text):
	case <-p.exited:
		select {
		case <-p.out.seen(text): // its last word
		default:
			p.t.Fatalf("%s ended (%v) without printing %q:\n%s", p.bin, p.err, text, p.out.tail(4<<10))
		}
	case <-time.After(patience):
		p.t.Fatalf("%s did not print %q within %v:\n%s", p.bin, text, patience, p.out.tail(4<<10))
	}
}

// once runs a program to its end and returns what it printed on standard output.
func once(t testing.TB, bin string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), bin, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", bin, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// output keeps what a program prints, and tells who waits for a text in it.
type output struct {
	mu    sync.Mutex
	all   []byte
	from  int // where the present run began
	waits map[string]chan struct{}
}

// Write implements io.Writer.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, b...)
	for text, c := range o.waits {
		if bytes.Contains(o.all[o.from:], []byte(text)) {
			close(c)
			delete(o.waits, text)
		}
	}
	return len(b), nil
}

func (o *output) restart() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from = len(o.all)
}

// seen returns a channel that is closed when text has been printed since the last start.
func (o *output) seen(text string) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, waits := o.waits[text]
	if !waits {
		c = make(chan struct{})
	}
	if bytes.Contains(o.all[o.from:], []byte(text)) {
		if !waits {
			close(c)
		}
		return c
	}
	if o.waits == nil {
		o.waits = map[string]chan struct{}{}
	}
	o.waits[text] = c
	return c
}

// run returns what was printed since the last start.
func (o *output) run() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.all[o.from:])
}

func (o *output) tail(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.all
	if len(b) > n {
		b = append([]byte(fmt.Sprintf("(%d bytes before)\n", len(b)-n)), b[len(b)-n:]...)
	}
	return string(b)
}

// crash returns the beginning of a panic or of a data race, if one was ever printed.
func (o *output) crash() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, sign := range []string{"panic: ", "fatal error: ", "WARNING: DATA RACE"} {
		if i := bytes.Index(o.all, []byte(sign)); i >= 0 {
			return string(o.all[i:min(len(o.all), i+6<<10)])
		}
	}
	return ""
}
