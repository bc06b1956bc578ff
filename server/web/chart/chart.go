// Package chart draws a line of values as SVG on the server: steps of a time series come in, markup for an HTML page goes
// out, readable without script, in light and dark, and by a screen reader. README.md says why it is our own.
package chart

import (
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is one step of the series.
type Step struct {
	Start          time.Time
	Min, Mean, Max float64
}

// Line is a limit: values below (or above) it are out.
type Line struct {
	Value float64
	Above bool
	Label string
}

// Tick is a mark on the time axis.
type Tick struct {
	At    time.Time
	Label string
}

// Chart is all a drawing needs. Texts are plain text in the reader's language.
type Chart struct {
	ID          string // unique in the page: [a-z0-9-]
	Title, Desc string
	From, To    time.Time
	Every       time.Duration // width of a step; a missing step is a gap
	Steps       []Step        // in time order, those with values only
	Limits      []Line
	Ticks       []Tick
	MinSpan     float64              // least height of the value axis, so that noise does not look like a storm
	Number      func(float64) string // prints a value of the axis
	NoData      string               // written into wide gaps
	Height      float64              // of the drawing; 0: 220
	Whole       bool                 // coordinates are whole units: smaller, and as good on a telephone
}

// The drawing's units are CSS pixels of a 360 px phone.
const (
	width, height    = 360.0, 220.0
	left, right, top = 44.0, 352.0, 12.0
	footing          = 30.0 // below the drawing: the words of the time axis
)

// drawing is a chart with its scales.
type drawing struct {
	Chart
	low, high     float64
	height, under float64
	b             strings.Builder
}

// SVG returns the drawing. Colours are the page's: classes band, line, dot, lim, out, gap, grid and ax.
func (c Chart) SVG() string {
	d := drawing{Chart: c, height: height}
	if c.Height > 0 {
		d.height = c.Height
	}
	d.under = d.height - footing
	var marks []float64
	d.low, d.high, marks = d.scale()
	id := html.EscapeString(c.ID)
	d.w(`<svg class="chart" viewBox="0 0 `, d.n(width), ` `, d.n(d.height), `" role="img" aria-labelledby="`, id, `-t `, id, `-d"><title id="`, id, `-t">`,
		html.EscapeString(c.Title), `</title><desc id="`, id, `-d">`, html.EscapeString(c.Desc), `</desc>`)
	d.outside()
	for _, v := range marks {
		y := d.n(d.y(v))
		d.w(`<path class="grid" d="M`, d.n(left), ` `, y, `H`, d.n(right), `"/>`)
		d.text(left-6, d.y(v)+4, "end", c.Number(v))
	}
	for _, t := range c.Ticks {
		if x := d.x(t.At); !t.At.Before(c.From) && !t.At.After(c.To) {
			d.w(`<path class="grid" d="M`, d.n(x), ` `, d.n(top), `V`, d.n(d.under+4), `"/>`)
			d.text(min(max(x, left+2), right-16), d.under+19, "middle", t.Label)
		}
	}
	runs := d.runs()
	d.gaps(runs)
	for _, r := range runs {
		d.band(r)
	}
	d.limits()
	for _, r := range runs {
		d.line(r)
	}
	d.limitLabels()
	if k := len(c.Steps); k > 0 {
		s := c.Steps[k-1]
		d.w(`<circle class="dot" cx="`, d.n(d.mid(s)), `" cy="`, d.n(d.y(s.Mean)), `" r="4"/>`)
	}
	d.w(`</svg>`)
	return d.b.String()
}

func (d *drawing) w(parts ...string) {
	for _, p := range parts {
		d.b.WriteString(p)
	}
}

func (d *drawing) text(x, y float64, anchor, s string) {
	d.w(`<text class="ax" x="`, d.n(x), `" y="`, d.n(y), `" text-anchor="`, anchor, `">`, html.EscapeString(s), `</text>`)
}

// n prints a coordinate to a tenth of a unit.
func n(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// n prints a coordinate, to a tenth of a unit or to a whole one.
func (d *drawing) n(v float64) string {
	if d.Whole {
		return strconv.Itoa(int(math.Round(v)))
	}
	return n(v)
}

func (d *drawing) x(t time.Time) float64 {
	return left + (right-left)*float64(t.Sub(d.From))/float64(max(d.To.Sub(d.From), 1))
}

// mid is where a step's mean is drawn: in its middle, but never in the future.
func (d *drawing) mid(s Step) float64 {
	return min(max(d.x(s.Start.Add(d.Every/2)), left), right)
}

func (d *drawing) y(v float64) float64 {
	return min(max(d.under-(d.under-top)*(v-d.low)/(d.high-d.low), top), d.under)
}

// scale chooses the value axis and its marks: all values, and those limits that do not make them flat.
func (d *drawing) scale() (low, high float64, marks []float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, s := range d.Steps {
		low, high = min(low, s.Min), max(high, s.Max)
	}
	if low > high {
		low, high = 0, 1
		for i, l := range d.Limits {
			if i == 0 {
				low, high = l.Value, l.Value
			}
			low, high = min(low, l.Value), max(high, l.Value)
		}
	}
	span := max(high-low, d.MinSpan, 1e-9)
	for _, l := range d.Limits {
		if l.Value < low && low-l.Value <= span {
			low = l.Value
		} else if l.Value > high && l.Value-high <= span {
			high = l.Value
		}
	}
	if lack := max(d.MinSpan, 1e-9) - (high - low); lack > 0 {
		low, high = low-lack/2, high+lack/2
	}
	step := nice((high - low) / d.parts())
	low, high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	for i := 0; ; i++ {
		v := low + float64(i)*step
		if v > high+step/2 {
			return low, high, marks
		}
		marks = append(marks, v)
	}
}

// parts is about how many marks the value axis has: one for every 40 units.
func (d *drawing) parts() float64 { return max(2, math.Floor((d.under-top)/40)) }

// nice returns the least of 1, 2, 2.5, 5 times a power of ten that is not below v.
func nice(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 2.5, 5} {
		if f*p >= v*(1-1e-9) {
			return f * p
		}
	}
	return 10 * p
}

// runs returns the stretches of steps without a hole.
func (d *drawing) runs() (runs [][]Step) {
	begin := 0
	for i := 1; i <= len(d.Steps); i++ {
		if i == len(d.Steps) || d.Steps[i].Start.Sub(d.Steps[i-1].Start) > d.Every+d.Every/2 {
			runs = append(runs, d.Steps[begin:i])
			begin = i
		}
	}
	return runs
}

// gaps marks the time before, between and after the runs.
func (d *drawing) gaps(runs [][]Step) {
	from := d.From
	mark := func(to time.Time) {
		x1, x2 := max(d.x(from), left), min(d.x(to), right)
		if to.Sub(from) < d.Every || x2-x1 < 1 {
			return
		}
		d.w(`<path class="gap" d="M`, d.n(x1), ` `, d.n(top), `H`, d.n(x2), `V`, d.n(d.under), `H`, d.n(x1), `z"/>`)
		if x2-x1 > 100 {
			d.text((x1+x2)/2, (top+d.under)/2, "middle", d.NoData)
		}
	}
	for _, r := range runs {
		mark(r[0].Start)
		from = r[len(r)-1].Start.Add(d.Every)
	}
	mark(d.To)
}

// band fills between least and greatest value.
func (d *drawing) band(run []Step) {
	if len(run) < 2 {
		s := run[0]
		d.w(`<path class="stem" d="M`, d.n(d.mid(s)), ` `, d.n(d.y(s.Min)), `V`, d.n(d.y(s.Max)), `"/>`)
		return
	}
	d.w(`<path class="band" d="M`)
	for i, s := range run {
		d.pair(i, s, s.Max)
	}
	for _, s := range slices.Backward(run) {
		d.pair(1, s, s.Min)
	}
	d.w(`z"/>`)
}

func (d *drawing) line(run []Step) {
	if len(run) < 2 {
		d.w(`<circle class="dot" cx="`, d.n(d.mid(run[0])), `" cy="`, d.n(d.y(run[0].Mean)), `" r="2.5"/>`)
		return
	}
	d.w(`<path class="line" d="M`)
	for i, s := range run {
		d.pair(i, s, s.Mean)
	}
	d.w(`"/>`)
}

func (d *drawing) pair(i int, s Step, v float64) {
	if i > 0 {
		d.w(" ")
	}
	d.w(d.n(d.mid(s)), " ", d.n(d.y(v)))
}

// outside shades what lies beyond the outermost limits that can be seen.
func (d *drawing) outside() {
	for _, l := range d.Limits {
		if l.Value < d.low || l.Value > d.high {
			continue
		}
		y1, y2 := d.y(l.Value), d.under
		if l.Above {
			y1, y2 = top, d.y(l.Value)
		}
		if y2-y1 >= 1 {
			d.w(`<path class="out" d="M`, d.n(left), ` `, d.n(y1), `H`, d.n(right), `V`, d.n(y2), `H`, d.n(left), `z"/>`)
		}
	}
}

func (d *drawing) limits() {
	for _, l := range d.Limits {
		if l.Value >= d.low && l.Value <= d.high {
			d.w(`<path class="lim" d="M`, d.n(left), ` `, d.n(d.y(l.Value)), `H`, d.n(right), `"/>`)
		}
	}
}

// limitLabels names the limits, above everything else.
func (d *drawing) limitLabels() {
	for _, l := range d.Limits {
		if l.Value < d.low || l.Value > d.high {
			continue
		}
		at := d.y(l.Value) - 5
		if at < top+8 {
			at += 19
		}
		d.text(right-4, at, "end", l.Label)
	}
}

// Spark returns the values as a small line without axes, for beside a number. It says nothing to a screen reader: the
// number does.
func Spark(from, to time.Time, every time.Duration, steps []Step, minSpan float64) string {
	const w, h, pad = 96.0, 28.0, 3.0
	if len(steps) < 2 {
		return ""
	}
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range steps {
		low, high = min(low, s.Mean), max(high, s.Mean)
	}
	if lack := max(minSpan, 1e-9) - (high - low); lack > 0 {
		low, high = low-lack/2, high+lack/2
	}
	var b strings.Builder
	b.WriteString(`<svg class="spark" viewBox="0 0 96 28" aria-hidden="true" focusable="false"><path class="line" d="`)
	var last time.Time
	for i, s := range steps {
		switch {
		case i == 0 || s.Start.Sub(last) > every+every/2:
			b.WriteString("M")
		default:
			b.WriteString(" ")
		}
		last = s.Start
		x := pad + (w-2*pad)*float64(s.Start.Sub(from))/float64(max(to.Sub(from), 1))
		y := h - pad - (h-2*pad)*(s.Mean-low)/(high-low)
		b.WriteString(n(x) + " " + n(y))
	}
	b.WriteString(`"/></svg>`)
	return b.String()
}
