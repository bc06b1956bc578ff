package calibrate

import (
	"context"
	"fmt"
	"math"

	"aovuon/gateway/sense/ezo"
)

// Limits of a pH electrode. Slope: Corning pH meter 440 manual, 3.4.2: 95 to 105 % is fine, below it clean, below 85 % replace.
// Offset: EZO-pH data sheet for a new one, Hanna HI 99141 manual for the end of its life.
const (
	slopeGood, slopeWorn              = 5.0, 15.0       // % from 100
	offsetNew, offsetGood, offsetWorn = 5.0, 15.0, 30.0 // mV
)

func (e *ezoProbe) result(ctx context.Context, points []Point) (Result, error) {
	r := Result{Verdict: Good}
	switch e.method {
	case EZOPH:
		return e.electrode(ctx, points)
	case EZODO, EZOEC:
		e.sensitivity(&r, points)
	case EZOORP, EZORTD:
		p := points[0]
		r.Offset, r.OffsetUnit = new(p.Before-p.Expected), e.list[0].Unit
		good, worn := 30.0, 60.0 // mV of platinum: twice and four times what standards of two makers differ by
		if e.method == EZORTD {
			good, worn = 0.5, 2 // °C: class B is 0.35 °C at 10 °C; beyond 2 °C a wire has a bad contact
		}
		r.judge(*r.Offset, 0, good, worn, fmt.Sprintf("it was off by %s %s: clean it and check its cable", short(*r.Offset), r.OffsetUnit))
	case SoilEnds, SoilSamples, Linear:
	}
	return r, nil
}

// electrode asks the circuit for slope and offset. One point alone tells the offset only.
func (e *ezoProbe) electrode(ctx context.Context, points []Point) (Result, error) {
	r := Result{Verdict: Good}
	answer, err := e.circuit.Command(ctx, "Slope,?")
	if unknown(err) {
		r.Reasons = append(r.Reasons, "the circuit's firmware does not tell slope and offset: the electrode is judged by nothing")
		return r, nil
	}
	if err != nil {
		return r, err
	}
	s, err := ezo.ParseSlope(answer)
	if err != nil {
		return r, err
	}
	if s.OffsetKnown {
		r.Offset, r.OffsetUnit = new(s.Offset), "mV"
		good := offsetGood
		if e.isNew {
			good = offsetNew
		}
		r.judge(s.Offset, 0, good, offsetWorn, fmt.Sprintf("offset %s mV: within ±%s mV is right; clean the electrode, or get the next one", short(s.Offset), short(good)))
	}
	sides := map[string]float64{"low": s.Acid, "high": s.Base}
	for _, p := range points {
		v, ok := sides[p.Name]
		if !ok {
			continue
		}
		if r.SlopePercent == nil || math.Abs(v-100) > math.Abs(*r.SlopePercent-100) {
			r.SlopePercent = new(v)
		}
		side := map[string]string{"low": "acid", "high": "base"}[p.Name]
		r.judge(v, 100, slopeGood, slopeWorn, fmt.Sprintf("%s slope %s %%: above 95 %% is right; below it clean the electrode and get the next one, below 85 %% replace it", side, short(v)))
	}
	return r, nil
}

// sensitivity compares what the probe said with what was right: how far it had gone since the last calibration. What it says
// at nothing is judged by itself.
func (e *ezoProbe) sensitivity(r *Result, points []Point) {
	good, worn, mend := 15.0, 35.0, "clean the probe, change membrane and electrolyte"
	if e.method == EZOEC {
		good, worn, mend = 20, 45, "clean the electrodes with vinegar and a soft brush, and check the K value of the probe"
	}
	for _, p := range points {
		if p.Expected == 0 {
			if e.method == EZODO {
				r.Offset, r.OffsetUnit = new(p.Before), "mg/L"
				r.judge(p.Before, 0, 0.5, 1.5, fmt.Sprintf("it said %s mg/L without oxygen: %s", short(p.Before), mend))
			}
			continue
		}
		v := 100 * p.Before / p.Expected
		if r.SlopePercent == nil || math.Abs(v-100) > math.Abs(*r.SlopePercent-100) {
			r.SlopePercent = new(v)
		}
		r.judge(v, 100, good, worn, fmt.Sprintf("step %s: it said %s %% of what is right: %s", p.Name, short(v), mend))
	}
}
