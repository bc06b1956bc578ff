package web

import (
	"slices"
	"strings"

	"aovuon/server/farm"
)

// limitSet is a set of limits as people know it.
type limitSet struct {
	ID   string // its profile
	Name string
	Mark string // the profile, to be shown beside the name; empty: the name says enough
}

// label is the set in one line.
func (s limitSet) label() string {
	if s.Mark == "" {
		return s.Name
	}
	return s.Name + " (" + s.Mark + ")"
}

// knownSets are the profiles of the example that farms begin with.
func knownSets() []string { return []string{"freshwater", "catra"} }

// limitSets are the sets of limits of a farm, in their order. Profiles are written by hand, for machines; people read what lives where the set holds.
// The profile stands beside it where nothing is known, and where two sets are called alike.
func limitSets(w *words, f *farm.Farm) (out []limitSet) {
	called := map[string]int{}
	for _, l := range f.Limits {
		if slices.ContainsFunc(out, func(s limitSet) bool { return s.ID == l.Profile }) {
			continue
		}
		s := limitSet{ID: l.Profile, Name: setName(w, f, l.Profile)}
		if s.Name == "" {
			s.Name, s.Mark = w.t("bounds.set"), l.Profile
		}
		called[s.Name]++
		out = append(out, s)
	}
	for i, s := range out {
		if called[s.Name] > 1 {
			out[i].Mark = s.ID
		}
	}
	return out
}

// setName says in words what a profile is for; empty: the farm does not know.
func setName(w *words, f *farm.Farm, profile string) string {
	if slices.Contains(knownSets(), profile) {
		return w.t("bounds.set." + profile)
	}
	var holds []string
	for _, p := range f.Places {
		if what := p.Holds.In(w.lang); p.Profile == profile && what != "" && !slices.Contains(holds, what) {
			holds = append(holds, what)
		}
	}
	if len(holds) == 0 {
		return ""
	}
	return w.t("bounds.set.of", strings.Join(holds, ", "))
}
