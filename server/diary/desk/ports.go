package desk

import (
	"context"
	"errors"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// Who sends entries.
type Who struct {
	Actor  string                  // id of the account
	Device string                  // pseudonym of the phone; empty: none
	Own    func(place string) bool // may write there; "" is the co-op as a whole
	Role   account.Role
}

// Book is what is on record.
type Book interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	// Records returns the records of a kind; of every kind where it is empty.
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
	Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
	Event(ctx context.Context, id string) (diary.Event, bool, error)
	HasMedia(ctx context.Context, sha256 string) (bool, error)
}

// Lots is where lots are kept, with what they are made of.
type Lots interface {
	Products(ctx context.Context) ([]trace.Product, error)
	// DiaryLots returns the lots that the diary opened at a place, or everywhere where it is empty, those harvested since a time and those
	// that are held.
	DiaryLots(ctx context.Context, place string, since time.Time) ([]Standing, error)
	// Codes returns which lot codes begin with a text.
	Codes(ctx context.Context, prefix string) ([]string, error)
	// Keep keeps an event with what becomes of lots by it, all or nothing. An event that is there already is left as it is with its lots;
	// added is then false. The error wraps ErrOutrun where a lot is not any more what the change was made from.
	Keep(ctx context.Context, k Keeping, by ledger.By) (added bool, err error)
}

// ErrOutrun says that somebody else changed a lot in the meantime: read it again, and decide again.
var ErrOutrun = errors.New("desk: somebody else changed the lot meanwhile")

// Keeping is what is kept at once.
type Keeping struct {
	Event diary.Event // no ID: none, lots alone
	Lots  []Change
}

// Change is a lot before and after.
type Change struct {
	Was *Standing // nil: there is none yet
	Now Standing
}

// Standing is a lot that the diary opened, and what holds it.
type Standing struct {
	Lot  trace.Lot
	Hold *Hold // nil: nothing ever held it
	// What was done with it after the harvest (trace.Goods), which the diary does not overrule.
	Moved   bool `json:",omitempty"` // something was
	Stopped bool `json:",omitempty"` // somebody held it there, and nobody let it go
}

// Hold says why a lot is held, and who let it go.
type Hold struct {
	Held     time.Time `json:"held"`
	By       string    `json:"by"`     // whose entry it was, or ledger.Server
	Causes   []Cause   `json:"causes"` // at least one
	Released time.Time `json:"released,omitzero"`
	// ReleasedBy wrote the Release, an event of the diary.
	ReleasedBy string `json:"released_by,omitempty"`
	Release    string `json:"release,omitempty"`
}

// Open reports whether the hold is in force.
func (h *Hold) Open() bool { return h != nil && h.Released.IsZero() }

// Cause is one reason to hold a lot.
type Cause struct {
	Rule   string    `json:"rule"`            // its words are gate.RULE
	Event  string    `json:"event,omitempty"` // the entry that causes it, by its first event
	Clears time.Time `json:"clears,omitzero"` // when it would have been over; zero: never by itself
}

// RuleInput is the rule of what was made from a lot that is held.
const RuleInput = "input_lot"

// Case is what a Judge is asked about.
type Case struct {
	Farm    *farm.Farm
	Records []farm.Record // of every kind
	Entries []diary.Entry // of the place, as they would stand
	Place   string        // code
	Cycle   string        // id of a record; empty: none is known
	At      time.Time     // of the harvest
	Now     time.Time
}

// Judge says what holds back a harvest, and what must not be said of it.
type Judge func(ctx context.Context, c Case) (Ruling, error)

// The errors of an entry that are the desk's own. Their words are problem.diary.CODE.
var (
	ErrRight   = errors.New("diary: right")   // the role may not write that
	ErrSecond  = errors.New("diary: second")  // a lot is released by somebody who neither harvested nor held it
	ErrNotHeld = errors.New("diary: notheld") // no lot of that code is held there
)
