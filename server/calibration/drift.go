package calibration

import (
	"math"
	"time"

	"aovuon/gateway/measure"
)

// Drift is how far a probe was off when it was calibrated, against what was right: what it had moved since the calibration before.
type Drift struct {
	At      time.Time
	Since   time.Time // the calibration of the quantity before it; zero: there is none, and Off is that of a probe as it came
	Point   string    // name of the step at which it was furthest off
	Off     float64   // Before − Expected there, in the unit of the quantity
	Monthly float64   // Off per 30 days; 0 where Since is zero
}

// month is what drift is told for: the time between two calibrations of most probes.
const month = 30 * 24 * time.Hour

// leastApart is how far two calibrations must lie apart before what a probe moved between them says anything of its drift.
const leastApart = 24 * time.Hour

// Drifts returns the drift at every dated calibration of a quantity, the newest first, as entries are. Points that were adjusted within the same
// calibration before them are as the gateway wrote them: Before is what the probe said before this calibration began. Entries that cannot be read
// are left out; they still end the time that the one after them speaks of.
func Drifts(entries []Entry, q measure.Quantity) (out []Drift) {
	var newer *Drift // the last of out, whose Since is not known yet
	for _, e := range entries {
		if e.Quantity != q || e.Time.IsZero() {
			continue
		}
		if newer != nil && newer.Since.IsZero() && e.Time.Before(newer.At) {
			newer.Since = e.Time
			if apart := newer.At.Sub(e.Time); apart >= leastApart {
				newer.Monthly = newer.Off * float64(month) / float64(apart)
			}
		}
		r, err := Read(e.Body)
		if err != nil || len(r.Points) == 0 {
			continue
		}
		d := Drift{At: e.Time}
		for i, p := range r.Points {
			if off := p.Before - p.Expected; i == 0 || math.Abs(off) > math.Abs(d.Off) {
				d.Off, d.Point = off, p.Name
			}
		}
		out = append(out, d)
		newer = &out[len(out)-1]
	}
	return out
}
