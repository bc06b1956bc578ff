package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"aovuon/gateway/wire"
)

// Done is one backup that was made.
type Done struct {
	File   string        `json:"file"`
	Made   time.Time     `json:"made"` // when the copy began: what came later is not in it
	Size   int64         `json:"size"` // of the file
	Took   time.Duration `json:"took"`
	LogEnd int64         `json:"log_end"`
	Drill  *Drill        `json:"drill,omitempty"` // nil: it was not tried
}

// Drill is the outcome of restoring a backup to a folder nobody uses.
type Drill struct {
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took"`
	Batches  int64         `json:"batches"`
	Leaves   int64         `json:"leaves"`
	Partial  bool          `json:"partial,omitempty"`  // the archive is whole; its database was not opened, Why says for what reason
	Findings []string      `json:"findings,omitempty"` // what the audit of the restored ledger found
	Why      string        `json:"why,omitempty"`      // it failed
}

// Restored reports whether the backup could be read back, whatever the audit found in it.
func (d *Drill) Restored() bool { return d != nil && (d.Why == "" || d.Partial) }

// OK reports whether a server could go on from that backup.
func (d *Drill) OK() bool { return d.Restored() && len(d.Findings) == 0 }

// State is what a server remembers of its backups.
type State struct {
	Good  *Done     `json:"good,omitempty"` // the newest that was made and could be restored
	Tried time.Time `json:"tried"`
	Why   string    `json:"why,omitempty"` // why the newest try made none
}

// Old is the age at which the newest good backup is too old.
const Old = 36 * time.Hour

// Trouble is why a server's backups need somebody.
type Trouble string

// The troubles.
const (
	Fine     Trouble = ""
	Never    Trouble = "never"
	Late     Trouble = "late"     // the newest good one is older than Old
	Gone     Trouble = "gone"     // its file is not where it was
	Findings Trouble = "findings" // it can be restored; the ledger in it does not agree with the records
)

// Trouble judges the state at a time.
func (s State) Trouble(now time.Time) Trouble {
	if s.Good == nil {
		return Never
	}
	if _, err := os.Stat(s.Good.File); err != nil {
		return Gone
	}
	if now.Sub(s.Good.Made) > Old {
		return Late
	}
	if !s.Good.Drill.OK() {
		return Findings
	}
	return Fine
}

// Clock is a time of day.
type Clock struct{ Hour, Minute int }

// ParseClock reads "02:30".
func ParseClock(s string) (Clock, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return Clock{}, fmt.Errorf("backup: %q is no time of day: write it as 02:30", s)
	}
	return Clock{t.Hour(), t.Minute()}, nil
}

// last returns the newest such time of day that is not after now.
func (c Clock) last(now time.Time, zone *time.Location) time.Time {
	l := now.In(zone)
	at := time.Date(l.Year(), l.Month(), l.Day(), c.Hour, c.Minute, 0, 0, zone)
	if at.After(now) {
		at = time.Date(l.Year(), l.Month(), l.Day()-1, c.Hour, c.Minute, 0, 0, zone)
	}
	return at
}

const (
	look  = time.Minute // between two looks at the clock
	again = time.Hour   // after a try that failed
)

// Nightly makes a backup a day. One that was missed because the machine was off is made when it is on again.
type Nightly struct {
	At   Clock
	Zone *time.Location
	File string // keeps the State
	Make func(ctx context.Context) (Done, error)
	Now  func() time.Time
	Log  *slog.Logger

	mu    sync.Mutex
	state State
	told  time.Time // when the log was last told of a trouble
}

// State returns what is known of the backups.
func (n *Nightly) State() State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// Run works until ctx ends.
func (n *Nightly) Run(ctx context.Context) error {
	s, err := ReadState(n.File)
	if err != nil {
		n.Log.Warn("what is known of the backups cannot be read, it begins anew", slog.Any("err", err))
	}
	n.set(s)
	for {
		if n.due(n.Now()) {
			n.once(ctx)
		}
		n.alarm(n.Now())
		t := time.NewTimer(look)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

func (n *Nightly) set(s State) {
	n.mu.Lock()
	n.state = s
	n.mu.Unlock()
}

// due reports whether a backup is to be made now.
func (n *Nightly) due(now time.Time) bool {
	s := n.State()
	switch {
	case s.Tried.After(now): // the clock was set back
		return true
	case s.Tried.Before(n.At.last(now, n.Zone)):
		return true
	case s.Why != "":
		return now.Sub(s.Tried) >= again
	}
	return false
}

func (n *Nightly) once(ctx context.Context) {
	s := n.State()
	s.Tried, s.Why = n.Now(), ""
	done, err := n.Make(ctx)
	if ctx.Err() != nil {
		return // told to stop: the next start makes it
	}
	if err == nil && !done.Drill.Restored() {
		err = errors.New("it was not tried")
		if done.Drill != nil {
			err = fmt.Errorf("the drill failed: %s", done.Drill.Why)
		}
	}
	if err != nil {
		s.Why = err.Error()
		n.Log.Error("no good backup was made, it is tried again in an hour", slog.Any("err", err))
	} else {
		s.Good = &done
		n.Log.Info("backup made", slog.String("file", done.File), slog.Int64("bytes", done.Size), slog.Duration("took", done.Took),
			slog.Duration("drill", done.Drill.Took))
	}
	n.set(s)
	if err := WriteState(n.File, s); err != nil {
		n.Log.Warn("what is known of the backups is not kept", slog.Any("err", err))
	}
}

// alarm tells the log once a day that backups need somebody.
func (n *Nightly) alarm(now time.Time) {
	s := n.State()
	trouble := s.Trouble(now)
	if trouble == Fine || now.Sub(n.told) < 24*time.Hour {
		return
	}
	n.told = now
	made := "never"
	if s.Good != nil {
		made = s.Good.Made.Format(time.RFC3339)
	}
	n.Log.Error("the backups need somebody", slog.String("trouble", string(trouble)), slog.String("last_good", made), slog.String("why", s.Why))
}

// ReadState reads a state; of a file that is not there an empty one.
func ReadState(path string) (State, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("backup: %w", err)
	}
	var s State
	if err := json.Unmarshal(raw, &s); err != nil {
		return State{}, fmt.Errorf("backup: %s: %w", path, err)
	}
	return s, nil
}

// WriteState keeps a state.
func WriteState(path string, s State) error {
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return wire.WriteFile(path, append(raw, '\n'), 0o600)
}
