package project

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/ingest"
	"aovuon/server/watch"
)

// Live leads the newest readings into a watch.Live. Its effect is in memory, so it keeps no cursor: Warm fills it after
// a restart, and a runner leads it on from there.
type Live struct {
	live   *watch.Live
	places *Places
	dater  *Dater
	clocks sync.Map // gateway → measure.ClockState of its newest batch
}

// NewLive returns the projection.
func NewLive(live *watch.Live, places *Places, dater *Dater) *Live {
	return &Live{live: live, places: places, dater: dater}
}

// Clock says what a gateway's clock was worth in its newest batch, empty where none was seen since the start.
func (l *Live) Clock(gateway string) string {
	if c, ok := l.clocks.Load(gateway); ok {
		return fmt.Sprint(c)
	}
	return ""
}

// Newest reads the last batches of the log, gateway by gateway.
type Newest interface {
	// LogEnd returns the position of the newest record.
	LogEnd(ctx context.Context) (int64, error)
	// EachNewest calls f with the last records of each gateway's newest chain, in their order.
	EachNewest(ctx context.Context, f func([]ingest.Record) error) error
}

// Name implements Projection.
func (*Live) Name() string { return "live" }

// Warm shows the last readings of every gateway and returns the position to follow the log from.
func (l *Live) Warm(ctx context.Context, log Newest) (position int64, err error) {
	if position, err = log.LogEnd(ctx); err == nil {
		err = log.EachNewest(ctx, func(r []ingest.Record) error { return l.Apply(ctx, r) })
	}
	if err != nil {
		return 0, fmt.Errorf("project: warm live values: %w", err)
	}
	return position, nil
}

// Apply implements Projection. A batch that nothing dates yet is no news.
func (l *Live) Apply(ctx context.Context, records []ingest.Record) error {
	if err := l.places.Refresh(ctx); err != nil {
		return err
	}
	var values []watch.Value
	for i := range records {
		b := records[i].Batch
		l.clocks.Store(b.Gateway, b.Clock)
		var began time.Time
		if b.Clock == measure.Unsynced {
			var ok bool
			var err error
			if began, ok, err = l.dater.Began(ctx, b); err != nil {
				return err
			} else if !ok {
				continue
			}
		}
		for j := range b.Readings {
			r := &b.Readings[j]
			v := watch.Value{Time: timeOf(r.Time, began), Quality: r.Quality, Reason: r.Reason}
			if r.Quality != measure.Fault {
				v.Value = r.Value
			}
			v.Gateway, v.Sensor, v.Quantity = b.Gateway, r.Sensor, r.Quantity
			v.Place = l.places.PlaceOf(b.Gateway, r.Sensor, v.Time)
			values = append(values, v)
		}
	}
	l.live.Update(values)
	return nil
}
