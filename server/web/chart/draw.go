package chart

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// The drawing's units are CSS pixels of a 360 px phone.
const (
	width, height    = 360.0, 220.0
	left, right, top = 44.0, 352.0, 12.0
	footing          = 30.0 // below the drawing: the words of the time axis
)

// xy is a point of the drawing.
type xy struct{ x, y float64 }

// pen puts the parts of a drawing where it goes to. What a class looks like is the pen's business.
type pen interface {
	rect(class string, x1, y1, x2, y2 float64)
	poly(class string, closed bool, points []xy)
	circle(class string, x, y, r float64)
	text(class string, x, y float64, anchor, s string) // anchor: start, middle, end
}

// drawing is a chart with its scales.
type drawing struct {
	Chart
	pen
	low, high     float64
	marks         []float64
	height, under float64
}

func newDrawing(c Chart, p pen) *drawing {
	d := &drawing{Chart: c, pen: p, height: height}
	if c.Height > 0 {
		d.height = c.Height
	}
	d.under = d.height - footing
	d.scale()
	return d
}

// total is the height of the drawing with its lanes.
func (d *drawing) total() float64 { return d.height + laneHeight*float64(len(d.Lanes)) }

func (d *drawing) draw() {
	d.outside()
	d.axes()
	for _, c := range d.courses() {
		runs := runs(c.Steps, d.Every)
		if len(d.Courses) == 0 {
			d.gaps(runs)
			for _, r := range runs {
				d.band(r)
			}
		}
	}
	d.limits()
	for i, c := range d.courses() {
		for _, r := range runs(c.Steps, d.Every) {
			d.line(d.class(i), r)
		}
	}
	d.limitLabels()
	for i, c := range d.courses() {
		d.end(i, c)
	}
	d.lanes()
}

// courses are the lines of the drawing; a chart of one series is one without a letter.
func (d *drawing) courses() []Course {
	if len(d.Courses) > 0 {
		return d.Courses[:min(len(d.Courses), MostCourses)]
	}
	return []Course{{Steps: d.Steps}}
}

func (d *drawing) class(i int) string {
	if len(d.Courses) == 0 {
		return "line"
	}
	return "line c" + strconv.Itoa(i+1)
}

func (d *drawing) axes() {
	for _, v := range d.marks {
		d.poly("grid", false, []xy{{left, d.y(v)}, {right, d.y(v)}})
		d.text("ax", left-6, d.y(v)+4, "end", d.Number(v))
	}
	foot := d.under + 4
	if len(d.Lanes) > 0 {
		foot = d.total()
	}
	for _, t := range d.Ticks {
		if t.At.Before(d.From) || t.At.After(d.To) {
			continue
		}
		x := d.x(t.At)
		d.poly("grid", false, []xy{{x, top}, {x, foot}})
		d.text("ax", min(max(x, left+2), right-16), d.under+19, "middle", t.Label)
	}
}

// end marks the newest value of one line. Among several each carries its letter twice, no two at the same time: where lines lie close, the letters
// do not.
func (d *drawing) end(i int, c Course) {
	k := len(c.Steps)
	if k == 0 {
		return
	}
	if len(d.Courses) == 0 {
		last := c.Steps[k-1]
		d.circle("dot", d.mid(last), d.y(last.Mean), 4)
		return
	}
	places := 2 * len(d.courses())
	for _, at := range []int{i, i + len(d.courses())} {
		s := c.Steps[min(k-1, (2*at+1)*k/(2*places))]
		x := min(max(d.mid(s), left+8), right-8)
		d.circle("tag c"+strconv.Itoa(i+1), x, d.y(s.Mean), 8)
		d.text("letter", x, d.y(s.Mean)+4, "middle", c.Letter)
	}
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
func (d *drawing) scale() {
	low, high := d.reach()
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
		if d.Most > d.Least { // the room it lacks is on the other side
			low, high = low-max(0, high-d.Most), high+max(0, d.Least-low)
			low, high = max(low, d.Least), min(high, d.Most)
		}
	}
	step := nice((high - low) / d.parts())
	d.low, d.high = math.Floor(low/step)*step, math.Ceil(high/step)*step
	if d.Most > d.Least {
		d.low, d.high = max(d.low, min(d.Least, low)), min(d.high, max(d.Most, high))
	}
	for i := 0; ; i++ {
		v := d.low + float64(i)*step
		if v > d.high+step/2 {
			return
		}
		d.marks = append(d.marks, v)
	}
}

// reach returns the least and the greatest value, or limit where there is no value.
func (d *drawing) reach() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range d.courses() {
		for _, s := range c.Steps {
			if len(d.Courses) > 0 { // lines only: what they are drawn by
				low, high = min(low, s.Mean), max(high, s.Mean)
				continue
			}
			low, high = min(low, s.Min), max(high, s.Max)
		}
	}
	if low <= high {
		return low, high
	}
	low, high = 0, 1
	for i, l := range d.Limits {
		if i == 0 {
			low, high = l.Value, l.Value
		}
		low, high = min(low, l.Value), max(high, l.Value)
	}
	return low, high
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
func runs(steps []Step, every time.Duration) (runs [][]Step) {
	begin := 0
	for i := 1; i <= len(steps); i++ {
		if i == len(steps) || steps[i].Start.Sub(steps[i-1].Start) > every+every/2 {
			runs = append(runs, steps[begin:i])
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
		d.rect("gap", x1, top, x2, d.under)
		if x2-x1 > 100 {
			d.text("ax", (x1+x2)/2, (top+d.under)/2, "middle", d.NoData)
		}
	}
	for _, r := range runs {
		if len(r) == 0 {
			continue
		}
		mark(r[0].Start)
		from = r[len(r)-1].Start.Add(d.Every)
	}
	mark(d.To)
}

// band fills between least and greatest value.
func (d *drawing) band(run []Step) {
	if len(run) < 2 {
		for _, s := range run {
			d.poly("stem", false, []xy{{d.mid(s), d.y(s.Min)}, {d.mid(s), d.y(s.Max)}})
		}
		return
	}
	points := make([]xy, 0, 2*len(run))
	for _, s := range run {
		points = append(points, xy{d.mid(s), d.y(s.Max)})
	}
	for _, s := range slices.Backward(run) {
		points = append(points, xy{d.mid(s), d.y(s.Min)})
	}
	d.poly("band", true, points)
}

func (d *drawing) line(class string, run []Step) {
	if len(run) < 2 {
		for _, s := range run {
			d.circle("dot", d.mid(s), d.y(s.Mean), 2.5)
		}
		return
	}
	points := make([]xy, 0, len(run))
	for _, s := range run {
		points = append(points, xy{d.mid(s), d.y(s.Mean)})
	}
	d.poly(class, false, points)
}

// outside shades what lies beyond the limits that can be seen.
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
			d.rect("out", left, y1, right, y2)
		}
	}
}

func (d *drawing) limits() {
	for _, l := range d.Limits {
		if l.Value >= d.low && l.Value <= d.high {
			class := "lim"
			if l.Crit {
				class = "lim crit"
			}
			d.poly(class, false, []xy{{left, d.y(l.Value)}, {right, d.y(l.Value)}})
		}
	}
}

// limitLabels names the limits, above everything else; no two over each other.
func (d *drawing) limitLabels() {
	var taken []float64
	for _, l := range d.Limits {
		if l.Value < d.low || l.Value > d.high {
			continue
		}
		at, anchor := d.y(l.Value)-5, "end"
		if at < top+8 {
			at += 19
		}
		x := right - 4
		if slices.ContainsFunc(taken, func(y float64) bool { return math.Abs(y-at) < 13 }) {
			x, anchor = left+4, "start"
		}
		taken = append(taken, at)
		d.text("ax", x, at, anchor, l.Label)
	}
}
