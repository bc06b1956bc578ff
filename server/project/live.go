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

// newestOf is the newest reading of one channel in a chunk.
type newestOf struct {
	reading *measure.Reading
	at      time.Time
	ahead   bool // see watch.Value
}

type channelKey struct {
	gateway, sensor string
	quantity        measure.Quantity
}

// Apply implements Projection. A batch that nothing dates yet is no news. Of a chunk only the newest reading of each
// channel becomes a value: while a season is caught up with, nearly all readings are old at once. As in watch.Live, one dated
// ahead of the server's clock, by when the server received it, yields to the next.
func (l *Live) Apply(ctx context.Context, records []ingest.Record) error {
	if err := l.places.Refresh(ctx); err != nil {
		return err
	}
	newest := make(map[channelKey]newestOf, 256)
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
		limit := records[i].Received.Add(watch.AheadBy)
		for j := range b.Readings {
			r := &b.Readings[j]
			k, at := channelKey{b.Gateway, r.Sensor, r.Quantity}, timeOf(r.Time, began)
			if old, ok := newest[k]; !ok || old.ahead || !at.Before(old.at) {
				newest[k] = newestOf{r, at, at.After(limit)}
			}
		}
	}
	values := make([]watch.Value, 0, len(newest))
	for k, n := range newest {
		v := watch.Value{Time: n.at, Ahead: n.ahead, Quality: n.reading.Quality, Reason: n.reading.Reason, Inputs: n.reading.Inputs}
		if v.Quality != measure.Fault {
			v.Value, v.Raw, v.Filtered = n.reading.Value, n.reading.Raw, n.reading.Filtered
		}
		v.Gateway, v.Sensor, v.Quantity, v.Place = k.gateway, k.sensor, k.quantity, l.places.PlaceOf(k.gateway, k.sensor, n.at)
		values = append(values, v)
	}
	l.live.Update(values)
	return nil
}
