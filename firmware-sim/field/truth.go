package field

import (
	"math"
	"slices"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// Part is a device or a bus as somebody sees it who stands before it.
type Part struct {
	ID       string
	Kind     string             // a kind of the field file; of a bus what it is: i2c, w1, onewire, serial, pins
	Place    string             // where it measures or works; empty for what several places share
	Measures []measure.Quantity // what it is there to measure; empty for what measures nothing
}

// Places lists the places, in the order of the field file.
func (f *Field) Places() []Place { return slices.Clone(f.cfg.Places) }

// Parts lists what can break: what the fault board has, in its order.
func (f *Field) Parts() (list []Part) {
	parts := make(map[string]Part)
	where := f.whereabouts()
	for _, b := range f.cfg.Buses {
		parts[b.ID] = Part{ID: b.ID, Kind: b.sort(), Place: where[b.ID]}
	}
	for _, d := range f.cfg.Devices {
		parts[d.ID] = Part{ID: d.ID, Kind: d.Kind, Place: where[d.ID], Measures: d.measures()}
	}
	for _, d := range f.board.Devices() {
		if p, ok := parts[d.Name]; ok {
			list = append(list, p)
		}
	}
	return list
}

// whereabouts says where devices and buses are. A bus, a converter, or what hangs at a motor is where all are that hang at it;
// nowhere when they are in several places.
func (f *Field) whereabouts() map[string]string {
	where := make(map[string]string)
	at := func(id, place string) {
		if old, known := where[id]; known && old != place {
			place = ""
		}
		where[id] = place
	}
	for _, d := range f.cfg.Devices { // what has a place, or hangs at what has one above it
		if d.Motor != "" {
			d.Place = where[d.Motor]
		}
		if d.Place != "" {
			where[d.ID] = d.Place
		}
	}
	for _, d := range f.cfg.Devices {
		if d.ADC != "" {
			at(d.ADC, where[d.ID])
		}
	}
	for _, d := range f.cfg.Devices {
		if d.Bus != "" {
			at(d.Bus, where[d.ID])
		}
	}
	return where
}

// sort is what a bus is.
func (b Bus) sort() string {
	switch {
	case b.Socket != "":
		return "i2c"
	case b.W1 != "":
		return "w1"
	case b.OneWire != "":
		return "onewire"
	case b.Serial != "":
		return "serial"
	}
	return "pins"
}

// measures is what a device is there to measure, without what it only needs to know for that.
func (d Device) measures() []measure.Quantity {
	switch d.Kind {
	case "aerator", "ads1115":
		return nil
	case "transducer":
		return []measure.Quantity{measure.Current}
	case "modbus", "analog":
		t, err := d.template("")
		if err != nil { // cannot be: it was there at the start
			return nil
		}
		return t.Quantities()
	case "sht4x", "sht3x", "bme280", "seesaw-soil":
		return kinds()[d.Kind].needs
	}
	if needs := kinds()[d.Kind].needs; len(needs) > 0 {
		return needs[:1]
	}
	return nil
}

// Truth is what a perfect probe would say of a quantity of a place when the chips' clock says t, in the quantity's unit; false
// for what the place does not have.
func (f *Field) Truth(place string, q measure.Quantity, t time.Time) (float64, bool) {
	if q == measure.AeratorRunning {
		return f.turns(place)
	}
	s, ok := f.felt(place, q)
	if !ok {
		return 0, false
	}
	v := s(t)
	return v, !math.IsNaN(v)
}

// turns is 1 when the one aerator of a place turns just now, and 0 when it stands still; false for a place with none or several.
func (f *Field) turns(place string) (v float64, ok bool) {
	n := 0
	for _, d := range f.cfg.Devices {
		if motor := f.motors[d.ID]; motor != nil && d.Place == place {
			n++
			if motor.relay.Turns() {
				v = 1
			}
		}
	}
	return v, n == 1
}

// Sky is the weather over the field when the chips' clock says t; false before the world begins.
func (f *Field) Sky(t time.Time) (world.Sky, bool) {
	sky, err := f.world.Sky(f.WorldTime(t))
	return sky, err == nil
}
