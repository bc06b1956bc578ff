package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"aovuon/gateway/wire"
)

// The bounds of patience with programs.
const (
	trialStarts   = 3 // times a trial is begun again after the machine went down in it
	currentStarts = 5 // times in a row the program in force may begin and come to nothing
	acquittals    = 3 // times a program that did not report may be tried again because the one before did not either
	failuresKept  = 8
)

// State is what a gateway remembers of its programs: state.json.
type State struct {
	Base     Program      `json:"base"`     // the installed program, as it started last
	Current  wire.Version `json:"current"`  // that came from afar and is in force; empty: the installed one
	Attempt  int          `json:"attempt"`  // the wish that Current was tried for
	Previous wire.Version `json:"previous"` // that was in force before; empty: the installed one
	Highest  wire.Version `json:"highest"`  // that ever was in force here: nothing older is taken from afar
	Starts   int          `json:"starts"`   // of Current since it last came to work
	Trial    *TrialState  `json:"trial,omitempty"`
	Failed   []Failure    `json:"failed,omitempty"` // the newest last
}

// Program is a program as another has to know it.
type Program struct {
	Version wire.Version `json:"version"`
	Spool   int          `json:"spool"` // the highest format of the spool file that it reads
}

// TrialState is a program on trial.
type TrialState struct {
	Version wire.Version `json:"version"`
	Attempt int          `json:"attempt"`         // the wish it is tried for
	Starts  int          `json:"starts"`          // of the trial
	Buses   []string     `json:"buses,omitempty"` // that gave a value before it
}

// Failure is a program that is not tried again for the same wish.
type Failure struct {
	Version wire.Version `json:"version"`
	Attempt int          `json:"attempt"`
	Code    string       `json:"code"`
	Why     string       `json:"why"`
	// Doubt: it did not report, and nobody knows yet whether the one before it does. It may not have been its fault.
	Doubt     bool `json:"doubt,omitempty"`
	Acquitted int  `json:"acquitted,omitempty"` // times it was not
	Open      bool `json:"open,omitempty"`      // it may be tried again: the failure stands only for the count
}

// failure returns what is remembered against a version.
func (s *State) failure(v wire.Version) *Failure {
	i := slices.IndexFunc(s.Failed, func(f Failure) bool { return f.Version == v })
	if i < 0 {
		return nil
	}
	return &s.Failed[i]
}

// blocks reports whether a version is not tried for a wish any more.
func (f *Failure) blocks(attempt int) bool { return f != nil && !f.Open && f.Attempt >= attempt }

// fail remembers that a version failed.
func (s *State) fail(f Failure) {
	if old := s.failure(f.Version); old != nil {
		f.Acquitted = old.Acquitted
	}
	f.Doubt = f.Doubt && f.Acquitted < acquittals
	s.Failed = slices.DeleteFunc(s.Failed, func(o Failure) bool { return o.Version == f.Version })
	s.Failed = append(s.Failed, f)
	s.Failed = s.Failed[max(0, len(s.Failed)-failuresKept):]
}

// Store is the folder of the programs that came from afar. It may be used from several goroutines, in one process.
type Store struct {
	dir string
	mu  sync.Mutex // held while what is remembered is changed
}

// NewStore returns the store of a gateway. It makes nothing: a gateway whose program nobody ever changes has no such folder.
func NewStore(dataDir string) *Store { return &Store{dir: filepath.Join(dataDir, "program")} }

func (s *Store) stateFile() string { return filepath.Join(s.dir, "state.json") }

// State reads what is remembered; nothing, where nothing is. After an error the installed program is the one to run.
func (s *Store) State() (State, error) {
	raw, err := os.ReadFile(s.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	if err != nil {
		return State{}, fmt.Errorf("update: %w", err)
	}
	var st State
	if err := json.Unmarshal(raw, &st); err != nil {
		return State{}, fmt.Errorf("update: %s: %w: remove it; the installed program runs", s.stateFile(), err)
	}
	return st, nil
}

// save has st on the disk when it returns.
func (s *Store) save(st State) error {
	raw, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if err := wire.WriteFile(s.stateFile(), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

// change saves what f makes of the state.
func (s *Store) change(f func(*State)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.State()
	if err != nil {
		return err
	}
	f(&st)
	return s.save(st)
}

// Worked tells that the program in force came to work.
func (s *Store) Worked() error {
	if st, err := s.State(); err != nil || st.Starts == 0 {
		return err
	}
	return s.change(func(st *State) { st.Starts = 0 })
}

// Again lets every version be tried once more. It returns those that were rolled back.
func (s *Store) Again() (failed []Failure, err error) {
	if st, err := s.State(); err != nil || len(st.Failed) == 0 {
		return nil, err
	}
	err = s.change(func(st *State) { failed, st.Failed = st.Failed, nil })
	return failed, err
}

// Give makes what is remembered the property of a user, who runs the gateway: root may have written it.
func (s *Store) Give(owner int) error {
	if os.Getuid() != 0 || owner <= 0 {
		return nil
	}
	for _, path := range []string{s.dir, s.stateFile()} {
		if err := os.Chown(path, owner, -1); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("update: %w", err)
		}
	}
	return nil
}

// Reset forgets every program that came from afar, and removes them: the installed one runs.
func (s *Store) Reset() error {
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}
