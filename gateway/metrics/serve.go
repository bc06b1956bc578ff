package metrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler answers GET /metrics from a source, with the figures of the process beside it.
func Handler(from Source) (http.Handler, error) {
	r := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collector{from}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 2, DisableCompression: true}))
	return mux, nil
}

// Serve answers at an address until ctx is done; then it returns nil.
func Serve(ctx context.Context, listen string, from Source) error {
	h, err := Handler(from)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("metrics: %w (is another program there already?)", err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: scrape, ReadTimeout: scrape, WriteTimeout: 2 * scrape, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- s.Close() }) // who still reads is cut off: it will ask again
	err = s.Serve(l)
	if stop() {
		return fmt.Errorf("metrics: %w", err)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, <-closed)
}
