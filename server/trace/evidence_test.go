package trace_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/history/historytest"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// points is a history of made-up points.
type points []history.Point

func (p points) Rollups(_ context.Context, _ history.Series, _ history.Span, from, to time.Time) ([]history.Rollup, error) {
	return historytest.Unrolled(from, to), nil
}

func (p points) Each(_ context.Context, s history.Series, from, to time.Time, f func(history.Point) error) error {
	for _, x := range p {
		if x.Series == s && !x.Time.Before(from) && x.Time.Before(to) {
			if err := f(x); err != nil {
				return err
			}
		}
	}
	return nil
}

func demo(t *testing.T) (*farm.Farm, trace.Demo) {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	d, ok := trace.NewDemo(f, time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC))
	if !ok {
		t.Fatal("the demo farm has no pond ao1")
	}
	return f, d
}

func oxygen(at time.Time, v float64, q measure.Quality) history.Point {
	s := history.Series{Place: "F7NE3CDQ7", Quantity: measure.DissolvedOxygen, Gateway: "gw-ao-phukhe", Sensor: "ao1-do"}
	return history.Point{Series: s, Time: at, Value: v, Quality: q}
}

func TestDemo_HarvestedTheDayBefore(t *testing.T) {
	_, d := demo(t)
	if d.Lot.Code != "AO1-261123" || d.Lot.Link().Path() != "/01/09521234010036/10/AO1-261123" {
		t.Errorf("lot %s at %s", d.Lot.Code, d.Lot.Link().Path())
	}
	if !d.Lot.Demo || !d.Certificate.Demo {
		t.Error("the demo does not say that it is one")
	}
}

// Ten hours of a lot: no probe for two, then values, a fault of an hour, values, silence of an hour, values to the end.
func TestWeigh_CountsTimeAndGaps(t *testing.T) {
	f, d := demo(t)
	from := d.Lot.Stocked
	d.Lot.Harvested = from.Add(10 * time.Hour)
	var h points
	minute := func(m int) time.Time { return from.Add(time.Duration(m) * time.Minute) }
	for m := 120; m < 600; m++ {
		switch {
		case m >= 240 && m < 300:
			h = append(h, oxygen(minute(m), 0, measure.Fault))
		case m >= 420 && m < 480:
		case m == 500:
			h = append(h, oxygen(minute(m), 99, measure.OutOfRange))
		case m < 180:
			h = append(h, oxygen(minute(m), 3, measure.Uncalibrated))
		default:
			h = append(h, oxygen(minute(m), 6, measure.Good))
		}
	}
	rows, err := trace.Weigh(t.Context(), f, h, d.Lot, from.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows, want one for each quantity of the pond's probes", len(rows))
	}
	got := rows[slices.IndexFunc(rows, func(e trace.Evidence) bool { return e.Quantity == measure.DissolvedOxygen })]
	got.Mean = math.Round(got.Mean*1e4) / 1e4
	// 360 minutes with readings, less the one outlier; the last value before the silence speaks for 5 minutes instead of 1.
	covered := 363 * time.Minute
	want := trace.Evidence{
		Place: "F7NE3CDQ7", Quantity: measure.DissolvedOxygen, From: from, To: minute(600),
		N: 359, Faults: 60, Uncal: 60, Outlying: 1, Min: 3, Max: 6, Mean: math.Round((60*3+303*6)/363.0*1e4) / 1e4,
		Covered: covered, Within: covered - time.Hour, First: minute(120), Last: minute(599),
		Gaps: []trace.Gap{
			{From: from, To: minute(120), Reason: trace.NoProbe},
			{From: minute(240), To: minute(300), Reason: trace.Faulty},
			{From: minute(424), To: minute(480), Reason: trace.Silent},
		},
		Limits: got.Limits,
		Course: trace.Course{From: time.Date(from.In(farm.Time()).Year(), from.In(farm.Time()).Month(), from.In(farm.Time()).Day(), 0, 0, 0, 0, farm.Time()), Days: 1, Steps: []trace.Step{{Min: 3, Max: 6, Mean: got.Course.Steps[0].Mean}}},
	}
	if m := got.Course.Steps[0].Mean; math.Abs(m-(60*3+299*6)/359.0) > 1e-9 {
		t.Errorf("mean of the step %g", m)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got.Limits) != 1 || got.Limits[0].Value != 4 {
		t.Errorf("limits %+v", got.Limits)
	}
	none := rows[0]
	if none.N != 0 || none.Min != 0 || none.Share() != 0 || len(none.Gaps) != 1 || none.Gaps[0].Reason != trace.NoProbe {
		t.Errorf("a quantity without readings: %+v", none)
	}
}

func TestWeigh_OfTwoProbesEachCountsWhileItHung(t *testing.T) {
	f, d := demo(t)
	from := d.Lot.Stocked
	d.Lot.Harvested = from.Add(2 * time.Hour)
	swap := from.Add(time.Hour)
	for i, m := range f.Mounts {
		if m.Sensor == "ao1-do" {
			f.Mounts[i].To = swap
			m.Sensor, m.From = "ao1-do2", swap
			f.Mounts = append(f.Mounts, m)
			break
		}
	}
	var h points
	for m := range 120 {
		at := from.Add(time.Duration(m) * time.Minute)
		a, b := oxygen(at, 5, measure.Good), oxygen(at, 7, measure.Good)
		b.Sensor = "ao1-do2"
		h = append(h, a, b)
	}
	rows, err := trace.Weigh(t.Context(), f, h, d.Lot, d.Lot.Harvested)
	if err != nil {
		t.Fatal(err)
	}
	if e := rows[1]; e.N != 120 || e.Mean != 6 || e.Share() != 1 {
		t.Errorf("%+v", e)
	}
}

func TestWeigh_ListsTheLongestGaps(t *testing.T) {
	f, d := demo(t)
	var h points
	at := d.Lot.Stocked
	for i := range 60 {
		h = append(h, oxygen(at, 5, measure.Good))
		at = at.Add(time.Hour + time.Duration(i)*time.Minute)
	}
	d.Lot.Harvested = at
	rows, err := trace.Weigh(t.Context(), f, h, d.Lot, at)
	if err != nil {
		t.Fatal(err)
	}
	e := rows[1]
	if len(e.Gaps) != 24 || e.MoreGaps != 36 || !slices.IsSortedFunc(e.Gaps, func(a, b trace.Gap) int { return a.From.Compare(b.From) }) {
		t.Errorf("%d gaps, %d more", len(e.Gaps), e.MoreGaps)
	}
	if e.Covered != 60*5*time.Minute {
		t.Errorf("covered %v", e.Covered)
	}
}

func TestCertificate_CoversProductPlaceAndDay(t *testing.T) {
	_, d := demo(t)
	if got := trace.CertificatesOf(d.Lot, []trace.Certificate{d.Certificate}); len(got) != 1 || !got[0].Demo {
		t.Fatalf("%+v", got)
	}
	for name, change := range map[string]func(*trace.Certificate, *trace.Lot){
		"other product":           func(c *trace.Certificate, _ *trace.Lot) { c.GTIN = "09506000134352" },
		"other place":             func(c *trace.Certificate, _ *trace.Lot) { c.Place = "CSSHRYF9K" },
		"over before the harvest": func(c *trace.Certificate, l *trace.Lot) { c.To = l.Harvested },
		"began after it":          func(c *trace.Certificate, l *trace.Lot) { c.From = l.Harvested.Add(1) },
		"one pond of two":         func(_ *trace.Certificate, l *trace.Lot) { l.Places = []string{"F7NE3CDQ7", "CSSHRYF9K"} },
		"not harvested":           func(_ *trace.Certificate, l *trace.Lot) { l.Harvested = time.Time{} },
	} {
		c, l := d.Certificate, d.Lot
		change(&c, &l)
		if got := trace.CertificatesOf(l, []trace.Certificate{c}); len(got) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// shelf is a store that remembers when evidence was saved.
type shelf struct {
	mu    sync.Mutex
	farm  *farm.Farm
	lot   trace.Lot
	saved []time.Time
	seals []trace.Seal
	drawn int64
	end   int64 // of the log
	fail  bool
}

func (s *shelf) Farm(context.Context) (*farm.Farm, error)  { return s.farm, nil }
func (s *shelf) Lots(context.Context) ([]trace.Lot, error) { return []trace.Lot{s.lot}, nil }
func (s *shelf) Drawn(context.Context) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drawn, nil
}

func (s *shelf) draw(batches int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn += batches
}

func (s *shelf) SaveEvidence(_ context.Context, _ trace.Link, _ []trace.Evidence, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail {
		return errors.New("disk full")
	}
	s.saved = append(s.saved, at)
	return nil
}

func (s *shelf) Heads(context.Context) (int64, []ledger.ChainHead, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end, []ledger.ChainHead{{Gateway: "gw-ao-phukhe", Epoch: "e", Seq: uint64(s.end)}, {Gateway: "gw-khac", Epoch: "f", Seq: 1}}, nil
}

func (s *shelf) LastSeal(context.Context, trace.Link) (*trace.Seal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seals) == 0 {
		return nil, nil
	}
	return &s.seals[len(s.seals)-1], nil
}

func (s *shelf) SaveSeal(_ context.Context, seal trace.Seal, _ ledger.By) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seals = append(s.seals, seal)
	return nil
}

func (s *shelf) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.saved)
}

// growing adds one reading at each of the first n askings.
type growing struct {
	mu    sync.Mutex
	from  time.Time
	asked int
	n     int
}

func (g *growing) Rollups(_ context.Context, _ history.Series, _ history.Span, from, to time.Time) ([]history.Rollup, error) {
	return historytest.Unrolled(from, to), nil
}

func (g *growing) Each(_ context.Context, s history.Series, _, _ time.Time, f func(history.Point) error) error {
	if s.Quantity != measure.DissolvedOxygen {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	for i := range min(g.asked, g.n) {
		if err := f(history.Point{Series: s, Time: g.from.Add(time.Duration(i) * time.Minute), Value: 6}); err != nil {
			return err
		}
	}
	return nil
}

// late lets one more reading arrive, and says how often it was asked.
func (g *growing) late(n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n += n
	return g.asked
}

func TestWorker_FollowsArrivingDataThenRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := demo(t)
		s := &shelf{farm: f, lot: d.Lot}
		g := &growing{from: d.Lot.Stocked, n: 20}
		epoch := time.Now()
		now := func() time.Time { return d.Lot.Harvested.Add(time.Since(epoch)) }
		w := trace.NewWorker(s, s, g, now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		time.Sleep(20*15*time.Second - time.Second) // of the bubble's clock
		synctest.Wait()
		if n := s.times(); n != 20 {
			t.Errorf("saved %d times while data arrived, want 20", n)
		}
		asked := g.late(0)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n, more := s.times(), g.late(1)-asked; n != 20 || more > 160 {
			t.Errorf("at rest: saved %d times, asked %d times in a day", n, more)
		}
		time.Sleep(11 * time.Minute) // a gateway came back with an old reading
		synctest.Wait()
		if s.times() != 21 {
			t.Error("late readings were not seen within 11 minutes")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWorker_WeighsAtOnceWhenABacklogIsDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, d := demo(t)
		s := &shelf{farm: f, lot: d.Lot}
		g := &growing{from: d.Lot.Stocked}
		epoch := time.Now()
		now := func() time.Time { return d.Lot.Harvested.Add(time.Since(epoch)) }
		w := trace.NewWorker(s, s, g, now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- w.Run(ctx) }()
		// Long at rest: the next weighing of its own accord is minutes away. The second more keeps what comes in between
		// the worker's glances: two timers of one instant fire in any order.
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		saved := s.times()
		for range 5 {
			s.draw(500)
			g.late(7)
			time.Sleep(2 * time.Second)
		}
		synctest.Wait()
		if s.times() != saved {
			t.Error("weighed while the backlog was still coming in")
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if n := s.times(); n != saved+1 {
			t.Errorf("saved %d times after the backlog, want 1", n-saved)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWorker_TriesAgainAfterAFailure(t *testing.T) {
	f, d := demo(t)
	s := &shelf{farm: f, lot: d.Lot, fail: true}
	now := d.Lot.Harvested.Add(time.Hour)
	w := trace.NewWorker(s, s, points{}, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err := w.Step(t.Context()); err == nil {
		t.Fatal("a failed save went unnoticed")
	}
	s.fail = false
	if err := w.Step(t.Context()); err != nil || len(s.saved) != 1 {
		t.Errorf("second try: %v, saved %d times", err, len(s.saved))
	}
}

// Evidence is kept in the database as JSON (server/sqldb, table evidence): what was written before must stay readable.
func TestEvidence_KeepsItsFormOnDisk(t *testing.T) {
	const kept = `{"Place":"F7NE3CDQ7","Quantity":"ph","From":"2026-07-12T00:00:00Z","To":"2026-11-22T22:00:00Z","N":7,"Faults":1,"Doubtful":2,` +
		`"Uncal":3,"Min":6.5,"Mean":7.25,"Max":8,"Outlying":4,"Covered":3600000000000,"Within":60000000000,"Limits":[{"Profile":"freshwater",` +
		`"Quantity":"ph","Level":"warn","Above":true,"Value":9,"Source":{"VI":"nguồn","EN":"source"}}],"First":"2026-10-25T00:00:00Z",` +
		`"Last":"2026-11-22T21:59:00Z","Gaps":[{"From":"2026-07-12T00:00:00Z","To":"2026-10-25T00:00:00Z","Reason":"no-probe"}],"MoreGaps":5}`
	var e trace.Evidence
	d := json.NewDecoder(strings.NewReader(kept))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(e); err != nil || string(again) != kept {
		t.Errorf("%v\n%s\n%s", err, again, kept)
	}
}

// A pond with every probe the demo has, and two that buyers do not ask about: the label tells of the water alone.
func TestWeigh_TellsOfTheFoodAndNotOfTheMachine(t *testing.T) {
	f, d := demo(t)
	for i, m := range f.Mounts {
		if m.Place == "E8SG6VC0T" { // the pond with the aerator
			f.Mounts[i].Place = "F7NE3CDQ7"
		}
	}
	f.Mounts = append(f.Mounts, farm.Mount{Gateway: "gw-ao-phukhe", Sensor: "gw-health", Place: "F7NE3CDQ7", Measures: []measure.Quantity{
		measure.CPUTemperature, measure.UnderVoltage, measure.DiskFree, measure.MemoryResident, measure.SpoolDepth, measure.ClockOffset, measure.LinkUp,
	}}, farm.Mount{Gateway: "gw-ao-phukhe", Sensor: "ao1-nh3", Place: "F7NE3CDQ7", Measures: []measure.Quantity{measure.UnionisedAmmonia}})
	rows, err := trace.Weigh(t.Context(), f, points(nil), d.Lot, d.Lot.Harvested)
	if err != nil {
		t.Fatal(err)
	}
	var got []measure.Quantity
	for _, e := range rows {
		got = append(got, e.Quantity)
	}
	want := []measure.Quantity{measure.WaterTemperature, measure.DissolvedOxygen, measure.PH, measure.UnionisedAmmonia}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWorker_SealsAHarvestedLotAtRestWithTheBatchesItIsMadeOf(t *testing.T) {
	f, d := demo(t)
	s := &shelf{farm: f, lot: d.Lot, end: 40, drawn: 30}
	g := &growing{from: d.Lot.Stocked, n: 1}
	now := d.Lot.Harvested.Add(time.Hour)
	w := trace.NewWorker(s, s, g, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	step := func() {
		t.Helper()
		now = now.Add(time.Hour)
		if err := w.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step()
	step()
	if len(s.seals) != 0 {
		t.Fatal("sealed before the history was drawn up to the log's end")
	}
	s.drawn, s.end = 41, 45
	step()
	if len(s.seals) != 1 || len(s.seals[0].Chains) != 1 || s.seals[0].Chains[0].Seq != 40 || s.seals[0].Lot != d.Lot.Link().Path() {
		t.Fatalf("seals %+v", s.seals)
	}
	s.drawn = 50
	step()
	step()
	again := trace.NewWorker(s, s, g, func() time.Time { return now }, slog.New(slog.DiscardHandler)) // a restart
	w = again
	step()
	step()
	step()
	if len(s.seals) != 1 {
		t.Fatalf("%d seals of one evidence", len(s.seals))
	}
	g.late(1) // what was late changes the evidence, and is sealed anew
	s.end = 60
	step()
	step()
	s.drawn = 60
	step()
	step()
	if len(s.seals) != 2 || s.seals[1].Chains[0].Seq != 60 {
		t.Fatalf("after late readings: %d seals, %+v", len(s.seals), s.seals[len(s.seals)-1].Chains)
	}
	s.lot.State, s.lot.Harvested = trace.Growing, time.Time{}
	g.late(1)
	step()
	step()
	step()
	if len(s.seals) != 2 {
		t.Error("a growing lot was sealed")
	}
}
