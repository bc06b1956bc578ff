package chip

import (
	"encoding/binary"
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// BME280 is a simulated Bosch BME280 (data sheet BST-BME280-DS002): calibration, control and data registers. The raw data
// are computed backwards through its calibration, so that the data sheet's compensation gives the world's value.
type BME280 struct {
	part           Part
	air, wet, pres element
	cal            bmeCalibration
	ctrlHum        byte // as written
	humInForce     byte // takes effect with the next write to ctrl_meas
	ctrlMeas       byte
	config         byte
	pointer        byte
	data           [8]byte // 0xF7..0xFE
	busy           time.Time
	pending        bool
	fresh          bool // data hold a measurement
	t, p, h        float64
	unread         bool // the ledger has not had it yet
}

// Registers of the BME280.
const (
	bmeID       = 0xD0
	bmeResetReg = 0xE0
	bmeCtrlHum  = 0xF2
	bmeStatus   = 0xF3
	bmeCtrlMeas = 0xF4
	bmeConfig   = 0xF5
	bmeData     = 0xF7
)

// NewBME280 makes a BME280 in air of a temperature (°C), a relative humidity (%) and a pressure (hPa). Chips of odd seeds
// have a negative H5 in their calibration, which readers that forget its sign get wrong by tens of percent.
func NewBME280(p Part, air, humidity, pressure Source) *BME280 {
	b := &BME280{
		part: p,
		air:  element{source: air, salt: 1, noise: 0.01, wild: 2},
		wet:  element{source: humidity, salt: 2, noise: 0.05, wild: 8},
		pres: element{source: pressure, salt: 3, noise: 0.02, wild: 3},
		cal:  bmeExample(p.Seed%2 == 1),
	}
	b.Reset()
	return b
}

// BME280Faults are the faults a BME280 can have.
func BME280Faults() []fault.Kind {
	return i2cFaults(fault.Stuck, fault.PowerUp, fault.Frozen, fault.Noise)
}

// Part implements Device.
func (b *BME280) Part() Part { return b.part }

// Reset implements Device.
func (b *BME280) Reset() {
	b.ctrlHum, b.humInForce, b.ctrlMeas, b.config, b.pointer = 0, 0, 0, 0, 0
	b.data = [8]byte{0x80, 0, 0, 0x80, 0, 0, 0x80, 0}
	b.pending, b.fresh, b.unread = false, false, false
}

// Tx implements Device: pairs of register and value are written, or a register is named and read from on.
func (b *BME280) Tx(w, r []byte) error {
	now := b.part.Now()
	b.settle(now)
	if len(w) > 0 {
		b.pointer = w[0]
		for i := 0; i+1 < len(w); i += 2 {
			b.write(w[i], w[i+1], now)
		}
	}
	for i := range r {
		reg := b.pointer + byte(i) // the pointer runs on by itself
		r[i] = b.register(reg, now)
		if reg >= bmeData {
			b.account(now)
		}
	}
	return nil
}

func (b *BME280) write(reg, v byte, now time.Time) {
	switch reg {
	case bmeResetReg:
		if v == 0xB6 {
			b.Reset()
		}
	case bmeCtrlHum:
		b.ctrlHum = v & 7
	case bmeConfig:
		b.config = v
	case bmeCtrlMeas:
		b.ctrlMeas, b.humInForce = v, b.ctrlHum
		if v&3 != 0 {
			b.pending, b.busy = true, now.Add(b.period())
		}
	}
}

// period is the measurement time of this chip, somewhere between the typical and the longest one (data sheet, appendix B).
func (b *BME280) period() time.Duration {
	typical, longest := 1+2*oversampling(b.ctrlMeas>>5), 1.25+2.3*oversampling(b.ctrlMeas>>5)
	for _, n := range []float64{oversampling(b.ctrlMeas >> 2 & 7), oversampling(b.humInForce)} {
		if n > 0 {
			typical, longest = typical+2*n+0.5, longest+2.3*n+0.575
		}
	}
	ms := typical + (longest-typical)*(1+b.part.tolerance(4))/2
	return time.Duration(ms * float64(time.Millisecond))
}

func oversampling(bits byte) float64 {
	return [8]float64{0, 1, 2, 4, 8, 16, 16, 16}[bits&7]
}

// settle finishes a measurement whose time has passed. In normal mode the next one follows at once.
func (b *BME280) settle(now time.Time) {
	kind := b.part.Faults.Kind()
	if !b.pending || now.Before(b.busy) || kind == fault.Stuck {
		return
	}
	at := b.busy
	if b.ctrlMeas&3 == 3 {
		at, b.busy = now, now.Add(b.period())
	} else {
		b.pending = false
		b.ctrlMeas &^= 3 // forced mode goes back to sleep
	}
	b.unread = true
	if kind == fault.PowerUp {
		b.data, b.fresh = [8]byte{0x80, 0, 0, 0x80, 0, 0, 0x80, 0}, false
		return
	}
	b.measure(at)
}

func (b *BME280) measure(at time.Time) {
	t, h, p := b.air.at(b.part, at), b.wet.at(b.part, at), b.pres.at(b.part, at)
	// Each compensation grows or falls steadily with its raw value, so halving finds the raw value.
	stepT, stepP := bmeStep(b.ctrlMeas>>5), bmeStep(b.ctrlMeas>>2&7)
	rawT := unless(coarse(solve(1<<20, func(x float64) float64 { return b.cal.celsius(b.cal.fine(x)) }, t), stepT), 0x80000, stepT)
	fine := b.cal.fine(rawT)
	rawP := coarse(solve(1<<20, func(x float64) float64 { return b.cal.pascal(x, fine) / 100 }, p), stepP)
	rawH := solve(1<<16, func(x float64) float64 { return b.cal.percent(x, fine) }, h)
	// The values of a skipped measurement are one raw value wide; a true one that falls there is moved by one.
	rawP, rawH = unless(rawP, 0x80000, stepP), unless(rawH, 0x8000, 1)
	b.t, b.p, b.h = b.cal.celsius(fine), b.cal.pascal(rawP, fine)/100, b.cal.percent(rawH, fine)
	b.fresh = true
	if oversampling(b.ctrlMeas>>2&7) == 0 {
		rawP = 0x80000
	}
	if oversampling(b.ctrlMeas>>5) == 0 {
		rawT = 0x80000
	}
	if oversampling(b.humInForce) == 0 {
		rawH = 0x8000
	}
	put20(b.data[0:], uint32(rawP))
	put20(b.data[3:], uint32(rawT))
	binary.BigEndian.PutUint16(b.data[6:], uint16(rawH))
}

// bmeStep is the step of raw temperatures and pressures without the filter: 16 bits, and one more each time oversampling doubles
// (data sheet, tables 5 and 6).
func bmeStep(bits byte) float64 {
	return 16 / math.Max(1, oversampling(bits))
}

// coarse rounds a raw value to the steps there are.
func coarse(raw, step float64) float64 {
	return math.Min(step*math.Round(raw/step), 1<<20-step)
}

// unless returns raw, or its neighbour when raw is the one that means skipped.
func unless(raw, skipped, step float64) float64 {
	if raw == skipped {
		return raw + step
	}
	return raw
}

// put20 stores 20 bits in three bytes, most significant first, as the data registers have them.
func put20(b []byte, x uint32) { b[0], b[1], b[2] = byte(x>>12), byte(x>>4), byte(x<<4) }

// solve returns the whole number below limit at which f comes nearest to want; f is monotone.
func solve(limit int, f func(float64) float64, want float64) float64 {
	low, high := 0, limit-1
	up := f(float64(high)) > f(0)
	for high-low > 1 {
		mid := (low + high) / 2
		if f(float64(mid)) < want == up {
			low = mid
		} else {
			high = mid
		}
	}
	if math.Abs(f(float64(low))-want) < math.Abs(f(float64(high))-want) {
		return float64(low)
	}
	return float64(high)
}

func (b *BME280) register(reg byte, now time.Time) byte {
	switch {
	case reg >= 0x88 && reg <= 0xA1, reg >= 0xE1 && reg <= 0xE7:
		return b.cal.register(reg)
	case reg == bmeID:
		return 0x60
	case reg == bmeCtrlHum:
		return b.ctrlHum
	case reg == bmeStatus:
		if b.pending && (now.Before(b.busy) || b.part.Faults.Kind() == fault.Stuck) {
			return 0x08 // measuring
		}
		return 0
	case reg == bmeCtrlMeas:
		return b.ctrlMeas
	case reg == bmeConfig:
		return b.config
	case reg >= bmeData && reg < bmeData+8:
		return b.data[reg-bmeData]
	}
	return 0
}

// account writes a measurement to the ledger when it is first read.
func (b *BME280) account(now time.Time) {
	if b.part.Faults.Kind() == fault.Stuck && b.pending {
		b.part.recordFault(now, "", fault.Stuck)
	}
	if !b.unread {
		return
	}
	b.unread = false
	if !b.fresh {
		b.part.recordFault(now, "", fault.PowerUp)
		return
	}
	b.part.record(now, measure.AirTemperature, b.t)
	b.part.record(now, measure.RelativeHumidity, b.h)
	b.part.record(now, measure.AirPressure, b.p)
}
