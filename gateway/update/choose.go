package update

import (
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// Self is the program that asks which one is to run.
type Self struct {
	Program
	Installed bool         // it is the installed one: nobody gave its place to it
	Running   wire.Version // that came from afar and is this one; empty when Installed
}

// Choice is the program to run.
type Choice struct {
	Path  string      // empty: the one that asks
	As    string      // the version, for the program
	Trial *TrialState // nil: it is in force
}

// Choose says which program is to run, and has it on the disk that this one begins. told gets what people should know. What
// cannot be read or written leads to the program that asks: a gateway starts whatever its disk says. mayTry says that a trial
// would be fair.
func (s *Store) Choose(self Self, keys []note.Verifier, mayTry bool, told func(error)) Choice {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, err := s.State()
	if err != nil {
		told(err)
		return Choice{}
	}
	if self.Installed {
		s.introduce(&st, self.Program, told)
	}
	if len(keys) == 0 && (st.Current != "" || st.Trial != nil) { // a configuration without a key is mended more easily than a program
		told(fmt.Errorf("update: %w: the installed program runs, and not the one that came from afar", wire.ErrNoReleaseKey))
		return Choice{}
	}
	if mayTry {
		if c, ok := s.tryOn(&st, keys, told); ok {
			return c
		}
	}
	for st.Current != "" && st.Current != self.Running {
		path, err := s.Check(st.Current, keys)
		code := wire.CodeDamaged
		if err == nil && st.Starts >= currentStarts {
			code, err = wire.CodeCrash, fmt.Errorf("update: version %s began %d times in a row and never came to work", st.Current, st.Starts)
		}
		if err == nil {
			st.Starts++
			if err := s.save(st); err != nil {
				told(err) // it is not counted
			}
			return Choice{Path: path, As: string(st.Current)}
		}
		told(err)
		st.fail(Failure{Version: st.Current, Attempt: st.Attempt, Code: code, Why: err.Error()})
		st.Current, st.Previous, st.Starts = st.Previous, "", 0
		if err := s.save(st); err != nil {
			told(err)
		}
	}
	return Choice{}
}

// introduce remembers the installed program. One that is not older than what came from afar takes its place: somebody
// installed it.
func (s *Store) introduce(st *State, p Program, told func(error)) {
	if st.Base == p {
		return
	}
	if st.Base == (Program{}) && st.Current == "" && st.Trial == nil {
		return // nothing ever came from afar
	}
	st.Base = p
	overtaken := func(v wire.Version) bool { return v != "" && p.Version.Compare(v) >= 0 }
	if overtaken(st.Current) {
		st.Current, st.Previous, st.Starts = "", "", 0
	}
	if overtaken(st.Previous) {
		st.Previous = ""
	}
	if st.Trial != nil && overtaken(st.Trial.Version) {
		st.Trial = nil
	}
	if err := s.save(*st); err != nil {
		told(err)
	}
}

// tryOn goes on with a trial; false: there is none, or it is over.
func (s *Store) tryOn(st *State, keys []note.Verifier, told func(error)) (Choice, bool) {
	t := st.Trial
	if t == nil {
		return Choice{}, false
	}
	path, err := s.Check(t.Version, keys)
	code := wire.CodeDamaged
	if err == nil && t.Starts >= trialStarts {
		code, err = wire.CodeStopped, fmt.Errorf("update: the machine went down %d times while version %s was on trial", t.Starts, t.Version)
	}
	if err != nil {
		told(err)
		st.fail(Failure{Version: t.Version, Attempt: t.Attempt, Code: code, Why: err.Error()})
		st.Trial = nil
		if err := s.save(*st); err != nil {
			told(err)
		}
		return Choice{}, false
	}
	t.Starts++
	if err := s.save(*st); err != nil {
		told(err) // a trial that cannot be counted could go on for ever
		return Choice{}, false
	}
	return Choice{Path: path, As: string(t.Version), Trial: t}, true
}

// Begin has a program tried at the next Choose.
func (s *Store) begin(self Self, t TrialState) error {
	return s.change(func(st *State) {
		if self.Installed {
			st.Base = self.Program
		}
		if st.Highest.Compare(self.Version) < 0 {
			st.Highest = self.Version
		}
		st.Trial = &t
	})
}

// Conclude writes down what became of a trial.
func (s *Store) Conclude(v Verdict) error {
	return s.change(func(st *State) {
		t := st.Trial
		if t == nil {
			return
		}
		switch {
		case v.Good:
			if st.Current != t.Version {
				st.Previous = st.Current
			}
			st.Current, st.Attempt, st.Starts, st.Trial = t.Version, t.Attempt, 0, nil
			if st.Highest.Compare(t.Version) < 0 {
				st.Highest = t.Version
			}
		case v.Code == "": // told to stop: that start counts for nothing
			t.Starts--
		default:
			st.fail(Failure{Version: t.Version, Attempt: t.Attempt, Code: v.Code, Why: v.Why, Doubt: v.Code == wire.CodeMute})
			st.Trial = nil
		}
	})
}

// Fall takes a program out of force that cannot be run.
func (s *Store) Fall(v wire.Version, why error) error {
	return s.change(func(st *State) {
		if st.Current != v {
			return
		}
		st.fail(Failure{Version: v, Attempt: st.Attempt, Code: wire.CodeCrash, Why: fmt.Sprint(why)})
		st.Current, st.Previous, st.Starts = st.Previous, "", 0
	})
}
