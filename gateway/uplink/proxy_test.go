package uplink_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"aovuon/firmware-sim/link"
)

// proxy is a network in between, which can be cut and be a bad one.
type proxy struct {
	*link.Link
	url string // where a gateway finds it
}

func newProxy(tb testing.TB, target string) *proxy { return newProxyOf(tb, target, time.Second) }

// newProxyOf is a proxy whose own timers run by another second.
func newProxyOf(tb testing.TB, target string, second time.Duration) *proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &proxy{
		Link: link.New(link.Options{Name: "test", To: target, Now: time.Now, Second: second, Seed: 6, Log: slog.New(slog.DiscardHandler)}),
		url:  "tcp://" + l.Addr().String(),
	}
	ctx, cancel := context.WithCancel(context.Background()) // its end is awaited below
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx, l) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return p
}
