package calibrate_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/capacitive"
	"aovuon/gateway/sense/kind"
)

// soilProbe is a probe at an analog input.
type soilProbe struct {
	*capacitive.Probe
	adc *adc
}

type adc struct{ volts float64 }

func (a *adc) Volts(context.Context, int) (float64, error) { return a.volts, nil }

func newSoil(volts float64) soilProbe {
	a := &adc{volts: volts}
	return soilProbe{Probe: capacitive.New(a, 0, nil), adc: a}
}

func soilSpec() kind.Spec { return kind.Spec{ID: "ao1-x", Kind: "capacitive-ads1115", Bus: "vuon"} }

func TestSoil_TwoSamplesMakeTheLineInForceAlsoAfterARestart(t *testing.T) {
	probe := newSoil(2.3)
	r := newRig(t, soilSpec(), measure.SoilMoisture, probe)
	r.begin(calibrate.Begin{})
	if st := r.step(calibrate.Answer{Step: "dry", Value: new(5.0)}); st.Problem != "" {
		t.Fatal(st.Problem)
	}
	if st := r.step(calibrate.Answer{Step: "wet", Value: new(42.0)}); st.Code != "close" {
		t.Errorf("the same sample twice: %q", st.Problem)
	}
	probe.adc.volts = 1.5
	if st := r.step(calibrate.Answer{Step: "wet", Value: new(9.0)}); st.Code != "close" {
		t.Errorf("9 %% after 5 %%: %q", st.Problem)
	}
	if st := r.step(calibrate.Answer{Step: "wet", Value: new(42.0)}); st.Phase != calibrate.Review {
		t.Fatal(st)
	}
	r.finish()
	probe.adc.volts = 1.9
	if q, _, v := r.quality(); q != measure.Good || math.Abs(v-23.5) > 1e-6 {
		t.Errorf("at 1.9 V: %v %v; want 23.5 %%", q, v)
	}
	r.start(soilSpec(), measure.SoilMoisture, newSoil(1.9))
	if q, _, v := r.quality(); q != measure.Good || math.Abs(v-23.5) > 1e-6 {
		t.Errorf("after a restart: %v %v", q, v)
	}
	if len(r.spool.docs) != 1 {
		t.Errorf("%d documents; the restart must not send it again", len(r.spool.docs))
	}
}

func TestSoil_AirAndWaterDoNotMakeASoil(t *testing.T) {
	probe := newSoil(2.4)
	r := newRig(t, soilSpec(), measure.SoilMoisture, probe)
	r.begin(calibrate.Begin{Method: calibrate.SoilEnds})
	r.step(calibrate.Answer{Step: "air"})
	if st := r.step(calibrate.Answer{Step: "water"}); st.Code != "far" && st.Code != "close" {
		t.Errorf("still in the air: %s", st.Problem)
	}
	probe.adc.volts = 1.2
	r.step(calibrate.Answer{Step: "water"})
	r.finish()
	if q, _, v := r.quality(); q != measure.Uncalibrated || math.Abs(v-100) > 1e-6 {
		t.Errorf("%v %v; want its own ends, uncalibrated", q, v)
	}
}

// digital is a Modbus probe: a value that is gain·truth + off.
type digital struct {
	q                measure.Quantity
	truth, gain, off float64
}

func (d *digital) Sense(context.Context) ([]sense.Sample, error) {
	return []sense.Sample{{Quantity: d.q, Value: d.gain*d.truth + d.off}}, nil
}

func TestLinear_TwoPointsMakeSlopeAndOffset(t *testing.T) {
	d := &digital{q: measure.PH, truth: 7, gain: 0.98, off: 0.4}
	r := newRig(t, kind.Spec{ID: "ao1-x", Kind: "probe", Bus: "rs485"}, measure.PH, d)
	r.begin(calibrate.Begin{})
	if st := r.step(calibrate.Answer{Step: "first", Celsius: new(25.0)}); st.Problem != "" {
		t.Fatal(st.Problem)
	}
	if st := r.step(calibrate.Answer{Step: "second", Value: new(7.0), Celsius: new(25.0)}); st.Code != "close" {
		t.Errorf("the same bottle twice: %s %s", st.Code, st.Problem)
	}
	d.truth = 4
	st := r.step(calibrate.Answer{Step: "second", Value: new(4.0), Celsius: new(25.0)})
	if st.Phase != calibrate.Review || st.Verdict != calibrate.Good || math.Abs(*st.Slope-98) > 0.01 {
		t.Fatalf("%+v", st)
	}
	r.finish()
	d.truth = 8.2
	if q, _, v := r.quality(); q != measure.Good || math.Abs(v-8.2) > 1e-9 {
		t.Errorf("afterwards %v %v; want 8.2", q, v)
	}
}

func TestLinear_OnePointKeepsZeroWhereZeroIsZero(t *testing.T) {
	d := &digital{q: measure.Conductivity, truth: 1413, gain: 0.9}
	r := newRig(t, kind.Spec{ID: "ao1-x", Kind: "probe", Bus: "rs485"}, measure.Conductivity, d)
	r.begin(calibrate.Begin{Points: 1})
	r.step(calibrate.Answer{Step: "first"})
	r.finish()
	for _, truth := range []float64{0, 500, 5000} {
		d.truth = truth
		if _, _, v := r.quality(); math.Abs(v-truth) > 1e-6 {
			t.Errorf("%v µS/cm: %v", truth, v)
		}
	}
}

func TestStanding_OverdueAfterTheIntervalAndAfterARestart(t *testing.T) {
	spec := phSpec()
	spec.CalibrateEvery = "10d"
	c := drifted()
	r := newRig(t, spec, measure.PH, c)
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	r.finish()
	for _, tc := range []struct {
		days float64
		want calibrate.Standing
		q    measure.Quality
	}{{8, calibrate.InForce, measure.Good}, {1.5, calibrate.DueSoon, measure.Good}, {1, calibrate.Overdue, measure.Uncalibrated}} {
		if err := r.clock.Sleep(t.Context(), time.Duration(tc.days*24*float64(time.Hour))); err != nil {
			t.Fatal(err)
		}
		for _, again := range []bool{false, true} {
			if again {
				r.start(spec, measure.PH, c)
			}
			q, _, _ := r.quality()
			if got := r.desk.Targets()[0].Standing; got != tc.want || q != tc.q {
				t.Errorf("after %v days more (restart %v): %s, %v; want %s, %v", tc.days, again, got, q, tc.want, tc.q)
			}
		}
	}
}

func TestRecord_WaitsForADiskThatIsFull(t *testing.T) {
	c := drifted()
	r := newRig(t, phSpec(), measure.PH, c)
	r.spool.err = errors.New("disk full")
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	st, err := r.desk.Finish(t.Context(), "ao1-x", "")
	if err != nil || !st.Unspooled {
		t.Fatal(st, err)
	}
	r.spool.err = nil
	r.start(phSpec(), measure.PH, c)
	r.start(phSpec(), measure.PH, c)
	if n := len(r.spool.docs); n != 2 || r.spool.docs[0] != r.spool.docs[1] {
		t.Errorf("%d documents; want the same again, once, at the next start", n)
	}
}
