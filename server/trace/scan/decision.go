package scan

import (
	"errors"
	"time"
)

// What a store of decisions, reports and shops answers.
var (
	ErrNoScans     = errors.New("scan: the code was never scanned")
	ErrNoReport    = errors.New("scan: no such open report")
	ErrManyReports = errors.New("scan: too many open reports")
	ErrNoShop      = errors.New("scan: no such shop")
)

// Verdict is what somebody of the co-op makes of a code whose scans are unusual.
type Verdict string

// The verdicts.
const (
	InOrder Verdict = "fine" // it is explained: what was seen until then counts no more, and the public page is silent about it
	Copied  Verdict = "copy" // the label is copied: the public page goes on warning
)

// Verdicts lists every verdict.
func Verdicts() []Verdict { return []Verdict{InOrder, Copied} }

// Decision is what somebody of the co-op decided of a code. It is never changed; the newest one holds.
type Decision struct {
	ID      string    `json:"id"` // ULID
	Code    string    `json:"code"`
	Verdict Verdict   `json:"verdict"`
	Rules   []Rule    `json:"rules"` // that were broken then
	Note    string    `json:"note"`  // why
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"` // pseudonym of an account
}

// Suspect is a code whose scans are unusual, or were.
type Suspect struct {
	Summary
	Found    []Finding // open ones
	Decision Decision  // the newest; zero: none
}

// Shop is somebody whom the co-op gave a code of its own, with which items are said to be sold.
type Shop struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Buyer   string    `json:"buyer,omitempty"` // id of a record of the register
	Made    time.Time `json:"made"`
	By      string    `json:"by"`
	Revoked time.Time `json:"revoked,omitzero"` // zero: it may be used
	Sold    int       `json:"-"`                // items
}

// Sale says that an item was sold to who uses it.
type Sale struct {
	Serial string
	At     time.Time
	Shop   string // id; empty: staff said so
	Actor  string // pseudonym of an account; empty: a shop said so
}
