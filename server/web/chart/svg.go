package chart

import (
	"html"
	"math"
	"strconv"
	"strings"
	"time"
)

// markup is the pen of SVG.
type markup struct {
	b     strings.Builder
	whole bool
}

func newMarkup(whole bool) *markup { return &markup{whole: whole} }

func (m *markup) open(c Chart, height float64) {
	id := html.EscapeString(c.ID)
	m.w(`<svg class="chart" viewBox="0 0 `, m.n(width), ` `, m.n(height), `" role="img" aria-labelledby="`, id, `-t `, id, `-d"><title id="`, id, `-t">`,
		html.EscapeString(c.Title), `</title><desc id="`, id, `-d">`, html.EscapeString(c.Desc), `</desc>`)
}

func (m *markup) close() string {
	m.w(`</svg>`)
	return m.b.String()
}

func (m *markup) w(parts ...string) {
	for _, p := range parts {
		m.b.WriteString(p)
	}
}

// n prints a coordinate to a tenth of a unit.
func n(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

func itoa(n int) string { return strconv.Itoa(n) }

// n prints a coordinate, to a tenth of a unit or to a whole one.
func (m *markup) n(v float64) string {
	if m.whole {
		return itoa(int(math.Round(v)))
	}
	return n(v)
}

func (m *markup) rect(class string, x1, y1, x2, y2 float64) {
	m.w(`<path class="`, class, `" d="M`, m.n(x1), ` `, m.n(y1), `H`, m.n(x2), `V`, m.n(y2), `H`, m.n(x1), `z"/>`)
}

func (m *markup) poly(class string, closed bool, points []xy) {
	m.w(`<path class="`, class, `" d="M`)
	switch {
	case len(points) == 2 && points[0].y == points[1].y:
		m.w(m.n(points[0].x), " ", m.n(points[0].y), "H", m.n(points[1].x))
	case len(points) == 2 && points[0].x == points[1].x:
		m.w(m.n(points[0].x), " ", m.n(points[0].y), "V", m.n(points[1].y))
	default:
		for i, p := range points {
			if i > 0 {
				m.w(" ")
			}
			m.w(m.n(p.x), " ", m.n(p.y))
		}
	}
	if closed {
		m.w("z")
	}
	m.w(`"/>`)
}

func (m *markup) circle(class string, x, y, r float64) {
	m.w(`<circle class="`, class, `" cx="`, m.n(x), `" cy="`, m.n(y), `" r="`, n(r), `"/>`)
}

func (m *markup) text(class string, x, y float64, anchor, s string) {
	m.w(`<text class="`, class, `" x="`, m.n(x), `" y="`, m.n(y), `" text-anchor="`, anchor, `">`, html.EscapeString(s), `</text>`)
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
