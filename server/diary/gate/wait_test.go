package gate_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// The boundary: the day after the last waiting day, at 00:00 of the co-op.
func TestWithdrawal_EndsWithTheLastWaitingDay(t *testing.T) {
	for name, c := range map[string]struct {
		given time.Time
		end   string
		days  float64
		want  time.Time
	}{
		"given in the morning":                       {at(10, 1, 6, 0), "", 10, day(10, 12)},
		"given in the last minute of the day":        {at(10, 1, 23, 59), "", 10, day(10, 12)},
		"given in the first minute of the next":      {at(10, 2, 0, 0), "", 10, day(10, 13)},
		"given when it is still yesterday in London": {time.Date(2026, 9, 30, 17, 30, 0, 0, time.UTC), "", 10, day(10, 12)}, // 00:30 on 01/10
		"a course that ends later":                   {at(10, 1, 6, 0), "2026-10-05", 10, day(10, 16)},
		"an end before the day it was given":         {at(10, 1, 6, 0), "2026-09-20", 10, day(10, 12)},
		"one waiting day":                            {at(10, 1, 6, 0), "", 1, day(10, 3)},
		"no waiting day":                             {at(10, 1, 6, 0), "", 0, day(10, 1)},
		"no waiting day, a course that ends later":   {at(10, 1, 6, 0), "2026-10-03", 0, day(10, 3)},
		"over the end of a month":                    {at(2, 20, 6, 0), "", 10, day(3, 3)},
		"over the end of a year, told by the day":    {time.Date(2025, 12, 25, 6, 0, 0, 0, farm.Time()), "", 10, day(1, 5)},
		"a leap day is a day":                        {time.Date(2024, 2, 25, 6, 0, 0, 0, farm.Time()), "", 10, time.Date(2024, 3, 7, 0, 0, 0, 0, farm.Time())},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.want.Add(-time.Millisecond))
			b.set(farm.Cycle, "fish", "begin", "2023-01-01")
			b.set(farm.Input, "drug", "withdrawal_days", c.days)
			e := b.use(diary.Treatment, ao1, "fish", "drug", c.given)
			if c.end != "" {
				e.Values[diary.KeyEnd] = c.end
			}
			given := c.given.Before(c.want)
			v := b.judge()
			h, ok := v.Harvest(ao1, "fish")
			if given && (!ok || !h.From.Equal(c.want) || h.Cause != e.ID || h.May(b.Now) || !h.May(c.want)) {
				t.Fatalf("%+v, want %v", h, c.want)
			}
			if given && (len(v.Holds(ao1, "fish")) != 1 || !v.Holds(ao1, "fish")[0].Clears.Equal(c.want)) {
				t.Errorf("a millisecond before: %+v", v.Findings)
			}
			b.Now = c.want
			if h := b.judge(); len(h.Holds(ao1, "fish")) != 0 {
				t.Errorf("at %v: %+v", c.want, h.Findings)
			}
		})
	}
}

func TestWithdrawal_TellsWhatAnAuditorAsks(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	e := b.use(diary.Treatment, ao1, "fish", "drug", at(10, 1, 6, 0), diary.KeyEnd, "2026-10-02")
	want := gate.Finding{
		Rule: gate.Withdrawal, Level: gate.Block, Place: ao1, Cycle: "fish", Cause: e.ID, Record: "input/drug", Clears: day(10, 13), Args: []any{day(10, 13), "Oxytetra", day(10, 2), 10},
	}
	if diff := cmp.Diff(want, b.one(gate.Withdrawal)); diff != "" {
		t.Error(diff)
	}
}

func TestWait_CountsWhatWasDoneAtThePlace(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(b *bench)
		want time.Time
	}{
		"the latest of several": {func(b *bench) {
			b.use(diary.Treatment, ao1, "fish", "drug", at(10, 2, 6, 0))
			b.use(diary.Treatment, ao1, "fish", "drug", at(10, 1, 6, 0))
		}, day(10, 13)},
		"a season that is not named": {func(b *bench) { b.use(diary.Treatment, ao1, "", "drug", at(10, 1, 6, 0)) }, day(10, 12)},
		"before the season began, for the one before": {func(b *bench) {
			b.record(farm.Cycle, "old", form.Values{"place": ao1, "branch": "fish", "species": "x", "begin": "2026-01-01", "end": "2026-10-01"})
			b.set(farm.Cycle, "fish", "begin", "2026-10-02")
			b.use(diary.Treatment, ao1, "old", "drug", at(9, 30, 6, 0))
		}, day(10, 11)},
		"the season at another place": {func(b *bench) { b.use(diary.Treatment, ao4, "fish", "drug", at(10, 1, 6, 0)) }, day(10, 12)},
		"another place":               {func(b *bench) { b.use(diary.Treatment, ao4, "", "drug", at(10, 1, 6, 0)) }, time.Time{}},
		"voided": {func(b *bench) {
			e := b.use(diary.Treatment, ao1, "fish", "drug", at(10, 1, 6, 0))
			b.wrote(diary.Void, ao1, "fish", at(10, 1, 7, 0), form.Values{"reason": "nhầm ao"}).Corrects = e.ID
		}, time.Time{}},
		"corrected to another day": {func(b *bench) {
			e := b.use(diary.Treatment, ao1, "fish", "drug", at(10, 1, 6, 0))
			b.use(diary.Treatment, ao1, "fish", "drug", at(9, 28, 6, 0)).Corrects = e.ID
		}, day(10, 9)},
		"corrected to another input": {func(b *bench) {
			e := b.use(diary.Treatment, ao1, "fish", "drug", at(10, 1, 6, 0))
			b.use(diary.Treatment, ao1, "fish", "bt", at(10, 1, 6, 0)).Corrects = e.ID
		}, day(10, 1)},
		"medicated feed": {func(b *bench) {
			b.set(farm.Input, "feed", "withdrawal_days", 5.0)
			b.use(diary.Feeding, ao1, "fish", "feed", at(10, 1, 6, 0))
		}, day(10, 7)},
		"plain feed asks for nothing":          {func(b *bench) { b.use(diary.Feeding, ao1, "fish", "feed", at(10, 1, 6, 0)) }, time.Time{}},
		"after the moment that is asked about": {func(b *bench) { b.use(diary.Treatment, ao1, "fish", "drug", b.Now.Add(time.Hour)) }, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, at(10, 3, 9, 0))
			c.do(b)
			v := b.judge()
			if h, ok := v.Harvest(ao1, "fish"); !ok || !h.From.Equal(c.want) || h.Unknown {
				t.Errorf("%+v, want %v", h, c.want)
			}
			if held := len(v.Holds(ao1, "fish")) > 0; held != b.Now.Before(c.want) {
				t.Errorf("held %v: %+v", held, v.Findings)
			}
		})
	}
}

func TestPreHarvest_CountsFromTheSpray(t *testing.T) {
	b := newBench(t, at(10, 8, 23, 59))
	e := b.use(diary.Spraying, khoai1, "potato", "spray", at(10, 1, 17, 0))
	f := b.one(gate.PreHarvest)
	if f.Level != gate.Block || f.Cause != e.ID || !f.Clears.Equal(day(10, 9)) {
		t.Errorf("%+v", f)
	}
	b.Now = day(10, 9)
	b.none(gate.PreHarvest)
	// Days of the wrong kind are no days: a drug's withdrawal says nothing of a field.
	b.use(diary.Spraying, khoai1, "potato", "drug", at(10, 8, 17, 0))
	b.one(gate.UnknownDays)
}

func TestUnknownDays_BlockUntilTheLabelIsEntered(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.use(diary.Treatment, ao1, "fish", "drug", at(6, 1, 6, 0))
	e := b.use(diary.Treatment, ao1, "fish", "unlabelled", at(6, 1, 6, 0))
	v := b.judge()
	h, _ := v.Harvest(ao1, "fish")
	if f := b.one(gate.UnknownDays); f.Level != gate.Block || f.Cause != e.ID || !f.Clears.IsZero() {
		t.Errorf("%+v", f)
	}
	if !h.Unknown || h.May(at(12, 31, 0, 0)) || !h.From.Equal(day(6, 12)) {
		t.Errorf("%+v", h)
	}
	b.set(farm.Input, "unlabelled", "withdrawal_days", 21.0)
	b.none(gate.UnknownDays)
	// An input that nobody knows any more blocks, too.
	b.use(diary.Treatment, ao1, "fish", "gone", at(6, 1, 6, 0))
	b.one(gate.UnknownDays)
}

func TestJudge_OfThePlaceWhileNoSeasonIsOpen(t *testing.T) {
	b := newBench(t, at(10, 3, 9, 0))
	b.set(farm.Cycle, "fish", "end", "2026-09-30")
	b.use(diary.Treatment, ao1, "fish", "drug", at(9, 29, 6, 0))
	v := b.judge()
	if h, ok := v.Harvest(ao1, ""); !ok || !h.From.Equal(day(10, 10)) || len(v.Holds(ao1, "")) != 1 {
		t.Errorf("%+v", v)
	}
	// Who asks for a season that is over gets it.
	b.Place, b.Cycle = ao1, "fish"
	if h, ok := b.judge().Harvest(ao1, "fish"); !ok || !h.From.Equal(day(10, 10)) {
		t.Errorf("%+v", h)
	}
}

func TestDegreeDays_AddUpWhatWasMeasured(t *testing.T) {
	warm := func(c float64, missing ...int) func(string, time.Time) (float64, bool) {
		return func(place string, d time.Time) (float64, bool) {
			if place != ao1 {
				t.Errorf("asked for %s", place)
			}
			for _, m := range missing {
				if d.Equal(day(10, m)) {
					return 0, false
				}
			}
			return c, true
		}
	}
	for name, c := range map[string]struct {
		temperature func(string, time.Time) (float64, bool)
		now         time.Time
		want        time.Time // zero: not there yet
		args        []any
	}{
		// 500 / 25 = 20 days after 01/10: the sum is there with 21/10.
		"25 °C: 20 days":                       {warm(25), day(10, 22), day(10, 22), nil},
		"25 °C, on the 20th day it is not yet": {warm(25), at(10, 21, 23, 59), time.Time{}, []any{475.0, 500.0, "Oxytetra", 0, 1}},
		"days without a value add nothing":     {warm(25, 5, 6), day(10, 22), time.Time{}, []any{450.0, 500.0, "Oxytetra", 2, 2}},
		"and push the end":                     {warm(25, 5, 6), day(10, 24), day(10, 24), nil},
		"cold water adds nothing":              {warm(-1), day(10, 24), time.Time{}, nil},
		"nobody measured":                      {nil, day(12, 24), time.Time{}, nil},
		// 500 / 60 = 9 days, but the label asks for 10: harvest from 12/10.
		"the label's days count all the same": {warm(60), at(10, 11, 12, 0), day(10, 12), nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.now)
			b.set(farm.Cycle, "fish", "degree_days", 500.0)
			b.Temperature = c.temperature
			b.use(diary.Treatment, ao1, "fish", "drug", at(10, 1, 6, 0))
			v := b.judge()
			h, _ := v.Harvest(ao1, "fish")
			if h.Unknown != c.want.IsZero() || (!h.Unknown && !h.From.Equal(c.want)) {
				t.Errorf("%+v, want %v", h, c.want)
			}
			if c.args != nil {
				if diff := cmp.Diff(c.args, b.one(gate.DegreeDays).Args); diff != "" {
					t.Error(diff)
				}
			}
			if held := len(v.Holds(ao1, "fish")) > 0; held != (h.Unknown || c.now.Before(h.From)) {
				t.Errorf("held %v: %+v", held, v.Findings)
			}
		})
	}
	// Seasons that do not ask are not judged by it.
	b := newBench(t, day(10, 13))
	b.use(diary.Treatment, ao1, "fish", "drug", at(10, 1, 6, 0))
	b.none(gate.DegreeDays, gate.DegreeDaysNone, gate.Withdrawal)
}
