// Package panel is the page of a running simulated field: what is true in the world, what every probe says of it and what the
// product makes of it, side by side, and forms for everything that can be done to the field.
//
// The field, its commands, what its chips answered and the product's own pages come in through Options; plain HTML goes out,
// which needs no script, in Vietnamese and in English. What a form sends is a line of the control protocol
// (control/FORMAT.md), and which forms there are follows from what the field says it can do.
package panel

import (
	"context"
	"log/slog"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// Field is what is true; *field.Field is one. Times are those of the clock the chips run by.
type Field interface {
	// Places lists what there is, in the order of the field file.
	Places() []field.Place
	// Parts lists the devices, in the order of the field file.
	Parts() []field.Part
	// WorldTime is what the world's own clock says when the chips' clock says t.
	WorldTime(t time.Time) time.Time
	// Truth is a quantity of a place; false for what the place does not have.
	Truth(place string, q measure.Quantity, t time.Time) (float64, bool)
	// Sky is the weather over the field; false before the world begins.
	Sky(t time.Time) (world.Sky, bool)
}

// Desk takes commands; *control.Desk is one.
type Desk interface {
	Do(ctx context.Context, line string) (lines []string, err error)
}

// Answers knows the newest answer of every chip; *ledger.Newest is one.
type Answers interface {
	Newest() []ledger.Entry
}

// Product is what the server's pages say; *Server is one.
type Product interface {
	// Places are the places the product knows, with the newest value of every series. Titles are in a language.
	Places(ctx context.Context, lang string) ([]ProductPlace, error)
	// Day is the last day of a quantity of a place.
	Day(ctx context.Context, code string, q measure.Quantity) ([]ProductSeries, error)
	// Address is where people find it.
	Address() string
}

// Options are what the page is drawn from. All must be set but Product and Hosts.
type Options struct {
	Field   Field
	Desk    Desk
	Answers Answers
	Product Product // nil: the field file names none
	Speed   float64 // of the world against the clock
	Said    *Log    // what was commanded
	Hosts   []string
	Log     *slog.Logger
	Now     func() time.Time
}
