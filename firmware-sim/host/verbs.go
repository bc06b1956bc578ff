package host

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/link"
)

// verbs are the commands of the machines: FORMAT.md.
func (h *Host) verbs() []control.Verb {
	list := []control.Verb{h.programVerb(), h.brokerVerb(), link.Verb(h.links)}
	return append(list, h.gatewayVerb())
}

func (h *Host) gatewayVerb() control.Verb {
	v := control.Verb{Name: "gateway", Usage: []string{
		"gateway list - every gateway and how it is",
		"gateway ID start|stop|restart - its program; ID may be all",
		"gateway ID kill - its program is killed, its machine lives",
		"gateway ID power-cut [FOR] - its box has no power, until start or for so long, such as 10s",
		"gateway ID brown-out [FOR] - its supply sags for so long (1s): chips forget, the machine lives",
		"gateway ID sd-full [MB] - its card has so many megabytes left (0)",
		"gateway ID sd-readonly - its card takes no writes",
		"gateway ID sd-ok - its card is good again",
		"gateway ID clock OFFSET - its clock is off by so much, such as +3h or -1y",
		"gateway ID clock unsynced|unset|ok - its clock is undisciplined, was never set, or is right",
	}}
	v.Do = func(_ context.Context, args []string) ([]string, error) {
		switch {
		case len(args) == 1 && args[0] == "list":
			lines := make([]string, len(h.gateways))
			for i, g := range h.gateways {
				lines[i] = g.state()
			}
			return lines, nil
		case len(args) < 2:
			return nil, v.Want()
		}
		chosen := h.gateways
		if args[0] != "all" {
			i := slices.IndexFunc(h.gateways, func(g *gateway) bool { return g.cfg.ID == args[0] })
			if i < 0 {
				return nil, fmt.Errorf("%w: no gateway %q; there are: %s", control.ErrUsage, args[0], h.names())
			}
			chosen = h.gateways[i : i+1]
		}
		lines := make([][]string, len(chosen))
		err := together(chosen, func(g *gateway) (err error) {
			at := slices.Index(chosen, g)
			lines[at], err = g.obey(args[1], args[2:])
			return err
		})
		return slices.Concat(lines...), err
	}
	return v
}

func (h *Host) names() string {
	names := make([]string, len(h.gateways))
	for i, g := range h.gateways {
		names[i] = g.cfg.ID
	}
	if len(names) == 0 {
		return "none (gateways: in the field file)"
	}
	return strings.Join(names, ", ")
}

// obey does what a command says of one gateway.
func (g *gateway) obey(what string, args []string) ([]string, error) {
	for name, most := range map[string]int{"start": 0, "stop": 0, "restart": 0, "kill": 0, "power-cut": 1, "brown-out": 1, "sd-full": 1, "sd-readonly": 0, "sd-ok": 0, "clock": 1} {
		if what == name && len(args) > most {
			return nil, fmt.Errorf("%w: gateway %s %s: %q is too much", control.ErrUsage, g.cfg.ID, what, strings.Join(args[most:], " "))
		}
	}
	switch what {
	case "start":
		return nil, g.start()
	case "stop", "kill":
		return nil, g.stop(what == "kill")
	case "restart":
		var told []string
		if err := g.stop(false); err != nil { // as one ends that cannot write its last readings to a full card: it starts again all the same
			told = append(told, fmt.Sprintf("%s ended: %v", g.cfg.ID, err))
		}
		return told, g.start()
	case "power-cut":
		d, err := duration(args, 0)
		if err != nil {
			return nil, err
		}
		lost, err := g.cut(d)
		return []string{fmt.Sprintf("%s: %d bytes that were not synchronised are gone", g.cfg.ID, lost)}, err
	case "brown-out":
		d, err := duration(args, time.Second)
		if err != nil {
			return nil, err
		}
		return nil, g.sag(d)
	case "sd-full", "sd-readonly", "sd-ok":
		return nil, g.setCard(what, args)
	case "clock":
		if len(args) != 1 {
			return nil, fmt.Errorf("%w: want: gateway %s clock +3h, -1y, unsynced, unset or ok", control.ErrUsage, g.cfg.ID)
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		return nil, g.machine.set(args[0])
	}
	return nil, fmt.Errorf("%w: a gateway cannot %q: help gateway lists what can happen to one", control.ErrUsage, what)
}

func (g *gateway) setCard(what string, args []string) error {
	switch what {
	case "sd-readonly":
		return g.card.SetReadOnly(true)
	case "sd-ok":
		g.card.Free()
		return g.card.SetReadOnly(false)
	}
	mb, err := megabytes(args)
	if err != nil {
		return err
	}
	return g.card.Fill(int64(mb * 1e6))
}

// megabytes reads how much is left of a card.
func megabytes(args []string) (float64, error) {
	if len(args) == 0 {
		return 0, nil
	}
	mb, err := strconv.ParseFloat(args[0], 64)
	if err != nil || !(mb >= 0 && mb <= 1e6) {
		return 0, fmt.Errorf("%w: a card with %q left: want megabytes, 0 to 1000000", control.ErrUsage, args[0])
	}
	return mb, nil
}

// duration reads how long something lasts.
func duration(args []string, usual time.Duration) (time.Duration, error) {
	if len(args) == 0 {
		return usual, nil
	}
	d, err := time.ParseDuration(args[0])
	if err != nil || d <= 0 || d > longest {
		return 0, fmt.Errorf("%w: for %q: want a time such as 10s or 2h", control.ErrUsage, args[0])
	}
	return d, nil
}

func (h *Host) programVerb() control.Verb {
	v := control.Verb{Name: "program", Usage: []string{
		"program list - every server and broker the field hosts",
		"program ID start|stop|restart|kill - ID may be all",
	}}
	v.Do = func(ctx context.Context, args []string) ([]string, error) {
		switch {
		case len(args) == 1 && args[0] == "list":
			lines := make([]string, len(h.programs))
			for i, p := range h.programs {
				lines[i] = p.state()
			}
			return lines, nil
		case len(args) != 2:
			return nil, v.Want()
		}
		chosen := h.programs
		if args[0] != "all" {
			i := slices.IndexFunc(h.programs, func(p *program) bool { return p.cfg.ID == args[0] })
			if i < 0 {
				return nil, fmt.Errorf("%w: no program %q: programs: in the field file names those it hosts", control.ErrUsage, args[0])
			}
			chosen = h.programs[i : i+1]
		}
		return nil, each(chosen, func(p *program) error { return p.obey(ctx, args[1]) })
	}
	return v
}

func (p *program) obey(ctx context.Context, what string) error {
	switch what {
	case "start":
		return p.start(ctx)
	case "stop", "kill":
		return p.stop(what == "kill")
	case "restart":
		return errors.Join(p.stop(false), p.start(ctx))
	}
	return fmt.Errorf("%w: a program cannot %q: want start, stop, restart or kill", control.ErrUsage, what)
}

func (h *Host) brokerVerb() control.Verb {
	v := control.Verb{Name: "broker", Usage: []string{
		"broker stop|kill|start - the gateways' broker; where it is none of the field's programs, every link goes down or comes up",
	}}
	v.Do = func(ctx context.Context, args []string) ([]string, error) {
		if len(args) != 1 || !slices.Contains([]string{"kill", "stop", "start"}, args[0]) {
			return nil, v.Want()
		}
		if own := h.brokers(); len(own) > 0 {
			return nil, each(own, func(p *program) error { return p.obey(ctx, args[0]) })
		}
		if len(h.links) == 0 {
			return nil, fmt.Errorf("%w: no broker is the field's, and no gateway has a link that could be cut: name the broker under programs:, or give gateways a link", control.ErrUsage)
		}
		down := args[0] != "start"
		err := each(h.links, func(l *link.Link) error {
			c := l.Condition()
			c.Down = down
			return l.Set(c)
		})
		if down {
			return []string{"the broker is none of the field's programs: every link is down instead, which is the same to the gateways"}, err
		}
		return []string{"the broker is none of the field's programs: every link that was down is up"}, err
	}
	return v
}
