package week

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
)

// Measures of the drawing, in its units (CSS pixels when it is shown as it is).
const (
	wide              = 1180.0
	left, right       = 62.0, 1112.0 // of the curves
	top, high, gap    = 64.0, 132.0, 52.0
	legend, character = 16.0, 6.6 // between entries; about the width of a letter
)

// style is what tones look like: told apart by lightness as well as by hue (colours after Okabe and Ito), on white, as it is printed.
const style = `<style>
svg{background:#fff;font-family:system-ui,"Noto Sans","DejaVu Sans",sans-serif;font-size:12px;fill:#222}
.title{font-size:17px;font-weight:600}.head{font-size:13px;font-weight:600}.axis{fill:#555}
.night{fill:#e9edf4}.shade{fill:#f0c1dc;opacity:.75}.rule{stroke:#d5d8de;fill:none}.day{stroke:#aab0bb;fill:none}.frame{stroke:#888;fill:none}
.mark{stroke:#b00020;stroke-dasharray:5 4;fill:none}.marktext{fill:#b00020;font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:3px}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}
.line.a{stroke:#d55e00}.line.b{stroke:#0072b2}.line.c{stroke:#003a5c;stroke-dasharray:6 2}.line.d{stroke:#999;stroke-dasharray:2 3}.line.e{stroke:#8a6d00}.line.g{stroke:#007a5a}
.bar.b{fill:#0072b2}.bar.g{fill:#00a878}
</style>`

// drawing collects the text of an SVG.
type drawing struct{ bytes.Buffer }

func (d *drawing) f(format string, args ...any) { fmt.Fprintf(&d.Buffer, format, args...) }

func (d *drawing) text(class string, x, y float64, anchor, text string) {
	d.f(`<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(text))
}

func (s *sheet) svg(panels []panel, nights []band) []byte {
	var d drawing
	tall := top + float64(len(panels))*(high+gap) + 8
	last := s.from.AddDate(0, 0, s.o.Days-1)
	title := s.w.T("title", s.place.ID, s.w.Date(s.from), s.w.Date(last))
	d.f(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" lang="%s"><title>%s</title>%s`+"\n",
		wide, tall, wide, tall, s.w.Lang(), html.EscapeString(title), style)
	d.text("title", left, 24, "start", title)
	d.text("axis", right, 24, "end", s.w.T("note"))
	for i, p := range panels {
		s.panel(&d, p, nights, top+float64(i)*(high+gap))
	}
	d.f("</svg>\n")
	return d.Bytes()
}

func (s *sheet) x(i float64) float64 { return left + i/float64(s.n-1)*(right-left) }

func (s *sheet) panel(d *drawing, p panel, nights []band, y float64) {
	d.f("<g>\n")
	d.text("head", left, y-8, "start", s.w.T("panel."+p.title))
	for _, b := range nights {
		s.block(d, "night", b, y)
	}
	for _, b := range p.shade {
		s.block(d, "shade", b, y)
	}
	s.days(d, y)
	at := left + character*float64(len([]rune(s.w.T("panel."+p.title)))) + 40
	for side, a := range []axis{p.left, p.right} {
		if len(a.curves)+len(a.bars) == 0 {
			continue
		}
		sc := a.scale()
		s.axis(d, a, sc, y, side == 1)
		for i, b := range a.bars {
			s.bars(d, b, sc, y, i, len(a.bars))
			at = s.entry(d, at, y-8, "bar "+b.tone, s.w.T("curve."+b.key)+a.of())
		}
		for _, c := range a.curves {
			s.curve(d, c, sc, y)
			at = s.entry(d, at, y-8, "line "+c.tone, s.w.T("curve."+c.key)+a.of())
		}
	}
	if p.shadeKey != "" {
		s.entry(d, at, y-8, "shade", s.w.T(p.shadeKey))
	}
	d.f(`<rect class="frame" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n</g>\n", left, y, right-left, high)
}

func (a axis) of() string {
	if a.unit == "" {
		return ""
	}
	return " (" + a.unit + ")"
}

func (s *sheet) block(d *drawing, class string, b band, y float64) {
	d.f(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n", class, s.x(float64(b.from)), y, s.x(float64(b.to))-s.x(float64(b.from)), high)
}

// days draws a line at every midnight, and the date of the day below its noon; of a month only as many dates as can be read.
func (s *sheet) days(d *drawing, y float64) {
	every := (s.o.Days + 13) / 14
	for i := range s.o.Days {
		x := s.x(float64(i * 24 * perHour))
		d.f(`<path class="day" d="M%.1f %.1fv%.1f"/>`, x, y, high)
		if i%every == 0 {
			d.text("axis", s.x((float64(i)+0.5)*24*perHour), y+high+15, "middle", s.from.AddDate(0, 0, i).Format("02/01"))
		}
	}
}

// entry draws one entry of the legend and returns where the next begins.
func (s *sheet) entry(d *drawing, x, y float64, class, text string) float64 {
	if strings.HasPrefix(class, "line ") {
		d.f(`<path class="%s" d="M%.1f %.1fh20"/>`, class, x, y-4)
	} else {
		d.f(`<rect class="%s" x="%.1f" y="%.1f" width="20" height="9"/>`, class, x, y-9)
	}
	d.text("legend", x+25, y, "start", text)
	return x + 25 + character*float64(len([]rune(text))) + legend
}

// scale is an axis: its ends and its marks.
type scale struct{ low, high, step float64 }

// scale finds round ends that hold all that is drawn, and lines across that are near it.
func (a axis) scale() (sc scale) {
	low, high := math.Inf(1), math.Inf(-1)
	take := func(list []float64) {
		for _, v := range list {
			if !math.IsNaN(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	for _, c := range a.curves {
		take(c.v)
	}
	for _, b := range a.bars {
		take(b.v)
	}
	if a.zero || low > high { // or nothing is to be seen
		low, high = min(low, 0), max(high, 0)
	}
	for _, m := range a.marks {
		if room := max(a.least, high-low) / 2; m.v > low-room && m.v < high+room {
			take([]float64{m.v})
		}
	}
	if lack := a.least - (high - low); lack > 0 {
		if !a.zero {
			low -= lack / 2
			lack /= 2
		}
		high += lack
	}
	sc.step = round((high - low) / 4)
	sc.low, sc.high = math.Floor(low/sc.step+1e-9)*sc.step, math.Ceil(high/sc.step-1e-9)*sc.step
	if a.most > 0 {
		sc.high = min(sc.high, a.most)
	}
	return sc
}

// round is the next of 1, 2 and 5 times a power of ten.
func round(v float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(v)))
	for _, k := range []float64{1, 2, 5} {
		if k*p >= v-1e-12 {
			return k * p
		}
	}
	return 10 * p
}

func (sc scale) y(v, y float64) float64 { return y + high*(1-(v-sc.low)/(sc.high-sc.low)) }

func (s *sheet) axis(d *drawing, a axis, sc scale, y float64, other bool) {
	decimals := max(0, int(math.Ceil(-math.Log10(sc.step)-1e-9)))
	for i := 0; sc.low+float64(i)*sc.step <= sc.high+sc.step/1e6; i++ {
		v := sc.low + float64(i)*sc.step
		if other {
			d.text("axis", right+6, sc.y(v, y)+4, "start", s.w.Num(v, decimals))
			continue
		}
		d.f(`<path class="rule" d="M%.1f %.1fH%.1f"/>`, left, sc.y(v, y), right)
		d.text("axis", left-6, sc.y(v, y)+4, "end", s.w.Num(v, decimals))
	}
	x, anchor := left-6, "end"
	if other {
		x, anchor = right+6, "start"
	}
	d.text("axis", x, y-8, anchor, a.unit)
	for _, m := range a.marks {
		if m.v < sc.low || m.v > sc.high {
			continue
		}
		d.f(`<path class="mark" d="M%.1f %.1fH%.1f"/>`, left, sc.y(m.v, y), right)
		above := -3.0
		if sc.y(m.v, y) < y+14 { // it would be over the title
			above = 12
		}
		d.text("marktext", left+4, sc.y(m.v, y)+above, "start", s.w.T("mark."+m.key))
	}
}

func (s *sheet) curve(d *drawing, c curve, sc scale, y float64) {
	open := false // a curve has gaps where there is no value
	for i, v := range c.v {
		switch {
		case math.IsNaN(v) && open:
			d.f(`"/>` + "\n")
			fallthrough
		case math.IsNaN(v):
			open = false
			continue
		case !open:
			d.f(`<polyline class="line %s" points="`, c.tone)
			open = true
		}
		d.f("%.1f,%.1f ", s.x(float64(i)), sc.y(v, y))
	}
	if open {
		d.f(`"/>` + "\n")
	}
}

// bars of several kinds share the width of their hour.
func (s *sheet) bars(d *drawing, b bars, sc scale, y float64, which, of int) {
	width := (s.x(perHour) - s.x(0)) / float64(of)
	for h, v := range b.v {
		if v <= 0 {
			continue
		}
		d.f(`<rect class="bar %s" x="%.1f" y="%.2f" width="%.2f" height="%.2f"/>`+"\n", b.tone, s.x(float64(h*perHour))+float64(which)*width, sc.y(v, y), width, sc.y(0, y)-sc.y(v, y))
	}
}
