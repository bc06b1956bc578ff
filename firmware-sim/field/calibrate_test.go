package field_test

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/wire"
)

const bench = `
seed: 7
places:
  - { id: ao1, kind: pond }
  - { id: khoai1, kind: plot }
buses:
  - { id: i2c, socket: i2c.sock }
  - { id: rs485, serial: rs485 }
devices:
  - { id: oxy, kind: ezo-do, bus: i2c, address: 0x61, place: ao1 }
  - { id: ph, kind: ezo-ph, bus: i2c, address: 0x63, place: ao1 }
  - { id: ec, kind: ezo-ec, bus: i2c, address: 0x64, place: ao1 }
  - { id: orp, kind: ezo-orp, bus: i2c, address: 0x62, place: ao1 }
  - { id: rtd, kind: ezo-rtd, bus: i2c, address: 0x66, place: ao1 }
  - { id: adc, kind: ads1115, bus: i2c, address: 0x48 }
  - { id: am, kind: capacitive, adc: adc, input: 0, place: khoai1, dry: { volts: 2.42, vwc: 5 }, wet: { volts: 1.31, vwc: 45 } }
  - { id: ph-bo, kind: analog, template: dfrobot-sen0161-v2, adc: adc, input: 1, place: ao1, points: [{ volts: 1.56, value: 7 }, { volts: 2.03, value: 4 }] }
  - { id: oxy-so, kind: modbus, template: yosemitech-y504, bus: rs485, address: 5, place: ao1 }
`

// nowhere is where records go that nobody reads.
type nowhere struct{ docs []wire.Document }

func (n *nowhere) TakeDocument(_ context.Context, d wire.Document) error {
	n.docs = append(n.docs, d)
	return nil
}
func (*nowhere) Flush(context.Context) error { return nil }

// bottle is one step: what is in it, how warm, and what the person says.
type bottle struct {
	bath    fault.Bath
	value   float64 // answered; 0: nothing
	celsius bool    // said by hand
}

func in(value, celsius float64) fault.Bath { return fault.Bath{Value: value, Celsius: &celsius} }

// TestCalibrate_EveryProcedureMendsADriftedProbe: real drivers on register-level chips, each led through its own procedure.
// The bath afterwards is another than those of the points.
func TestCalibrate_EveryProcedureMendsADriftedProbe(t *testing.T) {
	for name, tc := range map[string]struct {
		sensor   string
		begin    calibrate.Begin
		drift    fault.Ageing
		steps    map[string]bottle
		proof    fault.Bath
		want     float64
		within   float64
		quality  measure.Quality
		quantity measure.Quantity
	}{
		"pH in three buffers": {
			sensor: "ph", drift: fault.Ageing{Gain: 0.93, Offset: 0.6}, quantity: measure.PH,
			steps: map[string]bottle{"mid": {in(6.994, 28), 7, true}, "low": {in(4.006, 28), 4, true}, "high": {in(9.976, 28), 10, true}},
			proof: in(8.3, 25), want: 8.3, within: 0.03, quality: measure.Estimated,
		},
		"oxygen in air": {
			sensor: "oxy", drift: fault.Ageing{Gain: 0.8}, quantity: measure.DissolvedOxygen,
			steps: map[string]bottle{"air": {in(world.Saturation(28, 0, 1), 28), 0, true}},
			proof: in(4, 25), want: 4, within: 0.1, quality: measure.Estimated,
		},
		"oxygen in air and without": {
			sensor: "oxy", drift: fault.Ageing{Gain: 0.8, Offset: 0.4}, quantity: measure.DissolvedOxygen,
			steps: map[string]bottle{"air": {in(world.Saturation(28, 0, 1), 28), 0, true}, "zero": {in(0, 28), 0, true}},
			proof: in(2, 25), want: 2, within: 0.1, quality: measure.Estimated,
		},
		"EC dry and one standard": {
			sensor: "ec", drift: fault.Ageing{Gain: 1.15}, quantity: measure.Conductivity,
			steps: map[string]bottle{"dry": {in(0, 25), 0, false}, "single": {in(1413, 30), 1413, true}},
			proof: in(900, 25), want: 900, within: 12, quality: measure.Estimated,
		},
		"EC dry and two standards": {
			sensor: "ec", begin: calibrate.Begin{Points: 2}, drift: fault.Ageing{Gain: 0.9, Offset: 10}, quantity: measure.Conductivity,
			steps: map[string]bottle{"dry": {in(0, 25), 0, false}, "low": {in(1413, 25), 1413, true}, "high": {in(12_880, 25), 12_880, true}},
			proof: in(5000, 25), want: 5000, within: 60, quality: measure.Estimated,
		},
		"ORP": {
			sensor: "orp", drift: fault.Ageing{Gain: 1, Offset: -40}, quantity: measure.ORP,
			steps: map[string]bottle{"single": {in(225, 25), 225, false}},
			proof: in(310, 25), want: 310, within: 3, quality: measure.Good,
		},
		"RTD": {
			sensor: "rtd", drift: fault.Ageing{Gain: 1, Offset: 1.4}, quantity: measure.WaterTemperature,
			steps: map[string]bottle{"single": {fault.Bath{Value: 24.5}, 24.5, false}},
			proof: fault.Bath{Value: 30}, want: 30, within: 0.2, quality: measure.Good,
		},
		"soil in two samples": {
			sensor: "am", quantity: measure.SoilMoisture,
			steps: map[string]bottle{"dry": {fault.Bath{Value: 6}, 6, false}, "wet": {fault.Bath{Value: 41}, 41, false}},
			proof: fault.Bath{Value: 20}, want: 20, within: 1, quality: measure.Good,
		},
		"a pH board on top of its template": {
			sensor: "ph-bo", quantity: measure.PH,
			steps: map[string]bottle{"first": {in(7, 25), 7, true}, "second": {in(4, 25), 4, true}},
			proof: in(5.5, 25), want: 5.5, within: 0.05, quality: measure.Estimated,
		},
		"oxygen over Modbus, in air": {
			sensor: "oxy-so", drift: fault.Ageing{Gain: 0.85}, quantity: measure.DissolvedOxygen, begin: calibrate.Begin{Quantity: measure.DissolvedOxygen, Points: 1},
			steps: map[string]bottle{"air": {in(world.Saturation(28, 0, 1), 28), 0, true}},
			proof: in(4, 25), want: 4, within: 0.1, quality: measure.Good,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if tc.drift != (fault.Ageing{}) {
				b.must(b.field.Board().Age(tc.sensor, tc.drift))
			}
			b.must(b.field.Board().Dip(tc.sensor, &tc.proof))
			if before := b.read(tc.sensor, tc.quantity); before.Quality == measure.Good && tc.sensor != "rtd" {
				t.Errorf("before: %+v", before)
			}
			tc.begin.Sensor, tc.begin.Who = tc.sensor, "Tâm"
			b.lead(tc.begin, tc.steps)
			b.must(b.field.Board().Dip(tc.sensor, &tc.proof))
			b.must(b.clock.Sleep(t.Context(), time.Minute)) // a digital probe measures at its own pace
			got := b.read(tc.sensor, tc.quantity)
			if math.Abs(got.Value-tc.want) > tc.within || got.Quality != tc.quality {
				t.Errorf("afterwards %v (%v); want %v within %v, %v", got.Value, got.Quality, tc.want, tc.within, tc.quality)
			}
			if len(b.docs.docs) != 1 {
				t.Errorf("%d records", len(b.docs.docs))
			}
		})
	}
}

// TestCalibrate_AWrongBottleIsRefusedAndAnAbortBringsTheOldBack, on the register model of each EZO circuit that has one.
func TestCalibrate_AWrongBottleIsRefusedAndAnAbortBringsTheOldBack(t *testing.T) {
	noise := map[string]float64{"ec": 2, "orp": 1}
	for sensor, tc := range map[string]struct {
		right, wrong fault.Bath
		step         string
		value        float64
	}{
		"ph":  {in(6.994, 28), in(4, 28), "mid", 7},
		"oxy": {in(world.Saturation(28, 0, 1), 28), in(0.2, 28), "air", 0},
		"orp": {in(225, 25), in(470, 25), "single", 225},
		"ec":  {in(0, 25), in(1413, 25), "dry", 0},
	} {
		t.Run(sensor, func(t *testing.T) {
			b := newBench(t)
			b.must(b.field.Board().Age(sensor, fault.Ageing{Gain: 1, Offset: 0.03 * tc.right.Value}))
			b.must(b.field.Board().Dip(sensor, &tc.right))
			q := b.desk.Targets()[0].Quantity
			for _, target := range b.desk.Targets() {
				if target.Sensor == sensor {
					q = target.Quantity
				}
			}
			before := b.read(sensor, q).Value
			b.must(b.field.Board().Dip(sensor, &tc.wrong))
			_, err := b.desk.Begin(t.Context(), calibrate.Begin{Sensor: sensor, Who: "Tâm"})
			b.must(err)
			if st := b.answer(sensor, tc.step, bottle{bath: tc.wrong, value: tc.value, celsius: true}); st.Code != "far" {
				t.Fatalf("in the wrong bottle: %s %s", st.Code, st.Problem)
			}
			if st := b.answer(sensor, tc.step, bottle{bath: tc.right, value: tc.value, celsius: true}); st.Problem != "" {
				t.Fatal(st.Problem)
			}
			_, err = b.desk.Abort(t.Context(), sensor)
			b.must(err)
			b.must(b.station.PollAll(t.Context(), make(sink)))
			after := b.read(sensor, q).Value
			if math.Abs(after-before) > 0.02+0.01*math.Abs(before)+noise[sensor] {
				t.Errorf("after the abort it says %v, before it said %v", after, before)
			}
		})
	}
}

// benchRig is a gateway's sensing side with its desk, on a table beside the pond.
type benchRig struct {
	t       *testing.T
	clock   *virtual
	field   *field.Field
	desk    *calibrate.Desk
	station *sense.Station
	docs    *nowhere
}

func newBench(t *testing.T) *benchRig {
	t.Helper()
	c, err := field.Parse("bench.yaml", []byte(strings.TrimSpace(bench)), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)
	b := &benchRig{t: t, clock: &virtual{begin: at.Add(-time.Hour), now: at}, docs: &nowhere{}}
	if b.field, err = field.New(c, field.Options{Now: b.clock.wall, Sleep: b.clock.Sleep}); err != nil {
		t.Fatal(err)
	}
	b.desk = calibrate.NewDesk(t.TempDir(), b.clock)
	var list []kind.Spec
	zero := 0
	where := map[string]kind.BusSpec{"i2c": {I2C: "unix:" + c.Buses[0].Socket}, "rs485": {Serial: c.Buses[1].Serial}}
	for _, d := range c.Devices {
		switch d.Kind {
		case "ads1115":
		case "capacitive":
			list = append(list, kind.Spec{ID: d.ID, Kind: "capacitive-ads1115", Bus: "i2c", Address: 0x48, Input: &zero})
		case "analog":
			list = append(list, kind.Spec{ID: d.ID, Kind: d.Kind, Bus: "i2c", Address: 0x48, Input: &d.Input, Template: d.Template})
		default:
			list = append(list, kind.Spec{ID: d.ID, Kind: d.Kind, Bus: d.Bus, Address: d.Address, Template: d.Template})
		}
	}
	channels, err := kind.Build(list, b.field, where, b.clock, kind.WithFitter(b.desk))
	if err != nil {
		t.Fatal(err)
	}
	b.station = sense.NewStation(b.clock, channels, slog.New(slog.DiscardHandler))
	b.desk.Open(t.Context(), b.station, b.docs, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { b.desk.Close(context.WithoutCancel(t.Context())) })
	b.must(b.station.PollAll(t.Context(), make(sink))) // some probes are started by the first question
	b.must(b.clock.Sleep(t.Context(), 30*time.Second))
	return b
}

func (b *benchRig) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *benchRig) read(sensor string, q measure.Quantity) measure.Reading {
	b.t.Helper()
	s := make(sink)
	b.must(b.station.PollAll(b.t.Context(), s))
	return s[sensor+" "+string(q)]
}

// answer puts the probe into the bottle of a step and answers it.
func (b *benchRig) answer(sensor, step string, x bottle) calibrate.State {
	b.t.Helper()
	b.must(b.field.Board().Dip(sensor, &x.bath))
	a := calibrate.Answer{Step: step}
	if x.value != 0 {
		a.Value = &x.value
	}
	if x.celsius {
		a.Celsius = x.bath.Celsius
	}
	st, err := b.desk.Answer(b.t.Context(), sensor, a)
	for err == nil && st.Phase == calibrate.Measuring {
		st, err = b.desk.State(b.t.Context(), sensor, st.Version)
	}
	b.must(err)
	return st
}

// lead goes through a calibration; steps without a bottle are skipped.
func (b *benchRig) lead(begin calibrate.Begin, steps map[string]bottle) {
	b.t.Helper()
	st, err := b.desk.Begin(b.t.Context(), begin)
	b.must(err)
	done := 0
	for step, ok := st.Step(); ok; step, ok = st.Step() {
		x, led := steps[step.Name]
		if !led {
			st, err = b.desk.Answer(b.t.Context(), begin.Sensor, calibrate.Answer{Step: step.Name, Skip: true})
			for err == nil && st.Phase == calibrate.Measuring {
				st, err = b.desk.State(b.t.Context(), begin.Sensor, st.Version)
			}
			b.must(err)
			continue
		}
		done++
		if st = b.answer(begin.Sensor, step.Name, x); st.Problem != "" {
			b.t.Fatalf("step %s: %s: %s", step.Name, st.Code, st.Problem)
		}
	}
	if done != len(steps) {
		b.t.Fatalf("%d steps of %d", done, len(steps))
	}
	st, err = b.desk.Finish(b.t.Context(), begin.Sensor, "")
	b.must(err)
	b.must(b.station.PollAll(b.t.Context(), make(sink))) // finds that the probe was away
	b.t.Logf("verdict %s %v, slope %v, offset %v", st.Verdict, st.Reasons, show(st.Slope), show(st.Offset))
}

func show(v *float64) any {
	if v == nil {
		return "-"
	}
	return *v
}
