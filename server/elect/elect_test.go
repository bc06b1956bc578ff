package elect_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/server/elect"
)

// table is a lease table in memory, which may not answer, or late.
type table struct {
	mu    sync.Mutex
	rows  map[string]elect.Lease
	down  atomic.Bool
	delay atomic.Int64 // nanoseconds that every answer takes
}

var errDown = errors.New("no database")

func (d *table) answer(ctx context.Context) error {
	if n := d.delay.Load(); n > 0 {
		select {
		case <-time.After(time.Duration(n)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if d.down.Load() {
		return errDown
	}
	return nil
}

func (d *table) Lease(ctx context.Context, name string) (elect.Lease, error) {
	if err := d.answer(ctx); err != nil {
		return elect.Lease{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.rows[name]
	l.Name = name
	return l, nil
}

func (d *table) TakeLease(ctx context.Context, seen elect.Lease, holder string, at time.Time) (elect.Lease, bool, error) {
	if err := d.answer(ctx); err != nil {
		return seen, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.rows[seen.Name]; l.Term != seen.Term || l.Beat != seen.Beat {
		return seen, false, nil
	}
	l := elect.Lease{Name: seen.Name, Holder: holder, Term: seen.Term + 1, Beat: seen.Beat + 1, Taken: at, Renewed: at}
	d.rows[seen.Name] = l
	return l, true, nil
}

func (d *table) RenewLease(ctx context.Context, held elect.Lease, at time.Time) (bool, error) {
	if err := d.answer(ctx); err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.rows[held.Name]
	if l.Term != held.Term || l.Holder != held.Holder {
		return false, nil
	}
	l.Beat++
	l.Renewed = at
	d.rows[held.Name] = l
	return true, nil
}

func (d *table) ReleaseLease(ctx context.Context, held elect.Lease, _ time.Time) error {
	if err := d.answer(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.rows[held.Name]; l.Term == held.Term {
		l.Holder, l.Beat = "", l.Beat+1
		d.rows[held.Name] = l
	}
	return nil
}

// partition is one process's way to the table, which may be cut.
type partition struct {
	*table
	cut atomic.Bool
}

func (p *partition) Lease(ctx context.Context, name string) (elect.Lease, error) {
	if p.cut.Load() {
		return elect.Lease{}, errDown
	}
	return p.table.Lease(ctx, name)
}

func (p *partition) TakeLease(ctx context.Context, seen elect.Lease, holder string, at time.Time) (elect.Lease, bool, error) {
	if p.cut.Load() {
		return seen, false, errDown
	}
	return p.table.TakeLease(ctx, seen, holder, at)
}

func (p *partition) RenewLease(ctx context.Context, held elect.Lease, at time.Time) (bool, error) {
	if p.cut.Load() {
		<-ctx.Done() // packets go nowhere
		return false, ctx.Err()
	}
	return p.table.RenewLease(ctx, held, at)
}

func (p *partition) ReleaseLease(ctx context.Context, held elect.Lease, at time.Time) error {
	if p.cut.Load() {
		return errDown
	}
	return p.table.ReleaseLease(ctx, held, at)
}

func options(l elect.Leases, holder string) elect.Options {
	return elect.Options{Leases: l, Name: "history", Holder: holder, TTL: elect.TTL, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
}

// inLine has each of names stand for the lease until ctx ends.
func inLine(ctx context.Context, t *testing.T, d elect.Leases, s *stage, names ...string) *sync.WaitGroup {
	t.Helper()
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			if err := elect.Run(ctx, options(d, name), s.work); err != nil {
				t.Error(err)
			}
		})
	}
	return &wg
}

// stage counts who works at once.
type stage struct {
	mu   sync.Mutex
	on   map[string]int64 // term by holder
	most int
	took []string // in order
	when []time.Time
}

func (s *stage) work(ctx context.Context) error {
	f, ok := elect.FenceOf(ctx)
	if !ok {
		return errors.New("no fence")
	}
	s.mu.Lock()
	s.on[f.Holder] = f.Term
	s.most = max(s.most, len(s.on))
	s.took, s.when = append(s.took, fmt.Sprintf("%s/%d", f.Holder, f.Term)), append(s.when, time.Now())
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.on, f.Holder)
	return nil
}

func (s *stage) now() (holders []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h := range s.on {
		holders = append(holders, h)
	}
	return holders
}

// history returns who took the lease, in order, and when, and how many worked at once at most.
func (s *stage) history() (took []string, when []time.Time, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.took), slices.Clone(s.when), s.most
}

func newStage() *stage { return &stage{on: map[string]int64{}} }

func newTable() *table { return &table{rows: map[string]elect.Lease{}} }

func TestRun_OneOfThreeLeadsAndTheNextWhenItStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, s := newTable(), newStage()
		var wg sync.WaitGroup
		stops := map[string]context.CancelFunc{}
		for _, name := range []string{"a", "b", "c"} {
			ctx, stop := context.WithCancel(t.Context())
			stops[name] = stop
			wg.Go(func() {
				if err := elect.Run(ctx, options(d, name), s.work); err != nil {
					t.Error(err)
				}
			})
		}
		for range 3 {
			time.Sleep(elect.TTL)
			on := s.now()
			if len(on) != 1 {
				t.Fatalf("leading: %v", on)
			}
			stops[on[0]]()
			delete(stops, on[0])
			time.Sleep(elect.TTL / 2) // a lease that was given back is not waited for
			if len(stops) > 0 && len(s.now()) != 1 {
				t.Fatalf("after %s stopped nobody leads", on[0])
			}
		}
		wg.Wait()
		if took, _, most := s.history(); most != 1 || len(took) != 3 {
			t.Errorf("%d at once, taken %v", most, took)
		}
	})
}

// Whoever is cut off from the database has stopped before the next begins, however the cut falls between two renewals.
func TestRun_CutOffLeaderStopsBeforeTheNextBegins(t *testing.T) {
	for cutAfter := time.Duration(0); cutAfter < 2*elect.TTL; cutAfter += 377 * time.Millisecond {
		t.Run(cutAfter.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d, s := newTable(), newStage()
				a, b := &partition{table: d}, &partition{table: d}
				ctx, stop := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				wg.Go(func() {
					if err := elect.Run(ctx, options(a, "a"), s.work); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
				wg.Go(func() {
					if err := elect.Run(ctx, options(b, "b"), s.work); err != nil {
						t.Error(err)
					}
				})
				time.Sleep(elect.TTL + cutAfter)
				a.cut.Store(true)
				cut := time.Now()
				time.Sleep(3 * elect.TTL)
				if on := s.now(); len(on) != 1 || on[0] != "b" {
					t.Errorf("leading: %v", on)
				}
				took, when, most := s.history()
				if most != 1 {
					t.Errorf("%d led at once", most)
				}
				if len(took) != 2 || took[0] != "a/1" || took[1] != "b/2" {
					t.Fatalf("taken: %v", took)
				}
				if after := when[1].Sub(cut); after > 2*elect.TTL {
					t.Errorf("b led %v after the cut", after)
				}
				a.cut.Store(false)
				time.Sleep(2 * elect.TTL)
				if on := s.now(); len(on) != 1 || on[0] != "b" {
					t.Errorf("after the cut is mended: %v", on)
				}
				stop()
				wg.Wait()
			})
		})
	}
}

// While the database is down nobody leads; when it is back one does, and the lease it held before is none the less waited for.
func TestRun_DatabaseDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, s := newTable(), newStage()
		ctx, stop := context.WithCancel(t.Context())
		wg := inLine(ctx, t, d, s, "a", "b")
		time.Sleep(elect.TTL)
		d.down.Store(true)
		time.Sleep(elect.TTL)
		if on := s.now(); len(on) != 0 {
			t.Errorf("leads without a database: %v", on)
		}
		time.Sleep(time.Hour)
		d.down.Store(false)
		time.Sleep(2 * elect.TTL)
		if _, _, most := s.history(); len(s.now()) != 1 || most != 1 {
			t.Errorf("leading: %v, at once %d", s.now(), most)
		}
		stop()
		wg.Wait()
	})
}

// A slow database is not a lost lease.
func TestRun_SlowAnswersKeepTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, s := newTable(), newStage()
		ctx, stop := context.WithCancel(t.Context())
		wg := inLine(ctx, t, d, s, "a", "b")
		time.Sleep(elect.TTL)
		d.delay.Store(int64(elect.TTL / 3))
		time.Sleep(time.Hour)
		if took, _, _ := s.history(); len(took) != 1 || len(s.now()) != 1 {
			t.Errorf("taken: %v, leading %v", took, s.now())
		}
		stop()
		wg.Wait()
	})
}

// Work that fails ends Run with its error, and the lease is given back; nobody waits for it to run out.
func TestRun_WorkThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, broken := newTable(), errors.New("broken")
		err := elect.Run(t.Context(), options(d, "a"), func(context.Context) error { return broken })
		if !errors.Is(err, broken) {
			t.Fatalf("err %v", err)
		}
		if l, err := d.Lease(t.Context(), "history"); err != nil || l.Held() || l.Term != 1 {
			t.Errorf("lease: %+v", l)
		}
	})
}

// A write that is refused may tell of the lost lease before a renewal does: the process stands in line again, and goes on with all else.
func TestRun_WriteThatIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTable()
		ctx, stop := context.WithCancel(t.Context())
		var terms []int64
		err := elect.Run(ctx, options(d, "a"), func(ctx context.Context) error {
			f, _ := elect.FenceOf(ctx)
			if terms = append(terms, f.Term); len(terms) == 2 {
				stop()
				return fmt.Errorf("cursor: %w", elect.ErrLost)
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			l := d.rows["history"]
			l.Holder, l.Term, l.Beat = "b", l.Term+1, l.Beat+1 // which says nothing from then on
			d.rows["history"] = l
			return fmt.Errorf("cursor: %w", elect.ErrLost)
		})
		if err != nil || fmt.Sprint(terms) != "[1 3]" {
			t.Errorf("terms %v, err %v", terms, err)
		}
		if l, err := d.Lease(t.Context(), "history"); err != nil || l.Term != 3 {
			t.Errorf("lease %+v, %v", l, err)
		}
	})
}

// A frozen process wakes after another has taken over: its renewal tells it so at once, and it stands in line again.
func TestRun_TakenWhileFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, s := newTable(), newStage()
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var told []bool
		o := options(d, "a")
		o.Told = func(_ string, leading bool) { told = append(told, leading) }
		wg.Go(func() {
			if err := elect.Run(ctx, o, s.work); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		d.mu.Lock()
		l := d.rows["history"]
		l.Holder, l.Term, l.Beat = "b", l.Term+1, l.Beat+1
		d.rows["history"] = l
		d.mu.Unlock()
		time.Sleep(elect.TTL / 3)
		if on := s.now(); len(on) != 0 {
			t.Errorf("still leads: %v", on)
		}
		time.Sleep(2 * elect.TTL) // b says nothing
		if took, _, _ := s.history(); len(took) != 2 || took[1] != "a/3" {
			t.Errorf("taken: %v", took)
		}
		stop()
		wg.Wait()
		if fmt.Sprint(told) != "[true false true false]" {
			t.Errorf("told %v", told)
		}
	})
}

func TestRun_Alone(t *testing.T) {
	ran := false
	err := elect.Run(t.Context(), elect.Options{Name: "history"}, func(ctx context.Context) error {
		_, fenced := elect.FenceOf(ctx)
		ran = !fenced
		return nil
	})
	if err != nil || !ran {
		t.Errorf("err %v, ran without a fence %v", err, ran)
	}
}
