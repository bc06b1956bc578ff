package calibrate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/capacitive"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// circuit is an EZO circuit whose electrode has drifted: it says gain·(true − 7) + 7 + off, until points are set.
type circuit struct {
	mu       sync.Mutex
	truth    float64 // of the bottle
	off      float64 // pH
	gain     float64
	acid     float64 // of Slope,?
	offset   float64 // mV, of Slope,?
	wobble   float64 // of every second reading
	exports  bool
	deaf     int // so many commands go unanswered
	reads    int
	log      []string // what changed something
	celsius  float64  // of the thermometer beside it; 0: none
	quantity measure.Quantity
}

func (c *circuit) Sense(context.Context) ([]sense.Sample, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := measure.Input{Quantity: measure.WaterTemperature, Value: 25, Assumed: true}
	if c.celsius != 0 {
		in = measure.Input{Quantity: measure.WaterTemperature, Value: c.celsius, Sensor: "ao1-temp"}
	}
	return []sense.Sample{{Quantity: c.quantity, Value: c.value(), Inputs: []measure.Input{in}}}, nil
}

func (c *circuit) value() float64 {
	c.reads++
	v := 7 + c.gain*(c.truth-7) + c.off
	if c.reads%2 == 0 {
		v += c.wobble
	}
	return math.Round(v*1000) / 1000
}

func (c *circuit) Command(_ context.Context, command string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaf > 0 {
		c.deaf--
		return "", sense.Faultf(measure.NoResponse, "nobody")
	}
	name, args, _ := strings.Cut(command, ",")
	switch {
	case name == "R" || name == "RT":
		return strconv.FormatFloat(c.value(), 'f', 3, 64), nil
	case command == "Slope,?":
		return fmt.Sprintf("?Slope,%.1f,99.1,%.2f", c.acid, c.offset), nil
	case name == "Export" && !c.exports:
		return "", sense.Faultf(measure.Refused, "syntax")
	case command == "Export,?":
		return "?Export,2,24", nil
	case name == "Export":
		c.reads = 0
		if len(c.log) > 0 && c.log[len(c.log)-1] == "export 2" {
			c.log = append(c.log, "export end")
			return "*DONE", nil
		}
		n := 1
		if len(c.log) > 0 && c.log[len(c.log)-1] == "export 1" {
			n = 2
		}
		c.log = append(c.log, fmt.Sprintf("export %d", n))
		return fmt.Sprintf("59 6F 75 2%d", n), nil
	case name == "Cal":
		c.log = append(c.log, command)
		c.off, c.gain = 0, 1 // it reads right from now on
		if at := strings.LastIndex(args, ","); at >= 0 {
			v, err := strconv.ParseFloat(args[at+1:], 64)
			if err != nil {
				return "", err
			}
			c.off = v - (7 + (c.truth - 7))
		}
		return "", nil
	}
	c.log = append(c.log, command)
	return "", nil
}

func (c *circuit) said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, l := range c.log {
		if !strings.HasPrefix(l, "export") {
			out = append(out, l)
		}
	}
	return out
}

func (c *circuit) put(truth float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.truth = truth
}

// bus counts what is held at once.
type bus struct {
	mu sync.Mutex
}

func (b *bus) Do(ctx context.Context, _ string, f func(ctx context.Context) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return f(ctx)
}

// spool is where documents go.
type spool struct {
	mu   sync.Mutex
	docs []wire.Document
	err  error
}

func (s *spool) TakeDocument(_ context.Context, d wire.Document) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs = append(s.docs, d)
	return nil
}

func (s *spool) Flush(context.Context) error { return s.err }

// rig is a gateway with one sensor.
type rig struct {
	t      *testing.T
	dir    string
	clock  *sensetest.Clock
	bus    *bus
	spool  *spool
	desk   *calibrate.Desk
	sensor sense.Sensor // what the station asks
}

func begun() time.Time { return time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC) }

func newRig(t *testing.T, spec kind.Spec, q measure.Quantity, driver sense.Sensor) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), clock: sensetest.NewClock(begun()), bus: &bus{}, spool: &spool{}}
	r.start(spec, q, driver)
	t.Cleanup(func() { r.desk.Close(context.WithoutCancel(t.Context())) })
	return r
}

func (r *rig) start(spec kind.Spec, q measure.Quantity, driver sense.Sensor) {
	r.desk = calibrate.NewDesk(r.dir, r.clock)
	r.sensor = r.desk.Fit(spec, []measure.Quantity{q}, driver)
	r.desk.Open(r.t.Context(), r.bus, r.spool, slog.New(slog.DiscardHandler))
}

// step answers and waits until the step is over.
func (r *rig) step(a calibrate.Answer) calibrate.State {
	r.t.Helper()
	st, err := r.desk.Answer(r.t.Context(), "ao1-x", a)
	for err == nil && st.Phase == calibrate.Measuring {
		st, err = r.desk.State(r.t.Context(), "ao1-x", st.Version)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

func (r *rig) begin(b calibrate.Begin) calibrate.State {
	r.t.Helper()
	b.Sensor, b.Who = "ao1-x", "Lê Thị Hoa"
	st, err := r.desk.Begin(r.t.Context(), b)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// finish keeps the calibration. A poll that missed the session learns of it all the same.
func (r *rig) finish() {
	r.t.Helper()
	if _, err := r.desk.Finish(r.t.Context(), "ao1-x", ""); err != nil {
		r.t.Fatal(err)
	}
	if q, why, _ := r.quality(); q != measure.Fault || why != measure.Calibrating {
		r.t.Errorf("the first poll after it: %v %v; want one that says what happened", q, why)
	}
}

func (r *rig) quality() (measure.Quality, measure.FaultReason, float64) {
	r.t.Helper()
	samples, err := r.sensor.Sense(r.t.Context())
	if f, ok := errors.AsType[*sense.Fault](err); ok {
		return measure.Fault, f.Reason, 0
	}
	if err != nil || len(samples) != 1 {
		r.t.Fatal(samples, err)
	}
	return samples[0].Quality, "", samples[0].Value
}

func phSpec() kind.Spec { return kind.Spec{ID: "ao1-x", Kind: "ezo-ph", Bus: "ao"} }

func drifted() *circuit {
	return &circuit{quantity: measure.PH, truth: 7, off: 0.3, gain: 0.97, acid: 98.2, offset: -3.1, celsius: 20, exports: true}
}

func TestPH_ThreePointsFromDriftToRecord(t *testing.T) {
	c := drifted()
	r := newRig(t, phSpec(), measure.PH, c)
	if q, _, _ := r.quality(); q != measure.Uncalibrated {
		t.Errorf("before the first calibration: %v", q)
	}
	st := r.begin(calibrate.Begin{Serial: "P-1", NewProbe: true})
	if step, _ := st.Step(); step.Name != "mid" {
		t.Fatalf("the first step is %s: mid clears the others", step.Name)
	}
	if q, why, _ := r.quality(); q != measure.Fault || why != measure.Calibrating {
		t.Errorf("meanwhile: %v %v; a probe in a buffer has no value of the pond", q, why)
	}
	st = r.step(calibrate.Answer{Step: "mid", Lot: "L7", Expiry: "2027-03"})
	if st.Problem != "" || len(st.Points) != 1 {
		t.Fatalf("%+v", st)
	}
	p := st.Points[0]
	if p.Expected != 7.02 || math.Abs(p.Before-7.3) > 0.01 || p.After == nil || math.Abs(*p.After-7.02) > 0.01 || p.CelsiusFrom != "ao1-temp" {
		t.Errorf("mid: %+v; buffer 7.00 has 7.02 at 20 °C", p)
	}
	c.put(4)
	r.step(calibrate.Answer{Step: "low"})
	c.put(10)
	st = r.step(calibrate.Answer{Step: "high"})
	if st.Phase != calibrate.Review || st.Verdict != calibrate.Good || *st.Slope != 98.2 || *st.Offset != -3.1 {
		t.Fatalf("review: %+v", st)
	}
	st, err := r.desk.Finish(t.Context(), "ao1-x", "dau vu")
	if err != nil || st.Record == nil || st.Unspooled {
		t.Fatal(st, err)
	}
	if got := strings.Join(c.said(), " "); got != "Cal,mid,7.02 Cal,low,4.00 Cal,high,10.05" { // a bottle of 10.00 is a hundredth below the table
		t.Errorf("the circuit was told %s", got)
	}
	if q, _, _ := r.quality(); q != measure.Good {
		t.Errorf("afterwards: %v", q)
	}
	if len(r.spool.docs) != 1 || r.spool.docs[0].Kind != wire.DocCalibration {
		t.Fatalf("documents: %+v", r.spool.docs)
	}
	rec, err := calibrate.ParseRecord([]byte(r.spool.docs[0].Body))
	if err != nil || rec.Who != "Lê Thị Hoa" || rec.Serial != "P-1" || len(rec.Points) != 3 || rec.Note != "dau vu" ||
		rec.Due == nil || !rec.Due.Equal(rec.Time.Add(30*24*time.Hour)) || rec.Points[0].Lot != "L7" {
		t.Errorf("record: %+v, %v", rec, err)
	}
}

func TestPH_WhatIsRefusedChangesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		edit func(c *circuit)
		a    calibrate.Answer
		code string
	}{
		"never steady":            {func(c *circuit) { c.wobble = 0.2 }, calibrate.Answer{}, "unsteady"},
		"in the pH 4 buffer":      {func(c *circuit) { c.truth = 4 }, calibrate.Answer{}, "far"},
		"in the pH 10 buffer":     {func(c *circuit) { c.truth = 10 }, calibrate.Answer{}, "far"},
		"no thermometer, no word": {func(c *circuit) { c.celsius = 0 }, calibrate.Answer{}, "temperature"},
		"a buffer at 60 °C":       {func(*circuit) {}, calibrate.Answer{Celsius: new(60.0)}, "temperature"},
		"unplugged":               {func(c *circuit) { c.deaf = 3 }, calibrate.Answer{}, "fault"},
	} {
		c := drifted()
		r := newRig(t, phSpec(), measure.PH, c)
		r.begin(calibrate.Begin{})
		tc.edit(c)
		tc.a.Step = "mid"
		st := r.step(tc.a)
		if st.Code != tc.code || st.Phase != calibrate.Asking || st.At != 0 || len(c.said()) != 0 {
			t.Errorf("%s: %s %q, circuit told %v; want %s", name, st.Code, st.Problem, c.said(), tc.code)
		}
	}
}

func TestSession_OfSomebodyWhoWentHomeIsAborted(t *testing.T) {
	c := drifted()
	r := newRig(t, phSpec(), measure.PH, c)
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	if err := r.clock.Sleep(t.Context(), 31*time.Minute); err != nil {
		t.Fatal(err)
	}
	st := r.desk.Targets()[0]
	r.quality() // the poll that notices
	s, err := r.desk.State(t.Context(), "ao1-x", 0)
	for err == nil && s.Phase != calibrate.Aborted {
		s, err = r.desk.State(t.Context(), "ao1-x", s.Version)
	}
	if err != nil || st.Busy == "" || r.desk.Targets()[0].Busy != "" {
		t.Errorf("%+v, %v", s, err)
	}
	if got := strings.Join(c.said(), " "); got != "Cal,mid,7.02 Import,59 6F 75 21 Import,59 6F 75 22" {
		t.Errorf("the circuit was told %s", got)
	}
}

func TestPH_AbortGivesTheOldCalibrationBack(t *testing.T) {
	c := drifted()
	r := newRig(t, phSpec(), measure.PH, c)
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	st, err := r.desk.Abort(t.Context(), "ao1-x")
	if err != nil || st.Phase != calibrate.Aborted {
		t.Fatal(st, err)
	}
	if got := strings.Join(c.said(), " "); got != "Cal,mid,7.02 Import,59 6F 75 21 Import,59 6F 75 22" {
		t.Errorf("the circuit was told %s", got)
	}
	r.quality() // finds that it was away
	if _, why, _ := r.quality(); why != "" || len(r.spool.docs) != 0 {
		t.Errorf("after an abort: %v, %d documents", why, len(r.spool.docs))
	}
}

func TestPH_APowerCutInTheMiddleIsUndoneAtTheNextStart(t *testing.T) {
	c := drifted()
	r := newRig(t, phSpec(), measure.PH, c)
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	c.mu.Lock()
	c.deaf = 2 // the circuit wakes later than the gateway
	c.mu.Unlock()
	r.start(phSpec(), measure.PH, c) // the power is back: another Desk on the same folder
	for len(c.said()) < 3 {
		runtime.Gosched()
	}
	r.desk.Close(t.Context())
	if got := strings.Join(c.said(), " "); got != "Cal,mid,7.02 Import,59 6F 75 21 Import,59 6F 75 22" {
		t.Errorf("the circuit was told %s", got)
	}
	if files, err := filepath.Glob(filepath.Join(r.dir, "calibrations", "*.torn.json")); len(files) != 0 || err != nil {
		t.Errorf("left: %v, %v", files, err)
	}
}

func TestPH_ACircuitThatCannotGoBackStaysUncalibrated(t *testing.T) {
	c := drifted()
	r := newRig(t, phSpec(), measure.PH, c)
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	r.finish()
	c.exports = false
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	r.start(phSpec(), measure.PH, c)
	if q, _, _ := r.quality(); q != measure.Uncalibrated || r.desk.Targets()[0].Standing != calibrate.Unfit {
		t.Errorf("after a power cut in the middle: %v, %v", q, r.desk.Targets()[0].Standing)
	}
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	r.finish()
	if q, _, _ := r.quality(); q != measure.Good {
		t.Errorf("calibrated again: %v %+v", q, r.desk.Targets())
	}
}

func TestPH_AnAbortThatCannotUndoIsWrittenDown(t *testing.T) {
	c := drifted()
	c.exports = false
	r := newRig(t, phSpec(), measure.PH, c)
	if st := r.begin(calibrate.Begin{}); len(st.Notes) != 1 {
		t.Errorf("notes: %v; the person must know before the first point", st.Notes)
	}
	r.step(calibrate.Answer{Step: "mid"})
	if _, err := r.desk.Abort(t.Context(), "ao1-x"); err == nil {
		t.Fatal("the old calibration is gone; nobody was told")
	}
	r.quality()
	if q, _, _ := r.quality(); q != measure.Uncalibrated || len(r.spool.docs) != 1 {
		t.Errorf("after it: %v, %d documents", q, len(r.spool.docs))
	}
}

func TestSession_OneAtATimeAndOnlyTheStepThatIsDue(t *testing.T) {
	r := newRig(t, phSpec(), measure.PH, drifted())
	r.begin(calibrate.Begin{})
	if _, err := r.desk.Begin(t.Context(), calibrate.Begin{Sensor: "ao1-x", Who: "B"}); code(err) != "busy" {
		t.Errorf("a second session: %v", err)
	}
	if _, err := r.desk.Answer(t.Context(), "ao1-x", calibrate.Answer{Step: "low"}); code(err) != "step" {
		t.Errorf("low before mid: %v", err)
	}
	if _, err := r.desk.Answer(t.Context(), "ao1-x", calibrate.Answer{Step: "mid", Skip: true}); code(err) != "step" {
		t.Errorf("mid skipped: %v", err)
	}
	if _, err := r.desk.Answer(t.Context(), "ao1-x", calibrate.Answer{Step: "mid", Value: new(4.0)}); code(err) != "value" {
		t.Errorf("pH 4 as mid: %v", err)
	}
	if _, err := r.desk.Answer(t.Context(), "ao1-x", calibrate.Answer{Step: "mid", Expiry: "soon"}); code(err) != "expiry" {
		t.Errorf("expiry: %v", err)
	}
	if _, err := r.desk.Finish(t.Context(), "ao1-x", ""); code(err) != "step" {
		t.Errorf("finish without a point: %v", err)
	}
	if _, err := r.desk.Begin(t.Context(), calibrate.Begin{Sensor: "ao9", Who: "B"}); code(err) != "unknown" {
		t.Errorf("an unknown sensor: %v", err)
	}
}

func code(err error) string {
	r, ok := errors.AsType[*calibrate.Refusal](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return r.Code
}

func TestPH_Verdicts(t *testing.T) {
	for name, tc := range map[string]struct {
		acid, offset float64
		isNew        bool
		want         calibrate.Verdict
	}{
		"as new":            {99, -1, true, calibrate.Good},
		"good":              {95.2, 12, false, calibrate.Good},
		"new, off by 8 mV":  {99, 8, true, calibrate.Worn},
		"slope 90":          {90, 2, false, calibrate.Worn},
		"offset 25":         {99, -25, false, calibrate.Worn},
		"slope 80":          {80, 2, false, calibrate.Bad},
		"offset 40":         {99, 40, false, calibrate.Bad},
		"slope over 115":    {117, 0, false, calibrate.Bad},
		"two worn, not bad": {93, 20, false, calibrate.Worn},
	} {
		c := drifted()
		c.acid, c.offset = tc.acid, tc.offset
		r := newRig(t, phSpec(), measure.PH, c)
		r.begin(calibrate.Begin{NewProbe: tc.isNew})
		r.step(calibrate.Answer{Step: "mid"})
		c.put(4)
		r.step(calibrate.Answer{Step: "low"})
		st := r.step(calibrate.Answer{Step: "high", Skip: true})
		if st.Phase != calibrate.Review || st.Verdict != tc.want {
			t.Errorf("%s: %s %s %v; want %s", name, st.Phase, st.Verdict, st.Reasons, tc.want)
		}
		if (tc.want == calibrate.Good) != (len(st.Reasons) == 0) {
			t.Errorf("%s: reasons %v", name, st.Reasons)
		}
	}
}

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
