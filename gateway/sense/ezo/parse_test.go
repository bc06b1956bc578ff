package ezo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/ezo"
)

func TestParse_EverySpellingOfAnAnswer(t *testing.T) {
	for text, want := range map[string]int{"?Cal,0": 0, "?CAL,2": 2, "?cal,3": 3, "?,Cal,1": 1} {
		if got, err := ezo.ParseCalibration(text); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}

	for text, want := range map[string][]string{
		"?O,EC,TDS,S,SG": {"EC", "TDS", "S", "SG"}, "?,O,ec": {"EC"}, "?o,s,sg": {"S", "SG"}, "?O,": nil, "?O": nil,
	} {
		got, err := ezo.ParseOutputs(text, []string{"EC", "TDS", "S", "SG"})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]ezo.Slope{
		"?Slope,99.7,100.3,-0.89": {Acid: 99.7, Base: 100.3, Offset: -0.89, OffsetKnown: true},
		"?SLOPE,99.7,100.3":       {Acid: 99.7, Base: 100.3},
	} {
		if got, err := ezo.ParseSlope(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]float64{"?S,1.50,ppt": 1.5, "?,S,36.7,PPT": 36.7, "?S,50000,uS": -1} {
		if got, err := ezo.ParseSalinity(text); err != nil || got != want {
			t.Errorf("%q: %g, %v", text, got, err)
		}
	}
	for text, want := range map[string]float64{"?,P,101.3": 101.3, "?P,90.25": 90.25} {
		if got, err := ezo.ParsePressure(text); err != nil || got != want {
			t.Errorf("%q: %g, %v", text, got, err)
		}
	}
}

func TestParse_WhatIsNoAnswerIsGarbled(t *testing.T) {
	for _, text := range []string{"", "?", "?,", "7.3", "?Cal", "?Cal,", "?Cal,4", "?Cal,11", "?Slope", "?Slope,1", "?Slope,1,2,x", "?Status,P", "?Status,PP,5.03", "?Status,P,5.0v", "?S,x,ppt", "?S,1", "?P", "?P,1,2", "?O,mg,mg", "?O,mg,love"} {
		_, errCal := ezo.ParseCalibration(text)
		_, errSlope := ezo.ParseSlope(text)
		_, errS := ezo.ParseSalinity(text)
		_, errP := ezo.ParsePressure(text)
		_, errO := ezo.ParseOutputs(text, []string{"mg", "%"})
		for i, err := range []error{errCal, errSlope, errS, errP, errO} {
			if reasonOf(err) != measure.Garbled {
				t.Errorf("%q, parser %d: %v", text, i, err)
			}
		}
	}
}

func FuzzReply(f *testing.F) {
	for _, op := range []i2ctest.IO{answer(1, "7.312"), answer(1, "6.41,81.3"), answer(1, "0.00,0( &"), answer(254, ""), answer(255, ""), answer(1, "?Cal,2"), answer(1, "?,O,%,mg"), answer(1, "?Slope,99.7,100.3,-0.89"), answer(1, "?S,1.50,ppt")} {
		f.Add(op.R)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var b [ezo.ReplyLength]byte
		copy(b[:], in)
		text, err := ezo.ParseReply(b)
		if err != nil {
			if reasonOf(err) == "" {
				t.Errorf("%x: %v is no fault", in, err)
			}
			return
		}
		for i := range len(text) {
			if text[i] == 0 || text[i] > 0x7F {
				t.Errorf("%x: text %q", in, text)
			}
		}
		if v, err := ezo.ParseReading(text, 0); err == nil {
			if _, err := measure.PH.Grade(v); err != nil {
				t.Errorf("%q is read as %v", text, v)
			}
		} else if reasonOf(err) != measure.Garbled {
			t.Errorf("%q: %v", text, err)
		}
		if n, err := ezo.ParseCalibration(text); err == nil && (n < 0 || n > 3) {
			t.Errorf("%q is read as %d points", text, n)
		}
		if on, err := ezo.ParseOutputs(text, []string{"EC", "TDS", "S", "SG"}); err == nil && len(on) > 4 {
			t.Errorf("%q is read as outputs %q", text, on)
		}
		for _, err := range []error{
			second(ezo.ParseSlope(text)), second(ezo.ParseSalinity(text)), second(ezo.ParsePressure(text)),
		} {
			if err != nil && reasonOf(err) != measure.Garbled {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
