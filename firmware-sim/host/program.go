package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/field"
)

// program is a server or a broker that the field hosts.
type program struct {
	host *Host
	cfg  field.Program

	mu   sync.Mutex
	prog *child.Child
}

// start starts it and waits until it works.
func (p *program) start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.prog != nil && p.prog.Alive() {
		return fmt.Errorf("program %s runs already", p.cfg.ID)
	}
	c, err := p.host.o.Household.Spawn(child.Spec{Name: p.cfg.ID, Bin: p.cfg.Run[0], Args: p.cfg.Run[1:], Dir: p.host.cfg.Dir})
	if err != nil {
		return err
	}
	p.prog = c
	p.host.wg.Go(func() {
		<-c.Done
		if !c.Asked() {
			p.host.log.Warn("program ended by itself", slog.String("program", p.cfg.ID), slog.String("how", c.How()))
		}
	})
	if p.cfg.Ready == "" {
		return nil
	}
	return c.Await(ctx, p.cfg.ID, func(ctx context.Context) bool {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", p.cfg.Ready)
		return err == nil && conn.Close() == nil
	})
}

// stop ends it, asked or not.
func (p *program) stop(kill bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.prog == nil || !p.prog.Alive():
		return nil
	case kill:
		return p.prog.Kill()
	}
	return p.prog.Stop(grace)
}

func (p *program) state() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.cfg.ID + " stopped pid=0"
	switch {
	case p.prog != nil && p.prog.Alive():
		line = fmt.Sprintf("%s running pid=%d", p.cfg.ID, p.prog.PID())
	case p.prog != nil && !p.prog.Asked():
		line = p.cfg.ID + " ended pid=0 how=" + p.prog.How()
	}
	if p.cfg.Broker {
		line += " broker"
	}
	return line
}

// brokers are the programs that have the gateways' broker in them.
func (h *Host) brokers() (list []*program) {
	for _, p := range h.programs {
		if p.cfg.Broker {
			list = append(list, p)
		}
	}
	return list
}

// each does something with all of a list, and joins what went wrong.
func each[T any](list []T, do func(T) error) error {
	errs := make([]error, len(list))
	for i, x := range list {
		errs[i] = do(x)
	}
	return errors.Join(errs...)
}

// together is each, all at once.
func together[T any](list []T, do func(T) error) error {
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, x := range list {
		wg.Go(func() { errs[i] = do(x) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// longest is the most that a time in a command may be.
const longest = 365 * 24 * time.Hour
