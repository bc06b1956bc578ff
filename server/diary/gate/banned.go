package gate

import (
	"math"
	"time"

	"aovuon/server/farm"
)

// beforeDays is how long what was used at a place before a season is told of in it.
const beforeDays = 365

// banned judges what was used against the table of actives. A banned active in a season holds its lots for good: only a second person with a
// reason lets one go.
func (j *judge) banned(s season) {
	if s.branch == farm.Process {
		return
	}
	scope := ScopeOf(s.branch)
	if s.place.Kind == farm.Pond {
		scope = Aquaculture
	}
	for _, e := range j.entries(s) {
		r, uses := e.used()
		if !uses {
			continue
		}
		day := e.day
		own := s.belongs(j, e)
		if !own && j.daysSince(day) > beforeDays {
			continue
		}
		for _, h := range j.actives(r, scope) {
			f := Finding{
				Rule: Banned, Level: Block, Place: s.place.Code, Cycle: s.id, Cause: e.First.ID, Record: about(farm.Input, r.ID), Args: []any{h.Name, r.Name(), day, h.Source, j.table.Status},
			}
			switch {
			case !h.Blocks():
				f.Rule, f.Level = BannedMaybe, Warning
			case !own:
				f.Rule, f.Level, f.Clears = BannedBefore, Warning, day.AddDate(0, 0, beforeDays+1)
			}
			j.newest(f, h.Name, r.ID)
		}
	}
}

// DriftDays is how many days a spray near a pond is told of: longer than pyrethroids last in water that the sun shines on, and than what drifted in
// shows in the fish.
const DriftDays = 30

// drift judges pyrethroids sprayed near a pond; at a plot, near which pond that was.
func (j *judge) drift(p farm.Place) {
	for _, o := range j.Farm.Places {
		if (p.Kind == farm.Pond) == (o.Kind == farm.Pond) {
			continue
		}
		plot, pond := o, p
		if p.Kind != farm.Pond {
			plot, pond = p, o
		}
		m, known := plot.Outline.DistanceM(pond.Outline)
		if known && m > j.Settings.DriftM || !known && p.Code == plot.Code { // at the plot only what is known: it would name every pond
			continue
		}
		for _, e := range j.at[plot.Code] {
			r, uses := e.used()
			if !uses || j.daysSince(e.day) > DriftDays {
				continue
			}
			hits := j.actives(r, Drift)
			if len(hits) == 0 {
				continue
			}
			f := Finding{
				Rule: DriftNear, Level: Warning, Place: p.Code, Cause: e.First.ID, Record: about(farm.Input, r.ID), Clears: e.day.AddDate(0, 0, DriftDays+1),
				Args: []any{hits[0].Name, o.Title, int(math.Round(m)), e.day},
			}
			switch {
			case !known:
				f.Rule, f.Level, f.Args = DriftUnknown, Note, []any{hits[0].Name, o.Title, e.day}
			case p.Code == plot.Code:
				f.Rule = DriftSprayed
			}
			j.newest(f, o.Code, r.ID)
		}
	}
}

// last returns the newest of a season's own entries of a kind.
func (j *judge) last(s season, kind string) (out act, at time.Time) {
	for _, e := range j.entries(s) {
		if e.Kind == kind && s.belongs(j, e) && !e.At().Before(at) {
			out, at = e, e.At()
		}
	}
	return out, at
}
