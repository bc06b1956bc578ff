package field

import (
	"math"
	"slices"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// Part is a device as somebody sees it who stands before it.
type Part struct {
	ID       string
	Kind     string             // a kind of the field file; "serial" for the adapter of a serial line
	Place    string             // where it measures or works; empty for what several places share
	Measures []measure.Quantity // what it is there to measure; empty for what measures nothing
}

// Places lists the places, in the order of the field file.
func (f *Field) Places() []Place { return slices.Clone(f.cfg.Places) }

// Parts lists the devices and the adapters of serial lines: what the fault board has, in its order.
func (f *Field) Parts() (list []Part) {
	for _, b := range f.cfg.Buses {
		if b.Serial != "" {
			list = append(list, Part{ID: b.ID, Kind: "serial"})
		}
	}
	places := make(map[string]string)
	for _, d := range f.cfg.Devices {
		p := Part{ID: d.ID, Kind: d.Kind, Place: d.Place, Measures: d.measures()}
		if d.Motor != "" {
			p.Place = places[d.Motor]
		}
		places[d.ID] = p.Place
		list = append(list, p)
	}
	return list
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
