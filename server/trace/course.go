package trace

import (
	"math"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// mostSteps bounds a Course: what is drawn across a telephone's screen can show no more.
const mostSteps = 48

// Course is how a quantity went over the life of a lot: for a drawing, not for a proof, so it is in no seal. Steps are whole local days.
type Course struct {
	From  time.Time // 00:00 at the co-op of the day the first step begins
	Days  int       // of a step
	Steps []Step    // in time order; a step without a value is not there
}

// Step is what was measured in one step of a Course.
type Step struct {
	I              int // how many steps after Course.From
	Min, Mean, Max float64
}

// At returns when a step began.
func (c Course) At(s Step) time.Time { return c.From.AddDate(0, 0, s.I*c.Days) }

// courseOf draws up the course of points in time order between two times: the values that Evidence's figures are over.
func courseOf(from, to time.Time, points []history.Point) Course {
	local := from.In(farm.Time())
	c := Course{From: time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, farm.Time()), Days: 1}
	c.Days = max(1, int(math.Ceil(to.Sub(c.From).Hours()/24/mostSteps)))
	var sum float64
	var n int
	var ends time.Time
	finish := func() {
		if n > 0 {
			c.Steps[len(c.Steps)-1].Mean = sum / float64(n)
		}
		sum, n = 0, 0
	}
	for _, p := range points {
		if p.Quality >= measure.OutOfRange || p.Time.Before(from) || !p.Time.Before(to) {
			continue
		}
		if !p.Time.Before(ends) {
			finish()
			i := int(p.Time.Sub(c.From)/(24*time.Hour)) / c.Days
			ends = c.From.AddDate(0, 0, (i+1)*c.Days)
			c.Steps = append(c.Steps, Step{I: i, Min: p.Value, Max: p.Value})
		}
		s := &c.Steps[len(c.Steps)-1]
		s.Min, s.Max = min(s.Min, p.Value), max(s.Max, p.Value)
		sum, n = sum+p.Value, n+1
	}
	finish()
	return c
}
