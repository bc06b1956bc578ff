package panel

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/words"
)

// A drawing is 360 units wide and its text 12 units high, so that it can be read on a phone and from the back of a room.
const (
	chartWide, chartHigh         = 360.0, 190.0
	chartLeft, chartTop, chartUp = 40.0, 8.0, 22.0 // margins; chartUp is the lower one
	chartPoints                  = 97              // a quarter of an hour of a day
)

// sample is one point of a curve; At runs from 0 to 1.
type sample struct{ At, V float64 }

// dayChart is a day of the world: the truth as a line, what the product has of it as another, with gaps where it has nothing.
type dayChart struct {
	SVG       template.HTML
	Low, High string // of the truth
	Product   bool   // there is something of the product to see
}

// chart draws the day before now of a quantity of a place. A day of the world takes a day of the clock, over the speed.
func (s *Page) chart(w *words.Words, place string, q measure.Quantity, series []ProductSeries, now time.Time) (c dayChart, ok bool) {
	long := time.Duration(float64(24*time.Hour) / s.o.Speed)
	var truth []sample
	for i := range chartPoints {
		at := float64(i) / (chartPoints - 1)
		if v, known := s.o.Field.Truth(place, q, now.Add(time.Duration((at-1)*float64(long)))); known {
			truth = append(truth, sample{at, v})
		}
	}
	if len(truth) == 0 {
		return c, false
	}
	var said [][]sample
	for _, one := range series {
		said = append(said, runs(one, now, long)...)
	}
	low, high := bounds(append(said, truth))
	f := frame{low: low, high: high}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="chart-title">`, chartWide, chartHigh)
	f.axes(&b, w, q, s.o.Field.WorldTime(now))
	for _, run := range said {
		f.curve(&b, "product", run)
	}
	f.curve(&b, "truth", truth)
	b.WriteString(`</svg>`)
	tl, th := bounds([][]sample{truth})
	return dayChart{SVG: template.HTML(b.String()), Low: w.Value(q, tl), High: w.Value(q, th), Product: len(said) > 0}, true //nolint:gosec // made of numbers
}

// runs are the stretches of a series without a hole. A mean of some minutes stands at their middle.
func runs(one ProductSeries, now time.Time, long time.Duration) (list [][]sample) {
	var run []sample
	step := 10 * time.Minute
	if len(one.Steps) > 1 {
		step = one.Steps[1].Start.Sub(one.Steps[0].Start)
	}
	for _, st := range one.Steps {
		at := 1 + float64(st.Start.Add(step/2).Sub(now))/float64(long)
		if st.Mean == nil || at < 0 || at > 1 {
			if len(run) > 0 {
				list = append(list, run)
			}
			run = nil
			continue
		}
		run = append(run, sample{at, *st.Mean})
	}
	if len(run) > 0 {
		list = append(list, run)
	}
	return list
}

// bounds are the least and the greatest value, never the same.
func bounds(curves [][]sample) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, p := range c {
			low, high = math.Min(low, p.V), math.Max(high, p.V)
		}
	}
	if high-low < 1e-6 {
		return low - 0.5, high + 0.5
	}
	return low, high
}

type frame struct{ low, high float64 }

func (f frame) x(at float64) float64 { return chartLeft + at*(chartWide-chartLeft-8) }
func (f frame) y(v float64) float64 {
	return chartTop + (f.high-v)/(f.high-f.low)*(chartHigh-chartTop-chartUp)
}

func (f frame) curve(b *strings.Builder, class string, points []sample) {
	fmt.Fprintf(b, `<polyline class="%s" points="`, class)
	for _, p := range points {
		fmt.Fprintf(b, "%.1f,%.1f ", f.x(p.At), f.y(p.V))
	}
	if len(points) == 1 { // a line of no length is not drawn
		fmt.Fprintf(b, "%.1f,%.1f", f.x(points[0].At)+1, f.y(points[0].V))
	}
	b.WriteString(`"/>`)
}

// axes draws a line at the bottom, the middle and the top, and one at every sixth hour of the world's day.
func (f frame) axes(b *strings.Builder, w *words.Words, q measure.Quantity, end time.Time) {
	for _, v := range []float64{f.low, (f.low + f.high) / 2, f.high} {
		fmt.Fprintf(b, `<path class="rule" d="M%.1f %.1fH%.0f"/><text class="axis" x="%.1f" y="%.1f" text-anchor="end">%s</text>`,
			chartLeft, f.y(v), chartWide-8, chartLeft-4, f.y(v)+4, template.HTMLEscapeString(w.Value(q, v)))
	}
	zone := time.FixedZone("ICT", 7*3600)
	begin := end.Add(-24 * time.Hour).In(zone)
	mark := time.Date(begin.Year(), begin.Month(), begin.Day(), 0, 0, 0, 0, zone)
	for ; !mark.After(end); mark = mark.Add(6 * time.Hour) {
		at := float64(mark.Sub(begin)) / float64(24*time.Hour)
		if at < 0.03 || at > 0.97 {
			continue
		}
		fmt.Fprintf(b, `<path class="rule" d="M%.1f %.1fV%.1f"/><text class="axis" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`,
			f.x(at), chartTop, chartHigh-chartUp, f.x(at), chartHigh-6, mark.Format("15:04"))
	}
}
