package chip_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
)

// The world's value through the inverse conversion, the converter's bits and the template.
func TestTemplates_AnalogWorldToReading(t *testing.T) {
	at := 31.5
	for id, tpl := range templates(t, probe.KindAnalog) {
		for _, calibrated := range []bool{false, true} {
			name := map[bool]string{false: id, true: id + " with points"}[calibrated]
			var points []probe.Point
			for _, g := range tpl.Analog.Golden {
				if calibrated {
					points = g.Points
				}
				if len(points) > 0 {
					break
				}
			}
			if calibrated && points == nil {
				continue
			}
			t.Run(name, func(t *testing.T) {
				r := newProbeRig(t)
				a := tpl.Analog
				water := probe.Water{Celsius: at, Salinity: 5, HPa: 1000}
				adc := chip.NewADS1115(r.part("adc", chip.ADS1115Faults()))
				if !adc.Connect(2, chip.NewTemplateBoard(r.part("probe", chip.BoardFaults(tpl)), tpl, points, r.source(a.Quantity), func(time.Time) probe.Water { return water })) {
					t.Fatal("no input 2")
				}
				bus := chip.NewBus("i2c")
				if err := bus.Add(0x48, adc, nil); err != nil {
					t.Fatal(err)
				}
				r.buses.bus = bus
				input := 2
				s := kind.Spec{ID: "probe", Kind: "analog", Bus: "i2c", Address: 0x48, Input: &input, Template: id, Points: points}
				for _, q := range a.Inputs() {
					*map[measure.Quantity]*string{
						measure.WaterTemperature: &s.Temperature, measure.Salinity: &s.Salinity, measure.AirPressure: &s.Pressure,
					}[q] = fmt.Sprint(*water.Of(q))
				}
				r.build(s)
				r.analogValues(tpl, points, water)
				r.analogFaults(tpl)
			})
		}
	}
}

func (r *probeRig) analogValues(tpl *probe.Template, points []probe.Point, water probe.Water) {
	r.t.Helper()
	a := tpl.Analog
	for i := range 9 { // volts through the range, so that every world is one the probe can say
		volts := a.ValidFrom + (a.ValidTo-a.ValidFrom)*float64(i+1)/10
		want, err := a.Value(volts, points, water)
		if err != nil {
			r.t.Fatal(err)
		}
		if want < *a.Min || want > *a.Max {
			continue
		}
		r.values[a.Quantity] = want
		r.pass(240 * time.Hour)
		g := r.poll().get(a.Quantity)
		volts, err = a.Volts(want, points, water)
		if err != nil {
			r.t.Fatal(err)
		}
		beside, err := a.Value(volts+0.001*a.Gain(), points, water) // eight bits of the converter
		if err != nil {
			r.t.Fatal(err)
		}
		info, _ := a.Quantity.Info()
		if math.Abs(g.Value-want) > math.Abs(beside-want)+math.Pow10(-info.Decimals)/2 {
			r.t.Errorf("the world has %g, the reading is %+v", want, g)
		}
		quality := measure.Uncalibrated
		if points != nil && a.Indicative == "" {
			quality = measure.Good
		}
		if g.Quality != quality && g.Quality != measure.OutOfRange {
			r.t.Errorf("%+v, want %s", g, quality)
		}
		if e := r.book.last[a.Quantity]; math.Abs(e.Value-g.Value) > 1e-6*math.Max(1, math.Abs(g.Value)) {
			r.t.Errorf("the ledger has %+v, the reading is %+v", e, g)
		}
	}
}

func (r *probeRig) analogFaults(tpl *probe.Template) {
	r.t.Helper()
	for _, f := range chip.BoardFaults(tpl) {
		want, known := map[fault.Kind]measure.FaultReason{fault.Unplug: measure.NoResponse, fault.Shorted: measure.Shorted}[f]
		if !known {
			continue
		}
		if err := r.board.Set("probe", f); err != nil {
			r.t.Fatal(err)
		}
		if g := r.poll().get(tpl.Analog.Quantity); g.Reason != want {
			r.t.Errorf("%s: %+v", f, g)
		}
		r.board.HealAll()
	}
}
