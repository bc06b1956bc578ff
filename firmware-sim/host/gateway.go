package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/disk"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/link"
	"aovuon/gateway/sense"
)

const (
	// grace is how long a program may take to end when it is asked.
	grace = 20 * time.Second
	// again is how long systemd waits before it starts a program again (hardware/pi).
	again = 2 * time.Second
)

// gateway is a machine with the gateway program on it. Its own lock orders what is done to it.
type gateway struct {
	host  *Host
	cfg   field.Gateway
	file  *gatewayFile
	buses []string // that have their power from its box
	link  *link.Link
	card  *disk.Disk

	mu      sync.Mutex
	machine *machine
	on      bool // has power
	prog    *child.Child
	watched chan struct{} // closed when nobody asks about prog's files any more
	ended   string        // how it ended by itself last
	turn    int           // of what is to happen by itself: a later command makes it void
}

// start switches the machine on, if it is off, and starts the program.
func (g *gateway) start() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn++
	return g.startNow()
}

// startNow is start for who holds the lock.
func (g *gateway) startNow() error {
	if g.prog != nil && g.prog.Alive() {
		return fmt.Errorf("gateway %s runs already", g.cfg.ID)
	}
	if !g.on {
		if err := errors.Join(g.machine.boot(), g.host.power(g.buses, true)); err != nil {
			return err
		}
		g.on = true
	}
	g.ended = ""
	ours, theirs, err := disk.Pair()
	bin, args := g.program(), []string{"run", "--config", g.cfg.Config}
	spec := child.Spec{Name: g.cfg.ID, Bin: bin, Args: args, Env: []string{sense.MachineVariable + "=" + g.machine.root}}
	if err == nil {
		spec.Bin, spec.As = g.host.o.Sim, "firmware-sim"
		spec.Args, spec.Files = append([]string{"on-card", "--", bin}, args...), []*os.File{theirs}
	} else if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	c, err := g.host.o.Household.Spawn(spec)
	if theirs != nil {
		err = errors.Join(err, theirs.Close())
	}
	if err != nil {
		if ours != nil {
			err = errors.Join(err, ours.Close())
		}
		return err
	}
	g.prog, g.watched = c, make(chan struct{})
	g.host.wg.Go(func() { g.attend(c, ours, g.watched) })
	return nil
}

func (g *gateway) program() string {
	if g.cfg.Program != "" {
		return g.cfg.Program
	}
	return g.host.o.Gateway
}

// attend stays with a program until it has ended, and starts it again when it ended by itself and that is its way.
func (g *gateway) attend(c *child.Child, card *net.UnixConn, watched chan struct{}) {
	if card != nil {
		if err := g.card.Watch(card); err != nil {
			g.host.log.Warn("its card is no longer watched", slog.String("gateway", g.cfg.ID), slog.Any("err", err))
		}
	}
	close(watched)
	<-c.Done
	if c.Asked() {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = c.How()
	g.host.log.Warn("gateway ended by itself", slog.String("gateway", g.cfg.ID), slog.String("how", g.ended), slog.String("restart", g.restarts()))
	if err := g.card.Settle(); err != nil {
		g.host.log.Warn("its card", slog.String("gateway", g.cfg.ID), slog.Any("err", err))
	}
	if g.on && g.cfg.Restart == field.RestartAlways {
		g.later(again, g.startNow)
	}
}

func (g *gateway) restarts() string {
	if g.cfg.Restart == field.RestartAlways {
		return "in " + again.String()
	}
	return "by command: gateway " + g.cfg.ID + " start"
}

// later does something when d is over, unless another command comes before. The caller holds the lock, and do has it.
func (g *gateway) later(d time.Duration, do func() error) {
	g.turn++
	turn := g.turn
	g.after(d, func() error {
		if g.turn != turn {
			return nil
		}
		return do()
	})
}

// after does something when d is over, unless the host ends before. do has the lock.
func (g *gateway) after(d time.Duration, do func() error) {
	g.host.wg.Go(func() {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-g.host.ctx.Done():
			return
		case <-t.C:
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.host.ctx.Err() != nil {
			return
		}
		if err := do(); err != nil {
			g.host.log.Warn("gateway", slog.String("gateway", g.cfg.ID), slog.Any("err", err))
		}
	})
}

// stop ends the program; its machine stays on. With kill it is not asked.
func (g *gateway) stop(kill bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn++
	return g.stopNow(kill)
}

func (g *gateway) stopNow(kill bool) error {
	if g.prog == nil || !g.prog.Alive() {
		return nil
	}
	end := func() error { return g.prog.Stop(grace) }
	if kill {
		end = g.prog.Kill
	}
	err := end()
	<-g.watched
	return errors.Join(err, g.card.Settle())
}

// cut takes the power from the box: the program is dead, what it had not synchronised is gone, the chips and the relays on its
// buses have no power. With d it comes back then, and the machine boots.
func (g *gateway) cut(d time.Duration) (lost int64, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn++
	if !g.on {
		return 0, fmt.Errorf("gateway %s has no power", g.cfg.ID)
	}
	g.on = false
	if g.prog != nil && g.prog.Alive() {
		err = g.prog.Kill()
	}
	if g.watched != nil {
		<-g.watched
	}
	lost, bad := g.card.Cut()
	err = errors.Join(err, bad, g.host.power(g.buses, false))
	if d > 0 {
		g.later(d, g.startNow)
	}
	return lost, err
}

// sag lets the supply of the box sag for d: its chips lose their power, and the machine notices and lives.
func (g *gateway) sag(d time.Duration) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.on {
		return fmt.Errorf("gateway %s has no power", g.cfg.ID)
	}
	if err := errors.Join(g.machine.put(supplyFile, supplyLow+"\n"), g.host.power(g.buses, false)); err != nil {
		return err
	}
	g.after(d, func() error {
		if !g.on { // a power cut came between
			return nil
		}
		return errors.Join(g.machine.put(supplyFile, supplyWas+"\n"), g.host.power(g.buses, true))
	})
	return nil
}

// tick keeps a battery-backed clock going until ctx is done.
func (g *gateway) tick(ctx context.Context) {
	t := time.NewTicker(time.Minute)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		g.mu.Lock()
		err := g.machine.tick()
		g.mu.Unlock()
		if err != nil {
			g.host.log.Warn("battery-backed clock", slog.String("gateway", g.cfg.ID), slog.Any("err", err))
		}
	}
}

// state is what list says of it.
func (g *gateway) state() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	state, pid := "stopped", 0
	switch {
	case !g.on:
		state = "no-power"
	case g.prog != nil && g.prog.Alive():
		state, pid = "running", g.prog.PID()
	case g.ended != "":
		state = "ended"
	}
	line := fmt.Sprintf("%s %s pid=%d disk=%s refused=%d clock=%s config=%s", g.cfg.ID, state, pid, g.card.State(), g.card.Refused(), g.machine.clock(), g.cfg.Config)
	if state == "ended" {
		line += " how=" + g.ended
	}
	return line
}
