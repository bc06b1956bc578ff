package field_test

import (
	"strconv"
	"strings"
	"testing"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/kind"
)

// scheduled is the chain's field with faults.
func scheduled(t *testing.T, faults string) *chained {
	t.Helper()
	return newChainedOn(t, chainField+"faults:\n"+faults, []kind.Spec{thermometer(), oxygen(kind.Refinement{})})
}

func TestSchedule_InVirtualTime(t *testing.T) {
	c := scheduled(t, `
  - { device: ao1-temp, fault: powerup, after: 30m, for: 10m }
  - { bus: i2c, fault: scl-low, at: "2026-03-10 10:00", for: 30m }          # the clock begins at 09:00 in Việt Nam
  - { device: ao1-do, fault: stuck, every: 2h, for: 5m }
`)
	reasons := make(map[measure.FaultReason]int)
	for i, r := range c.live(300, "ao1-do") {
		if r.Quality != measure.Fault {
			continue
		}
		reasons[r.Reason]++
		if minute := i; r.Reason == measure.BusDown && (minute < 59 || minute > 91) {
			t.Errorf("minute %d: %+v", minute, r)
		}
	}
	if reasons[measure.BusDown] < 28 || reasons[measure.BusDown] > 31 || reasons[measure.NotReady] < 8 || reasons[measure.NotReady] > 12 || len(reasons) != 2 {
		t.Errorf("minutes by reason: %v", reasons)
	}
}

// A field that is started in the middle of a fault has it, as old as it is.
func TestSchedule_WhatBeganBeforeTheStart(t *testing.T) {
	c := scheduled(t, `
  - { device: ao1-do, fault: step, params: [3], at: "2026-03-10T01:00:00Z", for: 2h }
  - { device: ao1-ph, fault: unplug, at: "2026-03-09T01:00:00Z", for: 2h }
`)
	got := make(map[string]fault.Kind)
	for _, d := range c.field.Board().Devices() {
		got[d.Name] = d.Fault
	}
	if got["ao1-do"] != fault.Step || got["ao1-ph"] != fault.None {
		t.Errorf("%v", got)
	}
	with := c.live(1, "ao1-do")[0].Value
	c.live(70, "ao1-do")
	if without := c.live(1, "ao1-do")[0].Value; with-without < 2 || with-without > 4.5 {
		t.Errorf("%.2f mg/L with a step of 3, %.2f without", with, without)
	}
}

func TestSchedule_ErrorsOfTheFile(t *testing.T) {
	for want, line := range map[string]string{
		"device or bus":        `{ fault: unplug, after: 1m }`,
		"no device":            `{ device: ao9-do, fault: unplug, after: 1m }`,
		"name one of buses":    `{ bus: ao1-do, fault: unplug, after: 1m }`,
		"write bus: i2c":       `{ device: i2c, fault: unplug, after: 1m }`,
		"it can be":            `{ device: ao1-do, fault: love, after: 1m }`,
		"which fault":          `{ device: ao1-do, after: 1m }`,
		"wants a number":       `{ device: ao1-do, fault: drift, after: 1m }`,
		"takes no number":      `{ device: ao1-do, fault: unplug, params: [1], after: 1m }`,
		"Want at, after":       `{ device: ao1-do, fault: unplug }`,
		"not both":             `{ device: ao1-do, fault: unplug, after: 1m, at: "2026-03-10 05:00" }`,
		"is no time":           `{ device: ao1-do, fault: unplug, at: noon }`,
		"runs backwards":       `{ device: ao1-do, fault: unplug, after: -1m }`,
		"has to end before":    `{ device: ao1-do, fault: unplug, every: 1h, for: 2h }`,
		"unknown field \"on\"": `{ device: ao1-do, fault: unplug, after: 1m, on: true }`,
	} {
		text := chainField + "faults:\n  - { device: ao1-do, fault: unplug, after: 1m }\n  - " + line + "\n"
		_, err := field.Parse("field.yaml", []byte(text), "/x")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", line, err, want)
		} else if at := strings.Count(text, "\n"); !strings.Contains(err.Error(), "field.yaml:"+strconv.Itoa(at)+":") && !strings.Contains(want, "unknown") {
			t.Errorf("%s: %v does not say line %d", line, err, at)
		}
	}
}

// A fouled oxygen probe loses its day: it reads low and lazily, the gateway doubts it in time, and wiping mends it.
func TestFouling_IsFoundByTheFlatLine(t *testing.T) {
	c := newChainedOn(t, chainField, []kind.Spec{thermometer(), oxygen(kind.Refinement{})})
	span := func(list []measure.Reading) (low, high float64, suspect int) {
		low, high = 99, -1
		for _, r := range list {
			low, high = min(low, r.Value), max(high, r.Value)
			if r.Quality == measure.Suspect {
				suspect++
			}
		}
		return low, high, suspect
	}
	const day = 24 * 60
	low, high, suspect := span(c.live(day, "ao1-do"))
	if high-low < 1 || suspect > 0 {
		t.Fatalf("a clean probe: %.2f to %.2f mg/L, %d suspect", low, high, suspect)
	}
	if err := c.field.Board().Set("ao1-do", fault.Fouling, 2); err != nil {
		t.Fatal(err)
	}
	if _, h, suspect := span(c.live(day, "ao1-do")[:60]); h > high+1 || suspect > 0 {
		t.Errorf("after an hour: %d suspect", suspect)
	}
	var found int
	for d := 2; d <= 7 && found == 0; d++ {
		if _, _, n := span(c.live(day, "ao1-do")); n > 0 {
			found = d
		}
	}
	c.live(2*day, "ao1-do")
	fouledLow, fouledHigh, suspect := span(c.live(day, "ao1-do"))
	if found < 3 || suspect < day/2 || fouledHigh > low {
		t.Errorf("found on day %d; three days later %.2f to %.2f mg/L, %d suspect; clean %.2f to %.2f", found, fouledLow, fouledHigh, suspect, low, high)
	}
	if err := c.field.Board().Clean("ao1-do"); err != nil {
		t.Fatal(err)
	}
	clean := c.live(day, "ao1-do")
	if l, h, suspect := span(clean[60:]); h-l < 0.5 || l < fouledHigh || suspect > 0 {
		t.Errorf("cleaned: %.2f to %.2f mg/L, %d suspect", l, h, suspect)
	}
}
