package project_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/history"
	"aovuon/server/history/sqlite"
	"aovuon/server/ingest"
	"aovuon/server/parttest"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(parttest.Sharing(m)) }

const patience = 3 * time.Minute

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// field is a log with a history behind it.
type field struct {
	t       *testing.T
	db      *sqldb.DB
	store   *faulty
	sqlite  *sqlite.Store
	signer  note.Signer
	seq     uint64
	prev    wire.Hash
	mu      sync.Mutex
	mounts  []project.Mount
	changes int
}

// faulty is a history that fails on demand, before or after it has done the work.
type faulty struct {
	history.Store
	mu    sync.Mutex
	fails []fault
}

type fault struct {
	err   error
	after bool // the points are durable all the same
}

func (f *faulty) Write(ctx context.Context, points []history.Point) error {
	f.mu.Lock()
	var now fault
	if len(f.fails) > 0 {
		now, f.fails = f.fails[0], f.fails[1:]
	}
	f.mu.Unlock()
	if now.err != nil && !now.after {
		return now.err
	}
	return errors.Join(f.Store.Write(ctx, points), now.err)
}

func (f *field) MountRevision(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprint(f.changes), nil
}

func (f *field) Mounts(context.Context) ([]project.Mount, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mounts, nil
}

func (f *field) mount(m ...project.Mount) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mounts, f.changes = m, f.changes+1
}

func newField(t *testing.T) *field {
	t.Helper()
	f := &field{t: t, db: sqldbtest.Open(t, sqldbtest.Fresh(t))}
	skey, _, err := note.GenerateKey(rand.Reader, "gw-one")
	if err != nil {
		t.Fatal(err)
	}
	if f.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	f.newHistory("history.db")
	return f
}

func (f *field) newHistory(name string) {
	f.t.Helper()
	s, err := sqlite.Open(f.t.Context(), filepath.Join(f.t.TempDir(), name))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.t.Error(err)
		}
	})
	f.sqlite, f.store = s, &faulty{Store: s}
}

// boot names a boot of the gateway.
func boot(n int) string { return fmt.Sprintf("%08x", n) }

// append puts one batch with one reading into the log. With clock Unsynced at is the uptime after noon.
func (f *field) append(clock measure.ClockState, bootID string, at time.Time, anchor *wire.Anchor) {
	f.t.Helper()
	r := measure.Reading{Sensor: "ao1-ph", Quantity: measure.PH, Value: float64(f.seq%14) + 0.5}
	r.Time = measure.Instant{Clock: clock, Boot: bootID, Wall: at}
	if clock == measure.Unsynced {
		r.Time.Wall, r.Time.Uptime = time.Time{}, at.Sub(noon)
	}
	b := &wire.Batch{
		Gateway: "gw-one", Epoch: "00000000000000e1", Seq: f.seq + 1, Prev: f.prev, Clock: clock, Boot: bootID, Anchor: anchor,
		Readings: []measure.Reading{r},
	}
	sealed, err := wire.Seal(b, f.signer)
	if err != nil {
		f.t.Fatal(err)
	}
	f.seq, f.prev = f.seq+1, wire.HashOf(sealed)
	c := ingest.Chain{Gateway: "gw-one", Epoch: b.Epoch}
	_, err = f.db.Append(f.t.Context(), []ingest.Chain{c}, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) {
		return []ingest.Row{{Chain: c, Seq: b.Seq, Hash: f.prev, Received: noon, Body: f.db.Pack(sealed)}}, nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *field) runner() *project.Runner {
	log := slog.New(slog.DiscardHandler)
	return project.NewRunner(project.RunnerOptions{
		Projection: project.NewHistory(f.store, project.NewPlaces(f, time.Now), project.NewDater(f.db), f.db, log),
		Source:     f.db, Cursors: f.db, Now: time.Now, Log: log,
	})
}

// run follows the log until the cursor is at its end.
func (f *field) run() {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	r := f.runner()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		at, trouble := r.Status()
		if at == int64(f.seq) && trouble == "" {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			f.t.Fatalf("at %d of %d: %s", at, f.seq, trouble)
		}
	}
	cancel()
	if err := <-done; err != nil {
		f.t.Error(err)
	}
	if at, err := f.db.Cursor(f.t.Context(), "history"); err != nil || at != int64(f.seq) {
		f.t.Errorf("cursor at %d, %v; want %d", at, err, f.seq)
	}
}

// times lists the times of a place's points, as minutes after noon.
func (f *field) times(place string) []float64 {
	f.t.Helper()
	out := []float64{}
	s := history.Series{Place: place, Quantity: measure.PH, Gateway: "gw-one", Sensor: "ao1-ph"}
	err := f.sqlite.Each(f.t.Context(), s, noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0), func(p history.Point) error {
		out = append(out, p.Time.Sub(noon).Minutes())
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

func (f *field) want(place string, want ...float64) {
	f.t.Helper()
	if d := cmp.Diff(append([]float64{}, want...), f.times(place)); d != "" {
		f.t.Errorf("%s: %s", place, d)
	}
}

func (f *field) wantUndated(n int64) {
	f.t.Helper()
	if got, err := f.db.Undated(f.t.Context()); err != nil || got != n {
		f.t.Errorf("%d undated, %v; want %d", got, err, n)
	}
}

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func TestHistory_AFailingEngineDelaysAndLosesNothing(t *testing.T) {
	down := &history.UnavailableError{Err: errors.New("down")}
	for name, fails := range map[string][]fault{
		"works":                           nil,
		"down at first":                   {{err: down}, {err: down}},
		"wrote, then the answer was lost": {{err: down, after: true}},
		"misconfigured for a while":       {{err: history.ErrConfiguration}},
		"refuses one point for ever":      {{err: &history.RejectedError{Rejected: []history.Rejected{{Reason: "no"}}}, after: true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newField(t)
			f.mount(project.Mount{Gateway: "gw-one", Sensor: "ao1-ph", Place: "AO1"})
			for i := range 3 {
				f.append(measure.Synced, boot(1), minute(i), nil)
			}
			f.store.fails = fails
			f.run()
			f.append(measure.Synced, boot(1), minute(3), nil)
			f.run()
			f.want("AO1", 0, 1, 2, 3)
		})
	}
}

func TestHistory_PlacesFollowTheRegisterAndReprojectMendsThem(t *testing.T) {
	f := newField(t)
	for i := range 6 {
		f.append(measure.Synced, boot(1), minute(i), nil)
	}
	f.run()
	f.want(project.Unplaced, 0, 1, 2, 3, 4, 5)

	f.mount(
		project.Mount{Gateway: "gw-one", Sensor: "ao1-ph", Place: "AO1", To: minute(2)},
		project.Mount{Gateway: "gw-one", Sensor: "ao1-ph", Place: "AO2", From: minute(2), To: minute(4)},
		project.Mount{Gateway: "gw-two", Sensor: "ao1-ph", Place: "AO3"},
	)
	f.newHistory("again.db")
	if err := f.db.SaveCursor(t.Context(), "history", 0); err != nil {
		t.Fatal(err)
	}
	f.run()
	f.want("AO1", 0, 1)
	f.want("AO2", 2, 3)
	f.want(project.Unplaced, 4, 5)
}

func TestHistory_UnsyncedReadingsAreDatedWhenTheAnchorComes(t *testing.T) {
	f := newField(t)
	f.append(measure.Unsynced, boot(1), minute(1), nil) // one minute after boot
	f.append(measure.Unsynced, boot(1), minute(2), nil)
	f.append(measure.Unsynced, boot(2), minute(1), nil) // of a boot that is never anchored
	f.run()
	f.want(project.Unplaced)
	f.wantUndated(3)

	// A clock restored from a file dates nothing; the network's does: uptime 10 min was 12:30.
	f.append(measure.EstimatedClock, boot(1), minute(90), &wire.Anchor{Uptime: 3 * time.Minute, Wall: minute(3)})
	f.append(measure.Synced, boot(1), minute(31), &wire.Anchor{Uptime: 10 * time.Minute, Wall: minute(30)})
	f.append(measure.Unsynced, boot(1), minute(15), nil)
	f.append(measure.Synced, boot(1), minute(40), &wire.Anchor{Uptime: 10 * time.Minute, Wall: minute(99)}) // the first anchor counts
	f.run()
	f.want(project.Unplaced, 21, 22, 31, 35, 40, 90)
	f.wantUndated(1)

	f.newHistory("again.db") // drawn again, the same times
	if err := f.db.SaveCursor(t.Context(), "history", 0); err != nil {
		t.Fatal(err)
	}
	f.run()
	f.want(project.Unplaced, 21, 22, 31, 35, 40, 90)
	f.wantUndated(1)
}

func TestHistory_AnchorInTheSameChunkAsWhatItDates(t *testing.T) {
	for name, fails := range map[string][]fault{
		"works":         nil,
		"fails halfway": {{err: errors.New("cut in the middle")}, {err: errors.New("and again"), after: true}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newField(t)
			f.append(measure.Unsynced, boot(1), minute(1), nil)
			f.append(measure.Unsynced, boot(2), minute(1), nil)
			f.append(measure.Synced, boot(1), minute(31), &wire.Anchor{Uptime: 10 * time.Minute, Wall: minute(30)})
			f.store.fails = fails
			f.run()
			f.want(project.Unplaced, 21, 31)
			f.wantUndated(1)
		})
	}
}

func TestLive_WarmsFromTheLogAndFollowsIt(t *testing.T) {
	f := newField(t)
	f.mount(project.Mount{Gateway: "gw-one", Sensor: "ao1-ph", Place: "AO1"})
	for i := range 10 {
		f.append(measure.Synced, boot(1), minute(i), nil)
	}
	f.append(measure.Unsynced, boot(2), minute(500), nil) // undatable: no news
	live := watch.NewLive()
	p := project.NewLive(live, project.NewPlaces(f, time.Now), project.NewDater(f.db))
	from, err := p.Warm(t.Context(), f.db)
	if err != nil || from != 11 {
		t.Fatalf("warm: %d, %v", from, err)
	}
	got := live.Snapshot()
	if len(got) != 1 || !got[0].Time.Equal(minute(9)) || got[0].Place != "AO1" {
		t.Fatalf("after warming: %+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	recent := project.NewRecent(f.db)
	r := project.NewRunner(project.RunnerOptions{Projection: p, Source: recent, Start: from, Wake: recent.Wake(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	changes := live.Subscribe(ctx)
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	f.append(measure.Synced, boot(1), minute(20), nil)
	records, err := f.db.After(ctx, 11, 10, 10)
	if err != nil {
		t.Fatal(err)
	}
	recent.Add(records)
	select {
	case v := <-changes:
		if len(v) != 1 || !v[0].Time.Equal(minute(20)) {
			t.Errorf("change %+v", v)
		}
	case <-time.After(patience):
		t.Error("no change")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if c := p.Clock("gw-one"); c != "synced" {
		t.Errorf("clock %q", c)
	}
}

func TestRecent_AnswersLikeTheLog(t *testing.T) {
	f := newField(t)
	for i := range 30 {
		f.append(measure.Synced, boot(1), minute(i), nil)
	}
	all, err := f.db.After(t.Context(), 0, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	recent := project.NewRecent(f.db)
	check := func(what string) {
		t.Helper()
		for _, from := range []int64{0, 5, 9, 10, 11, 19, 20, 29, 30} {
			want, err := f.db.After(t.Context(), from, 7, 5)
			if err != nil {
				t.Fatal(err)
			}
			got, err := recent.After(t.Context(), from, 7, 5)
			if err != nil {
				t.Fatal(err)
			}
			if len(want) > 0 && len(got) == 0 {
				t.Errorf("%s, after %d: nothing", what, from)
			}
			if d := cmp.Diff(want[:min(len(want), len(got))], got); d != "" { // fewer than asked for is its own choice
				t.Errorf("%s, after %d: %s", what, from, d)
			}
		}
	}
	check("empty")
	recent.Add(all[10:15])
	recent.Add(all[15:20])
	check("in sequence")
	recent.Add(all[25:]) // another process appended 20 to 24
	check("after a hole")
}
