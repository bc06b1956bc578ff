package panel

import (
	"slices"
	"strings"
	"sync"
	"time"

	"aovuon/firmware-sim/control"
)

// kept is how many commands the log remembers.
const kept = 500

// Said is one command and what came of it.
type Said struct {
	N     int // counts from 1
	At    time.Time
	By    string // who gave it: the address of a browser, "socket", the name of a script; empty: the program itself
	Line  string
	Lines []string // of the answer
	Err   string   // why it was refused; English, as the field says it
}

// Log remembers the last commands a running field was given, by whomever. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	n    int
	list []Said // oldest first
}

// NewLog returns an empty log.
func NewLog() *Log { return &Log{} }

// Note remembers a command; control.Desk.Watch may call it. What only asks is not remembered: "list", "link list".
func (l *Log) Note(at time.Time, t control.Told) {
	if asksOnly(t.Line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	s := Said{N: l.n, At: at, By: t.By, Line: strings.ToValidUTF8(t.Line, "\ufffd"), Lines: slices.Clone(t.Lines)}
	if t.Err != nil {
		s.Err = t.Err.Error()
	}
	if l.list = append(l.list, s); len(l.list) > kept {
		l.list = slices.Delete(l.list, 0, len(l.list)-kept)
	}
}

// asksOnly reports whether a line changes nothing: "list", "link list", "actions".
func asksOnly(line string) bool {
	f := strings.Fields(line)
	return len(f) > 0 && len(f) <= 2 && (f[len(f)-1] == "list" || f[0] == "actions")
}

// last returns the number of the last command of somebody; 0 when there is none.
func (l *Log) last(by string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range slices.Backward(l.list) {
		if s.By == by {
			return s.N
		}
	}
	return 0
}

// Newest returns at most n commands, the newest first.
func (l *Log) Newest(n int) []Said {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := slices.Clone(l.list[max(0, len(l.list)-n):])
	slices.Reverse(list)
	return list
}

// get returns the command of a number, if it is remembered.
func (l *Log) get(n int) (Said, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.list, func(s Said) bool { return s.N == n })
	if i < 0 {
		return Said{}, false
	}
	return l.list[i], true
}
