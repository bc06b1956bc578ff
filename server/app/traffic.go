package app

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aovuon/server/tracing"
)

// traffic counts what is asked of the pages.
type traffic struct {
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	open     prometheus.Gauge
	tracer   *tracing.Tracer // nil: nothing is traced
}

// newTraffic makes the counters and registers them with reg.
func newTraffic(reg prometheus.Registerer, tracer *tracing.Tracer) (*traffic, error) {
	t := &traffic{
		tracer: tracer,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aovuon_http_requests_total", Help: "Requests answered, by the line of the table of routes, method and status.",
		}, []string{"route", "method", "status"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "aovuon_http_request_seconds", Help: "How long answers took; those of the live stream, which has no end, are left out.",
			Buckets: []float64{0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10},
		}, []string{"route"}),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "aovuon_http_open_requests", Help: "Requests under way, live streams among them."}),
	}
	return t, errors.Join(reg.Register(t.requests), reg.Register(t.took), reg.Register(t.open))
}

// liveRoute is the line of the table that streams.
const liveRoute = "/live"

// Begin implements web.Watched.
func (t *traffic) Begin(ctx context.Context, route, method string) (context.Context, func(int, time.Duration)) {
	t.open.Inc()
	ctx, end := t.tracer.Request(ctx, route, knownMethod(method))
	return ctx, func(status int, took time.Duration) {
		end(status)
		t.open.Dec()
		t.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status)).Inc()
		if route != liveRoute {
			t.took.WithLabelValues(route).Observe(took.Seconds())
		}
	}
}

// knownMethod is a method that there is: strangers may write what they like there.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch:
		return m
	}
	return "other"
}
