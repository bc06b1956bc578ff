package chip

import (
	"math"
	"strings"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// NewEZOORP makes a circuit for the redox potential (mV), calibrated with one standard.
func NewEZOORP(p Part, orp Source) *EZO {
	return newEZO(p, &ezoORP{orp: element{source: orp, noise: 0.3, wild: 40}, trueOffset: 6 * p.tolerance(1)})
}

type ezoORP struct {
	orp        element
	trueOffset float64 // of the probe, mV

	points, offset float64
}

func (d *ezoORP) info() ezoInfo {
	return ezoInfo{name: "ORP", firmware: "1.97", quantity: measure.ORP, readTime: time.Second}
}

func (d *ezoORP) reset(factory bool) {
	if factory { // as a circuit comes that was calibrated once
		d.points, d.offset = 1, d.trueOffset
	}
}

func (d *ezoORP) memory() []*float64 { return []*float64{&d.points, &d.offset} }

func (d *ezoORP) read(p Part, t time.Time, _ float64) (float64, string) {
	mv := d.orp.at(p, t) + d.trueOffset - d.offset
	return printed(math.Max(-1019.9, math.Min(1019.9, mv)), 1)
}

func (d *ezoORP) command(c ezoCommand) (string, time.Duration, bool) {
	var standard float64
	switch {
	case c.is("CAL", "?"):
		return points(d.points).answer(), ezoQuick, true
	case c.is("CAL", "clear"):
		d.points, d.offset = 0, 0
		return "", ezoQuick, true
	case c.name == "CAL" && len(c.args) == 1 && number(c.args[0], -1019.9, 1019.9, &standard):
		d.points, d.offset = 1, d.orp.at(c.part, c.now)+d.trueOffset-standard
		return "", 900 * time.Millisecond, true
	}
	return "", 0, false
}

// NewEZORTD makes a circuit for a platinum thermometer in water of a temperature (°C).
func NewEZORTD(p Part, water Source) *EZO {
	return newEZO(p, &ezoRTD{water: element{source: water, noise: 0.003, wild: 2}, trueOffset: 0.08 * p.tolerance(1)})
}

// EZORTDFaults are the faults an EZO-RTD circuit can have.
func EZORTDFaults() []fault.Kind { return append(EZOFaults(), fault.Open) }

type ezoRTD struct {
	water      element
	trueOffset float64 // of the probe, °C

	points, offset float64
	scale          string
}

func (d *ezoRTD) info() ezoInfo {
	return ezoInfo{name: "RTD", firmware: "2.10", quantity: measure.WaterTemperature, readTime: 600 * time.Millisecond}
}

func (d *ezoRTD) reset(factory bool) {
	if factory {
		d.points, d.offset, d.scale = 0, 0, "c"
	}
}

func (d *ezoRTD) memory() []*float64 { return []*float64{&d.points, &d.offset} }

func (d *ezoRTD) celsius(p Part, t time.Time) float64 { return d.water.at(p, t) + d.trueOffset }

func (d *ezoRTD) read(p Part, t time.Time, _ float64) (float64, string) {
	if p.Faults.Kind() == fault.Open {
		return printed(-1023, 3)
	}
	v := d.celsius(p, t) - d.offset
	switch d.scale {
	case "f":
		v = 32 + 1.8*v
	case "k":
		v += 273.15
	}
	return printed(v, 3)
}

func (d *ezoRTD) command(c ezoCommand) (string, time.Duration, bool) {
	var standard float64
	switch {
	case c.is("CAL", "?"):
		return points(d.points).answer(), ezoQuick, true
	case c.is("CAL", "clear"):
		d.points, d.offset = 0, 0
		return "", ezoQuick, true
	case c.name == "CAL" && len(c.args) == 1 && number(c.args[0], -126, 1254, &standard):
		d.points, d.offset = 1, d.celsius(c.part, c.now)-standard
		return "", 600 * time.Millisecond, true
	case c.is("S", "?"):
		return "?S," + d.scale, ezoQuick, true
	case c.is("S", "c"), c.is("S", "f"), c.is("S", "k"):
		d.scale = strings.ToLower(c.args[0])
		return "", ezoQuick, true
	}
	return "", 0, false
}
