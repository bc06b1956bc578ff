package app

import (
	"context"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/sqldb"
	"aovuon/server/web"
)

// lastBatches reads the newest batches of a gateway for its page.
func lastBatches(db *sqldb.DB) func(ctx context.Context, gateway string, limit int) ([]web.Batch, error) {
	return func(ctx context.Context, gateway string, limit int) ([]web.Batch, error) {
		records, err := db.LastBatches(ctx, gateway, limit)
		if err != nil {
			return nil, err
		}
		out := make([]web.Batch, 0, len(records))
		for _, r := range records {
			b := web.Batch{Seq: r.Batch.Seq, Received: r.Received, Readings: len(r.Batch.Readings), Gaps: len(r.Batch.Gaps), Clock: r.Batch.Clock.String()}
			for i := range r.Batch.Readings {
				x := &r.Batch.Readings[i]
				if x.Quality == measure.Fault {
					b.Faults++
				}
				b.From, b.To = widen(b.From, b.To, x.Time.Wall)
			}
			for _, d := range r.Batch.Documents {
				b.Told = append(b.Told, string(d.Kind))
			}
			out = append(out, b)
		}
		return out, nil
	}
}

// widen takes a time into a span; a zero time is of a clock that knew none.
func widen(from, to, t time.Time) (time.Time, time.Time) {
	if t.IsZero() {
		return from, to
	}
	if from.IsZero() || t.Before(from) {
		from = t
	}
	if t.After(to) {
		to = t
	}
	return from, to
}
