package app

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aovuon/server/history"
)

// measured is the history as its projection writes it, with what that takes.
type measured struct {
	history.Store
	now    func() time.Time
	took   prometheus.Histogram
	points prometheus.Counter
	failed *prometheus.CounterVec
}

// The kinds of what a write to the history may come to.
const (
	writeRejected      = "rejected"      // points that will never be taken; all others of the write are
	writeUnavailable   = "unavailable"   // the engine is down, busy or full: tried again
	writeConfiguration = "configuration" // somebody has to set something right
	writeOther         = "other"
)

func newMeasured(reg prometheus.Registerer, s history.Store, now func() time.Time) (*measured, error) {
	m := &measured{
		Store: s, now: now,
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aovuon_history_write_seconds", Help: "Duration of a write to the history.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		points: prometheus.NewCounter(prometheus.CounterOpts{Name: "aovuon_history_points_total", Help: "Points that the history has durably taken since the start; what is written again counts again."}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aovuon_history_errors_total", Help: "Writes to the history that failed, by kind: rejected (single points), unavailable (tried again), configuration (somebody has to act), other.",
		}, []string{"kind"}),
	}
	for _, k := range []string{writeRejected, writeUnavailable, writeConfiguration, writeOther} {
		m.failed.WithLabelValues(k)
	}
	return m, errors.Join(reg.Register(m.took), reg.Register(m.points), reg.Register(m.failed))
}

// Write implements history.Store.
func (m *measured) Write(ctx context.Context, points []history.Point) error {
	begin := m.now()
	err := m.Store.Write(ctx, points)
	m.took.Observe(m.now().Sub(begin).Seconds())
	rejected, some := errors.AsType[*history.RejectedError](err)
	switch {
	case err == nil:
		m.points.Add(float64(len(points)))
	case some:
		m.points.Add(float64(len(points) - len(rejected.Rejected)))
		m.failed.WithLabelValues(writeRejected).Inc()
	case errors.Is(err, history.ErrUnavailable):
		m.failed.WithLabelValues(writeUnavailable).Inc()
	case errors.Is(err, history.ErrConfiguration):
		m.failed.WithLabelValues(writeConfiguration).Inc()
	case ctx.Err() == nil:
		m.failed.WithLabelValues(writeOther).Inc()
	}
	return err
}
