package locator

import (
	"html"
	"math"
	"strings"
)

// Dot is a figure at a point: its circle's area grows with N.
type Dot struct {
	North, East float64
	N           int
	Text        string // said of it: "Hà Nội: 12"
}

// Dots is a map of Viet Nam with figures on it. Texts are plain text in the reader's language.
type Dots struct {
	ID          string // unique in the page: [a-z0-9-]
	Title, Desc string
	Dots        []Dot
}

// The smallest and the largest circle, units.
const leastRadius, mostRadius = 2.5, 12.0

// SVG returns the drawing, with both archipelagos.
func (m Dots) SVG() string {
	var b strings.Builder
	w := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
	}
	id := html.EscapeString(m.ID)
	w(`<svg class="map" viewBox="0 0 240 264" role="img" aria-labelledby="`, id, `-t `, id, `-d"><title id="`, id, `-t">`, html.EscapeString(m.Title), `</title><desc id="`, id, `-d">`,
		html.EscapeString(m.Desc), `</desc><path class="land" d="`, mainland, `"/>`)
	for _, name := range []string{"Hoàng Sa", "Trường Sa"} {
		at := isles()[name]
		w(`<path class="isle" d="`)
		left, low := math.Inf(1), 0.0
		for _, p := range at {
			x, y := project(p[0], p[1])
			left, low = min(left, x), max(low, y)
			w(`M`, n(x), ` `, n(y), `h0`)
		}
		w(`"/>`, text(min(left-12, 186), low+14, name))
	}
	most := 1
	for _, d := range m.Dots {
		most = max(most, d.N)
	}
	for _, d := range m.Dots {
		x, y := project(d.North, d.East)
		r := max(leastRadius, mostRadius*math.Sqrt(float64(d.N)/float64(most)))
		w(`<circle class="dot" cx="`, n(x), `" cy="`, n(y), `" r="`, n(r), `"><title>`, html.EscapeString(d.Text), `</title></circle>`)
	}
	w(`</svg>`)
	return b.String()
}
