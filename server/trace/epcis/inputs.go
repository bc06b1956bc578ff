package epcis

import (
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/trace"
)

// seasonInputs adds what went into a season until it was harvested: what was stocked or planted, feed and fertiliser. Of a season with several
// lots all of them name all of it: nobody can divide it.
func (t *teller) seasonInputs(e *Event, l trace.Lot, until time.Time) {
	if l.Cycle == "" {
		return
	}
	e.TransformID = t.Names.Season(l.Cycle)
	sums := map[string]*Quantity{}
	var order []string
	for _, entry := range t.Entries {
		if entry.Voided || entry.Cycle != l.Cycle || entry.At().After(until) {
			continue
		}
		var q Quantity
		switch entry.Kind {
		case diary.Stocking:
			n, _ := entry.Values.Number("count")
			q = Quantity{Class: t.Names.Seed(l.Cycle, entry.Values.Text("seed_lot")), Quantity: new(n)}
		case diary.Seeding:
			n, ok := entry.Values.Number(diary.KeyKG)
			q = Quantity{Class: t.Names.Seed(l.Cycle, entry.Values.Text("seed_lot"))}
			if ok {
				q.Quantity, q.Unit = new(n), "KGM"
			}
		case diary.Feeding, diary.Fertilizing:
			q = t.used(entry)
		default:
			continue
		}
		key := q.Class + " " + q.Unit
		if s, ok := sums[key]; ok && s.Quantity != nil && q.Quantity != nil {
			s.Quantity = new(*s.Quantity + *q.Quantity)
			continue
		}
		if _, ok := sums[key]; !ok {
			sums[key] = &q
			order = append(order, key)
		}
	}
	slices.Sort(order)
	for _, key := range order {
		e.In = append(e.In, *sums[key])
	}
}

// used is what an entry took of an input.
func (t *teller) used(e diary.Entry) Quantity {
	r := t.Records[e.Values.Text(diary.KeyInput)]
	q := Quantity{Class: t.Names.Input(r.ID, e.Values.Text(diary.KeyLot))}
	if n, ok := e.Values.Number(diary.KeyAmount); ok {
		q.Quantity, q.Unit = new(n), unitCode(r.Values.Text("unit"))
	}
	return q
}

// unitCode returns the UN/ECE Recommendation 20 code of a unit of inputs; "" for things that are counted.
func unitCode(unit string) string {
	switch unit {
	case "kg":
		return "KGM"
	case "g":
		return "GRM"
	case "l":
		return "LTR"
	case "ml":
		return "MLT"
	case "t":
		return "TNE"
	case "bag":
		return "BG"
	}
	return ""
}

func kilos(class string, kg float64) Quantity {
	if kg == 0 {
		return Quantity{Class: class}
	}
	return Quantity{Class: class, Quantity: new(kg), Unit: "KGM"}
}

// batchInputs adds what was processed.
func (t *teller) batchInputs(e *Event, of []diary.Entry) {
	for _, b := range of {
		codes := b.Values.List("inputs")
		for _, code := range codes {
			class := t.Names.own("lot", code)
			if l, ok := t.lotOf(code); ok {
				class = t.Names.Lot(l)
			}
			q := Quantity{Class: class}
			if kg, ok := b.Values.Number("in_kg"); ok && len(codes) == 1 {
				q.Quantity, q.Unit = new(kg), "KGM"
			}
			e.In = append(e.In, q)
		}
		if kg, ok := b.Values.Number("in_kg"); ok && len(codes) > 1 {
			e.Ext["farm:inputMass"] = kg
		}
		if pct, ok := b.Values.Number("moisture_pct"); ok {
			e.Ext["farm:moisturePercent"] = pct
		}
	}
}

// lotOf finds a lot by its code alone, as people write it in the diary.
func (t *teller) lotOf(code string) (trace.Link, bool) {
	for _, d := range t.Dossiers {
		if d.Lot.Code == code {
			return d.Lot.Link(), true
		}
	}
	return trace.Link{}, false
}
