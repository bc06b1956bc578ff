package epcis_test

import (
	"testing"

	"aovuon/server/trace/epcis"
)

func supplies(t *testing.T, change ...func(map[string]any)) []epcis.Supply {
	t.Helper()
	var events []epcis.Event
	for _, c := range change {
		doc, problems := epcis.Decode(document(c))
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		events = append(events, doc.Body.Events...)
	}
	return epcis.Supplies(events)
}

func TestSupplies(t *testing.T) {
	got := supplies(t, func(e map[string]any) {
		e["sourceList"] = []any{map[string]any{"type": "owning_party", "source": "urn:epc:id:pgln:4000001.00000"}}
	})
	if len(got) != 1 || got[0].Ref.String() != "supply:https://id.gs1.org/01/09521234010012/GIONG-1" || got[0].Lot != "GIONG-1" || got[0].From != "https://id.gs1.org/417/4000001000005" {
		t.Fatalf("%+v", got)
	}
	if kg, ok := got[0].KG(); !ok || kg != 100 {
		t.Errorf("%v %v", kg, ok)
	}
	n := epcis.Names{Base: "https://tx.example.vn"}
	if n.Ref(got[0].Ref) != got[0].Class {
		t.Errorf("%s is told as %s", got[0].Class, n.Ref(got[0].Ref))
	}
	class := func(uri string, quantity float64, unit string) []any {
		return []any{map[string]any{"epcClass": uri, "quantity": quantity, "uom": unit}}
	}
	grown := func(e map[string]any) {
		e["type"], e["bizStep"] = "TransformationEvent", "commissioning"
		delete(e, "action")
		e["inputQuantityList"], e["outputQuantityList"] = class("https://rice.example/lots/GAO-1", 10, "TNE"), class("urn:epc:class:lgtin:4012345.012345.Lot987", 2, "TNE")
		delete(e, "quantityList")
	}
	made := func(e map[string]any) {
		e["bizStep"], e["action"], e["quantityList"] = "commissioning", "ADD", class("https://rice.example/lots/GAO-1", 10, "TNE")
	}
	if got := supplies(t, made, grown); len(got) != 1 || got[0].Class != "https://id.gs1.org/01/04012345123456/10/Lot987" || got[0].Quantity != 2 {
		t.Errorf("what was used up is sent: %+v", got)
	}
	got = supplies(t, made)
	if len(got) != 1 || got[0].Ref.ID != "https://rice.example/lots/GAO-1" || n.Ref(got[0].Ref) != got[0].Class {
		t.Errorf("%+v", got)
	}
	if got := supplies(t, func(e map[string]any) {
		e["errorDeclaration"] = map[string]any{"declarationTime": "2026-10-19T05:00:00+07:00", "reason": "did_not_occur"}
	}); len(got) != 0 {
		t.Errorf("what did not happen: %+v", got)
	}
	if got := supplies(t, func(e map[string]any) { e["quantityList"] = class("https://id.gs1.org/01/09521234010012", 1, "KGM") }); len(got) != 0 {
		t.Errorf("a class without lot: %+v", got)
	}
}
