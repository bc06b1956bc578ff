package chip

import (
	"math"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/formula"
)

// NewEZOEC makes a conductivity circuit, calibrated dry and with one standard. ec25 is the water's conductivity at 25 °C
// (µS/cm), water its temperature (°C). Water conducts 1.91 % more for each degree and the circuit reckons with 2 %, as the
// real one does.
func NewEZOEC(p Part, ec25, water Source) *EZO {
	return newEZO(p, &ezoEC{
		ec: element{source: ec25, noise: 0.4, wild: 60}, water: water, trueZero: 1.2, trueGain: 1 + 0.08*p.tolerance(1),
	})
}

type ezoEC struct {
	ec                 element
	water              Source
	trueZero, trueGain float64 // of the probe: its signal is zero + gain × conductivity

	points                 float64 // bit 0 dry, bit 1 one standard, bits 2 and 3 the lower and the higher of two
	zero, gain             float64 // what the calibration found
	lowSignal, lowStandard float64
	k                      float64 // cell constant
	on                     [4]bool // outputs, in the order of ezoECOutputs
}

func ezoECOutputs() [4]string { return [4]string{"EC", "TDS", "S", "SG"} }

func (d *ezoEC) info() ezoInfo {
	return ezoInfo{name: "EC", firmware: "2.16", quantity: measure.Conductivity, readTime: 600 * time.Millisecond, comp: 25, takesT: true}
}

func (d *ezoEC) reset(factory bool) {
	if factory { // as a circuit comes that was calibrated once
		d.points, d.zero, d.gain, d.k, d.on = 3, d.trueZero, d.trueGain, 1, [4]bool{true}
	}
}

func (d *ezoEC) memory() []*float64 {
	return []*float64{&d.points, &d.zero, &d.gain, &d.lowSignal, &d.lowStandard}
}

func (d *ezoEC) signal(p Part, t time.Time) float64 {
	return d.trueZero + d.trueGain*d.ec.at(p, t)*(1+0.0191*(d.water(t)-25))
}

func (d *ezoEC) read(p Part, t time.Time, comp float64) (float64, string) {
	gain := d.gain
	if gain == 0 { // Factory
		gain = 1
	}
	us := math.Max(0, (d.signal(p, t)-d.zero)/gain/(1+0.02*(comp-25)))
	salinity, err := formula.Salinity(us, 25, 0)
	if err != nil {
		salinity = 0 // nearly pure water, or brine
	}
	first := 0.0
	var cells []string
	for i, print := range []func() (float64, string){
		func() (float64, string) { return ecPrinted(us) },
		func() (float64, string) { return printed(0.54*us, 0) },
		func() (float64, string) { return printed(salinity, 2) },
		func() (float64, string) { return printed(1+0.00076*salinity, 3) },
	} {
		if !d.on[i] {
			continue
		}
		v, text := print()
		if len(cells) == 0 {
			first = v
		}
		cells = append(cells, text)
	}
	return first, strings.Join(cells, ",")
}

// ecPrinted rounds µS/cm as the circuit prints it: four digits, at most two of them after the point.
func ecPrinted(us float64) (float64, string) {
	switch {
	case us < 100:
		return printed(us, 2)
	case us < 1000:
		return printed(us, 1)
	case us < 10_000:
		return printed(us, 0)
	case us < 100_000:
		return printed(10*math.Round(us/10), 0)
	}
	return printed(100*math.Round(us/100), 0)
}

func (d *ezoEC) command(c ezoCommand) (string, time.Duration, bool) {
	const slow = 1200 * time.Millisecond
	switch {
	case c.is("CAL", "?"):
		n := 0
		for bit := 1; bit < 4; bit++ { // the dry point does not count
			if points(d.points).has(bit) {
				n++
			}
		}
		return "?CAL," + strconv.Itoa(n), ezoQuick, true // in capitals, as has been seen
	case c.is("CAL", "clear"):
		d.points, d.zero, d.gain = 0, 0, 1
		return "", ezoQuick, true
	case c.is("CAL", "dry"):
		d.zero = d.signal(c.part, c.now)
		(*points)(&d.points).set(0)
		return "", slow, true
	case c.name == "CAL":
		return "", slow, d.calibrate(c)
	case c.is("K", "?"):
		return "?K," + strconv.FormatFloat(d.k, 'f', 1, 64), ezoQuick, true
	case c.name == "K" && len(c.args) == 1:
		return "", ezoQuick, number(c.args[0], 0.1, 10, &d.k)
	case c.name == "O":
		return d.outputs(c)
	}
	return "", 0, false
}

// calibrate takes a standard: what the probe gives now belongs to the conductivity in the command.
func (d *ezoEC) calibrate(c ezoCommand) bool {
	var us float64
	if n := len(c.args); n == 0 || n > 2 || !number(c.args[n-1], 0.07, 500_000, &us) {
		return false
	}
	signal := d.signal(c.part, c.now)
	us *= 1 + 0.02*(c.comp-25) // the command speaks of 25 °C when the circuit compensates
	switch {
	case len(c.args) == 1:
		d.gain = (signal - d.zero) / us
		d.points = float64(int(d.points) & 1)
		(*points)(&d.points).set(1)
	case strings.EqualFold(c.args[0], "low"):
		d.gain = (signal - d.zero) / us
		d.points = float64(int(d.points) & 1)
		d.lowSignal, d.lowStandard = signal, us
		(*points)(&d.points).set(2)
	case strings.EqualFold(c.args[0], "high") && points(d.points).has(2) && us > d.lowStandard:
		d.gain = (signal - d.lowSignal) / (us - d.lowStandard)
		d.zero = d.lowSignal - d.gain*d.lowStandard
		(*points)(&d.points).set(3)
	default:
		return false
	}
	return true
}

func (d *ezoEC) outputs(c ezoCommand) (string, time.Duration, bool) {
	names := ezoECOutputs()
	if c.is("O", "?") {
		cells := []string{"?O"}
		for i, on := range d.on {
			if on {
				cells = append(cells, names[i])
			}
		}
		return strings.Join(cells, ","), ezoQuick, true
	}
	for i, name := range names {
		for v, digit := range []string{"0", "1"} {
			if c.is("O", name, digit) {
				d.on[i] = v == 1
				return "", ezoQuick, true
			}
		}
	}
	return "", 0, false
}
