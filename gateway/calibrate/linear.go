package calibrate

import (
	"context"
	"fmt"
	"math"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// line is slope and offset on top of a driver's value.
type line struct{ Slope, Offset float64 }

func straight() line { return line{Slope: 1} }

func (l line) of(raw float64) float64 { return l.Slope*raw + l.Offset }

// lineOf takes a line out of coefficients; without any it is straight.
func lineOf(k map[string]float64) line {
	l := line{Slope: k["slope"], Offset: k["offset"]}
	if !(math.Abs(l.Slope) > 1e-9 && math.Abs(l.Slope) < 1e9 && math.Abs(l.Offset) < 1e9) {
		return straight()
	}
	return l
}

// linear calibrates one quantity of any driver in one or two points.
type linear struct {
	sensor string
	driver sense.Sensor
	q      measure.Quantity
	now    line // in force
	points int  // 1 or 2; 0: two, the second may be skipped
}

func (l *linear) steps() []Step {
	steps := l.both()
	if l.points == 1 {
		return steps[:1]
	}
	steps[1].Optional = l.points != 2
	return steps
}

func (l *linear) both() []Step {
	info, _ := l.q.Info()
	if l.q == measure.PH || l.q == measure.SoilPH {
		ask := "the pH printed on the bottle for 25 °C: 4.00, 7.00 or 10.00"
		return []Step{
			{Name: "first", Text: "Rinse the probe, dab it dry, put it into the pH 7 buffer and swirl.", Asks: ask, Nominal: new(7.0), Least: 3.98, Most: 10.03, Buffer: true, Celsius: true},
			{Name: "second", Text: "Rinse the probe, dab it dry, put it into the pH 4 buffer (pH 10 where the water is basic) and swirl.", Asks: ask, Nominal: new(4.0), Least: 3.98, Most: 10.03, Buffer: true, Celsius: true},
		}
	}
	if l.q == measure.DissolvedOxygen {
		return []Step{
			{Name: "air", Text: "Take the probe out of the water, dab it dry, and hang it in the shade, close above water, out of wind.", Nominal: new(100.0), Unit: "%", Celsius: true},
			{Name: "zero", Text: "Put the probe into zero-oxygen solution and wait. Rinse it well afterwards.", Nominal: new(0.0), Buffer: true},
		}
	}
	if l.q == measure.Conductivity {
		ask := "the conductivity printed on the bottle for 25 °C"
		return []Step{
			{Name: "first", Text: "Rinse the probe with a little of the standard, put it into fresh standard, without bubbles.", Asks: ask, Unit: info.Unit, Nominal: new(1413.0), Least: 10, Most: 150_000, Buffer: true},
			{Name: "second", Text: "Rinse the probe with a little of the other standard, put it into fresh standard, without bubbles.", Asks: ask, Unit: info.Unit, Nominal: new(12_880.0), Least: 10, Most: 150_000, Buffer: true},
		}
	}
	ask := "what is right there: of a standard, or as a reference instrument says"
	return []Step{
		{Name: "first", Text: "Put the probe where the right value is known.", Asks: ask, Unit: info.Unit, Least: info.Min, Most: info.Max, Buffer: true},
		{Name: "second", Text: "Put the probe where another right value is known, far from the first.", Asks: ask, Unit: info.Unit, Least: info.Min, Most: info.Max, Buffer: true},
	}
}

func (l *linear) rules() rule { return ruleOf(l.q) }

func (l *linear) shown(raw float64) float64 { return l.now.of(raw) }

func (l *linear) prepare(context.Context) ([]string, error) { return nil, nil }

func (l *linear) celsius(ctx context.Context) (temperature, bool, error) {
	samples, err := l.driver.Sense(ctx)
	if err != nil {
		return temperature{}, false, err
	}
	t, ok := celsiusOf(l.sensor, samples)
	return t, ok, nil
}

func (l *linear) expect(i int, value float64, celsius *float64) (float64, error) {
	switch {
	case celsius == nil:
		return value, nil
	case l.q == measure.PH || l.q == measure.SoilPH:
		return PHBuffer(value, *celsius)
	case l.q == measure.DissolvedOxygen && l.steps()[i].Name == "air":
		return oxygenInAir(*celsius, 0, airPressure)
	}
	return value, nil // a conductivity is brought to 25 °C by the driver, as the bottle's is
}

func (l *linear) read(ctx context.Context, _ *float64) (float64, error) {
	samples, err := l.driver.Sense(ctx)
	if err != nil {
		return 0, err
	}
	for _, s := range samples {
		if s.Quantity == l.q && !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0) {
			return s.Value, nil
		}
	}
	return 0, sense.Faultf(measure.Garbled, "the probe gives no %s", l.q)
}

func (l *linear) check(i int, raw float64, p Point, earlier []Point) error {
	s, r := l.steps()[i], l.rules()
	if s.Name == "zero" {
		r.far = 2
	}
	if err := near(r, s, raw, p, earlier); err != nil {
		return err
	}
	for _, e := range earlier {
		if math.Abs(raw-*e.Raw) < r.apart/2 {
			return refuse("close", "step %s: the probe says %s, as good as in step %s (%s): it does not follow, or is in the same bottle", s.Name, short(raw), e.Name, short(*e.Raw))
		}
	}
	return nil
}

func (l *linear) set(context.Context, int, *Point) error { return nil }

func (l *linear) result(_ context.Context, points []Point) (Result, error) {
	n := l.now
	p := points[0]
	switch {
	case len(points) == 2:
		q := points[1]
		n.Slope = (q.Expected - p.Expected) / (*q.Raw - *p.Raw)
		n.Offset = p.Expected - n.Slope**p.Raw
	case l.rules().gain && *p.Raw != n.zero():
		zero := n.zero() // what is nothing stays nothing
		n.Slope = p.Expected / (*p.Raw - zero)
		n.Offset = -n.Slope * zero
	default:
		n.Offset = p.Expected - n.Slope**p.Raw
	}
	if lineOf(n.coefficients()) != n {
		return Result{}, refuse("close", "these points make no line: slope %v, offset %v", n.Slope, n.Offset)
	}
	for i := range points {
		points[i].After = new(n.of(*points[i].Raw))
	}
	return l.judged(n), nil
}

// judged says what a line means for the probe: the more it has to mend, the less is left of it.
func (l *linear) judged(n line) Result {
	info, _ := l.q.Info()
	r := Result{Verdict: Good, SlopePercent: new(100 / n.Slope), Offset: new(n.Offset), OffsetUnit: info.Unit, Coefficients: n.coefficients()}
	good, worn := 15.0, 35.0
	if l.q == measure.PH || l.q == measure.SoilPH {
		good, worn = slopeGood, slopeWorn
	}
	r.judge(*r.SlopePercent, 100, good, worn, fmt.Sprintf("the probe gives %s %% of the right slope: clean it; replace it when that does not help", short(*r.SlopePercent)))
	return r
}

func (l line) zero() float64 { return -l.Offset / l.Slope }

func (l line) coefficients() map[string]float64 {
	return map[string]float64{"slope": l.Slope, "offset": l.Offset}
}

func (l *linear) undo(context.Context) (string, error) { return "nothing was changed", nil }
