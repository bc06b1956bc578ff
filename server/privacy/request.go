package privacy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// RequestKind is what a person asks for.
type RequestKind string

// The requests.
const (
	Access   RequestKind = "access"   // to see everything that is kept
	Correct  RequestKind = "correct"  // to have something put right
	Withdraw RequestKind = "withdraw" // to take a consent back
	Erase    RequestKind = "erase"    // to be forgotten
)

// RequestKinds lists every kind.
func RequestKinds() []RequestKind { return []RequestKind{Access, Correct, Withdraw, Erase} }

// Request is one request of a person, with what became of it.
type Request struct {
	ID       int64       `json:"id"`
	Person   string      `json:"person"`
	Kind     RequestKind `json:"kind"`
	Received time.Time   `json:"received"`
	Acked    time.Time   `json:"acked,omitzero"` // when the person was told that it has come in
	Done     time.Time   `json:"done,omitzero"`
}

// The deadlines of Law 91/2025/QH15 and Decree 356/2025/ND-CP: a request is acknowledged within 2 working days and fulfilled within 15.
const (
	ackWorkingDays = 2
	doneDays       = 15
)

// AckDue returns the end of the day by which the person has to be told. Saturdays and Sundays do not count; public holidays, which the
// decree leaves out too, do here: the answer is never late for them.
func (r Request) AckDue(zone *time.Location) time.Time {
	t := r.Received.In(zone)
	for left := ackWorkingDays; left > 0; {
		t = t.AddDate(0, 0, 1)
		if d := t.Weekday(); d != time.Saturday && d != time.Sunday {
			left--
		}
	}
	return endOfDay(t)
}

// Due returns the end of the day by which the request has to be fulfilled.
func (r Request) Due(zone *time.Location) time.Time {
	return endOfDay(r.Received.In(zone).AddDate(0, 0, doneDays))
}

func endOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location()).Add(-time.Second)
}

// Late reports whether a deadline has passed without what it asks for.
func (r Request) Late(now time.Time, zone *time.Location) bool {
	return r.Done.IsZero() && (r.Acked.IsZero() && now.After(r.AckDue(zone)) || now.After(r.Due(zone)))
}

// ParseRequestKind reads a kind.
func ParseRequestKind(s string) (RequestKind, error) {
	k := RequestKind(s)
	if !slices.Contains(RequestKinds(), k) {
		var names []string
		for _, k := range RequestKinds() {
			names = append(names, string(k))
		}
		return "", fmt.Errorf("privacy: request %q: want one of %s", s, strings.Join(names, ", "))
	}
	return k, nil
}
