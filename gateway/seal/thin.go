package seal

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// steps are how far apart the readings of a channel may be made before room for new ones is refused: only when all that
// waits is thinned to one step does the next begin. In the last one nothing stays but what thinner.stays keeps.
func steps() []time.Duration {
	return []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, math.MaxInt64}
}

// makeRoom thins what waits to be sealed, oldest first, after the store said that it is full. It reports whether there is
// room now.
func (s *Sealer) makeRoom(ctx context.Context, full error) (bool, error) {
	target := s.opts.Quota - s.opts.Quota/16 - s.opts.Quota/8
	if errors.Is(full, spool.ErrFull) { // the disk is, not the spool: give an eighth of what is there
		now, err := s.store.Thin(ctx, 0, math.MaxUint64, nil)
		if err != nil {
			return false, err
		}
		target = now.Used - max(now.Used/8, min(now.Used, 2<<20))
	}
	room := false
	for level, every := range steps() {
		t := thinner{every: int64(every / time.Millisecond)}
		got, err := s.store.Thin(ctx, level, target, t.thin)
		s.mu.Lock()
		s.health.Thinned += t.lost
		s.mu.Unlock()
		if t.lost > 0 {
			s.opts.Log.Warn("old readings were thinned out to make room", slog.Uint64("readings", t.lost), slog.Duration("one_every", every),
				slog.Uint64("bytes", got.Used), slog.Any("cause", full))
			room = true
		}
		if err != nil || got.Enough {
			return err == nil && (room || got.Enough), err
		}
	}
	return room, nil
}

// thinner is a spool.Thinner: of each channel it keeps one reading in so many milliseconds and whatever tells something
// that the one before did not, and declares the rest.
type thinner struct {
	every int64
	lost  uint64 // readings thinned out
	boot  string
	clock measure.ClockState
	last  map[channel]kept
}

type channel struct {
	sensor   string
	quantity measure.Quantity
}

// kept is what is known of the reading of a channel before the present one, and when one was kept.
type kept struct {
	slot    int64
	quality measure.Quality
	reason  measure.FaultReason
	value   float64
}

func (t *thinner) thin(raw [][]byte) ([][]byte, error) {
	out := make([][]byte, 0, len(raw)/4)
	lost := uint64(0)
	var gap wire.Gap // of the present boot and clock state; Lost 0: nothing
	declare := func() error {
		if gap.Lost == 0 {
			return nil
		}
		b, err := gapRecord(gap).encode()
		out, gap = append(out, b), wire.Gap{}
		return err
	}
	for _, b := range raw {
		r, err := decode(b)
		if err != nil {
			out = append(out, b) // whoever seals counts and declares it
			continue
		}
		if r.at.Boot != t.boot || r.at.Clock != t.clock || t.last == nil {
			if err := declare(); err != nil {
				return nil, err
			}
			t.boot, t.clock, t.last = r.at.Boot, r.at.Clock, map[channel]kept{}
		}
		switch {
		case r.kind == kindGap && r.gap.Reason == wire.GapThinned && r.gap.Lost > 0:
			gap = join(gap, r.gap)
		case t.stays(r):
			out = append(out, b)
		default:
			gap = join(gap, wire.Gap{From: r.at, To: r.at, Lost: 1, Reason: wire.GapThinned})
			lost++
		}
	}
	if err := declare(); err != nil {
		return nil, err
	}
	if len(out) >= len(raw) {
		return raw, nil // the declaration would cost what it saves
	}
	t.lost += lost
	return out, nil
}

// stays reports whether a record is kept: everything that is no reading, the first reading of a channel in each step, and
// each one that begins something: another quality, another reason, another state of a switch or an alarm.
func (t *thinner) stays(r record) bool {
	if r.kind != kindReading && r.kind != kindTraced {
		return true
	}
	at := r.at.Uptime.Milliseconds()
	if r.at.Clock != measure.Unsynced {
		at = r.at.Wall.UnixMilli()
	}
	c := channel{r.reading.Sensor, r.reading.Quantity}
	now := kept{slot: at / t.every, quality: r.reading.Quality, reason: r.reading.Reason}
	if isState(r.reading.Quantity) && r.reading.Quality != measure.Fault {
		now.value = r.reading.Value
	}
	before, some := t.last[c]
	t.last[c] = now
	return !some || before != now
}

// isState tells quantities that are switched from those that flow: of these every change is kept.
func isState(q measure.Quantity) bool {
	return slices.Contains([]measure.Quantity{
		measure.AeratorCommand, measure.AeratorRunning, measure.AlarmState, measure.UnderVoltage, measure.LinkUp,
	}, q)
}

// join is the gap that declares both: of one boot and one clock state, b taken after a. A wall clock that was set back
// between them turns nothing around.
func join(a, b wire.Gap) wire.Gap {
	if a.Lost == 0 {
		return b
	}
	a.Lost += b.Lost
	if before(b.From, a.From) {
		a.From = b.From
	}
	if before(a.To, b.To) {
		a.To = b.To
	}
	return a
}

func before(a, b measure.Instant) bool {
	if a.Clock == measure.Unsynced {
		return a.Uptime < b.Uptime
	}
	return a.Wall.Before(b.Wall)
}
