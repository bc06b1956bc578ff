// Package locator draws where in Viet Nam something is from: rough points (privacy.Rough) and some words come in, an SVG for an HTML page goes
// out. Nothing is fetched for it, and it shows no place nearer than a cell of about a kilometre. Colours are the page's style sheet's, by class:
// land, isle, lead, mark, cell, coops, mine, ax.
package locator

import (
	"html"
	"math"
	"strconv"
	"strings"

	"aovuon/server/privacy"
)

// Map is all a drawing needs. Texts are plain text in the reader's language.
type Map struct {
	ID          string // unique in the page: [a-z0-9-]
	Title, Desc string
	Here        []privacy.Rough // where it is from; none: nothing is drawn
	Others      []privacy.Rough // where else the co-op is
	Scale       string          // what a cell is: "mỗi ô khoảng 1 km"
}

// mainland is Viet Nam with Phú Quốc in the units of project, from Natural Earth 1:50m (public domain), simplified to about a tenth of a
// degree: M the first corner, l the ways to the next ones.
const mainland = "M89 31l-8 4-1 3-3 2-7-1 1 4-3 7-8 5-5 15 4 6 9 9-1 3-1 0 21 21 3 0 11 14 7 23 0 9 2 5 0 5-1-2-2 1 1 4-1 0 0 10-4 6-12 7-2 2-10 5-4-4-1 4-3-2-2 1 2 3-4 0 5 2-3 4-7-5 6 6-1 4-9-7 5 6 " +
	"0 3-10 5-5 7-5 0 2-2-1-13 3-6-9-6 6-2 3-3 0-3 4 1 6-2 6 3 0-4-5-3 0-6 3-1 5 1 0-4 16-6 0-10 2-7-4-10 3-8-1-5 2-4-7-8 4-4-8-7-3 1-2-7-20-21 0-5-18-10 3-2-1-3 8 1 5-6-1-3-7-4 3-3-7-4-7 4-7-3-4-6 2-6-2-2-3 2-7-11 5-5 7 4 5-5 2 3 2-3 5 4 3-4 " +
	"3 1 5-1 2-5 6-3 8 6 5-1 9 3-4 4 2 8 4 1 6 5 6-1zM33 198l0 1 0 2-1 1 0 1 0 1-1-4-1-1-1-1 1 0 1 0 1 0z"

// isles returns some islands of an archipelago, degrees north and east. A map of Viet Nam has both.
func isles() map[string][][2]float64 {
	return map[string][][2]float64{
		"Hoàng Sa":  {{16.83, 112.33}, {16.53, 111.6}, {15.78, 111.2}, {16.67, 112.73}},
		"Trường Sa": {{8.64, 111.92}, {11.43, 114.33}, {10.18, 114.37}, {9.88, 114.33}, {7.9, 112.9}, {8.85, 112.6}},
	}
}

// project returns the units of a point: 15 to a degree north, 14.4 to one east.
func project(north, east float64) (x, y float64) { return (east - 101.8) * 14.4, (23.6 - north) * 15 }

// The close view: a square of cells, each a hundredth of a degree.
const (
	closeX, closeY, closeSide = 216.0, 8.0, 136.0
	across                    = 5
	cellSide                  = closeSide / across
)

// SVG returns the drawing; empty where nobody knows where it is from.
func (m Map) SVG() string {
	if len(m.Here) == 0 {
		return ""
	}
	var b strings.Builder
	w := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
	}
	id := html.EscapeString(m.ID)
	w(`<svg class="map" viewBox="0 0 360 244" role="img" aria-labelledby="`, id, `-t `, id, `-d"><title id="`, id, `-t">`, html.EscapeString(m.Title), `</title><desc id="`, id, `-d">`,
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
		w(`"/>`)
		if name == "Hoàng Sa" {
			w(text(left-12, low+14, name))
		} else {
			w(text(left+50, low-2, name))
		}
	}
	at := m.Here[0] // all of a lot lie within a few kilometres
	x, y := project(at.Lat(), at.Lon())
	w(`<path class="lead" d="M`, n(x), ` `, n(y), `L`, n(closeX), ` `, n(closeY+closeSide/2), `"/><circle class="mark" cx="`, n(x), `" cy="`, n(y), `" r="5"/>`)
	m.close(w, at)
	w(`</svg>`)
	return b.String()
}

// close draws the cells around a middle.
func (m Map) close(w func(...string), at privacy.Rough) {
	w(`<path class="cell" d="M`, n(closeX), ` `, n(closeY), `h`, n(closeSide), `v`, n(closeSide), `h-`, n(closeSide), `z`)
	for i := 1; i < across; i++ {
		far := n(float64(i) * cellSide)
		w(`m`, far, ` 0v`, n(closeSide), `m-`, far, ` -`, n(closeSide))
		w(`m0 `, far, `h`, n(closeSide), `m-`, n(closeSide), ` -`, far)
	}
	w(`"/>`)
	fill := func(class string, points []privacy.Rough) {
		var d strings.Builder
		seen := map[[2]int]bool{}
		for _, p := range points {
			col, row := across/2+int(math.Round((p.Lon()-at.Lon())*100)), across/2-int(math.Round((p.Lat()-at.Lat())*100))
			if cell := [2]int{col, row}; col >= 0 && col < across && row >= 0 && row < across && !seen[cell] {
				seen[cell] = true
				d.WriteString(`M` + n(closeX+float64(col)*cellSide) + ` ` + n(closeY+float64(row)*cellSide) + `h` + n(cellSide) + `v` + n(cellSide) + `h-` + n(cellSide) + `z`)
			}
		}
		if d.Len() > 0 {
			w(`<path class="`, class, `" d="`, d.String(), `"/>`)
		}
	}
	fill("coops", m.Others)
	fill("mine", m.Here)
	w(text(closeX, closeY+closeSide+18, m.Scale))
}

func text(x, y float64, s string) string {
	return `<text class="ax" x="` + n(x) + `" y="` + n(y) + `">` + html.EscapeString(s) + `</text>`
}

// n prints units, whole where they are.
func n(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
