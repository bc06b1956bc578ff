package field_test

import (
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// A pond with every EZO circuit and two thermometers on a wire that is spoken to, and a plot with an SHT3x and a seesaw.
const chipsField = `
seed: 7
places:
  - { id: ao1, kind: pond }
  - { id: khoai1, kind: plot }
buses:
  - { id: ao, socket: ao.sock }
  - { id: wire, onewire: "1" }
devices:
  - { id: ao1-temp, kind: ds18b20, bus: wire, rom: 28-00000a01f1a1, place: ao1 }
  - { id: ao1-deep, kind: ds18b20, bus: wire, rom: 28-00000a01f1a2, place: ao1 }
  - { id: ao1-do, kind: ezo-do, bus: ao, address: 0x61, place: ao1 }
  - { id: ao1-orp, kind: ezo-orp, bus: ao, address: 0x62, place: ao1 }
  - { id: ao1-ph, kind: ezo-ph, bus: ao, address: 0x63, place: ao1 }
  - { id: ao1-ec, kind: ezo-ec, bus: ao, address: 0x64, place: ao1 }
  - { id: ao1-rtd, kind: ezo-rtd, bus: ao, address: 0x66, place: ao1 }
  - { id: khoai1-kk, kind: sht3x, bus: ao, address: 0x44, place: khoai1 }
  - { id: khoai1-dat, kind: seesaw-soil, bus: ao, address: 0x36, place: khoai1 }
`

// chipsRig is the real gateway's sensing side on that field.
type chipsRig struct {
	*rig
	buses map[string]kind.BusSpec
}

func newChipsRig(t *testing.T) *chipsRig {
	t.Helper()
	c, err := field.Parse("chips.yaml", []byte(chipsField), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var list []kind.Spec
	for _, d := range c.Devices {
		s := kind.Spec{ID: d.ID, Kind: d.Kind, Bus: d.Bus, Address: d.Address, Device: d.ROM}
		switch d.Kind {
		case "ezo-do", "ezo-ph", "ezo-ec":
			s.Temperature = "ao1-temp"
		}
		list = append(list, s)
	}
	buses := map[string]kind.BusSpec{"ao": {I2C: "unix:" + c.Buses[0].Socket}, "wire": {OneWire: "1"}}
	return &chipsRig{rigOf(t, c, time.Date(2026, 5, 10, 2, 0, 0, 0, time.UTC), list, buses, inProcess), buses}
}

// round asks every chip once.
func (r *chipsRig) round(t *testing.T) sink {
	t.Helper()
	s := make(sink)
	if err := r.station.PollAll(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if len(s) != 11 {
		t.Fatalf("%d readings from 9 sensors: %v", len(s), s)
	}
	return s
}

func TestChips_ReadWhatTheLedgerSays(t *testing.T) {
	r := newChipsRig(t)
	r.round(t)
	for range 60 {
		for key, got := range r.round(t) {
			e, ok := r.book.get(key)
			if got.Quality == measure.Fault || !ok || e.Fault != "" || math.Abs(got.Value-e.Value) > 1e-9 || got.Time.Wall.Sub(e.Time).Abs() > time.Second {
				t.Errorf("%s: read %v (%s), the ledger has %+v", key, got.Value, got.Reason, e)
			}
		}
		if err := r.clock.Sleep(t.Context(), 47*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChips_EveryFaultHasItsReason(t *testing.T) {
	ezo := []suffering{
		{fault.Unplug, measure.NoResponse},
		{fault.Shorted, measure.Shorted},
		{fault.Garbled, measure.Garbled},
		{fault.Stuck, measure.NotReady},
		{fault.Bit7, number},
		{fault.Frozen, number},
		{fault.Noise, number},
	}
	for device, list := range map[string][]suffering{
		"ao1-ec":  ezo,
		"ao1-orp": ezo,
		"ao1-rtd": append([]suffering{{fault.Open, measure.NoResponse}}, ezo...),
		"ao1-deep": {
			{fault.Unplug, measure.NoResponse},
			{fault.Shorted, measure.Shorted},
			{fault.CRC, measure.CRC},
			{fault.PowerUp, measure.PowerUp},
			{fault.Stuck, number},
			{fault.Frozen, number},
			{fault.Noise, number},
		},
		"khoai1-kk": {
			{fault.Unplug, measure.NoResponse},
			{fault.Shorted, measure.Shorted},
			{fault.CRC, measure.CRC},
			{fault.Stuck, measure.NotReady},
			{fault.Frozen, number},
			{fault.Noise, number},
		},
		"khoai1-dat": {
			{fault.Unplug, measure.NoResponse}, {fault.Shorted, measure.Shorted}, {fault.Stuck, measure.NotReady}, {fault.Frozen, number}, {fault.Noise, number},
		},
	} {
		r := newChipsRig(t)
		r.round(t)
		for _, tc := range list {
			t.Run(fmt.Sprintf("%s/%s", device, tc.fault), func(t *testing.T) {
				r.suffer(t, device, tc, func(sensor string) bool {
					return sensor == device || tc.fault == fault.Shorted && device == "ao1-deep" && sensor == "ao1-temp" // one wire for both
				}, r.round)
				for key, got := range r.round(t) {
					if got.Quality == measure.Fault {
						t.Errorf("healed: %s: fault %s", key, got.Reason)
					}
				}
			})
		}
	}
}

// A circuit that is not the one the configuration names gives no numbers.
func TestChips_AnotherCircuitIsRefused(t *testing.T) {
	r := newChipsRig(t)
	c := kind.Spec{ID: "ao1-do", Kind: "ezo-do", Bus: "ao", Address: 0x63} // where the pH circuit is
	channels, err := kind.Build([]kind.Spec{c}, r.field, r.buses, r.clock)
	if err != nil {
		t.Fatal(err)
	}
	s := make(sink)
	if err := sense.NewStation(r.clock, channels, slog.New(slog.DiscardHandler)).PollAll(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if got := s["ao1-do dissolved_oxygen"]; got.Quality != measure.Fault || got.Reason != measure.Refused || got.Value != 0 {
		t.Errorf("%+v", got)
	}
}
