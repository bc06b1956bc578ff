package alarm

import (
	"time"

	"aovuon/server/watch/rule"
)

// Sign is what a look at one place and topic shows.
type Sign int

// The signs. Where several looks are about one key, the higher sign counts.
const (
	Clear    Sign = iota // within its limits, past the offset at which an alarm may end
	Hidden               // nothing can be said now: what stands, stands
	Band                 // within its limits, not yet past the offset
	Over                 // nobody watches this any more: the limit, the probe or the place is gone
	Beyond               // beyond a limit, not yet for as long as it asks
	Silent               // no value has come for too long
	Blinded              // the server itself cannot look
	Exceeded             // beyond a limit for as long as it asks
)

// Finding is what a Looker says of a key at a moment.
type Finding struct {
	Key
	Looker  string // set by the Watch
	Sign    Sign
	Level   rule.Verdict         // Warn or Crit; of Beyond, Silent, Blinded and Exceeded
	Began   time.Time            // since when it is beyond or silent; zero: as of the look
	Last    time.Time            // when it was beyond last; zero: not lately
	Keep    time.Duration        // how long it must be Clear before the alarm ends
	Explain func() rule.Decision // why, in numbers; asked for only where somebody will read it
}

// Step leads an alarm on by what a look shows, and returns what happened to it; nothing where all is as it was. An alarm without ID is
// one that does not exist yet; newID names it.
func (a Alarm) Step(f Finding, now time.Time, newID func() string) (Alarm, []Change) {
	now = now.UTC().Truncate(time.Millisecond)
	if a.State == "" {
		a.State = Normal
	}
	var changes []Change
	for range 3 { // Normal → Pending → Firing is the longest way of one look
		to := a.next(f, now)
		if to == a.State {
			break
		}
		changes = append(changes, a.move(to, f, now, newID))
	}
	if len(changes) == 0 && a.raises(f) {
		a.Level, a.Decision = f.Level, f.Explain()
		a.Acked, a.AckedBy, a.Snoozed, a.SnoozedBy = time.Time{}, "", time.Time{}, ""
		changes = append(changes, Change{Alarm: a, What: Raised, From: a.State, At: now})
	}
	return a, changes
}

// raises reports whether f makes an open alarm graver in place.
func (a Alarm) raises(f Finding) bool {
	return a.State.Open() && (f.Sign == Exceeded || f.Sign == Silent || f.Sign == Blinded) && f.Level.Worse(a.Level)
}

// next is the state machine: where a look leads an alarm. README.md draws it.
func (a Alarm) next(f Finding, now time.Time) State {
	switch f.Sign {
	case Hidden:
		return a.State
	case Over:
		return Normal
	case Exceeded:
		if a.State == Normal {
			return Pending // every firing has its pending, though it lasts no time
		}
		return Firing
	case Silent:
		return NoData
	case Blinded:
		return Blind
	case Beyond:
		return a.onBeyond()
	case Band:
		if a.Broken && a.State != Pending {
			return Firing
		}
	case Clear:
	}
	return a.onClear(f, now)
}

func (a Alarm) onBeyond() State {
	switch a.State {
	case Normal, Pending:
		return Pending
	case Firing, Recovering, NoData, Blind:
	}
	if a.Broken {
		return Firing
	}
	return Recovering // of silence alone: the limit has not been broken for long enough
}

func (a Alarm) onClear(f Finding, now time.Time) State {
	switch a.State {
	case Normal:
		return Normal
	case Pending: // it lingers, so that a value that trembles at its limit is one spell and not a hundred
		if f.Last.IsZero() || now.Sub(f.Last) >= f.Keep {
			return Normal
		}
		return Pending
	case Recovering:
		if now.Sub(a.Since) >= f.Keep {
			return Normal
		}
	case Firing, NoData, Blind:
	}
	return Recovering
}

// move brings an alarm to a state.
func (a *Alarm) move(to State, f Finding, now time.Time, newID func() string) Change {
	from := a.State
	if a.ID == "" {
		a.ID, a.Key, a.Looker, a.Began = newID(), f.Key, f.Looker, now
		if began := f.Began.UTC().Truncate(time.Millisecond); !f.Began.IsZero() && began.Before(now) {
			a.Began = began
		}
	}
	wasOpen := from.Open()
	a.State, a.Since, a.Decision = to, now, f.Explain()
	switch to {
	case Firing:
		a.Broken = true
	case Normal:
		a.Ended = now
	case Pending, Recovering, NoData, Blind:
	}
	if graver := f.Level.Alarming() && (!a.Fired.IsZero() && f.Level.Worse(a.Level) || a.Fired.IsZero()); graver && f.Sign >= Beyond && (f.Sign != Beyond || !wasOpen) {
		if wasOpen {
			a.Acked, a.AckedBy, a.Snoozed, a.SnoozedBy = time.Time{}, "", time.Time{}, ""
		}
		a.Level = f.Level
	}
	if to.Open() && a.Fired.IsZero() {
		a.Fired = now
	}
	return Change{Alarm: *a, What: ToState, From: from, At: now}
}

// mute notes that maintenance holds an alarm back, or does no more; "" holds nothing back.
func (a Alarm) mute(maintenance string, now time.Time) (Alarm, []Change) {
	if a.ID == "" || a.Muted == maintenance || a.State == Normal {
		return a, nil
	}
	what := Muted
	if maintenance == "" {
		what = Unmuted
	}
	a.Muted = maintenance
	return a, []Change{{Alarm: a, What: what, From: a.State, At: now.UTC().Truncate(time.Millisecond)}}
}
