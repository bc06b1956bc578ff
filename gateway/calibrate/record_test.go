package calibrate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
	"time"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// vector is the record of testdata/record.json, as FORMAT.md explains it.
func vector() calibrate.Record {
	at := time.Date(2026, 11, 25, 1, 2, 3, 456e6, time.UTC)
	due := at.Add(30 * 24 * time.Hour)
	return calibrate.Record{
		Format: calibrate.Format, ID: "5d0f3a1b2c4d6e7f", Sensor: "ao1-ph", Quantity: measure.PH, Kind: "ezo-ph", Method: calibrate.EZOPH,
		Who: "Lê Thị Hoa", Time: &at, Serial: "PRB-0417", NewProbe: true,
		Points: []calibrate.Point{
			{Name: "mid", Nominal: new(7.0), Raw: new(7.21), Expected: 6.994, Before: 7.21, After: new(6.99), Celsius: new(28.1), CelsiusFrom: "ao1-temp", Lot: "7-2231", Expiry: "2027-03"},
			{Name: "low", Nominal: new(4.0), Raw: new(4.11), Expected: 4.006, Before: 4.11, After: new(4.01), Celsius: new(28.1), CelsiusFrom: "ao1-temp", Lot: "4-1187", Expiry: "2026-10", Expired: true},
			{Name: "high", Nominal: new(10.01), Raw: new(9.9), Expected: 9.985, Before: 9.9, After: new(9.98), Celsius: new(28.1), CelsiusFrom: "hand"},
		},
		SlopePercent: new(98.2), Offset: new(-3.1), OffsetUnit: "mV", Verdict: calibrate.Good, EverySeconds: 30 * 24 * 3600, Due: &due, Note: "sau mưa",
	}
}

func TestRecord_Vector(t *testing.T) {
	want, err := os.ReadFile("testdata/record.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(vector())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(got, '\n'), want) {
		t.Errorf("a record is written\n%s\nthe vector is\n%s", got, want)
	}
	back, err := calibrate.ParseRecord(want)
	if err != nil || !reflect.DeepEqual(back, vector()) {
		t.Errorf("read back: %+v, %v", back, err)
	}
	doc := wire.Document{Kind: wire.DocCalibration, Body: string(got)}
	if err := doc.Validate(); err != nil {
		t.Error(err)
	}
}

func TestRecord_Refuses(t *testing.T) {
	for name, edit := range map[string]func(r *calibrate.Record){
		"another format":   func(r *calibrate.Record) { r.Format = "aovuon/calibration/2" },
		"no id":            func(r *calibrate.Record) { r.ID = "" },
		"no sensor":        func(r *calibrate.Record) { r.Sensor = "../x" },
		"unknown quantity": func(r *calibrate.Record) { r.Quantity = "love" },
		"no verdict":       func(r *calibrate.Record) { r.Verdict = "fine" },
		"nobody":           func(r *calibrate.Record) { r.Who = "" },
		"two lines":        func(r *calibrate.Record) { r.Who = "a\nb" },
	} {
		r := vector()
		edit(&r)
		if err := r.Validate(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	raw, err := json.Marshal(vector())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := calibrate.ParseRecord(body)
		if err != nil {
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := calibrate.ParseRecord(again)
		if err != nil || !reflect.DeepEqual(r, back) {
			t.Errorf("%s: %v", again, err)
		}
	})
}

func TestBuffers_GoldenValues(t *testing.T) {
	for _, tc := range []struct{ nominal, celsius, want float64 }{
		{4, 25, 4.00}, {4, 40, 4.03}, {7, 5, 7.09}, {7, 20, 7.02}, {7, 25, 7}, {7, 27.5, 6.995}, {7.01, 25, 7.01}, {10.01, 30, 9.97}, {10, 10, 10.17},
	} {
		if got, err := calibrate.PHBuffer(tc.nominal, tc.celsius); err != nil || got < tc.want-1e-9 || got > tc.want+1e-9 {
			t.Errorf("pH %v at %v °C: %v, %v; want %v", tc.nominal, tc.celsius, got, err, tc.want)
		}
	}
	for _, tc := range []struct{ nominal, celsius, want float64 }{
		{1413, 5, 896}, {1413, 25, 1413}, {1413, 28, 1496.4}, {12_880, 30, 14_120}, {12_880, 10, 9330}, {84, 30, 92.022},
	} {
		if got, err := calibrate.ECStandard(tc.nominal, tc.celsius); err != nil || got < tc.want-1e-6 || got > tc.want+1e-6 {
			t.Errorf("%v µS/cm at %v °C: %v, %v; want %v", tc.nominal, tc.celsius, got, err, tc.want)
		}
	}
	for _, f := range []func() (float64, error){
		func() (float64, error) { return calibrate.PHBuffer(6.86, 25) },
		func() (float64, error) { return calibrate.PHBuffer(7, 4) },
		func() (float64, error) { return calibrate.PHBuffer(7, 46) },
		func() (float64, error) { return calibrate.ECStandard(1413, 35) }, // the table's 1667 is wrong
	} {
		if v, err := f(); err == nil {
			t.Errorf("%v out of the table", v)
		}
	}
}
