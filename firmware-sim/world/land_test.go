package world_test

import (
	"testing"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// What is done to plots and rooms shows in what their probes read, and what was before stays.
func TestWorld_ActsOnPlotsAndRooms(t *testing.T) {
	at := start(2026).AddDate(0, 0, 330).Add(8 * time.Hour)
	places := []world.Place{
		{ID: "khoai1", Kind: world.Plot, Care: world.None},
		{ID: "say1", Kind: world.Room, Care: world.None},
	}
	for name, tc := range map[string]struct {
		acts  []world.Action
		place string
		q     measure.Quantity
		after time.Duration
		least float64 // of the change; below 0: it falls by as much
	}{
		"irrigation wets": {
			[]world.Action{{Kind: world.Irrigate, Amount: 40, For: 3 * time.Hour}}, "khoai1", measure.SoilMoisture, 6 * time.Hour, 2,
		},
		"a storm on a closed ditch wets for days": {
			[]world.Action{{Kind: world.Drain, Amount: 0}, {Kind: world.Rainfall, Amount: 260, For: 20 * time.Hour}},
			"khoai1", measure.SoilMoisture, 50 * time.Hour, 6,
		},
		"fertiliser conducts": {
			[]world.Action{
				{Kind: world.Fertilise, Amount: 150, What: "nitrogen"},
				{Kind: world.Irrigate, Amount: 25, For: 3 * time.Hour},
			}, "khoai1", measure.SoilConductivity, 8 * 24 * time.Hour, 25,
		},
		"a cold snap chills the soil": {
			[]world.Action{{Kind: world.ColdSnap, Amount: 9, For: 72 * time.Hour}}, "khoai1", measure.SoilTemperature, 60 * time.Hour, -2,
		},
		"a stove heats": {
			[]world.Action{{Kind: world.Heat, Amount: 55, For: 8 * time.Hour}}, "say1", measure.AirTemperature, 5 * time.Hour, 20,
		},
		"wet goods damp": {
			[]world.Action{
				{Kind: world.Heat, Amount: 50, For: 8 * time.Hour},
				{Kind: world.Load, Amount: 90, What: "banh-da"},
			}, "say1", measure.DewPoint, time.Hour, 8,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := world.New(world.Options{Seed: 4, Begin: start(2026), Places: places})
			if err != nil {
				t.Fatal(err)
			}
			before, was := value(t, w, tc.place, tc.q, at.Add(-time.Minute)), value(t, w, tc.place, tc.q, at.Add(tc.after))
			for _, a := range tc.acts {
				a.At = at
				if a.Kind != world.Rainfall && a.Kind != world.ColdSnap {
					a.Place = tc.place
				}
				if err := w.Act(a); err != nil {
					t.Fatal(err)
				}
			}
			change := value(t, w, tc.place, tc.q, at.Add(tc.after)) - was
			if tc.least > 0 && change < tc.least || tc.least < 0 && change > tc.least {
				t.Errorf("%s changed by %.2f, want %g at least", tc.q, change, tc.least)
			}
			if now := value(t, w, tc.place, tc.q, at.Add(-time.Minute)); now != before {
				t.Errorf("before it: %g became %g", before, now)
			}
		})
	}
}
