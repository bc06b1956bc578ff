package project

import (
	"context"
	"fmt"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/calibration"
	"aovuon/server/ingest"
)

// CalibrationStore keeps calibrations.
type CalibrationStore interface {
	// SaveCalibrations keeps entries; one that is there already stays as it is.
	SaveCalibrations(ctx context.Context, entries []calibration.Entry) error
	// DateCalibrations dates the undated entries of a boot that began at began.
	DateCalibrations(ctx context.Context, gateway, boot string, began time.Time) error
}

// Calibrations keeps every calibration document of the log, whatever it says.
type Calibrations struct {
	store CalibrationStore
	dater *Dater
}

// NewCalibrations returns the projection.
func NewCalibrations(store CalibrationStore, dater *Dater) *Calibrations {
	return &Calibrations{store: store, dater: dater}
}

// CalibrationsName is the projection's name.
const CalibrationsName = "calibrations"

// Name implements Projection.
func (*Calibrations) Name() string { return CalibrationsName }

// Apply implements Projection.
func (c *Calibrations) Apply(ctx context.Context, records []ingest.Record) error {
	var entries []calibration.Entry
	dated := map[bootKey]time.Time{}
	for i := range records {
		r := &records[i]
		b := r.Batch
		anchored, err := c.dater.Learn(ctx, r)
		if err != nil {
			return err
		}
		if anchored {
			began, _, err := c.dater.Began(ctx, b)
			if err != nil {
				return err
			}
			dated[bootKey{b.Gateway, b.Boot}] = began
		}
		for k, d := range b.Documents {
			if d.Kind != wire.DocCalibration {
				continue
			}
			e := calibration.New(b.Gateway, d)
			e.Boot, e.Position, e.Ordinal, e.Received = b.Boot, r.Position, k, r.Received
			began, ok := time.Time{}, true
			if b.Clock == measure.Unsynced {
				if began, ok, err = c.dater.Began(ctx, b); err != nil {
					return err
				}
			}
			if ok {
				e.Time = timeOf(d.Time, began)
			}
			entries = append(entries, e)
		}
	}
	if len(entries) > 0 {
		if err := c.store.SaveCalibrations(ctx, entries); err != nil {
			return fmt.Errorf("save calibrations: %w", err)
		}
	}
	// After the entries of the same chunk, and also for those of earlier ones. An anchor that was learnt by another
	// projection counts, too: Learn tells of it again.
	for k, began := range dated {
		if err := c.store.DateCalibrations(ctx, k.gateway, k.boot, began); err != nil {
			return fmt.Errorf("date calibrations: %w", err)
		}
	}
	return nil
}
