package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/gateway/edge"
	"aovuon/gateway/health"
	"aovuon/gateway/measure"
	"aovuon/gateway/metrics"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/uplink"
)

// HealthConfig says how often the gateway tells how it is itself.
type HealthConfig struct {
	ID    string        `yaml:"id"`
	Every time.Duration `yaml:"every"`
	Off   bool          `yaml:"off"`
}

// MetricsConfig says where Prometheus may ask; nowhere without Listen.
type MetricsConfig struct {
	Listen string `yaml:"listen"`
}

// side is what works beside the flow of readings: the rules at the pond, the gateway's own health, figures for Prometheus.
// It watches every reading of the station and adds its own to the sink.
type side struct {
	cfg    *Config
	clock  sense.Clock
	sink   sense.Sink // of its own readings
	log    *slog.Logger
	rules  *edge.Runner
	health *health.Reader  // nil: off
	faults *metrics.Faults // nil: nobody asks
	source *metrics.Source // what faults belong to
	linked atomic.Bool
	told   atomic.Bool   // what the last reading said of linked; a gateway that starts is taken to have no link
	turned chan struct{} // holds one when linked has been set since it was looked at
}

// newSide makes what the configuration asks for; seen is shown its readings, too. root is where the machine's own files are
// looked for; empty: where they are. It starts nothing.
func (g *gateway) newSide(p *plan, clock sense.Clock, root string, seen sense.Sink) *side {
	s := &side{cfg: p.cfg, clock: clock, sink: tee{seen, g.sealer}, log: g.log, turned: make(chan struct{}, 1)}
	if p.cfg.Metrics.Listen != "" {
		s.faults = metrics.NewFaults()
		s.sink = tee{seen, s.faults, g.sealer}
	}
	s.rules = g.newEdge(p, clock, s.sink)
	if !p.cfg.Health.Off {
		s.health = health.New(health.Options{
			Sensor: p.cfg.Health.ID, Root: root, Link: s.tellsLink, Offset: health.ClockOffset,
			DiskFree: func() (uint64, error) {
				v, err := statFS(p.cfg.DataDir)
				return v.Free, err
			},
			Waiting: func(ctx context.Context) (uint64, error) {
				st, err := g.spool.Stats(ctx)
				return st.Sealed, err
			},
		})
	}
	return s
}

// tellsLink is how the link is, for a reading that says so.
func (s *side) tellsLink() bool {
	up := s.linked.Load()
	s.told.Store(up)
	return up
}

// link is told whether batches reach the server, and tells the others.
func (s *side) link(next func(up bool)) func(up bool) {
	return func(up bool) {
		s.linked.Store(up)
		select {
		case s.turned <- struct{}{}:
		default: // a turn is waiting to be told
		}
		next(up)
	}
}

// show tells Prometheus how the parts of the gateway are, and the newest readings.
func (s *side) show(g *gateway, newest func() []measure.Reading, up *uplink.Uplink) {
	if s.faults == nil {
		return
	}
	s.source = &metrics.Source{
		Version: version(), Readings: newest, Faults: s.faults, Link: s.linked.Load,
		Uptime: func() time.Duration { return s.clock.Now().Uptime },
		Spool: func(ctx context.Context) (metrics.Spool, error) {
			st, err := g.spool.Stats(ctx)
			return metrics.Spool{Pending: st.Pending, Batches: st.Sealed, Bytes: st.Bytes}, err
		},
		Seal: func() metrics.Seal {
			h := g.sealer.Health()
			return metrics.Seal{Buffered: h.Buffered, Dropped: h.Dropped, Thinned: h.Thinned, Failing: h.Err != nil}
		},
		Uplink: func() metrics.Uplink { return metrics.Uplink(up.Counters()) },
		Edge:   s.rules.Status,
	}
}

// watch has every reading of the station shown to what works beside it.
func (s *side) watch(station *sense.Station) {
	station.Watch(s.rules)
	if s.faults != nil {
		station.Watch(s.faults)
	}
}

// keep forgets what Prometheus was told of sensors that a plan does not have any more.
func (s *side) keep(p *plan) {
	if s.faults != nil {
		s.faults.Keep(p.sensors())
	}
}

// run works until ctx is done.
func (s *side) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.rules.Run(ctx) })
	if s.health != nil {
		group.Go(func() error { return s.tell(ctx) })
		group.Go(func() error { return s.tellLink(ctx) })
	}
	if s.source != nil {
		group.Go(func() error {
			if err := metrics.Serve(ctx, s.cfg.Metrics.Listen, *s.source); err != nil { // the readings go on without it
				s.log.Error("Prometheus cannot ask", slog.Any("err", err))
			}
			return nil
		})
	}
	return group.Wait()
}

// tell hands over the health, whenever the uptime is a multiple of its interval.
func (s *side) tell(ctx context.Context) error {
	every := s.cfg.Health.Every
	for {
		if err := s.hand(ctx, s.health.Read(ctx, s.clock.Now())); err != nil {
			return err
		}
		now := s.clock.Now().Uptime
		if err := s.clock.Sleep(ctx, (now/every+1)*every-now); err != nil {
			return nil //nolint:nilerr // ctx is done
		}
	}
}

// linkEvery is how often a link that comes and goes is told of at most: a reading each time would cost what the link has not.
const linkEvery = 10 * time.Second

// tellLink tells of the link when it turns: what the last round of health said of it may be half an hour old.
func (s *side) tellLink(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.turned:
		}
		if s.linked.Load() != s.told.Load() {
			if err := s.hand(ctx, []measure.Reading{s.health.Link(s.clock.Now(), s.tellsLink())}); err != nil {
				return err
			}
		}
		if err := s.clock.Sleep(ctx, linkEvery); err != nil {
			return nil //nolint:nilerr // ctx is done
		}
	}
}

// hand gives readings of the gateway itself to its rules and to the spool.
func (s *side) hand(ctx context.Context, readings []measure.Reading) error {
	if err := s.rules.Take(ctx, readings); err != nil {
		return err
	}
	if err := s.sink.Take(ctx, readings); err != nil {
		s.log.Error("readings of the gateway's health are lost", slog.Any("err", err))
	}
	return nil
}

// healthQuantities are what the gateway may tell of itself, by the id it tells it under: alarms may watch it.
func (c *Config) healthQuantities() map[string][]measure.Quantity {
	if c.Health.Off {
		return nil
	}
	return map[string][]measure.Quantity{c.Health.ID: {
		measure.CPUTemperature, measure.UnderVoltage, measure.DiskFree, measure.MemoryResident, measure.SpoolDepth,
		measure.ClockOffset, measure.LinkUp,
	}}
}

// validateSide checks what stands in the file itself about health and metrics.
func (c *Config) validateSide(say func(key, problem, mend string)) {
	h := c.Health
	if !measure.ValidID(h.ID, 40) || h.ID == "gateway" {
		say("$.health.id", fmt.Sprintf("bad id %q", h.ID), "use up to 40 of a-z, 0-9 and -, not - first; \"gateway\" is taken")
	}
	if !h.Off && slices.ContainsFunc(c.Sensors, func(s kind.Spec) bool { return s.ID == h.ID }) {
		say("$.health.id", fmt.Sprintf("%q is a sensor already", h.ID), "its readings need a name of their own")
	}
	if h.Every < time.Second || h.Every > time.Hour {
		say("$.health.every", fmt.Sprintf("every of %v", h.Every), "write a time from 1s to 1h, or off: true")
	}
	if listen := c.Metrics.Listen; listen != "" {
		if _, port, err := net.SplitHostPort(listen); err != nil || !validPort(port) {
			say("$.metrics.listen", fmt.Sprintf("bad address %q", listen), "write an address and a port, as in 127.0.0.1:9464")
		}
	}
}

// tee hands readings to several sinks, each its own copy of the slice.
type tee []sense.Sink

// Take implements sense.Sink.
func (t tee) Take(ctx context.Context, readings []measure.Reading) error {
	var errs []error
	for _, s := range t {
		errs = append(errs, s.Take(ctx, slices.Clone(readings)))
	}
	return errors.Join(errs...)
}
