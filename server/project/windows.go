package project

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/ingest"
	"aovuon/server/watch"
	"aovuon/server/watch/alarm"
)

// Windows leads readings into the windows that alarms are decided on. Its effect is in memory, so it keeps no cursor: Warm fills it after a
// restart, and a runner leads it on from there.
type Windows struct {
	windows  *alarm.Windows
	places   *Places
	dater    *Dater
	now      func() time.Time
	position atomic.Int64
}

// NewWindows returns the projection.
func NewWindows(windows *alarm.Windows, places *Places, dater *Dater, now func() time.Time) *Windows {
	p := &Windows{windows: windows, places: places, dater: dater, now: now}
	p.position.Store(-1)
	return p
}

// Name implements Projection.
func (*Windows) Name() string { return "alarm" }

// Position is up to where the windows hold the log; -1 before Warm is done.
func (p *Windows) Position() int64 { return p.position.Load() }

// Past reads the log from a time on.
type Past interface {
	Source
	Newest
	// LogPosition returns the position of the newest record that was received before a time, 0 where there is none.
	LogPosition(ctx context.Context, before time.Time) (int64, error)
}

// Warm reads what was received within the windows' horizon, and when each gateway was heard last. It returns the position to follow the log
// from.
func (p *Windows) Warm(ctx context.Context, log Past) (position int64, err error) {
	err = log.EachNewest(ctx, func(records []ingest.Record) error { // also of gateways that are silent for longer
		for i := range records {
			p.windows.Heard(records[i].Batch.Gateway, records[i].Received)
		}
		return nil
	})
	if err == nil {
		position, err = log.LogPosition(ctx, p.now().Add(-alarm.Horizon))
	}
	for err == nil {
		var records []ingest.Record
		if records, err = log.After(ctx, position, chunkRecords, chunkSize); err != nil || len(records) == 0 {
			break
		}
		if err = p.Apply(ctx, records); err == nil {
			position = records[len(records)-1].Position
		}
	}
	if err != nil {
		return 0, fmt.Errorf("project: warm the windows of alarms: %w", err)
	}
	p.position.Store(position)
	return position, nil
}

// Apply implements Projection. What nothing dates yet, and what is dated ahead of the server's clock, is worth nothing to an alarm of now: a
// probe whose readings nobody can date is silent.
func (p *Windows) Apply(ctx context.Context, records []ingest.Record) error {
	if err := p.places.Refresh(ctx); err != nil {
		return err
	}
	oldest := p.now().Add(-alarm.Horizon)
	var samples []alarm.Sample
	for i := range records {
		b := records[i].Batch
		p.windows.Heard(b.Gateway, records[i].Received)
		var began time.Time
		if b.Clock == measure.Unsynced {
			var ok bool
			var err error
			if began, ok, err = p.dater.Began(ctx, b); err != nil {
				return err
			} else if !ok {
				continue
			}
		}
		ahead := records[i].Received.Add(watch.AheadBy)
		for j := range b.Readings {
			r := &b.Readings[j]
			at := timeOf(r.Time, began)
			if at.Before(oldest) || at.After(ahead) || r.Quantity.OfGateway() {
				continue
			}
			x := alarm.Sample{Time: at, Quality: r.Quality, Reason: r.Reason}
			if x.Place = p.places.PlaceOf(b.Gateway, r.Sensor, at); x.Place == Unplaced {
				continue
			}
			x.Gateway, x.Sensor, x.Quantity = b.Gateway, r.Sensor, r.Quantity
			if x.Quality != measure.Fault {
				x.Value = r.Value
			}
			samples = append(samples, x)
		}
	}
	p.windows.Add(samples, p.now())
	if p.position.Load() >= 0 {
		p.position.Store(records[len(records)-1].Position)
	}
	return nil
}
