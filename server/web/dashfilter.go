package web

import (
	"net/url"
	"slices"
	"strings"

	"aovuon/server/farm"
)

// sift is which places of the dashboard somebody wants to see, and how: the query of its address, so that it can be kept as a bookmark and
// needs no script.
type sift struct {
	View                           string // "": cards; map, table
	Zone, Household, Species, Kind string // empty: all
	State                          string // empty: all; look, lost, fine
	Text                           string // in the name of a place, with or without its marks
}

// The views of the dashboard, and the states to look for.
func boardViews() []string  { return []string{"", "map", "table"} }
func boardStates() []string { return []string{"look", "lost", "fine"} }

// maxAsked bounds what a query says.
const maxAsked = 80

func readSift(q url.Values) sift {
	get := func(name string) string {
		v := strings.TrimSpace(q.Get(name))
		if len(v) > maxAsked {
			v = strings.ToValidUTF8(v[:maxAsked], "")
		}
		return v
	}
	a := sift{View: get("view"), Zone: get("zone"), Household: get("household"), Species: get("species"), Kind: get("kind"), State: get("state"), Text: get("q")}
	if !slices.Contains(boardViews(), a.View) {
		a.View = ""
	}
	return a
}

// query is the address of what a asks for.
func (a sift) query() url.Values {
	q := url.Values{}
	for name, v := range map[string]string{"view": a.View, "zone": a.Zone, "household": a.Household, "species": a.Species, "kind": a.Kind, "state": a.State, "q": a.Text} {
		if v != "" {
			q.Set(name, v)
		}
	}
	return q
}

// at is the address of a page with what a asks for.
func (a sift) at(path string) string {
	if q := a.query(); len(q) > 0 {
		return path + "?" + q.Encode()
	}
	return path
}

// Some reports whether not all places are asked for.
func (a sift) Some() bool {
	return a.Zone != "" || a.Household != "" || a.Species != "" || a.Kind != "" || a.State != "" || a.Text != ""
}

// place reports whether a place is asked for, whatever its state.
func (a sift) place(p farm.Place) bool {
	if a.Zone != "" && p.Zone != a.Zone || a.Species != "" && p.Species != a.Species || a.Kind != "" && string(p.Kind) != a.Kind || a.Household != "" && p.Household != a.Household {
		return false
	}
	if a.Text == "" {
		return true
	}
	wanted := fold(a.Text)
	return slices.ContainsFunc([]string{p.Title.VI, p.Title.EN, p.Name, p.Code, p.Holds.VI, p.Holds.EN}, func(s string) bool { return strings.Contains(fold(s), wanted) })
}

// state reports whether a card is in the state that is asked for.
func (a sift) state(l level) bool { return a.State == "" || a.State == tileOf(l) }

// tileOf is what the tiles count a place as.
func tileOf(l level) string {
	switch l {
	case danger, warned:
		return "look"
	case lost:
		return "lost"
	case fine, noted:
	}
	return "fine"
}

// siftForm is the form of a sift. Choices that would change nothing are left out.
type siftForm struct {
	Now     sift
	Zones   []optionView
	Homes   []optionView
	Species []optionView
	Kinds   []optionView
	States  []optionView
	Tabs    []tab
	Clear   string // address of all places, in the same view
	Open    bool
}

// newSiftForm is the form over the places that a visitor sees. homes are the households by the id that stands at places; none: not for them.
func newSiftForm(w *words, f *farm.Farm, homes []farm.Record, a sift) siftForm {
	out := siftForm{Now: a, Clear: inLanguage(sift{View: a.View}.at("/"), w.lang), Open: a.Some()}
	has := func(match func(farm.Place) bool) bool { return slices.ContainsFunc(f.Places, match) }
	for _, z := range f.Zones {
		if has(func(p farm.Place) bool { return p.Zone == z.ID }) {
			out.Zones = append(out.Zones, optionView{z.ID, z.Name.In(w.lang), a.Zone == z.ID})
		}
	}
	for _, h := range homes {
		for _, key := range []string{h.ID, h.Values.Text("code")} {
			if key != "" && has(func(p farm.Place) bool { return p.Household == key }) {
				out.Homes = append(out.Homes, optionView{key, h.Values.Text("name"), a.Household == key})
			}
		}
	}
	for _, p := range f.Places {
		if p.Species != "" && !slices.ContainsFunc(out.Species, func(o optionView) bool { return o.Value == p.Species }) {
			out.Species = append(out.Species, optionView{p.Species, p.Holds.In(w.lang), a.Species == p.Species})
		}
	}
	for _, k := range farm.Kinds() {
		if has(func(p farm.Place) bool { return p.Kind == k }) {
			out.Kinds = append(out.Kinds, optionView{string(k), w.t("dashboard.kind." + string(k)), a.Kind == string(k)})
		}
	}
	for _, name := range boardStates() {
		out.States = append(out.States, optionView{name, w.t("dashboard.tile." + name), a.State == name})
	}
	for _, list := range []*[]optionView{&out.Zones, &out.Homes, &out.Species, &out.Kinds} {
		if len(*list) < 2 && !slices.ContainsFunc(*list, func(o optionView) bool { return o.Chosen }) {
			*list = nil
		}
	}
	for _, v := range boardViews() {
		to := a
		to.View = v
		name := v
		if name == "" {
			name = "cards"
		}
		out.Tabs = append(out.Tabs, tab{w.t("dashboard.view." + name), inLanguage(to.at("/"), w.lang), v == a.View})
	}
	return out
}
