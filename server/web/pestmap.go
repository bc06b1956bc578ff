package web

import (
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"

	"aovuon/server/farm"
)

// pestMap draws places as they lie, with how many reports each has. For those who may see where they lie.
type pestMap struct {
	id, title, desc string
	shapes          []pestShape
}

// pestShape is one place.
type pestShape struct {
	outline          farm.Outline
	name, text, href string
	kind             string
	n                int // reports
	level            level
}

// The drawing is 360 units wide, as wide as a phone.
const pestWide, pestMargin, pestMost = 360.0, 12.0, 480.0

// letterWide is how wide a letter of a name is, in units.
const letterWide = 6.4

// xy are units of the drawing.
type xy struct{ x, y float64 }

// svg returns the drawing; empty where no place has an outline.
func (m pestMap) svg() template.HTML {
	if len(m.shapes) == 0 {
		return ""
	}
	north, west, south, east := math.Inf(-1), math.Inf(1), math.Inf(1), math.Inf(-1)
	for _, s := range m.shapes {
		for _, p := range s.outline {
			lat, lon := p.Exact()
			north, south, west, east = max(north, lat), min(south, lat), min(west, lon), max(east, lon)
		}
	}
	shrink := math.Cos((north + south) / 2 * math.Pi / 180)
	wide, high := max((east-west)*shrink, 1e-4), max(north-south, 1e-4)
	scale := min((pestWide-2*pestMargin)/wide, (pestMost-2*pestMargin)/high)
	left, tall := (pestWide-wide*scale)/2, high*scale+2*pestMargin
	var b strings.Builder
	b.WriteString(`<svg class="pestmap" viewBox="0 0 360 ` + units(tall) + `" role="group" aria-labelledby="` + m.id + `-t ` + m.id + `-d"><title id="` + m.id + `-t">` + html.EscapeString(m.title) +
		`</title><desc id="` + m.id + `-d">` + html.EscapeString(m.desc) + `</desc>`)
	for _, s := range m.shapes {
		var pts []xy
		for _, p := range s.outline {
			lat, lon := p.Exact()
			pts = append(pts, xy{left + (lon-west)*shrink*scale, pestMargin + (north-lat)*scale})
		}
		s.draw(&b, pts)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// draw writes one place: its ground, and in its middle how many reports there are.
func (s pestShape) draw(b *strings.Builder, pts []xy) {
	class := s.kind
	if s.n > 0 {
		class = s.level.String()
	}
	b.WriteString(`<a href="` + html.EscapeString(s.href) + `" aria-label="` + html.EscapeString(s.text) + `"><title>` + html.EscapeString(s.text) + `</title><path class="ground ` + class + `" d="`)
	var mid xy
	low, high := pts[0], pts[0]
	for i, p := range pts {
		low, high = xy{min(low.x, p.x), min(low.y, p.y)}, xy{max(high.x, p.x), max(high.y, p.y)}
		b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0] + units(p.x) + " " + units(p.y))
		mid.x, mid.y = mid.x+p.x/float64(len(pts)), mid.y+p.y/float64(len(pts))
	}
	b.WriteString(`z"/>`)
	if room := high.x - low.x; s.n == 0 && room >= letterWide*float64(len([]rune(s.name))) && high.y-low.y >= 16 {
		b.WriteString(`<text x="` + units(mid.x) + `" y="` + units(mid.y+4) + `">` + html.EscapeString(s.name) + `</text>`)
	}
	if s.n > 0 {
		b.WriteString(`<circle class="spot ` + class + `" cx="` + units(mid.x) + `" cy="` + units(mid.y) + `" r="` + units(9+2*math.Min(3, math.Sqrt(float64(s.n)))) + `"/><text class="many" x="` + units(mid.x) + `" y="` + units(mid.y+4.5) + `">` + strconv.Itoa(s.n) + `</text>`)
	}
	b.WriteString(`</a>`)
}

// units prints units of a drawing, to a tenth.
func units(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
