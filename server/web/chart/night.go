package chart

import (
	"slices"
	"time"
)

// Ahead is one moment of a forecast.
type Ahead struct {
	At             time.Time
	Low, Mid, High float64
}

// Period is a time that something lasted.
type Period struct{ From, To time.Time }

// Night is what was measured until now and what is foretold after it: a Chart whose Steps end at Now.
type Night struct {
	Chart
	Now   time.Time
	Ahead []Ahead   // in order of time; none: nothing is foretold
	Mark  time.Time // something is to be done then; zero: nothing
	Label string    // of Mark
	Aired []Period  // an aerator ran
}

// SVG returns the drawing. Beside those of Chart it has the classes fore, sure (the band), aired, at and todo.
func (c Night) SVG() string {
	both := c.Chart
	for _, a := range c.Ahead { // the scale is of both
		both.Steps = append(slices.Clip(both.Steps), Step{Start: a.At, Min: a.Low, Mean: a.Mid, Max: a.High})
	}
	p := newMarkup(c.Whole)
	d := newDrawing(both, p)
	if d.low < 0 { // a concentration: what is foretold below nothing ends at the foot of the drawing
		d.low = 0
		d.marks = slices.DeleteFunc(d.marks, func(v float64) bool { return v < 0 })
	}
	d.Steps = c.Steps
	p.open(c.Chart, d.total())
	for _, a := range c.Aired {
		if x1, x2 := max(d.x(a.From), left), min(d.x(a.To), d.x(c.Now), right); x2 > x1 {
			d.rect("aired", x1, top, x2, d.under)
		}
	}
	d.outside()
	d.axes()
	measured := runs(d.Steps, d.Every)
	future := []Step{{Start: c.Now}, {Start: c.To}} // of which nothing is missing yet
	d.gaps(append(slices.Clip(measured), future))
	c.sure(d)
	d.limits()
	for _, r := range measured {
		d.line("line", r)
	}
	c.fore(d)
	d.limitLabels()
	d.lanes()
	return p.close()
}

// sure is the band that the forecast is within.
func (c Night) sure(d *drawing) {
	if len(c.Ahead) < 2 {
		return
	}
	var points []xy
	for _, a := range c.Ahead {
		points = append(points, xy{d.x(a.At), d.y(a.High)})
	}
	for _, a := range slices.Backward(c.Ahead) {
		points = append(points, xy{d.x(a.At), d.y(a.Low)})
	}
	d.poly("sure", true, points)
}

// fore is the forecast's line, now, and what is to be done.
func (c Night) fore(d *drawing) {
	if len(c.Ahead) > 0 {
		var points []xy
		for _, a := range c.Ahead {
			points = append(points, xy{d.x(a.At), d.y(a.Mid)})
		}
		d.poly("fore", false, points)
		end := points[len(points)-1]
		d.circle("dot", end.x, end.y, 4)
	}
	upright := func(class string, x float64) { d.poly(class, false, []xy{{x, top}, {x, d.under}}) }
	if x := d.x(c.Now); x > left && x < right {
		upright("at", x)
	}
	if c.Mark.IsZero() || c.Mark.Before(c.From) || c.Mark.After(c.To) {
		return
	}
	x := d.x(c.Mark)
	upright("todo", x)
	anchor, at := "start", x+5
	if x > right-110 { // no room for the words
		anchor, at = "end", x-5
	}
	d.text("ax", at, top+12, anchor, c.Label)
}
