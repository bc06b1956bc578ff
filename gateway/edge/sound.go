package edge

import (
	"time"

	"aovuon/gateway/measure"
)

// sound is the server's word that the sirens should sound. It ends by the wall clock, which nobody here needs to be told again: a message that
// is late, or comes a second time, is over. Two things hold it to MaxSound whatever the clock does.
type sound struct {
	siren Siren
	on    bool
	since time.Duration // uptime of the first second; 0: not yet
}

// skew is how much this clock may be behind the server's.
const skew = 5 * time.Minute

// Left is for how long the sirens sound from now on; 0: they do not. Without a clock nobody knows whether it is over: then they do not.
func (s Siren) Left(now measure.Instant) time.Duration {
	end := s.End()
	if end.IsZero() || now.Clock == measure.Unsynced {
		return 0
	}
	left := end.Sub(now.Wall)
	if left > MaxSound+skew {
		return 0
	}
	return max(left, 0)
}

// left is the same, held to MaxSound.
func (s sound) left(now measure.Instant) time.Duration {
	if s.since > 0 && now.Uptime-s.since >= MaxSound {
		return 0
	}
	return s.siren.Left(now)
}

// stepSound reports whether the server wants the sirens now.
func (e *Engine) stepSound(now measure.Instant, o *Outcome) bool {
	on := e.sound.left(now) > 0
	if on == e.sound.on {
		return on
	}
	e.sound.on = on
	if on {
		e.sound.since = max(now.Uptime, 1)
		o.Notes = append(o.Notes, Note{ID: "siren", Text: "the server has the sirens sound until " + e.sound.siren.Until, Bad: true})
		return true
	}
	o.Notes = append(o.Notes, Note{ID: "siren", Text: "the server's word on the sirens is over"})
	return false
}
