package watch_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/watch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func value(sensor string, minute int, v float64) watch.Value {
	return watch.Value{
		Series: history.Series{Place: "AO1", Quantity: measure.PH, Gateway: "gw-one", Sensor: sensor},
		Time:   noon.Add(time.Duration(minute) * time.Minute), Value: v,
	}
}

func TestLive_NewestWinsWhateverTheOrder(t *testing.T) {
	l := watch.NewLive()
	l.Update([]watch.Value{value("a", 5, 7), value("b", 1, 6)})
	l.Update([]watch.Value{value("a", 4, 1), value("b", 2, 8)}) // a backlog must not turn the clock back
	if d := cmp.Diff([]watch.Value{value("a", 5, 7), value("b", 2, 8)}, l.Snapshot()); d != "" {
		t.Error(d)
	}
}

func TestLive_ValueDatedAheadYieldsToTheNext(t *testing.T) {
	l := watch.NewLive()
	ahead := value("a", 1_000_000, 1)
	ahead.Ahead = true
	l.Update([]watch.Value{ahead})
	l.Update([]watch.Value{value("a", 5, 7)})
	l.Update([]watch.Value{value("a", 4, 3)})
	if d := cmp.Diff([]watch.Value{value("a", 5, 7)}, l.Snapshot()); d != "" {
		t.Error(d)
	}
}

func TestLive_OneGatewayCannotFillTheMemory(t *testing.T) {
	l := watch.NewLive()
	for i := range 10_000 {
		l.Update([]watch.Value{value(fmt.Sprint(i), i, 1)})
	}
	other := value("a", 1, 2)
	other.Gateway = "gw-two"
	l.Update([]watch.Value{other, value("0", 99_999, 3)})
	got := l.Snapshot()
	if len(got) != watch.MaxChannels+1 {
		t.Errorf("%d values", len(got))
	}
	for _, want := range []watch.Value{other, value("0", 99_999, 3)} {
		if !slices.Contains(got, want) {
			t.Errorf("%s of %s is not shown", want.Sensor, want.Gateway)
		}
	}
}

func TestLive_SensorThatMovedIsShownOnce(t *testing.T) {
	l := watch.NewLive()
	before, after := value("a", 1, 7), value("a", 2, 7)
	before.Place = "unplaced"
	l.Update([]watch.Value{before})
	l.Update([]watch.Value{after})
	if d := cmp.Diff([]watch.Value{after}, l.Snapshot()); d != "" {
		t.Error(d)
	}
}

func TestLive_SubscriberGetsChangesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watch.NewLive()
		l.Update([]watch.Value{value("a", 1, 7)})
		ctx, cancel := context.WithCancel(t.Context())
		c := l.Subscribe(ctx)
		l.Update([]watch.Value{value("a", 1, 7)}) // nothing new
		l.Update([]watch.Value{value("b", 1, 5)})
		if d := cmp.Diff([]watch.Value{value("b", 1, 5)}, <-c); d != "" {
			t.Error(d)
		}
		cancel()
		if _, ok := <-c; ok {
			t.Error("still open after the end")
		}
	})
}

func TestLive_SlowSubscriberHoldsUpNobodyAndGetsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := watch.NewLive()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := l.Subscribe(ctx)
		for i := range 10_000 {
			l.Update([]watch.Value{value(fmt.Sprint(i%3), i, float64(i))})
		}
		synctest.Wait() // one change may wait in the sender's hand
		got := map[string]float64{}
		for len(got) < 3 || got["0"] != 9999 || got["1"] != 9997 || got["2"] != 9998 {
			for _, v := range <-c {
				got[v.Sensor] = v.Value
			}
		}
	})
}
