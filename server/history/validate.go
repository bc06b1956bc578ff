package history

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode"
	"unicode/utf8"

	"aovuon/gateway/measure"
)

// MaxName is the length, in bytes, of the longest name of a place, gateway or sensor.
const MaxName = 200

// The times a history can hold: what InfluxDB's nanoseconds reach, and no time before computers counted it.
const (
	minMillis = 0
	maxMillis = math.MaxInt64/int64(time.Millisecond) - 1
)

// Validate reports why no history would take p: a name that cannot be told apart in every engine, a time out of reach, a
// value that is not a number. The value of a fault is not looked at.
func (p Point) Validate() error {
	if err := p.Series.Validate(); err != nil {
		return err
	}
	if ms := p.Time.UnixMilli(); ms < minMillis || ms > maxMillis {
		return fmt.Errorf("time %s is outside 1970 to 2262", p.Time.UTC().Format(time.RFC3339))
	}
	if p.Quality > measure.Fault {
		return fmt.Errorf("unknown quality %d", p.Quality)
	}
	if p.Quality != measure.Fault && (math.IsNaN(p.Value) || math.IsInf(p.Value, 0)) {
		return fmt.Errorf("value %v is not a number", p.Value)
	}
	return nil
}

// Validate reports why no history can hold the series.
func (s Series) Validate() error {
	if !validQuantity(s.Quantity) {
		return fmt.Errorf("bad quantity %q: want [a-z][a-z0-9_]*, at most 64 characters", string(s.Quantity))
	}
	for _, n := range []struct{ what, name string }{{"place", s.Place}, {"gateway", s.Gateway}, {"sensor", s.Sensor}} {
		if err := validName(n.name); err != nil {
			return fmt.Errorf("bad %s %q: %w", n.what, n.name, err)
		}
	}
	return nil
}

// validName accepts any printable text. InfluxDB's line protocol has no way to write a backslash before a delimiter, and
// no way at all to write a line break in a tag; so no engine takes them.
func validName(s string) error {
	if s == "" || len(s) > MaxName {
		return fmt.Errorf("want 1 to %d bytes", MaxName)
	}
	if !utf8.ValidString(s) {
		return errors.New("not UTF-8")
	}
	for _, r := range s {
		if r == '\\' || r == utf8.RuneError || !unicode.IsPrint(r) {
			return fmt.Errorf("character %q is not allowed", r)
		}
	}
	return nil
}

func validQuantity(q measure.Quantity) bool {
	if q == "" || len(q) > 64 || q[0] < 'a' || q[0] > 'z' {
		return false
	}
	for i := range len(q) {
		c := q[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// Sift splits points into those every engine takes and those none does. Without rejects, good is points itself.
func Sift(points []Point) (good []Point, rejected []Rejected) {
	for i, p := range points {
		err := p.Validate()
		switch {
		case err != nil && rejected == nil:
			good = append(make([]Point, 0, len(points)), points[:i]...)
			fallthrough
		case err != nil:
			rejected = append(rejected, Rejected{p, err.Error()})
		case rejected != nil:
			good = append(good, p)
		}
	}
	if rejected == nil {
		return points, nil
	}
	return good, rejected
}
