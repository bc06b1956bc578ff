package truth

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// Limits are the bounds of a quantity that hours are counted by. Nil: no such bound.
type Limits struct{ Below, Above *float64 }

// Usual are the limits that hours are counted by when nothing else is said: for freshwater ponds those of TCVN 13952:2024 (as
// cited by memart.vn), and a relative humidity of 90 % as the Hutton criteria have it. False: there are none.
func Usual(q measure.Quantity) (l Limits, ok bool) {
	set := func(v float64) *float64 { return &v }
	switch q { //nolint:exhaustive // the others have no limits that everybody means
	case measure.DissolvedOxygen:
		return Limits{Below: set(4)}, true
	case measure.PH:
		return Limits{Below: set(6.5), Above: set(9)}, true
	case measure.WaterTemperature:
		return Limits{Below: set(18), Above: set(34)}, true
	case measure.UnionisedAmmonia:
		return Limits{Above: set(0.1)}, true
	case measure.RelativeHumidity:
		return Limits{Above: set(90)}, true
	}
	return Limits{}, false
}

// Check reports a limit that is no number.
func (l Limits) Check() error {
	for _, v := range []*float64{l.Below, l.Above} {
		if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
			return fmt.Errorf("truth: limit %g: want a number", *v)
		}
	}
	return nil
}

// ParseLimits reads LOW..HIGH, LOW.. or ..HIGH.
func ParseLimits(text string) (l Limits, err error) {
	low, high, ok := strings.Cut(text, "..")
	for _, end := range []struct {
		text string
		to   **float64
	}{{low, &l.Below}, {high, &l.Above}} {
		if end.text == "" {
			continue
		}
		v, bad := strconv.ParseFloat(end.text, 64)
		ok = ok && bad == nil
		*end.to = &v
	}
	if !ok || (l == Limits{}) || l.Check() != nil || (l.Below != nil && l.Above != nil && *l.Below > *l.Above) {
		return Limits{}, fmt.Errorf("truth: limits %q: want LOW..HIGH, LOW.. or ..HIGH, such as 6.5..9", text)
	}
	return l, nil
}

// Hours are times below, within and above limits, in hours. A value on a limit is within.
type Hours struct {
	Below  float64 `json:"below_h"`
	Within float64 `json:"within_h"`
	Above  float64 `json:"above_h"`
}

// whole adds a time during which the value was v.
func (h *Hours) whole(l Limits, v float64, long time.Duration) {
	switch {
	case l.Below != nil && v < *l.Below:
		h.Below += long.Hours()
	case l.Above != nil && v > *l.Above:
		h.Above += long.Hours()
	default:
		h.Within += long.Hours()
	}
}

// line adds a time in which the value went straight from a to b.
func (h *Hours) line(l Limits, a, b float64, long time.Duration) {
	below, above := 0.0, 0.0
	if l.Below != nil {
		below = share(*l.Below-a, *l.Below-b)
	}
	if l.Above != nil {
		above = share(a-*l.Above, b-*l.Above)
	}
	h.Below += below * long.Hours()
	h.Above += above * long.Hours()
	h.Within += (1 - below - above) * long.Hours()
}

// share is the part of a straight way from a to b that is above 0.
func share(a, b float64) float64 {
	switch {
	case a <= 0 && b <= 0:
		return 0
	case a >= 0 && b >= 0:
		return 1
	case a > 0:
		return a / (a - b)
	}
	return b / (b - a)
}

// Count counts the hours of a column in a stretch, by values at every step of it that are joined by straight lines.
func Count(w World, c Column, s Span, every time.Duration, l Limits) (h Hours, err error) {
	if err := s.Check(w); err != nil {
		return h, err
	}
	if every < time.Second {
		return h, fmt.Errorf("truth: every %s: want at least 1s", every)
	}
	last, err := w.Value(c.Place, c.Quantity, s.From)
	if err != nil {
		return h, fmt.Errorf("truth: %w", err)
	}
	for t := s.From; t.Before(s.To); {
		long := min(every, s.To.Sub(t))
		t = t.Add(long)
		v, err := w.Value(c.Place, c.Quantity, t)
		if err != nil {
			return h, fmt.Errorf("truth: %w", err)
		}
		h.line(l, last, v, long)
		last = v
	}
	return h, nil
}
