package diary

import (
	"cmp"
	"math"
	"slices"
	"time"

	"aovuon/server/farm"
)

// Stand is what is known of a place at a moment: what Order goes by.
type Stand struct {
	Place   farm.Kind
	Branch  farm.Branch // of the season that is open; "": none is, so everything that places of the kind know
	Began   time.Time   // of that season; zero: none is open
	Entries []Entry     // of the place, of that season if one is open
	Overdue []string    // kinds that somebody found missing or late
	Now     time.Time
}

// rhythm says when a kind is usually due.
type rhythm struct {
	every float64 // days from one to the next; 0: no rhythm, it is done when there is need
	hours [][2]float64
	from  float64 // days after the season began
	until float64 // 0: to its end
	once  bool    // it opens a season: asked for until it is there
	ahead bool    // before a season is open
	base  float64 // how often people here need it, all else being equal
}

// rhythms are those of ponds and fields of the Red River delta: [P] proposed by this project, meant to put the right picture under the thumb
// and nothing else. What a place itself does soon weighs more.
func rhythms() map[string]rhythm {
	early, late := [2]float64{5, 10}, [2]float64{15, 18.5}
	return map[string]rhythm{
		Feeding:          {every: 0.4, hours: [][2]float64{early, late}, base: 5},
		WaterTest:        {every: 3, hours: [][2]float64{{5, 8}, {13, 16}}, base: 4},
		"mortality":      {hours: [][2]float64{{5, 9}}, base: 2},
		Treatment:        {base: 2},
		EnvProduct:       {every: 14, hours: [][2]float64{{8, 11}}, base: 2},
		Sampling:         {every: 30, from: 14, base: 1},
		Aeration:         {hours: [][2]float64{{21, 24}, {0, 6}}, base: 1},
		"water_exchange": {every: 14, base: 1},
		Stocking:         {once: true, until: 10, base: 1},
		PondPrep:         {ahead: true, until: 3, base: 1},
		"irrigation":     {every: 5, hours: [][2]float64{early, late}, base: 3},
		Spraying:         {hours: [][2]float64{{5, 8}, {15.5, 18}}, base: 3},
		Fertilizing:      {every: 20, hours: [][2]float64{early, late}, base: 3},
		"scouting":       {every: 7, hours: [][2]float64{early}, from: 7, base: 2},
		"weeding":        {every: 25, from: 10, base: 1},
		Planting:         {once: true, until: 20, base: 1},
		Seeding:          {once: true, until: 10, base: 1},
		"land_prep":      {ahead: true, until: 5, base: 1},
		Batch:            {hours: [][2]float64{{6, 17}}, base: 6},
		"packing":        {base: 3},
		"cleaning":       {every: 1, hours: [][2]float64{{16, 19}}, base: 2},
		"storing":        {every: 3, base: 2},
		Harvest:          {from: 60, base: 2},
		Sale:             {from: 60, base: 1},
		"note":           {base: 1.5},
	}
}

// What each reason weighs.
const (
	overdueWeight = 100
	openerWeight  = 40
	dueWeight     = 20 // what is as late as its rhythm is long
	hourWeight    = 6
	habitWeight   = 12
	readyWeight   = 25
)

// Order returns the names of the kinds that can be entered at a place, what it needs now first: what is overdue, what opens a season that has
// begun, what its rhythm, the hour and its own habit of the last 30 days ask for. What was just done goes back.
func Order(s Stand) []string {
	type scored struct {
		name  string
		score float64
	}
	known := rhythms()
	var all []scored
	for _, k := range Kinds() {
		if k.Name == Void || k.Name == Release || !k.at(s.Place, s.Branch) {
			continue
		}
		all = append(all, scored{k.Name, s.score(k.Name, known[k.Name])})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	out := make([]string, len(all))
	for i, x := range all {
		out[i] = x.name
	}
	return out
}

// at reports whether a kind can be entered at a kind of place, in a branch; "": in any that such a place knows.
func (k Kind) at(place farm.Kind, b farm.Branch) bool {
	if len(k.Places) > 0 && !slices.Contains(k.Places, place) {
		return false
	}
	return b == "" || k.Of(b) || len(k.Places) > 0 && !slices.Contains(branchesOf(place), b)
}

// branchesOf are the branches that a kind of place is made for.
func branchesOf(place farm.Kind) []farm.Branch {
	switch place {
	case farm.Pond:
		return []farm.Branch{farm.Fish}
	case farm.Plot:
		return []farm.Branch{farm.Crop, farm.Herb}
	case farm.Shed:
		return []farm.Branch{farm.Process, farm.Herb}
	}
	return nil
}

func (s Stand) score(name string, r rhythm) float64 {
	score := r.base
	if slices.Contains(s.Overdue, name) {
		score += overdueWeight
	}
	last, times, there := s.history(name)
	if !s.Began.IsZero() {
		score += s.season(name, r, there)
	} else if r.ahead {
		score += openerWeight
	}
	if len(r.hours) > 0 {
		score += hourWeight * s.nearness(r.hours)
	}
	if r.every > 0 {
		score += s.due(r, last)
	} else if !last.IsZero() && s.Now.Sub(last) < time.Hour { // a second time at once is rare
		score -= dueWeight / 2
	}
	return score + habitWeight*min(1, float64(times)/15)
}

// season weighs the stage of the season that is open.
func (s Stand) season(name string, r rhythm, there bool) float64 {
	day := s.Now.Sub(s.Began).Hours() / 24
	switch {
	case r.once && !there && day < r.until*3:
		return openerWeight
	case r.once && there, r.ahead && day > r.until:
		return -dueWeight
	case day < r.from:
		return -dueWeight
	case name == Harvest && (there || day > s.grown()), name == Sale && there:
		return readyWeight
	case name == Sale:
		if _, n, _ := s.history(Harvest); n > 0 {
			return readyWeight
		}
	}
	return 0
}

// grown is the day of a season from which a harvest is likely.
func (s Stand) grown() float64 {
	if s.Branch == farm.Fish {
		return 110
	}
	return 75
}

// due is how late a kind is by its rhythm: −1 just after it was done, 1 and no more from twice its length on. Of what was never done here
// nobody knows whether it is late: it counts less.
func (s Stand) due(r rhythm, last time.Time) float64 {
	most := 1.0
	if last.IsZero() {
		if s.Began.IsZero() {
			return 0
		}
		last, most = s.Began.Add(time.Duration(r.from*24*float64(time.Hour))), 0.4
	}
	days := s.Now.Sub(last).Hours() / 24
	return dueWeight * max(-1, min(most, days/r.every-1))
}

// nearness is 1 within usual hours, and falls to 0 within two hours of them.
func (s Stand) nearness(hours [][2]float64) float64 {
	local := s.Now.In(farm.Time())
	at := float64(local.Hour()) + float64(local.Minute())/60
	best := 0.0
	for _, h := range hours {
		away := max(0, h[0]-at, at-h[1])
		best = max(best, 1-away/2)
	}
	return math.Max(0, best)
}

// history says when a kind was last done, and how often within 30 days.
func (s Stand) history(name string) (last time.Time, times int, there bool) {
	for _, e := range s.Entries {
		if e.Kind != name || e.Voided || e.At().After(s.Now.Add(MostAhead)) {
			continue
		}
		there = true
		if e.At().After(last) {
			last = e.At()
		}
		if s.Now.Sub(e.At()) < 30*24*time.Hour {
			times++
		}
	}
	return last, times, there
}
