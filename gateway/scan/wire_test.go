package scan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/gateway/scan"
)

const wired = `
seed: 7
places: [{ id: ao1, kind: pond }, { id: khoai1, kind: plot }]
buses: [{ id: i2c, socket: i2c.sock }, { id: wire, onewire: "1" }]
devices:
  - { id: temp, kind: ds18b20, bus: wire, rom: 28-00000a01f1a1, place: ao1 }
  - { id: deep, kind: ds18b20, bus: wire, rom: 28-00000a01f1a2, place: ao1 }
  - { id: ec, kind: ezo-ec, bus: i2c, address: 0x64, place: ao1 }
  - { id: orp, kind: ezo-orp, bus: i2c, address: 0x62, place: ao1 }
  - { id: rtd, kind: ezo-rtd, bus: i2c, address: 0x66, place: ao1 }
  - { id: kk, kind: sht3x, bus: i2c, address: 0x44, place: khoai1 }
  - { id: dat, kind: seesaw-soil, bus: i2c, address: 0x36, place: khoai1 }
`

func TestLook_NamesThermometersOnAWireAndTheOtherCircuits(t *testing.T) {
	c := clock()
	cfg, err := field.Parse("field.yaml", []byte(wired), "/")
	if err != nil {
		t.Fatal(err)
	}
	f, err := field.New(cfg, field.Options{Now: func() time.Time { return c.Now().Wall }, Sleep: c.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	bus, err := f.I2C("unix:/i2c.sock")
	if err != nil {
		t.Fatal(err)
	}
	wire, err := f.OneWire("1")
	if err != nil {
		t.Fatal(err)
	}
	look := func() scan.Report {
		t.Helper()
		r, err := scan.Look(t.Context(), []scan.Bus{{Name: "i2c", I2C: bus}, {Name: "wire", OneWire: wire}}, scan.Options{Clock: c})
		if err != nil || len(r.Trouble) > 0 {
			t.Fatal(err, r.Trouble)
		}
		return r
	}
	want := []scan.Found{
		{Bus: "i2c", Address: 0x36, Kind: "seesaw-soil"},
		{Bus: "i2c", Address: 0x44, Kind: "sht3x"},
		{Bus: "i2c", Address: 0x62, Kind: "ezo-orp"},
		{Bus: "i2c", Address: 0x64, Kind: "ezo-ec"},
		{Bus: "i2c", Address: 0x66, Kind: "ezo-rtd"},
		{Bus: "wire", Device: "28-00000a01f1a1", Kind: "ds18b20"},
		{Bus: "wire", Device: "28-00000a01f1a2", Kind: "ds18b20"},
	}
	if diff := cmp.Diff(want, look().Found, cmpopts.IgnoreFields(scan.Found{}, "Chip", "Spec")); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"temp", "deep"} {
		if err := f.Board().Set(name, fault.Unplug); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want[:5], look().Found, cmpopts.IgnoreFields(scan.Found{}, "Chip", "Spec")); diff != "" {
		t.Errorf("nobody on the wire: %s", diff)
	}
}
