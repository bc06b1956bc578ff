package epcis

import (
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// lot tells how a lot came to be, unless an event of the goods does: its harvest or its making, with what was measured while it grew.
func (t *teller) lot(d trace.Dossier) {
	l := d.Lot
	switch {
	case t.madeOfGoods(l.Link().Ref()):
		return
	case l.Harvested.IsZero():
		t.growing(d)
		return
	}
	var of []diary.Entry
	for _, first := range l.Harvests {
		if i := slices.IndexFunc(t.Entries, func(e diary.Entry) bool { return e.First.ID == first }); i >= 0 {
			of = append(of, t.Entries[i])
		}
	}
	switch {
	case len(of) == 1:
		t.harvest(d, of)
	case l.State != trace.Void:
		t.made(d, of, l.KG, l.Harvested, nil)
	}
}

// harvest tells the one entry that brings a lot, each version of it, the newest first: what is corrected names what stands in for it.
func (t *teller) harvest(d trace.Dossier, of []diary.Entry) {
	var corrective []string
	h := of[0].History
	for i := range slices.Backward(h) {
		if h[i].Kind == diary.Void {
			continue
		}
		kg, _ := h[i].Values.Number(mass(h[i].Kind))
		version := of[0]
		version.Event = h[i]
		if kept := t.made(d, []diary.Entry{version}, kg, h[i].At(), declared(h, i, corrective)); kept != nil {
			corrective = []string{kept.ID}
		}
	}
}

// mass is the key of the mass that an entry brings.
func mass(kind string) string {
	if kind == diary.Batch {
		return "out_kg"
	}
	return diary.KeyKG
}

// declared says that version i of an entry was wrong; nil for the newest.
func declared(history []diary.Event, i int, corrective []string) *ErrorDeclaration {
	if i+1 == len(history) {
		return nil
	}
	d := &ErrorDeclaration{At: local(history[i+1].Synced), Reason: "incorrect_data", Corrective: corrective}
	if history[i+1].Kind == diary.Void {
		d.Reason, d.Corrective = "did_not_occur", nil
	}
	return d
}

// madeOfGoods reports whether an event of the goods brought the lot.
func (t *teller) madeOfGoods(ref trace.Ref) bool {
	return slices.ContainsFunc(t.Goods, func(g trace.Goods) bool {
		return (g.Kind == trace.Transform || g.Kind == trace.Receive) && slices.ContainsFunc(g.Out, func(p trace.Part) bool { return p.Ref == ref })
	})
}

// made tells the event that brings a lot.
func (t *teller) made(d trace.Dossier, of []diary.Entry, kg float64, at time.Time, wrong *ErrorDeclaration) *Event {
	l := d.Lot
	place := ""
	if len(l.Places) > 0 {
		place = l.Places[0]
	}
	e := t.at(Transformation, at, place)
	e.Step, e.Disposition = "commissioning", "active"
	e.Out = []Quantity{kilos(t.Names.Lot(l.Link()), kg)}
	e.Ext["farm:cte"] = "harvest"
	if len(of) > 0 && of[0].Kind == diary.Batch {
		e.Ext["farm:cte"] = "process"
		t.batchInputs(&e, of)
	} else {
		t.seasonInputs(&e, l, at)
	}
	t.describe(&e, d)
	e.Sensors = t.Names.sensors(t.Farm, d)
	if len(e.In) == 0 && e.TransformID == "" { // nobody said what it is made of
		e.Type, e.Action, e.Step, e.Quantities, e.Out = Object, Add, "creating_class_instance", e.Out, nil
	}
	if len(l.Places) > 1 {
		var all []string
		for _, p := range l.Places {
			all = append(all, t.Names.Place(p))
		}
		e.Ext["farm:places"] = all
	}
	e.Error = wrong
	return t.add(e)
}

// describe adds what is true of every piece of a lot, and its certificates.
func (t *teller) describe(e *Event, d trace.Dossier) {
	l := d.Lot
	e.ILMD = map[string]any{"cbvmda:lotNumber": l.Code, "cbvmda:countryOfOrigin": "VN", "farm:productName": d.Product.Name.VI}
	if !l.Harvested.IsZero() && e.Ext["farm:cte"] == "harvest" {
		e.ILMD["cbvmda:harvestEndDate"] = l.Harvested.In(farm.Time()).Format(time.DateOnly)
	}
	if l.Scientific != "" {
		e.ILMD["farm:speciesScientificName"] = l.Scientific
	}
	if l.Demo {
		e.Ext["farm:demo"] = "true"
	}
	for _, c := range d.Certificates {
		if !c.Demo { // a made-up one is none
			id, _, _ := strings.Cut(c.ID, "/")
			if uri := t.Names.own("certificate", id); !slices.Contains(e.Certificates, uri) {
				e.Certificates = append(e.Certificates, uri)
			}
		}
	}
}

// growing tells what was measured of a lot that is not harvested yet.
func (t *teller) growing(d trace.Dossier) {
	sensors := t.Names.sensors(t.Farm, d)
	if len(sensors) == 0 || len(d.Lot.Places) == 0 || d.Weighed.IsZero() {
		return
	}
	e := t.at(Object, d.Weighed, d.Lot.Places[0])
	e.Action, e.Step, e.Sensors = Observe, "sensor_reporting", sensors
	e.Quantities = []Quantity{{Class: t.Names.Lot(d.Lot.Link())}}
	e.Ext["farm:cte"] = "sensor_period"
	t.add(e)
}

// entry tells an entry of the diary that is an event of its own, each version of it: what was corrected is declared wrong and names what stands
// in for it.
func (t *teller) entry(entry diary.Entry) {
	var corrective []string
	h := entry.History
	for i := range slices.Backward(h) {
		if h[i].Kind == diary.Void {
			continue
		}
		e, ok := t.version(h[i])
		if !ok {
			return
		}
		e.Error = declared(h, i, corrective)
		if kept := t.add(e); kept != nil {
			corrective = []string{kept.ID}
		}
	}
}

// version tells one version of an entry; ok is false for kinds that are inside the harvest, or nobody else's business.
func (t *teller) version(d diary.Event) (e Event, ok bool) {
	e = t.at(Object, d.At(), d.Place)
	e.Action = Observe
	v := d.Values
	switch d.Kind {
	case diary.Stocking, diary.Seeding:
		t.stocked(&e, d)
	case diary.Treatment, diary.Spraying:
		t.treated(&e, d)
	case diary.PondPrep, "land_prep":
		e.Step, e.Ext["farm:cte"] = t.Names.term("bizStep/preparing"), "prepare"
		e.Quantities = t.grows(d)
	case diary.Planting:
		e.Step, e.Ext["farm:cte"] = t.Names.term("bizStep/planting"), "plant"
		e.Quantities = t.grows(d)
	case "packing":
		n, _ := v.Number("packs")
		e.Step, e.Disposition, e.Ext["farm:cte"] = "packing", "active", "pack"
		e.Quantities = []Quantity{{Class: t.coded(v.Text("lot_code")), Quantity: new(n)}}
		if best := v.Text("best_before"); best != "" {
			e.Ext["farm:bestBeforeDate"] = best
		}
	case diary.Sale:
		t.sold(&e, d)
	case diary.Release:
		e.Step, e.Disposition, e.Ext["farm:cte"] = "inspecting", "conformant", "let_go"
		e.Quantities = []Quantity{{Class: t.coded(v.Text("lot_code"))}}
		t.staff(&e, "farm:reason", v.Text("reason"))
	default:
		return e, false
	}
	return e, len(e.Quantities) > 0
}

// grows names what grows in the season of an entry.
func (t *teller) grows(d diary.Event) []Quantity {
	if d.Cycle == "" {
		return nil
	}
	return []Quantity{{Class: t.Names.Season(d.Cycle)}}
}

// coded names a lot that an entry names by its code.
func (t *teller) coded(code string) string {
	if l, ok := t.lotOf(code); ok {
		return t.Names.Lot(l)
	}
	return t.Names.own("lot", code)
}

// staff adds what is for those who work here.
func (t *teller) staff(e *Event, key, text string) {
	if t.Staff && text != "" {
		e.Ext[key] = text
	}
}

func (t *teller) stocked(e *Event, d diary.Event) {
	e.Step, e.Disposition, e.Ext["farm:cte"] = "receiving", "in_progress", "stocking"
	q := Quantity{Class: t.Names.Seed(d.Cycle, d.Values.Text("seed_lot"))}
	if n, ok := d.Values.Number("count"); ok {
		q.Quantity = new(n)
	} else if kg, ok := d.Values.Number(diary.KeyKG); ok {
		q.Quantity, q.Unit = new(kg), "KGM"
	}
	e.Quantities = []Quantity{q}
	if p, ok := t.Farm.Place(d.Place); ok && p.Species != "" {
		e.Ext["farm:speciesScientificName"] = p.Species
	}
	e.Destinations = []DestinationParty{{Type: "owning_party", ID: t.Names.Coop()}}
	t.staff(e, "farm:supplier", d.Values.Text("hatchery")+d.Values.Text("supplier"))
	if no := d.Values.Text("quarantine_no"); t.Staff && no != "" {
		e.Transactions = []BizTransaction{{Type: "cert", ID: t.Names.own("document", no)}}
	}
}

// treated tells a treatment or a spray, with the day from which harvest is allowed by its label.
func (t *teller) treated(e *Event, d diary.Event) {
	r := t.Records[d.Values.Text(diary.KeyInput)]
	e.Step, e.Ext["farm:cte"], e.Quantities = t.Names.term("bizStep/treating"), "treatment", t.grows(d)
	e.Ext["farm:product"] = r.Name()
	if actives := r.Values.List("actives"); len(actives) > 0 {
		e.Ext["farm:activeIngredient"] = actives
	}
	t.staff(e, "farm:dose", d.Values.Text("dose"))
	t.staff(e, "farm:reason", d.Values.Text("reason")+d.Values.Text("pest"))
	key := "phi_days"
	if p, ok := t.Farm.Place(d.Place); ok && p.Kind == farm.Pond {
		key = "withdrawal_days"
	}
	days, known := r.Values.Number(key)
	if !known {
		return
	}
	day := d.Values.Day(diary.KeyEnd, farm.Time())
	if day.IsZero() {
		day = farm.Midnight(d.At())
	}
	e.Ext["farm:withdrawalDays"] = days
	e.Ext["farm:harvestAllowedFrom"] = gate.AllowedFrom(day, int(days)).Format(time.DateOnly)
}

// sold tells a sale of the diary; to whom is for those who work here. One by contract is an event of that transaction.
func (t *teller) sold(e *Event, d diary.Event) {
	v := d.Values
	kg, _ := v.Number(diary.KeyKG)
	class := t.Names.Season(d.Cycle)
	if code := v.Text("lot_code"); code != "" {
		class = t.coded(code)
	} else if d.Cycle == "" {
		return
	}
	e.Quantities = []Quantity{kilos(class, kg)}
	e.Step, e.Disposition, e.Ext["farm:cte"] = "shipping", "in_transit", "ship"
	e.Location = nil // it has left
	e.Sources = []SourceParty{{Type: "owning_party", ID: t.Names.Coop()}}
	if !t.Staff {
		return
	}
	e.Destinations = []DestinationParty{{Type: "owning_party", ID: t.Names.own("buyer", v.Text("buyer"))}}
	t.staff(e, "farm:buyer", t.Records[v.Text("buyer")].Name())
	t.staff(e, "farm:vehicle", v.Text("vehicle"))
	if no := v.Text("document_no"); no != "" {
		e.Transactions = append(e.Transactions, BizTransaction{Type: "desadv", ID: t.Names.own("document", no)})
	}
	if c := v.Text("contract"); c != "" {
		e.Type, e.Action = Transaction, Add
		e.Transactions = append(e.Transactions, BizTransaction{Type: "po", ID: t.Names.own("contract", c)})
	}
}
