package book

import (
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// gap is time without an entry where one was to be expected.
type gap struct{ from, to time.Time } // the first day without, and the day after the last

// Days that may pass between two entries of a kind before the book says that there is none: [P], proposed by this project and no figure of
// a standard. Fish are fed daily, but not on cold or stormy days; water is tested at least weekly.
const (
	feedEvery  = 2
	waterEvery = 7
	scoutEvery = 14
)

// expected says how many days may pass without an entry of a kind; 0: any.
func expected(kind string) int {
	switch kind {
	case diary.Feeding:
		return feedEvery
	case diary.WaterTest:
		return waterEvery
	case "scouting":
		return scoutEvery
	}
	return 0
}

// gaps returns the gaps between entries of a kind from the day something lives at the place until the place is empty or the book ends.
func (m *maker) gaps(kind string, list []diary.Entry) []gap {
	every := expected(kind)
	from, to := m.living()
	k, known := diary.KindOf(kind)
	if every == 0 || from.IsZero() || !known || !k.Of(farm.Branch(m.cycle.Values.Text("branch"))) {
		return nil
	}
	var out []gap
	last := from.AddDate(0, 0, -1) // the day before the first that needs an entry
	look := func(day time.Time) {
		if between := int(day.Sub(last).Hours()/24+0.5) - 1; between >= every {
			out = append(out, gap{last.AddDate(0, 0, 1), day})
		}
		last = day
	}
	for _, e := range list {
		if day := farm.MidnightIn(e.At(), m.zone); !e.Voided && day.After(last) && day.Before(to) {
			look(day)
		}
	}
	look(to)
	return out
}

// living is from when until when something lives or grows at the place: from the day it was put there to the final harvest, or to the day the
// book is made; that day itself is not over.
func (m *maker) living() (from, to time.Time) {
	to = farm.MidnightIn(m.until, m.zone)
	for _, e := range m.of(diary.Stocking, diary.Planting, diary.Harvest) {
		day := farm.MidnightIn(e.At(), m.zone)
		switch {
		case e.Voided:
		case e.Kind != diary.Harvest && (from.IsZero() || day.Before(from)):
			from = day
		case e.Kind == diary.Harvest && e.Values.Flag("final") && day.Before(to):
			to = day
		}
	}
	return from, to
}

func (m *maker) gapRow(g gap) Row {
	last := g.to.AddDate(0, 0, -1)
	days := int(g.to.Sub(g.from).Hours()/24 + 0.5)
	return Row{Gap: m.w.T("book.gap", m.day(g.from), m.day(last), m.w.Number(float64(days)))}
}

// unwritten are the gaps of a kind of which there is no entry at all.
func (m *maker) unwritten(kind string) []string {
	if len(m.of(kind)) > 0 {
		return nil
	}
	var out []string
	for _, g := range m.gaps(kind, nil) {
		out = append(out, m.w.T("diary."+kind)+": "+m.gapRow(g).Gap)
	}
	return out
}

func joined(list []string) string { return strings.Join(list, ", ") }
