package notify

import (
	"errors"
	"time"

	"aovuon/server/watch/rule"
)

// SendLimit is how long a channel may take over one attempt.
const SendLimit = 30 * time.Second

// patient is how often an address is tried, and after what pauses.
type patient struct {
	tries int             // before the next address of the contact is tried
	pause []time.Duration // after the first attempt, the second …; the last for all others
}

// patience is short where fish are in danger: the next channel is tried after 42 seconds; of a warning after 43 minutes.
func patience(m Message) patient {
	switch {
	case m.Kind == Test:
		return patient{tries: 1}
	case m.Level == rule.Crit && m.Kind != Closed && m.Kind != Digest:
		return patient{4, []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}}
	}
	return patient{5, []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}}
}

// lifetime is how long a message of a kind is worth sending.
func lifetime(k Kind, level rule.Verdict, s Settings) time.Duration {
	switch k {
	case Test:
		return 5 * time.Minute
	case Reminder: // the next one says it anew
		return s.AtTop
	case Opened, Raised:
		if level == rule.Crit {
			return 12 * time.Hour
		}
	case Closed, Digest, Bulletin:
	}
	return 24 * time.Hour
}

// failed says what becomes of a message whose attempt at now ended with an error: it waits for the next one, or has failed for good. other:
// the contact has another address to try.
func failed(m Message, err error, other bool, now time.Time) Message {
	p := patience(m)
	m.Err = cut(err.Error(), 300)
	pause := 5 * time.Second
	if n := len(p.pause); n > 0 {
		pause = p.pause[min(m.Attempts, n)-1]
	}
	asked, patientAsk := errors.AsType[*RetryError](err)
	if patientAsk {
		pause = max(asked.After, time.Second)
	}
	m.State, m.Next = Waiting, now.Add(pause)
	switch {
	case errors.Is(err, ErrPermanent), m.Kind == Test,
		other && m.Attempts >= p.tries,
		other && patientAsk && pause > time.Minute && m.Level == rule.Crit,
		!m.Expires.IsZero() && !m.Next.Before(m.Expires):
		m.State, m.Next, m.Done = Failed, time.Time{}, now
	}
	return m
}

// standIn is the message that is sent to the next address instead of one that failed.
func standIn(m Message, id string, to Address, now time.Time) Message {
	next := m
	next.ID, next.After, next.Channel, next.To = id, m.ID, to.Channel, to.To
	next.State, next.Attempts, next.Next = Waiting, 0, now
	next.Tried, next.Done, next.Ref, next.Err = time.Time{}, time.Time{}, "", ""
	return next
}

// cut bounds a text to so many bytes, at a character.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}
