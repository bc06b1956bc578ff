package calibrate

import (
	"context"
	"fmt"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/capacitive"
)

// soil calibrates an analog soil probe: volts are taken, the line comes into force at the end.
type soil struct {
	probe  SoilProbe
	method Method
	now    capacitive.Calibration // in force
}

func (s *soil) steps() []Step {
	if s.method == SoilEnds {
		return []Step{
			{Name: "air", Text: "Wipe the probe dry and hold it in the air by its cable, away from your hand.", Nominal: new(0.0)},
			{Name: "water", Text: "Put the probe into clean water, up to its line and no further.", Nominal: new(100.0)},
		}
	}
	ask := "volumetric water content of the sample, by weighing, drying at 105 °C and weighing again"
	return []Step{
		{Name: "dry", Text: "Fill a can of known volume with dry soil of this field, as dense as it lies, and push the probe in to its line.", Asks: ask, Unit: "%", Least: 0, Most: 60},
		{Name: "wet", Text: "Fill the can with wet soil of this field, as dense as it lies, and push the probe in to its line.", Asks: ask, Unit: "%", Least: 5, Most: 80},
	}
}

func (s *soil) rules() rule { return ruleOf(measure.Voltage) } // read gives volts

func (s *soil) shown(raw float64) float64 { return s.now.VWC(raw) }

func (s *soil) prepare(context.Context) ([]string, error) {
	if s.method == SoilEnds {
		return []string{"air and water say that the probe works; its values stay uncalibrated until it was in two samples of the field's soil (method soil-samples)"}, nil
	}
	return nil, nil
}

func (s *soil) celsius(context.Context) (temperature, bool, error) { return temperature{}, false, nil }

func (s *soil) expect(_ int, value float64, _ *float64) (float64, error) { return value, nil }

func (s *soil) read(ctx context.Context, _ *float64) (float64, error) { return s.probe.Volts(ctx) }

// The volts of probes at 3.3 and 5 V in air and in water, with room for their batches.
const (
	airLeast, airMost     = 1.5, 4.2
	waterLeast, waterMost = 0.7, 2.4
	voltsApart            = 0.15
	contentApart          = 8.0 // % of volume
)

func (s *soil) check(i int, raw float64, p Point, earlier []Point) error {
	step := s.steps()[i]
	within := func(least, most float64) error {
		if raw < least || raw > most {
			return refuse("far", "step %s: the probe gives %s V where %s to %s V is usual: is it the right probe, and in the right place?", step.Name, short(raw), short(least), short(most))
		}
		return nil
	}
	var err error
	switch step.Name {
	case "air":
		err = within(airLeast, airMost)
	case "water":
		err = within(waterLeast, waterMost)
	default:
		err = within(waterLeast, airMost)
	}
	if err != nil || len(earlier) == 0 {
		return err
	}
	first := earlier[0]
	switch {
	case p.Expected-first.Expected < contentApart:
		return refuse("close", "step %s: %s %% is not wetter than %s %% by %s %% or more: take a wetter sample", step.Name, short(p.Expected), short(first.Expected), short(contentApart))
	case *first.Raw-raw < voltsApart:
		return refuse("close", "step %s: %s V is not below the %s V of step %s by %s V or more: wetter soil gives less. Is the probe in up to its line?",
			step.Name, short(raw), short(*first.Raw), first.Name, short(voltsApart))
	}
	return nil
}

func (s *soil) set(context.Context, int, *Point) error { return nil }

func (s *soil) result(_ context.Context, points []Point) (Result, error) {
	c := capacitive.Calibration{
		Dry: capacitive.Point{Volts: *points[0].Raw, VWC: points[0].Expected},
		Wet: capacitive.Point{Volts: *points[1].Raw, VWC: points[1].Expected},
	}
	if err := c.Check(); err != nil {
		return Result{}, refuse("close", "these two points make no line: %v", err)
	}
	for i := range points {
		points[i].After = new(c.VWC(*points[i].Raw))
	}
	r := Result{Verdict: Good, Coefficients: soilCoefficients(c)}
	if s.method == SoilEnds {
		// A 555 probe loses about half of its output between air and water; one that loses less has water in its edge.
		if span := c.Dry.Volts - c.Wet.Volts; span < 0.25*c.Dry.Volts {
			r.Verdict = Worn
			r.Reasons = append(r.Reasons, fmt.Sprintf("only %s V between air and water: its edge has drawn water, seal it or replace it", short(span)))
		}
	}
	return r, nil
}

func (s *soil) undo(context.Context) (string, error) { return "nothing was changed", nil }

func soilCoefficients(c capacitive.Calibration) map[string]float64 {
	return map[string]float64{"dry_volts": c.Dry.Volts, "dry_vwc": c.Dry.VWC, "wet_volts": c.Wet.Volts, "wet_vwc": c.Wet.VWC}
}

// soilLine is the inverse of soilCoefficients; nil when there are none, or none that make a line.
func soilLine(k map[string]float64) *capacitive.Calibration {
	if len(k) == 0 {
		return nil
	}
	c := capacitive.Calibration{
		Dry: capacitive.Point{Volts: k["dry_volts"], VWC: k["dry_vwc"]},
		Wet: capacitive.Point{Volts: k["wet_volts"], VWC: k["wet_vwc"]},
	}
	if c.Check() != nil {
		return nil
	}
	return &c
}
