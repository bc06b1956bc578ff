package web

import (
	"fmt"
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
	Name, Places string
	Lines        []limitRow
}

type limitRow struct {
	N                   int
	What, Bound, Source string
}

func (s *Server) limitsPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := limitsView{Edit: s.may(r.Context(), account.EditFarm)}
	at := map[string]int{}
	for i, l := range f.Limits {
		k, known := at[l.Profile]
		if !known {
			k = len(v.Profiles)
			at[l.Profile] = k
			v.Profiles = append(v.Profiles, limitProfile{Name: l.Profile, Places: placesUnder(w, f, l.Profile)})
		}
		side := map[bool]string{true: "high", false: "low"}[l.Above]
		bound := w.t("limits."+string(l.Level)+"."+side, w.limit(l.Quantity, l.Value))
		v.Profiles[k].Lines = append(v.Profiles[k].Lines, limitRow{i, w.t("quantity." + string(l.Quantity)), bound, l.Source.In(w.lang)})
	}
	return s.draw(r, w, "limits.html", "farm", w.t("bounds.title"), func(fr frame) any { v.frame = fr; return v })
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
	Fields   fieldsPart
	Problem  string
}

// limitAsked is the index that an address names; −1: a new one. ok is false where there is none.
func limitAsked(r *http.Request, f *farm.Farm) (n int, ok bool) {
	raw := r.PathValue("n")
	if raw == "" {
		return -1, true
	}
	n, err := strconv.Atoi(raw)
	return n, err == nil && n >= 0 && n < len(f.Limits)
}

func (s *Server) limitPage(r *http.Request, w *words) (answer, error) {
	f, err := s.o.Registrar.Farm(r.Context())
	if err != nil {
		return answer{}, err
	}
	n, ok := limitAsked(r, f)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	values := form.Values{}
	if n >= 0 {
		values = f.Limits[n].Values()
	}
	return s.limitForm(r, w, values, nil, "")
}

func (s *Server) limitForm(r *http.Request, w *words, values form.Values, problems form.Problems, problem string) (answer, error) {
	v := limitView{Action: r.URL.Path, New: r.PathValue("n") == "", Problem: problem}
	var err error
	if v.Revision, err = s.o.Registrar.FarmRevision(r.Context()); err != nil {
		return answer{}, err
	}
	v.Fields = fieldsView(w, farm.LimitFields(), values, problems, quantityOptions(w))
	title := w.t("bounds.new")
	if !v.New {
		title = w.t("bounds.change")
	}
	a, err := s.draw(r, w, "limit.html", "farm", title, func(fr frame) any { v.frame = fr; return v })
	if problem != "" {
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
		return out
	}
}

// saveLimit keeps a limit, or takes it out.
func (s *Server) saveLimit(r *http.Request, w *words) (answer, error) {
	now, err := s.o.Registrar.Farm(r.Context())
	if err != nil {
		return answer{}, err
	}
	n, ok := limitAsked(r, now)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	get := func(key string) []string { return r.PostForm[key] }
	remove := r.PostForm.Get("remove") != "" && n >= 0
	values, problems := form.Written(farm.LimitFields(), get, w.zone, nil)
	if len(problems) > 0 && !remove {
		return s.limitForm(r, w, asWritten(farm.LimitFields(), values, get), problems, w.t("record.wrong"))
	}
	at := n
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		switch {
		case n < 0:
			at = len(f.Limits)
			f.Limits = append(f.Limits, farm.LimitOf(values))
		case n >= len(f.Limits):
			return false
		case remove:
			f.Limits = slices.Delete(f.Limits, n, n+1)
		default:
			f.Limits[n] = farm.LimitOf(values)
		}
		return true
	})
	if err != nil {
		return answer{}, err
	}
	if said != "" {
		bad := mistaken(mistakes, fmt.Sprintf("limits[%d]", at), map[string]string{"profile": "limit_profile", "quantity": "limit_quantity", "level": "limit_level", "source": "limit_source", "": "limit_value"})
		if len(mistakes) > 0 && len(bad) == 0 || remove && len(mistakes) > 0 { // a place would be left with a set that is no more
			bad, said = nil, w.t("bounds.used")
		}
		return s.limitForm(r, w, asWritten(farm.LimitFields(), values, get), bad, said)
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/limits", w.lang), secret: true}, nil
}
