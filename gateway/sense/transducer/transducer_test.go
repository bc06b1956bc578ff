package transducer_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/transducer"
)

// adc is a converter whose input 1 is at a fixed voltage.
type adc struct {
	volts float64
	err   error
}

func (a adc) Volts(_ context.Context, input int) (float64, error) {
	if input != 1 {
		return 0, errors.New("another input was asked for")
	}
	return a.volts, a.err
}

func TestSense_FollowsTheScale(t *testing.T) {
	for _, tc := range []struct {
		scale       transducer.Scale
		volts, want float64
	}{
		{transducer.Scale{PerAmp: 0.165}, 0, 0},
		{transducer.Scale{PerAmp: 0.165}, 3.3, 20},
		{transducer.Scale{PerAmp: 0.165}, 0.528, 3.2},
		{transducer.Scale{PerAmp: 0.1, Zero: 0.66}, 0.98, 3.2},
		{transducer.Scale{PerAmp: 0.1, Zero: 0.66}, 0.65, -0.1},
	} {
		got, err := transducer.New(adc{volts: tc.volts}, 1, tc.scale).Sense(t.Context())
		if err != nil || len(got) != 1 || got[0].Quantity != measure.Current || math.Abs(got[0].Value-tc.want) > 1e-9 || got[0].Quality != measure.Good {
			t.Errorf("%+v: %+v, %v", tc, got, err)
		}
	}
}

func TestSense_AFaultOfTheConverterIsItsOwn(t *testing.T) {
	fault := &sense.Fault{Reason: measure.NotReady, Err: errors.New("busy")}
	if got, err := transducer.New(adc{err: fault}, 1, transducer.Scale{PerAmp: 1}).Sense(t.Context()); got != nil || !errors.Is(err, fault) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestScale_Check(t *testing.T) {
	for _, bad := range []transducer.Scale{{}, {PerAmp: -1}, {PerAmp: math.NaN()}, {PerAmp: 6}, {PerAmp: 1, Zero: -1}, {PerAmp: 1, Zero: math.NaN()}} {
		if bad.Check() == nil {
			t.Errorf("%+v passed", bad)
		}
	}
	if err := (transducer.Scale{PerAmp: 0.165, Zero: 0.1}).Check(); err != nil {
		t.Error(err)
	}
}
