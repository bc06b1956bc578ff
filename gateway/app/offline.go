package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/edge"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// OfflineOptions say how Offline plays a stretch of time.
type OfflineOptions struct {
	ConfigPath string        // the gateway's own configuration file; its key must exist (gateway init)
	Clock      sense.Clock   // virtual: Sleep moves it on
	Buses      kind.Buses    // simulated; with the pins of aerators (Output), where the configuration has any
	Every      time.Duration // every channel is asked once per step
	Until      time.Time     // no step begins after this
	Visit      Visit         // nil: nobody comes
	Log        *slog.Logger
}

// Visit is somebody who comes to the gateway before a step, and may calibrate its probes: time passes by the clock meanwhile. It
// is called before each step, at first before the first. ask asks every channel once and drops what they say.
type Visit func(ctx context.Context, now time.Time, desk *calibrate.Desk, ask func(context.Context) error) error

// Offline plays a gateway that has no network: it asks every channel once at each step of the given clock, lets the rules at
// the pond act on what they said, commits and seals into the gateway's own spool with the gateway's own key, and sends nothing. The next `gateway run` sends it all.
// What was sensed is on disk when Offline returns, also when ctx ends it early.
func Offline(ctx context.Context, o OfflineOptions) (err error) {
	if o.Every <= 0 {
		return fmt.Errorf("app: offline: a step of %v", o.Every)
	}
	p, err := makePlan(o.ConfigPath, o.Buses, o.Clock, false)
	if err != nil {
		return err
	}
	p.ahead = math.MaxInt // a season is sealed as it is played
	log := o.Log.With(slog.String("gateway", p.cfg.Gateway))
	g, err := open(ctx, p, o.Clock, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	station := sense.NewStation(o.Clock, p.channels, log)
	end := g.openDesk(ctx, p.desk, station)
	quiet := *g
	quiet.log = slog.New(slog.DiscardHandler) // what the rules did stands in the readings
	rules := quiet.newEdge(p, o.Clock, g.sealer)
	station.Watch(rules)
	err = o.play(ctx, p.cfg.Seal.OfflineEvery, station, p.desk, g, rules)
	end()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := errors.Join(err, g.sealer.Flush(last)); err != nil {
		return fmt.Errorf("app: offline: %w", err)
	}
	return nil
}

func (o OfflineOptions) play(ctx context.Context, sealEvery time.Duration, station *sense.Station, desk *calibrate.Desk, g *gateway, rules *edge.Runner) error {
	visit := func(now time.Time) error {
		if o.Visit == nil {
			return nil
		}
		return o.Visit(ctx, now, desk, func(ctx context.Context) error { return station.PollAll(ctx, nowhere{}) })
	}
	if err := visit(o.Clock.Now().Wall); err != nil {
		return err
	}
	start := o.Clock.Now().Wall
	sealed := start
	for step := 1; ; step++ {
		now := o.Clock.Now().Wall
		if now.After(o.Until) {
			return nil
		}
		if step > 1 {
			if err := visit(now); err != nil {
				return err
			}
		}
		if err := station.PollAll(ctx, g.sealer); err != nil {
			return err
		}
		rules.Step(ctx)
		if now.Sub(sealed) >= sealEvery {
			if err := g.sealer.Flush(ctx); err != nil {
				return err
			}
			sealed = now
		}
		// Steps keep their beat although asking takes time; a step that took longer than a beat skips one.
		if wait := start.Add(time.Duration(step) * o.Every).Sub(o.Clock.Now().Wall); wait > 0 {
			if err := o.Clock.Sleep(ctx, wait); err != nil {
				return err
			}
		}
	}
}
