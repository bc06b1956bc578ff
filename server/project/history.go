package project

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/history"
	"aovuon/server/ingest"
)

// History writes every reading of the log to a history.Store, with the place its sensor was at.
type History struct {
	store   history.Store
	places  *Places
	dater   *Dater
	anchors Anchors
	refused Refused // nil: refused points are only logged
	name    string
	now     func() time.Time
	log     *slog.Logger
	points  []history.Point      // reused between chunks
	freed   map[bootKey]struct{} // boots with an anchor and, since then, nothing parked
	written atomic.Int64
}

// NewHistory returns the projection. Only one goroutine may apply records.
func NewHistory(store history.Store, places *Places, dater *Dater, anchors Anchors, log *slog.Logger) *History {
	return &History{store: store, places: places, dater: dater, anchors: anchors, log: log, name: HistoryName, freed: map[bootKey]struct{}{}}
}

// Sheet keeps what one generation of the history has parked and refused.
type Sheet interface {
	Anchors
	Refused
}

// NewGeneration returns the projection that draws one generation of the history. What the store will never take is kept in the sheet, with the
// time by now.
func NewGeneration(g Generation, store history.Store, places *Places, dater *Dater, sheet Sheet, now func() time.Time, log *slog.Logger) *History {
	h := NewHistory(store, places, dater, sheet, log)
	h.name, h.refused, h.now = g.Cursor(), sheet, now
	return h
}

// Name implements Projection.
func (h *History) Name() string { return h.name }

// Written returns how many points were made durable since the start.
func (h *History) Written() int64 { return h.written.Load() }

// Apply implements Projection. Records that nothing dates are parked; an anchor frees those of its boot.
func (h *History) Apply(ctx context.Context, records []ingest.Record) error {
	if err := h.places.Refresh(ctx); err != nil {
		return err
	}
	h.points = h.points[:0]
	var parked []Parked
	for i := range records {
		r := &records[i]
		anchored, err := h.dater.Learn(ctx, r)
		if err != nil {
			return err
		}
		if anchored {
			if err := h.free(ctx, r.Batch, parked); err != nil {
				return err
			}
			parked = slices.DeleteFunc(parked, func(p Parked) bool { return p.Gateway == r.Batch.Gateway && p.Boot == r.Batch.Boot })
		}
		dated, err := h.add(ctx, r)
		if err != nil {
			return err
		}
		if !dated {
			parked = append(parked, Parked{r.Position, r.Batch.Gateway, r.Batch.Boot, int64(len(r.Batch.Readings))})
		}
	}
	if err := h.write(ctx); err != nil {
		return err
	}
	if len(parked) == 0 {
		return nil
	}
	if err := h.anchors.Park(ctx, parked); err != nil {
		return fmt.Errorf("park: %w", err)
	}
	return nil
}

// add makes the points of r; dated is false where nothing says when it was.
func (h *History) add(ctx context.Context, r *ingest.Record) (dated bool, err error) {
	b := r.Batch
	var began time.Time
	if b.Clock == measure.Unsynced {
		var ok bool
		if began, ok, err = h.dater.Began(ctx, b); err != nil || !ok {
			return false, err
		}
	}
	for i := range b.Readings {
		rd := &b.Readings[i]
		p := history.Point{Time: timeOf(rd.Time, began), Quality: rd.Quality}
		if rd.Quality != measure.Fault {
			p.Value = rd.Value
		}
		p.Series = history.Series{
			Place: h.places.PlaceOf(b.Gateway, rd.Sensor, p.Time), Quantity: rd.Quantity, Gateway: b.Gateway, Sensor: rd.Sensor,
		}
		h.points = append(h.points, p)
	}
	return true, nil
}

// free writes what was parked for the boot of b, which has an anchor now, parked itself included.
func (h *History) free(ctx context.Context, b *wire.Batch, parked []Parked) error {
	k := bootKey{b.Gateway, b.Boot}
	if _, done := h.freed[k]; done {
		return nil
	}
	if err := h.anchors.Park(ctx, parked); err != nil {
		return fmt.Errorf("park: %w", err)
	}
	for after := int64(0); ; {
		records, err := h.anchors.ParkedOf(ctx, k.gateway, k.boot, after, 500)
		if err != nil {
			return fmt.Errorf("parked of gateway %s: %w", k.gateway, err)
		}
		if len(records) == 0 {
			break
		}
		for i := range records {
			if _, err := h.add(ctx, &records[i]); err != nil {
				return err
			}
		}
		if err := h.write(ctx); err != nil {
			return err
		}
		after = records[len(records)-1].Position
		if err := h.anchors.Unpark(ctx, k.gateway, k.boot, after); err != nil {
			return fmt.Errorf("unpark of gateway %s: %w", k.gateway, err)
		}
	}
	if len(h.freed) >= maxBoots {
		clear(h.freed)
	}
	h.freed[k] = struct{}{}
	return nil
}

func (h *History) write(ctx context.Context) error {
	if len(h.points) == 0 {
		return nil
	}
	err := h.store.Write(ctx, h.points)
	refused := 0
	if rejected, ok := errors.AsType[*history.RejectedError](err); ok {
		// The engine will never take these; all others are durable. The log keeps them, and so does the quarantine, with the reason. They
		// are told in one line: a gateway whose clock is far off sends thousands.
		refused = len(rejected.Rejected)
		h.log.Error("history refuses points", slog.Int("points", refused), slog.Any("err", rejected))
		err = nil
		if h.refused != nil {
			err = h.refused.SaveRefused(ctx, rejected.Rejected, h.now())
		}
	}
	if err != nil {
		return err
	}
	h.written.Add(int64(len(h.points) - refused))
	h.points = h.points[:0]
	return nil
}
