package app

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"aovuon/gateway/bus"
	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/wire"
)

// relays are the relays of the configuration, to be changed in place.
func (c *Config) relays() (list []*edge.Relay) {
	for i := range c.Aerators {
		list = append(list, &c.Aerators[i].Relay)
	}
	for _, a := range c.Alarms {
		if a.Siren != nil {
			list = append(list, a.Siren)
		}
	}
	return list
}

// edgeFile is what the rules at the pond keep over a restart.
func (c *Config) edgeFile() string { return filepath.Join(c.DataDir, "edge.json") }

// pins opens outputs (bus.Set).
type pins interface {
	Output(name string) (*bus.Output, error)
}

// planEdge checks the aerators and alarms against the channels and finds their pins. It switches nothing.
func planEdge(cfg *Config, channels []sense.Channel, from pins) (edge.Config, relays, error) {
	sensors := make(map[string][]measure.Quantity)
	maps.Copy(sensors, cfg.healthQuantities())
	for _, c := range channels {
		sensors[c.ID] = c.Quantities
	}
	c := edge.Config{Aerators: cfg.Aerators, Alarms: cfg.Alarms, Siren: cfg.Siren}
	var bad []error
	if zone, err := time.LoadLocation(cfg.Timezone); err == nil { // validate told of a wrong one
		c.Zone = zone
	}
	for _, p := range c.Check(sensors) {
		bad = append(bad, cfg.src.Problem(p.What, p.Mend, "$."+p.Path))
	}
	out := make(relays)
	wire := func(id, at string, r edge.Relay) {
		pin, err := from.Output(r.Pin)
		if err != nil && r.Pin != "" { // Check told of none
			bad = append(bad, cfg.src.Problem(err.Error(), "write the pin's name", at+".pin"))
		}
		out[id] = relay{pin: pin, wiring: r}
	}
	for i, a := range cfg.Aerators {
		wire(a.ID, fmt.Sprintf("$.aerators[%d].relay", i), a.Relay)
	}
	for i, a := range cfg.Alarms {
		if a.Siren != nil {
			wire(a.Siren.Pin, fmt.Sprintf("$.alarms[%d].siren", i), *a.Siren)
		}
	}
	return c.Fill(sensors), out, errors.Join(bad...)
}

// relay is a pin and what hangs on it.
type relay struct {
	pin    *bus.Output
	wiring edge.Relay
}

// relays are the edge.Outputs, by the id of an aerator or the pin of a siren.
type relays map[string]relay

// Set implements edge.Outputs.
func (r relays) Set(id string, on bool) error {
	return r[id].pin.Set(r[id].wiring.Level(on))
}

// stateFile is the edge.Store: one small file, whole or as it was.
type stateFile string

// Save implements edge.Store.
func (f stateFile) Save(s edge.Saved) error {
	raw, err := s.Bytes()
	if err != nil {
		return err
	}
	return wire.WriteFile(string(f), raw, 0o600)
}

// load reads what a former run left. A file that cannot be read costs the memory of a person's word, not the start.
func (f stateFile) load(log *slog.Logger) edge.Saved {
	raw, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return edge.Saved{}
	}
	var s edge.Saved
	if err == nil {
		s, err = edge.ParseSaved(raw)
	}
	if err != nil {
		log.Warn("what the aerators did before is not known: they begin anew", slog.String("file", string(f)), slog.Any("err", err))
	}
	return s
}

// newEdge makes what works at the pond. It says what it does to sink.
func (g *gateway) newEdge(p *plan, clock sense.Clock, sink sense.Sink) *edge.Runner {
	file := stateFile(p.cfg.edgeFile())
	return edge.NewRunner(edge.Options{
		Config: p.edge, Outputs: p.relays, Saved: file.load(g.log), Clock: clock, Sink: sink, Store: file,
		Urgent: g.sealer.SealNow, Log: g.log,
	})
}
