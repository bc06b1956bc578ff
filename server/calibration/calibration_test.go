package calibration_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"aovuon/gateway/wire"
	"aovuon/server/calibration"
)

// The gateway's own vector is what this package must read.
func TestRead_TheGatewaysVector(t *testing.T) {
	raw, err := os.ReadFile("../../gateway/calibrate/testdata/record.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := calibration.Read(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	if r.Who != "Lê Thị Hoa" || r.Sensor != "ao1-ph" || r.Quantity != "ph" || r.Verdict != calibration.Good || len(r.Points) != 3 ||
		r.EverySeconds != 30*24*3600 || r.SlopePercent == nil || r.Points[0].Lot == "" {
		t.Errorf("%+v", r)
	}
}

func edit(key, value string) string {
	m := map[string]any{}
	if err := json.Unmarshal([]byte(`{"format":"aovuon/calibration/1","sensor":"ao1-ph","quantity":"ph","verdict":"good","who":"A","points":[]}`), &m); err != nil {
		panic(err)
	}
	m[key] = json.RawMessage(value)
	out, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func TestRead_RefusesWhatCannotBeShown(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":          "{",
		"a list":           "[]",
		"empty":            "{}",
		"another format":   edit("format", `"aovuon/calibration/2"`),
		"wrong type":       edit("points", `"many"`),
		"sensor a number":  edit("sensor", `7`),
		"unknown sensor":   edit("sensor", `"../../etc"`),
		"unknown quantity": edit("quantity", `"love"`),
		"unknown verdict":  edit("verdict", `"excellent"`),
		"due in the past":  edit("every_s", `-1`),
		"due never":        edit("every_s", `99999999999`),
		"huge number":      edit("slope_percent", `1e308`),
		"huge point":       edit("points", `[{"name":"a","expected":1e30,"before":1}]`),
		"many points":      edit("points", `[`+strings.Repeat(`{},`, 8)+`{}]`),
	} {
		if r, err := calibration.Read(body); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestRead_LeavesNothingThatCanHarmAPage(t *testing.T) {
	r, err := calibration.Read(edit("who", `"a\u0000\u202eevil\nline\u200b`+strings.Repeat("x", 500)+`"`))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Who, "aevillinexxx") || len([]rune(r.Who)) > 61 {
		t.Errorf("%q", r.Who)
	}
}

func TestStanding(t *testing.T) {
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	good, bad := calibration.Record{Verdict: calibration.Good, EverySeconds: 86400}, calibration.Record{Verdict: calibration.Bad}
	for _, tc := range []struct {
		e    calibration.Entry
		r    calibration.Record
		now  time.Time
		want calibration.Standing
	}{
		{calibration.Entry{Time: at}, good, at.Add(23 * time.Hour), calibration.InForce},
		{calibration.Entry{Time: at}, good, at.Add(24 * time.Hour), calibration.Overdue},
		{calibration.Entry{Time: at}, bad, at, calibration.Unfit},
		{calibration.Entry{}, good, at, calibration.Undated},
		{calibration.Entry{Time: at}, calibration.Record{Verdict: calibration.Worn}, at.AddDate(9, 0, 0), calibration.InForce},
	} {
		if got, _ := tc.e.Standing(tc.r, tc.now); got != tc.want {
			t.Errorf("%+v: %s, want %s", tc, got, tc.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(edit("who", `"A"`))
	f.Add(edit("points", `[{"name":"mid","expected":7,"before":7.1,"celsius":25}]`))
	f.Fuzz(func(t *testing.T, body string) {
		e := calibration.New("gw", wire.Document{Body: body})
		if e.Body != body {
			t.Fatal("a document is kept as it is")
		}
		r, err := calibration.Read(body)
		if err != nil {
			if e.Sensor != "" {
				t.Error("a sensor out of a document that cannot be read")
			}
			return
		}
		for _, s := range append([]string{r.ID, r.Who, r.Note, r.Kind, r.Method, r.Serial, r.OffsetUnit}, r.Reasons...) {
			if strings.ContainsFunc(s, unicode.IsControl) || len([]rune(s)) > 321 {
				t.Errorf("%q", s)
			}
		}
	})
}
