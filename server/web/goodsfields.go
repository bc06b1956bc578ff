package web

import (
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/trace"
)

// What a form of goods refers to besides records.
const (
	refLots  = "lot"  // lots of the same product, by trace.Ref
	refBoxes = "box"  // boxes that hold something of the lot: that have not left; of a return, that have
	refSold  = "sold" // buyers that something of the lot was shipped to
)

// Keys of the forms of goods.
const (
	keyOutProduct = "product"
	keyOutKG      = "out_kg"
	keyCode       = "lot_code"
	keyPacks      = "packs"
	keyPackG      = "pack_g"
	keyBest       = "best_before"
	keyPerBox     = "per_box"
	keyBoxCount   = "box_count"
	keyBoxes      = "boxes"
	keyItems      = "items"
	keyLots       = "lots"
	keyBuyer      = "buyer"
	keySupplier   = "supplier"
	keyDocument   = "document_no"
	keyVehicle    = "vehicle"
	keyReason     = "reason"
	keyKG         = "kg"
	keyNote       = "note"
	keyAt         = "done_at"
)

// grades are what a lot is sorted into, with the field that says how much.
func grades() []string { return []string{"grade_1", "grade_2", "grade_3"} }

// deed is something that is done with goods on a form of its own: a kind, and of a Transform its step.
type deed struct {
	name string // in addresses and words: goods.NAME
	kind trace.GoodsKind
	step string
	lot  bool // it is done with a lot; otherwise with what is named in the form
}

// deeds are all forms of goods, in the order people meet them. A recall has pages of its own.
func deeds() []deed {
	return []deed{
		{"release", trace.Issue, "", true},
		{"pack", trace.Pack, "", true},
		{"issue", trace.Pack, trace.StepIssue, true},
		{"activate", trace.Pack, trace.StepActivate, true},
		{"box", trace.FillBox, "", true},
		{"ship", trace.Ship, "", true},
		{"return", trace.Return, "", true},
		{"process", trace.Transform, trace.StepProcess, true},
		{"dry", trace.Transform, trace.StepDry, true},
		{"grade", trace.Transform, trace.StepGrade, true},
		{"split", trace.Transform, trace.StepSplit, true},
		{"merge", trace.Transform, trace.StepMerge, true},
		{"destroy", trace.Destroy, "", true},
		{"spoil", trace.Destroy, trace.StepLabels, true},
		{"hold", trace.Hold, "", true},
		{"letgo", trace.LetGo, "", true},
		{"close", trace.Close, "", true},
		{"reopen", trace.Reopen, "", true},
		{"receive", trace.Receive, "", false},
	}
}

func deedCalled(name string) (deed, bool) {
	for _, d := range deeds() {
		if d.name == name {
			return d, true
		}
	}
	return deed{}, false
}

// fields are what the form of a deed asks.
func (d deed) fields() []form.Field {
	kilos := func(key string, required bool) form.Field {
		return form.Field{Key: key, Type: form.Number, Unit: "kg", Max: 1e7, Required: required, Quick: true}
	}
	number := func(key, unit string, low, high float64, required bool) form.Field {
		return form.Field{Key: key, Type: form.Number, Unit: unit, Min: low, Max: high, Whole: unit == "", Required: required, Quick: true}
	}
	text := func(key string, required bool) form.Field {
		return form.Field{Key: key, Type: form.Text, Required: required, Quick: required}
	}
	product := form.Field{Key: keyOutProduct, Type: form.Ref, Of: string(farm.Product), Required: true, Quick: true}
	tail := []form.Field{{Key: keyAt, Type: form.Moment}, {Key: keyNote, Type: form.Long, Private: true}}
	var own []form.Field
	switch d.name {
	case "pack", "issue":
		own = []form.Field{number(keyPacks, "", 1, 100000, true), number(keyPackG, "g", 1, 1e6, true), {Key: keyBest, Type: form.Date, Quick: true}}
	case "activate":
		own = []form.Field{number(keyPacks, "", 1, 100000, false)}
	case "spoil":
		own = []form.Field{{Key: keyItems, Type: form.Text, Repeat: true, Required: true, Quick: true}, text(keyReason, true)}
	case "box":
		own = []form.Field{number(keyPerBox, "", 1, 10000, true), number(keyBoxCount, "", 1, 500, true)}
	case "ship":
		own = []form.Field{
			{Key: keyBuyer, Type: form.Ref, Of: string(farm.Buyer), Required: true, Quick: true},
			{Key: keyBoxes, Type: form.Ref, Of: refBoxes, Repeat: true, Quick: true},
			kilos(keyKG, false),
			{Key: keyItems, Type: form.Text, Repeat: true},
			{Key: keyDocument, Type: form.Text, Quick: true},
			{Key: keyVehicle, Type: form.Text, Quick: true},
		}
	case "return":
		own = []form.Field{
			{Key: keyBuyer, Type: form.Ref, Of: refSold, Required: true, Quick: true},
			{Key: keyBoxes, Type: form.Ref, Of: refBoxes, Repeat: true, Quick: true},
			kilos(keyKG, false),
			{Key: keyItems, Type: form.Text, Repeat: true, Quick: true},
			text(keyReason, true), text(keyDocument, false),
		}
	case "process", "dry":
		own = []form.Field{kilos(keyKG, true), product, kilos(keyOutKG, true), text(keyCode, false)}
	case "grade":
		own = []form.Field{kilos(keyKG, true)}
		for _, g := range grades() {
			own = append(own, kilos(g, false))
		}
	case "split":
		own = []form.Field{kilos(keyKG, true), text(keyCode, false)}
	case "merge":
		own = []form.Field{{Key: keyLots, Type: form.Ref, Of: refLots, Repeat: true, Required: true, Quick: true}, text(keyCode, false)}
	case "destroy":
		own = []form.Field{kilos(keyKG, false), {Key: keyItems, Type: form.Text, Repeat: true, Quick: true}, text(keyReason, true)}
	case "receive":
		own = []form.Field{product, text(keySupplier, true), text(keyCode, true), kilos(keyKG, true), {Key: keyDocument, Type: form.Text, Quick: true}}
	case "hold", "letgo", "reopen":
		own = []form.Field{text(keyReason, true)}
	case "close":
		own = []form.Field{text(keyReason, false)}
	}
	return append(own, tail...)
}
