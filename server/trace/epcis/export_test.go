package epcis_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, farm.Time())
	if err != nil {
		panic(err)
	}
	return t
}

const (
	pond     = "F7NE3CDQ7"
	fishGTIN = "09521234010036"
	secret   = "Nguyễn Văn Thật" // of a buyer, a supplier, a prescriber: never told to strangers
	serial   = "7K3QPX9D4ZAB0"
	box      = "095212340000000013"
)

var names = epcis.Names{Base: "https://tx.example.vn"}

// season is a season of fish with everything that an export speaks of: a correction, a void, a treatment, packs, boxes, a sale, a recall.
func season(t *testing.T) epcis.Source {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	f.Coop.Demo = false
	for i := range f.Mounts {
		f.Mounts[i].From = at("2026-05-01 08:00")
	}
	own := farm.InternalNumber(1)
	fish := trace.Lot{
		GTIN: fishGTIN, Code: "AO1-261018", Places: []string{pond}, Species: farm.Text{VI: "cá rô phi", EN: "tilapia"}, Scientific: "Oreochromis niloticus",
		Stocked: at("2026-05-02 06:30"), Harvested: at("2026-10-18 05:00"), KG: 6800, State: trace.Released, Cycle: "cyc0000001", Harvests: []string{"H1"},
	}
	made := fish
	made.GTIN, made.Code, made.Harvests, made.Cycle, made.Places = own, "BD-261101", nil, "", nil
	voided := fish
	voided.Code, voided.Harvests, voided.State = "AO1-261017", []string{"H0"}, trace.Void
	grows := fish
	grows.Code, grows.Harvests, grows.Harvested, grows.Cycle, grows.State = "AO1-LON", nil, time.Time{}, "cyc0000009", trace.Growing
	bought := fish
	bought.GTIN, bought.Code, bought.Harvests, bought.Cycle, bought.Places = own, "GAO-2610", nil, "", nil
	evidence := []trace.Evidence{
		{Place: pond, Quantity: measure.WaterTemperature, From: fish.Stocked, To: fish.Harvested, N: 9000, Min: 22.41234, Mean: 28.3, Max: 32.1, Covered: 3800 * time.Hour},
		{Place: pond, Quantity: measure.DissolvedOxygen, From: fish.Stocked, To: fish.Harvested, N: 9000, Faults: 3, Min: 3.1, Mean: 5.6, Max: 9.8, Covered: 3000 * time.Hour, Within: 2000 * time.Hour, Limits: []farm.Limit{{Value: 4}}},
		{Place: pond, Quantity: measure.PH, From: fish.Stocked, To: fish.Harvested},
	}
	certificate := trace.Certificate{ID: "vietgap001/" + fishGTIN + "/" + pond, Scheme: "VietGAP", Number: "TS-0001"}
	s := epcis.Source{
		Names: names, Farm: f,
		Dossiers: []trace.Dossier{
			{Lot: fish, Product: trace.Product{GTIN: fishGTIN, Name: farm.Text{VI: "Cá rô phi tươi"}}, Certificates: []trace.Certificate{certificate}, Evidence: evidence, Weighed: at("2026-10-18 06:00")},
			{Lot: voided, Product: trace.Product{GTIN: fishGTIN, Name: farm.Text{VI: "Cá rô phi tươi"}}},
			{Lot: made, Product: trace.Product{GTIN: own, Name: farm.Text{VI: "Bánh đa"}}},
			{Lot: bought, Product: trace.Product{GTIN: own, Name: farm.Text{VI: "Gạo"}}},
			{Lot: grows, Product: trace.Product{GTIN: fishGTIN, Name: farm.Text{VI: "Cá rô phi tươi"}}, Evidence: evidence[:1], Weighed: at("2026-10-18 06:00")},
		},
		Records: map[string]farm.Record{},
		Serials: map[string][]string{"G2": {serial, "8K3QPX9D4ZAB0"}},
	}
	for _, r := range []farm.Record{
		{Kind: farm.Input, ID: "inp0000001", Values: form.Values{"name": "Cám cá 30 %", "type": "feed", "unit": "kg"}},
		{Kind: farm.Input, ID: "inp0000002", Values: form.Values{"name": "Oxytetracyclin", "type": "drug", "unit": "g", "actives": []string{"oxytetracycline"}, "withdrawal_days": 21.0}},
		{Kind: farm.Buyer, ID: "buy0000001", Values: form.Values{"name": secret}},
	} {
		s.Records[r.ID] = r
	}
	s.Entries = diary.Entries(entries())
	s.Goods = goods(fish.Link().Ref(), made.Link().Ref(), bought.Link().Ref())
	return s
}

func entries() []diary.Event {
	e := func(id, kind, when string, v form.Values) diary.Event {
		return diary.Event{ID: id, Kind: kind, Place: pond, Cycle: "cyc0000001", Values: v, Note: secret, Occurred: at(when), Recorded: at(when), Synced: at(when)}
	}
	fix := func(of, id, kind, when string, v form.Values) diary.Event {
		out := e(id, kind, when, v)
		out.Corrects, out.Synced = of, at("2026-10-19 08:00")
		return out
	}
	return []diary.Event{
		e("P1", diary.PondPrep, "2026-04-20 06:00", form.Values{"dry_days": 7.0}),
		e("S1", diary.Stocking, "2026-05-02 06:30", form.Values{"species": "rô phi", "hatchery": secret, "quarantine_no": "KD-0117", "seed_lot": "GIONG-260501", "count": 30000.0}),
		e("F1", diary.Feeding, "2026-06-01 07:00", form.Values{"input": "inp0000001", "amount": 9000.0, "lot": "TA-2604"}),
		e("F2", diary.Feeding, "2026-07-01 07:00", form.Values{"input": "inp0000001", "amount": 200.5, "lot": "TA-2604"}),
		e("T1", diary.Treatment, "2026-08-12 07:00", form.Values{"input": "inp0000002", "amount": 500.0, "lot": "OX-1", "reason": secret, "dose": "55 mg/kg", "prescriber": secret, "last_day": "2026-08-14"}),
		e("H1", diary.Harvest, "2026-10-18 05:00", form.Values{"kg": 6900.0, "lot_code": "AO1-261018"}),
		fix("H1", "H2", diary.Harvest, "2026-10-18 05:00", form.Values{"kg": 6800.0, "lot_code": "AO1-261018"}),
		e("H0", diary.Harvest, "2026-10-17 05:00", form.Values{"kg": 10.0, "lot_code": "AO1-261017"}),
		fix("H0", "HV", diary.Void, "2026-10-17 05:00", form.Values{"reason": secret}),
		e("K1", "packing", "2026-10-18 08:00", form.Values{"lot_code": "AO1-261018", "packs": 20.0, "best_before": "2026-10-25"}),
		e("B1", diary.Sale, "2026-10-18 09:00", form.Values{"buyer": "buy0000001", "kg": 100.0, "lot_code": "AO1-261018", "price": 45000.0, "vehicle": "15C-123.45", "document_no": "PXK-7", "contract": "con0000001"}),
		e("B2", diary.Sale, "2026-10-18 09:30", form.Values{"buyer": "buy0000001", "kg": 50.0, "lot_code": "AO1-261018"}),
		e("R1", diary.Release, "2026-10-18 10:00", form.Values{"lot_code": "AO1-261018", "reason": secret}),
	}
}

func goods(fish, made, bought trace.Ref) []trace.Goods {
	g := func(id string, kind trace.GoodsKind, when string) trace.Goods {
		return trace.Goods{ID: id, Kind: kind, At: at(when), Made: at(when), Place: pond, Note: secret, Reason: secret, Document: "PXK-9", Vehicle: "15C-123.45", Supplier: secret}
	}
	part := func(r trace.Ref, kg float64) []trace.Part { return []trace.Part{{Ref: r, KG: kg}} }
	boxed := []trace.Part{{Ref: trace.Ref{Kind: trace.RefBox, ID: box}}}
	packed, items := g("G2", trace.Pack, "2026-10-20 08:00"), []trace.Part{{Ref: fish, Items: []string{serial, "8K3QPX9D4ZAB0"}}}
	packed.In, packed.Out, packed.NetG, packed.Best = part(fish, 1), []trace.Part{{Ref: fish, KG: 1, Count: 2}}, 500, at("2026-10-27 00:00")
	received := g("G0", trace.Receive, "2026-10-19 08:00")
	received.Out, received.In = part(bought, 500), []trace.Part{{Ref: trace.Ref{Kind: trace.RefSupply, ID: "inp0000009/GAO-A"}, KG: 500}}
	transformed := g("G1", trace.Transform, "2026-11-01 08:00")
	transformed.Step, transformed.In, transformed.Out = trace.StepProcess, part(bought, 500), part(made, 420)
	filled, emptied := g("G3", trace.FillBox, "2026-10-20 09:00"), g("G4", trace.EmptyBox, "2026-10-21 09:00")
	filled.In, filled.Out, emptied.In, emptied.Out = items, boxed, boxed, items
	shipped, back := g("G5", trace.Ship, "2026-10-22 09:00"), g("G6", trace.Return, "2026-10-23 09:00")
	shipped.In, shipped.Buyer, back.In, back.Buyer = items, "buy0000001", items, "buy0000001"
	wrong, amend := g("G7", trace.Ship, "2026-10-22 10:00"), g("G8", trace.Amend, "2026-10-22 11:00")
	wrong.In, wrong.Buyer, amend.Voids = part(fish, 5), "buy0000001", "G7"
	destroyed := g("G9", trace.Destroy, "2026-10-24 09:00")
	destroyed.In = items
	out := []trace.Goods{received, transformed, packed, filled, emptied, shipped, back, wrong, amend, destroyed}
	for i, kind := range []trace.GoodsKind{trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall, trace.Close, trace.Reopen} {
		e := g("S"+string(kind), kind, "2026-11-02 08:00")
		e.At = e.At.Add(time.Duration(i) * time.Hour)
		e.In = []trace.Part{{Ref: fish}}
		out = append(out, e)
	}
	drill := g("SD", trace.Recall, "2026-11-03 08:00")
	drill.In, drill.Drill = []trace.Part{{Ref: fish}}, true
	labels := g("SL", trace.Pack, "2026-10-20 07:00")
	labels.Step, labels.In, labels.Out = trace.StepIssue, part(fish, 1), []trace.Part{{Ref: fish, KG: 1, Count: 2}}
	return append(out, drill, labels)
}

func TestExport_IsValidWhateverItTells(t *testing.T) {
	s := schema(t, "epcis-json-schema.json")
	for _, n := range []epcis.Names{names, {Base: "http://localhost:8080", GLN: "9521234000013", Prefix: "9521234"}} {
		for _, staff := range []bool{false, true} {
			src := season(t)
			src.Names, src.Staff = n, staff
			events := epcis.Export(src)
			raw := encode(t, n.Document(events, at("2026-11-05 08:00")))
			if err := valid(t, s, raw); err != nil {
				t.Errorf("staff %v: %v", staff, err)
			}
			types := map[epcis.Type]int{}
			for _, e := range events {
				types[e.Type]++
				if p := epcis.Check(e); len(p) > 0 {
					t.Errorf("staff %v: %s %s: %v", staff, e.Type, e.Step, p)
				}
				if e.ID != epcis.HashID(e, n.Context()) {
					t.Errorf("%s is not the hash of its event", e.ID)
				}
			}
			if staff && len(types) != len(epcis.Types()) {
				t.Errorf("types: %v", types)
			}
			doc, problems := epcis.Decode(raw)
			if len(problems) > 0 || len(doc.Body.Events) != len(events) {
				t.Fatalf("our own document comes back as %d of %d events: %v", len(doc.Body.Events), len(events), problems)
			}
			for i, e := range doc.Body.Events { // with the same ids: nothing is lost on the way
				if epcis.HashID(e, n.Context()) != events[i].ID {
					t.Errorf("event %d has another hash after the way", i)
				}
			}
		}
	}
}

// Names, serials, boxes, documents and vehicles are for those who work here.
func TestExport_StrangersAreToldNoNamesAndNoSerials(t *testing.T) {
	src := season(t)
	hidden := []string{secret, serial, box, "15C-123.45", "PXK", "buy0000001", "45000", "KD-0117"}
	told := string(encode(t, epcis.Export(src)))
	for _, h := range hidden {
		if strings.Contains(told, h) {
			t.Errorf("a stranger is told %s", h)
		}
	}
	src.Staff = true
	told = string(encode(t, epcis.Export(src)))
	for _, h := range hidden {
		if h != "45000" && !strings.Contains(told, h) {
			t.Errorf("staff are not told %s", h)
		}
	}
	if strings.Contains(told, "45000") {
		t.Error("a price is told")
	}
}

func TestExport_NumbersOfOurOwnAreNotWrittenAsGS1s(t *testing.T) {
	src := season(t)
	src.Staff = true
	told := string(encode(t, epcis.Export(src)))
	if strings.Contains(told, "id.gs1.org/01/004") || strings.Contains(told, "id.gs1.org/00/004") || strings.Contains(told, "id.gs1.org/414") {
		t.Error("a number of the co-op's own stands below id.gs1.org")
	}
	if !strings.Contains(told, "https://tx.example.vn/t/") || !strings.Contains(told, "https://id.gs1.org/01/"+fishGTIN+"/10/AO1-261018") {
		t.Error("lots are not named")
	}
}

func find(t *testing.T, events []epcis.Event, f func(epcis.Event) bool) epcis.Event {
	t.Helper()
	i := slices.IndexFunc(events, f)
	if i < 0 {
		t.Fatal("no such event")
	}
	return events[i]
}

func TestExport_HarvestSaysWhatWentInAndWhatWasMeasured(t *testing.T) {
	events := epcis.Export(season(t))
	harvest := find(t, events, func(e epcis.Event) bool {
		return e.Ext["farm:cte"] == "harvest" && e.Error == nil && e.Type == epcis.Transformation
	})
	if len(harvest.In) != 2 || *harvest.In[0].Quantity != 9200.5 || harvest.In[0].Unit != "KGM" || *harvest.In[1].Quantity != 30000 || *harvest.Out[0].Quantity != 6800 {
		t.Errorf("in %+v, out %+v", harvest.In, harvest.Out)
	}
	if !slices.Equal(harvest.Certificates, epcis.Strings{"https://tx.example.vn/id/certificate/vietgap001"}) || harvest.ILMD["cbvmda:harvestEndDate"] != "2026-10-18" {
		t.Errorf("%v %v", harvest.Certificates, harvest.ILMD)
	}
	if len(harvest.Sensors) != 3 {
		t.Fatalf("%d sensor elements", len(harvest.Sensors))
	}
	warm, oxygen, ph := harvest.Sensors[0], harvest.Sensors[1], harvest.Sensors[2]
	if r := warm.Reports[0]; r.Type != "Temperature" || *r.Min != 22.41 || r.Unit != "CEL" || len(warm.Reports) != 2 || *warm.Reports[1].Value != 0.9372 {
		t.Errorf("%+v", warm.Reports)
	}
	if r := oxygen.Reports; len(r) != 3 || r[0].Substance == "" || *r[2].Value != 0.6667 || oxygen.Ext["farm:faults"] != 3.0 {
		t.Errorf("%+v %v", r, oxygen.Ext)
	}
	if len(ph.Reports) != 1 || *ph.Reports[0].Value != 0 { // nothing was measured: nothing is made up
		t.Errorf("%+v", ph.Reports)
	}
	if warm.Meta.RawData != "https://tx.example.vn/ledger/bundle/01/"+fishGTIN+"/10/AO1-261018.zip" {
		t.Errorf("%+v", warm.Meta)
	}
	treated := find(t, events, func(e epcis.Event) bool { return e.Ext["farm:cte"] == "treatment" })
	if treated.Ext["farm:harvestAllowedFrom"] != "2026-09-05" || treated.Ext["farm:withdrawalDays"] != 21.0 {
		t.Errorf("%v", treated.Ext)
	}
}

func TestExport_WhatWasCorrectedIsDeclaredWrong(t *testing.T) {
	events := epcis.Export(season(t))
	right := find(t, events, func(e epcis.Event) bool {
		return e.Ext["farm:cte"] == "harvest" && e.Error == nil && len(e.Out) == 1
	})
	wrong := find(t, events, func(e epcis.Event) bool { return e.Error != nil && e.Error.Reason == "incorrect_data" })
	if *wrong.Out[0].Quantity != 6900 || !slices.Equal(wrong.Error.Corrective, []string{right.ID}) || !wrong.Error.At.Equal(at("2026-10-19 08:00")) {
		t.Errorf("%+v %+v", wrong.Out, wrong.Error)
	}
	void := find(t, events, func(e epcis.Event) bool { return e.Error != nil && len(e.Out) == 1 && *e.Out[0].Quantity == 10 })
	if void.Error.Reason != "did_not_occur" || len(void.Error.Corrective) != 0 {
		t.Errorf("%+v", void.Error)
	}
	ship := find(t, events, func(e epcis.Event) bool {
		return e.Ext["farm:cte"] == "ship" && len(e.Quantities) == 1 && *e.Quantities[0].Quantity == 5
	})
	if ship.Error == nil || ship.Error.Reason != "did_not_occur" {
		t.Errorf("%+v", ship.Error)
	}
}
