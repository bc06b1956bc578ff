package kind

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/onewire"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/chain"
	"aovuon/gateway/sense/ds18b20"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// builder holds what the rows of the table build from.
type builder struct {
	i2c     map[string]i2c.Bus
	w1      map[string]fs.FS
	onewire map[string]onewire.Bus
	serial  map[string]serial.Port
	rtu     map[string]rtu.Master // of every serial bus
	clock   sense.Clock
	board   *sense.Board
	entries []entry

	fitter  Fitter // nil: drivers are read as they are
	derived []DerivedSpec
}

// Works makes channels of one configuration after another: what did not change in between stays the very same channel,
// with everything it remembers. It is used by one goroutine at a time.
type Works struct {
	clock sense.Clock
	opts  []Option
	board *sense.Board
	rtu   map[string]rtu.Master    // by the name of a port: one owner for each line
	built map[string]sense.Channel // by id, of the last configuration
	probe map[string]string        // by id: which probe it was
}

// NewWorks returns Works that made nothing yet.
func NewWorks(clock sense.Clock, opts ...Option) *Works {
	return &Works{clock: clock, opts: opts, board: sense.NewBoard(clock), rtu: make(map[string]rtu.Master)}
}

// Board is where every channel's readings are noted: what the newest are, and what others are computed with.
func (w *Works) Board() *sense.Board { return w.board }

// Build makes the channels of a configuration that comes alone; see Works.Build.
func Build(specs []Spec, buses Buses, busKinds map[string]BusSpec, clock sense.Clock, opts ...Option) ([]sense.Channel, error) {
	return NewWorks(clock, opts...).Build(specs, buses, busKinds)
}

// Build makes the channels of specs and of the derived channels among opts. Those that compensate others come first, the
// rest in the order given, so that asking them in order compensates with this round's values. Every fault of the
// configuration is reported at once: the error is SpecErrors, and errors.As finds *SpecError in it. Nothing is asked of
// any chip, so a chip or a bus that is away now is no error. After an error everything is as it was.
func (w *Works) Build(specs []Spec, buses Buses, busKinds map[string]BusSpec, opts ...Option) ([]sense.Channel, error) {
	b := &builder{
		i2c: make(map[string]i2c.Bus), w1: make(map[string]fs.FS), onewire: make(map[string]onewire.Bus), serial: make(map[string]serial.Port),
		rtu: make(map[string]rtu.Master), clock: w.clock, board: w.board,
	}
	for _, o := range slices.Concat(w.opts, opts) {
		o(b)
	}
	b.entries = entriesOf(specs, b.derived)
	if errs := check(specs, b.derived, b.entries, busKinds); len(errs) > 0 {
		return nil, errs
	}
	if errs := b.open(w, specs, buses, busKinds); len(errs) > 0 {
		return nil, errs
	}
	settings := allSettings(b.entries)
	built, probe := make(map[string]sense.Channel), make(map[string]string)
	channels := make([]sense.Channel, 0, len(b.entries))
	for _, e := range b.entries {
		key, build := b.plan(e, specs, busKinds, settings[e.id])
		c, ok := w.built[e.id]
		if !ok || c.Key != key {
			c = build()
			c.Key = key
		}
		if !e.derived {
			s := specs[e.index]
			if probe[e.id] = keyOf(s.Kind, busKinds[s.Bus], s.Address, s.Device, s.Input, s.Template); w.probe[e.id] != probe[e.id] {
				w.board.Forget(e.id) // what another probe said
			}
		}
		built[e.id] = c
		channels = append(channels, c)
	}
	w.built, w.probe = built, probe
	w.board.Keep(channels)
	rank := ranks(b.entries)
	slices.SortStableFunc(channels, func(x, y sense.Channel) int { return rank[y.ID] - rank[x.ID] })
	return channels, nil
}

// plan returns the key of an entry and what builds it.
func (b *builder) plan(
	e entry, specs []Spec, busKinds map[string]BusSpec, settings map[measure.Quantity]chain.Settings,
) (key string, build func() sense.Channel) {
	if e.derived {
		d := b.derived[e.index]
		return keyOf(d, settings), func() sense.Channel { return b.derivedChannel(e, d, settings) }
	}
	s := specs[e.index]
	return keyOf(s, busKinds[s.Bus], settings, e.row.probe), func() sense.Channel { return b.channel(s, settings) }
}

// keyOf changes with everything a channel is made from: plain values, which JSON always holds.
func keyOf(from ...any) string {
	raw, err := json.Marshal(from)
	if err != nil {
		return "" // never the same
	}
	return string(raw)
}

// entriesOf lists sensors and then derived channels.
func entriesOf(specs []Spec, derived []DerivedSpec) []entry {
	entries := make([]entry, 0, len(specs)+len(derived))
	read := make(templates)
	for i, s := range specs {
		e := entry{index: i, id: s.ID, every: s.Every, own: s.Refinement, each: s.Each}
		if e.row, e.bad = read.rowOf(s); e.bad == nil {
			e.quantities, e.needs = e.row.Quantities, s.needs(e.row)
		}
		entries = append(entries, e)
	}
	for i, d := range derived {
		entries = append(entries, derivedEntry(i, d))
	}
	return entries
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
		case OneWire:
			b.onewire[name], err = buses.OneWire(spec.OneWire)
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
				Mend: `write i2c: "1", i2c: "unix:/path/to.sock", w1: /sys/bus/w1/devices, onewire: "1" or serial: /dev/ttyUSB0`,
			})
		}
	}
	return errs
}

// row is the kind of a checked spec.
func (b *builder) row(s Spec) row {
	for _, e := range b.entries {
		if !e.derived && e.id == s.ID {
			return e.row
		}
	}
	return row{}
}

// channel builds a checked spec.
func (b *builder) channel(s Spec, settings map[measure.Quantity]chain.Settings) sense.Channel {
	r := b.row(s)
	c := sense.Channel{
		ID: s.ID, Bus: s.Bus, Every: s.Every, Quantities: r.Quantities, Sensor: r.build(b, s), Refine: chain.New(b.board, settings),
	}
	if c.Every == 0 {
		c.Every = DefaultEvery
	}
	if b.fitter != nil {
		c.Sensor = b.fitter.Fit(s, c.Quantities, c.Sensor)
	}
	return c
}

// inputKeys lists the keys of inputs and what is written there.
func (s Spec) inputKeys() map[string]string {
	return map[string]string{"temperature": s.Temperature, "salinity": s.Salinity, "pressure": s.Pressure}
}

// needs are the inputs of a sensor of kind r.
func (s Spec) needs(r row) (list []need) {
	keys := s.inputKeys()
	for _, q := range r.takes {
		list = append(list, need{field: fieldOf(q), text: keys[fieldOf(q)], accepts: []measure.Quantity{q}})
	}
	return list
}

// inputs knows what compensates s.
func (b *builder) inputs(s Spec) sense.Inputs {
	return inputs{board: b.board, needs: s.needs(b.row(s))}
}

// thermometer is on a bus of files or on one that is spoken to.
func (b *builder) thermometer(s Spec) sense.Sensor {
	if bus := b.onewire[s.Bus]; bus != nil {
		return ds18b20.NewWire(bus, s.Device, b.clock)
	}
	return ds18b20.New(b.w1[s.Bus], s.Device)
}

func (b *builder) ezo(s Spec, board ezo.Board) *ezo.Dev {
	return ezo.New(b.i2c[s.Bus], s.Address, board, b.inputs(s), b.clock)
}
