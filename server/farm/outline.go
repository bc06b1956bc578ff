package farm

import (
	"math"

	"aovuon/server/privacy"
)

// Outline is the edge of a place: its corners in turn, the last one joined to the first. A public page or leaf never shows it; what a corner
// is written with tells the middle of a cell of a kilometre (privacy.Point).
//
// Lengths are reckoned in the plane that touches the sphere at the first corner: within 10 km the error is below 0.1 %, far below that of a
// telephone's position.
type Outline []privacy.Point

// Bounds of an outline.
const (
	leastCorners, mostCorners = 3, 200
	earthRadiusM              = 6371008.8 // mean radius, IUGG
	// tooFarM is how far from its first corner an outline may reach: beyond, two coordinates were mistyped or swapped.
	tooFarM = 20_000
)

// xy is a point of the plane: metres east and north of an origin.
type xy struct{ x, y float64 }

// plane returns the corners around an origin.
func (o Outline) plane(origin privacy.Point) []xy {
	lat0, lon0 := origin.Exact()
	const perDegree = earthRadiusM * math.Pi / 180
	shrink := math.Cos(lat0 * math.Pi / 180)
	out := make([]xy, len(o))
	for i, p := range o {
		lat, lon := p.Exact()
		out[i] = xy{(lon - lon0) * perDegree * shrink, (lat - lat0) * perDegree}
	}
	return out
}

// AreaM2 returns the area within, 0 for no outline.
func (o Outline) AreaM2() float64 {
	if len(o) < leastCorners {
		return 0
	}
	pts, sum := o.plane(o[0]), 0.0
	for i, a := range pts {
		b := pts[(i+1)%len(pts)]
		sum += a.x*b.y - b.x*a.y
	}
	return math.Abs(sum) / 2
}

// DistanceM returns the shortest way between two places in metres, 0 where they touch or overlap. ok is false where one has no outline:
// then nobody can tell.
func (o Outline) DistanceM(other Outline) (m float64, ok bool) {
	if len(o) < leastCorners || len(other) < leastCorners {
		return 0, false
	}
	a, b := o.plane(o[0]), other.plane(o[0])
	if inside(a[0], b) || inside(b[0], a) {
		return 0, true
	}
	least := math.Inf(1)
	for i := range a {
		for j := range b {
			least = math.Min(least, apart(a[i], a[(i+1)%len(a)], b[j], b[(j+1)%len(b)]))
		}
	}
	return least, true
}

// simple reports whether no edge crosses another and no two corners are the same.
func (o Outline) simple() bool {
	pts := o.plane(o[0])
	n := len(pts)
	for i := range n {
		for j := i + 1; j < n; j++ {
			if pts[i] == pts[j] {
				return false
			}
			if next := (i + 1) % n; j == next || (j+1)%n == i {
				continue // neighbours share a corner
			}
			if crosses(pts[i], pts[(i+1)%n], pts[j], pts[(j+1)%n]) {
				return false
			}
		}
	}
	return true
}

// reachM returns how far the farthest corner is from the first.
func (o Outline) reachM() float64 {
	far := 0.0
	for _, p := range o.plane(o[0]) {
		far = math.Max(far, math.Hypot(p.x, p.y))
	}
	return far
}

// inside reports whether p lies within a polygon, by the edges a ray to the east crosses.
func inside(p xy, polygon []xy) bool {
	in := false
	for i, a := range polygon {
		b := polygon[(i+1)%len(polygon)]
		if (a.y > p.y) != (b.y > p.y) && p.x < (b.x-a.x)*(p.y-a.y)/(b.y-a.y)+a.x {
			in = !in
		}
	}
	return in
}

// side is above 0 where c lies left of the way from a to b.
func side(a, b, c xy) float64 { return (b.x-a.x)*(c.y-a.y) - (b.y-a.y)*(c.x-a.x) }

// crosses reports whether the edges ab and cd have a point in common that is no end of theirs.
func crosses(a, b, c, d xy) bool {
	return side(a, b, c)*side(a, b, d) < 0 && side(c, d, a)*side(c, d, b) < 0
}

// apart returns the distance of the edges ab and cd.
func apart(a, b, c, d xy) float64 {
	if crosses(a, b, c, d) {
		return 0
	}
	return min(fromEdge(a, c, d), fromEdge(b, c, d), fromEdge(c, a, b), fromEdge(d, a, b))
}

// fromEdge returns the distance of p from the edge ab.
func fromEdge(p, a, b xy) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = min(1, max(0, ((p.x-a.x)*dx+(p.y-a.y)*dy)/l))
	}
	return math.Hypot(p.x-a.x-t*dx, p.y-a.y-t*dy)
}
