package field_test

import (
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/gateway/measure"
)

const truthField = `
seed: 7
begin: 2026-05-01
places:
  - { id: ao1, kind: pond }
  - { id: khoai1, kind: plot }
buses:
  - { id: ao, socket: ao.sock }
  - { id: rs485, serial: rs485 }
  - { id: pins, pins: pins.sock }
devices:
  - { id: ao1-do, kind: ezo-do, bus: ao, address: 0x61, place: ao1 }
  - { id: ao1-do-b, kind: modbus, template: yosemitech-y504, bus: rs485, address: 1, place: ao1 }
  - { id: ao1-quat, kind: aerator, bus: pins, pin: quat, place: ao1, amps: 6.8, rate: 0.3 }
  - { id: adc, kind: ads1115, bus: ao, address: 0x48 }
  - { id: ao1-dong, kind: transducer, adc: adc, input: 1, motor: ao1-quat, volts_per_amp: 0.165 }
  - { id: khoai1-kk, kind: sht4x, bus: ao, address: 0x44, place: khoai1 }
`

func TestTruth_IsWhatThePlaceHas(t *testing.T) {
	c, err := field.Parse("f.yaml", []byte(truthField), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 10, 2, 0, 0, 0, time.UTC)
	f, err := field.New(c, field.Options{Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		place string
		q     measure.Quantity
		has   bool
	}{
		{"ao1", measure.DissolvedOxygen, true},
		{"ao1", measure.OxygenSaturation, true},
		{"ao1", measure.AeratorRunning, true},
		{"khoai1", measure.AeratorRunning, false},
		{"khoai1", measure.SoilMoisture, true},
		{"khoai1", measure.DissolvedOxygen, false},
		{"ao9", measure.DissolvedOxygen, false},
	} {
		v, ok := f.Truth(tc.place, tc.q, at)
		if ok != tc.has || math.IsNaN(v) {
			t.Errorf("%s at %s: %v, %v", tc.q, tc.place, v, ok)
		}
	}
	if _, ok := f.Truth("ao1", measure.DissolvedOxygen, at.AddDate(-1, 0, 0)); ok {
		t.Error("there is a truth before the world")
	}
	if _, ok := f.Sky(at.AddDate(-1, 0, 0)); ok {
		t.Error("there is a sky before the world")
	}
	if sky, ok := f.Sky(at); !ok || sky.Pressure < 950 {
		t.Errorf("the sky: %+v", sky)
	}
	if _, err := f.Desk().Do(t.Context(), "set ao1-quat welded"); err != nil {
		t.Fatal(err)
	}
	if v, _ := f.Truth("ao1", measure.AeratorRunning, at); v != 1 {
		t.Errorf("a motor with welded contacts: %v", v)
	}
}

func TestParts_SayWhereTheyAreAndWhatTheyMeasure(t *testing.T) {
	c, err := field.Parse("f.yaml", []byte(truthField), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f, err := field.New(c, field.Options{Now: func() time.Time { return time.Date(2026, 5, 10, 2, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	parts, board := f.Parts(), f.Board().Devices()
	if len(parts) != len(board) {
		t.Fatalf("%d parts, %d on the board", len(parts), len(board))
	}
	want := map[string]struct {
		place    string
		measures int
	}{"rs485": {"ao1", 0}, "ao1-do": {"ao1", 1}, "ao1-do-b": {"ao1", 3}, "ao1-quat": {"ao1", 0}, "adc": {"ao1", 0}, "ao1-dong": {"ao1", 1}, "khoai1-kk": {"khoai1", 2}}
	for i, p := range parts {
		if p.ID != board[i].Name || p.Place != want[p.ID].place || len(p.Measures) != want[p.ID].measures {
			t.Errorf("%+v", p)
		}
	}
}

func TestParse_SaysWhereAPageCanBe(t *testing.T) {
	for _, bad := range []string{"panel: 8070\n", "panel: \"localhost:\"\n", "product: 127.0.0.1:8080\n", "product: ftp://x\n"} {
		if _, err := field.Parse("f.yaml", []byte(bad+truthField), t.TempDir()); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
	if _, err := field.Parse("f.yaml", []byte("panel: \"[::1]:0\"\nproduct: https://htx.example/\n"+truthField), t.TempDir()); err != nil {
		t.Error(err)
	}
}
