package blight

import "slices"

// Class is how far a variety resists late blight.
type Class string

// The classes, most susceptible first.
const (
	Susceptible           Class = "s"
	ModeratelySusceptible Class = "ms"
	ModeratelyResistant   Class = "mr"
	Resistant             Class = "r"
	HighlyResistant       Class = "hr"
)

// Classes lists them.
func Classes() []Class {
	return []Class{Susceptible, ModeratelySusceptible, ModeratelyResistant, Resistant, HighlyResistant}
}

// Usual is the class of a variety of which nobody said one: Solara, Diamant and Việt-Đức, which are grown here, are described as "mốc sương
// trung bình".
const Usual = ModeratelySusceptible

// ClassOf returns the class that a season's record names, Usual where it names none.
func ClassOf(written string) (c Class, said bool) {
	if c = Class(written); slices.Contains(Classes(), c) {
		return c, true
	}
	return Usual, false
}

// Limits returns the sums of blight units and of fungicide units at which SIMCAST asks for a spray.
func (c Class) Limits() (blightUnits, fungicideUnits int) {
	i := max(slices.Index(Classes(), c), 0)
	return []int{30, 35, 40, 45, 50}[i], []int{15, 20, 25, 30, 35}[i]
}

// shortest and longest run of humid hours the tables know.
const shortestRun, longestRun = 6, 24

// unitRow are the blight units of a run of 6, 7, … 24 hours.
type unitRow [longestRun - shortestRun + 1]int

// rows are the tables of Fry 1983 and Grünwald 2002 by temperature, coldest first: (2.5, 7.5], (7.5, 12.5], (12.5, 22.5], (22.5, 27.5].
func (c Class) rows() [4]unitRow {
	switch c {
	case Susceptible:
		return [4]unitRow{
			{0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4},
			{0, 1, 2, 2, 3, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6},
			{0, 5, 5, 5, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7},
			{0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, 5},
		}
	case ModeratelySusceptible:
		return [4]unitRow{
			{0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
			{0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5, 5},
			{0, 1, 2, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6},
			{0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2},
		}
	case ModeratelyResistant, Resistant, HighlyResistant:
	}
	return [4]unitRow{
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1},
		{0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3},
		{0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5},
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1},
	}
}

// Units returns the blight units of one run of humid hours with that mean temperature, °C. A temperature on a limit belongs to the colder row.
func (c Class) Units(run int, t float64) int {
	if run < shortestRun {
		return 0
	}
	for i, above := range []float64{2.5, 7.5, 12.5, 22.5} {
		if t := exact(t); t > above && t <= above+[]float64{5, 5, 10, 5}[i] {
			return c.rows()[i][min(run, longestRun)-shortestRun]
		}
	}
	return 0
}

// best are the most units that a run of so many hours can give, whatever its temperature.
func (c Class) best(run int) (units int) {
	if run < shortestRun {
		return 0
	}
	for _, row := range c.rows() {
		units = max(units, row[min(run, longestRun)-shortestRun])
	}
	return units
}

// atMost are the most units that so many hours can give of which nobody knows how humid they were: in one run, or in several with a dry hour
// between. Of a day that is 15, 10 and 9: three runs of 7 hours, or two of 10 to 13, give more than one of 24.
func (c Class) atMost(hours int) int {
	most := make([]int, hours+1)
	for h := range most {
		most[h] = c.best(h)
		for run := shortestRun; run < h; run++ {
			most[h] = max(most[h], c.best(run)+most[h-run-1])
		}
	}
	return most[hours]
}

// Span is a sum of which parts are not known: it is at least Lo and at most Hi.
type Span struct{ Lo, Hi int }

func (s Span) plus(o Span) Span { return Span{s.Lo + o.Lo, s.Hi + o.Hi} }

// Reaches answers whether a sum reaches a limit.
func (s Span) Reaches(limit int) Tri {
	switch {
	case s.Lo >= limit:
		return Yes
	case s.Hi >= limit:
		return Unknown
	}
	return No
}

// DayUnits returns the blight units between two noons: each run of humid hours by itself, added up. An hour that was not measured ends a run in
// Lo, which is what the measured hours give: where it cuts a run that cools across the limit of a row, they can give a little more than the whole
// run, to the safe side. Hi is what there can have been at most. With fewer than LeastHours known is false, and Hi the most of any day.
func (c Class) DayUnits(hours [dayHours]*Hour) (units Span, known bool) {
	n, stretch, gap := 0, 0, false // a stretch of hours that were humid or may have been
	run, sum := 0, 0.0
	endRun := func() {
		if run > 0 {
			units.Lo += c.Units(run, sum/float64(run))
		}
		run, sum = 0, 0
	}
	before := 0 // Lo when the stretch began
	endStretch := func() {
		endRun()
		if units.Hi += units.Lo - before; gap {
			units.Hi += c.atMost(stretch) - (units.Lo - before)
		}
		stretch, gap, before = 0, false, units.Lo
	}
	for _, h := range hours {
		switch {
		case h == nil:
			endRun()
			stretch, gap = stretch+1, true
		case h.humid():
			n, stretch = n+1, stretch+1
			run, sum = run+1, sum+h.T
		default:
			n++
			endStretch()
		}
	}
	endStretch()
	if n < LeastHours {
		return Span{units.Lo, c.atMost(dayHours)}, false
	}
	return units, true
}
