package web

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// limitRoutes are where the limits of what is measured are read and changed.
func (s *Server) limitRoutes() []route {
	read, edit := needs(account.SeeRegister), needs(account.EditFarm)
	return []route{
		{"GET /limits", read, s.page(s.limitsPage)},
		{"GET /limits/new", edit, s.page(s.limitPage)},
		{"POST /limits/new", edit, s.form(s.saveLimit)},
		{"GET /limits/{n}", edit, s.page(s.limitPage)},
		{"POST /limits/{n}", edit, s.form(s.saveLimit)},
	}
}

type limitsView struct {
	frame
	Profiles []limitProfile
	Edit     bool
}

// limitProfile is a set of limits that hold together.
type limitProfile struct {
	limitSet
	Places string
	Lines  []limitRow
}

type limitRow struct {
	N                           int
	What, Bound, Judged, Source string
}

func (s *Server) limitsPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := limitsView{Edit: s.may(r.Context(), account.EditFarm)}
	for _, s := range limitSets(w, f) {
		v.Profiles = append(v.Profiles, limitProfile{limitSet: s, Places: placesUnder(w, f, s.ID)})
	}
	for i, l := range f.Limits {
		k := slices.IndexFunc(v.Profiles, func(p limitProfile) bool { return p.ID == l.Profile })
		side := map[bool]string{true: "high", false: "low"}[l.Above]
		bound := w.t("limits."+string(l.Level)+"."+side, w.bound(l, l.Value))
		v.Profiles[k].Lines = append(v.Profiles[k].Lines, limitRow{i, w.topic(l.Topic()), bound, w.judging(l), l.Source.In(w.lang)})
	}
	return s.draw(r, w, "limits.html", "farm", w.t("bounds.title"), func(fr frame) any { v.frame = fr; return v })
}

// bound writes a number of a limit in its unit; a rate is per hour.
func (w *words) bound(l farm.Limit, v float64) string {
	if k, ok := farm.KitParameterOf(string(l.Quantity)); ok && l.What == farm.OfKit {
		return w.num(v, max(k.Decimals, decimalsOf(v))) + nbsp + k.Unit
	}
	out := w.limit(l.Quantity, v)
	if l.What == farm.OfRate {
		out = w.t("bounds.rate", out)
	}
	return out
}

// decimalsOf is how many decimals a number needs, at most three.
func decimalsOf(v float64) (n int) {
	for n < 3 && math.Abs(v*math.Pow10(n)-math.Round(v*math.Pow10(n))) > 1e-9 {
		n++
	}
	return n
}

// judging says when an alarm of a limit begins and ends.
func (w *words) judging(l farm.Limit) string {
	if l.What == farm.OfKit {
		return w.t("bounds.kit")
	}
	begins := w.t("bounds.for", w.length(l.Persistence()))
	if l.N > 0 {
		begins = w.t("bounds.count", w.count(int64(l.N)), w.count(int64(l.M)))
	}
	return w.t("bounds.judged", begins, w.length(l.Keeping()), w.bound(l, l.Offset()))
}

// placesUnder names the places where a set of limits holds.
func placesUnder(w *words, f *farm.Farm, profile string) string {
	var out []string
	for _, p := range f.Places {
		if p.Profile == profile {
			out = append(out, p.Title.In(w.lang))
		}
	}
	if len(out) == 0 {
		return w.t("bounds.nowhere")
	}
	return w.t("bounds.at", strings.Join(out, ", "))
}

// limitView is the form of one limit.
type limitView struct {
	frame
	Action   string
	New      bool
	Revision string
	Of       string // which limit it changes, see limitID; "": a new one
	Fields   fieldsPart
	Problem  string
}

// limitID tells a limit from every other. Its number does not: it is another's as soon as one before it is taken out.
func limitID(l farm.Limit) string {
	return fmt.Sprint(l.Profile, " ", l.Topic(), " ", l.Level, " ", l.Above)
}

func (s *Server) limitPage(r *http.Request, w *words) (answer, error) {
	f, rev, err := s.farmToEdit(r.Context())
	if err != nil {
		return answer{}, err
	}
	raw := r.PathValue("n")
	if raw == "" {
		values := form.Values{}
		if set := r.URL.Query().Get("set"); slices.ContainsFunc(f.Limits, func(l farm.Limit) bool { return l.Profile == set }) {
			values["limit_profile"] = set
		}
		return s.limitForm(r, w, values, nil, limitView{Revision: rev})
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 0 || n >= len(f.Limits) {
		return s.missing(r, w, "missing.page", "")
	}
	return s.limitForm(r, w, f.Limits[n].Values(), nil, limitView{Revision: rev, Of: limitID(f.Limits[n])})
}

func (s *Server) limitForm(r *http.Request, w *words, values form.Values, problems form.Problems, v limitView) (answer, error) {
	v.Action, v.New = r.URL.Path, r.PathValue("n") == ""
	if v.Revision == "" {
		v.Revision, v.Of = r.PostForm.Get("revision"), r.PostForm.Get("of")
	}
	v.Fields = fieldsView(w, farm.LimitFields(), values, problems, quantityOptions(w))
	title := w.t("bounds.new")
	if !v.New {
		title = w.t("bounds.change")
	}
	a, err := s.draw(r, w, "limit.html", "farm", title, func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// quantityOptions are what can be measured, with its unit.
func quantityOptions(w *words) refs {
	return func(string) (out []optionView) {
		for _, q := range measure.Quantities() {
			label := w.t("quantity." + string(q))
			if unit := w.unit(q); unit != "" {
				label += " (" + unit + ")"
			}
			out = append(out, optionView{Value: string(q), Label: label})
		}
		for _, k := range farm.KitParameters() {
			out = append(out, optionView{Value: k.Key, Label: w.topic("kit/"+k.Key) + " (" + k.Unit + ")"})
		}
		return out
	}
}

// saveLimit keeps a limit, or takes it out.
func (s *Server) saveLimit(r *http.Request, w *words) (answer, error) {
	added, of := r.PathValue("n") == "", r.PostForm.Get("of")
	get := func(key string) []string { return r.PostForm[key] }
	remove := r.PostForm.Get("remove") != "" && !added
	values, problems := form.Written(farm.LimitFields(), get, w.zone, nil)
	if len(problems) > 0 && !remove {
		return s.limitForm(r, w, asWritten(farm.LimitFields(), values, get), problems, limitView{Problem: w.t("record.wrong")})
	}
	at := -1
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		at = slices.IndexFunc(f.Limits, func(l farm.Limit) bool { return limitID(l) == of })
		switch {
		case added:
			at = len(f.Limits)
			f.Limits = append(f.Limits, farm.LimitOf(values))
		case at < 0:
			return false
		case remove:
			f.Limits = slices.Delete(f.Limits, at, at+1)
		default:
			f.Limits[at] = farm.LimitOf(values)
		}
		return true
	})
	if err != nil {
		return answer{}, err
	}
	if said != "" {
		bad := farm.ProblemsAt(mistakes, fmt.Sprintf("limits[%d]", at), map[string]string{"profile": "limit_profile", "quantity": "limit_quantity", "level": "limit_level", "source": "limit_source", "clear": "limit_clear", "for": "limit_for", "keep": "limit_keep", "of": "limit_of", "what": "limit_what", "": "limit_value"})
		if len(mistakes) > 0 && len(bad) == 0 || remove && len(mistakes) > 0 { // a place would be left with a set that is no more
			bad, said = nil, w.t("bounds.used")
		}
		return s.limitForm(r, w, asWritten(farm.LimitFields(), values, get), bad, limitView{Problem: said})
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/limits", w.lang), secret: true}, nil
}
