package field_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/kind"
)

// One of every kind.
const zooField = `
seed: 7
places:
  - { id: ao1, kind: pond }
  - { id: khoai1, kind: plot }
buses:
  - { id: ao, socket: ao.sock }
  - { id: folder, w1: w1 }
  - { id: wire, onewire: "1" }
  - { id: rs485, serial: rs485 }
  - { id: muc, serial: muc }
devices:
  - { id: ao1-temp, kind: ds18b20, bus: folder, rom: 28-00000a01f1a1, place: ao1 }
  - { id: ao1-deep, kind: ds18b20, bus: wire, rom: 28-00000a01f1a2, place: ao1 }
  - { id: ao1-do, kind: ezo-do, bus: ao, address: 0x61, place: ao1 }
  - { id: ao1-orp, kind: ezo-orp, bus: ao, address: 0x62, place: ao1 }
  - { id: ao1-ph, kind: ezo-ph, bus: ao, address: 0x63, place: ao1 }
  - { id: ao1-ec, kind: ezo-ec, bus: ao, address: 0x64, place: ao1 }
  - { id: ao1-rtd, kind: ezo-rtd, bus: ao, address: 0x66, place: ao1 }
  - { id: khoai1-kk, kind: sht3x, bus: ao, address: 0x44, place: khoai1 }
  - { id: khoai1-kk2, kind: sht4x, bus: ao, address: 0x45, place: khoai1 }
  - { id: khoai1-kk3, kind: bme280, bus: ao, address: 0x76, place: khoai1 }
  - { id: khoai1-dat, kind: seesaw-soil, bus: ao, address: 0x36, place: khoai1 }
  - { id: adc, kind: ads1115, bus: ao, address: 0x48 }
  - { id: khoai1-am, kind: capacitive, adc: adc, input: 0, place: khoai1, dry: { volts: 2.42, vwc: 5 }, wet: { volts: 1.31, vwc: 45 } }
  - { id: ao1-ph2, kind: analog, template: dfrobot-sen0161-v2, adc: adc, input: 1, place: ao1 }
  - { id: ao1-do2, kind: modbus, template: yosemitech-y504, bus: rs485, address: 5, place: ao1 }
  - { id: khoai1-dat2, kind: modbus, template: soil-a-3in1, bus: rs485, address: 1, place: khoai1 }
  - { id: ao1-muc, kind: ultrasonic-uart, bus: muc, place: ao1, height: 200 }
`

// zoo is the real gateway's sensing side on that field.
func zoo(t *testing.T) *rig {
	t.Helper()
	dir := t.TempDir()
	c, err := field.Parse("zoo.yaml", []byte(zooField), dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []kind.Spec
	for _, d := range c.Devices {
		s := kind.Spec{ID: d.ID, Kind: d.Kind, Bus: d.Bus, Address: d.Address, Device: d.ROM, Template: d.Template}
		switch d.Kind {
		case "ads1115":
			continue
		case "ezo-do", "ezo-ph", "ezo-ec":
			s.Temperature = "ao1-temp"
		case "capacitive":
			s.Kind, s.Bus, s.Address, s.Input = "capacitive-ads1115", "ao", 0x48, &d.Input
			s.Calibration = &kind.SoilCalibration{Dry: kind.SoilPoint(*d.Dry), Wet: kind.SoilPoint(*d.Wet)}
		case "analog":
			s.Bus, s.Address, s.Input, s.Temperature = "ao", 0x48, &d.Input, "ao1-temp"
		case "ultrasonic-uart":
			s.Height, s.Temperature = &d.Height, "khoai1-kk"
		}
		list = append(list, s)
	}
	return rigOf(t, c, time.Date(2026, 5, 10, 2, 0, 0, 0, time.UTC), list, map[string]kind.BusSpec{
		"ao": {I2C: "unix:" + filepath.Join(dir, "ao.sock")}, "folder": {W1: filepath.Join(dir, "w1")}, "wire": {OneWire: "1"},
		"rs485": {Serial: filepath.Join(dir, "rs485")}, "muc": {Serial: filepath.Join(dir, "muc")},
	}, inProcess)
}

// outcomes is what the gateway says of a fault: one of these reasons; a number where it has to be one, since nobody can know
// better from it alone.
type outcomes map[fault.Kind][]measure.FaultReason

// with is o with others, which go before.
func (o outcomes) with(other outcomes) outcomes {
	all := maps.Clone(o)
	maps.Copy(all, other)
	return all
}

func TestFaults_EveryOneOfEveryKind(t *testing.T) {
	type reasons = []measure.FaultReason
	a := func(r ...measure.FaultReason) reasons { return r }
	skin := outcomes{
		fault.Frozen: a(number), fault.Noise: a(number), fault.Drift: a(number), fault.Step: a(number), fault.Fouling: a(number),
	}
	i2c := skin.with(outcomes{
		fault.Unplug: a(measure.NoResponse), fault.Shorted: a(measure.Shorted), fault.NAK: a(measure.NoResponse), fault.NAKData: a(measure.NoResponse),
		fault.WrongAddress: a(measure.NoResponse),
	})
	// Two circuits print nearly the same characters, and the bits that both have are a number again: nobody can know.
	ezo := i2c.with(outcomes{
		fault.Garbled: a(measure.Garbled), fault.Bit7: a(number), fault.Stuck: a(measure.NotReady), fault.BrownOut: a(measure.Refused),
		fault.Twin: a(number, measure.Garbled, measure.Refused), fault.Open: a(measure.NoResponse),
	})
	sht := i2c.with(outcomes{
		fault.CRC: a(measure.CRC), fault.Stuck: a(measure.NotReady), fault.BrownOut: a(measure.NotReady), fault.Twin: a(measure.CRC),
	})
	thermometer := skin.with(outcomes{
		fault.Unplug: a(measure.NoResponse), fault.Shorted: a(measure.Shorted), fault.CRC: a(measure.CRC), fault.PowerUp: a(measure.PowerUp),
		fault.BrownOut: a(measure.PowerUp), fault.Stuck: a(number), fault.WrongAddress: a(measure.NoResponse),
	})
	modbus := skin.with(outcomes{
		fault.Unplug: a(measure.NoResponse), fault.CRC: a(measure.CRC), fault.Garbled: a(measure.Garbled), fault.Exception: a(measure.Refused),
		fault.WrongUnit: a(measure.Garbled), fault.Late: a(measure.NoResponse), fault.Slow: a(number), fault.Glitch: a(number),
		fault.WrongAddress: a(measure.NoResponse), fault.Twin: a(measure.CRC), fault.BrownOut: a(measure.NoResponse),
		fault.PowerUp: a(measure.PowerUp, measure.NotReady), fault.Open: a(measure.Refused),
	})
	analog := skin.with(outcomes{fault.Unplug: a(measure.NoResponse), fault.Shorted: a(measure.Shorted)})
	kinds := map[string]outcomes{
		"ds18b20": thermometer, "ezo-do": ezo, "ezo-orp": ezo, "ezo-ph": ezo, "ezo-ec": ezo, "ezo-rtd": ezo, "sht3x": sht, "sht4x": sht,
		"bme280": i2c.with(outcomes{
			fault.Stuck: a(measure.NotReady), fault.PowerUp: a(measure.PowerUp), fault.BrownOut: a(measure.PowerUp), fault.Twin: a(number),
		}),
		"seesaw-soil": i2c.with(outcomes{fault.Stuck: a(measure.NotReady), fault.BrownOut: a(measure.NoResponse), fault.Twin: a(number)}),
		"ads1115":     i2c.with(outcomes{fault.Stuck: a(measure.NotReady), fault.BrownOut: a(measure.PowerUp), fault.Twin: a(number, measure.NoResponse)}),
		"capacitive":  analog, "analog": analog, "modbus": modbus,
		"ultrasonic-uart": skin.with(outcomes{fault.Unplug: a(measure.NoResponse), fault.CRC: a(measure.CRC), fault.Garbled: a(measure.Garbled)}),
	}
	config, err := field.Parse("zoo.yaml", []byte(zooField), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range config.Devices {
		r := zoo(t)
		if d.Kind == "analog" && d.ID == "ao1-ph2" { // its board gives 0.4 to 2.9 V, and an open input is not far from it
			kinds["analog"] = kinds["analog"].with(outcomes{fault.Unplug: a(number, measure.NoResponse)})
		}
		r.look(t)
		for _, k := range r.can(d.ID) {
			t.Run(d.ID+"/"+string(k), func(t *testing.T) {
				want, ok := kinds[d.Kind][k]
				if !ok {
					t.Fatalf("nobody says what the gateway makes of it")
				}
				r.suffers(t, d.ID, k, want, func(sensor string) bool {
					return sensor == d.ID || d.Kind == "ads1115" && (sensor == "khoai1-am" || sensor == "ao1-ph2")
				})
			})
		}
	}
}

func TestFaults_EveryOneOfEveryBus(t *testing.T) {
	all := func(r measure.FaultReason) map[string][]measure.FaultReason {
		return map[string][]measure.FaultReason{"": {r}}
	}
	r := zoo(t)
	r.look(t)
	sensors := map[string]func(id string) bool{
		"folder": func(id string) bool { return id == "ao1-temp" }, "wire": func(id string) bool { return id == "ao1-deep" },
		"rs485": func(id string) bool { return id == "ao1-do2" || id == "khoai1-dat2" }, "muc": func(id string) bool { return id == "ao1-muc" },
	}
	sensors["ao"] = func(id string) bool {
		return !slices.ContainsFunc([]string{"folder", "wire", "rs485", "muc"}, func(b string) bool { return sensors[b](id) })
	}
	for bus, mine := range sensors {
		for _, k := range r.can(bus) {
			t.Run(bus+"/"+string(k), func(t *testing.T) {
				want := measure.NoResponse
				switch {
				case k == fault.SCLLow, k == fault.Unplug && (bus == "rs485" || bus == "muc"):
					want = measure.BusDown
				case k == fault.SDALow, k == fault.Shorted && (bus == "folder" || bus == "wire"):
					want = measure.Shorted
				}
				r.suffers(t, bus, k, all(want)[""], mine)
			})
		}
	}
}

// can are the faults a device or a bus can have.
func (r *rig) can(id string) []fault.Kind {
	for _, d := range r.field.Board().Devices() {
		if d.Name == id {
			return d.Kinds
		}
	}
	return nil
}

// look asks every sensor of the zoo twice, some of them being started by the first question, and a minute apart.
func (r *rig) look(t *testing.T) sink {
	t.Helper()
	s := make(sink)
	for range 3 {
		clear(s)
		if err := r.station.PollAll(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := r.clock.Sleep(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if len(s) != 2+5+2+2+3+2+2+3+3+2 {
		t.Fatalf("%d readings: %v", len(s), slices.Sorted(maps.Keys(s)))
	}
	return s
}

// suffers has a device or a bus suffer a fault: mine say one of the reasons, all others a number; healed, all say numbers.
func (r *rig) suffers(t *testing.T, id string, k fault.Kind, want []measure.FaultReason, mine func(sensor string) bool) {
	t.Helper()
	var params []float64
	if p, takes := k.Parameter(); takes && !p.Own {
		params = []float64{0.1}
	}
	if err := r.field.Board().Set(id, k, params...); err != nil {
		t.Fatal(err)
	}
	seen := ""
	for key, got := range r.look(t) {
		is := number
		if got.Quality == measure.Fault {
			is = got.Reason
		}
		switch {
		case mine(got.Sensor) && !slices.Contains(want, is):
			t.Errorf("%s: %s %q %v; want one of %q", key, got.Quality, got.Reason, got.Value, want)
		case !mine(got.Sensor) && got.Quality == measure.Fault:
			t.Errorf("%s: a fault of its neighbour: %s", key, got.Reason)
		}
		if mine(got.Sensor) {
			seen = fmt.Sprint(got.Quality, " ", got.Reason)
		}
	}
	if seen == "" {
		t.Errorf("nobody noticed: no sensor is of %s", id)
	}
	r.field.Board().HealAll()
	for key, got := range r.look(t) {
		if got.Quality == measure.Fault {
			t.Errorf("%s, healed: %s", key, got.Reason)
		}
		if e, ok := r.book.get(key); !strings.HasPrefix(key, "ao1-ph2") && (!ok || e.Fault != "") {
			t.Errorf("%s, healed: the ledger has %+v", key, e)
		}
	}
}
