package flow

import (
	"fmt"
	"strings"

	"aovuon/server/trace"
)

// Code says why an order is refused. Its words are problem.goods.CODE.
type Code string

// The codes of refusals.
const (
	BadID       Code = "id"       // no ULID
	Reused      Code = "reused"   // the id stands for another event
	BadKind     Code = "kind"     // no such kind
	BadStep     Code = "step"     // no step of this kind
	BadTime     Code = "time"     // not done yet, or before the year 2000, or before what it is done with was there
	BadPlace    Code = "place"    // unknown
	BadParts    Code = "parts"    // nothing, too much or the wrong sort of thing goes in or comes out
	BadMass     Code = "kg"       // no mass where one is needed, or none that can be
	BadCount    Code = "count"    // none, or too many at once
	BadNet      Code = "net"      // net mass of a pack
	BadBest     Code = "best"     // best before lies before it was packed
	BadText     Code = "text"     // a text is too long, or holds what is no character
	BadBuyer    Code = "buyer"    // none, or unknown
	BadSupplier Code = "supplier" // none
	NoReason    Code = "reason"   // none where one is needed
	NoRight     Code = "right"    // the role may not do that
	NoLot       Code = "lot"      // unknown
	NoProduct   Code = "product"  // unknown
	BadCode     Code = "code"     // of a new lot: malformed, or taken
	BadState    Code = "state"    // the lot's state does not allow it
	NoItem      Code = "item"     // unknown serial, or of another lot
	BadItem     Code = "items"    // an item's state, or the box it is in, does not allow it
	NoBox       Code = "box"      // unknown
	BadBox      Code = "boxes"    // a box's state, or where it stands, does not allow it
	TooMuch     Code = "mass"     // more than there is
	BadYield    Code = "yield"    // more came out than can
	Gated       Code = "gated"    // the diary holds the lot: it is released there
	Second      Code = "second"   // a lot is let go by somebody else than who held it
	NoEvent     Code = "event"    // what is to be taken back is not there, or was taken back
	Later       Code = "later"    // what was done since stands in the way of taking it back
	Upstream    Code = "upstream" // what the lot is made of is held, recalled or void
	TooMuchBack Code = "back"     // more comes back than the buyer got
	WrongBuyer  Code = "whose"    // what comes back went to somebody else
	Broken      Code = "broken"   // of an audit: the event cannot have happened as it stands
)

// Codes lists every code.
func Codes() []Code {
	return []Code{
		BadID, Reused, BadKind, BadStep, BadTime, BadPlace, BadParts, BadMass, BadCount, BadNet, BadBest, BadText, BadBuyer, BadSupplier, NoReason, NoRight, NoLot,
		NoProduct, BadCode, BadState, NoItem, BadItem, NoBox, BadBox, TooMuch, BadYield, Gated, Second, NoEvent, Later, Upstream, TooMuchBack, WrongBuyer, Broken,
	}
}

// RefusedError says why an order is not taken. Nothing of it was kept.
type RefusedError struct {
	Code  Code
	Lines []Line // what it is about, and the arithmetic where there is one; the last line is what was asked for
}

func (e *RefusedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "flow: refused: %s", e.Code)
	for i, l := range e.Lines {
		if i == 8 {
			fmt.Fprintf(&b, "; and %d more", len(e.Lines)-i)
			break
		}
		fmt.Fprintf(&b, "; %s", l)
	}
	return b.String()
}

func refuse(code Code, lines ...Line) error { return &RefusedError{Code: code, Lines: lines} }

// about is a line that names a thing.
func about(r trace.Ref, state string) Line { return Line{Kind: LineThing, Ref: r, State: state} }
