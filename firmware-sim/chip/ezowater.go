package chip

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// points are the points of a calibration as bits, in a number that can be exported.
type points float64

func (n *points) set(bit int)   { *n = points(int(*n) | 1<<bit) }
func (n points) has(b int) bool { return int(n)&(1<<b) != 0 }
func (n points) answer() string { return fmt.Sprintf("?Cal,%d", bits.OnesCount(uint(n))) }

// NewEZODO makes a dissolved-oxygen circuit, calibrated in air. oxygen is what the water truly holds (mg/L), water its
// temperature (°C), salinity and air (pressure, hPa) what it stands in. The probe feels the share of saturation, so what
// the circuit prints depends on temperature, salinity and pressure it was told.
func NewEZODO(p Part, oxygen, water, salinity, air Source) *EZO {
	return newEZO(p, &ezoDO{
		oxygen: element{source: oxygen, noise: 0.01, wild: 1.5}, water: water, salinity: salinity, air: air,
		trueZero: 0.01, trueGain: 1 + 0.05*p.tolerance(1),
	})
}

type ezoDO struct {
	oxygen               element
	water, salinity, air Source
	trueZero, trueGain   float64 // of the probe: its signal is zero + gain × share

	points        float64 // bit 0 air, bit 1 zero
	zero, gain    float64 // what the calibration found
	mg, percent   bool    // outputs
	kPa, ppt      float64 // told; not kept without power
	toldMicro     float64 // µS/cm, when it was told a conductivity
	toldAsCurrent bool
}

func (d *ezoDO) info() ezoInfo {
	return ezoInfo{
		name: "D.O.", firmware: "2.16", quantity: measure.DissolvedOxygen, readTime: 600 * time.Millisecond, comp: 20, takesT: true,
	}
}

func (d *ezoDO) reset(factory bool) {
	d.kPa, d.ppt, d.toldAsCurrent = 101.3, 0, false
	if factory { // as a circuit comes that was calibrated once
		d.points, d.zero, d.gain, d.mg, d.percent = 1, d.trueZero, d.trueGain, true, false
	}
}

func (d *ezoDO) memory() []*float64 { return []*float64{&d.points, &d.zero, &d.gain} }

func (d *ezoDO) signal(p Part, t time.Time) float64 {
	share := d.oxygen.at(p, t) / world.Saturation(d.water(t), d.salinity(t), d.air(t)/1013.25)
	return d.trueZero + d.trueGain*share
}

func (d *ezoDO) read(p Part, t time.Time, comp float64) (float64, string) {
	gain := d.gain
	if gain == 0 { // Factory
		gain = 1
	}
	share := (d.signal(p, t) - d.zero) / gain
	mgL := share * world.Saturation(comp, d.ppt, d.kPa/101.325)
	v, text := printed(math.Max(0, math.Min(100, mgL)), 2)
	if d.percent {
		percent, percentText := printed(math.Max(0, 100*share), 1)
		if !d.mg {
			return percent, percentText
		}
		text += "," + percentText
	}
	return v, text
}

func (d *ezoDO) command(c ezoCommand) (string, time.Duration, bool) {
	const slow = 1300 * time.Millisecond
	switch {
	case c.is("CAL"):
		d.gain = d.signal(c.part, c.now) - d.zero
		(*points)(&d.points).set(0)
		return "", slow, true
	case c.is("CAL", "0"):
		air := d.zero + d.gain
		d.zero = d.signal(c.part, c.now)
		d.gain = air - d.zero
		(*points)(&d.points).set(1)
		return "", slow, true
	case c.is("CAL", "?"):
		return points(d.points).answer(), ezoQuick, true
	case c.is("CAL", "clear"):
		d.points, d.zero, d.gain = 0, 0, 1
		return "", ezoQuick, true
	case c.name == "O":
		return d.outputs(c)
	case c.name == "P", c.name == "S":
		return d.told(c)
	}
	return "", 0, false
}

func (d *ezoDO) outputs(c ezoCommand) (string, time.Duration, bool) {
	if c.is("O", "?") {
		cells := []string{"?,O"} // the odd prefix of this command
		if d.percent {
			cells = append(cells, "%")
		}
		if d.mg {
			cells = append(cells, "mg")
		}
		return strings.Join(cells, ","), ezoQuick, true
	}
	for name, on := range map[string]*bool{"mg": &d.mg, "%": &d.percent} {
		for i, v := range []string{"0", "1"} {
			if c.is("O", name, v) {
				*on = i == 1
				return "", ezoQuick, true
			}
		}
	}
	return "", 0, false
}

// told answers P and S: what the circuit is told of the water around it.
func (d *ezoDO) told(c ezoCommand) (string, time.Duration, bool) {
	switch {
	case c.is("P", "?"):
		return "?,P," + strconv.FormatFloat(d.kPa, 'f', 1, 64), ezoQuick, true
	case c.name == "P" && len(c.args) == 1:
		return "", ezoQuick, number(c.args[0], 30, 200, &d.kPa)
	case c.is("S", "?") && d.toldAsCurrent:
		return "?S," + strconv.FormatFloat(d.toldMicro, 'f', 0, 64) + ",uS", ezoQuick, true
	case c.is("S", "?"):
		return "?S," + strconv.FormatFloat(d.ppt, 'f', 2, 64) + ",ppt", ezoQuick, true
	case len(c.args) == 2 && c.is("S", c.args[0], "ppt"):
		ok := number(c.args[0], 0, 42, &d.ppt)
		d.toldAsCurrent = d.toldAsCurrent && !ok
		return "", ezoQuick, ok
	case c.name == "S" && len(c.args) == 1: // µS/cm at 25 °C; 0.56 mg/L salt each is right within 10 % from 1 to 10 mS/cm (PSS-78)
		if !number(c.args[0], 0, 60000, &d.toldMicro) {
			return "", 0, false
		}
		d.ppt, d.toldAsCurrent = d.toldMicro*0.56e-3, true
		return "", ezoQuick, true
	}
	return "", 0, false
}
