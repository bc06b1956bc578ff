package measure_test

import (
	"math"
	"strings"
	"testing"
	"time"

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
		"filtered":         {with(func(r *measure.Reading) { r.Raw, r.Filtered = 6.4, true }), true},
		"raw NaN":          {with(func(r *measure.Reading) { r.Raw, r.Filtered = math.NaN(), true }), false},
		"inputs":           {with(func(r *measure.Reading) { r.Inputs = "t=28.44@ao1-temp+12;s=0;p=1013.25?" }), true},
		"inputs, none":     {with(func(r *measure.Reading) { r.Inputs = "love" }), false},
		"fault, inputs": {with(func(r *measure.Reading) {
			r.Quality, r.Reason, r.Inputs = measure.Fault, measure.CRC, "s=0"
		}), false},
		"unknown quality": {with(func(r *measure.Reading) { r.Quality = 9 }), false},
	} {
		if err := tc.r.Validate(); (err == nil) != tc.fine {
			t.Errorf("%s: Validate() = %v", name, err)
		}
	}
}

func TestInputs_HaveOneSpelling(t *testing.T) {
	in := []measure.Input{
		{Quantity: measure.WaterTemperature, Value: 28.4375, Sensor: "ao1-temp", Age: 12400 * time.Millisecond},
		{Quantity: measure.Salinity},
		{Quantity: measure.AirPressure, Value: 1013.25, Assumed: true},
		{Quantity: measure.PH, Value: -0.0001, Sensor: "ao1-ph", Age: time.Hour, Assumed: true},
		{Quantity: measure.LinkUp, Value: 1},
		{Quantity: measure.Conductivity, Value: math.NaN()},
	}
	const want = "t=28.438@ao1-temp+12;s=0;p=1013.25?;h=0@ao1-ph+3600?"
	if got := measure.FormatInputs(in); got != want {
		t.Fatalf("FormatInputs = %q; want %q", got, want)
	}
	back, err := measure.ParseInputs(want)
	if err != nil || len(back) != 4 || back[0].Age != 12*time.Second || !back[2].Assumed || back[3].Sensor != "ao1-ph" {
		t.Errorf("ParseInputs = %+v, %v", back, err)
	}
	for _, bad := range []string{
		";", "t", "t=", "t=1;", "x=1", "t=1.0", "t=+1", "t=1e1", "t=NaN", "t=1@+1", "t=1@a", "t=1@a+-1", "t=1@a+01", "t=1@A+1",
		"t=1??", "T=1", "t=1.2345", "t=-0", strings.Repeat("t=1;", 60) + "t=1", "t=1@a+99999999999",
	} {
		if got, err := measure.ParseInputs(bad); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

func FuzzInputs(f *testing.F) {
	f.Add("t=28.438@ao1-temp+12;s=0;p=1013.25?")
	f.Fuzz(func(t *testing.T, s string) {
		in, err := measure.ParseInputs(s)
		if err == nil && measure.FormatInputs(in) != s {
			t.Errorf("%q becomes %q", s, measure.FormatInputs(in))
		}
	})
}

func TestQuantities_ListsEachOnce(t *testing.T) {
	seen := map[measure.Quantity]bool{}
	for _, q := range measure.Quantities() {
		if seen[q] {
			t.Errorf("%s twice", q)
		}
		seen[q] = true
	}
}
