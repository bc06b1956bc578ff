package fault_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aovuon/firmware-sim/fault"
)

// timed is a board with a clock that somebody moves.
func timed(t *testing.T) (b *fault.Board, s *fault.Switch, now *time.Time) {
	t.Helper()
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	b = fault.NewBoard()
	b.UseClock(func() time.Time { return at })
	s, err := b.Add("ao1-do", fault.Unplug, fault.Stuck, fault.Drift, fault.Fouling, fault.BrownOut)
	if err != nil {
		t.Fatal(err)
	}
	return b, s, &at
}

func TestSchedule_ComesAndGoesByTheClock(t *testing.T) {
	b, s, now := timed(t)
	start := *now
	for _, e := range []fault.Event{
		{Device: "ao1-do", Kind: fault.Unplug, First: start.Add(time.Hour), For: 10 * time.Minute},
		{Device: "ao1-do", Kind: fault.Drift, Params: []float64{0.1}, First: start.Add(30 * time.Minute)},
		{Device: "ao1-do", Kind: fault.Stuck, First: start.Add(-25 * time.Hour), Every: 24 * time.Hour, For: 2 * time.Hour}, // begun an hour before the first
		{Device: "ao1-do", Kind: fault.Unplug, First: start.Add(-time.Hour), For: time.Minute},                              // over
	} {
		if err := b.Schedule(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct {
		at            time.Duration
		wiring, probe fault.Kind
	}{
		{0, fault.Stuck, fault.None},
		{29 * time.Minute, fault.Stuck, fault.None},
		{30 * time.Minute, fault.Stuck, fault.Drift},
		{59 * time.Minute, fault.Stuck, fault.Drift},
		{time.Hour, fault.Unplug, fault.Drift}, // comes when the other ends
		{71 * time.Minute, fault.None, fault.Drift},
		{23*time.Hour - time.Second, fault.None, fault.Drift},
		{23 * time.Hour, fault.Stuck, fault.Drift},
		{73 * time.Hour, fault.None, fault.Drift}, // nobody asked for two days
		{95 * time.Hour, fault.Stuck, fault.Drift},
	} {
		*now = start.Add(tc.at)
		if got, probe := s.Wiring().Kind, s.Probe().Kind; got != tc.wiring || probe != tc.probe {
			t.Errorf("after %s: %q and %q, want %q and %q", tc.at, got, probe, tc.wiring, tc.probe)
		}
	}
	if got := s.Probe(); got.Param(0) != 0.1 || got.Age(*now) != 95*time.Hour-30*time.Minute {
		t.Errorf("drift: %+v, %s old", got, got.Age(*now))
	}
	if n := s.Losses(); n.Times != 1 || n.Last != fault.Unplug {
		t.Errorf("its power was lost %+v", n)
	}
	b.HealAll()
	if s.Kind() != fault.None {
		t.Errorf("healed: %q", s.Kind())
	}
}

func TestSchedule_WhatCannotBe(t *testing.T) {
	b, _, now := timed(t)
	for want, e := range map[string]fault.Event{
		"no device":           {Device: "ao9", Kind: fault.Unplug},
		"it can be":           {Device: "ao1-do", Kind: fault.CRC},
		"which fault":         {Device: "ao1-do"},
		"wants a number":      {Device: "ao1-do", Kind: fault.Drift},
		"takes no number":     {Device: "ao1-do", Kind: fault.Stuck, Params: []float64{1}},
		"has to end before":   {Device: "ao1-do", Kind: fault.Stuck, Every: time.Hour, For: time.Hour},
		"has to end before i": {Device: "ao1-do", Kind: fault.Stuck, Every: time.Hour},
	} {
		e.First = *now
		if err := b.Schedule(e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v does not say %q", e, err, want)
		}
	}
	if err := fault.NewBoard().Schedule(fault.Event{Device: "x", Kind: fault.Stuck}); !errors.Is(err, fault.ErrUnknown) {
		t.Errorf("an empty board: %v", err)
	}
}

// Who wants to know is told in time, though nobody asks a chip, and faster in a faster world.
func TestSchedule_TellsOfItsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const speed = 60
		start := time.Now()
		world := func() time.Time { return start.Add(speed * time.Since(start)) }
		b := fault.NewBoard()
		b.UseClock(world)
		s, err := b.Add("ao1-do", fault.Unplug)
		if err != nil {
			t.Fatal(err)
		}
		var told []time.Duration
		b.OnChange(func() { told = append(told, time.Since(start)) })
		if err := b.Schedule(fault.Event{Device: "ao1-do", Kind: fault.Unplug, First: start.Add(time.Hour), For: time.Hour}); err != nil {
			t.Fatal(err)
		}
		b.Run(t.Context(), speed) // ends when nothing is left to do
		if s.Kind() != fault.None || len(told) != 2 || (told[0]-time.Minute).Abs() > time.Second || (told[1]-2*time.Minute).Abs() > time.Second {
			t.Errorf("told after %v, now %q", told, s.Kind())
		}
		// What a chip's question brought about before anybody waited for it is told, too.
		if err := b.Schedule(fault.Event{Device: "ao1-do", Kind: fault.Unplug, First: world().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) // of the bubble: two minutes of the world
		if k := s.Kind(); k != fault.Unplug || len(told) != 2 {
			t.Errorf("%q, told %d times", k, len(told))
		}
		if b.Run(t.Context(), speed); len(told) != 3 {
			t.Errorf("told %d times of 3", len(told))
		}
		b.HealAll()
		told = told[:2]
		ctx, cancel := context.WithCancel(t.Context())
		if err := b.Schedule(fault.Event{Device: "ao1-do", Kind: fault.Unplug, First: world().Add(time.Hour), Every: 2 * time.Hour, For: time.Hour}); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Hour, cancel)
		b.Run(ctx, speed)
		if len(told) != 2+60 { // every hour of the world something changes
			t.Errorf("told %d times in 60 hours of the world", len(told)-2)
		}
	})
}

func TestSet_Numbers(t *testing.T) {
	b, s, now := timed(t)
	for _, tc := range []struct {
		kind   fault.Kind
		params []float64
		want   string // of the error
		param  float64
	}{
		{fault.Drift, []float64{-0.2}, "", -0.2},
		{fault.Drift, nil, "wants a number: RATE", 0},
		{fault.Drift, []float64{5000}, "from -1000 to 1000", 0},
		{fault.Drift, []float64{1, 2}, "takes one number", 0},
		{fault.Fouling, nil, "", 7},
		{fault.Fouling, []float64{math.NaN()}, "from 0.01", 0},
		{fault.Stuck, []float64{1}, "takes no number", 0},
	} {
		err := b.Set("ao1-do", tc.kind, tc.params...)
		switch {
		case tc.want == "" && (err != nil || s.Probe().Param(0) != tc.param):
			t.Errorf("%s %v: %v, number %v", tc.kind, tc.params, err, s.Probe().Param(0))
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s %v: %v does not say %q", tc.kind, tc.params, err, tc.want)
		}
	}
	// Growth is wiped off; what else ails the device stays.
	for _, k := range []fault.Kind{fault.Fouling, fault.Stuck} {
		if err := b.Set("ao1-do", k); err != nil {
			t.Fatal(err)
		}
	}
	*now = now.Add(time.Hour)
	if age := s.Probe().Age(*now); age != time.Hour {
		t.Errorf("growth is %s old", age)
	}
	if err := b.Clean("ao1-do"); err != nil || s.Probe().Age(*now) != 0 || s.Kind() != fault.Stuck {
		t.Errorf("cleaned: %v, %+v, %q", err, s.Probe(), s.Kind())
	}
	if got := b.Devices()[0]; got.Fault != fault.Stuck || got.Probe != fault.Fouling {
		t.Errorf("%+v", got)
	}
	if err := b.Clean("ao9"); !errors.Is(err, fault.ErrUnknown) {
		t.Errorf("clean of nobody: %v", err)
	}
}
