package calibrate

import (
	"context"
	"math"
	"strconv"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/capacitive"
)

// Method names a way to calibrate. The text stands in records and on the control socket.
type Method string

// The methods.
const (
	EZOPH       Method = "ezo-ph"       // buffers 7, 4, 10; the points live in the circuit
	EZODO       Method = "ezo-do"       // moist air, optional zero solution; in the circuit
	EZOEC       Method = "ezo-ec"       // dry, one or two standards; in the circuit
	EZOORP      Method = "ezo-orp"      // one standard; in the circuit
	EZORTD      Method = "ezo-rtd"      // one reference temperature; in the circuit
	SoilEnds    Method = "soil-ends"    // air and water: says that the probe works, not how wet a soil is
	SoilSamples Method = "soil-samples" // two samples of the field's soil
	Linear      Method = "linear"       // one or two points, slope and offset on top of the driver
)

// Circuit is an Atlas Scientific EZO circuit (ezo.Dev).
type Circuit interface {
	sense.Sensor
	// Command gives the circuit a command, waits as long as it works at it, and returns its answer. The error is a
	// *sense.Fault (Refused: it does not know the command) or ctx's.
	Command(ctx context.Context, command string) (string, error)
}

// SoilProbe is an analog soil probe (capacitive.Probe).
type SoilProbe interface {
	sense.Sensor
	// Volts asks the probe's output once.
	Volts(ctx context.Context) (float64, error)
	// Calibrate sets the line from volts to water content from now on; nil goes back to what it was made with.
	Calibrate(c *capacitive.Calibration)
}

// procedure is a method at work on one probe.
type procedure interface {
	planner
	asker
	judge
}

// planner knows what is to be done. It asks nothing of the probe.
type planner interface {
	steps() []Step
	// expect is what the probe should say in step i. Its error is a *Refusal.
	expect(i int, value float64, celsius *float64) (float64, error)
	// check refuses a steady raw reading that cannot be of step i. Its error is a *Refusal.
	check(i int, raw float64, p Point, earlier []Point) error
}

// asker talks to the probe. Its methods are called while the bus is held.
type asker interface {
	// prepare makes the probe ready and returns what the person should know before the first step.
	prepare(ctx context.Context) (notes []string, err error)
	// celsius asks for the temperature of the probe's surroundings; ok is false when nothing there measures it.
	celsius(ctx context.Context) (at temperature, ok bool, err error)
	// read asks the probe once, at the temperature of the point: the raw value, without coefficients.
	read(ctx context.Context, celsius *float64) (float64, error)
	// set makes step i a point of the calibration. Nothing is told to the probe where coefficients come last.
	set(ctx context.Context, i int, p *Point) error
	// undo brings the probe back to what it was, or says in words that it cannot.
	undo(ctx context.Context) (how string, err error)
}

// judge says what readings and points are worth.
type judge interface {
	// rules are the limits of the readings that read gives.
	rules() rule
	// shown is what the gateway makes of a raw reading with the coefficients in force.
	shown(raw float64) float64
	// result is what the points make. It fills in what a point reads afterwards where only coefficients change. It is called
	// while the bus is held.
	result(ctx context.Context, points []Point) (Result, error)
}

type temperature struct {
	celsius float64
	from    string
}

// Verdict judges a probe by its calibration.
type Verdict string

// The verdicts.
const (
	Good Verdict = "good"
	Worn Verdict = "worn" // measures right now; clean it or get the next one
	Bad  Verdict = "bad"  // does not measure right: its values stay uncalibrated
)

func worse(a, b Verdict) Verdict {
	if a == Bad || b == Bad {
		return Bad
	}
	if a == Worn || b == Worn {
		return Worn
	}
	return Good
}

// Result is what the points of a calibration make.
type Result struct {
	SlopePercent *float64           // of the ideal slope, or of the slope until now
	Offset       *float64           // in OffsetUnit
	OffsetUnit   string             //
	Verdict      Verdict            //
	Reasons      []string           // why it is not good, and what to do; or details
	Coefficients map[string]float64 // nil where the probe keeps its calibration itself
}

// judge lowers the verdict to one of the two where v is outside their limits, each given as the most that |v - ideal| may be.
func (r *Result) judge(v, ideal, good, worn float64, why string) {
	switch d := math.Abs(v - ideal); {
	case d > worn:
		r.Verdict = Bad
	case d > good:
		r.Verdict = worse(r.Verdict, Worn)
	default:
		return
	}
	r.Reasons = append(r.Reasons, why)
}

// near refuses a reading that is too far from the expected value, and two points that make no line.
func near(r rule, step Step, raw float64, p Point, earlier []Point) error {
	if limit, far := r.farFrom(raw, p.Expected); far {
		return refuse("far", "step %s: the probe says %s where %s is right, more than %s away: is it in the right bottle, clean, and without its cap?",
			step.Name, short(raw), short(p.Expected), short(limit))
	}
	for _, e := range earlier {
		if math.Abs(p.Expected-e.Expected) < r.apart {
			return refuse("close", "step %s: %s is too close to %s of step %s: take points at least %s apart",
				step.Name, short(p.Expected), short(e.Expected), e.Name, short(r.apart))
		}
	}
	return nil
}

func short(v float64) string { return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64) }

// celsiusOf finds a temperature that somebody measured in what a driver said.
func celsiusOf(id string, samples []sense.Sample) (temperature, bool) {
	for _, s := range samples {
		if s.Quantity == measure.WaterTemperature && s.Quality == measure.Good {
			return temperature{celsius: s.Value, from: id}, true
		}
	}
	for _, s := range samples {
		for _, in := range s.Inputs {
			if in.Quantity == measure.WaterTemperature && !in.Assumed && in.Sensor != "" {
				return temperature{celsius: in.Value, from: in.Sensor}, true
			}
		}
	}
	return temperature{}, false
}
