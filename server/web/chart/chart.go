// Package chart draws lines of values on the server: steps of time series come in, with what else happened at the time; SVG for an
// HTML page goes out, readable without script, in light and dark, and by a screen reader, or the same drawing as a PNG to send along.
// README.md says why it is our own.
package chart

import "time"

// Step is one step of the series.
type Step struct {
	Start          time.Time
	Min, Mean, Max float64
}

// Line is a limit: values below (or above) it are out.
type Line struct {
	Value float64
	Above bool
	Crit  bool // drawn without dashes
	Label string
}

// Tick is a mark on the time axis.
type Tick struct {
	At    time.Time
	Label string
}

// Course is one of several series in a drawing: a line of its own colour and dashes, with its letter on it.
type Course struct {
	Letter string // A, B, C …
	Steps  []Step // as Chart.Steps
}

// MostCourses is how many courses can be told apart in one drawing.
const MostCourses = 6

// Lane is a row below the values: when an aerator ran, an alarm stood, somebody wrote into the diary.
type Lane struct {
	Label string // what it is and how much of it, in words: colour and place are never all that tells
	Bars  []Bar
	Marks []Mark
}

// Bar is a stretch of a lane.
type Bar struct {
	From, To time.Time
	Share    float64 // of the height: 0 to 1
	Class    string  // run, warned, danger, lost
}

// Mark is a moment in a lane.
type Mark struct {
	At    time.Time
	Small bool   // a tick, not a disc: what happens every day
	Text  string // within the disc, at most two letters
}

// Chart is all a drawing needs. Texts are plain text in the reader's language.
type Chart struct {
	ID          string // unique in the page: [a-z0-9-]
	Title, Desc string
	From, To    time.Time
	Every       time.Duration // width of a step; a missing step is a gap
	Steps       []Step        // in time order, those with values only
	Courses     []Course      // instead of Steps: several series beside each other, at most MostCourses
	Lanes       []Lane        // what else happened, in rows below the time axis
	Limits      []Line
	Ticks       []Tick
	MinSpan     float64              // least height of the value axis, so that noise does not look like a storm
	Least, Most float64              // what no value can pass: the axis ends there; equal: there is no such thing
	Number      func(float64) string // prints a value of the axis
	NoData      string               // written into wide gaps
	Height      float64              // of the drawing without its lanes; 0: 220
	Whole       bool                 // coordinates are whole units: smaller, and as good on a telephone
}

// SVG returns the drawing as markup. Colours are the page's: classes band, line, dot, lim, crit, out, gap, grid, ax, c1 to c6 and those of lanes.
func (c Chart) SVG() string {
	p := newMarkup(c.Whole)
	d := newDrawing(c, p)
	p.open(c, d.total())
	d.draw()
	return p.close()
}
