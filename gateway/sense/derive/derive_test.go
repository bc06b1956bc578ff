package derive_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/derive"
	"aovuon/gateway/sense/formula"
	"aovuon/gateway/sense/sensetest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// pond is a board and what stands on it.
type pond struct {
	t     *testing.T
	clock *sensetest.Clock
	board *sense.Board
}

func newPond(t *testing.T) *pond {
	c := sensetest.NewClock(noon)
	return &pond{t, c, sense.NewBoard(c)}
}

func (p *pond) note(sensor string, q measure.Quantity, v float64, quality measure.Quality) {
	r := measure.Reading{Sensor: sensor, Quantity: q, Value: v, Quality: quality, Time: p.clock.Now()}
	if quality == measure.Fault {
		r.Value, r.Reason = 0, measure.CRC
	}
	p.board.Note(r, sense.Doubt{})
}

func (p *pond) wait(d time.Duration) {
	if err := p.clock.Sleep(p.t.Context(), d); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pond) channel(name string, from ...derive.Source) *derive.Channel {
	f, ok := derive.Lookup(name)
	if !ok || len(from) != len(f.Takes) {
		p.t.Fatalf("%s takes %d inputs", name, len(f.Takes))
	}
	return derive.New("ao1-x", f, from, p.board, p.clock)
}

func from(sensor string, q measure.Quantity) derive.Source {
	return derive.Source{Sensor: sensor, Quantity: q, Given: true}
}

func number(q measure.Quantity, v float64) derive.Source {
	return derive.Source{Quantity: q, Number: v, Given: true}
}

// saturation is a channel of known salinity and pressure.
func (p *pond) saturation() *derive.Channel {
	return p.channel("oxygen-saturation", from("ao1-do", measure.DissolvedOxygen), from("ao1-temp", measure.WaterTemperature),
		number(measure.Salinity, 0), number(measure.AirPressure, 1013.25))
}

func (p *pond) want(c *derive.Channel, value float64, quality measure.Quality, inputs string) {
	p.t.Helper()
	s, err := c.Sense(p.t.Context())
	if err != nil || len(s) != 1 {
		p.t.Fatalf("Sense = %v, %v", s, err)
	}
	if math.Abs(s[0].Value-value) > 0.01 || s[0].Quality != quality || measure.FormatInputs(s[0].Inputs) != inputs {
		p.t.Errorf("%.3f %v %q; want %.3f %v %q", s[0].Value, s[0].Quality, measure.FormatInputs(s[0].Inputs), value, quality, inputs)
	}
}

func (p *pond) wantFault(c *derive.Channel, reason measure.FaultReason) {
	p.t.Helper()
	s, err := c.Sense(p.t.Context())
	if f, ok := errors.AsType[*sense.Fault](err); !ok || f.Reason != reason {
		p.t.Errorf("Sense = %v, %v; want %s", s, err, reason)
	}
}

func TestSaturation_WorthAndProvenance(t *testing.T) {
	p := newPond(t)
	c := p.saturation()
	p.wantFault(c, measure.NoResponse) // nothing is known
	p.note("ao1-do", measure.DissolvedOxygen, 4.1315, measure.Good)
	p.wantFault(c, measure.NoResponse) // no temperature was ever there
	p.note("ao1-temp", measure.WaterTemperature, 25, measure.Good)
	p.wait(12 * time.Second)
	p.want(c, 50, measure.Good, "o=4.132@ao1-do+12;t=25@ao1-temp+12;s=0;p=1013.25")
	for _, q := range []measure.Quality{measure.Uncalibrated, measure.Estimated, measure.Suspect} {
		p.note("ao1-do", measure.DissolvedOxygen, 4.1315, q)
		p.want(c, 50, q, "o=4.132@ao1-do+0;t=25@ao1-temp+12;s=0;p=1013.25")
	}
	p.note("ao1-do", measure.DissolvedOxygen, 4.1315, measure.Good)
	p.note("ao1-temp", measure.WaterTemperature, 25, measure.Suspect) // the worst of the inputs
	p.want(c, 50, measure.Suspect, "o=4.132@ao1-do+0;t=25@ao1-temp+0;s=0;p=1013.25")
	p.note("ao1-temp", measure.WaterTemperature, 0, measure.Fault) // the last good one still counts
	p.want(c, 50, measure.Good, "o=4.132@ao1-do+0;t=25@ao1-temp+12;s=0;p=1013.25")
	p.wait(10 * time.Minute)
	p.note("ao1-do", measure.DissolvedOxygen, 4.1315, measure.Good)
	p.want(c, 50, measure.Estimated, "o=4.132@ao1-do+0;t=25@ao1-temp+612?;s=0;p=1013.25") // and now it is stale
	p.note("ao1-do", measure.DissolvedOxygen, 0, measure.Fault)
	p.wantFault(c, measure.CRC)
	p.note("ao1-do", measure.DissolvedOxygen, 55, measure.OutOfRange)
	p.wantFault(c, measure.Refused)
}

func TestSaturation_WhatNobodySaidIsAssumed(t *testing.T) {
	p := newPond(t)
	c := p.channel("oxygen-saturation", from("ao1-do", measure.DissolvedOxygen), from("ao1-temp", measure.WaterTemperature),
		derive.Source{Quantity: measure.Salinity}, derive.Source{Quantity: measure.AirPressure, Number: 1013.25})
	p.note("ao1-do", measure.DissolvedOxygen, 4.1315, measure.Good)
	p.note("ao1-temp", measure.WaterTemperature, 25, measure.Good)
	p.want(c, 50, measure.Estimated, "o=4.132@ao1-do+0;t=25@ao1-temp+0;s=0?;p=1013.25?")
}

// Beyond the limits of a formula there is no number.
func TestLimits(t *testing.T) {
	p := newPond(t)
	c := p.saturation()
	p.note("ao1-do", measure.DissolvedOxygen, 6, measure.Good)
	p.note("ao1-temp", measure.WaterTemperature, 41, measure.Good) // a temperature, but not of Benson and Krause
	p.wantFault(c, measure.Refused)
	_, err := c.Sense(t.Context())
	if o, ok := errors.AsType[*formula.OutsideError](err); !ok || o.Argument == "" {
		t.Errorf("Sense = %v", err)
	}
}

func TestAmmonia_EnteredByAPerson(t *testing.T) {
	p := newPond(t)
	tan := derive.Source{Quantity: measure.TotalAmmonia, Number: 2, Given: true, Tested: noon.Add(-36 * time.Hour)}
	c := p.channel("unionised-ammonia", from("ao1-ph", measure.PH), from("ao1-temp", measure.WaterTemperature), tan)
	p.note("ao1-ph", measure.PH, 8, measure.Good)
	p.note("ao1-temp", measure.WaterTemperature, 25, measure.Good)
	p.want(c, 0.1073, measure.Good, "h=8@ao1-ph+0;t=25@ao1-temp+0;n=2@ao1-x+129600")
	tan.Tested = noon.Add(-8 * 24 * time.Hour)
	c = p.channel("unionised-ammonia", from("ao1-ph", measure.PH), from("ao1-temp", measure.WaterTemperature), tan)
	p.want(c, 0.1073, measure.Estimated, "h=8@ao1-ph+0;t=25@ao1-temp+0;n=2@ao1-x+691200?")
	tan.Tested = noon.Add(time.Hour) // tomorrow's test
	c = p.channel("unionised-ammonia", from("ao1-ph", measure.PH), from("ao1-temp", measure.WaterTemperature), tan)
	p.want(c, 0.1073, measure.Estimated, "h=8@ao1-ph+0;t=25@ao1-temp+0;n=2?")
}

func TestAmmonia_FromAProbe(t *testing.T) {
	p := newPond(t)
	p.note("ao1-ph", measure.PH, 9.2464, measure.Good) // at its pKa half is un-ionised
	p.note("ao1-temp", measure.WaterTemperature, 25, measure.Good)
	p.note("ao1-nh4", measure.Ammonium, 0.7, measure.Good)
	c := p.channel("unionised-ammonia", from("ao1-ph", measure.PH), from("ao1-temp", measure.WaterTemperature), from("ao1-nh4", measure.Ammonium))
	p.want(c, 0.7, measure.Good, "h=9.246@ao1-ph+0;t=25@ao1-temp+0;m=0.7@ao1-nh4+0")
	p.note("ao1-tan", measure.TotalAmmonia, 1.4, measure.Good)
	c = p.channel("unionised-ammonia", from("ao1-ph", measure.PH), from("ao1-temp", measure.WaterTemperature), from("ao1-tan", measure.TotalAmmonia))
	p.want(c, 0.7, measure.Good, "h=9.246@ao1-ph+0;t=25@ao1-temp+0;n=1.4@ao1-tan+0")
	p.note("ao1-ph", measure.PH, 14, measure.Good) // what is left as ammonium says nothing there
	c = p.channel("unionised-ammonia", from("ao1-ph", measure.PH), from("ao1-temp", measure.WaterTemperature), from("ao1-nh4", measure.Ammonium))
	p.wantFault(c, measure.Refused)
}

func TestEveryFormula_GoldenValue(t *testing.T) {
	p := newPond(t)
	p.note("a", measure.Conductivity, 10_000, measure.Good)
	p.note("a", measure.RelativeHumidity, 56.501, measure.Good)
	p.note("a", measure.AirTemperature, 25, measure.Good)
	p.note("a", measure.SoilPermittivity, 20, measure.Good)
	dew, err := formula.DewPoint(25, 56.501)
	if err != nil {
		t.Fatal(err)
	}
	p.want(p.channel("salinity", from("a", measure.Conductivity)), 5.627, measure.Good, "c=10000@a+0")
	p.want(p.channel("dew-point", from("a", measure.RelativeHumidity), from("a", measure.AirTemperature)), dew, measure.Good, "r=56.501@a+0;a=25@a+0")
	p.want(p.channel("vapour-pressure-deficit", from("a", measure.RelativeHumidity), from("a", measure.AirTemperature)),
		3.1678*(1-0.56501), measure.Good, "r=56.501@a+0;a=25@a+0")
	p.want(p.channel("soil-water", from("a", measure.SoilPermittivity)), 34.54, measure.Good, "e=20@a+0")
	for _, f := range derive.Formulas() {
		if _, ok := f.Gives.Info(); !ok || len(f.Takes) == 0 || f.Takes[0].Optional || f.Takes[0].Entered {
			t.Errorf("%s: %+v", f.Name, f)
		}
	}
}
