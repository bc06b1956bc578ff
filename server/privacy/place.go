package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
)

// Rough is a point on the Earth as strangers may know it: the middle of a cell of a hundredth of a degree. In Viet Nam a cell is 1.11 km
// from south to north and 1.02 to 1.10 km from west to east, so a house is one of many. Roughen and Point.Rough make the only ones there are.
type Rough struct{ lat, lon float64 }

// Lat returns the degrees north, WGS 84.
func (r Rough) Lat() float64 { return r.lat }

// Lon returns the degrees east.
func (r Rough) Lon() float64 { return r.lon }

// String writes the point with the three decimals it has.
func (r Rough) String() string { return fmt.Sprintf("%.3f, %.3f", r.lat, r.lon) }

// MarshalJSON implements json.Marshaler.
func (r Rough) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"lat":%.3f,"lon":%.3f}`, r.lat, r.lon), nil
}

// cellsPerDegree is how many cells a degree has each way.
const cellsPerDegree = 100

// Roughen returns the middle of the cell a point lies in. Every point of a cell gives the same result, so that asking again, or comparing
// with the neighbours, tells no more. ok is false for what is no point on the Earth.
func Roughen(lat, lon float64) (r Rough, ok bool) {
	if !onEarth(lat, lon) {
		return Rough{}, false
	}
	return Rough{middle(lat, 90), middle(lon, 180)}, true
}

func onEarth(lat, lon float64) bool {
	return !math.IsNaN(lat) && !math.IsNaN(lon) && math.Abs(lat) <= 90 && math.Abs(lon) <= 180
}

// middle returns the middle of the cell of v, three decimals long.
func middle(v, end float64) float64 {
	cell := math.Min(math.Floor(v*cellsPerDegree), end*cellsPerDegree-1)
	return math.Round((cell+0.5)*10) / (10 * cellsPerDegree)
}

// Point is a point on the Earth as the co-op knows it: where a phone was, where a pond lies. Whatever a Point is written with (JSON, a page, a
// log, a print) tells the middle of its cell, so that nothing shows more by forgetting; Exact is the one way to the point itself, for who keeps
// it and reckons with it. The zero Point lies at 0, 0; where there may be none, use a pointer.
type Point struct{ lat, lon float64 }

// ErrNoPoint says that two numbers are no point on the Earth.
var ErrNoPoint = errors.New("no point on the Earth: want degrees north from -90 to 90 and degrees east from -180 to 180")

// NewPoint returns the point at degrees north and east, WGS 84. The error is ErrNoPoint.
func NewPoint(lat, lon float64) (Point, error) {
	if !onEarth(lat, lon) {
		return Point{}, ErrNoPoint
	}
	return Point{lat, lon}, nil
}

// Exact returns degrees north and east as they are. What they go to must not be seen by strangers: TestExact_IsAskedForByFew lists who may.
func (p Point) Exact() (lat, lon float64) { return p.lat, p.lon }

// Equal reports whether two points are the same, to the last digit.
func (p Point) Equal(o Point) bool { return p == o }

// Rough returns the point as strangers may know it.
func (p Point) Rough() Rough {
	r, _ := Roughen(p.lat, p.lon)
	return r
}

// String implements fmt.Stringer.
func (p Point) String() string { return p.Rough().String() }

// Format implements fmt.Formatter, so that no verb prints the fields.
func (p Point) Format(s fmt.State, _ rune) {
	fmt.Fprint(s, p.Rough().String()) //nolint:errcheck // fmt tells its caller
}

// LogValue implements slog.LogValuer.
func (p Point) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON implements json.Marshaler.
func (p Point) MarshalJSON() ([]byte, error) { return p.Rough().MarshalJSON() }

// UnmarshalJSON reads {"lat", "lon"} as they are, however exact.
func (p *Point) UnmarshalJSON(raw []byte) error {
	var in struct{ Lat, Lon *float64 }
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	if in.Lat == nil || in.Lon == nil {
		return ErrNoPoint
	}
	var err error
	*p, err = NewPoint(*in.Lat, *in.Lon)
	return err
}
