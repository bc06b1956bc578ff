package story

import (
	"fmt"
	"math"
	"slices"
	"time"

	"aovuon/firmware-sim/ledger"
)

// dated is how far a reading's time may be from that of its chip's answer.
const dated = 1500 * time.Millisecond

// window is a span of time in which something was not as usual.
type window struct{ from, to time.Time }

func (w window) has(t time.Time) bool { return !t.Before(w.from) && !t.After(w.to) }

func within(windows []window, t time.Time) bool {
	return slices.ContainsFunc(windows, func(w window) bool { return w.has(t) })
}

// account is what is known at the end of a story: what every chip answered, and what the product's charts are made of.
type account struct {
	answers map[channel][]ledger.Entry // values, in time order
	charts  map[channel]line
	losses  []window // in which readings that were in a gateway's memory may be lost
	faults  []window // in which chips may have said nothing sensible
	coarse  float64  // by what share of itself a value may differ from the chip's: where the gateway's own calibration stands between
}

// tally is what an account comes to.
type tally struct {
	readings, lost, faults, channels int
}

// audit compares, channel by channel, the answers of the chips with what the charts count, add up and bound. A chart tells
// of each step how many values it has, their mean and their extremes, so that a value that is lost, doubled or changed shows.
func (a account) audit() (sum tally, wrong []string) {
	for c, answers := range a.answers {
		chart, ok := a.charts[c]
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%v: %d answers of the chip, and no chart", c, len(answers)))
			continue
		}
		sum.channels++
		n, lost, more := a.compare(c, answers, chart)
		sum.readings += n
		sum.lost += lost
		wrong = append(wrong, more...)
	}
	for c, chart := range a.charts {
		for _, b := range chart.steps {
			if b.Faults == 0 || a.answers[c] == nil {
				continue
			}
			sum.faults += b.Faults
			if !slices.ContainsFunc(a.faults, func(w window) bool { return b.Start.Before(w.to) && b.Start.Add(chart.step).After(w.from) }) {
				wrong = append(wrong, fmt.Sprintf("%v: %d faults of a healthy chip in the step of %s", c, b.Faults, clock(b.Start)))
			}
		}
	}
	slices.Sort(wrong)
	return sum, wrong
}

// figures are of some values: how many, their sum and their extremes.
type figures struct {
	n             int
	sum, min, max float64
}

func (f *figures) add(n int, mean, least, most float64) {
	if n == 0 {
		return
	}
	if f.n == 0 {
		f.min, f.max = least, most
	}
	f.n, f.sum, f.min, f.max = f.n+n, f.sum+float64(n)*mean, min(f.min, least), max(f.max, most)
}

func (a account) compare(c channel, answers []ledger.Entry, chart line) (n, lost int, wrong []string) {
	say := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%v: ", c)+fmt.Sprintf(format, args...))
	}
	begin := answers[0].Time
	if len(chart.steps) > 0 {
		begin = chart.steps[0].Start
		if answers[0].Time.Before(begin) {
			begin = begin.Add(chart.step) // the chart begins in the middle of the story: so does the account
		}
	}
	var told, held, spare figures
	i := 0
	for i < len(answers) && answers[i].Time.Before(begin) {
		i++
	}
	edge := figures{} // answers just before the account begins may be dated into it
	for k := i - 1; k >= 0 && answers[k].Time.After(begin.Add(-dated)); k-- {
		edge.add(1, answers[k].Value, answers[k].Value, answers[k].Value)
	}
	for _, e := range answers[i:] {
		told.add(1, e.Value, e.Value, e.Value)
		if within(a.losses, e.Time) || within(a.faults, e.Time) {
			spare.add(1, e.Value, e.Value, e.Value)
		}
	}
	for _, b := range chart.steps {
		if b.Start.Before(begin) {
			continue
		}
		held.add(b.N, b.Mean, b.Min, b.Max)
		wrong = append(wrong, a.step(c, answers, b, chart.step)...)
	}
	lost = told.n - held.n
	tolerance := a.tolerance(told.sum)
	switch {
	case lost < -edge.n:
		say("%d readings, the chip gave %d: something is there twice, or nobody measured it", held.n, told.n)
	case lost > spare.n:
		say("%d readings, the chip gave %d: %d are lost, only %d were in memory when power went", held.n, told.n, lost, spare.n)
	case lost == 0 && edge.n == 0 && math.Abs(told.sum-held.sum) > tolerance:
		say("the readings add up to %.6f, the chip's answers to %.6f", held.sum, told.sum)
	case lost > 0 && edge.n == 0 && outside(told.sum-held.sum, float64(lost)*spare.min-tolerance, float64(lost)*spare.max+tolerance):
		say("what is lost adds up to %.6f: that is no sum of %d answers from when power went", told.sum-held.sum, lost)
	}
	return held.n, max(lost, 0), wrong
}

// tolerance is what decimal text may cost, and a calibration.
func (a account) tolerance(x float64) float64 { return max(1e-6, a.coarse) * math.Max(1, math.Abs(x)) }

func outside(x, lo, hi float64) bool { return x < lo || x > hi }

// step looks at one step of a chart: no more readings than answers, none beyond what the chip said, and all the answers but
// those that may be lost.
func (a account) step(c channel, answers []ledger.Entry, b bucket, long time.Duration) (wrong []string) {
	end := b.Start.Add(long)
	from, _ := slices.BinarySearchFunc(answers, b.Start.Add(-dated), func(e ledger.Entry, t time.Time) int { return e.Time.Compare(t) })
	var sure, maybe figures
	for _, e := range answers[from:] {
		if !e.Time.Before(end.Add(dated)) {
			break
		}
		maybe.add(1, e.Value, e.Value, e.Value)
		if e.Time.After(b.Start.Add(dated)) && e.Time.Before(end.Add(-dated)) && !within(a.losses, e.Time) && !within(a.faults, e.Time) {
			sure.add(1, e.Value, e.Value, e.Value)
		}
	}
	if b.N < sure.n || b.N > maybe.n {
		wrong = append(wrong, fmt.Sprintf("%v: %d readings in the step of %s, the chip gave %d to %d", c, b.N, clock(b.Start), sure.n, maybe.n))
	}
	slack := a.tolerance(maybe.max)
	if b.N > 0 && maybe.n > 0 && (b.Min < maybe.min-slack || b.Max > maybe.max+slack) {
		wrong = append(wrong, fmt.Sprintf("%v: %g to %g in the step of %s, the chip said %g to %g", c, b.Min, b.Max, clock(b.Start), maybe.min, maybe.max))
	}
	return wrong
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
