package kind

import (
	"io/fs"
	"maps"
	"slices"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// builder holds what the rows of the table build from.
type builder struct {
	i2c    map[string]i2c.Bus
	w1     map[string]fs.FS
	serial map[string]serial.Port
	rtu    map[string]rtu.Master // of every serial bus
	clock  sense.Clock
	known  map[string]*memory // by the id of a sensor that compensates others

	fitter Fitter // nil: drivers are read as they are
}

// Build makes the channels of specs. Those that compensate others come first, the rest in the order given, so that asking
// them in order compensates with this round's temperature. Every fault of the configuration is reported at once: the
// error is SpecErrors, and errors.As finds *SpecError in it. Nothing is asked of any chip, so a chip or a bus that is
// away now is no error.
func Build(specs []Spec, buses Buses, busKinds map[string]BusSpec, clock sense.Clock, opts ...Option) ([]sense.Channel, error) {
	if errs := check(specs, busKinds); len(errs) > 0 {
		return nil, errs
	}
	b := &builder{
		i2c: make(map[string]i2c.Bus), w1: make(map[string]fs.FS), serial: make(map[string]serial.Port),
		rtu: make(map[string]rtu.Master), clock: clock, known: make(map[string]*memory),
	}
	for _, o := range opts {
		o(b)
	}
	if errs := b.open(specs, buses, busKinds); len(errs) > 0 {
		return nil, errs
	}
	for _, s := range specs {
		if s.Temperature != "" && b.known[s.Temperature] == nil {
			b.known[s.Temperature] = newMemory(clock, s.Temperature)
		}
	}
	var first, rest []sense.Channel
	for _, s := range specs {
		c := b.channel(s)
		if m := b.known[s.ID]; m != nil {
			c.Sensor = m.watch(c.Sensor)
			first = append(first, c)
		} else {
			rest = append(rest, c)
		}
	}
	return append(first, rest...), nil
}

// open gets the buses that specs hang on.
func (b *builder) open(specs []Spec, buses Buses, busKinds map[string]BusSpec) (errs SpecErrors) {
	used := make(map[string]bool)
	for _, s := range specs {
		used[s.Bus] = true
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		spec := busKinds[name]
		field := spec.wirings()[0] // check found exactly one
		var err error
		switch field {
		case I2C:
			b.i2c[name], err = buses.I2C(spec.I2C)
		case W1:
			b.w1[name], err = buses.W1(spec.W1)
		case Serial:
			if b.serial[name], err = buses.Serial(spec.Serial); err == nil {
				b.rtu[name] = rtu.New(b.serial[name], b.clock)
			}
		}
		if err != nil {
			errs = append(errs, &SpecError{
				Index: -1, Bus: name, Field: string(field), Problem: err.Error(), Err: err,
				Mend: `write i2c: "1", i2c: "unix:/path/to.sock", w1: /sys/bus/w1/devices or serial: /dev/ttyUSB0`,
			})
		}
	}
	return errs
}

// channel builds a checked spec.
func (b *builder) channel(s Spec) sense.Channel {
	r, _ := find(s.Kind) // check found it
	c := sense.Channel{ID: s.ID, Bus: s.Bus, Every: s.Every, Quantities: r.Quantities, Sensor: r.build(b, s)}
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	if b.fitter != nil {
		c.Sensor = b.fitter.Fit(s, c.Quantities, c.Sensor)
	}
	return c
}

// inputs knows what compensates s.
func (b *builder) inputs(s Spec) sense.Inputs {
	if m := b.known[s.Temperature]; m != nil {
		return m
	}
	return sense.NoInputs{}
}

func (b *builder) ezo(s Spec, board ezo.Board) *ezo.Dev {
	return ezo.New(b.i2c[s.Bus], s.Address, board, freshWater{b.inputs(s)}, b.clock)
}
