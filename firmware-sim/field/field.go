package field

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/onewire"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/serial"
)

// Options are what a field needs beside its file.
type Options struct {
	Now    func() time.Time // the clock chips run by: the machine's, or a virtual one
	Ledger chip.Recorder    // nil: nothing is written down
	// Sleep passes time of that clock, for ports on serial lines in process; nil: the machine's.
	Sleep func(ctx context.Context, d time.Duration) error
	// Actions are what was done to the world before. Those from before its beginning are left out (Field.Early).
	Actions []world.Action
	// Journal is where Act writes down what is done; nil: nowhere.
	Journal Journal
}

// Journal keeps what is done to the world; *world.Journal is one.
type Journal interface {
	Append(a world.Action) error
}

// Field is a running set of chips.
type Field struct {
	cfg   Config
	opts  Options
	start time.Time // where the world's faster time begins
	world *world.World
	early int // actions left out
	board *fault.Board
	desk  *control.Desk
	i2c   map[string]*chip.Bus // by bus id
	w1    map[string]*chip.W1
	wires map[string]*chip.OneWire
	adcs  map[string]*chip.ADS1115
	lines map[string]*chip.SerialLine
	ports map[string]*chip.SerialPort

	pins   map[string]map[string]bus.Level // by bus id and name
	motors map[string]*motor               // by device id
	wilful bool                            // faults of motors come by themselves

	machines []MachineFault
}

// New builds the chips of a configuration.
func New(c Config, o Options) (*Field, error) {
	if o.Ledger == nil {
		o.Ledger = chip.Silent{}
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	w, early, err := newWorld(c, o)
	if err != nil {
		return nil, err
	}
	f := &Field{
		early: early,
		cfg:   c, opts: o, start: o.Now(), world: w, board: fault.NewBoard(), desk: control.NewDesk(),
		i2c: make(map[string]*chip.Bus), w1: make(map[string]*chip.W1), wires: make(map[string]*chip.OneWire), adcs: make(map[string]*chip.ADS1115),
		lines: make(map[string]*chip.SerialLine), ports: make(map[string]*chip.SerialPort),
		pins: make(map[string]map[string]bus.Level), motors: make(map[string]*motor),
	}
	if err := f.desk.Add(append(f.board.Verbs(), f.verbs()...)...); err != nil {
		return nil, err
	}
	f.board.UseClock(func() time.Time { return f.WorldTime(f.opts.Now()) })
	for i, b := range c.Buses {
		if err := f.addBus(fmt.Sprintf("$.buses[%d]", i), b); err != nil {
			return nil, err
		}
	}
	for i, d := range c.Devices {
		if err := f.add(fmt.Sprintf("$.devices[%d]", i), d); err != nil {
			return nil, err
		}
	}
	for i, e := range c.Faults {
		if err := f.schedule(fmt.Sprintf("$.faults[%d]", i), e); err != nil {
			return nil, err
		}
	}
	f.board.OnChange(f.turned)
	return f, nil
}

// Board returns the switches of the field's faults.
func (f *Field) Board() *fault.Board { return f.board }

// Desk returns what takes the field's commands; Serve has it answer on the control socket. Whoever adds something that can be
// commanded gives it his verbs before that.
func (f *Field) Desk() *control.Desk { return f.desk }

// addBus makes one bus. at is where it stands in the file.
func (f *Field) addBus(at string, b Bus) error {
	if b.Pins != "" {
		f.pins[b.ID] = make(map[string]bus.Level)
		return nil
	}
	kinds := chip.BusFaults()
	switch {
	case b.W1 != "", b.OneWire != "":
		kinds = chip.OneWireFaults()
	case b.Serial != "":
		kinds = chip.LineFaults()
	}
	sw, err := f.board.Add(b.ID, kinds...)
	if err != nil {
		return wrong(at+".id", "%w: give every bus its own id", err)
	}
	switch {
	case b.Socket != "":
		f.i2c[b.ID] = chip.NewBus(b.ID)
		f.i2c[b.ID].Suffer(sw)
	case b.W1 != "":
		f.w1[b.ID] = chip.NewW1(f.opts.Now, f.pass)
		f.w1[b.ID].Suffer(sw)
	case b.OneWire != "":
		f.wires[b.ID] = chip.NewOneWire(b.OneWire, f.opts.Now)
		f.wires[b.ID].Suffer(sw)
	case b.Serial != "":
		f.lines[b.ID] = chip.NewSerialLine(f.opts.Now, b.Echo, sw)
		f.ports[b.ID] = chip.NewSerialPort(b.Serial, f.lines[b.ID], f.opts.Sleep)
	}
	return nil
}

// pass lets d go by on the chips' clock.
func (f *Field) pass(d time.Duration) {
	if err := f.opts.Sleep(context.Background(), d); err != nil {
		return // nothing ends that context
	}
}

// sleep passes time of the machine's clock.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// add makes one device. at is where it stands in the file.
func (f *Field) add(at string, d Device) error {
	if !measure.ValidID(d.ID, 40) {
		return wrong(at+".id", "bad device id %q: want [a-z0-9][a-z0-9-]*, at most 40 characters", d.ID)
	}
	k, ok := kinds()[d.Kind]
	if !ok {
		return wrong(at+".kind", "device %s: unknown kind %q: want one of %s", d.ID, d.Kind, strings.Join(slices.Sorted(maps.Keys(kinds())), ", "))
	}
	if err := k.fields(at, d); err != nil {
		return err
	}
	t, err := d.template(at)
	if err != nil {
		return err
	}
	sw, err := f.board.Add(d.ID, faultsOf(k, t)...)
	if err != nil {
		return wrong(at+".id", "%w: give every device its own id", err)
	}
	sources := make([]chip.Source, len(k.needs))
	for i, q := range k.needs {
		if sources[i], err = f.source(d.Place, q); err != nil {
			return wrong(at+".place", "device %s: %w: want a place that has it", d.ID, err)
		}
		if i == 0 {
			sources[i] = f.skin(sw).Own(q, sources[i])
		} else {
			sources[i] = f.skin(sw).Along(q, sources[i])
		}
	}
	p := chip.Part{Name: d.ID, Seed: seedOf(f.cfg.Seed, d.ID), Now: f.opts.Now, Faults: sw, Ledger: f.opts.Ledger}
	return k.build(f, at, d, p, sources)
}

// skin is what stands between the probe of a device and its place.
func (f *Field) skin(sw *fault.Switch) chip.Skin {
	return chip.Skin{Faults: sw, World: f.WorldTime, Speed: f.cfg.Speed}
}

// source is a quantity of a place as the chips' clock passes.
func (f *Field) source(place string, q measure.Quantity) (chip.Source, error) {
	if err := f.world.Has(place, q); err != nil {
		return nil, err
	}
	return func(t time.Time) float64 {
		if f.wilful {
			f.turned() // before anybody asks what has come of it
		}
		v, err := f.world.Value(place, q, f.WorldTime(t))
		if err != nil {
			return math.NaN() // cannot be: it was there at the start, and the start is not before the world
		}
		return v
	}, nil
}

// seedOf gives every device its own noise (FNV-1a over its id).
func seedOf(seed uint64, id string) uint64 {
	x := 14695981039346656037 ^ seed
	for i := range len(id) {
		x = (x ^ uint64(id[i])) * 1099511628211
	}
	return x
}

// I2C returns the bus behind the socket that a gateway's configuration names ("unix:/run/ao1.sock"), in process.
func (f *Field) I2C(name string) (i2c.Bus, error) {
	path, remote := strings.CutPrefix(name, "unix:")
	for _, b := range f.cfg.Buses {
		if remote && b.Socket != "" && same(path, b.Socket) {
			return f.i2c[b.ID], nil
		}
	}
	return nil, fmt.Errorf("field: no bus %q; the field has: %s", name, f.names(func(b Bus) string { return b.Socket }, "unix:"))
}

// W1 returns the 1-Wire tree that a gateway's configuration names by its folder, in process.
func (f *Field) W1(folder string) (fs.FS, error) {
	for _, b := range f.cfg.Buses {
		if b.W1 != "" && same(folder, b.W1) {
			return f.w1[b.ID], nil
		}
	}
	return nil, fmt.Errorf("field: no 1-Wire folder %q; the field has: %s", folder, f.names(func(b Bus) string { return b.W1 }, ""))
}

// OneWire returns the 1-Wire bus that a gateway's configuration names by its master, in process.
func (f *Field) OneWire(name string) (onewire.Bus, error) {
	for _, b := range f.cfg.Buses {
		if b.OneWire != "" && b.OneWire == name {
			return f.wires[b.ID], nil
		}
	}
	return nil, fmt.Errorf("field: no 1-Wire bus %q; the field has: %s", name, f.names(func(b Bus) string { return b.OneWire }, ""))
}

// Serial returns the port on the line that a gateway's configuration names by its device file, in process.
func (f *Field) Serial(path string) (serial.Port, error) {
	for _, b := range f.cfg.Buses {
		if b.Serial != "" && same(path, b.Serial) {
			return f.ports[b.ID], nil
		}
	}
	return nil, fmt.Errorf("field: no serial line %q; the field has: %s", path, f.names(func(b Bus) string { return b.Serial }, ""))
}

func (f *Field) names(of func(Bus) string, prefix string) string {
	var list []string
	for _, b := range f.cfg.Buses {
		if n := of(b); n != "" {
			list = append(list, prefix+n)
		}
	}
	return strings.Join(list, ", ")
}

func same(a, b string) bool {
	x, errX := filepath.Abs(a)
	y, errY := filepath.Abs(b)
	return errors.Join(errX, errY) == nil && x == y
}
