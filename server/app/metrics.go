package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"aovuon/server/project"
)

// figurePatience is how long one reading of /metrics may ask the database, all parts together: Prometheus gives up after ten seconds.
const figurePatience = 3 * time.Second

// figures are the metrics that are looked up when somebody reads them. A part that cannot be looked up now is left out, and
// aovuon_figures_ok says so: an old number that looks like a new one would be worse. No label is anything a stranger can make up, or of a person.
type figures struct {
	s     *running
	parts []figurePart

	mu     sync.Mutex
	failed map[string]bool // parts whose failure is in the log
}

// figurePart is some figures that are known or unknown together.
type figurePart struct {
	name string
	look func(ctx context.Context, put func(*figure, float64, ...string)) error
}

// figure is one metric.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func gauge(name, help string, labels ...string) *figure {
	return &figure{prometheus.NewDesc("aovuon_"+name, help, labels, nil), prometheus.GaugeValue}
}

func counter(name, help string, labels ...string) *figure {
	return &figure{prometheus.NewDesc("aovuon_"+name, help, labels, nil), prometheus.CounterValue}
}

var errFigures = errors.New("a metric cannot be made")

// Describe implements prometheus.Collector. What there is depends on the configuration: it is not foretold.
func (f *figures) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f *figures) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	put := func(g *figure, v float64, labels ...string) {
		m, err := prometheus.NewConstMetric(g.desc, g.kind, v, labels...)
		if err != nil { // a fault of ours
			m = prometheus.NewInvalidMetric(g.desc, errors.Join(errFigures, err))
		}
		out <- m
	}
	known := gauge("figures_ok", "Whether the figures of a part could be looked up; those of one that is 0 are left out.", "part")
	for _, p := range f.parts {
		err := p.look(ctx, put)
		f.tell(p.name, err)
		put(known, truth(err == nil), p.name)
	}
}

// tell logs a failure once, and its end.
func (f *figures) tell(part string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil && !f.failed[part]:
		f.s.log.Warn("figures are left out", slog.String("part", part), slog.Any("err", err))
	case err == nil && f.failed[part]:
		f.s.log.Info("figures are back", slog.String("part", part))
	}
	f.failed[part] = err != nil
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// seconds is a time as Prometheus writes it; 0 for none.
func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// openMetrics registers what is not registered by the parts themselves.
func (s *running) openMetrics() error {
	f := &figures{s: s, failed: map[string]bool{}}
	f.parts = []figurePart{
		{"server", f.server},
		{"processes", f.processes},
		{"log", f.logAndProjections},
		{"gateways", f.gateways},
		{"disk", f.disk},
		{"database", f.database},
	}
	if s.ingest != nil {
		f.parts = append(f.parts, figurePart{"ingest", f.ingest})
	}
	if s.config.office() {
		f.parts = append(f.parts, figurePart{"ledger", f.ledger}, figurePart{"messages", f.messages}, figurePart{"backup", f.backup}, figurePart{"alarms", f.alarms})
	}
	return errors.Join(s.metrics.Register(collectors.NewGoCollector()),
		s.metrics.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})), s.metrics.Register(f))
}

// projections are the runners of this process by name; those that have not begun yet, or that another process leads, are left out.
func (s *running) projections() map[string]*project.Runner {
	out := map[string]*project.Runner{}
	for lease, r := range map[string]*project.Runner{leaseHistory: s.historyRunner.Load(), leaseSettings: s.settingsRunner, leaseCalibrations: s.calibrations} {
		if s.leads.leading(lease) {
			out[lease] = r
		}
	}
	if live := s.liveRunner.Load(); live != nil {
		out["live"] = live
	}
	return out
}
