// Package outbreak says where the same disease or pest was reported at several places that lie near each other within a few days.
//
// The farm and what the diary says of scouting, dead and sick fish come in; cases, clusters of them and a rule.Decision for each place go out.
// That nobody reported anything is not that there is nothing, and no text says so. No SQL, no HTTP, no clock.
package outbreak

import (
	"cmp"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// The kinds of entries that report something.
const (
	scouting  = "scouting"
	mortality = "mortality"
	health    = "health"
)

// Kinds lists them.
func Kinds() []string { return []string{scouting, mortality, health} }

// Fish is the subject of everything that is reported of fish: people write the signs in many ways, and one disease has many.
const Fish = "fish"

// LeastDead is from how many dead fish on a report is a case; a few dead ones are found in every pond. A choice of this project.
const LeastDead = 5

// Case is one report that says something is there.
type Case struct {
	Entry   string // id
	Place   string
	Day     time.Time // 00:00
	At      time.Time
	Subject string // Fish, or the pest's name without marks: what clusters go by
	Name    string // as people wrote it: signs of fish, name of the pest
	Share   float64
	Dead    float64
}

// Cases returns what entries report, oldest first. A report of nothing (0 % affected) or of a few dead fish is none.
func Cases(entries []diary.Entry, zone *time.Location) []Case {
	var out []Case
	for _, e := range entries {
		if e.Voided || e.Place == "" {
			continue
		}
		c := Case{Entry: e.First.ID, Place: e.Place, At: e.At(), Day: farm.MidnightIn(e.At(), zone)}
		if c.read(e) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Case) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Entry, b.Entry)) })
	return out
}

// read takes what an entry says; false: it is no case.
func (c *Case) read(e diary.Entry) bool {
	share, said := e.Values.Number("affected_pct")
	c.Share = share
	switch e.Kind {
	case scouting:
		score, _ := e.Values.Number("blight_score")
		c.Name = e.Values.Text("pest")
		c.Subject = diary.Plain(c.Name)
		return c.Subject != "" && (share > 0 || score > 0 || !said)
	case mortality:
		c.Dead, _ = e.Values.Number("count")
		c.Subject, c.Name = Fish, e.Values.Text("signs")
		return c.Dead >= LeastDead
	case health:
		c.Subject, c.Name = Fish, e.Values.Text("signs")
		return !said || share > 0
	}
	return false
}

// Settings say what a cluster is. They are choices of this project.
type Settings struct {
	Places int     // at least so many places
	Metres float64 // each within so many metres of another
	Days   int     // reported within so many days, today among them
}

// Defaults returns the settings that are used: three places, half a kilometre, ten days.
func Defaults() Settings { return Settings{Places: 3, Metres: 500, Days: 10} }

// Cluster is the same thing at several places near each other.
type Cluster struct {
	Subject string
	Name    string // as the newest report has it; of fish: ""
	Places  []string
	Cases   []Case    // the newest of each place
	First   time.Time // day of the oldest of them
	Last    time.Time
	Guessed bool // a place among them has no outline: it was taken by its zone
}

// near reports whether two places lie near each other; guessed: one has no outline, and the zone decided.
func near(a, b farm.Place, metres float64) (is, guessed bool) {
	if m, ok := a.Outline.DistanceM(b.Outline); ok {
		return m <= metres, false
	}
	return a.Zone != "" && a.Zone == b.Zone, true
}

// recent returns of each subject the newest case of each place within the days up to today.
func (s Settings) recent(cases []Case, today time.Time) map[string]map[string]Case {
	out := map[string]map[string]Case{}
	from := today.AddDate(0, 0, 1-s.Days)
	for _, c := range cases {
		if c.Day.Before(from) || c.Day.After(today) {
			continue
		}
		if out[c.Subject] == nil {
			out[c.Subject] = map[string]Case{}
		}
		out[c.Subject][c.Place] = c
	}
	return out
}

// Clusters returns the clusters of the days up to today, the largest first.
func (s Settings) Clusters(f *farm.Farm, cases []Case, today time.Time) []Cluster {
	var out []Cluster
	for subject, of := range s.recent(cases, today) {
		left := map[string]bool{}
		for _, p := range f.Places {
			if _, ok := of[p.Code]; ok {
				left[p.Code] = true
			}
		}
		for _, p := range f.Places {
			if left[p.Code] {
				if c := s.grow(f, p, of, left); len(c.Places) >= s.Places {
					c.Subject = subject
					out = append(out, c.told())
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(len(b.Places), len(a.Places)), cmp.Compare(a.Subject, b.Subject), slices.Compare(a.Places, b.Places))
	})
	return out
}

// grow takes a place and all that lie near it, or near one of those, out of what is left.
func (s Settings) grow(f *farm.Farm, from farm.Place, of map[string]Case, left map[string]bool) (c Cluster) {
	delete(left, from.Code)
	for queue := []farm.Place{from}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		c.Places, c.Cases = append(c.Places, at.Code), append(c.Cases, of[at.Code])
		for _, p := range f.Places {
			if !left[p.Code] {
				continue
			}
			if is, guessed := near(at, p, s.Metres); is {
				delete(left, p.Code)
				queue = append(queue, p)
				c.Guessed = c.Guessed || guessed
			}
		}
	}
	slices.Sort(c.Places)
	return c
}

// told fills in its days and its name.
func (c Cluster) told() Cluster {
	slices.SortFunc(c.Cases, func(a, b Case) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Place, b.Place)) })
	c.First, c.Last = c.Cases[0].Day, c.Cases[len(c.Cases)-1].Day
	if c.Subject != Fish {
		c.Name = c.Cases[len(c.Cases)-1].Name
	}
	return c
}
