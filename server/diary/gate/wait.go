package gate

import (
	"math"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// Waiting days are whole local days. Day 0 is the day of the spray, or the last day of the treatment (its field end; without one, the day it
// was given). The waiting days are the days 1 to N after it. Harvest is allowed from the day after the last waiting day, at 00:00
// Asia/Ho_Chi_Minh. N = 0 asks for no waiting day: harvest is allowed on day 0 itself.

// AllowedFrom returns that moment: day0 is 00:00 of day 0 at the co-op.
func AllowedFrom(day0 time.Time, waiting int) time.Time {
	if waiting <= 0 {
		return day0
	}
	return day0.AddDate(0, 0, waiting+1)
}

// needsDays reports whether an entry must not count as long as nobody has entered its input's waiting days: drugs and pesticides always, and
// whatever was given as a treatment or a spray.
func needsDays(e act, r farm.Record) bool {
	t := r.Values.Text("type")
	return e.Kind == diary.Treatment || e.Kind == diary.Spraying || t == farm.Drug || t == farm.Pesticide
}

// wait judges the waiting days of a season: every input used at its place, or for it, that has any, whoever's season it was used in.
func (j *judge) wait(s season) {
	h := Harvest{Place: s.place.Code, Cycle: s.id}
	later := func(from time.Time, cause string) {
		if from.After(h.From) || (from.Equal(h.From) && cause > h.Cause) {
			h.From, h.Cause = from, cause
		}
	}
	rule, key := PreHarvest, "phi_days"
	if s.place.Kind == farm.Pond {
		rule, key = Withdrawal, "withdrawal_days"
	}
	open := map[time.Time]Finding{}
	for _, e := range j.entries(s) {
		r, uses := e.used()
		if !uses || s.place.Kind == farm.Shed {
			continue
		}
		day0 := j.lastDay(e)
		n, known := r.Values.Number(key)
		switch {
		case !known && needsDays(e, r):
			h.Unknown = true
			j.newest(Finding{Rule: UnknownDays, Level: Block, Place: s.place.Code, Cycle: s.id, Cause: e.First.ID, Record: about(farm.Input, r.ID), Args: []any{r.Name(), day0}}, r.ID)
		case known:
			from := AllowedFrom(day0, int(n))
			later(from, e.First.ID)
			if j.Now.Before(from) {
				keep(open, Finding{Rule: rule, Level: Block, Place: s.place.Code, Cycle: s.id, Cause: e.First.ID, Record: about(farm.Input, r.ID), Clears: from, Args: []any{from, r.Name(), day0, int(n)}})
			}
		}
		if from, waits, unknown := j.degreeDays(s, e, r, day0); waits {
			h.Unknown = h.Unknown || unknown
			if !unknown {
				later(from, e.First.ID)
			}
		}
	}
	for _, f := range open {
		j.find(f)
	}
	j.verdict.Harvests = append(j.verdict.Harvests, h)
}

// keep leaves of the findings that clear at the same moment the one whose cause is newest: a feed with a drug that is given twice a day for a
// week is said once for each day it ends on.
func keep(open map[time.Time]Finding, f Finding) {
	if o, there := open[f.Clears]; !there || f.Cause > o.Cause {
		open[f.Clears] = f
	}
}

// lastDay returns day 0 of an entry: 00:00 of the last day on which it was given.
func (j *judge) lastDay(e act) time.Time {
	day := e.day
	if end := e.Values.Day(diary.KeyEnd, j.zone); e.Kind == diary.Treatment && end.After(day) {
		return end
	}
	return day
}

// mostYears bounds how long degree-days are added up: a pond that is measured has 500 °C·d in a month.
const mostYears = 2

// degreeDays adds up the daily means of the pond from the day after the treatment, for a season that asks for it, and says from when the sum
// is there. A day that was not measured adds nothing. waits is false where the rule does not apply; unknown is true while the sum is not there:
// nobody can say when it will be, and until then the season is not free.
func (j *judge) degreeDays(s season, e act, r farm.Record, day0 time.Time) (from time.Time, waits, unknown bool) {
	want, asked := s.rec.Values.Number("degree_days")
	if !asked || want <= 0 || s.place.Kind != farm.Pond || !j.asksForDegrees(e, r) {
		return time.Time{}, false, false
	}
	sum, missing, recent := 0.0, 0, []float64(nil)
	last := day0.AddDate(mostYears, 0, 0)
	for day := day0.AddDate(0, 0, 1); day.Before(j.today) && day.Before(last); day = day.AddDate(0, 0, 1) {
		c, ok := 0.0, false
		if j.Temperature != nil {
			c, ok = j.Temperature(s.place.Code, day)
		}
		if !ok {
			missing++
			continue
		}
		if recent = append(recent, max(0, c)); len(recent) > 7 {
			recent = recent[1:]
		}
		if sum += max(0, c); sum >= want {
			return day.AddDate(0, 0, 1), true, false // Now is past it: today has begun after that day
		}
	}
	f := Finding{Rule: DegreeDaysNone, Level: Block, Place: s.place.Code, Cycle: s.id, Cause: e.First.ID, Record: about(farm.Input, r.ID), Args: []any{want, r.Name(), missing}}
	if mean := mean(recent); mean > 0 {
		f.Rule, f.Args = DegreeDays, []any{sum, want, r.Name(), missing, int(math.Ceil((want - sum) / mean))}
	}
	j.newest(f, r.ID)
	return time.Time{}, true, true
}

// mean returns 0 of nothing.
func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(max(1, len(all)))
}

// asksForDegrees reports whether an entry's input is one that a withdrawal by degree-days is for: a drug, or what was given as a treatment and is
// no lime, probiotic or the like. What asks for no waiting by its label asks for none by degrees.
func (j *judge) asksForDegrees(e act, r farm.Record) bool {
	if n, known := r.Values.Number("withdrawal_days"); known && n == 0 {
		return false
	}
	t := r.Values.Text("type")
	return t == farm.Drug || t == farm.Pesticide || (e.Kind == diary.Treatment && !slices.Contains([]string{farm.Lime, farm.Probiotic, farm.Feed}, t))
}
