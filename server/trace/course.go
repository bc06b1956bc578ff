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

// courseMaker draws up a course from points or rollups in time order: of the values that Evidence's figures are over.
type courseMaker struct {
	Course
	from, to time.Time
	ends     time.Time // of the step that is being made
	sum      float64
	n        int
}

var _ history.Course = (*courseMaker)(nil)

func newCourse(from, to time.Time) *courseMaker {
	c := &courseMaker{from: from, to: to, Course: Course{From: farm.Midnight(from)}}
	c.Days = max(1, int(math.Ceil(to.Sub(c.From).Hours()/24/mostSteps)))
	return c
}

// Point implements history.Course.
func (c *courseMaker) Point(p history.Point) {
	if p.Quality < measure.OutOfRange {
		c.add(p.Time, p.Value, p.Value, p.Value, 1)
	}
}

// Rollup implements history.Course.
func (c *courseMaker) Rollup(r *history.Rollup) {
	if r.N > 0 {
		c.add(r.From, r.Min, r.Total, r.Max, r.N)
	}
}

// add adds n values of the step that holds at.
func (c *courseMaker) add(at time.Time, low, sum, high float64, n int) {
	if at.Before(c.from) || !at.Before(c.to) {
		return
	}
	if !at.Before(c.ends) {
		c.finish()
		i := int(at.Sub(c.From)/(24*time.Hour)) / c.Days
		c.ends = c.From.AddDate(0, 0, (i+1)*c.Days)
		c.Steps = append(c.Steps, Step{I: i, Min: low, Max: high})
	}
	s := &c.Steps[len(c.Steps)-1]
	s.Min, s.Max = min(s.Min, low), max(s.Max, high)
	c.sum, c.n = c.sum+sum, c.n+n
}

func (c *courseMaker) finish() {
	if c.n > 0 {
		c.Steps[len(c.Steps)-1].Mean = c.sum / float64(c.n)
	}
	c.sum, c.n = 0, 0
}

func (c *courseMaker) done() Course {
	c.finish()
	return c.Course
}
