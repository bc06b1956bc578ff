package diary

import (
	"slices"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// Kind is a kind of event: which branches know it and what it asks. Its words are diary.KIND, its picture stands in the pages' icons.
type Kind struct {
	Name     string
	Branches []farm.Branch // empty: every place
	Anywhere bool          // may be of the co-op as a whole, without a place
	Places   []farm.Kind   // empty: any
	Fields   []form.Field
}

// Of reports whether the kind belongs to a branch.
func (k Kind) Of(b farm.Branch) bool { return len(k.Branches) == 0 || slices.Contains(k.Branches, b) }

// Field returns a field of the kind.
func (k Kind) Field(key string) (form.Field, bool) {
	for _, f := range k.Fields {
		if f.Key == key {
			return f, true
		}
	}
	return form.Field{}, false
}

// KindOf returns the kind of a name.
func KindOf(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

// The kinds that rules ask for by name.
const (
	PondPrep    = "pond_prep"
	Stocking    = "stocking"
	Feeding     = "feed"
	WaterTest   = "water_test"
	Treatment   = "treatment"
	EnvProduct  = "env_product"
	Sampling    = "sampling"
	Seeding     = "seed"
	Planting    = "planting"
	Fertilizing = "fertilizer"
	Spraying    = "pesticide"
	Harvest     = "harvest"
	Batch       = "batch" // processing: what went in, what came out
	Sale        = "sale"
	Receipt     = "stock_in"
	StockTake   = "stock_count"
	Aeration    = "aeration" // an aerator ran, from when it was done on
	Release     = "release"  // a second person lets a held lot go
)

// Keys of fields that rules ask for by name.
const (
	KeyInput  = "input"  // id of the input that was used or received
	KeyLot    = "lot"    // of the maker, of an input
	KeyAmount = "amount" // in the input's unit
	KeyExpiry = "expiry"
	KeyEnd    = "last_day" // of a treatment
	KeyKG     = "kg"
)

// use are the fields of what takes from the stock of inputs.
func use(unit string) []form.Field {
	return []form.Field{
		{Key: KeyInput, Type: form.Ref, Of: string(farm.Input), Required: true, Quick: true, Kept: true},
		{Key: KeyAmount, Type: form.Number, Unit: unit, Max: 1e7, Required: true, Quick: true, Kept: true},
		{Key: KeyLot, Type: form.Text, Kept: true},
	}
}

func kg(key string, required bool) form.Field {
	return form.Field{Key: key, Type: form.Number, Unit: "kg", Max: 1e7, Required: required, Quick: true}
}

func number(key, unit string, low, high float64) form.Field {
	return form.Field{Key: key, Type: form.Number, Unit: unit, Min: low, Max: high}
}

func text(key string) form.Field { return form.Field{Key: key, Type: form.Text} }

func choice(key string, options ...string) form.Field {
	return form.Field{Key: key, Type: form.Choice, Options: options}
}

func required(f form.Field) form.Field { f.Required, f.Quick = true, true; return f }
func quick(f form.Field) form.Field    { f.Quick = true; return f }
func kept(f form.Field) form.Field     { f.Kept = true; return f }
func private(f form.Field) form.Field  { f.Private = true; return f }

// Kinds returns every kind of event. The fields are those of the record forms of VietGAP aquaculture (TCVN 13528-1:2022) and crops
// (TCVN 11892-1), GACP (Circular 19/2019/TT-BYT) and of traceability of farmed finfish (TCVN 9989:2013), as far as they are known.
func Kinds() []Kind {
	return slices.Concat(fishKinds(), cropKinds(), processKinds(), commonKinds())
}

func fishKinds() []Kind {
	fish, ponds := []farm.Branch{farm.Fish}, []farm.Kind{farm.Pond}
	k := func(name string, fields ...form.Field) Kind {
		return Kind{Name: name, Branches: fish, Places: ponds, Fields: fields}
	}
	return []Kind{
		k(Feeding, append(use("kg"),
			number("times", "", 1, 20), quick(choice("appetite", "good", "fair", "poor", "none")), number("leftover_kg", "kg", 0, 1e5))...),
		k(WaterTest,
			quick(number("oxygen", "mg/L", 0, 30)), quick(number("ph", "", 0, 14)), choice("day_part", "morning", "afternoon"),
			quick(number("temperature", "°C", -2, 45)), quick(number("tan", "mg/L", 0, 50)), kept(choice("tan_basis", "n", "ion")), number("nh3", "mg/L", 0, 20), number("no2", "mg/L", 0, 50), number("h2s", "mg/L", 0, 10),
			number("alkalinity", "mg/L", 0, 1000), quick(number("transparency", "cm", 0, 300)),
			kept(choice("method", "kit", "meter", "laboratory")), kept(text("serial")), kept(form.Field{Key: "calibrated", Type: form.Date})),
		k(Treatment, append(use(""),
			required(text("reason")), text("dose"), text("prescriber"), form.Field{Key: KeyEnd, Type: form.Date, Quick: true})...),
		k(EnvProduct, append(use(""), text("reason"))...),
		k("mortality", required(number("count", "", 0, 1e7)), quick(kg(KeyKG, false)), quick(text("signs")), text("laboratory"), choice("disposal", "buried", "lime_pit", "burned", "collected")),
		k("health", required(text("signs")), number("affected_pct", "%", 0, 100), text("laboratory")),
		k(Sampling, required(number("n", "", 1, 10000)), required(number("mean_g", "g", 0.01, 50000))),
		k(Aeration, quick(number("run_minutes", "min", 1, 1440))), // without them: until the morning
		k("water_exchange", required(number("volume_m3", "m³", 0, 1e6)), choice("direction", "in", "out", "exchange"), text("source")),
		k(Stocking,
			required(text("species")), required(text("hatchery")), quick(text("quarantine_no")), required(text("seed_lot")),
			required(number("count", "", 1, 1e8)), quick(number("size_g", "g", 0.001, 10000)), number("size_cm", "cm", 0.1, 200), number("density_m2", "/m²", 0, 10000)),
		k(PondPrep,
			number("dry_days", "d", 0, 365), form.Field{Key: "mud_removed", Type: form.Flag, Quick: true}, form.Field{Key: KeyInput, Type: form.Ref, Of: string(farm.Input), Quick: true},
			form.Field{Key: KeyAmount, Type: form.Number, Max: 1e7, Quick: true}, text(KeyLot), form.Field{Key: "filled", Type: form.Date}, form.Field{Key: "screened", Type: form.Flag}),
		k("sludge", required(number("volume_m3", "m³", 0, 1e6)), text("destination")),
	}
}

func cropKinds() []Kind {
	crop, plots := []farm.Branch{farm.Crop, farm.Herb}, []farm.Kind{farm.Plot}
	k := func(name string, fields ...form.Field) Kind {
		return Kind{Name: name, Branches: crop, Places: plots, Fields: fields}
	}
	return []Kind{
		k("irrigation", quick(choice("source", "canal", "river", "well", "rain", "pond")), quick(number("minutes", "min", 0, 10000)), number("volume_m3", "m³", 0, 1e6), number("mm", "mm", 0, 500)),
		k(Spraying, append(use(""),
			required(text("pest")), text("dose"), quick(number("water_l", "L", 0, 1e5)), number("area_m2", "m²", 0, 1e7), text("sprayer"),
			form.Field{Key: "ppe", Type: form.Flag}, kept(text("equipment")))...),
		k(Fertilizing, append(use(""), choice("fert_method", "basal", "topdress", "foliar", "fertigation"), number("area_m2", "m²", 0, 1e7))...),
		k("scouting", required(text("pest")), quick(number("affected_pct", "%", 0, 100)), number("blight_score", "", 0, 9)),
		k("weeding", choice("weed_method", "hand", "machine", "mulch"), number("workers", "", 0, 1000)),
		k(Planting, required(form.Field{Key: "density_m2", Type: form.Number, Unit: "/m²", Max: 10000}), number("area_m2", "m²", 0, 1e7), text("spacing")),
		k(Seeding,
			required(text("variety")), choice("seed_class", "certified", "own", "tissue", "cutting"), required(text("seed_lot")), required(text("supplier")), quick(kg(KeyKG, false)), text("seed_treatment"),
			text("botanical_id")),
		k("land_prep", text("land_history"), quick(choice("tillage", "plough", "rotary", "ridge", "none")), text("soil_test"), text("water_test_no")),
		k("post_harvest", choice("step", "wash", "sort", "cure", "store", "dry"), quick(kg(KeyKG, false)), text("wash_water"), number("store_temperature", "°C", -5, 60), form.Field{Key: "sprouted", Type: form.Flag}),
	}
}

func processKinds() []Kind {
	made := []farm.Branch{farm.Process, farm.Herb}
	k := func(name string, fields ...form.Field) Kind {
		return Kind{Name: name, Branches: made, Places: []farm.Kind{farm.Shed}, Fields: fields}
	}
	return []Kind{
		k(Batch,
			required(form.Field{Key: "inputs", Type: form.Text, Repeat: true}), // lot codes of what went in
			required(kg("in_kg", true)), required(text("lot_code")), required(kg("out_kg", true)), text("soak"), form.Field{Key: "dry_begin", Type: form.Moment}, form.Field{Key: "dry_end", Type: form.Moment},
			quick(number("moisture_pct", "%", 0, 100)), number("temperature", "°C", 0, 150), number("humidity_pct", "%", 0, 100), text("recipe")),
		k("packing", required(text("lot_code")), required(number("packs", "", 1, 1e7)), number("pack_g", "g", 0.1, 1e6), form.Field{Key: "best_before", Type: form.Date}),
		k("storing", text("lot_code"), number("temperature", "°C", -40, 60), number("humidity_pct", "%", 0, 100), text("pest_control")),
		k("cleaning", required(text("what")), text("agent")),
	}
}

func commonKinds() []Kind {
	wherever := func(name string, fields ...form.Field) Kind { return Kind{Name: name, Fields: fields} }
	coop := func(name string, fields ...form.Field) Kind { return Kind{Name: name, Anywhere: true, Fields: fields} }
	return []Kind{
		wherever(Harvest,
			required(kg(KeyKG, true)), quick(text("lot_code")), // none: the next of the place and day
			form.Field{Key: "product", Type: form.Ref, Of: string(farm.Product), Quick: true, Kept: true},
			choice("size", "1", "2", "3", "mixed"), choice("harvest_method", "net", "drain", "hand", "machine"), choice("cooling", "ice", "live", "none"), text("destination"), text("residue_test"),
			form.Field{Key: "final", Type: form.Flag}), // the place is empty now: the season is over
		wherever(Sale,
			form.Field{Key: "buyer", Type: form.Ref, Of: string(farm.Buyer), Required: true, Quick: true, Kept: true}, required(kg(KeyKG, true)),
			quick(text("lot_code")), private(quick(number("price", "đ/kg", 0, 1e9))), form.Field{Key: "contract", Type: form.Ref, Of: string(farm.Contract), Quick: true},
			text("vehicle"), text("document_no")),
		coop("note"), // a photo, a voice note, a line
		coop("weather", choice("sky", "sun", "cloud", "rain", "storm", "cold", "heat"), number("rain_mm", "mm", 0, 2000)),
		coop("incident", required(text("what")), text("done")),
		coop("waste", required(choice("waste", "packs", "plastic", "sludge", "dead", "other")), quick(kg(KeyKG, false)), text("destination")),
		coop("hygiene", required(text("what"))),
		coop("visitor", required(private(text("who"))), text("purpose")),
		coop("training", required(text("topic")), quick(number("people", "", 1, 10000)), text("trainer")),
		coop("equipment", required(text("what")), quick(choice("upkeep", "clean", "calibrate", "repair", "check")), text("result")),
		coop("audit", required(text("scope")), text("findings"), form.Field{Key: "next", Type: form.Date}),
		coop("complaint", required(text("what")), text("lot_code"), text("done")),
		coop(Receipt,
			form.Field{Key: KeyInput, Type: form.Ref, Of: string(farm.Input), Required: true, Quick: true}, required(number(KeyAmount, "", 0, 1e8)), required(text(KeyLot)),
			form.Field{Key: KeyExpiry, Type: form.Date, Quick: true}, quick(text("supplier")), text("document_no"), private(number("cost", "đ", 0, 1e12))),
		coop(StockTake,
			form.Field{Key: KeyInput, Type: form.Ref, Of: string(farm.Input), Required: true, Quick: true}, required(number(KeyAmount, "", 0, 1e8)), text(KeyLot), quick(text("reason"))),
		wherever(Release, required(text("lot_code")), required(text("reason"))),
		wherever(Void, required(text("reason"))),
	}
}
