package app

import (
	"errors"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/edge"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/wire"
)

// plan is a configuration with everything checked and nothing opened.
type plan struct {
	cfg      *Config
	secrets  secrets
	channels []sense.Channel
	board    *sense.Board // what the channels said last
	edge     edge.Config
	relays   relays
	desk     *calibrate.Desk
	ahead    int // batches sealed without a receipt; 0 is the sealer's own bound
}

// sensors are the ids of everything that gives readings, in the order in which a page shows them: channels, the gateway
// itself, aerators and alarms.
func (p *plan) sensors() []string {
	var ids []string
	for _, c := range p.channels {
		ids = append(ids, c.ID)
	}
	ids = append(ids, p.cfg.Health.ID)
	for _, a := range p.edge.Aerators {
		ids = append(ids, a.ID)
	}
	for _, a := range p.edge.Alarms {
		ids = append(ids, a.ID)
	}
	return ids
}

// planner makes plans of one configuration after another: what a change leaves alone stays the same channel.
type planner struct {
	buses kind.Buses
	clock sense.Clock
	desk  *calibrate.Desk
	works *kind.Works
}

func newPlanner(cfg *Config, buses kind.Buses, clock sense.Clock) *planner {
	desk := calibrate.NewDesk(cfg.DataDir, clock)
	return &planner{buses: buses, clock: clock, desk: desk, works: kind.NewWorks(clock, kind.WithFitter(desk))}
}

// makePlan reports everything that is wrong with a configuration.
func makePlan(path string, buses kind.Buses, clock sense.Clock, withServer bool) (*plan, error) {
	cfg, err := load(path)
	if cfg == nil {
		return nil, err
	}
	p, bad := newPlanner(cfg, buses, clock).plan(cfg, withServer)
	return p, errors.Join(err, bad)
}

// plan makes the plan of cfg; with an error it is not to be used.
func (m *planner) plan(cfg *Config, withServer bool) (*plan, error) {
	p := &plan{cfg: cfg, desk: m.desk, board: m.works.Board()}
	var bad []error
	var err error
	if withServer {
		p.secrets, err = cfg.openSecrets()
		bad = append(bad, err)
	} else if p.secrets.signer, _, err = wire.LoadKey(cfg.KeyFile); err != nil {
		bad = append(bad, cfg.src.Problem(err.Error(), cfg.mendSecret(err, mendKey), "$.key_file", "$.data_dir", "$.gateway"))
	}
	// Once for trying: what the works make is at work, also for the desk, and a plan that fails must change nothing.
	if trial, err := kind.Build(cfg.Sensors, m.buses, cfg.Buses, m.clock, kind.WithDerived(cfg.Derived)); err != nil {
		bad = append(bad, cfg.src.explainSensors(err))
	} else if from, ok := m.buses.(pins); ok {
		p.edge, p.relays, err = planEdge(cfg, trial, from)
		bad = append(bad, err)
	}
	if err := errors.Join(bad...); err != nil {
		return p, err
	}
	if p.channels, err = m.works.Build(cfg.Sensors, m.buses, cfg.Buses, kind.WithDerived(cfg.Derived)); err == nil {
		m.desk.Keep(cfg.Sensors)
	}
	return p, err
}
