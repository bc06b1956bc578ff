package kind

import (
	"encoding/json"
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

// Works makes channels of one configuration after another: what did not change in between stays the very same channel,
// with everything it remembers. It is used by one goroutine at a time.
type Works struct {
	clock sense.Clock
	opts  []Option
	known map[string]*memory       // by the id of a sensor
	rtu   map[string]rtu.Master    // by the name of a port: one owner for each line
	built map[string]sense.Channel // by id, of the last configuration
}

// NewWorks returns Works that made nothing yet.
func NewWorks(clock sense.Clock, opts ...Option) *Works {
	return &Works{clock: clock, opts: opts, known: make(map[string]*memory), rtu: make(map[string]rtu.Master)}
}

// Build makes the channels of a configuration that comes alone; see Works.Build.
func Build(specs []Spec, buses Buses, busKinds map[string]BusSpec, clock sense.Clock, opts ...Option) ([]sense.Channel, error) {
	return NewWorks(clock, opts...).Build(specs, buses, busKinds)
}

// Build makes the channels of specs. Those that compensate others come first, the rest in the order given, so that asking
// them in order compensates with this round's temperature. Every fault of the configuration is reported at once: the
// error is SpecErrors, and errors.As finds *SpecError in it. Nothing is asked of any chip, so a chip or a bus that is
// away now is no error. After an error everything is as it was.
func (w *Works) Build(specs []Spec, buses Buses, busKinds map[string]BusSpec) ([]sense.Channel, error) {
	if errs := check(specs, busKinds); len(errs) > 0 {
		return nil, errs
	}
	b := &builder{
		i2c: make(map[string]i2c.Bus), w1: make(map[string]fs.FS), serial: make(map[string]serial.Port),
		rtu: make(map[string]rtu.Master), clock: w.clock, known: w.known,
	}
	for _, o := range w.opts {
		o(b)
	}
	if errs := b.open(w, specs, buses, busKinds); len(errs) > 0 {
		return nil, errs
	}
	source := make(map[string]bool)
	for _, s := range specs {
		source[s.Temperature] = true
		if b.known[s.ID] == nil {
			b.known[s.ID] = newMemory(w.clock, s.ID)
		}
	}
	built := make(map[string]sense.Channel, len(specs))
	var first, rest []sense.Channel
	for _, s := range specs {
		c, ok := w.built[s.ID]
		if key := keyOf(s, busKinds[s.Bus]); !ok || c.Key != key {
			b.known[s.ID].forget() // another probe, perhaps
			c = b.channel(s)
			c.Sensor, c.Key = b.known[s.ID].watch(c.Sensor), key
		}
		built[s.ID] = c
		if source[s.ID] {
			first = append(first, c)
		} else {
			rest = append(rest, c)
		}
	}
	w.built = built
	return append(first, rest...), nil
}

// keyOf changes with everything a channel is made from. Both are plain values, which JSON always holds.
func keyOf(s Spec, b BusSpec) string {
	raw, err := json.Marshal([]any{s, b})
	if err != nil {
		return "" // never the same
	}
	return string(raw)
}

// open gets the buses that specs hang on.
func (b *builder) open(w *Works, specs []Spec, buses Buses, busKinds map[string]BusSpec) (errs SpecErrors) {
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
				if w.rtu[spec.Serial] == nil {
					w.rtu[spec.Serial] = rtu.New(b.serial[name], b.clock)
				}
				b.rtu[name] = w.rtu[spec.Serial]
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
