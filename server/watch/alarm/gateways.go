package alarm

import (
	"context"
	"fmt"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// GatewaysID is the Looker of gateways.
const GatewaysID = "gateways"

// GatewayPlace is the Place of the alarms of a gateway.
func GatewayPlace(id string) string { return "gateway " + id }

// GatewayTopic is the alarm of a gateway that is silent: all that its probes measure is unknown then, and this one alarm stands for them.
const GatewayTopic = "gateway"

// Gateways watches that every gateway in service that was heard of once still sends.
type Gateways struct {
	inService func(ctx context.Context) ([]string, error)
	register  Register
	windows   *Windows

	asked time.Time
	ids   []string
	grave map[string]bool // gateways whose silence may cost fish: they measure what has a critical limit
}

// NewGateways returns the Looker. inService returns the ids of the gateways that are enrolled and not retired.
func NewGateways(inService func(ctx context.Context) ([]string, error), register Register, windows *Windows) *Gateways {
	return &Gateways{inService: inService, register: register, windows: windows}
}

// ID implements Looker.
func (*Gateways) ID() string { return GatewaysID }

// Look implements Looker.
func (g *Gateways) Look(ctx context.Context, now time.Time) ([]Finding, error) {
	if err := g.refresh(ctx, now); err != nil {
		return nil, err
	}
	g.windows.mu.Lock()
	defer g.windows.mu.Unlock()
	var out []Finding
	for _, id := range g.ids {
		if heard, ok := g.windows.heard[id]; ok { // one that never was is being set up
			out = append(out, g.judge(id, heard, now))
		}
	}
	return out, nil
}

func (g *Gateways) judge(id string, heard, now time.Time) Finding {
	f := Finding{Key: Key{GatewayPlace(id), GatewayTopic}, Sign: Clear, Keep: silentKeep}
	why := rule.Because("gateway_speaks", named(id))
	verdict := rule.Calm
	switch quiet := now.Sub(heard); {
	case g.windows.behind:
		f.Sign = Hidden
	case quiet >= SpeaksFor:
		f.Sign, f.Level, f.Began = Silent, rule.Warn, heard
		if quiet >= silentCrit && g.grave[id] {
			f.Level = rule.Crit
		}
		why, verdict = rule.Because("gateway_silent", named(id), rule.At(heard)), f.Level
	}
	f.Explain = func() rule.Decision {
		d := rule.Decision{Rule: GatewaysID, Place: f.Place, Topic: GatewayTopic, Verdict: verdict, At: now, Why: []rule.Reason{why}}
		if f.Sign == Silent {
			d.Do = []rule.Reason{rule.Because("measure_by_hand"), rule.Because("check_gateway")}
		}
		return d
	}
	return f
}

// refresh asks again for what is in service, and what hangs there.
func (g *Gateways) refresh(ctx context.Context, now time.Time) error {
	if !g.asked.IsZero() && now.Sub(g.asked) < replan && !now.Before(g.asked) {
		return nil
	}
	ids, err := g.inService(ctx)
	if err != nil {
		return fmt.Errorf("alarm: gateways: %w", err)
	}
	f, err := g.register.Farm(ctx)
	if err != nil {
		return fmt.Errorf("alarm: register: %w", err)
	}
	g.ids, g.grave, g.asked = ids, graveGateways(f, now), now
	return nil
}

func graveGateways(f *farm.Farm, now time.Time) map[string]bool {
	out := map[string]bool{}
	for _, p := range f.Places {
		critical := map[measure.Quantity]bool{}
		for _, l := range f.Limits {
			if l.Profile == p.Profile && l.Level == farm.Crit {
				critical[l.Quantity] = true
			}
		}
		for _, m := range f.MountsAt(p.Code, now, now.Add(1)) {
			for _, q := range m.Measures {
				if critical[q] {
					out[m.Gateway] = true
				}
			}
		}
	}
	return out
}
