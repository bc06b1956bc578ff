// Package host runs the machines of a field: gateways with their links and cards, servers and brokers.
//
// A field and its file come in; the real programs run as children, and everything that happens to machines in a field can be
// commanded: power cuts, sagging supplies, full and failing cards, wrong clocks, bad links, a broker that is gone. The commands are
// verbs of the field's desk: FORMAT.md. Nothing here knows what is in a program.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/disk"
	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/link"
)

// Options are what a host needs beside the field's file.
type Options struct {
	Household *child.Household
	Sim       string // this program, which puts others on a card: `firmware-sim on-card`
	Gateway   string // the gateway program, for gateways that name none
	Now       func() time.Time
	Log       *slog.Logger
}

// Host is the machines of one field.
type Host struct {
	cfg      field.Config
	field    *field.Field
	o        Options
	log      *slog.Logger
	gateways []*gateway
	programs []*program
	links    []*link.Link
	ports    []net.Listener // of the links

	ctx context.Context // of what happens by itself
	wg  sync.WaitGroup
}

// New prepares the machines of a field and gives its desk their verbs. It starts nothing, but opens the links' ports, which
// Close closes when Run is not called.
func New(ctx context.Context, c field.Config, f *field.Field, o Options) (*Host, error) {
	h := &Host{cfg: c, field: f, o: o, log: o.Log}
	if err := h.add(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// add makes everything there is.
func (h *Host) add(ctx context.Context) (err error) {
	for _, g := range h.cfg.Gateways {
		if err := h.addGateway(ctx, g); err != nil {
			return fmt.Errorf("gateway %s: %w", g.ID, err)
		}
	}
	for _, p := range h.cfg.Programs {
		p.Run = slices.Clone(p.Run)
		if p.Run[0], err = runnable(p.Run[0]); err != nil {
			return fmt.Errorf("program %s: %w", p.ID, err)
		}
		h.programs = append(h.programs, &program{host: h, cfg: p})
	}
	for _, e := range h.field.MachineFaults() {
		if _, err := heals(e.Verb, e.Fault); err != nil {
			return fmt.Errorf("%s: %w", e.At, err)
		}
	}
	if len(h.gateways)+len(h.programs) == 0 {
		return nil
	}
	return h.field.Desk().Add(h.verbs()...)
}

// runnable finds a program.
func runnable(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: name a program that can be run, or build it (make build)", err)
	}
	return filepath.Abs(path)
}

func (h *Host) addGateway(ctx context.Context, c field.Gateway) (err error) {
	g := &gateway{host: h, cfg: c}
	if g.file, err = readGateway(c.Config); err != nil {
		return err
	}
	if g.file.id != c.ID {
		return fmt.Errorf("%s is the configuration of %q: write that id, or name another file", c.Config, g.file.id)
	}
	if _, err := runnable(g.program()); err != nil {
		return err
	}
	g.buses = h.field.BusesOf(g.file.wires)
	if g.card, err = disk.New(g.file.data, int64(c.Disk.MB*1e6)); err != nil {
		return err
	}
	if g.machine, err = newMachine(filepath.Join(h.cfg.RunDir, "machines", c.ID), c.RTC, h.o.Now); err != nil {
		return err
	}
	g.on = true
	h.gateways = append(h.gateways, g)
	if c.Link == nil {
		return nil
	}
	return h.addLink(ctx, g)
}

func (h *Host) addLink(ctx context.Context, g *gateway) error {
	c := g.cfg.Link
	if !strings.HasSuffix(c.Listen, ":0") && g.file.broker != c.Listen {
		return fmt.Errorf("its link listens on %s, but its server.url in %s leads to %s: write url: tcp://%s there, or ssl:// for TLS",
			c.Listen, g.cfg.Config, g.file.broker, c.Listen)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("its link: %w: stop what listens there, or choose another port", err)
	}
	g.link = link.New(link.Options{Name: g.cfg.ID, To: c.To, Now: h.o.Now, Seed: h.cfg.Seed, Log: h.log})
	h.links, h.ports = append(h.links, g.link), append(h.ports, l)
	return nil
}

// Close closes the links' ports of a host that does not run; after Run there is nothing left to close.
func (h *Host) Close() error {
	return each(h.ports, func(l net.Listener) error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
}

// Run starts the programs, then has the field serve, then starts the gateways, and calls ready when all of them have been
// started. When ctx is done everything ends, in reverse; a gateway that ends by itself ends nothing else.
func (h *Host) Run(ctx context.Context, ready func()) (err error) {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var quit context.CancelFunc
	h.ctx, quit = context.WithCancel(ctx)
	defer quit()
	served := make(chan error, len(h.links)+1)
	for i, l := range h.links {
		go func() { served <- l.Serve(serving, h.ports[i]) }()
	}
	defer func() { // in reverse: gateways, field and links, programs
		quit()
		err = errors.Join(err, together(h.gateways, func(g *gateway) error { return g.stop(false) }))
		stop()
		for range cap(served) {
			err = errors.Join(err, <-served)
		}
		err = errors.Join(err, together(h.programs, func(p *program) error { return p.stop(false) }))
		h.wg.Wait()
		err = errors.Join(err, each(h.gateways, func(g *gateway) error { return g.card.Close() }))
	}()
	up := make(chan struct{})
	begin := func() error { return h.field.Serve(serving, h.log, func() { close(up) }) }
	if err := each(h.programs, func(p *program) error { return p.start(ctx) }); err != nil {
		served <- nil
		return unlessDone(ctx, err)
	}
	fieldEnded := make(chan struct{})
	go func() {
		err := begin()
		close(fieldEnded)
		served <- err
	}()
	select {
	case <-up:
	case <-fieldEnded:
		return nil // its error comes with the others
	}
	for _, g := range h.gateways {
		if g.cfg.RTC {
			h.wg.Go(func() { g.tick(h.ctx) })
		}
		if !g.cfg.Starts() {
			continue
		}
		if err := g.start(); err != nil {
			return unlessDone(ctx, err)
		}
	}
	for _, e := range h.field.MachineFaults() {
		h.wg.Go(func() { h.play(e) })
	}
	ready()
	select {
	case <-ctx.Done():
	case <-fieldEnded:
	}
	return nil
}

// unlessDone is an error that is none when it came because everything ends.
func unlessDone(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// power takes the power from what hangs on buses, or gives it back. Relays fall off; chips forget.
func (h *Host) power(buses []string, on bool) error {
	board := h.field.Board()
	if !on {
		err := each(buses, func(id string) error {
			if err := board.Set(id, fault.PowerCut); err != nil && !errors.Is(err, fault.ErrUnknown) { // pins have no power
				return err
			}
			return nil
		})
		return errors.Join(err, h.field.FallOff(buses))
	}
	var errs []error
	for _, d := range board.Devices() {
		if slices.Contains(buses, d.Name) && d.Fault == fault.PowerCut {
			errs = append(errs, board.Set(d.Name, fault.None))
		}
	}
	return errors.Join(errs...)
}
