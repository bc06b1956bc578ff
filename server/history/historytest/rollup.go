package historytest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Unrolled is the answer of a reader that keeps no rollups: one that is stale, of all the time asked for.
func Unrolled(from, to time.Time) []history.Rollup {
	if !from.Before(to) {
		return nil
	}
	return []history.Rollup{{Summary: history.Summary{From: from, To: to}, Stale: true}}
}

// warm judges everything by one version of one profile.
func warm(version int64, low, high float64) history.Judgement {
	return history.Judgement{Profile: "cá rô", Version: version, Limits: history.Limits{Low: low, High: high}}
}

func always(j history.Judgement) history.Judge {
	return func(history.Series) history.Judgement { return j }
}

// rollUp makes all rollups that are stale, a few at a time.
func rollUp(ctx context.Context, s history.Store, j history.Judge) error {
	for range 10_000 {
		marks, err := s.Stale(ctx, t0().AddDate(1, 0, 0), 1000)
		if err != nil || len(marks) == 0 {
			return err
		}
		if err := s.Renew(ctx, marks, j); err != nil {
			return err
		}
	}
	return errors.New("there is always something stale")
}

func rolledUp(t *testing.T, s history.Store, j history.Judge) {
	t.Helper()
	if err := rollUp(t.Context(), s, j); err != nil {
		t.Fatal(err)
	}
}

// rollups returns those of t0's first days.
func rollups(t *testing.T, s history.Store, k history.Series, span history.Span) []history.Rollup {
	t.Helper()
	got, err := s.Rollups(t.Context(), k, span, t0().AddDate(0, 0, -3), t0().AddDate(0, 0, 60))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// hoursAndDays: golden figures, of an hour with everything in it, the hour it reaches into, and their day.
func hoursAndDays(t *testing.T, e Engine) {
	s := e.open(t)
	at := func(m int) time.Time { return t0().Add(time.Duration(m) * time.Minute).UTC() }
	write(t, s, point(pond(), 0, 4), of(point(pond(), 2*time.Minute, 6), measure.Suspect), fault(pond(), 10*time.Minute),
		of(point(pond(), 20*time.Minute, 99), measure.OutOfRange), of(point(pond(), 58*time.Minute, 5), measure.Uncalibrated))
	stale := rollups(t, s, pond(), history.Hour)
	if len(stale) != 2 || !stale[0].Stale || !stale[1].Stale {
		t.Fatalf("before they are made: %+v", stale)
	}
	rolledUp(t, s, always(warm(3, 5, 8)))
	first := history.Rollup{
		Summary: history.Summary{
			From: at(0), To: at(60), N: 3, Min: 4, Mean: 5, Max: 6, TimeMean: (4*120 + 6*300 + 5*120) / 540.0, OutOfRange: 1, Faults: 1,
			Covered: 9 * time.Minute, Within: 7 * time.Minute, First: at(0), Last: at(58), ByQuality: [6]int{1, 1, 0, 1, 1, 1},
			Gaps: []history.Gap{{From: at(7), To: at(58), Faults: 1, OutOfRange: 1}},
		},
		Total: 15, Integral: 4*120 + 6*300 + 5*120, Leaving: history.Standing{Value: 5, Is: true}, Began: at(0), Judged: warm(3, 5, 8),
	}
	second := history.Rollup{
		Summary:  history.Summary{From: at(60), To: at(120), TimeMean: 5, Covered: 3 * time.Minute, Within: 3 * time.Minute, Gaps: []history.Gap{{From: at(63), To: at(120)}}},
		Integral: 5 * 180, Entering: history.Standing{Value: 5, Is: true}, Judged: warm(3, 5, 8),
	}
	same(t, "hours", []history.Rollup{first, second}, rollups(t, s, pond(), history.Hour))
	day := first
	day.To, day.TimeMean, day.Covered, day.Within, day.Integral = at(1440), (4*120+6*300+5*300)/720.0, 12*time.Minute, 10*time.Minute, first.Integral+900
	day.Leaving = history.Standing{}
	day.Gaps = []history.Gap{first.Gaps[0], {From: at(63), To: at(1440)}}
	same(t, "day", []history.Rollup{day}, rollups(t, s, pond(), history.Day))

	// What comes late makes hour and day stale, and then right.
	write(t, s, point(pond(), 30*time.Minute, 7))
	if d := rollups(t, s, pond(), history.Day); len(d) != 1 || !d[0].Stale {
		t.Errorf("the day of a late point: %+v", d)
	}
	rolledUp(t, s, always(warm(3, 5, 8)))
	got := rollups(t, s, pond(), history.Hour)[0]
	if got.N != 4 || got.Max != 7 || got.Covered != 14*time.Minute || len(got.Gaps) != 2 || got.Stale {
		t.Errorf("the hour of a late point: %+v", got)
	}
	if d := rollups(t, s, pond(), history.Day)[0]; d.N != 4 || d.Covered != 17*time.Minute || d.Stale {
		t.Errorf("its day: %+v", d)
	}
}

// judgedAgain: limits that change change the seconds within, and the rollup says by which.
func judgedAgain(t *testing.T, e Engine) {
	s := e.open(t)
	write(t, s, minutes(pond(), 600)...) // 0 to 99, again and again
	rolledUp(t, s, always(warm(1, 0, 9)))
	if r := rollups(t, s, pond(), history.Hour)[0]; r.Within != 10*time.Minute || r.Judged != warm(1, 0, 9) {
		t.Errorf("%s within %+v", r.Within, r.Judged)
	}
	if n, err := s.Rejudge(t.Context(), pond(), warm(1, 0, 9)); err != nil || n != 0 {
		t.Errorf("the same limits made %d stale: %v", n, err)
	}
	if n, err := s.Rejudge(t.Context(), pond(), warm(2, 0, 19)); err != nil || n != 12 { // 10 hours, that after, the day
		t.Errorf("other limits made %d stale: %v", n, err)
	}
	r := rollups(t, s, pond(), history.Hour)[0]
	if r.Stale || r.Judged != warm(1, 0, 9) {
		t.Errorf("until it is judged again a rollup stays as it is: %+v", r)
	}
	summary := func(l history.Limits) time.Duration {
		got, err := history.Summarise(t.Context(), s, pond(), history.Terms{From: t0(), To: t0().Add(10 * time.Hour), Hold: history.RollupHold, Limits: &l})
		if err != nil || got.Unjudged != 0 {
			t.Fatal(got, err)
		}
		return got.Within
	}
	want := summary(history.Limits{Low: 0, High: 19})
	if want != 120*time.Minute {
		t.Errorf("%s within by points", want)
	}
	rolledUp(t, s, always(warm(2, 0, 19)))
	if r := rollups(t, s, pond(), history.Hour)[0]; r.Within != 20*time.Minute || r.Judged != warm(2, 0, 19) {
		t.Errorf("%s within %+v", r.Within, r.Judged)
	}
	if got := summary(history.Limits{Low: 0, High: 19}); got != want {
		t.Errorf("%s within by rollups", got)
	}
	if n, err := s.Rejudge(t.Context(), pond(), history.Judgement{}); err != nil || n != 12 {
		t.Errorf("no limits made %d stale: %v", n, err)
	}
	rolledUp(t, s, always(history.Judgement{}))
	if r := rollups(t, s, pond(), history.Hour)[0]; r.Within != 0 || r.Judged != (history.Judgement{}) {
		t.Errorf("%s within %+v", r.Within, r.Judged)
	}
}

// letGo: points that are let go leave their hours and days, which say so.
func letGo(t *testing.T, e Engine) {
	s := e.open(t)
	write(t, s, minutes(pond(), 3*1440)...)
	write(t, s, minutes(sensor(1), 1440)...)
	cut := t0().Add(25 * time.Hour)
	n, err := s.LetGo(t.Context(), pond(), t0(), cut)
	if errors.Is(err, history.ErrConfiguration) { // InfluxDB 3 Core deletes nothing: it says so, and keeps all
		if b, err := s.Range(t.Context(), history.Query{Series: pond(), From: t0(), To: t0().Add(72 * time.Hour)}); err != nil || len(b) != 3*1440 {
			t.Errorf("%d points are left: %v", len(b), err)
		}
		return
	}
	if err != nil || n != 0 {
		t.Fatalf("%d points were let go before they were rolled up: %v", n, err)
	}
	rolledUp(t, s, always(warm(1, 0, 9)))
	terms := history.Terms{From: t0().UTC(), To: t0().Add(72 * time.Hour).UTC(), Hold: history.RollupHold, Limits: &history.Limits{Low: 0, High: 9}}
	before, err := history.Summarise(t.Context(), s, pond(), terms)
	if err != nil {
		t.Fatal(err)
	}
	q := history.Query{Series: pond(), From: t0(), To: t0().AddDate(0, 0, 3), Every: 6 * time.Hour, Zone: hcm()}
	steps := rangeOf(t, s, q)
	if n, err := s.LetGo(t.Context(), pond(), t0(), cut); err != nil || n != 25*60-5 { // the last minutes stand in the hour after
		t.Fatalf("%d points were let go: %v", n, err)
	}
	same(t, "what is left begins", cut.Add(-5*time.Minute).UTC(), all(t, s, pond())[0].Time)
	if n := len(all(t, s, sensor(1))); n != 1440 {
		t.Errorf("another series has %d points left", n)
	}
	after, err := history.Summarise(t.Context(), s, pond(), terms)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "summary", before, after)
	same(t, "steps", steps, rangeOf(t, s, q))
	for i, r := range rollups(t, s, pond(), history.Hour) {
		if gone := i < 25; r.Gone != gone || r.Stale {
			t.Fatalf("hour %d: %+v", i, r)
		}
	}
	// By other limits it cannot be told any more, and is not guessed.
	terms.Limits = &history.Limits{Low: 0, High: 19}
	other, err := history.Summarise(t.Context(), s, pond(), terms)
	if err != nil || other.Unjudged != 15*time.Hour || other.Covered != 72*time.Hour { // 10 of 25 hours have no value up to 19
		t.Errorf("by other limits %s within, %s unjudged: %v", other.Within, other.Unjudged, err)
	}
	tally, err := history.NewTally(terms)
	if err != nil {
		t.Fatal(err)
	}
	if err := tally.Feed(t.Context(), s, pond(), terms.From, terms.To, nil); !errors.Is(err, history.ErrGone) {
		t.Errorf("exactly by other limits: %v", err)
	}
	// What comes late for an hour that is gone is kept as a point, and spoils no rollup.
	write(t, s, point(pond(), 90*time.Second, 1000))
	rolledUp(t, s, always(warm(2, 0, 19)))
	if r := rollups(t, s, pond(), history.Hour)[0]; r.Max != 59 || !r.Gone || r.Stale || r.Judged != warm(1, 0, 9) {
		t.Errorf("a late point in an hour that is gone: %+v", r)
	}
	if n, err := s.Rejudge(t.Context(), pond(), warm(2, 0, 19)); err != nil || n == 0 {
		t.Errorf("%d judged again: %v", n, err)
	}
	rolledUp(t, s, always(warm(2, 0, 19)))
	if r := rollups(t, s, pond(), history.Hour); r[0].Judged != warm(1, 0, 9) || r[30].Judged != warm(2, 0, 19) {
		t.Errorf("judged by %+v and %+v", r[0].Judged, r[30].Judged)
	}
	if n, err := s.LetGo(t.Context(), pond(), t0(), cut); err != nil || n == 0 {
		t.Errorf("what came late stays: %d let go, %v", n, err)
	}
}

// seriesOfRollups lists them, each once.
func seriesOfRollups(t *testing.T, e Engine) {
	s := e.open(t)
	soil := pond()
	soil.Quantity, soil.Place = measure.SoilMoisture, "unplaced"
	write(t, s, point(pond(), 0, 1), point(soil, 0, 1), point(sensor(1), 0, 1), point(pond(), 100*time.Hour, 1))
	got, err := s.Series(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[history.Series]int{}
	for _, k := range got {
		found[k]++
	}
	same(t, "series", map[history.Series]int{pond(): 1, soil: 1, sensor(1): 1}, found)
}

// rollupsWhileWriting: whatever is written while rollups are made is in them at the end.
func rollupsWhileWriting(t *testing.T, e Engine) {
	s := e.open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	wrote := make(chan error, 1)
	go func() {
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 150 {
			var points []history.Point
			for range 5 {
				points = append(points, point(sensor(r.IntN(3)), time.Duration(r.IntN(6*60))*time.Minute, float64(i)))
			}
			if err := s.Write(ctx, points); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	for done := false; !done; {
		select {
		case err := <-wrote:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		if err := rollUp(ctx, s, always(warm(1, 0, 50))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		points := all(t, s, sensor(i))
		n := 0
		for _, r := range rollups(t, s, sensor(i), history.Hour) {
			want, err := history.RollHour(between(points, r.From.Add(-history.RollupHold), r.To), r.From, warm(1, 0, 50))
			if err != nil {
				t.Fatal(err)
			}
			same(t, "hour", want, r)
			n += r.N
		}
		if n != len(points) {
			t.Errorf("%d points in rollups, %d there", n, len(points))
		}
	}
}

func between(points []history.Point, from, to time.Time) (out []history.Point) {
	for _, p := range points {
		if !p.Time.Before(from) && p.Time.Before(to) {
			out = append(out, p)
		}
	}
	return out
}

// rollupsAgree: whatever was written in whichever order, rolled up in between or not, replaced, judged again: a summary and a range say what the
// points say.
func rollupsAgree(t *testing.T, e Engine) {
	s := e.open(t)
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		k := sensor(run)
		instant := rapid.Custom(func(r *rapid.T) time.Time {
			minute := rapid.IntRange(0, 70*60)
			if rapid.Bool().Draw(r, "round") {
				return t0().UTC().Add(time.Duration(rapid.IntRange(0, 70).Draw(r, "hour")) * time.Hour)
			}
			if rapid.Bool().Draw(r, "late in the hour") {
				return t0().UTC().Add(time.Duration(rapid.IntRange(1, 70).Draw(r, "hour"))*time.Hour - time.Duration(rapid.IntRange(1, 400_000).Draw(r, "ms"))*time.Millisecond)
			}
			return t0().UTC().Add(time.Duration(minute.Draw(r, "minute")) * time.Minute)
		})
		limits := rapid.Custom(func(r *rapid.T) history.Limits {
			low := float64(rapid.IntRange(-10, 40).Draw(r, "low"))
			if rapid.Bool().Draw(r, "open") {
				return history.Limits{Low: low, High: math.Inf(1)}
			}
			return history.Limits{Low: low, High: low + float64(rapid.IntRange(0, 20).Draw(r, "wide"))}
		})
		for range rapid.IntRange(1, 4).Draw(r, "writes") {
			begin := instant.Draw(r, "begin")
			var points []history.Point
			for i := range rapid.IntRange(1, 120).Draw(r, "points") {
				p := history.Point{Series: k, Time: begin.Add(time.Duration(i) * time.Minute), Value: float64(rapid.IntRange(0, 30).Draw(r, "value"))}
				if rapid.IntRange(0, 9).Draw(r, "bad") == 0 {
					if p.Quality = measure.Quality(rapid.IntRange(1, int(measure.Fault)).Draw(r, "quality")); p.Quality == measure.Fault {
						p.Value = 0
					}
				}
				points = append(points, p)
			}
			if err := s.Write(t.Context(), points); err != nil {
				r.Fatal(err)
			}
			if rapid.Bool().Draw(r, "roll up") {
				j := history.Judgement{Profile: "p", Version: 1, Limits: limits.Draw(r, "judged by")}
				if err := rollUp(t.Context(), s, always(j)); err != nil {
					r.Fatal(err)
				}
			}
		}
		l := limits.Draw(r, "asked by")
		terms := history.Terms{From: instant.Draw(r, "from"), Hold: history.RollupHold, Limits: &l}
		if terms.To = instant.Draw(r, "to"); terms.To.Before(terms.From) {
			terms.From, terms.To = terms.To, terms.From
		}
		tally, err := history.NewTally(terms)
		if err != nil {
			r.Fatal(err)
		}
		if err := s.Each(t.Context(), k, terms.From.Add(-terms.Hold), terms.To, tally.Add); err != nil {
			r.Fatal(err)
		}
		got, err := history.Summarise(t.Context(), s, k, terms)
		if err != nil {
			r.Fatal(err)
		}
		approx(r, fmt.Sprintf("summary %+v", terms), tally.Summary(), got)
	})
}

func approx(r *rapid.T, what string, want, got any) {
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-12, 1e-12)); diff != "" {
		r.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}
