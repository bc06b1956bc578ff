package measure_test

import (
	"math"
	"testing"

	"aovuon/gateway/measure"
)

func TestQuantity_EveryOneFixesUnitAndLimits(t *testing.T) {
	for _, q := range measure.Quantities() {
		info, ok := q.Info()
		if !ok {
			t.Fatalf("%s: no info", q)
		}
		if info.UNECE == "" || info.EPCIS == "" || info.Min >= info.Max {
			t.Errorf("%s: incomplete info %+v", q, info)
		}
		if got, err := q.Grade(info.Max); err != nil || got != measure.Good {
			t.Errorf("%s: Grade(max) = %v, %v; want good", q, got, err)
		}
		if got, err := q.Grade(info.Max + 0.001); err != nil || got != measure.OutOfRange {
			t.Errorf("%s: Grade(max+) = %v, %v; want out-of-range", q, got, err)
		}
	}
	if _, ok := measure.Quantity("love").Info(); ok {
		t.Error("unknown quantity has info")
	}
}

func TestGrade_RefusesNaNAndInfinity(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := measure.PH.Grade(v); err == nil {
			t.Errorf("Grade(%v) passed", v)
		}
	}
}

func TestTexts_RoundTrip(t *testing.T) {
	for q := measure.Good; q <= measure.Fault; q++ {
		if got, ok := measure.ParseQuality(q.String()); !ok || got != q {
			t.Errorf("quality %v does not round trip", q)
		}
	}
	for c := measure.Synced; c <= measure.Unsynced; c++ {
		if got, ok := measure.ParseClockState(c.String()); !ok || got != c {
			t.Errorf("clock state %v does not round trip", c)
		}
	}
	if _, ok := measure.ParseQuality("splendid"); ok {
		t.Error("unknown quality parsed")
	}
}

func TestReading_Validate(t *testing.T) {
	ok := measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Value: 6.1}
	with := func(f func(*measure.Reading)) measure.Reading { r := ok; f(&r); return r }
	for name, tc := range map[string]struct {
		r    measure.Reading
		fine bool
	}{
		"good":             {ok, true},
		"fault":            {with(func(r *measure.Reading) { r.Quality, r.Reason = measure.Fault, measure.CRC }), true},
		"out of range":     {with(func(r *measure.Reading) { r.Value, r.Quality = 99, measure.OutOfRange }), true},
		"no sensor":        {with(func(r *measure.Reading) { r.Sensor = "" }), false},
		"upper case":       {with(func(r *measure.Reading) { r.Sensor = "AO1" }), false},
		"slash":            {with(func(r *measure.Reading) { r.Sensor = "ao1/do" }), false},
		"unknown quantity": {with(func(r *measure.Reading) { r.Quantity = "do" }), false},
		"NaN":              {with(func(r *measure.Reading) { r.Value = math.NaN() }), false},
		"fault, no reason": {with(func(r *measure.Reading) { r.Quality = measure.Fault }), false},
		"reason, no fault": {with(func(r *measure.Reading) { r.Reason = measure.CRC }), false},
		"unknown quality":  {with(func(r *measure.Reading) { r.Quality = 9 }), false},
	} {
		if err := tc.r.Validate(); (err == nil) != tc.fine {
			t.Errorf("%s: Validate() = %v", name, err)
		}
	}
}
