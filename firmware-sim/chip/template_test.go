package chip_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/onewire"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/sense/serial"
	"aovuon/hardware/probes"
)

// templates loads every embedded template of a kind.
func templates(t *testing.T, k probe.Kind) map[string]*probe.Template {
	t.Helper()
	lib := probe.NewLibrary(probes.Files())
	ids, err := lib.IDs()
	if err != nil {
		t.Fatal(err)
	}
	list := make(map[string]*probe.Template)
	for _, id := range ids {
		tpl, err := lib.Template(id)
		if err != nil {
			t.Fatal(err)
		}
		if tpl.Kind == k {
			list[id] = tpl
		}
	}
	return list
}

// wires are the buses of one simulated probe.
type wires struct {
	port serial.Port
	bus  i2c.Bus
}

func (w wires) I2C(string) (i2c.Bus, error)         { return w.bus, nil }
func (w wires) OneWire(string) (onewire.Bus, error) { return nil, errors.New("no 1-Wire here") }

func (w wires) W1(string) (fs.FS, error)                  { return nil, errors.New("no 1-Wire here") }
func (w wires) Serial(string) (serial.Port, error)        { return w.port, nil }
func (r readings) get(q measure.Quantity) measure.Reading { return r[q] }

type readings map[measure.Quantity]measure.Reading

// Take implements sense.Sink.
func (r readings) Take(_ context.Context, list []measure.Reading) error {
	for _, reading := range list {
		if err := reading.Validate(); err != nil {
			return err
		}
		r[reading.Quantity] = reading
	}
	return nil
}

// probeBook is the newest entry of the ledger for each quantity.
type probeBook struct {
	mu   sync.Mutex
	last map[measure.Quantity]ledger.Entry
}

// Record implements chip.Recorder.
func (b *probeBook) Record(e ledger.Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last[e.Quantity] = e
}

// probeRig is one simulated probe asked by the gateway's own code, in virtual time.
type probeRig struct {
	t       *testing.T
	clock   *sensetest.Clock
	board   *fault.Board
	values  map[measure.Quantity]float64 // the world
	book    *probeBook
	station *sense.Station
	master  rtu.Master
	buses   wires
}

func newProbeRig(t *testing.T) *probeRig {
	return &probeRig{
		t: t, clock: sensetest.NewClock(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)), board: fault.NewBoard(),
		values: make(map[measure.Quantity]float64), book: &probeBook{last: make(map[measure.Quantity]ledger.Entry)},
	}
}

func (r *probeRig) now() time.Time { return r.clock.Now().Wall }

func (r *probeRig) part(name string, kinds []fault.Kind) chip.Part {
	r.t.Helper()
	sw, err := r.board.Add(name, kinds...)
	if err != nil {
		r.t.Fatal(err)
	}
	return chip.Part{Name: name, Seed: 7, Now: r.now, Faults: sw, Ledger: r.book}
}

func (r *probeRig) source(q measure.Quantity) chip.Source {
	return func(time.Time) float64 { return r.values[q] }
}

func (r *probeRig) build(s kind.Spec) {
	r.t.Helper()
	channels, err := kind.Build([]kind.Spec{s}, r.buses, map[string]kind.BusSpec{"rs485": {Serial: "/dev/rs485"}, "i2c": {I2C: "1"}}, r.clock)
	if err != nil {
		r.t.Fatal(err)
	}
	r.station = sense.NewStation(r.clock, channels, slog.New(slog.DiscardHandler))
}

// modbus puts a probe on a line and the gateway at its end.
func (r *probeRig) modbus(tpl *probe.Template) {
	r.t.Helper()
	adapter, err := r.board.Add("rs485", chip.LineFaults()...)
	if err != nil {
		r.t.Fatal(err)
	}
	line := chip.NewSerialLine(r.now, false, adapter)
	sources := make(map[measure.Quantity]chip.Source)
	for _, q := range tpl.Quantities() {
		sources[q] = r.source(q)
	}
	unit := byte(tpl.Modbus.Unit)
	line.Add(chip.NewTemplateProbe(r.part("probe", chip.TemplateFaults(tpl)), tpl, unit, tpl.Modbus.Serial(), sources))
	r.buses.port = chip.NewSerialPort("/dev/rs485", line, r.clock.Sleep)
	r.master = rtu.New(r.buses.port, r.clock)
	r.build(kind.Spec{ID: "probe", Kind: "modbus", Bus: "rs485", Template: tpl.ID, Address: uint16(unit)})
	r.at(tpl, 0.5)
}

// at sets every value of the world to a share of what the probe can measure.
func (r *probeRig) at(tpl *probe.Template, share float64) {
	for _, read := range tpl.Modbus.Reads {
		for _, v := range read.Values {
			r.values[v.Quantity] = *v.Min + share*(*v.Max-*v.Min)
		}
	}
}

func (r *probeRig) poll() readings {
	r.t.Helper()
	got := make(readings)
	if err := r.station.PollAll(r.t.Context(), got); err != nil {
		r.t.Fatal(err)
	}
	return got
}

func (r *probeRig) pass(d time.Duration) {
	r.t.Helper()
	if err := r.clock.Sleep(r.t.Context(), d); err != nil {
		r.t.Fatal(err)
	}
}

// What the world is goes through the simulated registers, the line, the Master and the template, and comes out the same.
func TestTemplates_WorldToReading(t *testing.T) {
	for id, tpl := range templates(t, probe.KindModbus) {
		t.Run(id, func(t *testing.T) {
			r := newProbeRig(t)
			r.modbus(tpl)
			if tpl.Modbus.Start != nil {
				for q, got := range r.poll() {
					if got.Reason != measure.NotReady {
						t.Errorf("%s right after its start: %+v", q, got)
					}
				}
			}
			r.pass(tpl.Modbus.WarmUp + time.Second)
			for _, share := range []float64{0.02, 0.1, 0.37, 0.5, 0.83, 0.98} {
				r.at(tpl, share)
				r.pass(240 * time.Hour) // nothing in a pond changes so far in less
				r.compare(tpl, r.poll())
			}
		})
	}
}

func (r *probeRig) compare(tpl *probe.Template, got readings) {
	r.t.Helper()
	for i, read := range tpl.Modbus.Reads {
		for _, v := range read.Values {
			g, want := got.get(v.Quantity), r.values[v.Quantity]
			info, _ := v.Quantity.Info()
			tolerance := read.Resolution(v, tpl.Modbus.Image(i))/2 + math.Pow10(-info.Decimals) // and the noise
			quality := measure.Good
			if v.Indicative != "" {
				quality = measure.Uncalibrated
			}
			if limits, err := v.Quantity.Grade(want); err == nil {
				quality = measure.Worse(quality, limits)
			}
			if g.Quality != quality || math.Abs(g.Value-want) > tolerance {
				r.t.Errorf("%s: the world has %g, the reading is %+v", v.Quantity, want, g)
			}
			if e := r.book.last[v.Quantity]; math.Abs(e.Value-g.Value) > 1e-9 {
				r.t.Errorf("%s: the ledger has %+v, the reading is %+v", v.Quantity, e, g)
			}
		}
	}
}

func TestTemplates_Faults(t *testing.T) {
	for id, tpl := range templates(t, probe.KindModbus) {
		t.Run(id, func(t *testing.T) {
			r := newProbeRig(t)
			r.modbus(tpl)
			healthy := func(when string) {
				t.Helper()
				for try := 0; ; try++ {
					r.pass(tpl.Modbus.WarmUp + 5*time.Second)
					bad := false
					for _, g := range r.poll() {
						bad = bad || g.Quality == measure.Fault
					}
					if !bad {
						return
					}
					if try > 2 {
						t.Fatalf("%s: it does not heal", when)
					}
				}
			}
			healthy("at first")
			for _, f := range chip.TemplateFaults(tpl) {
				want, known := map[fault.Kind]measure.FaultReason{
					fault.Unplug: measure.NoResponse, fault.CRC: measure.CRC, fault.Garbled: measure.Garbled, fault.Exception: measure.Refused,
					fault.WrongUnit: measure.Garbled, fault.Late: measure.NoResponse, fault.PowerUp: measure.PowerUp, fault.Open: measure.Refused,
				}[f]
				if !known {
					continue
				}
				if err := r.board.Set("probe", f); err != nil {
					t.Fatal(err)
				}
				r.pass(time.Minute)
				before := r.now()
				got := r.poll()
				if took := r.now().Sub(before); took > 3*time.Second {
					t.Errorf("%s: the probe held the line for %v", f, took)
				}
				found := false
				for _, g := range got {
					found = found || g.Reason == want
				}
				if !found {
					t.Errorf("%s: %v, want %s", f, got, want)
				}
				r.board.HealAll()
				healthy(string(f))
			}
		})
	}
}

// The procedure of a template, done on the simulated probe: afterwards it answers at the other address, at the other speed.
func TestTemplates_ChangeOfAddressAndSpeed(t *testing.T) {
	write := func(function, register, value int) []byte {
		pdu := binary.BigEndian.AppendUint16([]byte{byte(function)}, uint16(register))
		if function == 16 {
			pdu = append(pdu, 0, 1, 2)
		}
		return binary.BigEndian.AppendUint16(pdu, uint16(value))
	}
	for id, tpl := range templates(t, probe.KindModbus) {
		c := tpl.Modbus.Change
		if c.Address == nil {
			continue
		}
		t.Run(id, func(t *testing.T) {
			r := newProbeRig(t)
			r.modbus(tpl)
			line := tpl.Modbus.Serial()
			ask := rtu.Request{Line: line, Unit: byte(tpl.Modbus.Unit), PDU: write(c.Address.Function, c.Address.Register, 9*max(1, c.Address.Times))}
			if _, err := r.master.Do(t.Context(), ask); err != nil {
				t.Fatal(err)
			}
			spec := kind.Spec{ID: "probe", Kind: "modbus", Bus: "rs485", Template: tpl.ID, Address: 9}
			if c.Baud != nil {
				for baud, code := range c.Baud.Codes {
					if baud != line.Baud {
						spec.Baud = baud
						ask = rtu.Request{Line: line, Unit: 9, PDU: write(c.Baud.Function, c.Baud.Register, code)}
						break
					}
				}
				if _, err := r.master.Do(t.Context(), ask); err != nil {
					t.Fatal(err)
				}
			}
			r.build(spec)
			r.poll()
			r.pass(tpl.Modbus.WarmUp + time.Second)
			for q, g := range r.poll() {
				if g.Quality == measure.Fault {
					t.Errorf("%s: %+v", q, g)
				}
			}
		})
	}
}
