package diary

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// Ground is what an entry is checked against.
type Ground struct {
	Farm   *farm.Farm
	Record func(kind farm.RecordKind, id string) (farm.Record, bool)
	Event  func(id string) (Event, bool)
	Media  func(sha256 string) bool // it was sent already
	Own    func(place string) bool  // may the writer write there; "" is the co-op as a whole
	Now    time.Time                // the server's clock
}

// Check returns an event whose values are in their types, or what is wrong with it: a form.InvalidError, or one of the errors of this package.
// Actor, Device, Synced and Skew are taken as they are.
func (g Ground) Check(e Event) (Event, error) {
	k, known := KindOf(e.Kind)
	switch {
	case !ValidID(e.ID):
		return Event{}, ErrID
	case !known:
		return Event{}, ErrKind
	case utf8.RuneCountInString(e.Note) > MostNote || !utf8.ValidString(e.Note) || strings.ContainsRune(e.Note, 0):
		return Event{}, ErrNote
	case e.At().After(g.Now.Add(MostAhead)):
		return Event{}, ErrFuture
	case e.At().Year() < 2000:
		return Event{}, ErrOld
	}
	for _, check := range []func(Kind, Event) error{g.checkPlace, g.checkCorrects, g.checkMedia} {
		if err := check(k, e); err != nil {
			return Event{}, err
		}
	}
	values, bad := form.Check(k.Fields, e.Values, g.exists)
	if k.Name != Void {
		bad = append(bad, extra(k, values, e)...)
	}
	if len(bad) > 0 {
		return Event{}, &form.InvalidError{Problems: bad}
	}
	e.Values = values
	return e, nil
}

// exists reports whether there is what a field refers to.
func (g Ground) exists(kind, id string) bool {
	if kind == farm.RefPlace {
		_, ok := g.Farm.Place(id)
		return ok
	}
	_, ok := g.Record(farm.RecordKind(kind), id)
	return ok
}

func (g Ground) checkPlace(k Kind, e Event) error {
	if !g.Own(e.Place) {
		return ErrPlace
	}
	if e.Place == "" {
		if k.Anywhere || k.Name == Void || k.Name == Release {
			return nil
		}
		return ErrPlace
	}
	p, ok := g.Farm.Place(e.Place)
	if !ok || (len(k.Places) > 0 && !slices.Contains(k.Places, p.Kind)) {
		return ErrPlace
	}
	if e.Cycle == "" {
		return nil
	}
	c, ok := g.Record(farm.Cycle, e.Cycle)
	if !ok || c.Values.Text("place") != e.Place {
		return ErrCycle
	}
	return nil
}

func (g Ground) checkCorrects(k Kind, e Event) error {
	if e.Corrects == "" {
		if k.Name == Void {
			return ErrCorrects
		}
		return nil
	}
	old, ok := g.Event(e.Corrects)
	if !ok || old.Kind == Void || old.Place != e.Place || (k.Name != Void && old.Kind != e.Kind) {
		return ErrCorrects
	}
	return nil
}

func (g Ground) checkMedia(_ Kind, e Event) error {
	if len(e.Media) > MostMedia {
		return ErrMedia
	}
	for _, m := range e.Media {
		if strings.Trim(m.SHA256, "0123456789abcdef") != "" || !g.Media(m.SHA256) {
			return fmt.Errorf("%w: %.64s", ErrMedia, m.SHA256)
		}
	}
	return nil
}

// extra holds what fields cannot say by themselves.
func extra(k Kind, v form.Values, e Event) form.Problems {
	var bad form.Problems
	if end, ok := v[KeyEnd].(string); ok && k.Name == Treatment && end < e.At().In(farm.Time()).Format(time.DateOnly) {
		bad = append(bad, form.Problem{Key: KeyEnd, Code: form.Conflict, Given: end})
	}
	if k.Name == "note" && e.Note == "" && len(e.Media) == 0 {
		bad = append(bad, form.Problem{Key: "note", Code: form.Missing})
	}
	if begin, end := v.Text("dry_begin"), v.Text("dry_end"); begin != "" && end != "" && end < begin {
		bad = append(bad, form.Problem{Key: "dry_end", Code: form.Conflict, Given: end})
	}
	return bad
}

// Sent is an event as a phone sends it.
type Sent struct {
	Event
	SentAt time.Time `json:"sent_at"` // the phone's clock when it was sent
}

// State says what became of an event that was sent.
type State string

// The states.
const (
	Kept    State = "kept"
	Known   State = "known"   // it was kept already
	Refused State = "refused" // it stays on the phone, with the reason
)

// Outcome answers a Sent.
type Outcome struct {
	ID       string        `json:"id"`
	State    State         `json:"state"`
	Code     string        `json:"code,omitempty"` // of Refused: the words problem.diary.CODE; "fields": see Problems
	Problems form.Problems `json:"problems,omitempty"`
	Lot      string        `json:"lot,omitempty"`  // of a harvest: the code of its lot
	Held     bool          `json:"held,omitempty"` // of a harvest: the lot is held
}

// Query asks for events.
type Query struct {
	Places   []string // none: all
	Cycle    string   // "": all
	Kinds    []string // none: all
	From, To time.Time
	Newest   int // at most so many, the newest; 0: all
}
