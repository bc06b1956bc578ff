package capacitive_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/capacitive"
)

// adc is a converter whose input 2 is at a fixed voltage.
type adc struct {
	volts float64
	err   error
}

func (a adc) Volts(_ context.Context, input int) (float64, error) {
	if input != 2 {
		return 0, errors.New("another input was asked for")
	}
	return a.volts, a.err
}

func calibration() *capacitive.Calibration {
	return &capacitive.Calibration{
		Dry: capacitive.Point{Volts: 2.3, VWC: 4}, Wet: capacitive.Point{Volts: 1.5, VWC: 44},
	}
}

func TestSense_FollowsTheSoilCalibration(t *testing.T) {
	for volts, want := range map[float64]float64{2.3: 4, 1.5: 44, 1.9: 24, 2.5: -6, 1.2: 59, 0.8: 79} {
		got, err := capacitive.New(adc{volts: volts}, 2, calibration()).Sense(t.Context())
		if err != nil || len(got) != 1 || math.Abs(got[0].Value-want) > 1e-9 ||
			got[0].Quantity != measure.SoilMoisture || got[0].Quality != measure.Good {
			t.Errorf("%v V: %+v, %v; want %v %%", volts, got, err, want)
		}
	}
}

func TestSense_AProbeCalibratedLowIsStillAProbe(t *testing.T) {
	cal := &capacitive.Calibration{Dry: capacitive.Point{Volts: 1.6, VWC: 5}, Wet: capacitive.Point{Volts: 0.7, VWC: 45}}
	if got, err := capacitive.New(adc{volts: 0.65}, 2, cal).Sense(t.Context()); err != nil || got[0].Quality != measure.Good {
		t.Errorf("Sense = %+v, %v", got, err)
	}
}

func TestSense_WithoutCalibrationSaysSo(t *testing.T) {
	for volts, want := range map[float64]float64{2.5415: 0, 1.2708: 100, 1.9062: 50} {
		got, err := capacitive.New(adc{volts: volts}, 2, nil).Sense(t.Context())
		if err != nil || math.Abs(got[0].Value-want) > 0.01 || got[0].Quality != measure.Uncalibrated {
			t.Errorf("%v V: %+v, %v; want %v %%, uncalibrated", volts, got, err, want)
		}
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	for name, tc := range map[string]struct {
		adc  adc
		want measure.FaultReason
	}{
		"unplugged, floating":   {adc{volts: 0.58}, measure.NoResponse},
		"floating with mains":   {adc{volts: 0.66}, measure.NoResponse},
		"shorted":               {adc{volts: 0.001}, measure.Shorted},
		"shorted below ground":  {adc{volts: -0.002}, measure.Shorted},
		"the converter's fault": {adc{err: &sense.Fault{Reason: measure.NotReady, Err: errors.New("converting")}}, measure.NotReady},
	} {
		for _, cal := range []*capacitive.Calibration{nil, calibration()} {
			got, err := capacitive.New(tc.adc, 2, cal).Sense(t.Context())
			f, ok := errors.AsType[*sense.Fault](err)
			if !ok || f.Reason != tc.want || got != nil {
				t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
			}
		}
	}
}

func TestCheck_RefusesWhatIsNoCalibration(t *testing.T) {
	if err := calibration().Check(); err != nil {
		t.Error(err)
	}
	if err := capacitive.Published().Check(); err != nil {
		t.Error(err)
	}
	for name, tc := range map[string]struct {
		edit func(*capacitive.Calibration)
		says string
	}{
		"swapped":        {func(c *capacitive.Calibration) { c.Dry, c.Wet = c.Wet, c.Dry }, "wetter sample under wet"},
		"same content":   {func(c *capacitive.Calibration) { c.Wet.VWC = c.Dry.VWC }, "wetter sample under wet"},
		"volts rise":     {func(c *capacitive.Calibration) { c.Wet.Volts = 2.4 }, "dry volts must be above"},
		"same volts":     {func(c *capacitive.Calibration) { c.Wet.Volts = c.Dry.Volts }, "dry volts must be above"},
		"no dry point":   {func(c *capacitive.Calibration) { c.Dry = capacitive.Point{} }, "no output of a probe"},
		"percent beyond": {func(c *capacitive.Calibration) { c.Wet.VWC = 101 }, "0 to 100"},
		"not a number":   {func(c *capacitive.Calibration) { c.Wet.VWC = math.NaN() }, "0 to 100"},
		"millivolts":     {func(c *capacitive.Calibration) { c.Dry.Volts = 2300 }, "no output of a probe"},
	} {
		c := calibration()
		tc.edit(c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: Check = %v; want it to say %q", name, err, tc.says)
		}
	}
}
