package historytest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"aovuon/server/history"
)

// equal is same for rapid. A mean of values that cancel out keeps an absolute error.
func equal(r *rapid.T, what string, want, got any) {
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-12, 1e-11)); diff != "" {
		r.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func reopening(t *testing.T, e Engine) {
	s := e.Open(t)
	points := append(minutes(pond(), 100), fault(pond(), 200*time.Minute))
	write(t, s, points...)
	write(t, s, point(sensor(1), 0, 1))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = e.Reopen(t, s)
		same(t, "points", points, all(t, s, pond()))
		same(t, "points of the other", []history.Point{point(sensor(1), 0, 1)}, all(t, s, sensor(1)))
	}
	write(t, s, point(sensor(1), time.Minute, 2)) // an old series goes on
	same(t, "points of the other", []history.Point{point(sensor(1), 0, 1), point(sensor(1), time.Minute, 2)}, all(t, s, sensor(1)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func downAndUp(t *testing.T, e Engine) {
	if e.Kill == nil {
		t.Skip("this engine lives and dies with the process")
	}
	s := e.open(t)
	write(t, s, minutes(pond(), 10)...)
	e.Kill()
	_, rangeErr := s.Range(t.Context(), history.Query{Series: pond(), From: t0(), To: t0().Add(time.Hour), Every: time.Minute})
	_, latestErr := s.Latest(t.Context(), []history.Series{pond()})
	_, eachErr := collect(t.Context(), s, pond(), t0(), t0().Add(time.Hour))
	for name, err := range map[string]error{
		"Write": s.Write(t.Context(), minutes(pond(), 20)), "Range": rangeErr, "Latest": latestErr, "Each": eachErr,
	} {
		if !errors.Is(err, history.ErrUnavailable) {
			t.Errorf("%s while down = %v: want ErrUnavailable", name, err)
		}
	}
	e.Start()
	write(t, s, minutes(pond(), 20)...)
	same(t, "points", minutes(pond(), 20), all(t, s, pond()))
}

// kill9 kills the engine under load, 20 times. Whatever Write acknowledged is there afterwards.
func kill9(t *testing.T, e Engine) {
	if e.Kill == nil {
		t.Skip("this engine lives and dies with the process: its own tests kill the process")
	}
	kills := 20
	if testing.Short() {
		kills = 3
	}
	s := e.open(t)
	const perWrite = 20
	acked := 0
	for kill := range kills {
		loaded, done := make(chan struct{}), make(chan struct{})
		var once sync.Once
		start := acked
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var err error
		go func() {
			defer close(done)
			for err == nil {
				points := make([]history.Point, perWrite)
				for i := range points {
					points[i] = point(pond(), time.Duration(acked+i)*time.Second, float64(acked+i))
				}
				if err = s.Write(ctx, points); err == nil {
					acked += perWrite
				}
				if acked-start >= (10+3*kill)*perWrite {
					once.Do(func() { close(loaded) }) // a kill without load would prove nothing
				}
			}
		}()
		select {
		case <-loaded:
		case <-done:
		}
		e.Kill()
		<-done
		cancel()
		if !errors.Is(err, history.ErrUnavailable) {
			t.Fatalf("kill %d: Write = %v: want ErrUnavailable", kill, err)
		}
		e.Start()
		got := all(t, s, pond())
		if len(got) < acked {
			t.Fatalf("kill %d: %d points of %d acknowledged", kill, len(got), acked)
		}
		for i, p := range got[:acked] {
			if p.Value != float64(i) {
				t.Fatalf("kill %d: point %d is %+v", kill, i, p)
			}
		}
	}
	t.Logf("%d kills, %d points acknowledged, none lost", kills, acked)
}
