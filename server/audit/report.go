package audit

import (
	"context"
	"errors"
	"fmt"

	"aovuon/server/ledger"
)

// Source is what is audited. What it does not have wraps ErrAbsent; what it does not show wraps ErrClosed.
type Source interface {
	Checkpoint(ctx context.Context) ([]byte, error)
	// Tile returns a C2SP tlog-tiles resource, path as in "0/000" or "entries/001.p/44".
	Tile(ctx context.Context, path string) ([]byte, error)
	// Body returns salt and body behind leaf n.
	Body(ctx context.Context, n int64) (salt, body []byte, err error)
	// Batches returns the batches of tile n of the batch log (256 each), sealed as the gateways signed them.
	Batches(ctx context.Context, n int64) ([][]byte, error)
	// Rows returns what the server's tables say now.
	Rows(ctx context.Context) ([]ledger.Row, error)
}

// The reasons why a source answers nothing.
var (
	ErrAbsent = errors.New("audit: not there")
	ErrClosed = errors.New("audit: not shown to everybody")
)

// Finding is something that does not agree: somebody, or a fault, has changed what was recorded.
type Finding struct {
	Where string // a leaf, tile, row, batch or lot
	What  string
}

// String writes the finding as one line.
func (f Finding) String() string { return f.Where + ": " + f.What }

// Gap is time that a chain declares to be without readings.
type Gap struct {
	Gateway, Reason, From, To string
	Lost                      uint64
}

// Report is the outcome of an audit.
type Report struct {
	Head     ledger.Head
	Signed   []byte        // the head as it was signed
	Seen     []ledger.Seen // witnesses of the policy that have seen the head
	Enough   bool          // as many as the policy asks for
	Leaves   int64
	Tiles    int
	Bodies   int
	Erased   int // public bodies that were erased: the leaf is all that is left
	Rows     int
	Accounts int // compared, where the source shows them
	Changes  int // rows of people, consents, requests and settings, likewise
	Releases int // lots that were released, whose leaves and accounts were checked
	Goods    int // events of goods done again, where the source shows them
	Items    int // serials compared, likewise
	Batches  int64
	Chains   int
	Readings int64
	Seals    int // newest seals of lots whose evidence was computed again
	Gaps     []Gap

	Unsigned         []string // sources that cannot sign: their batches are sealed with keys that the server holds
	UnsignedReadings int64    // of Readings, theirs

	Notes    []string // what could not be checked, and why
	Findings []Finding
}

// Sound reports whether everything that was checked agrees.
func (r *Report) Sound() bool { return len(r.Findings) == 0 }

func (r *Report) find(where, what string, args ...any) {
	r.Findings = append(r.Findings, Finding{Where: where, What: fmt.Sprintf(what, args...)})
}

func (r *Report) note(text string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(text, args...))
}
