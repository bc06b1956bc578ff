package soil

import (
	"context"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

// Capacity is what a probe of a plot reads now, when somebody wants to take it for the soil's field capacity.
type Capacity struct {
	Probe    string // GATEWAY/SENSOR
	Moisture float64
	Newest   time.Time // end of the newest hour
	Doubts   []Doubt   // none: take it
}

// Doubt is a reason not to take a reading for the field capacity; its words are soil.doubt.KEY.
type Doubt string

// The doubts.
const (
	Stale    Doubt = "stale"    // the newest good hour is older than Fresh: it cannot be taken
	Beyond   Doubt = "beyond"   // no soil holds so much, or so little: it cannot be taken
	Untrue   Doubt = "untrue"   // the gateway does not trust it
	NoRain   Doubt = "no_rain"  // nothing wetted the soil in the days before
	Draining Doubt = "draining" // it was wetted less than a day ago, or still falls
	Late     Doubt = "late"     // it was wetted more than two days ago: the crop has drunk of it
	Far      Doubt = "far"      // far from what soils of the plot's texture hold: the probe is not calibrated, or the texture is another
)

// Doubts returns every doubt.
func Doubts() []Doubt { return []Doubt{Stale, Beyond, Untrue, NoRain, Draining, Late, Far} }

// Bars reports whether a reading cannot be taken at all.
func (d Doubt) Bars() bool { return d == Stale || d == Beyond }

// Barred reports whether the reading cannot be taken at all.
func (c Capacity) Barred() bool {
	for _, d := range c.Doubts {
		if d.Bars() {
			return true
		}
	}
	return false
}

// Bounds of what is taken, as the farm file has them, and how far from the texture's figure nobody wonders, percent of the volume.
const (
	leastTaken, mostTaken = 5, 60
	usual                 = 8.0 // below it; above it WetAbove: a heavy soil that has not drained reads high and stays there
)

// Capacities returns what the soil probes of a plot read now.
func (s *Service) Capacities(ctx context.Context, p farm.Place, at time.Time) (out []Capacity, err error) {
	f, err := s.book.Farm(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range mounted(f, p.Code, measure.SoilMoisture, at) {
		one := Field{Place: p, At: at}
		if err := s.hoursOf(ctx, &one, []farm.Mount{m}); err != nil {
			return nil, err
		}
		c := Capacity{Probe: m.Gateway + "/" + m.Sensor, Newest: one.Newest}
		if len(one.Hours) > 0 {
			one.now()
			c.Moisture = one.Moisture
		}
		c.Doubts = one.doubts()
		out = append(out, c)
	}
	return out, nil
}

// doubts returns what speaks against the moisture of now as the field capacity.
func (f *Field) doubts() (out []Doubt) {
	if f.Lacks == Silent {
		return []Doubt{Stale}
	}
	if f.Moisture < leastTaken || f.Moisture > mostTaken {
		out = append(out, Beyond)
	}
	if f.Suspect {
		out = append(out, Untrue)
	}
	switch top, ok := f.wetting(); {
	case !ok:
		out = append(out, NoRain)
	case f.At.Sub(top.Start) < drainsIn, f.fell() > steady:
		out = append(out, Draining)
	case f.At.Sub(top.Start) > driesIn:
		out = append(out, Late)
	}
	if h, ok := farm.Texture(f.Place.Ground.Texture); ok && (f.Moisture < h.FieldCapacity-usual || f.Moisture > h.FieldCapacity+WetAbove) {
		out = append(out, Far)
	}
	return out
}

// Of a soil that was wetted and has drained since.
const (
	wetted   = 3.0 // percent that a rain lifts the moisture by, at least
	steady   = 1.0 // percent that it may still fall by in the last 12 hours
	drainsIn = 24 * time.Hour
	driesIn  = 48 * time.Hour
)

// wetting returns the wettest hour of the last three days; ok is false where the soil was not wetted before it.
func (f *Field) wetting() (top Hour, ok bool) {
	peak := -1
	for i, h := range f.Hours {
		if f.At.Sub(h.Start) <= driesIn+drainsIn && (peak < 0 || h.Moisture > f.Hours[peak].Moisture) {
			peak = i
		}
	}
	if peak < 0 {
		return top, false
	}
	top = f.Hours[peak]
	low := top.Moisture
	for _, h := range f.Hours[:peak] {
		if top.Start.Sub(h.Start) <= drainsIn {
			low = min(low, h.Moisture)
		}
	}
	return top, top.Moisture-low >= wetted
}

// fell returns by how much the moisture fell in the last twelve hours, percent of the volume.
func (f *Field) fell() float64 {
	for _, h := range f.Hours {
		if f.At.Sub(h.Start) <= drainsIn/2 {
			return h.Moisture - f.Moisture
		}
	}
	return 0
}

// drained reports whether the soil was wetted a day or two ago and has come to rest since: the moment to read its field capacity.
func (f *Field) drained() bool {
	top, ok := f.wetting()
	since := f.At.Sub(top.Start)
	return ok && since >= drainsIn && since <= driesIn && f.fell() <= steady
}
