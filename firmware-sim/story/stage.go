package story

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// stage is where a story is told outside go test: the T of testscript. What the story does is printed step by step; what
// the commands said is printed only when it fails.
type stage struct {
	name    string
	verbose bool
	step    step

	mu      sync.Mutex
	failed  bool
	skipped string   // why; empty: it was not
	log     []string // in the order it came
}

// Skip implements testscript.T.
func (s *stage) Skip(args ...any) {
	s.mu.Lock()
	s.skipped = strings.TrimSpace(fmt.Sprint(args...))
	s.mu.Unlock()
	runtime.Goexit()
}

// Fatal implements testscript.T.
func (s *stage) Fatal(args ...any) {
	s.Error(args...)
	runtime.Goexit()
}

// FailNow implements testscript.T.
func (s *stage) FailNow() {
	s.fail()
	runtime.Goexit()
}

func (s *stage) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = true
}

// Error says what is wrong and goes on.
func (s *stage) Error(args ...any) {
	s.Log(args...)
	s.fail()
}

// Failed reports whether something was wrong.
func (s *stage) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Log implements testscript.T.
func (s *stage) Log(args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, strings.TrimSpace(fmt.Sprint(args...)))
}

// Parallel implements testscript.T: stories are told one after the other.
func (s *stage) Parallel() {}

// Verbose implements testscript.T.
func (s *stage) Verbose() bool { return s.verbose }

// Run implements testscript.T: f runs to its end, which may be in the middle of it.
func (s *stage) Run(_ string, f func(testscript.T)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(s)
	}()
	<-done
}

// step prints what a story does, with the time since it began.
type step struct {
	out   io.Writer
	now   func() time.Time
	began time.Time
	err   error // the first of the writer
}

// width is where lines are broken.
const width = 110

func (s *step) begin(text string) {
	s.lines(fmt.Sprintf("%7.1f s  ", s.now().Sub(s.began).Seconds()), text)
}

// say prints something that was found out.
func (s *step) say(text string) { s.lines("            → ", text) }

func (s *step) lines(head, text string) {
	blank := strings.Repeat(" ", len([]rune(head)))
	line := head
	for word := range strings.FieldsSeq(text) {
		if n := len([]rune(line)); n > len(blank) && n+1+len([]rune(word)) > width {
			s.print(line)
			line = blank
		}
		if strings.TrimSpace(line) != "" && line != head {
			line += " "
		}
		line += word
	}
	s.print(line)
}

func (s *step) print(line string) {
	if _, err := fmt.Fprintln(s.out, strings.TrimRight(line, " ")); err != nil && s.err == nil {
		s.err = err
	}
}

// nextStep is what a story's comment becomes outside go test.
func nextStep(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "step TEXT")
	if c.step != nil {
		c.step.begin(strings.Join(args, " "))
	}
}
