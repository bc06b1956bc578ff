package chart

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"

	"golang.org/x/image/vector"

	"aovuon/server/typeface"
)

// brush is the pen of pictures.
type brush struct {
	sheet       *image.NRGBA
	plain, bold *typeface.Face
	down        float64 // how far below the top of the sheet the drawing lies
	looks       map[string]style
	err         error // the first thing that went wrong
}

func newBrush() (*brush, error) {
	plain, err := typeface.New(typeface.Regular())
	if err != nil {
		return nil, fmt.Errorf("chart: picture: %w", err)
	}
	bold, err := typeface.New(typeface.Bold())
	if err != nil {
		return nil, fmt.Errorf("chart: picture: %w", err)
	}
	return &brush{plain: plain, bold: bold, looks: looks()}, nil
}

// style is what a class looks like on paper.
type style struct {
	fill   color.NRGBA // nothing where its alpha is 0
	stroke color.NRGBA
	wide   float64
	dash   []float64
	bold   bool
}

// hex reads a colour as the style sheet writes it: #rrggbb or #rrggbbaa.
func hex(s string) color.NRGBA {
	var v [4]uint8
	v[3] = 0xff
	if _, err := fmt.Sscanf(strings.TrimPrefix(s, "#"), map[bool]string{true: "%02x%02x%02x", false: "%02x%02x%02x%02x"}[len(s) == 7], colours(v[:], len(s))...); err != nil {
		return color.NRGBA{A: 0xff}
	}
	return color.NRGBA{v[0], v[1], v[2], v[3]}
}

func colours(v []uint8, n int) (out []any) {
	for i := range (n - 1) / 2 {
		out = append(out, &v[i])
	}
	return out
}

// looks returns the colour of every class in a picture, as #rrggbb or #rrggbbaa, with its dashes: those of static/place.css in light, which a
// test compares.
func looks() map[string]style {
	fill := func(c string) style { return style{fill: hex(c)} }
	line := func(c string, wide float64, dash ...float64) style {
		return style{stroke: hex(c), wide: wide, dash: dash}
	}
	return map[string]style{
		"line": line("#0b5f86", 2), "band": fill("#0b5f8633"), "stem": line("#0b5f8633", 3), "dot": fill("#0b5f86"), "gap": fill("#13201a14"), "out": fill("#8d0f1c17"),
		"grid": line("#cfd9d2", 1), "lim": line("#8d0f1c", 1.5, 5, 4), "lim crit": line("#8d0f1c", 1.5), "ax": fill("#3c4942"),
		"words": fill("#13201a"), "heading": {fill: hex("#13201a"), bold: true}, "letter": {fill: hex("#ffffff"), bold: true},
		"track": fill("#13201a14"), "bar run": fill("#0b5f86"), "bar warned": fill("#6b3a00"), "bar danger": fill("#8d0f1c"), "bar lost": fill("#4a3569"), "tick": line("#07543d", 2), "mark": fill("#07543d"),
		"line c1": line("#0b5f86", 2), "line c2": line("#8d0f1c", 2, 9, 4), "line c3": line("#07543d", 2, 2, 4), "line c4": line("#6b3a00", 2, 12, 3, 2, 3),
		"line c5": line("#4a3569", 2, 5, 3), "line c6": line("#3c4942", 2, 1, 3, 6, 3),
		"tag c1": fill("#0b5f86"), "tag c2": fill("#8d0f1c"), "tag c3": fill("#07543d"), "tag c4": fill("#6b3a00"), "tag c5": fill("#4a3569"), "tag c6": fill("#3c4942"),
	}
}

func (b *brush) look(class string) style {
	s, ok := b.looks[class]
	if !ok {
		return style{fill: color.NRGBA{A: 0xff}}
	}
	return s
}

// onto returns a point in pixels of the sheet.
func (b *brush) onto(p xy) (x, y float32) {
	return float32(p.x * scale), float32((p.y + b.down) * scale)
}

func (b *brush) fill(c color.NRGBA, shapes ...[]xy) {
	if c.A == 0 {
		return
	}
	box := b.box(shapes)
	if box.Empty() {
		return
	}
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for _, s := range shapes {
		for i, p := range s {
			x, y := b.onto(p)
			x, y = x-float32(box.Min.X), y-float32(box.Min.Y)
			if i == 0 {
				r.MoveTo(x, y)
				continue
			}
			r.LineTo(x, y)
		}
		r.ClosePath()
	}
	r.Draw(b.sheet, box, image.NewUniform(c), image.Point{})
}

// box is the part of the sheet that shapes lie on.
func (b *brush) box(shapes [][]xy) image.Rectangle {
	low, high := [2]float32{math.MaxInt32, math.MaxInt32}, [2]float32{-1, -1}
	for _, s := range shapes {
		for _, p := range s {
			x, y := b.onto(p)
			low[0], low[1], high[0], high[1] = min(low[0], x), min(low[1], y), max(high[0], x), max(high[1], y)
		}
	}
	return image.Rect(int(low[0]), int(low[1]), int(high[0])+1, int(high[1])+1).Intersect(b.sheet.Bounds())
}

func (b *brush) rect(class string, x1, y1, x2, y2 float64) {
	b.fill(b.look(class).fill, []xy{{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}})
}

func (b *brush) poly(class string, closed bool, points []xy) {
	s := b.look(class)
	if closed {
		b.fill(s.fill, points)
	}
	if s.stroke.A == 0 {
		return
	}
	var shapes [][]xy
	for _, part := range dashes(points, s.dash) {
		shapes = append(shapes, stroke(part, s.wide)...)
	}
	b.fill(s.stroke, shapes...)
}

func (b *brush) circle(class string, x, y, r float64) { b.fill(b.look(class).fill, disc(xy{x, y}, r)) }

func (b *brush) text(class string, x, y float64, anchor, s string) {
	const size = 12.0
	st := b.look(class)
	f := b.face(st.bold)
	plain, _ := f.Plain(s)
	switch anchor {
	case "middle":
		x -= f.Width(plain) * size / 2
	case "end":
		x -= f.Width(plain) * size
	}
	if class == "ax" { // a halo keeps it readable over lines
		for _, h := range []xy{{-1, 0}, {1, 0}, {0, -1}, {0, 1}, {-.7, -.7}, {.7, .7}, {-.7, .7}, {.7, -.7}} {
			b.glyphs(plain, x+h.x, y+h.y, size, st.bold, color.White)
		}
	}
	b.glyphs(plain, x, y, size, st.bold, st.fill)
}

// disc is a circle as a polygon, turning as stroke's quads do.
func disc(c xy, r float64) []xy {
	const corners = 24
	out := make([]xy, corners)
	for i := range out {
		a := -2 * math.Pi * float64(i) / corners
		out[i] = xy{c.x + r*math.Cos(a), c.y + r*math.Sin(a)}
	}
	return out
}

// stroke returns the shapes of a line with round joints. All turn the same way, so that they add up where they lie over each other.
func stroke(points []xy, wide float64) (shapes [][]xy) {
	for i, p := range points {
		if len(points) > 2 || i > 0 && i < len(points)-1 {
			shapes = append(shapes, disc(p, wide/2))
		}
		if i == 0 {
			continue
		}
		q := points[i-1]
		long := math.Hypot(p.x-q.x, p.y-q.y)
		if long == 0 {
			continue
		}
		n := xy{-(p.y - q.y) / long * wide / 2, (p.x - q.x) / long * wide / 2}
		shapes = append(shapes, []xy{{q.x + n.x, q.y + n.y}, {p.x + n.x, p.y + n.y}, {p.x - n.x, p.y - n.y}, {q.x - n.x, q.y - n.y}})
	}
	return shapes
}

// dashes cuts a line into its dashes; without a pattern it is one.
func dashes(points []xy, pattern []float64) (parts [][]xy) {
	if len(pattern) == 0 || len(points) < 2 {
		return [][]xy{points}
	}
	k, rest := 0, pattern[0]
	part := []xy{points[0]}
	for i := 1; i < len(points); i++ {
		q, p := points[i-1], points[i]
		long := math.Hypot(p.x-q.x, p.y-q.y)
		for done := 0.0; long-done > 1e-9; {
			step := min(rest, long-done)
			done += step
			at := xy{q.x + (p.x-q.x)*done/long, q.y + (p.y-q.y)*done/long}
			if k%2 == 0 {
				part = append(part, at)
			}
			if rest -= step; rest > 1e-9 {
				continue
			}
			if k%2 == 0 && len(part) > 1 {
				parts = append(parts, part)
			}
			k++
			rest, part = pattern[k%len(pattern)], []xy{at}
		}
	}
	if k%2 == 0 && len(part) > 1 {
		parts = append(parts, part)
	}
	return parts
}
