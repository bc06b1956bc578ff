package calibrate_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

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

// Two taps on a phone, or somebody at the page and somebody at the terminal: a calibration is kept once, and not undone after that.
func TestSession_IsEndedOnce(t *testing.T) {
	c := drifted()
	r := newRig(t, phSpec(), measure.PH, c)
	r.begin(calibrate.Begin{})
	r.step(calibrate.Answer{Step: "mid"})
	r.spool.meanwhile = func() {
		if _, err := r.desk.Finish(t.Context(), "ao1-x", ""); code(err) != "over" {
			t.Errorf("kept again: %v", err)
		}
		if st, err := r.desk.Abort(t.Context(), "ao1-x"); code(err) != "over" {
			t.Errorf("aborted: %+v, %v", st, err)
		}
		if _, err := r.desk.Answer(t.Context(), "ao1-x", calibrate.Answer{Step: "low"}); code(err) != "over" {
			t.Errorf("measured on: %v", err)
		}
	}
	folder := filepath.Join(r.dir, "calibrations")
	if err := errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if st, err := r.desk.Finish(t.Context(), "ao1-x", ""); err == nil {
		t.Errorf("kept where nothing can be: %+v", st)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if st, err := r.desk.Finish(t.Context(), "ao1-x", ""); err != nil || st.Phase != calibrate.Done {
		t.Errorf("once the disk takes it: %+v, %v", st, err)
	}
	if got := strings.Join(c.said(), " "); got != "Cal,mid,7.02" || len(r.spool.docs) != 1 {
		t.Errorf("the circuit was told %s; %d records", got, len(r.spool.docs))
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
