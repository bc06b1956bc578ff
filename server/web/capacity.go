package web

import (
	"math"
	"net/http"
	"slices"

	"aovuon/server/farm"
	"aovuon/server/watch/soil"
)

// capacityView is where the field capacity of a plot is read off its probes.
type capacityView struct {
	frame
	Place    farm.Place
	Revision string
	Problem  string
	Holds    string // what is reckoned with now
	Readings []capacityReading
}

type capacityReading struct {
	Probe, Value, When string
	Doubts             []string
	Barred             bool
}

func (s *Server) capacityPage(r *http.Request, w *words) (answer, error) {
	return s.capacityForm(r, w, "")
}

// capacityForm shows what every probe of the plot reads, and what speaks against taking it.
func (s *Server) capacityForm(r *http.Request, w *words, problem string) (answer, error) {
	f, rev, err := s.farmToEdit(r.Context())
	if err != nil {
		return answer{}, err
	}
	code, bad := farm.ParseCode(r.PathValue("code"))
	p, ok := f.Place(code)
	if bad != nil || !ok || p.Kind != farm.Plot {
		return s.missing(r, w, "missing.place", "")
	}
	all, err := s.o.Soil.Capacities(r.Context(), p, s.o.Now())
	if err != nil {
		return answer{}, err
	}
	v := capacityView{Place: p, Revision: rev, Problem: problem, Holds: w.t("capacity.holds.none")}
	if h, estimated, ok := p.Ground.Holds(); ok {
		key := "capacity.holds"
		if estimated {
			key = "capacity.holds.estimated"
		}
		v.Holds = w.t(key, w.num(h.FieldCapacity, 1)+nbsp+"%")
	}
	for _, c := range all {
		one := capacityReading{Probe: c.Probe, Barred: c.Barred(), Value: w.t("capacity.nothing")}
		if !c.Newest.IsZero() {
			one.Value, one.When = w.num(c.Moisture, 1)+nbsp+"%", w.ago(s.o.Now(), c.Newest)
		}
		for _, d := range c.Doubts {
			one.Doubts = append(one.Doubts, w.t("soil.doubt."+string(d)))
		}
		v.Readings = append(v.Readings, one)
	}
	a, err := s.draw(r, w, "capacity.html", "water", w.t("capacity.title"), func(fr frame) any { v.frame = fr; return v })
	if problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// saveCapacity takes what a probe reads at this moment for the field capacity of its plot: the number is the server's own, not the form's.
func (s *Server) saveCapacity(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	code, bad := farm.ParseCode(r.PathValue("code"))
	f, err := s.o.Registrar.Farm(ctx)
	if err != nil {
		return answer{}, err
	}
	p, ok := f.Place(code)
	if bad != nil || !ok || p.Kind != farm.Plot {
		return s.missing(r, w, "missing.place", "")
	}
	all, err := s.o.Soil.Capacities(ctx, p, now)
	if err != nil {
		return answer{}, err
	}
	i := slices.IndexFunc(all, func(c soil.Capacity) bool { return c.Probe == r.PostForm.Get("probe") })
	switch {
	case i < 0:
		return s.capacityForm(r, w, w.t("capacity.gone"))
	case all[i].Barred():
		return s.capacityForm(r, w, w.t("capacity.barred"))
	case len(all[i].Doubts) > 0 && r.PostForm.Get("sure") == "":
		return s.capacityForm(r, w, w.t("capacity.unsure"))
	}
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		at := slices.IndexFunc(f.Places, func(o farm.Place) bool { return o.Code == code })
		if at >= 0 {
			g := &f.Places[at].Ground
			g.FieldCapacity, g.Probe = math.Round(10*all[i].Moisture)/10, all[i].Probe
			g.On = farm.Midnight(now)
		}
		return at >= 0
	})
	switch {
	case err != nil:
		return answer{}, err
	case len(mistakes) > 0:
		return s.capacityForm(r, w, w.t("capacity.conflict"))
	case said != "":
		return s.capacityForm(r, w, said)
	}
	if _, _, err := s.o.Soil.Now(ctx, code, now); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/places/"+code, w.lang), secret: true}, nil
}
