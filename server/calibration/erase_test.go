package calibration_test

import (
	"strings"
	"testing"

	"aovuon/server/calibration"
)

func TestErase_TakesTheNameAndLeavesTheCalibration(t *testing.T) {
	const doc = `{"format":"aovuon/calibration/1","id":"1","sensor":"ao1-ph","quantity":"ph","kind":"ezo-ph","method":"ezo-ph","who":"Lê  Thị Hoa","points":[],"verdict":"good","note":"chị Hoa rửa"}`
	for _, c := range []struct {
		body, name string
		want       bool
	}{
		{doc, "lê thị hoa", true},
		{doc, "Le\u0302 Thi\u0323 Hoa", true}, // typed letter by letter
		{doc, "chị Hoa", true},
		{doc, "Thị Hoa", false},
		{doc, "rửa", true},
		{doc, "rử", false}, // not within a word
		{doc, "", false},
		{`{"who":"Hoa`, "hoa", true},
		{`{"who":"Hoa`, "Ho", false},
	} {
		if got := calibration.Names(c.body, []string{"", c.name}); got != c.want {
			t.Errorf("%q in %.40s: %t", c.name, c.body, got)
		}
	}
	before, err := calibration.Read(doc)
	if err != nil {
		t.Fatal(err)
	}
	body := calibration.Erase(doc)
	after, err := calibration.Read(body)
	if err != nil || after.Who != "" || after.Note != "" || strings.Contains(body, "Hoa") {
		t.Errorf("%s, %v", body, err)
	}
	if after.Sensor != before.Sensor || after.Verdict != before.Verdict || after.Method != before.Method {
		t.Errorf("%+v became %+v", before, after)
	}
	if got := calibration.Erase(`{"WHO":"Hoa","x":1}`); got != `{"x":1}` {
		t.Error(got)
	}
	if got := calibration.Erase(`[`); got != "{}" {
		t.Error(got)
	}
}
