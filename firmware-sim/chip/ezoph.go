package chip

import (
	"math"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// The simulated electrode: a little off at pH 7, its slope not quite Nernst's on either side.
const (
	electrodeOffset = -0.89 // mV
	electrodeAcid   = 0.997
	electrodeBase   = 1.003
)

// NewEZOPH makes a pH circuit, calibrated at three points. ph is the water's true pH, water its temperature (°C): the
// electrode's slope grows with temperature, so what the circuit prints depends on the temperature it was told.
func NewEZOPH(p Part, ph, water Source) *EZO {
	return newEZO(p, &ezoPH{ph: element{source: ph, noise: 0.003, wild: 0.4}, water: water})
}

type ezoPH struct {
	ph    element
	water Source

	points             float64 // bit 0 mid, bit 1 low, bit 2 high
	offset, acid, base float64 // what the calibration found: mV, and shares of Nernst's slope
}

func (d *ezoPH) info() ezoInfo {
	return ezoInfo{name: "pH", firmware: "2.10", quantity: measure.PH, readTime: 900 * time.Millisecond, comp: 25, takesT: true}
}

func (d *ezoPH) reset(factory bool) {
	if factory { // as a circuit comes that was calibrated once
		d.points, d.offset, d.acid, d.base = 7, electrodeOffset, electrodeAcid, electrodeBase
	}
}

func (d *ezoPH) memory() []*float64 { return []*float64{&d.points, &d.offset, &d.acid, &d.base} }

// nernst is the ideal slope in mV: ln(10) R T / F.
func nernst(celsius float64) float64 { return 0.19842 * (celsius + 273.15) }

// millivolts is what the electrode gives.
func (d *ezoPH) millivolts(p Part, t time.Time) float64 {
	ideal := (7 - d.ph.at(p, t)) * nernst(d.water(t))
	if ideal > 0 {
		return electrodeOffset + electrodeAcid*ideal
	}
	return electrodeOffset + electrodeBase*ideal
}

func (d *ezoPH) read(p Part, t time.Time, comp float64) (float64, string) {
	above := (d.millivolts(p, t) - d.offset) / nernst(comp)
	slope := d.base
	if above > 0 {
		slope = d.acid
	}
	if slope == 0 { // Factory
		slope = 1
	}
	return printed(math.Max(0.001, math.Min(14, 7-above/slope)), 3)
}

func (d *ezoPH) command(c ezoCommand) (string, time.Duration, bool) {
	switch {
	case c.is("CAL", "?"):
		return points(d.points).answer(), ezoQuick, true
	case c.is("CAL", "clear"):
		d.points, d.offset, d.acid, d.base = 0, 0, 1, 1
		return "", ezoQuick, true
	case c.name == "CAL" && len(c.args) == 2:
		return "", 900 * time.Millisecond, d.calibrate(c)
	case c.is("SLOPE", "?"):
		decimal := func(v float64, n int) string { return strconv.FormatFloat(v, 'f', n, 64) }
		return "?Slope," + decimal(100*d.acid, 1) + "," + decimal(100*d.base, 1) + "," + decimal(d.offset, 2), ezoQuick, true
	}
	return "", 0, false
}

// calibrate takes a point: what the electrode gives now belongs to the pH in the command.
func (d *ezoPH) calibrate(c ezoCommand) bool {
	var ph float64
	if !number(c.args[1], 0, 14, &ph) {
		return false
	}
	mv := d.millivolts(c.part, c.now)
	ideal := (7 - ph) * nernst(c.comp)
	switch strings.ToLower(c.args[0]) {
	case "mid": // deletes the other points
		d.points, d.offset, d.acid, d.base = 1, mv-ideal, 1, 1
	case "low":
		if ph >= 7 {
			return false
		}
		d.acid = (mv - d.offset) / ideal
		(*points)(&d.points).set(1)
	case "high":
		if ph <= 7 {
			return false
		}
		d.base = (mv - d.offset) / ideal
		(*points)(&d.points).set(2)
	default:
		return false
	}
	return true
}
