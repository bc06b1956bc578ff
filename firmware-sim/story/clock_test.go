package story_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// wanderer is the clock of a machine without a battery: time passes, and what the machine takes it for is another matter.
type wanderer struct {
	playback
	booted time.Time
	state  measure.ClockState
	wrong  time.Duration // what the wall clock is off
}

// Now implements sense.Clock.
func (w *wanderer) Now() measure.Instant {
	now := w.wall()
	return measure.Instant{Wall: now.Add(w.wrong), Uptime: now.Sub(w.booted), Clock: w.state, Boot: "b0b1b2b3b4b5b6b7"}
}

// Sleep implements sense.Clock.
func (w *wanderer) Sleep(ctx context.Context, d time.Duration) error { return w.playback.Sleep(ctx, d) }

// TestClock_ABootInTheDarkAndStepsOfYears: the gateway wakes without a clock, gets the time after half an hour, loses the
// network, has its wall clock set three years back and five years forward, and is put right again. The server has every
// reading once, in the order it was taken, the first half hour under its true time.
func TestClock_ABootInTheDarkAndStepsOfYears(t *testing.T) {
	t.Parallel()
	const year, polls = 365 * 24 * time.Hour, 30
	f := newField(t, setting{devices: []device{
		{id: "nuoc", kind: "ds18b20", bus: "w1", every: time.Minute},
		{id: "kk", kind: "sht4x", bus: "i2c-2", address: 0x44, every: time.Minute},
	}})
	began := time.Now().Add(-6 * time.Hour).Truncate(time.Millisecond)
	clock := &wanderer{playback: playback{now: began}, booted: began.Add(-20 * time.Second)}
	phases := []struct {
		state measure.ClockState
		wrong time.Duration // of the machine's clock
		dated time.Duration // of the times in the history
	}{
		{state: measure.Unsynced, wrong: -50 * year}, // 1970 and some
		{state: measure.Synced},
		{state: measure.EstimatedClock, wrong: -3 * year, dated: -3 * year},
		{state: measure.EstimatedClock, wrong: 5 * year, dated: 5 * year},
		{state: measure.Synced},
	}
	var want []time.Time // of each poll, as the history shall have it
	for _, p := range phases {
		clock.state, clock.wrong = p.state, p.wrong
		from := clock.wall()
		for i := range polls {
			want = append(want, from.Add(time.Duration(i)*time.Minute+p.dated))
		}
		f.playOn(clock, clock.wall, from.Add(p.wrong+(polls-1)*time.Minute+time.Second), time.Minute)
		if d := clock.wall().Sub(from); d < (polls-1)*time.Minute {
			t.Fatalf("the phase took %v", d)
		}
		if err := clock.Sleep(t.Context(), from.Add(polls*time.Minute).Sub(clock.wall())); err != nil {
			t.Fatal(err)
		}
	}
	f.startServer()
	f.quietly(func() { f.awaitDrained() })
	f.awaitHistory()
	f.server.stop()

	order := map[channel][]measure.Instant{}
	f.eachBatch(func(b *wire.Batch) {
		for _, r := range b.Readings {
			if r.Sensor != absent {
				order[channel{r.Sensor, r.Quantity}] = append(order[channel{r.Sensor, r.Quantity}], r.Time)
			}
		}
	})
	dated := map[channel][]time.Time{}
	for _, one := range f.history() {
		dated[one.channel] = append(dated[one.channel], time.UnixMilli(one.ms))
	}
	if len(order) != 3 || len(dated) != 3 {
		t.Fatalf("%d channels in the log and %d in the history, want 3", len(order), len(dated))
	}
	slices.SortFunc(want, time.Time.Compare)
	for c, times := range order {
		checkOrder(t, c, times, clock.booted, polls)
		got := dated[c]
		slices.SortFunc(got, time.Time.Compare)
		if len(got) != len(want) {
			t.Errorf("%v: %d readings in the history, %d were taken", c, len(got), len(want))
			continue
		}
		for i, at := range got {
			if d := at.Sub(want[i]).Abs(); d > 3*time.Second { // asking three chips takes a second
				t.Errorf("%v: a reading of %v has the time %v", c, want[i].UTC(), at.UTC())
			}
		}
	}
	t.Logf("%d readings over %d states of the clock: 0 lost, 0 twice, 0 out of order", 3*len(want), len(phases))
}

// checkOrder looks at the times of a channel in the order of the log: five runs, each going forward a minute at a time.
func checkOrder(t *testing.T, c channel, times []measure.Instant, booted time.Time, polls int) {
	t.Helper()
	if len(times) != 5*polls {
		t.Errorf("%v: %d readings in the log, %d were taken", c, len(times), 5*polls)
		return
	}
	for i := 1; i < len(times); i++ {
		a, b := times[i-1], times[i]
		d := b.Wall.Sub(a.Wall)
		if b.Clock == measure.Unsynced {
			d = b.Uptime - a.Uptime
		}
		if i%polls != 0 && (d < 55*time.Second || d > 65*time.Second || a.Clock != b.Clock) {
			t.Errorf("%v: reading %d of the log comes %v after the one before", c, i, d)
		}
	}
	if first := times[0]; first.Clock != measure.Unsynced || !first.Wall.IsZero() || booted.IsZero() {
		t.Errorf("%v: the first reading has the time %+v, and no clock was there", c, first)
	}
}

// eachBatch hands the gateway's batches to do in the order of the log.
func (f *field) eachBatch(do func(b *wire.Batch)) {
	f.t.Helper()
	for position := int64(0); ; {
		records, err := f.database().After(f.t.Context(), position, 500, 0)
		if err != nil {
			f.t.Fatal(err)
		}
		if len(records) == 0 {
			return
		}
		for _, r := range records {
			do(r.Batch)
			position = r.Position
		}
	}
}
