package peers_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/server/peers"
)

// table is a Store in memory.
type table struct {
	mu   sync.Mutex
	rows map[string]peers.Process
}

func newTable() *table { return &table{rows: map[string]peers.Process{}} }

func (d *table) Processes(context.Context) ([]peers.Process, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []peers.Process
	for _, id := range slices.Sorted(maps.Keys(d.rows)) {
		out = append(out, d.rows[id])
	}
	return out, nil
}

func (d *table) EnterProcess(_ context.Context, p peers.Process) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	p.Beat = d.rows[p.ID].Beat + 1
	d.rows[p.ID] = p
	return nil
}

func (d *table) BeatProcess(_ context.Context, id string, report []byte, at time.Time) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, ok := d.rows[id]
	if ok {
		p.Beat, p.Report, p.Seen = p.Beat+1, report, at
		d.rows[id] = p
	}
	return ok, nil
}

func (d *table) LeaveProcess(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.rows, id)
	return nil
}

func (d *table) ids() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.rows))
}

func options(d *table, id string, facts map[string]string) peers.Options {
	return peers.Options{
		Store: d, Self: peers.Process{ID: id, Name: "may-" + id, Roles: []string{"web"}, Facts: facts}, Every: peers.Every, Patience: peers.Patience,
		Report: func(context.Context) []byte { return []byte(`{"of":"` + id + `"}`) }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
}

// live enters a process and runs it until stop.
func live(t *testing.T, d *table, id string, facts map[string]string) (p *peers.Peer, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := peers.Enter(ctx, options(d, id, facts))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	return p, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestEnter_WhoDiffersFromOneThatRunsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTable()
		_, stop := live(t, d, "a", map[string]string{"server.key": "1", "history": "influx"})
		_, stopC := live(t, d, "c", map[string]string{"history": "influx"}) // has no server.key: that is no difference
		_, err := peers.Enter(t.Context(), options(d, "b", map[string]string{"server.key": "2", "history": "influx"}))
		var c *peers.ConflictError
		if !errors.As(err, &c) || c.Fact != "server.key" || c.Other.Name != "may-a" {
			t.Fatalf("err %v", err)
		}
		if ids := d.ids(); !slices.Equal(ids, []string{"a", "c"}) {
			t.Errorf("left behind: %v", ids)
		}
		stop()
		stopC()
		if ids := d.ids(); len(ids) != 0 {
			t.Errorf("after all have stopped: %v", ids)
		}
	})
}

func TestEnter_OneThatWasKilledIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTable()
		for _, id := range []string{"x", "y"} { // both killed, both differ
			if err := d.EnterProcess(t.Context(), peers.Process{ID: id, Facts: map[string]string{"broker": id}}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		_, stop := live(t, d, "a", map[string]string{"broker": "a"})
		if took := time.Since(began); took < peers.Patience || took > peers.Patience+peers.Every {
			t.Errorf("waited %v", took)
		}
		stop()
	})
}

// Of two that differ and begin at the same moment none takes the other for dead: at most one is let in.
func TestEnter_TwoAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTable()
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var in atomic.Int32
		for _, id := range []string{"a", "b"} {
			wg.Go(func() {
				p, err := peers.Enter(ctx, options(d, id, map[string]string{"broker": id}))
				if err == nil {
					in.Add(1)
					err = p.Run(ctx)
				} else if _, ok := errors.AsType[*peers.ConflictError](err); ok {
					err = nil
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(10 * peers.Patience)
		if n := in.Load(); n > 1 || len(d.ids()) != int(n) {
			t.Errorf("%d let in, there %v", n, d.ids())
		}
		stop()
		wg.Wait()
	})
}

func TestRun_SilentIsShownAndThenForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTable()
		a, stop := live(t, d, "a", nil)
		if err := d.EnterProcess(t.Context(), peers.Process{ID: "dead", Seen: time.Now().Add(48 * time.Hour)}); err != nil { // its clock is wrong
			t.Fatal(err)
		}
		time.Sleep(peers.Patience + 2*peers.Every)
		list := a.List()
		if len(list) != 2 || list[0].ID != "a" || list[0].Silent || string(list[0].Report) != `{"of":"a"}` || !list[1].Silent {
			t.Errorf("%+v", list)
		}
		if err := d.LeaveProcess(t.Context(), "a"); err != nil { // somebody took it for dead: it enters itself again
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if list := a.List(); len(list) != 1 || list[0].ID != "a" || list[0].Silent {
			t.Errorf("an hour later: %+v", list)
		}
		stop()
	})
}
