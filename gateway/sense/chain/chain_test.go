package chain_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/chain"
	"aovuon/gateway/sense/sensetest"
)

const do = measure.DissolvedOxygen

// probe is one channel in the middle of a chain, asked every minute.
type probe struct {
	id    string
	chain *chain.Chain
	clock *sensetest.Clock
	every time.Duration
}

func newProbe(board *sense.Board, clock *sensetest.Clock, id string, s chain.Settings) *probe {
	return &probe{id, chain.New(board, map[measure.Quantity]chain.Settings{do: s}), clock, time.Minute}
}

func alone(s chain.Settings) *probe {
	clock := sensetest.NewClock(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	return newProbe(sense.NewBoard(clock), clock, "ao1-do", s)
}

// reading is what the probe gives now; NaN is a fault.
func (p *probe) reading(v float64) measure.Reading {
	r := measure.Reading{Sensor: p.id, Quantity: do, Time: p.clock.Now(), Value: v}
	if math.IsNaN(v) {
		r.Value, r.Quality, r.Reason = 0, measure.Fault, measure.CRC
		return r
	}
	q, err := do.Grade(v)
	if err != nil {
		panic(err)
	}
	r.Quality = q
	return r
}

// failer is a testing.TB or a rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
}

// pass lets the time to the next reading pass.
func (p *probe) pass(tb failer) {
	tb.Helper()
	if err := p.clock.Sleep(context.Background(), p.every); err != nil {
		tb.Fatal(err)
	}
}

var fault = math.NaN()

// outcome is one letter: . good, s suspect, o out of range, x fault.
func outcome(q measure.Quality) string {
	return map[measure.Quality]string{measure.Good: ".", measure.Suspect: "s", measure.OutOfRange: "o", measure.Fault: "x"}[q]
}

func TestTwins(t *testing.T) {
	clock := sensetest.NewClock(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	board := sense.NewBoard(clock)
	a := newProbe(board, clock, "ao1-do", chain.Settings{Rate: 2, Twin: chain.Twin{Sensor: "ao1-do-b", Apart: 0.5}})
	b := newProbe(board, clock, "ao1-do-b", chain.Settings{Rate: 2, Twin: chain.Twin{Sensor: "ao1-do", Apart: 0.5}})
	for i, tc := range []struct {
		a, b float64
		want string // of a, of b
	}{
		{6, 6.4, ".."},
		{6, 6.6, ".s"}, // a came before b said so
		{6, 6.6, "ss"},
		{6.2, 6.6, ".."},
		{6.2, fault, ".x"}, // a dead twin says nothing
		{6, 99, ".o"},
		{6, 20, ".s"}, // a spike of the twin
		{6, 6.1, ".."},
	} {
		got := outcome(a.chain.Refine([]measure.Reading{a.reading(tc.a)})[0].Quality) +
			outcome(b.chain.Refine([]measure.Reading{b.reading(tc.b)})[0].Quality)
		if got != tc.want {
			t.Errorf("%d: %g and %g: %s; want %s (%s | %s)", i, tc.a, tc.b, got, tc.want, a.chain.Doubt(), b.chain.Doubt())
		}
		a.pass(t)
	}
	b.chain.Refine([]measure.Reading{b.reading(8)})
	a.every = 11 * time.Minute
	a.pass(t)
	if r := a.chain.Refine([]measure.Reading{a.reading(6)})[0]; r.Quality != measure.Good {
		t.Errorf("a twin of 11 minutes ago: %v", r.Quality)
	}
}

func TestFilters(t *testing.T) {
	for name, tc := range map[string]struct {
		s      chain.Settings
		values []float64
		want   []float64
	}{
		"median":               {chain.Settings{Median: 3}, []float64{6, 9, 6.2, 6.4, 1, 6.3}, []float64{6, 6, 6.2, 6.4, 6.2, 6.3}},
		"mean":                 {chain.Settings{Mean: 2}, []float64{6, 8, 10, 10}, []float64{6, 7, 9, 10}},
		"median and then mean": {chain.Settings{Median: 3, Mean: 2}, []float64{6, 20, 7, 8}, []float64{6, 6, 6.5, 7.5}},
		"no bridge":            {chain.Settings{Mean: 3}, []float64{6, 6, fault, 9, 9}, []float64{6, 6, fault, 9, 9}},
		"out of range":         {chain.Settings{Mean: 3}, []float64{6, 6, 99, 9, 8}, []float64{6, 6, 99, 9, 8.5}},
	} {
		p := alone(tc.s)
		var got []float64
		for _, v := range tc.values {
			r := p.chain.Refine([]measure.Reading{p.reading(v)})[0]
			if err := r.Validate(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			want := r.Quality < measure.OutOfRange
			if r.Filtered != want || want && r.Raw != v {
				t.Errorf("%s: %g: filtered %v, raw %g", name, v, r.Filtered, r.Raw)
			}
			if r.Quality == measure.Fault {
				r.Value = fault
			}
			got = append(got, r.Value)
			p.pass(t)
		}
		if !slices.EqualFunc(got, tc.want, func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%s: %v; want %v", name, got, tc.want)
		}
	}
}

// A spike is in doubt when it comes; the median is free of it, the average carries it until it is gone.
func TestFilters_CarryDoubt(t *testing.T) {
	for name, tc := range map[string]struct {
		s    chain.Settings
		want string
	}{
		"median": {chain.Settings{Rate: 2, Median: 3}, "..s..."},
		"mean":   {chain.Settings{Rate: 2, Mean: 3}, "..sss."},
	} {
		p := alone(tc.s)
		got := ""
		for _, v := range []float64{6, 6, 20, 6, 6, 6} {
			got += outcome(p.chain.Refine([]measure.Reading{p.reading(v)})[0].Quality)
			p.pass(t)
		}
		if got != tc.want {
			t.Errorf("%s: %s; want %s", name, got, tc.want)
		}
	}
}

func TestReport_HoldsBackWhatIsNotNew(t *testing.T) {
	p := alone(chain.Settings{Rate: 2, Report: chain.Report{Change: 0.1, AtLeast: 5 * time.Minute}})
	var at []int
	values := []float64{
		6, 6.05, 6.09, 6.11, 6.1, 6.02, 6.0, // 0 and 3; 6 is 0.11 below 6.11
		6, fault, fault, 6, // faults, and the first value after them
		6, 6, 6, 6, 6, 6, // 15: five minutes
		20, 6, // in doubt, and good again
	}
	for i, v := range values {
		if got := p.chain.Report(p.chain.Refine([]measure.Reading{p.reading(v)})); len(got) > 0 {
			at = append(at, i)
		}
		p.pass(t)
	}
	if diff := cmp.Diff([]int{0, 3, 6, 8, 9, 10, 15, 17, 18}, at); diff != "" {
		t.Error(diff)
	}
}

func TestDoubt_SaysWhy(t *testing.T) {
	clock := sensetest.NewClock(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	board := sense.NewBoard(clock)
	p := newProbe(board, clock, "ao1-do", chain.Settings{Rate: 2})
	p.chain.Refine([]measure.Reading{p.reading(6)})
	p.chain.Refine([]measure.Reading{p.reading(16)})
	const want = "changed by more than 2 mg/L in a minute"
	if k := board.Latest()[0]; k.Quality != measure.Suspect || k.Doubt.Why != want || !strings.HasSuffix(p.chain.Doubt(), want) {
		t.Errorf("%+v, %q", k, p.chain.Doubt())
	}
	p.chain.Refine([]measure.Reading{p.reading(6)})
	if k := board.Latest()[0]; k.Doubt.Why != "" || p.chain.Doubt() != "" {
		t.Errorf("%+v, %q", k, p.chain.Doubt())
	}
}

// Whatever comes and however it is set: what leaves is valid, a fault stays what it was, the raw value is the probe's, no value
// is better than it came, a filtered one lies among those since the last gap, and nothing but a value is ever held back.
func TestProperty_Chain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := chain.Settings{
			Rate:   rapid.SampledFrom([]float64{0, 0.5, 5}).Draw(t, "rate"),
			Flat:   chain.Flat{LessThan: 0.2, Over: rapid.SampledFrom([]time.Duration{0, time.Hour}).Draw(t, "over")},
			Median: rapid.SampledFrom([]int{0, 3, 7}).Draw(t, "median"),
			Mean:   rapid.SampledFrom([]int{0, 2, 5}).Draw(t, "mean"),
			Report: chain.Report{Change: 0.5, AtLeast: rapid.SampledFrom([]time.Duration{0, 10 * time.Minute}).Draw(t, "at least")},
		}
		p := alone(s)
		var since []float64
		var silent time.Duration
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			p.every = time.Duration(rapid.IntRange(1, 600).Draw(t, "seconds")) * time.Second
			p.pass(t)
			v := rapid.OneOf(rapid.Just(fault), rapid.Float64Range(-5, 50), rapid.Float64Range(5, 7), rapid.Just(6.0)).Draw(t, "v")
			in := p.reading(v)
			out := p.chain.Refine([]measure.Reading{in})[0]
			if err := out.Validate(); err != nil {
				t.Fatal(err)
			}
			if out.Quality < in.Quality {
				t.Fatalf("%v became %v", in.Quality, out.Quality)
			}
			if in.Quality >= measure.OutOfRange {
				since = nil
				if diff := cmp.Diff(in, out); diff != "" {
					t.Fatal(diff)
				}
			} else {
				since = append(since, v)
				if out.Value < slices.Min(since)-1e-9 || out.Value > slices.Max(since)+1e-9 {
					t.Fatalf("%v of %v", out.Value, since)
				}
				if out.Filtered != (s.Median+s.Mean > 0) || out.Filtered && out.Raw != v || !out.Filtered && out.Value != v {
					t.Fatalf("%+v of %v", out, v)
				}
			}
			silent += p.every
			if len(p.chain.Report([]measure.Reading{out})) == 1 {
				silent = 0
			} else if in.Quality == measure.Fault || silent >= s.Report.AtLeast {
				t.Fatalf("%+v was held back after %v", out, silent)
			}
		}
	})
}

// What the chain costs a reading.
func BenchmarkRefine(b *testing.B) {
	p := alone(chain.Settings{
		Rate: 2, Flat: chain.Flat{LessThan: 0.2, Over: 12 * time.Hour}, Median: 5, Mean: 4,
		Report: chain.Report{Change: 0.1, AtLeast: 15 * time.Minute}, Twin: chain.Twin{Sensor: "ao1-do-b", Apart: 0.5},
	})
	readings := make([]measure.Reading, 1)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		readings[0] = p.reading(6 + float64(i%5)/10)
		p.chain.Report(p.chain.Refine(readings))
	}
}
