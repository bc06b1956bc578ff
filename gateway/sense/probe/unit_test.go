package probe_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/sense/serial"
)

// master answers questions from a script: by PDU, the answers in their order, or faults.
type master struct {
	t       *testing.T
	answers map[string][]any
	asked   []string
	last    rtu.Request
}

func (m *master) Do(_ context.Context, r rtu.Request) ([]byte, error) {
	key := string(probe.HexOf(r.PDU))
	m.asked, m.last = append(m.asked, key), r
	list := m.answers[key]
	if len(list) == 0 {
		return nil, sense.Faultf(measure.NoResponse, "nothing more for %s", key)
	}
	if len(list) > 1 {
		m.answers[key] = list[1:]
	}
	switch a := list[0].(type) {
	case error:
		return nil, a
	case string:
		return unhex(m.t, a), nil
	}
	return nil, errors.New("no answer")
}

func testUnit(t *testing.T, id string, answers map[string][]any) (*probe.Unit, *master, *sensetest.Clock) {
	t.Helper()
	tpl, err := library().Template(id)
	if err != nil {
		t.Fatal(err)
	}
	clock := sensetest.NewClock(time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC))
	m := &master{t: t, answers: answers}
	return probe.NewUnit(tpl, m, 5, serial.Line{Baud: 4800, Parity: serial.NoParity, StopBits: 1}, clock), m, clock
}

const (
	start  = "03 25 00 00 00"
	read   = "03 26 00 00 06"
	values = "03 0C 00 00 E4 41 00 00 52 3F 00 00 CC 40"
	zeros  = "03 0C 00 00 00 00 00 00 00 00 00 00 00 00"
)

func reason(err error) measure.FaultReason {
	if f, ok := errors.AsType[*sense.Fault](err); ok {
		return f.Reason
	}
	return ""
}

func TestUnit_IsStartedOnceAndAgainAfterItLostItsPower(t *testing.T) {
	u, m, clock := testUnit(t, "yosemitech-y504", map[string][]any{
		start: {"03 00"},
		read:  {values, values, sense.Faultf(measure.NoResponse, "gone"), values, zeros, values},
	})
	sleep := func(d time.Duration) {
		if err := clock.Sleep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		asks []string
		want measure.FaultReason
	}{
		{[]string{start}, measure.NotReady}, // it needs 8 s: nobody else on the line waits for it
		{[]string{read}, ""},
		{[]string{read}, ""},
		{[]string{read}, measure.NoResponse},
		{[]string{start}, measure.NotReady},
		{[]string{read}, ""},
		{[]string{read}, measure.PowerUp}, // it was without power between two questions
		{[]string{start}, measure.NotReady},
		{[]string{read}, ""},
	} {
		m.asked = nil
		before := clock.Now().Uptime
		samples, err := u.Sense(t.Context())
		if reason(err) != step.want || len(m.asked) != len(step.asks) || m.asked[0] != step.asks[0] {
			t.Fatalf("step %d: %v, asked %v", i, err, m.asked)
		}
		if step.want == "" && (len(samples) != 3 || samples[0].Value != 28.5 || samples[1].Value != 82.03125 || samples[2].Value != 6.375) {
			t.Errorf("step %d: %v", i, samples)
		}
		if took := clock.Now().Uptime - before; took > 0 {
			t.Errorf("step %d: slept %v", i, took)
		}
		sleep(time.Minute)
	}
	if m.last.Unit != 5 || m.last.Line.Baud != 4800 || m.last.Timeout != time.Second {
		t.Errorf("%+v", m.last)
	}
}

func TestUnit_StartThatIsAnsweredWrong(t *testing.T) {
	u, _, _ := testUnit(t, "yosemitech-y504", map[string][]any{start: {"03 02 00 00"}})
	if _, err := u.Sense(t.Context()); reason(err) != measure.Garbled {
		t.Error(err)
	}
}

func TestUnit_WhatAnswersIsKeptWhatDoesNotIsAFault(t *testing.T) {
	refused := sense.Faultf(measure.Refused, "%w", rtu.IllegalDataAddress)
	u, m, _ := testUnit(t, "soil-c-jxct", map[string][]any{
		"03 00 12 00 04": {"03 08 01 34 01 09 00 00 02 80"}, "03 00 06 00 01": {refused}, "03 00 1E 00 03": {"03 06 00 20 00 25 00 30"},
	})
	samples, err := u.Sense(t.Context())
	if err != nil || len(samples) != 7 || len(m.asked) != 3 {
		t.Fatal(samples, err, m.asked)
	}
	for _, s := range samples {
		if s.Quantity == measure.SoilPH {
			if s.Quality != measure.Fault || s.Reason != measure.Refused {
				t.Errorf("%+v", s)
			}
		} else if s.Quality == measure.Fault {
			t.Errorf("%+v", s)
		}
	}
}

func TestUnit_ADeadProbeIsAskedOneQuestion(t *testing.T) {
	for _, why := range []measure.FaultReason{measure.NoResponse, measure.BusDown, measure.Garbled} {
		u, m, _ := testUnit(t, "soil-c-jxct", map[string][]any{"03 00 12 00 04": {sense.Faultf(why, "dead")}})
		if _, err := u.Sense(t.Context()); reason(err) != why || len(m.asked) != 1 {
			t.Errorf("%s: %v, asked %v", why, err, m.asked)
		}
	}
	u, m, _ := testUnit(t, "soil-c-jxct", map[string][]any{
		"03 00 12 00 04": {"03 08 01 34 01 09 00 00 02 80"}, "03 00 06 00 01": {sense.Faultf(measure.NoResponse, "gone")},
	})
	samples, err := u.Sense(t.Context())
	if err != nil || len(samples) != 7 || len(m.asked) != 2 {
		t.Fatal(samples, err, m.asked)
	}
	if last := samples[6]; last.Quality != measure.Fault || last.Reason != measure.NoResponse {
		t.Errorf("%+v", last)
	}
}

func TestUnit_Interrupted(t *testing.T) {
	u, _, _ := testUnit(t, "soil-a-3in1", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := u.Sense(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// volts is a converter with one voltage.
type volts struct {
	at  float64
	err error
}

func (v volts) Volts(context.Context, int) (float64, error) { return v.at, v.err }

func TestBoard_FaultsAndInputs(t *testing.T) {
	tpl, err := library().Template("dfrobot-sen0189")
	if err != nil {
		t.Fatal(err)
	}
	gone := sense.Faultf(measure.NoResponse, "no converter")
	for _, tc := range []struct {
		adc     volts
		quality measure.Quality
		reason  measure.FaultReason
	}{
		{volts{at: 2.7}, measure.Uncalibrated, ""}, // 4.05 V of the probe
		{volts{at: 3.0}, measure.OutOfRange, ""},   // clearer than the curve knows: kept, marked
		{volts{at: 0.6}, 0, measure.NoResponse},
		{volts{at: 0.01}, 0, measure.Shorted},
		{volts{err: gone}, 0, measure.NoResponse},
	} {
		samples, err := probe.NewBoard(tpl, tc.adc, 1, nil, sense.NoInputs{}).Sense(t.Context())
		if reason(err) != tc.reason {
			t.Errorf("%+v: %v", tc, err)
		} else if err == nil && samples[0].Quality != tc.quality {
			t.Errorf("%+v: %+v", tc, samples)
		}
	}
	if tpl, err = library().Template("dfrobot-sen0237"); err != nil {
		t.Fatal(err)
	}
	samples, err := probe.NewBoard(tpl, volts{at: 1.6}, 0, []probe.Point{{Volts: 1.6, Value: 100}}, sense.NoInputs{}).Sense(t.Context())
	if err != nil || samples[0].Quality != measure.Estimated || measure.FormatInputs(samples[0].Inputs) != "t=25?;s=0?;p=1013.25?" {
		t.Errorf("%+v, %v", samples, err)
	}
	hot := probe.Water{Celsius: 60, HPa: 1013.25}
	if _, err := probe.NewBoard(tpl, volts{at: 1.6}, 0, nil, &hot).Sense(t.Context()); reason(err) != measure.Refused {
		t.Errorf("water of 60 °C: %v", err)
	}
}

// The slope of the electrode turns with temperature about pH 7, not about 0 V: the figures of the Nernst equation.
func TestBoard_PHTurnsAboutItsIsopotentialPoint(t *testing.T) {
	tpl, err := library().Template("dfrobot-sen0161-v2")
	if err != nil {
		t.Fatal(err)
	}
	for celsius, want := range map[float64]float64{25: 4.000, 10: 3.841, 40: 4.144} {
		got, err := tpl.Analog.Value(1.5+3*0.177478, nil, probe.Water{Celsius: celsius})
		if err != nil || got < want-0.0006 || got > want+0.0006 {
			t.Errorf("%g °C: %g, %v", celsius, got, err)
		}
		if got, err = tpl.Analog.Value(1.5, nil, probe.Water{Celsius: celsius}); err != nil || got != 7 {
			t.Errorf("%g °C, neutral: %g, %v", celsius, got, err)
		}
	}
}

func TestRead_BlankSaysNoValue(t *testing.T) {
	r := probe.Read{Function: 3, Registers: 4, Values: []probe.Value{
		{Quantity: measure.PH, Type: "f32-cdab"},
		{Quantity: measure.SoilTemperature, Register: 2, Type: "s16", Absent: []int64{-32768}},
		{Quantity: measure.SoilMoisture, Register: 3, Type: "u16"},
	}}
	registers := bytes.Repeat([]byte{1}, 8)
	if left := r.Blank(registers); len(left) != 1 || left[0] != measure.SoilMoisture {
		t.Error(left)
	}
	samples, err := r.Decode(registers)
	if err != nil || samples[0].Reason != measure.Refused || samples[1].Reason != measure.Refused || samples[2].Value != 257 {
		t.Errorf("%+v, %v", samples, err)
	}
}
