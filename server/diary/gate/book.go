package gate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// judge is one case being judged: the case, looked up quickly.
type judge struct {
	Case
	zone    *time.Location
	today   time.Time // 00:00 of Now's local day
	table   *Table
	inputs  map[string]farm.Record
	hits    map[string][]Hit // of an input and scope, once found
	cycles  map[string][]farm.Record
	homes   []farm.Record           // households
	certs   []farm.CertificateScope // of records that are not retired
	at      map[string][]act        // what was done at a place by when they were done; voided ones and those of the future left out
	abroad  map[string][]act        // of a season, where they were done at another place than its own
	said    map[string]int          // findings that stand once, by what they are about
	verdict Verdict
}

func newJudge(c Case) *judge {
	j := &judge{
		Case: c, zone: farm.Time(), table: Actives(), inputs: map[string]farm.Record{}, hits: map[string][]Hit{}, cycles: map[string][]farm.Record{}, at: map[string][]act{}, abroad: map[string][]act{}, said: map[string]int{},
	}
	j.today = farm.MidnightIn(c.Now, j.zone)
	for _, r := range c.Records {
		switch r.Kind {
		case farm.Input:
			j.inputs[r.ID] = r
		case farm.Cycle:
			place := r.Values.Text("place")
			j.cycles[place] = append(j.cycles[place], r)
		case farm.Household:
			j.homes = append(j.homes, r)
		case farm.Certificate:
			if !r.Retired {
				j.certs = append(j.certs, farm.ScopeOf(r))
			}
		case farm.Product, farm.Buyer, farm.Contract, farm.Target, farm.PlaceTable:
		}
	}
	for _, list := range j.cycles {
		slices.SortFunc(list, func(a, b farm.Record) int {
			return cmp.Or(cmp.Compare(a.Values.Text("begin"), b.Values.Text("begin")), cmp.Compare(a.ID, b.ID))
		})
	}
	slices.SortFunc(j.certs, func(a, b farm.CertificateScope) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(j.homes, func(a, b farm.Record) int { return cmp.Compare(a.ID, b.ID) })
	grows := map[string]string{} // season -> place
	for place, list := range j.cycles {
		for _, r := range list {
			grows[r.ID] = place
		}
	}
	until := c.Now.Add(diary.MostAhead)
	for i := range c.Entries {
		e := &c.Entries[i]
		if e.Voided || e.At().After(until) {
			continue
		}
		a := act{Entry: e, day: farm.MidnightIn(e.At(), j.zone), input: j.inputOf(e)}
		j.at[e.Place] = append(j.at[e.Place], a)
		if e.Cycle != "" && grows[e.Cycle] != e.Place {
			j.abroad[e.Cycle] = append(j.abroad[e.Cycle], a)
		}
	}
	for _, list := range j.at {
		slices.SortFunc(list, byTime)
	}
	for _, list := range j.abroad {
		slices.SortFunc(list, byTime)
	}
	return j
}

// act is an entry with what every rule asks of it.
type act struct {
	*diary.Entry
	day   time.Time    // 00:00 of the day it was done
	input *farm.Record // that it used; nil: none
}

func byTime(a, b act) int {
	return cmp.Or(a.At().Compare(b.At()), cmp.Compare(a.First.ID, b.First.ID))
}

// daysSince counts whole local days from day to today.
func (j *judge) daysSince(day time.Time) int { return daysBetween(day, j.today) }

// daysBetween counts local days from one midnight to another. Days are of the calendar, whatever clocks did.
func daysBetween(from, to time.Time) int {
	y, m, d := from.Date()
	y2, m2, d2 := to.Date()
	return int(time.Date(y2, m2, d2, 0, 0, 0, 0, time.UTC).Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
}

// season is a season of a place, or, with no record, the place while none is open.
type season struct {
	place      farm.Place
	rec        farm.Record
	id         string
	branch     farm.Branch
	begin, end time.Time // 00:00 of the first and the last day; zero: no record, or it goes on
	after      time.Time // 00:00 of the day after the season before it; zero: there is none
}

// seasons returns what is judged at a place: the season asked for, those that are open, or the place itself.
func (j *judge) seasons(p farm.Place) []season {
	var out []season
	for _, r := range j.cycles[p.Code] {
		s := j.season(p, r)
		open := !r.Retired && !s.begin.After(j.today) && (s.end.IsZero() || !s.end.Before(j.today))
		if j.Cycle == r.ID || (j.Cycle == "" && open) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		out = append(out, season{place: p, branch: branchOf(p.Kind)})
	}
	return out
}

func (j *judge) season(p farm.Place, r farm.Record) season {
	s := season{place: p, rec: r, id: r.ID, branch: farm.Branch(r.Values.Text("branch")), begin: r.Values.Day("begin", j.zone), end: r.Values.Day("end", j.zone)}
	for _, o := range j.cycles[p.Code] {
		if end := o.Values.Day("end", j.zone); o.ID != r.ID && !end.IsZero() && end.Before(s.begin) && !end.AddDate(0, 0, 1).Before(s.after) {
			s.after = end.AddDate(0, 0, 1)
		}
	}
	return s
}

// branchOf is what a place is for while no season says otherwise.
func branchOf(k farm.Kind) farm.Branch {
	switch k {
	case farm.Pond:
		return farm.Fish
	case farm.Shed:
		return farm.Process
	case farm.Plot:
	}
	return farm.Crop
}

// belongs reports whether an entry is of a season: it names it, or names none and lies between the end of the season before and the end of
// this one, so that what prepared the pond counts. While nobody says which season it is, everything of the last year counts.
func (s season) belongs(j *judge, e act) bool {
	switch {
	case s.id == "":
		return j.daysSince(e.day) <= beforeDays
	case e.Cycle != "":
		return e.Cycle == s.id
	}
	return !e.day.Before(s.after) && (s.end.IsZero() || !e.day.After(s.end))
}

// entries returns what was done at a place, and what names the season from elsewhere.
func (j *judge) entries(s season) []act {
	if s.id == "" || len(j.abroad[s.id]) == 0 {
		return j.at[s.place.Code]
	}
	out := slices.Concat(j.at[s.place.Code], j.abroad[s.id])
	slices.SortFunc(out, byTime)
	return out
}

// inputOf returns the input that an entry used, nil where it used none. One that nobody knows has no values.
func (j *judge) inputOf(e *diary.Entry) *farm.Record {
	id := e.Values.Text(diary.KeyInput)
	if id == "" || e.Kind == diary.Receipt || e.Kind == diary.StockTake {
		return nil
	}
	r, ok := j.inputs[id]
	if !ok {
		r = farm.Record{Kind: farm.Input, ID: id, Values: form.Values{}}
	}
	return &r
}

// used returns the input that an entry used; ok is false where it used none.
func (a act) used() (r farm.Record, ok bool) {
	if a.input == nil {
		return farm.Record{}, false
	}
	return *a.input, true
}

// actives returns those of a scope that an input holds, by its actives and its name.
func (j *judge) actives(r farm.Record, scope Scope) []Hit {
	key := string(scope) + " " + r.ID
	hits, done := j.hits[key]
	if !done {
		for _, text := range append(slices.Clone(r.Values.List("actives")), r.Values.Text("name")) {
			for _, h := range j.table.Find(text, scope) {
				if !slices.ContainsFunc(hits, func(o Hit) bool { return o.Name == h.Name }) {
					hits = append(hits, h)
				}
			}
		}
		j.hits[key] = hits
	}
	return hits
}

// text writes arguments so that they can be compared.
func text(args []any) string {
	var b strings.Builder
	for _, a := range args {
		fmt.Fprintf(&b, "%v\x00", a)
	}
	return b.String()
}
