package chip

import (
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/serial"
)

// Ultrasonic is a simulated UART ultrasonic sensor (DFRobot SEN0311, SEN0312, SEN0313) that looks down at the water of a
// pond: it sends a frame every 100 ms, unasked.
type Ultrasonic struct {
	part   Part
	height float64 // cm
	level  element
	air    Source
}

const (
	ultrasonicEvery = 100 * time.Millisecond
	// The sensor divides by the speed of sound at this temperature, °C.
	ultrasonicAt = 20
)

// NewUltrasonic makes a sensor that hangs height cm above the level 0. level is the water's (cm), air the temperature of
// the air between (°C): sound is faster in warm air, so what the sensor prints depends on it.
func NewUltrasonic(p Part, height float64, level, air Source) *Ultrasonic {
	return &Ultrasonic{part: p, height: height, level: element{source: level, noise: 0.05, wild: 20}, air: air}
}

// UltrasonicFaults are the faults an ultrasonic sensor can have.
func UltrasonicFaults() []fault.Kind {
	return []fault.Kind{fault.Unplug, fault.CRC, fault.Garbled, fault.Frozen, fault.Noise}
}

// Part implements SerialDevice.
func (u *Ultrasonic) Part() Part { return u.part }

// Hear implements SerialDevice: the sensor has no ears.
func (u *Ultrasonic) Hear(time.Time, serial.Line, []byte) []Burst { return nil }

// Talk implements SerialDevice.
func (u *Ultrasonic) Talk(from, to time.Time) []Burst {
	var list []Burst
	for at := from.Truncate(ultrasonicEvery).Add(ultrasonicEvery); !at.After(to); at = at.Add(ultrasonicEvery) {
		if b, ok := u.frame(at); ok {
			list = append(list, b)
		}
	}
	return list
}

// frame is what the sensor sends at t.
func (u *Ultrasonic) frame(t time.Time) (Burst, bool) {
	kind := u.part.Faults.Kind()
	if kind == fault.Unplug {
		return Burst{}, false
	}
	distance := u.height - u.level.at(u.part, t)
	mm := uint16(math.Round(math.Max(0, math.Min(7500, 10*distance*soundFactor(ultrasonicAt)/soundFactor(u.air(t))))))
	b := Burst{At: t, Line: serial.Line{Baud: 9600, Parity: serial.NoParity, StopBits: 1}}
	b.Bytes = ultrasonicFrame(mm)
	b.Sent = func(t time.Time) {
		right := float64(mm) / 10 * soundFactor(u.air(t)) / soundFactor(ultrasonicAt)
		u.part.record(t, measure.SurfaceDistance, right)
		u.part.record(t, measure.WaterLevel, u.height-right)
	}
	if kind != fault.CRC && kind != fault.Garbled {
		return b, true
	}
	if b.Bytes[3] ^= 0x04; kind == fault.Garbled {
		b.Bytes = []byte{0x12, 0x9A, 0x3C}
	}
	b.Sent = func(t time.Time) { u.part.recordFault(t, "", kind) }
	return b, true
}

// ultrasonicFrame says a distance in mm.
func ultrasonicFrame(mm uint16) []byte {
	high, low := byte(mm>>8), byte(mm)
	return []byte{0xFF, high, low, 0xFF + high + low}
}

// soundFactor is the speed of sound in air of t °C against that at 0 °C: it goes with the root of the temperature.
func soundFactor(t float64) float64 { return math.Sqrt((t + 273.15) / 273.15) }
