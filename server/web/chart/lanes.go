package chart

import "math"

// A lane is a line of words and a track below it.
const (
	laneHeight = 31.0
	laneWords  = 11.0 // baseline of the words, from the top of the lane
	laneTop    = 17.0 // of the track
	laneFoot   = 27.0
)

func (d *drawing) lanes() {
	for i, l := range d.Lanes {
		d.lane(l, d.height+laneHeight*float64(i))
	}
}

func (d *drawing) lane(l Lane, y float64) {
	d.rect("track", left, y+laneTop, right, y+laneFoot)
	for _, b := range l.Bars {
		if !b.To.After(d.From) || !b.From.Before(d.To) || !(b.Share > 0) {
			continue
		}
		x1, x2 := max(d.x(b.From), left), min(d.x(b.To), right)
		if lack := 2 - (x2 - x1); lack > 0 { // what was short can still be seen
			x1, x2 = max(x1-lack/2, left), min(x2+lack/2, right)
		}
		high := max(2, (laneFoot-laneTop)*min(b.Share, 1))
		d.rect("bar "+b.Class, x1, y+laneFoot-high, x2, y+laneFoot)
	}
	d.laneMarks(l, y)
	d.text("ax", left, y+laneWords, "start", l.Label)
}

// laneMarks draws ticks first, then discs; those that would lie over each other are one, with how many they are.
func (d *drawing) laneMarks(l Lane, y float64) {
	const apart = 17.0
	for _, m := range l.Marks {
		if x := d.x(m.At); m.Small && d.sees(m) {
			d.poly("tick", false, []xy{{x, y + laneTop + 2}, {x, y + laneFoot - 2}})
		}
	}
	var x float64
	var n int
	var text string
	put := func() {
		if n > 1 {
			text = count(n)
		}
		if n > 0 {
			d.circle("mark", x, y+(laneTop+laneFoot)/2, 7.5)
			d.text("letter", x, y+(laneTop+laneFoot)/2+4, "middle", text)
		}
	}
	last := math.Inf(-1)
	for _, m := range l.Marks {
		if m.Small || !d.sees(m) {
			continue
		}
		at := min(max(d.x(m.At), left+8), right-8)
		if at-last >= apart {
			put()
			last, x, n, text = at, at, 0, m.Text
		}
		n++
	}
	put()
}

func (d *drawing) sees(m Mark) bool { return !m.At.Before(d.From) && !m.At.After(d.To) }

// count writes how many marks lie on one place, in at most two letters.
func count(n int) string {
	if n > 99 {
		return "99"
	}
	return itoa(n)
}
