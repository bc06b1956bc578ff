package world_test

import (
	"math"
	"testing"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

func TestAeration_LiftsTheNightAndFades(t *testing.T) {
	w := field(t, 1)
	a := w.NewAeration("ao2")
	on := false
	a.Add(2, func() bool { return on })
	at := start(2026).Add(3 * time.Hour)
	excess := func() float64 { return a.Oxygen(at) - value(t, w, "ao2", measure.DissolvedOxygen, at) }
	for range 60 { // it does not turn: the world is as it was
		if e := excess(); e != 0 {
			t.Fatalf("%g mg/L from nowhere", e)
		}
		at = at.Add(time.Minute)
	}
	a.Settle(at)
	on = true
	last := 0.0
	for range 120 {
		at = at.Add(time.Minute)
		e := excess()
		if e < last-0.05 {
			t.Fatalf("%v: %g after %g mg/L", at, e, last)
		}
		last = e
	}
	sat := world.Saturation(value(t, w, "ao2", measure.WaterTemperature, at), 0, 1)
	if o := a.Oxygen(at); o < 0.75*sat || o > sat {
		t.Errorf("two hours of aeration: %.2f of %.2f mg/L", o, sat)
	}
	a.Settle(at)
	on = false
	for range 24 {
		at = at.Add(time.Hour)
		excess()
	}
	if e := excess(); math.Abs(e) > 0.02 {
		t.Errorf("a day later %g mg/L are left", e)
	}
	if !math.IsNaN(w.NewAeration("khoai1").Oxygen(at)) {
		t.Error("a plot has oxygen")
	}
}
