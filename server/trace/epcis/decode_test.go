package epcis_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"aovuon/server/trace/epcis"
)

func TestDecode_TakesWhatTheSchemaTakes(t *testing.T) {
	s := schema(t, "epcis-json-schema.json")
	for _, name := range []string{
		"pond-to-buyer-sample.jsonld", "examples/AssociationEvent-b.jsonld", "examples/ErrorDeclarationAndCorrectiveEvent.jsonld", "examples/SensorDataExample5.jsonld",
	} {
		raw := material(t, name)
		if err := valid(t, s, raw); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		doc, problems := epcis.Decode(raw)
		if len(problems) > 0 || len(doc.Body.Events) == 0 {
			t.Errorf("%s: %v", name, problems)
		}
		for _, e := range doc.Body.Events {
			if e.ID == "" {
				t.Errorf("%s: an event without id", name)
			}
		}
		if err := valid(t, s, encode(t, doc.Document)); err != nil && !strings.Contains(err.Error(), "context") {
			t.Errorf("%s: what was read is not what was written: %v", name, err)
		}
	}
}

// event is a whole document around one event, part of which is replaced.
func document(change func(event map[string]any)) []byte {
	event := map[string]any{
		"type": "ObjectEvent", "eventTime": "2026-10-18T05:00:00.000+07:00", "eventTimeZoneOffset": "+07:00", "action": "OBSERVE", "bizStep": "shipping",
		"disposition": "in_transit", "quantityList": []any{map[string]any{"epcClass": "https://id.gs1.org/01/09521234010012/10/GIONG-1", "quantity": 100, "uom": "KGM"}},
	}
	change(event)
	raw, err := json.Marshal(map[string]any{
		"@context": []any{"https://ref.gs1.org/standards/epcis/epcis-context.jsonld", map[string]string{"ex": "https://example.org/"}}, "type": "EPCISDocument",
		"schemaVersion": "2.0", "creationDate": "2026-10-18T05:00:00.000+07:00", "epcisBody": map[string]any{"eventList": []any{event}},
	})
	if err != nil {
		panic(err)
	}
	return raw
}

// Where the schema could tell, it is asked, too: it must refuse the same. Where it cannot (TCR-53, GS1's other hosts, check digits), it says so.
func TestDecode_FaultsAreToldEventByEvent(t *testing.T) {
	s := schema(t, "epcis-json-schema.json")
	set := func(key string, v any) func(map[string]any) { return func(e map[string]any) { e[key] = v } }
	sensor := func(meta, report map[string]any) func(map[string]any) {
		return set("sensorElementList", []any{map[string]any{"sensorMetadata": meta, "sensorReport": []any{report}}})
	}
	for name, tc := range map[string]struct {
		change func(map[string]any)
		field  string
		passes bool // the schema does not see it
	}{
		"type":                        {set("type", "HarvestEvent"), "type", false},
		"time":                        {set("eventTime", "18/10/2026"), "event", false},
		"offset":                      {set("eventTimeZoneOffset", "+7"), "eventTimeZoneOffset", false},
		"offset 15":                   {set("eventTimeZoneOffset", "+15:00"), "eventTimeZoneOffset", false},
		"action":                      {set("action", "SEE"), "action", false},
		"step":                        {set("bizStep", "harvesting"), "bizStep", false},
		"step of GS1's, misspelt":     {set("bizStep", "https://ref.gs1.org/cbv/BizStep-shiping"), "bizStep", true},
		"step of ns.gs1.org":          {set("bizStep", "https://ns.gs1.org/cbv/BizStep-shiping"), "bizStep", false},
		"disposition":                 {set("disposition", "fresh"), "disposition", false},
		"member":                      {set("colour", "red"), "colour", false},
		"ilmd":                        {set("ilmd", map[string]any{"cbvmda:lotNumber": "1"}), "ilmd", false},
		"unit":                        {set("quantityList", []any{map[string]any{"epcClass": "urn:x:y", "quantity": 1, "uom": "kg"}}), "quantityList[0].uom", false},
		"class":                       {set("quantityList", []any{map[string]any{"epcClass": "lúa", "quantity": 1}}), "quantityList[0].epcClass", false},
		"check digit":                 {set("quantityList", []any{map[string]any{"epcClass": "https://id.gs1.org/01/09521234010013/10/A"}}), "quantityList[0].epcClass", true},
		"nothing":                     {func(e map[string]any) { delete(e, "quantityList") }, "epcList", false},
		"persistent":                  {set("persistentDisposition", map[string]any{}), "persistentDisposition", false},
		"error without time":          {set("errorDeclaration", map[string]any{"reason": "did_not_occur"}), "errorDeclaration.declarationTime", false},
		"reason":                      {set("errorDeclaration", map[string]any{"declarationTime": "2026-10-19T05:00:00+07:00", "reason": "oops"}), "errorDeclaration.reason", false},
		"party":                       {set("sourceList", []any{map[string]any{"type": "seller", "source": "urn:x:y"}}), "sourceList[0].type", false},
		"measurement":                 {sensor(map[string]any{}, map[string]any{"type": "pH", "value": 7}), "sensorElementList[0].sensorReport[0].type", false},
		"measurement, other spelling": {sensor(map[string]any{}, map[string]any{"type": "https://ref.gs1.org/voc/Temprature", "value": 7}), "sensorElementList[0].sensorReport[0].type", true},
		"TCR-53 device": {
			sensor(map[string]any{"deviceID": "urn:x:1"}, map[string]any{"type": "Temperature", "value": 7, "deviceID": "urn:x:1"}),
			"sensorElementList[0].sensorReport[0].deviceID", true,
		},
		"TCR-53 time": {
			sensor(map[string]any{"time": "2026-10-18T05:00:00+07:00"}, map[string]any{"type": "Temperature", "value": 7, "time": "2026-10-18T05:00:00+07:00"}),
			"sensorElementList[0].sensorReport[0].time", true,
		},
		"transformation": {func(e map[string]any) {
			e["type"] = "TransformationEvent"
			delete(e, "action")
			delete(e, "quantityList")
		}, "inputQuantityList", false},
		"aggregation": {func(e map[string]any) { e["type"] = "AggregationEvent"; delete(e, "quantityList"); e["action"] = "ADD" }, "childEPCs", false},
		"number":      {set("quantityList", []any{map[string]any{"epcClass": "urn:x:y", "quantity": "many"}}), "event", false},
	} {
		raw := document(tc.change)
		_, problems := epcis.Decode(raw)
		if !slices.ContainsFunc(problems, func(p epcis.Problem) bool { return p.Field == tc.field && p.Event == 1 && p.Fault != "" }) {
			t.Errorf("%s: %v, want a problem of %s", name, problems, tc.field)
		}
		if err := valid(t, s, raw); (err == nil) != tc.passes {
			t.Errorf("%s: the schema says %v", name, err)
		}
	}
	if _, problems := epcis.Decode(document(func(map[string]any) {})); len(problems) > 0 {
		t.Errorf("a good document: %v", problems)
	}
}

func TestDecode_WhatIsNoDocumentSaysWhy(t *testing.T) {
	good := document(func(map[string]any) {})
	for name, raw := range map[string][]byte{
		"empty": nil, "text": []byte("lô giống"), "array": []byte("[]"), "xml": []byte("<epcis:EPCISDocument/>"), "twice": append(slices.Clone(good), good...),
		"large": bytes.Repeat([]byte(" "), epcis.MostBytes+1), "no events": []byte(`{"@context":"x","type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-10-18T05:00:00Z","epcisBody":{"eventList":[]}}`),
		"1.2": bytes.Replace(good, []byte(`"schemaVersion":"2.0"`), []byte(`"schemaVersion":"1.2"`), 1),
	} {
		if _, problems := epcis.Decode(raw); len(problems) == 0 || problems[0].Fault == "" {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(document(func(map[string]any) {}))
	f.Add(document(func(e map[string]any) {
		e["type"], e["ilmd"], e["ex:a"] = "TransformationEvent", map[string]any{"cbvmda:lotNumber": "A"}, map[string]any{"ex:b": []any{1, "2", true, nil}}
		e["sensorElementList"] = []any{map[string]any{"sensorMetadata": map[string]any{"deviceID": "urn:x:1"}, "sensorReport": []any{map[string]any{"type": "Temperature", "value": 7}}}}
	}))
	f.Add([]byte(`{"epcisBody":{"eventList":[{}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, problems := epcis.Decode(raw)
		for _, p := range problems {
			if p.Field == "" || p.Fault == "" || len(p.String()) > 2000 {
				t.Fatalf("%+v", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		for _, e := range doc.Body.Events { // what was taken can be written, and says the same again
			text, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var again epcis.Event
			if err := json.Unmarshal(text, &again); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if a, b := epcis.PreHash(e, doc.Prefixes), epcis.PreHash(again, doc.Prefixes); a != b {
				t.Fatalf("%s\n%s", a, b)
			}
		}
	})
}
