package flow

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"aovuon/server/trace"
)

// LineKind says what a line of an account stands for. Its words are goods.line.KIND.
type LineKind string

// The kinds of lines.
const (
	LineHarvest   LineKind = "harvest"   // in: what the diary brought in
	LineMade      LineKind = "made"      // in: it came out of a Transform
	LineReceived  LineKind = "received"  // in: from a supplier
	LineReturned  LineKind = "returned"  // in: loose goods that came back
	LineUsed      LineKind = "used"      // out: into a Transform
	LineBatch     LineKind = "batch"     // out: into a batch of the diary
	LineSold      LineKind = "sold"      // out: a sale of the diary
	LineShipped   LineKind = "shipped"   // out: loose goods that were shipped
	LineDestroyed LineKind = "destroyed" // out: loose goods
	LinePacked    LineKind = "packed"    // packed: a run of items
	LineBoxed     LineKind = "boxed"     // packed: loose goods in a box
	LineUnboxed   LineKind = "unboxed"   // packed: out of it again; negative
	LineLabels    LineKind = "labels"    // packed: of labels that were destroyed; negative

	LineIn        LineKind = "in"        // sum
	LineOut       LineKind = "out"       // sum
	LinePack      LineKind = "pack"      // sum of what is packed
	LineRemaining LineKind = "remaining" // in - out - pack
	LineAsked     LineKind = "asked"     // what was asked for
	LineYield     LineKind = "yield"     // the most that can come out: KG = the mass that goes in × Factor
	LineArea      LineKind = "area"      // the most that grows there: KG = m² (Count) × kg/m² (Factor)
	LineNet       LineKind = "net"       // packs (Count) × net mass
	LineThing     LineKind = "thing"     // a lot, item or box, and its State
)

// LineKinds lists every kind.
func LineKinds() []LineKind {
	return []LineKind{
		LineHarvest, LineMade, LineReceived, LineReturned, LineUsed, LineBatch, LineSold, LineShipped, LineDestroyed, LinePacked, LineBoxed, LineUnboxed, LineLabels,
		LineIn, LineOut, LinePack, LineRemaining, LineAsked, LineYield, LineArea, LineNet, LineThing,
	}
}

// Line is one line of an account, or of why an order is refused.
type Line struct {
	Kind  LineKind  `json:"kind"`
	At    time.Time `json:"at,omitzero"`
	Event string    `json:"event,omitempty"` // id of a goods event; of an entry of the diary where Diary is set
	Diary bool      `json:"diary,omitempty"`
	Ref   trace.Ref `json:"ref,omitzero"` // the other side of it: a lot, a box, a buyer; or what the line is about
	KG    float64   `json:"kg,omitempty"`
	Count int       `json:"count,omitempty"`
	// Serials says that what is packed has them.
	Serials bool    `json:"serials,omitempty"`
	Shared  int     `json:"shared,omitempty"` // a batch of so many inputs that does not say how much of each: KG is an equal share
	Factor  float64 `json:"factor,omitempty"` // of a yield: kg out per kg in; of an area: kg/m²
	State   string  `json:"state,omitempty"`
}

func (l Line) String() string {
	parts := []string{string(l.Kind)}
	if l.Ref != (trace.Ref{}) {
		parts = append(parts, l.Ref.String())
	}
	if l.KG != 0 || l.Ref == (trace.Ref{}) {
		parts = append(parts, fmt.Sprintf("%g kg", l.KG))
	}
	if l.State != "" {
		parts = append(parts, l.State)
	}
	return strings.Join(parts, " ")
}

// Account is the mass account of a lot: what came in, what left, what is packed, and what remains of it.
type Account struct {
	Lot    trace.Link `json:"-"`
	In     []Line     `json:"in"`
	Out    []Line     `json:"out,omitempty"`
	Packed []Line     `json:"packed,omitempty"`
	// The sums, in kg. RemainingKG = InKG - OutKG - PackedKG: what lies there loose. Negative: more is told to have left than came in.
	InKG        float64 `json:"in_kg"`
	OutKG       float64 `json:"out_kg"`
	PackedKG    float64 `json:"packed_kg"`
	RemainingKG float64 `json:"remaining_kg"`
	// Items counts the lot's serials by state.
	Items map[trace.ItemState]int `json:"items,omitempty"`
	// Bound is how much there is and the most that there can be, as Desk.Account says; empty: nothing is known.
	Bound []Line `json:"bound,omitempty"`
}

// Sums returns the sums as lines, for whoever is told why there is not enough.
func (a Account) Sums() []Line {
	r := a.Lot.Ref()
	return []Line{
		{Kind: LineIn, Ref: r, KG: a.InKG}, {Kind: LineOut, Ref: r, KG: a.OutKG}, {Kind: LinePack, Ref: r, KG: a.PackedKG}, {Kind: LineRemaining, Ref: r, KG: a.RemainingKG},
	}
}

// Over reports whether more is told to have left the lot, or to be packed of it, than came in.
func (a Account) Over() bool { return milligrams(a.RemainingKG) < 0 }

// milligrams is how masses are added and compared: a sum of tenths of a kilogram is exact.
func milligrams(kg float64) int64 { return int64(math.Round(kg * 1e6)) }

func kilograms(mg int64) float64 { return float64(mg) / 1e6 }

func sum(lines []Line) (mg int64) {
	for _, l := range lines {
		mg += milligrams(l.KG)
	}
	return mg
}

// Valid drops, of events, those that an Amend took back, and the Amends.
func Valid(events []trace.Goods) []trace.Goods {
	gone := map[string]bool{}
	for _, e := range events {
		if e.Kind == trace.Amend {
			gone[e.Voids] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(events), func(e trace.Goods) bool { return e.Kind == trace.Amend || gone[e.ID] })
}

// Reckon draws the account of a lot up from the goods events that name it, in whatever order, and what the diary tells to have been sold or
// used of it.
func Reckon(lot trace.Lot, events []trace.Goods, uses []Use) Account {
	a := Account{Lot: lot.Link()}
	me, made := lot.Link().Ref(), false
	for _, e := range Valid(events) {
		for _, p := range e.Out {
			if p.Ref == me && (e.Kind == trace.Transform || e.Kind == trace.Receive) {
				kind := LineMade
				if e.Kind == trace.Receive {
					kind = LineReceived
				}
				made = true
				a.In = append(a.In, Line{Kind: kind, At: e.At, Event: e.ID, Ref: first(e.In), KG: p.KG})
			}
		}
		a.moved(me, e)
	}
	if !made && lot.KG != 0 {
		line := Line{Kind: LineHarvest, At: lot.Harvested, KG: lot.KG}
		if len(lot.Harvests) > 0 {
			line.Event, line.Diary = lot.Harvests[0], true
		}
		a.In = append(a.In, line)
	}
	for _, u := range uses {
		a.Out = append(a.Out, u.line())
	}
	for _, lines := range [][]Line{a.In, a.Out, a.Packed} {
		slices.SortStableFunc(lines, func(x, y Line) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Event, y.Event)) })
	}
	in, out, packed := sum(a.In), sum(a.Out), sum(a.Packed)
	a.InKG, a.OutKG, a.PackedKG, a.RemainingKG = kilograms(in), kilograms(out), kilograms(packed), kilograms(in-out-packed)
	return a
}

func first(parts []trace.Part) trace.Ref {
	if len(parts) == 0 {
		return trace.Ref{}
	}
	return parts[0].Ref
}

// moved adds what one event did to the mass of a lot.
func (a *Account) moved(me trace.Ref, e trace.Goods) {
	for _, p := range e.In {
		if p.Ref != me {
			continue
		}
		l := Line{At: e.At, Event: e.ID, KG: p.KG, Count: p.Count, Ref: first(e.Out)}
		loose := len(p.Items) == 0
		switch {
		case e.Kind == trace.Transform:
			l.Kind = LineUsed
			a.Out = append(a.Out, l)
		case e.Kind == trace.Pack && e.Step != trace.StepActivate:
			l.Kind, l.Ref = LinePacked, trace.Ref{}
			if len(e.Out) > 0 {
				l.Count = e.Out[0].Count
			}
			l.Serials = e.Step != trace.StepPlain
			a.Packed = append(a.Packed, l)
		case e.Kind == trace.FillBox && loose:
			l.Kind = LineBoxed
			a.Packed = append(a.Packed, l)
		case e.Kind == trace.Ship && loose:
			l.Kind, l.Ref = LineShipped, buyer(e)
			a.Out = append(a.Out, l)
		case e.Kind == trace.Return && loose:
			l.Kind, l.Ref = LineReturned, buyer(e)
			a.In = append(a.In, l)
		case e.Kind == trace.Destroy && e.Step == trace.StepLabels:
			l.Kind, l.KG, l.Ref = LineLabels, -p.KG, trace.Ref{}
			a.Packed = append(a.Packed, l)
		case e.Kind == trace.Destroy && loose:
			l.Kind = LineDestroyed
			a.Out = append(a.Out, l)
		}
	}
	if e.Kind != trace.EmptyBox {
		return
	}
	for _, p := range e.Out {
		if p.Ref == me && len(p.Items) == 0 {
			a.Packed = append(a.Packed, Line{Kind: LineUnboxed, At: e.At, Event: e.ID, Ref: first(e.In), KG: -p.KG})
		}
	}
}

func buyer(e trace.Goods) trace.Ref {
	if e.Buyer == "" {
		return trace.Ref{}
	}
	return trace.Ref{Kind: trace.RefBuyer, ID: e.Buyer}
}
