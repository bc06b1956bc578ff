package trace

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// RefKind says what a Ref names.
type RefKind string

// What goods come from, are in and go to.
const (
	RefLot    RefKind = "lot"    // ID <gtin>/<code>: a lot of ours
	RefSupply RefKind = "supply" // ID <record id of an input, or GS1 class URI>/<maker's lot>: what was bought in
	RefSeason RefKind = "season" // ID of a farm.Cycle record
	RefPlace  RefKind = "place"  // ID is the place's code
	RefBox    RefKind = "box"    // ID is an SSCC of 18 digits
	RefItem   RefKind = "item"   // ID is a serial
	RefBuyer  RefKind = "buyer"  // ID of a farm.Buyer record
)

// RefKinds lists every kind.
func RefKinds() []RefKind {
	return []RefKind{RefLot, RefSupply, RefSeason, RefPlace, RefBox, RefItem, RefBuyer}
}

// Ref names a thing that goods come from, are in or go to. The zero Ref names nothing.
type Ref struct {
	Kind RefKind
	ID   string
}

// Ref returns the name of the lot itself.
func (l Link) Ref() Ref { return Ref{RefLot, l.GTIN + "/" + l.Lot} }

// Link returns the Digital Link of a lot's Ref; ok is false for others.
func (r Ref) Link() (l Link, ok bool) {
	gtin, code, ok := strings.Cut(r.ID, "/")
	return Link{GTIN: gtin, Lot: code}, ok && r.Kind == RefLot
}

// String returns the Ref as KIND:ID; "" names nothing.
func (r Ref) String() string {
	if r == (Ref{}) {
		return ""
	}
	return string(r.Kind) + ":" + r.ID
}

// MarshalText implements encoding.TextMarshaler.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Ref) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRef(string(text))
	return err
}

// ErrRef is wrapped by the errors of texts that name nothing.
var ErrRef = errors.New("trace: malformed name")

// maxRef bounds the ID of a Ref.
const maxRef = 300

// ParseRef reads what String writes.
func ParseRef(s string) (Ref, error) {
	if s == "" {
		return Ref{}, nil
	}
	kind, id, ok := strings.Cut(s, ":")
	for _, k := range RefKinds() {
		if ok && string(k) == kind && id != "" && len(id) <= maxRef {
			return Ref{k, id}, nil
		}
	}
	return Ref{}, fmt.Errorf("%w: %.60q: want KIND:ID, such as lot:09521234010036/AO1-261125", ErrRef, s)
}

// GoodsKind says what was done with goods after the harvest.
type GoodsKind string

// What is done with goods.
const (
	Transform GoodsKind = "transform" // lots become lots: processing, drying, grading, splitting, merging (Step says which)
	Pack      GoodsKind = "pack"      // of one lot, items with serials, or without
	FillBox   GoodsKind = "box"       // items, boxes, or a mass of lots, into a box with an SSCC
	EmptyBox  GoodsKind = "unbox"     // out of it again
	Ship      GoodsKind = "ship"      // to a buyer
	Receive   GoodsKind = "receive"   // from a supplier: a lot that others made
	Return    GoodsKind = "return"    // from a buyer, back
	Destroy   GoodsKind = "destroy"   // goods, or labels
	Hold      GoodsKind = "hold"      // a lot may not be sold until it is let go
	LetGo     GoodsKind = "letgo"     // a lot that was held by Hold
	Issue     GoodsKind = "release"   // a lot may be labelled and sold: it is sealed
	Recall    GoodsKind = "recall"    // with all that is downstream
	EndRecall GoodsKind = "unrecall"  // it was a mistake, or is over
	Close     GoodsKind = "close"     // nothing is done with the lot any more
	Reopen    GoodsKind = "reopen"    //
	Amend     GoodsKind = "void"      // the event that Voids names did not happen
)

// GoodsKinds lists every kind.
func GoodsKinds() []GoodsKind {
	return []GoodsKind{
		Transform, Pack, FillBox, EmptyBox, Ship, Receive, Return, Destroy, Hold, LetGo, Issue, Recall, EndRecall, Close, Reopen, Amend,
	}
}

// Steps of a Transform.
const (
	StepProcess = "process" // rice → bánh đa
	StepDry     = "dry"
	StepGrade   = "grade"
	StepSplit   = "split"
	StepMerge   = "merge"
)

// Steps of a Pack. Without one, what is packed gets serials that are activated at once.
const (
	StepIssue    = "issue"    // labels ahead of the packing: the serials are issued and their mass is set aside, no item has one yet
	StepActivate = "activate" // issued serials that are on packed items now
	StepPlain    = "plain"    // packed without serials: Count of the Out part says how many
)

// StepUpstream is a Hold by the server itself: lots that this one is made of may not be sold. The Reason is their codes.
const StepUpstream = "upstream"

// StepLabels is a Destroy of labels alone: the goods were not packed, or are taken out of their packs, and are unpacked mass of the lot again.
const StepLabels = "labels"

// Part is one thing that goes into an event or comes out of it.
type Part struct {
	Ref   Ref     `json:"ref"`
	KG    float64 `json:"kg,omitempty"`
	Count int     `json:"count,omitempty"` // of items; in an order with a lot and no Items: the next so many that are packed, in no box
	// Items are the serials that it is about; none where Ref says it all.
	Items []string `json:"items,omitempty"`
	// Of a lot that comes out: what it is, where the code is to be found (empty Ref.ID after the slash: the next free one).
	Grade string `json:"grade,omitempty"`
	// Was says what Items, or all that was in the box, were before they were destroyed. The desk fills it in.
	Was ItemState `json:"was,omitempty"`
}

// Goods is an event of the goods after the harvest. It is never changed; an Amend says that one did not happen.
type Goods struct {
	ID       string    `json:"id"` // ULID
	Kind     GoodsKind `json:"kind"`
	Step     string    `json:"step,omitempty"` // of a Transform
	At       time.Time `json:"at"`             // when it was done
	Made     time.Time `json:"made"`           // when it was entered, by the server's clock
	Actor    string    `json:"actor"`          // a pseudonym
	Place    string    `json:"place,omitempty"`
	In       []Part    `json:"in,omitempty"`
	Out      []Part    `json:"out,omitempty"`
	Buyer    string    `json:"buyer,omitempty"`    // id of a record; of Ship and Return
	Supplier string    `json:"supplier,omitempty"` // of Receive, as it is called
	Document string    `json:"document,omitempty"` // delivery note, invoice
	Vehicle  string    `json:"vehicle,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Note     string    `json:"note,omitempty"` // private
	Best     time.Time `json:"best,omitzero"`  // of a Pack: best before, a day
	NetG     float64   `json:"net_g,omitempty"`
	Voids    string    `json:"voids,omitempty"` // of an Amend
	Drill    bool      `json:"drill,omitempty"` // of a Recall: nobody is told, nothing is marked
}

// ItemState says how far an item has come.
type ItemState string

// The states of an item.
const (
	ItemPrinted   ItemState = "printed"   // its serial was issued; a label may be on paper
	ItemActivated ItemState = "activated" // it is on a packed item
	ItemShipped   ItemState = "shipped"
	ItemSold      ItemState = "sold"
	ItemVoid      ItemState = "void" // label or item was destroyed
)

// ItemStates lists every state.
func ItemStates() []ItemState {
	return []ItemState{ItemPrinted, ItemActivated, ItemShipped, ItemSold, ItemVoid}
}

// Item is one packed thing with a serial of its own (AI 21).
type Item struct {
	Serial  string // 13 characters of Crockford's base 32: 65 random bits
	GTIN    string
	Lot     string // code
	Run     string // id of the Pack
	N       int    // within the run, from 1
	NetG    float64
	Best    time.Time // zero: none was said
	State   ItemState
	Box     string    // SSCC; empty: in none
	Changed time.Time // of State
}

// Link returns the item's Digital Link.
func (i Item) Link() Link { return Link{GTIN: i.GTIN, Lot: i.Lot, Serial: i.Serial} }

// Box is what goods are packed into for the way, with an SSCC.
type Box struct {
	SSCC   string // 18 digits; of a co-op without a GS1 prefix one of its own, which is never shown as an SSCC
	Event  string // the FillBox that made it
	In     string // SSCC of the box that it stands in
	State  ItemState
	Parts  []Part // what is in it now
	Filled time.Time
}
