package generation_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/history/sqlite"
	"aovuon/server/ingest"
	"aovuon/server/parttest"
	"aovuon/server/project"
	"aovuon/server/project/generation"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// inFiles and inInflux are the two engines, as the server has them.
type inFiles struct{ dir string }

func (e inFiles) path(g project.Generation) string { return filepath.Join(e.dir, fmt.Sprint(g.Number)) }

func (e inFiles) Open(ctx context.Context, g project.Generation) (history.Store, error) {
	return sqlite.Open(ctx, e.path(g))
}
func (inFiles) Ready(context.Context, project.Generation, history.Store) error { return nil }
func (inFiles) Place(context.Context, project.Generation, history.Store) (string, error) {
	return "", nil
}

func (e inFiles) Discard(_ context.Context, g project.Generation) error {
	return errors.Join(os.RemoveAll(e.path(g)), os.RemoveAll(e.path(g)+"-wal"), os.RemoveAll(e.path(g)+"-shm"))
}

type inInflux struct{ o influx.Options }

func (e inInflux) Open(_ context.Context, g project.Generation) (history.Store, error) {
	e.o.Policy = g.Place
	if g.Number > 0 {
		e.o.Policy = fmt.Sprintf("g%d", g.Number)
	}
	return influx.New(e.o)
}

func (inInflux) Ready(ctx context.Context, _ project.Generation, s history.Store) error {
	_, err := s.(*influx.Store).Setup(ctx) //nolint:forcetypeassert // its own
	return err
}

func (inInflux) Place(ctx context.Context, g project.Generation, s history.Store) (string, error) {
	if g.Number > 0 {
		return "", nil
	}
	return s.(*influx.Store).Place(ctx) //nolint:forcetypeassert // its own
}

func (e inInflux) Discard(ctx context.Context, g project.Generation) (err error) {
	s, err := e.Open(ctx, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.(*influx.Store).Discard(ctx) //nolint:forcetypeassert // its own
}

// coop is a log with a history in use.
type coop struct {
	t      *testing.T
	db     *sqldb.DB
	engine generation.Engine
	live   *generation.Live
	signer note.Signer
	seq    uint64
	prev   wire.Hash
	mounts []project.Mount
	asked  int
	move   func() // told when the register is read for the third time in a drawing
}

func newCoop(t *testing.T, engine generation.Engine) *coop {
	t.Helper()
	c := &coop{t: t, db: sqldbtest.Open(t, sqldbtest.SQLite(t)), engine: engine}
	skey, _, err := note.GenerateKey(rand.Reader, "gw-one")
	if err != nil {
		t.Fatal(err)
	}
	if c.signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	c.mounts = []project.Mount{{Gateway: "gw-one", Sensor: "ao1-ph", Place: "F7NE3CDQ7", From: noon.Add(24*time.Hour + 5*time.Minute)}}
	if c.live, err = generation.Open(t.Context(), c.db, engine, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.live.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// MountRevision and Mounts are the register of sensors.
func (c *coop) MountRevision(context.Context) (string, error) { return fmt.Sprint(len(c.mounts)), nil }

func (c *coop) Mounts(context.Context) ([]project.Mount, error) {
	if c.asked++; c.asked == 2 && c.move != nil {
		c.move()
	}
	return c.mounts, nil
}

func (c *coop) append(clock measure.ClockState, boot int, at time.Time, anchor *wire.Anchor) {
	c.t.Helper()
	r := measure.Reading{Sensor: "ao1-ph", Quantity: measure.PH, Value: float64(c.seq%14) + 0.1, Quality: measure.Quality(c.seq % 5)} //nolint:gosec // small
	id := fmt.Sprintf("%08x", boot)
	r.Time = measure.Instant{Clock: clock, Boot: id, Wall: at}
	if clock == measure.Unsynced {
		r.Time.Wall, r.Time.Uptime = time.Time{}, at.Sub(noon)
	}
	b := &wire.Batch{Gateway: "gw-one", Epoch: "00000000000000e1", Seq: c.seq + 1, Prev: c.prev, Clock: clock, Boot: id, Anchor: anchor, Readings: []measure.Reading{r}}
	sealed, err := wire.Seal(b, c.signer)
	if err != nil {
		c.t.Fatal(err)
	}
	c.seq, c.prev = c.seq+1, wire.HashOf(sealed)
	chain := ingest.Chain{Gateway: "gw-one", Epoch: b.Epoch}
	_, err = c.db.Append(c.t.Context(), []ingest.Chain{chain}, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) {
		return []ingest.Row{{Chain: chain, Seq: b.Seq, Hash: c.prev, Received: noon, Body: c.db.Pack(sealed)}}, nil
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// season is a stretch of log with all that makes drawing hard: late batches, boots without a clock that an anchor dates later, one that nothing
// dates, a time that no history takes.
func (c *coop) season(boot int) {
	begin := noon.Add(time.Duration(boot) * 24 * time.Hour)
	for i := range 30 {
		c.append(measure.Synced, boot, begin.Add(time.Duration(i)*time.Minute), nil)
	}
	for i := range 10 { // before the first: late
		c.append(measure.Synced, boot, begin.Add(-time.Duration(i+1)*time.Minute), nil)
	}
	for i := range 10 {
		c.append(measure.Unsynced, boot+1000, noon.Add(time.Duration(i)*time.Minute), nil)
		c.append(measure.Unsynced, boot+2000, noon.Add(time.Duration(i)*time.Minute), nil)
	}
	c.append(measure.Synced, boot+1000, begin.Add(3*time.Hour), &wire.Anchor{Uptime: 11 * time.Minute, Wall: begin.Add(3 * time.Hour)})
	c.append(measure.Synced, boot, time.Date(2290, 1, 1, 0, 0, boot, 0, time.UTC), nil)
}

// lead draws the generation in use up to the end of the log.
func (c *coop) lead() {
	c.t.Helper()
	if err := c.live.Look(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	if err := c.live.Ready(c.t.Context(), c.db); err != nil {
		c.t.Fatal(err)
	}
	g, _ := c.live.Generation()
	log, sheet := slog.New(slog.DiscardHandler), c.db.Sheet(g.Number)
	p := project.NewGeneration(g, c.live, project.NewPlaces(c, time.Now), project.NewDater(sheet), sheet, time.Now, log)
	r := project.NewRunner(project.RunnerOptions{Projection: p, Source: c.db, Cursors: c.db, Now: time.Now, Log: log})
	if err := r.CatchUp(c.t.Context(), int64(c.seq), func(int64) {}); err != nil { //nolint:gosec // small
		c.t.Fatal(err)
	}
}

func (c *coop) digest() history.Digested {
	c.t.Helper()
	var d history.Digested
	err := c.live.With(func(s history.Store) (err error) {
		d, err = history.Digest(c.t.Context(), s.(history.Whole), time.Time{}, noon.AddDate(100, 0, 0)) //nolint:forcetypeassert // both are
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

func (c *coop) options() generation.RedrawOptions {
	return generation.RedrawOptions{
		Book: c.db, Engine: c.engine, Source: c.db, Cursors: c.db, Mounts: c, Sheet: func(g int64) project.Sheet { return c.db.Sheet(g) },
		Now: time.Now, Grace: time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
}

func (c *coop) redraw() generation.Result {
	c.t.Helper()
	c.asked = 0
	r, err := generation.Redraw(c.t.Context(), c.options())
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// kept returns what the generation in use could not take or date.
func (c *coop) kept() (refused, undated int64) {
	c.t.Helper()
	counts, _, err := c.db.RefusedPoints(c.t.Context(), 10)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, n := range counts {
		refused += n.Points
	}
	if undated, err = c.db.Undated(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	return refused, undated
}

func eachEngine(t *testing.T, f func(t *testing.T, engine generation.Engine)) {
	t.Run("sqlite", func(t *testing.T) { f(t, inFiles{t.TempDir()}) })
	t.Run("influx", func(t *testing.T) {
		d := parttest.Influxd(t)
		f(t, inInflux{influx.Options{URL: d.URL, Database: d.Database}})
	})
}

// However often it is drawn, and whatever came late, was dated later, or by nobody: the same points.
func TestRedraw_GivesTheSameHistory(t *testing.T) {
	sums := map[string]bool{}
	eachEngine(t, func(t *testing.T, engine generation.Engine) {
		c := newCoop(t, engine)
		c.season(1)
		c.lead()
		c.season(2) // a second chunk: what was parked in the first is dated in it
		c.append(measure.Synced, 2001, noon.Add(100*time.Hour), &wire.Anchor{Uptime: 11 * time.Minute, Wall: noon.Add(100 * time.Hour)})
		c.lead()
		want := c.digest()
		refused, undated := c.kept()
		if want.Points != 30+10+10+1+30+10+10+1+10+1 || want.Series != 2 || refused != 2 || undated != 10 {
			t.Fatalf("%+v, %d refused, %d undated", want, refused, undated)
		}
		sums[want.Sum] = true
		for i := range int64(2) {
			r := c.redraw()
			if r.Points != want.Points || r.Generation != i+1 || r.Batches != int64(c.seq) { //nolint:gosec // small
				t.Errorf("%+v", r)
			}
			c.lead()
			if got := c.digest(); got != want {
				t.Errorf("drawn again: %+v, want %+v", got, want)
			}
			if a, b := c.kept(); a != refused || b != undated {
				t.Errorf("drawn again: %d refused, %d undated", a, b)
			}
		}
		if list, err := c.db.Generations(t.Context()); err != nil || len(list) != 1 || list[0].Number != 2 {
			t.Errorf("generations %+v, %v", list, err)
		}
		if n, err := c.db.Drawn(t.Context()); err != nil || n != int64(c.seq) { //nolint:gosec // small
			t.Errorf("drawn up to %d, %v", n, err)
		}
	})
	if len(sums) > 1 {
		t.Errorf("the engines do not agree: %v", sums)
	}
}

// A register that says during the drawing that a sensor was elsewhere makes it begin anew; one that says where it is from now on does not.
func TestRedraw_BeginsAnewWhereTheRegisterChanged(t *testing.T) {
	c := newCoop(t, inFiles{t.TempDir()})
	c.season(1)
	c.lead()
	c.move = func() {
		c.mounts = append(c.mounts, project.Mount{Gateway: "gw-one", Sensor: "ao1-ph", Place: "later", From: time.Now().AddDate(100, 0, 0)})
	}
	if r := c.redraw(); r.Generation != 1 || c.asked != 3 {
		t.Errorf("%+v, the register was read %d times", r, c.asked)
	}
	c.move = func() { c.mounts = []project.Mount{{Gateway: "gw-one", Sensor: "ao1-ph", Place: "moved"}} }
	r := c.redraw()
	c.lead()
	if n := c.digest(); r.Points != n.Points || n.Series != 1 {
		t.Errorf("%+v of %+v", r, n)
	}
	if b, err := c.live.Range(t.Context(), history.Query{Series: history.Series{Place: "moved", Quantity: measure.PH, Gateway: "gw-one", Sensor: "ao1-ph"}, From: noon.AddDate(-1, 0, 0), To: noon.AddDate(1, 0, 0)}); err != nil || int64(len(b)) != r.Points {
		t.Errorf("%d points at the new place, %v", len(b), err)
	}
	// What another run began with another register is not gone on with.
	if _, err := c.db.BeginGeneration(t.Context(), "an older register", time.Now()); err != nil {
		t.Fatal(err)
	}
	c.move = nil
	if r := c.redraw(); r.Points == 0 {
		t.Errorf("%+v", r)
	}
}

// others is a book in which somebody else is always quicker to begin, with another register.
type others struct{ *sqldb.DB }

func (o others) BeginGeneration(ctx context.Context, _ string, at time.Time) (project.Generation, error) {
	return o.DB.BeginGeneration(ctx, "of another", at)
}

// What takes over is whole, whoever began it.
func TestRedraw_OfWhatOthersBeginAgainAndAgainIsWhole(t *testing.T) {
	c := newCoop(t, inFiles{t.TempDir()})
	c.season(1)
	c.lead()
	want := c.digest()
	o := c.options()
	o.Book = others{c.db}
	r, err := generation.Redraw(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c.lead()
	if got := c.digest(); got != want || r.Points != want.Points {
		t.Errorf("%+v, %+v, want %+v", r, got, want)
	}
}

// A history that is gone is drawn again by itself.
func TestReady_DrawsAgainWhatIsGone(t *testing.T) {
	dir := t.TempDir()
	c := newCoop(t, inFiles{dir})
	c.season(1)
	c.lead()
	want := c.digest()
	if err := c.live.Close(); err != nil {
		t.Fatal(err)
	}
	if err := (inFiles{dir}).Discard(t.Context(), project.Generation{}); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.live, err = generation.Open(t.Context(), c.db, c.engine, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	c.lead()
	if got := c.digest(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
