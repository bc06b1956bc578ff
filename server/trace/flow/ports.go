package flow

import (
	"context"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// Who gives an order.
type Who struct {
	Actor string // id of the account, or ledger.Operator
	Role  account.Role
}

// Book is what orders are checked against.
type Book interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
	Products(ctx context.Context) ([]trace.Product, error)
}

// Store keeps goods.
type Store interface {
	// Move runs f in one write transaction, in which nobody else writes, and keeps what it returns, all or nothing. Where f returns no event,
	// nothing is kept.
	Move(ctx context.Context, by ledger.By, f func(ctx context.Context, s Shelf) (Kept, error)) error
	// Look runs f on one snapshot.
	Look(ctx context.Context, f func(ctx context.Context, s Shelf) error) error
}

// Shelf is what is on record while a transaction lasts.
type Shelf interface {
	Lots
	Stock
	Journal
	Proofs
}

// Lots reads lots.
type Lots interface {
	// Lot returns a lot; the error wraps trace.ErrUnknown.
	Lot(ctx context.Context, l trace.Link) (LotNow, error)
	// Codes returns which lot codes begin with a text.
	Codes(ctx context.Context, prefix string) ([]string, error)
	// Uses returns what the diary tells of the lot of a code.
	Uses(ctx context.Context, code string) ([]Use, error)
	// Grown returns what the mass of a lot is held against.
	Grown(ctx context.Context, l trace.Lot) (Grown, error)
	// Counts returns how many serials of a lot there are by state, and how much of it lies loose in boxes that have not left.
	Counts(ctx context.Context, l trace.Link) (items map[trace.ItemState]int, boxedKG float64, err error)
}

// Stock reads items and boxes.
type Stock interface {
	Items(ctx context.Context, serials []string) ([]trace.Item, error)
	// Run returns the items of a Pack, in their order.
	Run(ctx context.Context, run string) ([]trace.Item, error)
	// Free returns the first n items of a lot that are activated and in no box, in the order they were packed.
	Free(ctx context.Context, l trace.Link, n int) ([]trace.Item, error)
	// Inside returns a box with all that is in it, boxes in boxes too; none where there is no such box. Parts of a box are its loose goods.
	Inside(ctx context.Context, sscc string) ([]trace.Box, []trace.Item, error)
	// LastBox returns the highest box number that begins with a prefix; empty: there is none.
	LastBox(ctx context.Context, prefix string) (string, error)
}

// Journal reads goods events.
type Journal interface {
	// Event returns one event; ok is false where there is none.
	Event(ctx context.Context, id string) (g trace.Goods, ok bool, err error)
	// GoodsOf returns the events that name a thing, Amends of them along, in the order they were kept.
	GoodsOf(ctx context.Context, of trace.Ref) ([]trace.Goods, error)
	// Suspects returns the lots that are released or shipped and may be made of one that is held, recalled or void.
	Suspects(ctx context.Context) ([]trace.Ref, error)
	// Latest returns when the newest event was kept; zero: there is none.
	Latest(ctx context.Context) (time.Time, error)
}

// LotNow is a lot as it stands.
type LotNow struct {
	Lot   trace.Lot
	Gated bool // the diary holds it
	// Held is when the diary held it last; zero: never. What was released before that is not released any more.
	Held time.Time
}

// Kept is what is kept of an order.
type Kept struct {
	Goods trace.Goods // no ID: nothing
	Lots  []trace.Lot // new or changed
	Items []trace.Item
	Boxes []trace.Box
	// Labels is what a Pack tells everybody of its serials; nil: none were issued.
	Labels *Labels
	// Releases are the lots that it releases.
	Releases []Release
}

// Labels is what the ledger says of a run of serials: whoever has them all can show that no other was issued with them, and nobody learns one
// from it.
type Labels struct {
	Lot    string `json:"lot"` // path of its Digital Link
	Run    string `json:"run"` // id of the Pack
	Count  int    `json:"count"`
	SHA256 string `json:"sha256"` // of the serials in their order, each with a line feed after it, in hexadecimal
}
