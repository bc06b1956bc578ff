package history_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

var (
	nan = math.NaN()
	inf = math.Inf(1)
	t0  = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

func pt(seconds int, v float64) history.Point { return history.Point{Time: at(seconds), Value: v} }

func bad(seconds int, q measure.Quality) history.Point {
	return history.Point{Time: at(seconds), Value: 9999, Quality: q}
}

func tally(t *testing.T, terms history.Terms, points ...history.Point) history.Summary {
	t.Helper()
	tl, err := history.NewTally(terms)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		if err := tl.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	return tl.Summary()
}

func TestTally_SaysWhatWasMeasuredAndWhatWasNot(t *testing.T) {
	minute := history.Terms{From: at(0), To: at(600), Hold: 150 * time.Second, Limits: &history.Limits{Low: 4, High: inf}}
	every := func(from, to int, v float64) (ps []history.Point) {
		for s := from; s < to; s += 60 {
			ps = append(ps, pt(s, v))
		}
		return ps
	}
	for name, tc := range map[string]struct {
		points []history.Point
		want   history.Summary
	}{
		"nothing": {nil, history.Summary{Gaps: []history.Gap{{From: at(0), To: at(600)}}}},
		"full": {every(0, 600, 5), history.Summary{
			N: 10, Min: 5, Mean: 5, Max: 5, TimeMean: 5, Covered: 600 * time.Second, Within: 600 * time.Second,
			First: at(0), Last: at(540),
		}},
		"one reading lost is no gap": {append(every(0, 240, 5), every(300, 600, 3)...), history.Summary{
			N: 9, Min: 3, Mean: 35.0 / 9, Max: 5, TimeMean: 4, Covered: 600 * time.Second, Within: 300 * time.Second,
			First: at(0), Last: at(540),
		}},
		"a silent stretch": {append(every(0, 120, 5), every(480, 600, 5)...), history.Summary{
			N: 4, Min: 5, Mean: 5, Max: 5, TimeMean: 5, Covered: 330 * time.Second, Within: 330 * time.Second,
			First: at(0), Last: at(540), Gaps: []history.Gap{{From: at(210), To: at(480)}},
		}},
		"faults end what the reading before stood for": {
			[]history.Point{pt(0, 5), bad(60, measure.Fault), bad(120, measure.Fault), pt(180, 5)},
			history.Summary{
				N: 2, Min: 5, Mean: 5, Max: 5, TimeMean: 5, Faults: 2, Covered: 210 * time.Second, Within: 210 * time.Second,
				First: at(0), Last: at(180),
				Gaps: []history.Gap{{From: at(60), To: at(180), Faults: 2}, {From: at(330), To: at(600)}},
			},
		},
		"out of range is not covered, and in no figure": {
			[]history.Point{pt(0, 5), bad(60, measure.OutOfRange), pt(120, 6), bad(200, measure.Fault), bad(260, measure.OutOfRange)},
			history.Summary{
				N: 2, Min: 5, Mean: 5.5, Max: 6, TimeMean: (5*60 + 6*80) / 140.0, OutOfRange: 2, Faults: 1,
				Covered: 140 * time.Second, Within: 140 * time.Second, First: at(0), Last: at(120),
				Gaps: []history.Gap{{From: at(60), To: at(120), OutOfRange: 1}, {From: at(200), To: at(600), OutOfRange: 1, Faults: 1}},
			},
		},
		"a reading before the stretch stands for its beginning": {
			[]history.Point{pt(-200, 9), pt(-30, 8), pt(60, 2)},
			history.Summary{
				N: 1, Min: 2, Mean: 2, Max: 2, TimeMean: (8*60 + 2*150) / 210.0, Covered: 210 * time.Second, Within: 60 * time.Second,
				First: at(60), Last: at(60), Gaps: []history.Gap{{From: at(210), To: at(600)}},
			},
		},
		"a fault before the stretch": {
			[]history.Point{pt(-60, 9), bad(-30, measure.Fault), pt(300, 5)},
			history.Summary{
				N: 1, Min: 5, Mean: 5, Max: 5, TimeMean: 5, Covered: 150 * time.Second, Within: 150 * time.Second,
				First: at(300), Last: at(300), Gaps: []history.Gap{{From: at(0), To: at(300)}, {From: at(450), To: at(600)}},
			},
		},
		"the last reading stands to the end and not beyond": {
			append(every(0, 600, 5), pt(600, -100), pt(700, -100)), history.Summary{
				N: 10, Min: 5, Mean: 5, Max: 5, TimeMean: 5, Covered: 600 * time.Second, Within: 600 * time.Second,
				First: at(0), Last: at(540),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.From, tc.want.To = at(0), at(600)
			got := tally(t, minute, tc.points...)
			opts := []cmp.Option{cmpopts.EquateApprox(1e-12, 0), cmpopts.IgnoreFields(history.Summary{}, "ByQuality"), cmpopts.EquateEmpty()}
			if diff := cmp.Diff(tc.want, got, opts...); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTally_CountsQualities(t *testing.T) {
	s := tally(t, history.Terms{From: at(0), To: at(100), Hold: time.Minute},
		bad(-5, measure.Suspect), bad(0, measure.Good), bad(1, measure.Uncalibrated), bad(2, measure.Suspect), bad(3, measure.Suspect), bad(4, measure.Fault))
	if want := [6]int{1, 1, 0, 2, 0, 1}; s.ByQuality != want {
		t.Errorf("ByQuality = %v, want %v", s.ByQuality, want)
	}
	if s.CoveredShare() != 0.04 || s.WithinShare() != 0 {
		t.Errorf("shares %v, %v", s.CoveredShare(), s.WithinShare())
	}
}

func TestTally_RefusesNonsense(t *testing.T) {
	for name, terms := range map[string]history.Terms{
		"no hold":       {From: at(0), To: at(1)},
		"backwards":     {From: at(1), To: at(0), Hold: 1},
		"empty limits":  {To: at(1), Hold: 1, Limits: &history.Limits{Low: 2, High: 1}},
		"limits of NaN": {To: at(1), Hold: 1, Limits: &history.Limits{Low: nan, High: 1}},
	} {
		if _, err := history.NewTally(terms); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for name, p := range map[string]history.Point{
		"same time": pt(1, 1), "back in time": pt(0, 1), "NaN": pt(2, nan), "quality": bad(2, 6),
	} {
		tl, err := history.NewTally(history.Terms{From: at(0), To: at(9), Hold: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if err := tl.Add(pt(1, 1)); err != nil {
			t.Fatal(err)
		}
		if err := tl.Add(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// The tally against the rule of holding read second by second.
func TestTally_AgreesWithTheRuleSecondBySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hold := rapid.IntRange(1, 12).Draw(t, "hold")
		length := rapid.IntRange(0, 60).Draw(t, "length")
		records := map[int]history.Point{}
		for s := -20; s < 70; s++ {
			switch rapid.IntRange(0, 7).Draw(t, "kind") {
			case 0, 1:
				records[s] = pt(s, float64(rapid.IntRange(0, 9).Draw(t, "value")))
			case 2:
				records[s] = bad(s, measure.Fault)
			case 3:
				records[s] = bad(s, measure.OutOfRange)
			}
		}
		limits := history.Limits{Low: 3, High: 6}
		tl, err := history.NewTally(history.Terms{From: at(0), To: at(length), Hold: time.Duration(hold) * time.Second, Limits: &limits})
		if err != nil {
			t.Fatal(err)
		}
		for s := -20; s < 70; s++ {
			if p, ok := records[s]; ok {
				if err := tl.Add(p); err != nil {
					t.Fatal(err)
				}
			}
		}
		got := tl.Summary()
		var covered, within int
		var weighted float64
		var gaps []history.Gap
		for s := range length {
			var stands *history.Point
			for back := range hold {
				if p, ok := records[s-back]; ok {
					if p.Quality < measure.OutOfRange {
						stands = &p
					}
					break
				}
			}
			switch n := len(gaps); {
			case stands != nil:
				covered++
				weighted += stands.Value
				if limits.Holds(stands.Value) {
					within++
				}
				continue
			case n > 0 && gaps[n-1].To.Equal(at(s)):
				gaps[n-1].To = at(s + 1)
			default:
				gaps = append(gaps, history.Gap{From: at(s), To: at(s + 1)})
			}
			if p, ok := records[s]; ok && p.Quality == measure.Fault {
				gaps[len(gaps)-1].Faults++
			} else if ok {
				gaps[len(gaps)-1].OutOfRange++
			}
		}
		if got.Covered != time.Duration(covered)*time.Second || got.Within != time.Duration(within)*time.Second {
			t.Fatalf("covered %s within %s, want %d s and %d s", got.Covered, got.Within, covered, within)
		}
		if covered > 0 && math.Abs(got.TimeMean-weighted/float64(covered)) > 1e-9 {
			t.Fatalf("time mean %v, want %v", got.TimeMean, weighted/float64(covered))
		}
		if diff := cmp.Diff(gaps, got.Gaps, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("gaps (-want +got):\n%s", diff)
		}
	})
}

func TestErrors_AreToldApart(t *testing.T) {
	cause := errors.New("connection refused")
	var err error = &history.UnavailableError{RetryAfter: time.Second, Err: cause}
	if !errors.Is(err, history.ErrUnavailable) || !errors.Is(err, cause) || errors.Is(err, history.ErrConfiguration) {
		t.Errorf("%v is not what it should be", err)
	}
	r := &history.RejectedError{Rejected: []history.Rejected{{Point: pt(1, 2), Reason: "why"}}}
	if errors.Is(r, history.ErrUnavailable) || r.Error() == "" || (&history.RejectedError{}).Error() == "" {
		t.Errorf("%v is not what it should be", r)
	}
}
