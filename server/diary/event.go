// Package diary is the book of what was done: feed, treatments, sprays, harvests, water tests by kit, and what else an auditor asks for.
//
// Entries come in as phones and pages send them, are checked against the fields of their kind, and go out as Events, which are never
// changed: a correction is a new event that names the one it corrects. Of them the package makes the entries as they stand now, the stock
// of inputs, and what the book says of a place and a season. What holds a harvest back is in diary/gate. No SQL, no HTTP.
package diary

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/form"
	"aovuon/server/privacy"
)

// Event is one entry of the diary.
type Event struct {
	ID       string      `json:"id"`                 // ULID, made where it was written: sending it again changes nothing
	Kind     string      `json:"kind"`               // Name of a Kind
	Place    string      `json:"place,omitempty"`    // code; "": the co-op as a whole
	Cycle    string      `json:"cycle,omitempty"`    // id of a record
	Values   form.Values `json:"values,omitempty"`   // by the fields of the kind
	Note     string      `json:"note,omitempty"`     // private
	Media    []Media     `json:"media,omitempty"`    // photos and voice notes
	Position *Position   `json:"position,omitempty"` // where the phone was; private
	Corrects string      `json:"corrects,omitempty"` // id of the event that this one stands in for

	Actor    string        `json:"actor"`            // id of an account: a pseudonym
	Device   string        `json:"device,omitempty"` // pseudonym of the phone
	Occurred time.Time     `json:"occurred"`         // when it was done, by the phone's clock and the farmer
	Recorded time.Time     `json:"recorded"`         // when it was written down, by the phone's clock
	Synced   time.Time     `json:"synced"`           // when the server took it, by the server's clock
	Skew     time.Duration `json:"skew,omitempty"`   // server's clock − phone's clock when it was sent; 0 below MaxSkew
}

// Media is a photo or a voice note, kept by its hash.
type Media struct {
	SHA256 string `json:"sha256"` // hex, of the bytes that are kept
	Type   string `json:"type"`   // image/jpeg, audio/webm, audio/ogg, audio/mp4
}

// Position is where a phone was. It is read as exactly as the phone knew it, and written as everything is that strangers might see, by the
// middle of a cell of a kilometre: who keeps it keeps Point.Exact.
type Position struct {
	privacy.Point
	Acc float64 // radius of 68 % in metres
}

// MarshalJSON implements json.Marshaler.
func (p Position) MarshalJSON() ([]byte, error) {
	r := p.Rough()
	return json.Marshal(struct {
		Lat float64 `json:"lat"`
		Lon float64 `json:"lon"`
		Acc float64 `json:"acc"`
	}{r.Lat(), r.Lon(), p.Acc})
}

// UnmarshalJSON reads {"lat", "lon", "acc"}.
func (p *Position) UnmarshalJSON(raw []byte) error {
	var acc struct {
		Acc float64 `json:"acc"`
	}
	if err := errors.Join(p.Point.UnmarshalJSON(raw), json.Unmarshal(raw, &acc)); err != nil {
		return fmt.Errorf("diary: position: %w", err)
	}
	if acc.Acc < 0 {
		return fmt.Errorf("diary: position: accuracy %g m is no length", acc.Acc)
	}
	p.Acc = acc.Acc
	return nil
}

// MaxSkew is how wrong a phone's clock may be before it is told and reckoned with.
const MaxSkew = 2 * time.Minute

// At returns when it was done, the phone's clock put right.
func (e Event) At() time.Time { return e.Occurred.Add(e.Skew) }

// Void is the kind of an event that takes back the one it corrects.
const Void = "void"

// Limits of an event.
const (
	MostMedia = 10
	MostNote  = 4000
	// MostAhead is how far ahead of the server's clock something may have been done, the phone's clock put right.
	MostAhead = 10 * time.Minute
)

// The errors of an event as a whole; what is wrong with fields is a form.InvalidError. Their words are problem.diary.CODE.
var (
	ErrID       = errors.New("diary: id")       // no ULID
	ErrKind     = errors.New("diary: kind")     // no such kind
	ErrPlace    = errors.New("diary: place")    // none where one is needed, or unknown, or not one's own
	ErrCycle    = errors.New("diary: cycle")    // unknown, or of another place
	ErrFuture   = errors.New("diary: future")   // not done yet
	ErrOld      = errors.New("diary: old")      // before the year 2000
	ErrMedia    = errors.New("diary: media")    // too many, or not sent yet
	ErrNote     = errors.New("diary: note")     // too long
	ErrCorrects = errors.New("diary: corrects") // corrects what is not there, of another kind or place, or is corrected already
	ErrReused   = errors.New("diary: reused")   // the id stands for another event already
)

// NewID returns a ULID of a time, from a source of random bytes.
func NewID(at time.Time, random ulid.MonotonicReader) (string, error) {
	id, err := ulid.New(ulid.Timestamp(at), random)
	if err != nil {
		return "", fmt.Errorf("diary: new id: %w", err)
	}
	return id.String(), nil
}

// ValidID reports whether s is a ULID in capitals.
func ValidID(s string) bool {
	id, err := ulid.ParseStrict(s)
	return err == nil && id.String() == s
}

// Same reports whether two events say the same, whenever they came in: an event that was sent twice.
func (e Event) Same(o Event) bool {
	strip := func(e Event) string {
		e.Synced, e.Skew, e.Actor, e.Device = time.Time{}, 0, "", ""
		e.Occurred, e.Recorded = e.Occurred.UTC().Truncate(time.Millisecond), e.Recorded.UTC().Truncate(time.Millisecond)
		raw, err := json.Marshal(e)
		if err != nil {
			return ""
		}
		return string(raw)
	}
	return strip(e) == strip(o)
}

// Entry is what one event and its corrections come to.
type Entry struct {
	Event           // as it stands now; of a voided one, as it stood
	First   Event   // as it was written first
	History []Event // every event of it, oldest first
	Voided  bool
}

// Corrected reports whether the entry was changed after it was written.
func (e Entry) Corrected() bool { return len(e.History) > 1 }

// Entries returns the entries that events come to, by when they were done. A correction of an event that is not among them stands alone.
func Entries(events []Event) []Entry {
	byID := map[string]int{} // id of any event -> index of its entry
	var out []Entry
	sorted := slices.Clone(events)
	slices.SortStableFunc(sorted, func(a, b Event) int { return a.Synced.Compare(b.Synced) })
	for _, e := range sorted {
		at, known := byID[e.Corrects]
		if e.Corrects == "" || !known {
			byID[e.ID] = len(out)
			out = append(out, Entry{Event: e, First: e, History: []Event{e}})
			continue
		}
		entry := &out[at]
		entry.History = append(entry.History, e)
		if entry.Voided = e.Kind == Void; !entry.Voided {
			entry.Event = e
		}
		byID[e.ID] = at
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return a.At().Compare(b.At()) })
	return out
}
