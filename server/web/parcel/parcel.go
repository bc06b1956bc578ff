// Package parcel draws ponds and plots as they lie: their corners, a state and some words come in, an SVG for an HTML page goes out, with a link
// on each. Nothing is fetched for it. Where exactly a place lies is for those who work there: the caller draws it for nobody else.
//
// Colours are the page's style sheet's, by class (parcel and the state's own); a state is a sign of the page's sprite, too, never a colour alone.
package parcel

import (
	"html"
	"math"
	"strconv"
	"strings"
)

// Shape is one place.
type Shape struct {
	Corners [][2]float64 // degrees north and east, in turn; at least three
	State   string       // class of its ground; i-State is its sign
	Label   string       // written on it where there is room
	Amount  string       // under it, where there is more room
	Title   string       // all of it in words: name and state
	Href    string
}

// Map is all a drawing needs. Texts are plain text in the reader's language.
type Map struct {
	ID          string // unique in the page: [a-z0-9-]
	Title, Desc string
	Shapes      []Shape
	Metres      func(m float64) string // writes the length of the scale: "100 m"
	North       string                 // what the arrow says
}

// The drawing is as wide as a phone, in its pixels.
const (
	width            = 360.0
	margin           = 10.0
	footing          = 26.0 // below the places: the scale
	least, most      = 90.0, 420.0
	metresPerDegree  = 6371008.8 * math.Pi / 180 // mean radius, IUGG
	signSide         = 15.0
	roomForSign      = 17.0
	roomForText      = 30.0 // in height, with the sign above it
	roomForAmount    = 46.0 // and with the amount
	letter           = 6.6  // how wide a letter of the label is
	mostScale        = 0.3  // of the width
	singlePlaceAlone = 60.0 // metres around a place that lies alone, so that it does not fill the drawing
)

// point is a corner in metres east and south of the north-west one.
type point struct{ x, y float64 }

// SVG returns the drawing; empty where there is nothing to draw.
func (m Map) SVG() string {
	shapes, wide, high := m.plane()
	if len(shapes) == 0 {
		return ""
	}
	scale := min((width-2*margin)/wide, (most-2*margin)/high)
	left := (width - wide*scale) / 2
	height := max(high*scale+2*margin, least)
	top := (height - high*scale) / 2
	var b strings.Builder
	w := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
	}
	id := html.EscapeString(m.ID)
	w(`<svg class="parcels" viewBox="0 0 360 `, n(height+footing), `" role="group" aria-labelledby="`, id, `-t `, id, `-d"><title id="`, id, `-t">`, html.EscapeString(m.Title), `</title><desc id="`, id, `-d">`,
		html.EscapeString(m.Desc), `</desc>`)
	for i, s := range m.Shapes {
		pts := shapes[i]
		if len(pts) == 0 {
			continue
		}
		for j := range pts {
			pts[j] = point{left + pts[j].x*scale, top + pts[j].y*scale}
		}
		s.draw(w, pts)
	}
	m.foot(w, scale, height)
	w(`</svg>`)
	return b.String()
}

// plane puts the corners of every shape into one plane; a shape of fewer than three corners has none.
func (m Map) plane() (out [][]point, wide, high float64) {
	north, west, south, east := math.Inf(-1), math.Inf(1), math.Inf(1), math.Inf(-1)
	some := false
	for _, s := range m.Shapes {
		if len(s.Corners) < 3 {
			continue
		}
		some = true
		for _, c := range s.Corners {
			north, south = max(north, c[0]), min(south, c[0])
			east, west = max(east, c[1]), min(west, c[1])
		}
	}
	if !some {
		return nil, 0, 0
	}
	shrink := math.Cos((north + south) / 2 * math.Pi / 180)
	for _, s := range m.Shapes {
		var pts []point
		if len(s.Corners) >= 3 {
			for _, c := range s.Corners {
				pts = append(pts, point{(c[1] - west) * metresPerDegree * shrink, (north - c[0]) * metresPerDegree})
			}
		}
		out = append(out, pts)
	}
	wide, high = (east-west)*metresPerDegree*shrink, (north-south)*metresPerDegree
	if wide < singlePlaceAlone && high < singlePlaceAlone {
		grow := (singlePlaceAlone - wide) / 2
		for _, pts := range out {
			for j := range pts {
				pts[j].x += grow
			}
		}
		wide = singlePlaceAlone
	}
	return out, wide, max(high, 1)
}

// draw writes one place.
func (s Shape) draw(w func(...string), pts []point) {
	w(`<a href="`, html.EscapeString(s.Href), `" aria-label="`, html.EscapeString(s.Title), `"><title>`, html.EscapeString(s.Title), `</title><path class="parcel `, html.EscapeString(s.State), `" d="`)
	low, high := pts[0], pts[0]
	for i, p := range pts {
		if i == 0 {
			w(`M`)
		} else {
			w(`L`)
		}
		w(n(p.x), ` `, n(p.y))
		low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
	}
	w(`z"/>`)
	c := middle(pts)
	wide, tall := high.x-low.x, high.y-low.y
	if wide >= roomForSign && tall >= roomForSign {
		y := c.y - signSide/2
		text := s.Label != "" && tall >= roomForText && wide >= letter*float64(len([]rune(s.Label)))
		more := text && s.Amount != "" && tall >= roomForAmount && wide >= letter*float64(len([]rune(s.Amount)))
		if text {
			y -= 7
		}
		if more {
			y -= 6
		}
		w(`<use href="#i-`, html.EscapeString(s.State), `" class="i `, html.EscapeString(s.State), `" x="`, n(c.x-signSide/2), `" y="`, n(y), `" width="15" height="15"/>`)
		if text {
			w(`<text x="`, n(c.x), `" y="`, n(y+signSide+11), `">`, html.EscapeString(s.Label), `</text>`)
		}
		if more {
			w(`<text class="amount" x="`, n(c.x), `" y="`, n(y+signSide+23), `">`, html.EscapeString(s.Amount), `</text>`)
		}
	}
	w(`</a>`)
}

// foot writes the scale and where north is.
func (m Map) foot(w func(...string), scale, height float64) {
	long := roundLength(mostScale * width / scale)
	y := height + 10
	w(`<path class="scale" d="M`, n(margin), ` `, n(y-4), `v4h`, n(long*scale), `v-4"/><text class="ax" x="`, n(margin+long*scale+6), `" y="`, n(y+3), `">`, html.EscapeString(m.Metres(long)), `</text>`,
		`<path class="scale" d="M`, n(width-margin-4), ` `, n(y+4), `v-14m-4 5l4-5 4 5"/><text class="ax end" x="`, n(width-margin-14), `" y="`, n(y+3), `">`, html.EscapeString(m.North), `</text>`)
}

// roundLength is the greatest of 1, 2, 5, 10, 20, 50 … metres that is no longer than m.
func roundLength(m float64) float64 {
	ten := math.Pow(10, math.Floor(math.Log10(max(m, 1))))
	for _, k := range []float64{5, 2} {
		if k*ten <= m {
			return k * ten
		}
	}
	return ten
}

// middle is the centre of gravity of a polygon; of one without an area, the mean of its corners.
func middle(pts []point) point {
	area, x, y := 0.0, 0.0, 0.0
	for i, a := range pts {
		b := pts[(i+1)%len(pts)]
		cross := a.x*b.y - b.x*a.y
		area += cross
		x, y = x+(a.x+b.x)*cross, y+(a.y+b.y)*cross
	}
	if math.Abs(area) > 1e-6 {
		return point{x / (3 * area), y / (3 * area)}
	}
	var sum point
	for _, p := range pts {
		sum = point{sum.x + p.x, sum.y + p.y}
	}
	return point{sum.x / float64(len(pts)), sum.y / float64(len(pts))}
}

// n prints units, to a tenth.
func n(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
