package soil

import (
	"slices"
	"time"

	"aovuon/server/farm"
)

// Numbers of the method that are this project's choice.
const (
	// WetAbove is how far above field capacity a soil is waterlogged, percent of its volume, and WetHours for how long before somebody is told.
	WetAbove = 5.0
	WetHours = 24
	// DryStress is the Ks below which a crop is in drought, and DryHours for how long.
	DryStress = 0.5
	DryHours  = 6
	// Fresh is how old the newest hour of a probe may be.
	Fresh = 4 * time.Hour
	// leastHours of the last 24 must be known before a spell of so long is believed; the same of a day's air.
	leastHours = 20
	// nowHours are averaged to what the moisture is now.
	nowHours = 3
	// airDays are averaged to what a day takes from the soil.
	airDays = 3
	// soon is within how many days an irrigation is announced.
	soon = 1.0
	// mostSpread is how far two probes of a plot may differ without a word, percent of the volume.
	mostSpread = 8.0
)

// Hour is one hour of a soil probe.
type Hour struct {
	Start    time.Time
	Moisture float64 // mean of the hour, percent of the volume
}

// Water is an irrigation or a rain of the diary.
type Water struct {
	At      time.Time
	MM      float64 // 0: nobody said
	Minutes float64 // irrigation: 0: nobody said
}

// Missing says what a plot lacks to be judged; its words are why.soil_KEY.
type Missing string

// What may be missing, the first thing to mend first.
const (
	NoProbe  Missing = "no_probe"  // no soil probe hangs there
	NoGround Missing = "no_ground" // neither texture nor field capacity are known
	Silent   Missing = "silent"    // the probe's newest good hour is older than Fresh
	Moved    Missing = "moved"     // the field capacity was read by a probe that hangs there no more
)

// Field is what one plot is judged by, and what came of it.
type Field struct {
	Place  farm.Place
	At     time.Time
	Season *Season // nil: nothing grows there that is on record
	Fallow bool    // it had a season, which is over
	Lacks  Missing // empty: nothing

	Probe     string // GATEWAY/SENSOR whose hours are used; empty: the mean of several
	Hours     []Hour // valid ones, the oldest first
	Air       []AirDay
	AirFrom   farm.Place // whose air it is
	North     float64    // degrees
	Assumed   bool       // North is the delta's: the plot has no outline
	Rain      []Water    // of the last 10 days, the oldest first
	Irrigated *Water     // the last one; nil: none is written down

	Holds     farm.Holding
	Estimated bool    // the field capacity is the texture's
	Replaced  bool    // there was one of this field, read by a probe that hangs here no more
	Suspect   bool    // the gateway does not trust the newest readings
	Spread    float64 // between the probes that are averaged, percent of the volume
	State
}

// State is what came of it. Moistures are percent of the volume.
type State struct {
	Moisture float64   // now
	Newest   time.Time // end of the newest hour

	ET0, ETc float64 // mm/day; meaningful when Method is set
	Method   string  // of ET0; empty: the air is not known
	Kc       float64
	Roots    float64 // m
	P        float64 // share of the available water that may be taken
	TAW, RAW float64 // mm
	Depleted float64 // mm
	Trigger  float64
	Stress   float64 // Ks, 1: none
	Days     float64 // until Trigger at ETc; meaningful when Method is set; 0: it is there
	GiveMM   float64 // net, to field capacity
	GiveM3   float64 // 0: the area is not known

	Wet, Dry Spell // above field capacity by WetAbove; below DryStress
	Withers  Spell // at or below the wilting point
	// Leaks is when the soil was wet last that a day later had lost more than any crop drinks: it holds less than it is reckoned to.
	Leaks   time.Time
	Drained bool // it rained a day or two ago and the soil has drained since: now its field capacity can be read
}

// Spell is how long something has lasted without a break.
type Spell struct {
	Since time.Time // zero: it does not
	Hours int       // known ones in it
}

// Lasts returns for how long, as of a time.
func (s Spell) Lasts(at time.Time) time.Duration {
	if s.Since.IsZero() {
		return 0
	}
	return at.Sub(s.Since)
}

// confirmed reports whether it has lasted so many hours, of which all but a sixth are known.
func (s Spell) confirmed(at time.Time, hours int) bool {
	return s.Lasts(at) >= time.Duration(hours)*time.Hour && s.Hours >= hours-hours/6
}

// judge fills the State of a field.
func (f *Field) judge() {
	f.weather()
	if f.Lacks != "" {
		return
	}
	f.now()
	f.Wet = f.spell(func(m float64) bool { return m > f.Holds.FieldCapacity+WetAbove })
	f.Drained = f.drained()
	s := f.Season
	if s == nil || s.Flooded {
		return
	}
	f.Kc, f.Roots, f.P = s.Coefficient(f.At), s.Depth(f.At), s.P
	if f.Method != "" {
		f.ETc = f.Kc * f.ET0
		f.P = Depletable(s.P, f.ETc)
	}
	f.TAW = Available(f.Holds, f.Roots)
	f.RAW = f.P * f.TAW
	f.Trigger = Trigger(f.Holds, f.P)
	f.Depleted = Depletion(f.Holds, f.Moisture, f.Roots)
	f.Stress = Stress(f.Holds, f.Moisture, f.P)
	if f.ETc > 0 {
		f.Days = max(0, (f.RAW-f.Depleted)/f.ETc)
	}
	f.GiveMM = f.Depleted
	if area := f.area(); area > 0 {
		f.GiveM3 = f.GiveMM * area / 1000
	}
	f.Leaks = f.leaks()
	limit := dryAt(f.Holds, DryStress, f.P)
	f.Dry = f.spell(func(m float64) bool { return m < limit })
	f.Withers = f.spell(func(m float64) bool { return m <= f.Holds.WiltingPoint })
}

// now reads the moisture of now off the newest hours.
func (f *Field) now() {
	f.Newest = f.Hours[len(f.Hours)-1].Start.Add(time.Hour)
	f.Moisture = mean(f.Hours, f.Newest.Add(-nowHours*time.Hour))
}

func (f *Field) area() float64 {
	if f.Season != nil && f.Season.AreaM2 > 0 {
		return f.Season.AreaM2
	}
	return f.Place.AreaM2
}

// weather reckons what the newest whole days took from reference grass.
func (f *Field) weather() {
	days := f.Air[max(0, len(f.Air)-airDays):]
	if len(days) == 0 || f.At.Sub(days[len(days)-1].Day) > 72*time.Hour {
		return
	}
	sum := 0.0
	for _, d := range days {
		mm, method := d.Reference(f.North)
		sum += mm
		if f.Method != Hargreaves {
			f.Method = method
		}
	}
	f.ET0 = sum / float64(len(days))
}

// mean is that of the hours from a time on.
func mean(hours []Hour, from time.Time) float64 {
	sum, n := 0.0, 0.0
	for _, h := range hours {
		if !h.Start.Before(from) {
			sum, n = sum+h.Moisture, n+1
		}
	}
	return sum / n
}

// longestGap may lie within a spell: what is longer breaks it, since nobody knows what was.
const longestGap = 5 * time.Hour

// spell returns how long all known hours up to the newest have been as out says.
func (f *Field) spell(out func(moisture float64) bool) (s Spell) {
	next := f.At
	for _, h := range slices.Backward(f.Hours) {
		if !out(h.Moisture) || next.Sub(h.Start) > longestGap {
			return s
		}
		next, s.Since, s.Hours = h.Start, h.Start, s.Hours+1
	}
	return s
}

// Of a soil that holds less water than it is reckoned to.
const (
	leaksFrom  = 18 * time.Hour
	leaksUntil = 36 * time.Hour
	leastUse   = 3.0 // mm a day: what a crop may use that nobody reckoned
	leaksTimes = 4.0 // so many times faster than the crop drinks
)

// leaks returns the last time from which the soil lost more within a day than a crop can drink, down to less than half of what it may lose,
// without having been wetted in between; zero: none. Above its field capacity a soil drains: below it, it should not.
func (f *Field) leaks() (since time.Time) {
	perDay := leaksTimes * max(leastUse, f.ETc) / (10 * f.Roots) // percent of the volume
	half := (f.Holds.FieldCapacity + f.Trigger) / 2
	for i, h := range f.Hours {
		if h.Moisture <= half {
			continue
		}
		for _, later := range f.Hours[i+1:] {
			ago := later.Start.Sub(h.Start)
			if later.Moisture > h.Moisture || ago > leaksUntil {
				break
			}
			if ago >= leaksFrom && later.Moisture < half && h.Moisture-later.Moisture > perDay*ago.Hours()/24 {
				since = h.Start
				break
			}
		}
	}
	return since
}
