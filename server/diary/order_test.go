package diary_test

import (
	"slices"
	"testing"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// at returns a time of a day in November at the co-op.
func at(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, farm.Time()) }

func did(kind string, when ...time.Time) []diary.Entry {
	out := make([]diary.Entry, 0, len(when))
	for _, w := range when {
		out = append(out, diary.Entry{Event: diary.Event{Kind: kind, Occurred: w}})
	}
	return out
}

// daily is a habit: a kind at an hour, on the days 1 to upto.
func daily(kind string, hour, upto int) []diary.Entry {
	var out []diary.Entry
	for d := 1; d <= upto; d++ {
		out = append(out, did(kind, at(d, hour))...)
	}
	return out
}

func TestOrder(t *testing.T) {
	began := at(1, 0).AddDate(0, -2, 0)
	fed := slices.Concat(did(diary.Stocking, began), daily(diary.Feeding, 7, 19), daily(diary.Feeding, 16, 19))
	voided := did(diary.Feeding, at(20, 7))
	voided[0].Voided = true
	for name, c := range map[string]struct {
		stand diary.Stand
		first []string // these, in this order
		after [2]string
	}{
		"a pond in the morning asks for feed": {
			diary.Stand{Place: farm.Pond, Branch: farm.Fish, Began: began, Now: at(20, 7), Entries: fed}, []string{diary.Feeding}, [2]string{diary.Feeding, diary.Harvest},
		},
		"fed an hour ago: feed goes back": {
			diary.Stand{Place: farm.Pond, Branch: farm.Fish, Began: began, Now: at(20, 8), Entries: slices.Concat(fed, did(diary.Feeding, at(20, 7)))},
			nil,
			[2]string{diary.WaterTest, diary.Feeding},
		},
		"taken back is not done": {
			diary.Stand{Place: farm.Pond, Branch: farm.Fish, Began: began, Now: at(20, 8), Entries: slices.Concat(fed, voided)}, []string{diary.Feeding}, [2]string{diary.Feeding, diary.WaterTest},
		},
		"and comes again in the afternoon": {
			diary.Stand{Place: farm.Pond, Branch: farm.Fish, Began: began, Now: at(20, 17), Entries: slices.Concat(fed, did(diary.Feeding, at(20, 7)), did(diary.WaterTest, at(20, 7)))},
			[]string{diary.Feeding},
			[2]string{diary.Feeding, diary.WaterTest},
		},
		"what is overdue comes before everything": {
			diary.Stand{Place: farm.Pond, Branch: farm.Fish, Began: began, Now: at(20, 7), Entries: fed, Overdue: []string{diary.WaterTest}},
			[]string{diary.WaterTest, diary.Feeding},
			[2]string{diary.Feeding, diary.Sale},
		},
		"a season without fish asks for the stocking": {
			diary.Stand{Place: farm.Pond, Branch: farm.Fish, Began: at(18, 0), Now: at(20, 9)}, []string{diary.Stocking}, [2]string{diary.PondPrep, diary.Harvest},
		},
		"an empty pond is made ready": {
			diary.Stand{Place: farm.Pond, Now: at(20, 9)}, []string{diary.PondPrep}, [2]string{diary.PondPrep, diary.Feeding},
		},
		"a grown season asks for the harvest before the stocking": {
			diary.Stand{Place: farm.Pond, Branch: farm.Fish, Began: at(1, 0).AddDate(0, -6, 0), Now: at(20, 11), Entries: did(diary.Harvest, at(19, 6))}, nil, [2]string{diary.Harvest, diary.Stocking},
		},
		"after a harvest there is something to sell": {
			diary.Stand{Place: farm.Plot, Branch: farm.Crop, Began: at(1, 0).AddDate(0, -3, 0), Now: at(20, 11), Entries: did(diary.Harvest, at(20, 6))}, nil, [2]string{diary.Sale, diary.Planting},
		},
		"a plot knows no fish": {
			diary.Stand{Place: farm.Plot, Branch: farm.Crop, Began: at(10, 0), Now: at(12, 9)}, nil, [2]string{diary.Planting, diary.Harvest},
		},
		"a shed works": {
			diary.Stand{Place: farm.Shed, Branch: farm.Process, Began: at(10, 0), Now: at(12, 9)}, []string{diary.Batch}, [2]string{diary.Batch, "note"},
		},
	} {
		got := diary.Order(c.stand)
		if len(got) < len(c.first) || !slices.Equal(got[:len(c.first)], c.first) {
			t.Errorf("%s: %v, want first %v", name, got, c.first)
		}
		if a, b := slices.Index(got, c.after[0]), slices.Index(got, c.after[1]); a < 0 || b < 0 || a > b {
			t.Errorf("%s: %s before %s, got %v", name, c.after[0], c.after[1], got)
		}
		for _, never := range []string{diary.Void, diary.Release} {
			if slices.Contains(got, never) {
				t.Errorf("%s: offers %s", name, never)
			}
		}
		if c.stand.Place != farm.Pond && slices.Contains(got, diary.Feeding) {
			t.Errorf("%s: offers %s", name, diary.Feeding)
		}
	}
}

// Every kind that a place can have is offered once, whatever the hour.
func TestOrder_LosesNothing(t *testing.T) {
	for _, place := range farm.Kinds() {
		want := 0
		for _, k := range diary.Kinds() {
			if k.Name != diary.Void && k.Name != diary.Release && (len(k.Places) == 0 || slices.Contains(k.Places, place)) {
				want++
			}
		}
		for hour := range 24 {
			got := diary.Order(diary.Stand{Place: place, Now: at(20, hour)})
			if slices.Sort(got); len(slices.Compact(got)) != want {
				t.Errorf("%s at %d: %d kinds, want %d", place, hour, len(got), want)
			}
		}
	}
}
