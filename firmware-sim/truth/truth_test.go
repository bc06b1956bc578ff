package truth_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aovuon/firmware-sim/truth"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// plain is a world whose values are known without it: a line from 3 mg/L up by 1 an hour, 20 °C for ever.
type plain struct{}

func start() time.Time { return time.Date(2026, 7, 6, 0, 0, 0, 0, time.UTC) }

func (plain) Begin() time.Time      { return start() }
func (plain) Places() []world.Place { return []world.Place{{ID: "ao1"}, {ID: "ao2"}} }
func (plain) Quantities(place string) []measure.Quantity {
	if place != "ao1" && place != "ao2" {
		return nil
	}
	return []measure.Quantity{measure.WaterTemperature, measure.DissolvedOxygen}
}

func (p plain) Value(place string, q measure.Quantity, t time.Time) (float64, error) {
	switch {
	case t.Before(start()):
		return 0, world.ErrEarly
	case p.Quantities(place) == nil:
		return 0, world.ErrUnknown
	case q == measure.WaterTemperature:
		return 20, nil
	case q == measure.DissolvedOxygen:
		return 3 + t.Sub(start()).Hours(), nil
	}
	return 0, world.ErrUnknown
}

func span(hours float64) truth.Span {
	return truth.Span{From: start(), To: start().Add(time.Duration(hours * float64(time.Hour)))}
}

func limits(t *testing.T, text string) truth.Limits {
	t.Helper()
	l, err := truth.ParseLimits(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func near() cmp.Option { return cmpopts.EquateApprox(0, 1e-9) }

// From 3 to 7 mg/L in four hours: below 4 for one hour, above 5.5 for one and a half, however often it is looked.
func TestCount_CutsAtTheLimits(t *testing.T) {
	for limit, want := range map[string]truth.Hours{
		"4..5.5": {Below: 1, Within: 1.5, Above: 1.5}, "4..": {Below: 1, Within: 3}, "..5.5": {Within: 2.5, Above: 1.5},
		"1..9": {Within: 4}, "8..": {Below: 4}, "..3": {Above: 4}, "3..7": {Within: 4}, "5..5": {Below: 2, Above: 2},
	} {
		for _, every := range []time.Duration{time.Minute, 7 * time.Minute, time.Hour, 5 * time.Hour} {
			got, err := truth.Count(plain{}, truth.Column{Place: "ao1", Quantity: measure.DissolvedOxygen}, span(4), every, limits(t, limit))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, near()); diff != "" {
				t.Errorf("%s every %s: %s", limit, every, diff)
			}
		}
	}
	for _, bad := range []string{"", "..", "4", "x..5", "9..6", "4..5..6"} {
		if _, err := truth.ParseLimits(bad); err == nil {
			t.Errorf("%q are limits", bad)
		}
	}
}

func TestErrorsOf(t *testing.T) {
	if got := truth.ErrorsOf(nil); got != (truth.Errors{}) {
		t.Errorf("of nothing: %+v", got)
	}
	want := truth.Errors{N: 4, Bias: 1, MAE: 1.5, RMSE: math.Sqrt(4.5), P95: 4, Max: 4}
	if diff := cmp.Diff(want, truth.ErrorsOf([]float64{1, -1, 0, 4}), near()); diff != "" {
		t.Error(diff)
	}
	twenty := make([]float64, 20) // 19 of 20 are at most 0.5
	for i := range twenty {
		twenty[i] = -0.5
	}
	twenty[7] = 3
	if got := truth.ErrorsOf(twenty).P95; got != 0.5 {
		t.Errorf("p95 %g", got)
	}
}

// steps are six steps of ten minutes whose means are the truth and off; n of each.
func steps(off float64, n ...int) (list []truth.Step) {
	for i, k := range n {
		at := start().Add(time.Duration(i) * 10 * time.Minute)
		middle := 3 + at.Add(5*time.Minute).Sub(start()).Hours()
		list = append(list, truth.Step{Start: at, N: k, Mean: middle + off})
	}
	return list
}

// A product with a known bias, a gap, a thin step, faults, what is missing and what nobody knows of.
func TestCompare_FindsWhatIsWrong(t *testing.T) {
	series := func(place, sensor string, q measure.Quantity, list []truth.Step) truth.Series {
		return truth.Series{Place: place, Code: "A1", Sensor: sensor, Quantity: q, Step: 10 * time.Minute, Steps: list}
	}
	oxygen := steps(0.25, 10, 10, 0, 0, 10, 3)
	oxygen[5].Mean += 5 // thin: neither right nor wrong
	oxygen[2].Faults = 7
	warm := []truth.Step{{Start: start().Add(-10 * time.Minute), N: 9, Mean: 99}, {Start: start(), N: 10, Mean: 19}, {Start: start().Add(10 * time.Minute), N: 10, Mean: 22}}
	q := truth.Question{
		World: plain{}, Span: span(1),
		Wanted: []truth.Channel{
			{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen}, {Sensor: "ao2-do", Quantity: measure.DissolvedOxygen}, {Sensor: "ao2-temp", Quantity: measure.WaterTemperature},
		},
		Limits: func(q measure.Quantity) (truth.Limits, bool) {
			return limits(t, "3.5.."), q == measure.DissolvedOxygen
		},
	}
	got, err := truth.Compare(q, []truth.Series{
		series("ao1", "ao1-do", measure.DissolvedOxygen, oxygen), series("ao1", "ao1-temp", measure.WaterTemperature, warm),
		series("ao1", "ao1-dong", measure.Current, warm), series("", "la", measure.WaterTemperature, warm),
		series("ao2", "ao2-do", measure.DissolvedOxygen, steps(0, 0, 0, 0)), series("", "may", measure.CPUTemperature, warm),
	})
	if err != nil {
		t.Fatal(err)
	}
	// Means of the truth are 3 1/12, 3 3/12 … 3 11/12: three of six below 3.5. The product's, ¼ higher, of the steps it has: 3.33, 3.5, 4, 9.17.
	third := 1.0 / 6
	want := truth.Comparison{
		From: start(), To: start().Add(time.Hour),
		Results: []truth.Result{
			{
				Channel: truth.Channel{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen}, Place: "ao1", Code: "A1",
				Errors: truth.Errors{N: 3, Bias: 0.25, MAE: 0.25, RMSE: 0.25, P95: 0.25, Max: 0.25}, Thin: 1, Coverage: 4.0 / 6, Faults: 7,
				Product: &truth.Hours{Below: third, Within: 3 * third}, Same: &truth.Hours{Below: 2 * third, Within: 2 * third}, Truth: &truth.Hours{Below: 3 * third, Within: 3 * third},
			},
			{
				Channel: truth.Channel{Sensor: "ao1-temp", Quantity: measure.WaterTemperature}, Place: "ao1", Code: "A1", Coverage: 1,
				Errors: truth.Errors{N: 2, Bias: 0.5, MAE: 1.5, RMSE: math.Sqrt(2.5), P95: 2, Max: 2},
			},
			{
				Channel: truth.Channel{Sensor: "ao2-do", Quantity: measure.DissolvedOxygen}, Place: "ao2", Code: "A1",
				Product: &truth.Hours{}, Same: &truth.Hours{}, Truth: &truth.Hours{Below: 3 * third},
			},
		},
		Missing: []truth.Channel{{Sensor: "ao2-do", Quantity: measure.DissolvedOxygen}, {Sensor: "ao2-temp", Quantity: measure.WaterTemperature}},
		Extra:   []truth.Channel{{Sensor: "ao1-dong", Quantity: measure.Current}, {Sensor: "la", Quantity: measure.WaterTemperature}},
	}
	// 3 3/12 + 1/4 is 3.5, on the limit: within. Rounding may put it on either side, so it is moved away from it.
	if diff := cmp.Diff(want, got, near(), cmpopts.IgnoreFields(truth.Result{}, "Limits", "Product")); diff != "" {
		t.Error(diff)
	}
	for _, tc := range []struct {
		demand truth.Demand
		want   int
	}{
		{truth.Demand{}, 0},
		{truth.Demand{MAE: map[measure.Quantity]float64{measure.WaterTemperature: 1.5, measure.DissolvedOxygen: 0.26}}, 0},
		{truth.Demand{MAE: map[measure.Quantity]float64{measure.WaterTemperature: 1.4, measure.DissolvedOxygen: 0.24}}, 2},
		{truth.Demand{MAE: map[measure.Quantity]float64{measure.PH: 9}}, 1}, // nothing to compare is not good
		{truth.Demand{Coverage: 0.5}, 1},
		{truth.Demand{Coverage: 0.9}, 2},
		{truth.Demand{Complete: true}, 2},
	} {
		if unmet := tc.demand.Unmet(got); len(unmet) != tc.want {
			t.Errorf("%+v: %q", tc.demand, unmet)
		}
	}
}

func TestTable_RefusesWhatCannotBe(t *testing.T) {
	all, err := truth.Columns(plain{}, "", "")
	if err != nil || len(all) != 4 {
		t.Fatalf("%v, %v", all, err)
	}
	n := 0
	if err := truth.Table(plain{}, all, span(1), 10*time.Minute, func(truth.Value) error { n++; return nil }); err != nil || n != 24 {
		t.Errorf("%d values, %v", n, err)
	}
	for mend, s := range map[string]truth.Span{
		"want --from before --to": {From: start().Add(time.Hour), To: start()}, "earlier begin": {From: start().Add(-time.Second), To: start()},
		"ten years": {From: start(), To: start().AddDate(11, 0, 0)},
	} {
		if err := truth.Table(plain{}, all, s, time.Minute, func(truth.Value) error { return nil }); err == nil || !strings.Contains(err.Error(), mend) {
			t.Errorf("%v: %v", s, err)
		}
	}
	for mend, c := range map[string]truth.Column{"want one of ao1, ao2": {Place: "ao9"}, "want one of water_temperature": {Place: "ao1", Quantity: "ph"}, "lists what there is": {Quantity: "ph"}} {
		if _, err := truth.Columns(plain{}, c.Place, c.Quantity); err == nil || !strings.Contains(err.Error(), mend) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestForecasts_AreScoredByLead(t *testing.T) {
	const file = "# made\tfor\tplace\tquantity\tvalue\n" +
		"2026-07-06T00:00:00Z\t2026-07-06T01:00:00Z\tao1\tdissolved_oxygen\t4.5\n" + // truth 4, 1 h
		"2026-07-06T00:00:00Z\t2026-07-06T05:00:00Z\tao1\tdissolved_oxygen\t7\n" + // truth 8, 5 h
		"2026-07-06T07:00:00+07:00\t2026-07-06T13:00:00+07:00\tao1\tdissolved_oxygen\t12\n" // truth 9, 6 h
	list, err := truth.ReadForecasts(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	got, err := truth.Score(plain{}, list)
	if err != nil {
		t.Fatal(err)
	}
	want := []truth.Lead{
		{Place: "ao1", Quantity: measure.DissolvedOxygen, Hours: 1, Errors: truth.Errors{N: 1, Bias: 0.5, MAE: 0.5, RMSE: 0.5, P95: 0.5, Max: 0.5}},
		{Place: "ao1", Quantity: measure.DissolvedOxygen, Hours: 6, Errors: truth.Errors{N: 2, Bias: 1, MAE: 2, RMSE: math.Sqrt(5), P95: 3, Max: 3}},
	}
	if diff := cmp.Diff(want, got, near()); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		"x", "x\t2026-07-06T05:00:00Z\tao1\tph\t7", "2026-07-06T00:00:00Z\tx\tao1\tph\t7", "2026-07-06T06:00:00Z\t2026-07-06T05:00:00Z\tao1\tph\t7",
		"2026-07-06T00:00:00Z\t2026-07-06T05:00:00Z\tao1\tlove\t7", "2026-07-06T00:00:00Z\t2026-07-06T05:00:00Z\tao1\tph\tNaN",
	} {
		if _, err := truth.ReadForecasts(strings.NewReader("\n" + bad + "\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	list[0].Place = "ao9"
	if _, err := truth.Score(plain{}, list); !errors.Is(err, world.ErrUnknown) {
		t.Errorf("of an unknown place: %v", err)
	}
}

// Whatever is read as a forecast can be classed.
func FuzzReadForecasts(f *testing.F) {
	f.Add("2026-07-06T00:00:00Z\t2026-07-06T05:00:00Z\tao1\tdissolved_oxygen\t7")
	f.Add("0000-01-01T00:00:00Z\t9999-07-06T05:00:00Z\tao1\tph\t7")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := truth.ReadForecasts(strings.NewReader(text))
		if err != nil {
			return
		}
		leads, err := truth.Score(plain{}, list)
		n := 0
		for _, l := range leads {
			n += l.Errors.N
		}
		if err == nil && n != len(list) {
			t.Fatalf("%d of %d forecasts are in a class", n, len(list))
		}
	})
}
