package gate

import (
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// TCVN 11041-2:2017, in months.
const (
	annualMonths    = 12 // from the begin of the conversion until sowing
	perennialMonths = 18 // until the first harvest
	leastMonths     = 6  // what a certifier may shorten it to
	unlistedMonths  = 36 // after an input that is not listed
)

// organic judges a season that aims at organic; of the others nothing is said.
func (j *judge) organic(s season) {
	if s.rec.Values.Text("way") != "organic" {
		return
	}
	forbid := func(rule Rule, cause, record string, clears time.Time, args ...any) {
		j.find(Finding{Rule: rule, Level: Block, Claim: ClaimOrganic, Place: s.place.Code, Cycle: s.id, Cause: cause, Record: record, Clears: clears, Args: args})
	}
	if s.branch != farm.Crop && s.branch != farm.Herb {
		forbid(OrganicRules, "", about(farm.Cycle, s.id), time.Time{})
		return
	}
	j.converted(s, forbid)
	j.unlisted(s, forbid)
	j.split(s)
}

// conversion returns when the parcel's conversion began, as the certifier accepts it: the latest day that a season of the place up to this one
// names, since a parcel that was given up begins anew.
func (j *judge) conversion(s season) (from time.Time) {
	for _, r := range j.cycles[s.place.Code] {
		if f := r.Values.Day("conversion_from", j.zone); !r.Values.Day("begin", j.zone).After(s.begin) && f.After(from) {
			from = f
		}
	}
	return from
}

// broken returns the season that ended a conversion: one of the place that was not organic and began after it, up to this season's begin.
func (j *judge) broken(s season, from time.Time) (farm.Record, bool) {
	for _, r := range j.cycles[s.place.Code] {
		begin := r.Values.Day("begin", j.zone)
		if r.ID != s.id && r.Values.Text("way") != "organic" && !begin.Before(from) && !begin.After(s.begin) {
			return r, true
		}
	}
	return farm.Record{}, false
}

// ready returns the day from which the parcel is organic: for sowing an annual crop, for harvesting a perennial one.
func (j *judge) ready(s season, from time.Time) time.Time {
	months := annualMonths
	if s.rec.Values.Flag("perennial") {
		months = perennialMonths
	}
	if n, ok := s.rec.Values.Number("conversion_months"); ok {
		months = max(leastMonths, int(n))
	}
	return from.AddDate(0, months, 0)
}

func (j *judge) converted(s season, forbid func(rule Rule, cause, record string, clears time.Time, args ...any)) {
	from := j.conversion(s)
	if from.IsZero() {
		forbid(OrganicNone, "", about(farm.Cycle, s.id), time.Time{})
		return
	}
	if r, yes := j.broken(s, from); yes {
		forbid(OrganicBroken, "", about(farm.Cycle, r.ID), time.Time{}, r.Name(), r.Values.Day("begin", j.zone))
		return
	}
	ready := j.ready(s, from)
	if s.rec.Values.Flag("perennial") {
		if j.today.Before(ready) {
			forbid(OrganicConvert, "", about(farm.Cycle, s.id), ready, from, ready)
		}
		return
	}
	if sown, cause := j.sown(s); sown.Before(ready) {
		forbid(OrganicCrop, cause, about(farm.Cycle, s.id), time.Time{}, sown, ready) // this crop stays what it is; the next one may be organic
	}
}

// sown returns the day an annual crop was sown or planted first, as entries say it, or the season's first day; and which entry says so.
func (j *judge) sown(s season) (day time.Time, cause string) {
	for _, e := range j.at[s.place.Code] {
		if (e.Kind == diary.Seeding || e.Kind == diary.Planting) && s.belongs(j, e) && !e.day.Before(s.begin.AddDate(0, 0, -30)) {
			return e.day, e.First.ID
		}
	}
	return s.begin, ""
}

// unlisted judges the inputs of the last 36 months that the organic standard does not list. What nobody said of is not listed.
func (j *judge) unlisted(s season, forbid func(rule Rule, cause, record string, clears time.Time, args ...any)) {
	type use struct {
		day   time.Time
		cause string
	}
	newest := map[string]use{}
	for _, e := range j.entries(s) {
		r, uses := e.used()
		if uses && !r.Values.Flag("organic_listed") {
			newest[r.ID] = use{j.lastDay(e), e.First.ID} // entries are in order: the last one stays
		}
	}
	for id, u := range newest {
		clears := u.day.AddDate(0, unlistedMonths, 1) // within 36 months after use: their last day is part of them
		if !j.Now.Before(clears) {
			continue
		}
		rule := OrganicInput
		if _, said := j.inputs[id].Values["organic_listed"]; !said {
			rule = OrganicUnlisted
		}
		forbid(rule, u.cause, about(farm.Input, id), clears, j.inputName(id), u.day, clears)
	}
}

func (j *judge) inputName(id string) string {
	if r, ok := j.inputs[id]; ok {
		return r.Name()
	}
	return id
}

// split warns where a household grows the same species elsewhere at the same time and not organic.
func (j *judge) split(s season) {
	home, ok := farm.HouseholdOf(s.place, j.homes)
	if !ok {
		return
	}
	species := grown(s.rec)
	for _, p := range j.Farm.Places {
		other, ok := farm.HouseholdOf(p, j.homes)
		if p.Code == s.place.Code || !ok || other.ID != home.ID {
			continue
		}
		for _, r := range j.cycles[p.Code] {
			o := j.season(p, r)
			apart := !s.end.IsZero() && o.begin.After(s.end) || !o.end.IsZero() && o.end.Before(s.begin)
			if r.Retired || apart || r.Values.Text("way") == "organic" || grown(r) != species {
				continue
			}
			j.find(Finding{Rule: OrganicSplit, Level: Warning, Place: s.place.Code, Cycle: s.id, Record: about(farm.Cycle, r.ID), Args: []any{r.Values.Text("species"), p.Title}})
		}
	}
}

// grown is a season's species as it is compared.
func grown(r farm.Record) string { return strings.Join(fold(r.Values.Text("species")), " ") }
