package chip

import (
	"encoding/binary"
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// Registers of the ADS1115 (TI SBAS444, section 9.6).
const (
	adsConversion = 0
	adsConfig     = 1
	adsReset      = 0x8583
)

// ADS1115 is a simulated four-channel 16-bit converter.
type ADS1115 struct {
	part    Part
	inputs  [4]Analog
	pointer byte
	config  uint16
	low     uint16
	high    uint16
	result  uint16
	busy    time.Time // until then a conversion runs
	pending bool
	answers []reading // of the probes in result, for the ledger
}

// Analog is a probe at an input of a converter.
type Analog interface {
	// volts is the probe's output, and the fault that makes it no measurement.
	volts(at time.Time) (float64, fault.Kind)
	// worth is what a right driver makes of volts.
	worth(volts float64) (measure.Quantity, float64)
	made() Part
}

type reading struct {
	probe Analog
	value float64
	fault fault.Kind
}

// NewADS1115 makes a converter with nothing on its inputs.
func NewADS1115(p Part) *ADS1115 {
	a := &ADS1115{part: p}
	a.Reset()
	return a
}

// ADS1115Faults are the faults the converter itself can have; its probes have their own.
func ADS1115Faults() []fault.Kind { return i2cFaults(fault.Stuck) }

// Connect puts a probe on input 0 to 3; false when there is no such input or it is taken.
func (a *ADS1115) Connect(input int, c Analog) bool {
	if input < 0 || input >= len(a.inputs) || a.inputs[input] != nil {
		return false
	}
	a.inputs[input] = c
	return true
}

// Part implements Device.
func (a *ADS1115) Part() Part { return a.part }

// Reset implements Device.
func (a *ADS1115) Reset() {
	a.pointer, a.config, a.low, a.high = 0, adsReset, 0x8000, 0x7FFF
	a.result, a.pending, a.busy, a.answers = 0, false, time.Time{}, nil
}

// Tx implements Device.
func (a *ADS1115) Tx(w, r []byte) error {
	now := a.part.Now()
	a.settle(now)
	if len(w) > 0 {
		a.pointer = w[0] & 3
		if len(w) >= 3 {
			a.write(binary.BigEndian.Uint16(w[1:3]), now)
		}
	}
	if len(r) > 0 {
		var word [2]byte
		binary.BigEndian.PutUint16(word[:], a.read(now))
		for i := range r { // the chip repeats its register for as long as it is clocked
			r[i] = word[i%2]
		}
	}
	return nil
}

func (a *ADS1115) write(v uint16, now time.Time) {
	switch a.pointer {
	case adsConfig:
		a.config = v &^ 0x8000
		single := v&0x0100 != 0
		if single && v&0x8000 == 0 {
			return
		}
		a.pending, a.busy = true, now.Add(a.period())
		if a.part.Faults.Kind() == fault.Stuck {
			a.part.recordFault(now, "", fault.Stuck)
		}
	case 2:
		a.low = v
	case 3:
		a.high = v
	}
}

// period is the time of one conversion: 1/DR, by an oscillator that is up to 10 % off.
func (a *ADS1115) period() time.Duration {
	rate := [8]float64{8, 16, 32, 64, 128, 250, 475, 860}[a.config>>5&7]
	return time.Duration(float64(time.Second) / rate * (1 + 0.1*a.part.tolerance(1)))
}

// settle finishes a conversion whose time has passed.
func (a *ADS1115) settle(now time.Time) {
	continuous := a.config&0x0100 == 0
	if a.part.Faults.Kind() == fault.Stuck || now.Before(a.busy) || !a.pending && !continuous {
		return
	}
	at := a.busy
	if continuous {
		at = now
	}
	a.pending = false
	a.answers = a.answers[:0]
	noise := 1.2 * a.part.jitter(7, at) / 32768 * a.fullScale() // less than one bit: the data sheet's table 1
	a.result = adsRaw(a.input(at)+noise, a.fullScale())
	volts := float64(int16(a.result)) * a.fullScale() / 32768
	for i := range a.answers {
		_, a.answers[i].value = a.answers[i].probe.worth(volts)
	}
}

// adsRaw is the result of converting volts in a range.
func adsRaw(volts, fullScale float64) uint16 {
	return uint16(int16(math.Max(-32768, math.Min(32767, math.Round(volts*32768/fullScale)))))
}

// fullScale is the range of the amplifier, volts.
func (a *ADS1115) fullScale() float64 {
	return [8]float64{6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256}[a.config>>9&7]
}

// input is the voltage the multiplexer passes on.
func (a *ADS1115) input(at time.Time) float64 {
	mux := a.config >> 12 & 7
	if mux >= 4 {
		return a.pin(int(mux-4), at)
	}
	pair := [4][2]int{{0, 1}, {0, 3}, {1, 3}, {2, 3}}[mux]
	v := a.pin(pair[0], at) - a.pin(pair[1], at)
	a.answers = a.answers[:0] // a difference is no probe's answer
	return v
}

func (a *ADS1115) pin(i int, at time.Time) float64 {
	c := a.inputs[i]
	if c == nil {
		return floating(a.part, at)
	}
	v, broken := c.volts(at)
	a.answers = append(a.answers, reading{probe: c, fault: broken})
	return v
}

// floating is an open input: it hangs somewhere near half a volt and picks up the mains.
func floating(p Part, at time.Time) float64 { return 0.57 + 0.03*p.jitter(9, at) }

func (a *ADS1115) read(now time.Time) uint16 {
	switch a.pointer {
	case adsConversion:
		a.account(now)
		return a.result
	case adsConfig:
		if a.pending {
			return a.config // OS reads 0 while converting
		}
		return a.config | 0x8000
	case 2:
		return a.low
	}
	return a.high
}

// account writes the probes in the conversion register to the ledger, once per conversion.
func (a *ADS1115) account(now time.Time) {
	for _, r := range a.answers {
		p := r.probe.made()
		q, _ := r.probe.worth(0)
		if r.fault != fault.None {
			p.recordFault(now, q, r.fault)
		} else {
			p.record(now, q, r.value)
		}
	}
	a.answers = a.answers[:0]
}

// SoilPoint is one soil sample whose water content is known, and what the probe gives in it.
type SoilPoint struct {
	Volts float64
	VWC   float64 // %
}

// Capacitive is a capacitive soil probe v1.2: the wetter the soil, the lower its voltage.
type Capacitive struct {
	part     Part
	soil     element
	dry, wet SoilPoint
}

// NewCapacitive makes a probe in soil of a volumetric water content (%), whose voltage runs straight through two points.
func NewCapacitive(p Part, moisture Source, dry, wet SoilPoint) *Capacitive {
	return &Capacitive{part: p, soil: element{source: moisture, noise: 0.06, wild: 4}, dry: dry, wet: wet}
}

// CapacitiveFaults are the faults an analog probe can have.
func CapacitiveFaults() []fault.Kind {
	return []fault.Kind{fault.Unplug, fault.Shorted, fault.Frozen, fault.Noise}
}

// volts is the probe's output, and the fault that makes it no measurement.
func (c *Capacitive) volts(at time.Time) (float64, fault.Kind) {
	kind := c.part.Faults.Kind()
	if kind == fault.Unplug {
		return floating(c.part, at), kind
	}
	if kind == fault.Shorted {
		return 0, kind
	}
	share := (c.soil.at(c.part, at) - c.dry.VWC) / (c.wet.VWC - c.dry.VWC)
	return math.Max(0, c.dry.Volts+share*(c.wet.Volts-c.dry.Volts)), fault.None
}

func (c *Capacitive) worth(volts float64) (measure.Quantity, float64) {
	return measure.SoilMoisture, c.dry.VWC + (volts-c.dry.Volts)/(c.wet.Volts-c.dry.Volts)*(c.wet.VWC-c.dry.VWC)
}

func (c *Capacitive) made() Part { return c.part }
