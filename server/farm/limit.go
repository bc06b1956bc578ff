package farm

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"aovuon/gateway/measure"
)

// What is what a limit is of.
type What string

// The kinds of limits.
const (
	OfValue What = ""      // each value
	OfSwing What = "swing" // highest less lowest value of 24 hours
	OfRate  What = "rate"  // how fast the value rises, per hour; falling is below zero
	OfKit   What = "kit"   // what a person measured with a kit and wrote into the diary (KitParameters)
)

// Limit is one row of a profile: values below (or above) Value are out of limits. Limits are data, and name their source.
type Limit struct {
	Profile  string
	Quantity measure.Quantity // or the Key of a KitParameter
	Level    Level
	Above    bool    // true: values above Value are out; false: values below are
	Value    float64 // in the quantity's unit
	Source   Text    // shown wherever the limit is used

	What What `json:"What,omitempty"`
	// Clear is the value, inside the limit, that values must be past before an alarm may end; HasClear false: as is usual.
	Clear    float64       `json:"Clear,omitempty"`
	HasClear bool          `json:"HasClear,omitempty"`
	For      time.Duration `json:"For,omitempty"`  // how long values must be beyond the limit before somebody is told; 0: as is usual
	Keep     time.Duration `json:"Keep,omitempty"` // how long they must be back before the alarm ends; 0: as is usual
	// N of the newest M values beyond the limit are enough, instead of all for as long as For; 0: not used. The first of them counts
	// from then on.
	N int `json:"N,omitempty"`
	M int `json:"M,omitempty"`
}

// Bounds of a row.
const (
	ForMost  = 24 * time.Hour
	KeepMost = 24 * time.Hour
	MMost    = 60
)

// KitParameter is something that is measured with a kit alone; Key is the field of the diary's water test.
type KitParameter struct {
	Key      string
	Unit     string
	Max      float64
	Decimals int
}

// KitParameters lists what kits measure and limits may be of.
func KitParameters() []KitParameter {
	return []KitParameter{
		{"nh3", "mg/L", 20, 2}, {"no2", "mg/L", 50, 2}, {"h2s", "mg/L", 10, 2}, {"transparency", "cm", 300, 0}, {"alkalinity", "mg/L", 1000, 0},
	}
}

// KitParameterOf returns the parameter of a key.
func KitParameterOf(key string) (KitParameter, bool) {
	for _, k := range KitParameters() {
		if k.Key == key {
			return k, true
		}
	}
	return KitParameter{}, false
}

// Topic is what an alarm of the limit is about: the quantity; of a swing, a rate or a kit with the kind before it.
func (l Limit) Topic() string {
	if l.What == OfValue {
		return string(l.Quantity)
	}
	return string(l.What) + "/" + string(l.Quantity)
}

// Broken reports whether v is beyond the limit. A value equal to the limit is within.
func (l Limit) Broken(v float64) bool {
	if l.Above {
		return v > l.Value
	}
	return v < l.Value
}

// Persistence is how long values must be beyond the limit before somebody is told: For or, where the row does not say, what is usual for the
// quantity: oxygen 10 min, critical 3 min (three readings), the soil 6 h, else 30 min; a kit's value counts at once.
func (l Limit) Persistence() time.Duration {
	switch {
	case l.For > 0:
		return l.For
	case l.What == OfKit:
		return 0
	}
	switch l.Quantity { //nolint:exhaustive // the others are all alike
	case measure.DissolvedOxygen, measure.OxygenSaturation:
		if l.Level == Crit {
			return 3 * time.Minute
		}
		return 10 * time.Minute
	case measure.SoilMoisture, measure.SoilTemperature, measure.SoilConductivity, measure.SoilPH:
		return 6 * time.Hour
	}
	return 30 * time.Minute
}

// Keeping is how long values must be back, past the offset, before an alarm ends: Keep, or 15 min.
func (l Limit) Keeping() time.Duration { return cmp.Or(l.Keep, 15*time.Minute) }

// Offset is the value that values must be past before an alarm may end: Clear or, where the row does not say, 0.5 mg/L inside a limit of
// oxygen, and any other limit itself.
func (l Limit) Offset() float64 {
	if l.HasClear {
		return l.Clear
	}
	band := 0.0
	if l.Quantity == measure.DissolvedOxygen && l.What == OfValue {
		band = 0.5
	}
	if l.Above {
		return l.Value - band
	}
	return l.Value + band
}

// Cleared reports whether v is past the offset, inside the limit.
func (l Limit) Cleared(v float64) bool {
	if l.Above {
		return v <= l.Offset()
	}
	return v >= l.Offset()
}

// wrong says what is wrong with the numbers of a row; "": nothing.
func (l Limit) wrong() (key, problem string) {
	if math.IsNaN(l.Value) || math.IsInf(l.Value, 0) || math.IsNaN(l.Clear) || math.IsInf(l.Clear, 0) {
		return "", "not a number"
	}
	var low, high float64
	var unit string
	if k, ok := KitParameterOf(string(l.Quantity)); ok && l.What == OfKit {
		high, unit = k.Max, k.Unit
	} else if info, ok := l.Quantity.Info(); ok && l.What != OfKit {
		low, high, unit = info.Min, info.Max, info.Unit
		switch l.What {
		case OfSwing:
			low, high = 0, info.Max-info.Min
		case OfRate:
			low, high = info.Min-info.Max, info.Max-info.Min
		case OfValue, OfKit:
		}
	} else {
		return "quantity", fmt.Sprintf("unknown quantity %q: use one of %v, or of a kit nh3, no2, h2s, transparency, alkalinity", l.Quantity, measure.Quantities())
	}
	switch {
	case l.Value < low || l.Value > high:
		return "", fmt.Sprintf("%v is outside the physical limits of %s, %v to %v %s", l.Value, l.Quantity, low, high, unit)
	case l.What == OfSwing && !l.Above:
		return "", "a swing can be too large only: use above"
	case l.What == OfRate && (l.Above && l.Value <= 0 || !l.Above && l.Value >= 0):
		return "", "a rate is per hour: above something that rises (more than 0), below something that falls (less than 0)"
	case l.HasClear && (l.Broken(l.Clear) || l.Clear < low || l.Clear > high):
		return "clear", "write a value on the inner side of the limit: from there on an alarm may end"
	case l.For < 0 || l.For > ForMost:
		return "for", fmt.Sprintf("%v is no persistence: from 0 to %v", l.For, ForMost)
	case l.Keep < 0 || l.Keep > KeepMost:
		return "keep", fmt.Sprintf("%v cannot be kept: from 0 to %v", l.Keep, KeepMost)
	case (l.N == 0) != (l.M == 0) || l.N < 0 || l.N > l.M || l.M > MMost:
		return "of", fmt.Sprintf("%d of %d values: write count and of, of at most %d, count not more than of", l.N, l.M, MMost)
	case l.What != OfValue && l.N > 0:
		return "of", "only single values are counted: leave count and of out"
	}
	return "", ""
}

// LimitsOf returns the limits of the values of a quantity at a place, the gravest first.
func (f *Farm) LimitsOf(p Place, q measure.Quantity) []Limit {
	return f.LimitsAbout(p, func(l Limit) bool { return l.What == OfValue && l.Quantity == q })
}

// LimitsAbout returns the limits of a place that about picks, the gravest first.
func (f *Farm) LimitsAbout(p Place, about func(Limit) bool) []Limit {
	var out []Limit
	for _, l := range f.Limits {
		if p.Profile != "" && l.Profile == p.Profile && about(l) {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Limit) int { return cmp.Compare(a.Level, b.Level) }) // "crit" < "warn"
	return out
}
