package field

import (
	"fmt"
	"strings"
	"sync"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/bus"
)

// Pin returns the pin that a gateway's configuration names ("unix:/run/ao.sock#quat"), in process.
func (f *Field) Pin(name string) (bus.Level, error) {
	path, pin, _ := strings.Cut(strings.TrimPrefix(name, "unix:"), "#")
	for _, b := range f.cfg.Buses {
		if l, ok := f.pins[b.ID][pin]; ok && same(path, b.Pins) {
			return l, nil
		}
	}
	return nil, fmt.Errorf("field: no pin %q; the field has: %s", name, f.names(func(b Bus) string { return b.Pins }, "unix:"))
}

// Output is Pin for the gateway's own code: the pin as it switches one.
func (f *Field) Output(name string) (*bus.Output, error) {
	pin, err := f.Pin(name)
	if err != nil {
		return nil, err
	}
	return bus.NewOutput(name, pin), nil
}

// addAerator puts an aerator at a pin, and into the water of its pond.
func addAerator(f *Field, at string, d Device, p chip.Part, _ []chip.Source) error {
	pins, ok := f.pins[d.Bus]
	switch {
	case !ok:
		return wrong(at+".bus", "device %s: no pins %q: name one of buses that has pins", d.ID, d.Bus)
	case pins[d.Pin] != nil:
		return wrong(at+".pin", "device %s: pin %s of %s is taken: want a free one", d.ID, d.Pin, d.Bus)
	case d.Amps < 0.1 || d.Amps > 200:
		return wrong(at+".amps", "device %s: a motor of %g A: want 0.1 to 200", d.ID, d.Amps)
	case d.Rate < 0.01 || d.Rate > 100:
		return wrong(at+".rate", "device %s: rate %g: want 0.01 to 100 an hour; 1 kW in 2,500 m³ is about 0.2", d.ID, d.Rate)
	case d.Relay.Contact != "" && d.Relay.Contact != "no" && d.Relay.Contact != "nc":
		return wrong(at+".relay.contact", "device %s: %q is no contact: want no or nc", d.ID, d.Relay.Contact)
	}
	m := &motor{id: d.ID, place: d.Place, rate: d.Rate}
	m.relay = chip.NewAerator(p, d.Amps, d.Relay.ActiveLow, d.Relay.Contact == "nc", f.turned)
	pins[d.Pin] = m.relay
	f.motors[d.ID] = m
	f.turned() // one with a normally closed contact runs from the first
	return nil
}

// motor is an aerator in the water of its pond.
type motor struct {
	id, place string
	rate      float64
	relay     *chip.Aerator

	mu    sync.Mutex
	turns bool // as the world was told last
}

// turned tells the world which motors run now, and which do not any more.
func (f *Field) turned() {
	for _, m := range f.motors {
		m.tell(f)
	}
}

func (m *motor) tell(f *Field) {
	m.mu.Lock()
	defer m.mu.Unlock()
	turns := m.relay.Turns()
	if turns == m.turns {
		return
	}
	a := world.Action{At: f.WorldTime(f.opts.Now()), Place: m.place, Kind: world.Aerate, What: m.id, By: m.id}
	if turns {
		a.Amount = m.rate
	}
	if err := f.world.Act(a); err == nil { // otherwise the field's clock is before the world: the next one to ask tells it
		m.turns = turns
	}
}

// addTransducer puts a current transducer round a motor's lead and wires it to a converter.
func addTransducer(f *Field, at string, d Device, p chip.Part, _ []chip.Source) error {
	adc, ok := f.adcs[d.ADC]
	if !ok {
		return wrong(at+".adc", "device %s: no ads1115 %q above it: name one, and put the transducer below it", d.ID, d.ADC)
	}
	motor, ok := f.motors[d.Motor]
	if !ok {
		return wrong(at+".motor", "device %s: no aerator %q above it: name one, and put the transducer below it", d.ID, d.Motor)
	}
	if !(d.PerAmp >= 0.001 && d.PerAmp <= 5) {
		return wrong(at+".volts_per_amp", "device %s: %g V/A: want 0.001 to 5", d.ID, d.PerAmp)
	}
	if !adc.Connect(d.Input, chip.NewTransducer(p, motor.relay, d.PerAmp)) {
		return wrong(at+".input", "device %s: input %d of %s is taken or none: want a free one, 0 to 3", d.ID, d.Input, d.ADC)
	}
	return nil
}
