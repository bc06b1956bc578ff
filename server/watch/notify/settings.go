package notify

import (
	"fmt"
	"time"
)

// Settings say how the ladder is climbed.
type Settings struct {
	Again    time.Duration `json:"again"`     // between two steps, and before the first step is told a second time
	AtTop    time.Duration `json:"at_top"`    // between reminders once the last step was told
	DigestAt int           `json:"digest_at"` // minute of the day, local
	KeepDays int           `json:"keep_days"` // after which a message is forgotten
}

// DefaultSettings are those of a server that nobody changed.
func DefaultSettings() Settings {
	return Settings{Again: 10 * time.Minute, AtTop: 30 * time.Minute, DigestAt: 6*60 + 30, KeepDays: 400}
}

// firstRounds is how often the first step is told before the second is.
const firstRounds = 2

// Check says what is wrong with settings; the error wraps ErrContact.
func (s Settings) Check() error {
	switch {
	case s.Again < time.Minute || s.Again > time.Hour:
		return fmt.Errorf("%w: again: want 1 to 60 minutes", ErrContact)
	case s.AtTop < s.Again || s.AtTop > 4*time.Hour:
		return fmt.Errorf("%w: at top: want from what is between two steps to 4 hours", ErrContact)
	case s.DigestAt < 0 || s.DigestAt >= 24*60:
		return fmt.Errorf("%w: digest: want a time of the day", ErrContact)
	case s.KeepDays < 30 || s.KeepDays > 3650:
		return fmt.Errorf("%w: keep: want 30 to 3650 days", ErrContact)
	}
	return nil
}

// Tier is who is told when, of something critical that nobody answers.
type Tier struct {
	After time.Duration // since it began to be told
	Names []string      // who is told then for the first time, or, at the first step, once more
}

// Ladder lays out who is told when, of something critical at a place that all of some contacts look after.
func Ladder(contacts []Contact, s Settings) (out []Tier) {
	at, first := time.Duration(0), true
	for step := 0; step <= MostStep; step++ {
		var names []string
		for _, c := range contacts {
			if c.Step == step && c.Reached() {
				names = append(names, c.Name)
			}
		}
		if len(names) == 0 {
			continue
		}
		out = append(out, Tier{at, names})
		if first {
			at += s.Again
			out = append(out, Tier{at, names})
			first = false
		}
		at += s.Again
	}
	return out
}
