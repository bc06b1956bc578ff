package chip

import (
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
)

// Source is a physical value as a function of time, in the unit of its quantity.
type Source func(t time.Time) float64

// Recorder is told what every chip answered. Record must not block for long and must be safe for concurrent use.
type Recorder interface {
	Record(e ledger.Entry)
}

// Silent is the Recorder that keeps nothing.
type Silent struct{}

// Record implements Recorder.
func (Silent) Record(ledger.Entry) {}

// Part is what every simulated device is made of.
type Part struct {
	Name   string           // the device's name on the fault board and in the ledger
	Seed   uint64           // of its noise and tolerances
	Now    func() time.Time // the clock its conversion times run by
	Faults *fault.Switch    // what is wrong with it at present
	Ledger Recorder
}

// jitter is small noise in about [-1.7, 1.7] with deviation 0.5, the same for the same seed, salt and instant.
func (p Part) jitter(salt uint64, t time.Time) float64 {
	var sum float64
	for i := range uint64(4) { // the sum of four uniform numbers is near enough to a bell
		sum += float64(mix(p.Seed^(salt<<8|i), uint64(t.UnixMilli()))>>11)/(1<<53) - 0.5
	}
	return sum * math.Sqrt(3) / 2
}

// tolerance is a fixed number in [-1, 1) of the part's own, like the tolerance of its oscillator.
func (p Part) tolerance(salt uint64) float64 {
	return float64(mix(p.Seed, salt)>>11)/(1<<52) - 1
}

// mix spreads two numbers over 64 bits (splitmix64's finaliser, Steele, Lea, Flood 2014).
func mix(seed, i uint64) uint64 {
	x := seed + i*0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func (p Part) record(t time.Time, q measure.Quantity, v float64) {
	p.Ledger.Record(ledger.Entry{Time: t, Device: p.Name, Quantity: q, Value: v})
}

func (p Part) recordFault(t time.Time, q measure.Quantity, k fault.Kind) {
	p.Ledger.Record(ledger.Entry{Time: t, Device: p.Name, Quantity: q, Fault: string(k)})
}

// element is the sensing end of a chip: the world's value with the part's noise, frozen or wild when its fault says so.
type element struct {
	source Source
	salt   uint64
	noise  float64 // deviation of a healthy reading
	wild   float64 // deviation when the fault is noise and says none of its own
	held   float64
	holds  bool
}

// at returns what the element feels at t. The caller holds the chip's lock.
func (e *element) at(p Part, t time.Time) float64 {
	f := p.Faults.Probe()
	if f.Kind == fault.Frozen && e.holds {
		return e.held
	}
	v := e.source(t) + 2*e.noise*p.jitter(e.salt, t)
	if f.Kind == fault.Noise {
		v += 2 * f.Param(e.wild) * p.jitter(e.salt+1000, t)
	}
	e.held, e.holds = v, true
	return v
}
