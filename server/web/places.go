package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// placeRoutes are where places, their probes and the zones' addresses are changed.
func (s *Server) placeRoutes() []route {
	read, edit := needs(account.SeeRegister), needs(account.EditFarm)
	return []route{
		{"GET /land", read, s.page(s.placesPage)},
		{"GET /land/new", edit, s.page(s.placeFormPage)},
		{"POST /land/new", edit, s.form(s.savePlace)},
		{"GET /land/{code}", edit, s.page(s.placeFormPage)},
		{"POST /land/{code}", edit, s.form(s.savePlace)},
		{"POST /land/{code}/mounts", edit, s.form(s.addMount)},
		{"POST /land/{code}/mounts/end", edit, s.form(s.endMount)},
		{"GET /coop", edit, s.page(s.zonePage)},
		{"POST /coop", edit, s.form(s.saveZone)},
		{"GET /zones/new", edit, s.page(s.zonePage)},
		{"POST /zones/new", edit, s.form(s.saveZone)},
		{"GET /zones/{id}", edit, s.page(s.zonePage)},
		{"POST /zones/{id}", edit, s.form(s.saveZone)},
	}
}

type placesView struct {
	frame
	Zones []zoneOfPlaces
	Edit  bool
}

type zoneOfPlaces struct {
	farm.Zone
	Places []farm.Place
}

func (s *Server) placesPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := placesView{Edit: s.may(r.Context(), account.EditFarm)}
	for _, z := range f.Zones {
		row := zoneOfPlaces{Zone: z}
		for _, p := range f.Places {
			if p.Zone == z.ID {
				row.Places = append(row.Places, p)
			}
		}
		v.Zones = append(v.Zones, row)
	}
	return s.draw(r, w, "places.html", "farm", w.t("places.title"), func(fr frame) any { v.frame = fr; return v })
}

// placeFormView is a place and the form that changes it.
type placeFormView struct {
	frame
	Code     string // "": a new one
	NoZone   bool   // there is none that it could be in
	Revision string
	Fields   fieldsPart
	Problem  string
	Mounts   []mountLine
	Gateway  string
	Sensor   string
	Measures []optionView
	Loose    string // probes that are heard and placed nowhere
}

type mountLine struct {
	Gateway, Sensor, Measures string
	From, To                  string // days
	FromMS                    int64  // of From, to name it
}

func (s *Server) placeFormPage(r *http.Request, w *words) (answer, error) {
	f, rev, err := s.farmToEdit(r.Context())
	if err != nil {
		return answer{}, err
	}
	if r.PathValue("code") == "" {
		return s.placeForm(r, w, f, "", form.Values{"place_kind": string(farm.Pond)}, nil, placeFormView{Revision: rev})
	}
	code, bad := farm.ParseCode(r.PathValue("code"))
	p, ok := f.Place(code)
	if bad != nil || !ok {
		return s.missing(r, w, "missing.place", "")
	}
	values := p.Values()
	reg, _, err := s.registerNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	if h, ok := farm.HouseholdOf(p, reg[farm.Household]); ok {
		values["household"] = h.ID
	}
	return s.placeForm(r, w, f, code, values, nil, placeFormView{Revision: rev})
}

func (s *Server) placeForm(r *http.Request, w *words, f *farm.Farm, code string, values form.Values, problems form.Problems, v placeFormView) (answer, error) {
	reg, _, err := s.registerNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v.Code, v.NoZone = code, len(f.Zones) == 0
	if v.Revision == "" {
		v.Revision = r.PostForm.Get("revision")
	}
	v.Fields = fieldsView(w, farm.PlaceFields(), values, problems, placeRefs(w, f, reg))
	for _, m := range slices.Backward(f.Mounts) {
		if m.Place != code || code == "" {
			continue
		}
		line := mountLine{Gateway: m.Gateway, Sensor: m.Sensor, FromMS: millis(m.From)}
		var names []string
		for _, q := range m.Measures {
			names = append(names, w.t("quantity."+string(q)))
		}
		line.Measures = strings.Join(names, ", ")
		if !m.From.IsZero() {
			line.From = w.date(m.From)
		}
		if !m.To.IsZero() {
			line.To = w.date(m.To)
		}
		v.Mounts = append(v.Mounts, line)
	}
	for _, q := range measure.Quantities() {
		v.Measures = append(v.Measures, optionView{string(q), w.t("quantity." + string(q)), slices.Contains(r.PostForm["measures"], string(q))})
	}
	var loose []string
	for _, x := range s.o.Live.Snapshot() {
		if _, known := f.Place(x.Place); !known && !x.Quantity.OfGateway() {
			loose = append(loose, x.Gateway+" / "+x.Sensor)
		}
	}
	slices.Sort(loose)
	v.Loose = strings.Join(slices.Compact(loose), ", ")
	title := w.t("places.new")
	if code != "" {
		title = values.Text("title")
	}
	a, err := s.draw(r, w, "placeform.html", "farm", title, func(fr frame) any { fr.Script = "here.js"; v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// millis names a time in a form; 0: open.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// placeRefs gives the fields of a place what they may refer to.
func placeRefs(w *words, f *farm.Farm, reg register) refs {
	return func(kind string) (out []optionView) {
		switch kind {
		case farm.RefZone:
			for _, z := range f.Zones {
				out = append(out, optionView{Value: z.ID, Label: z.Name.In(w.lang)})
			}
		case farm.RefProfile:
			for _, s := range limitSets(w, f) {
				out = append(out, optionView{Value: s.ID, Label: s.label()})
			}
		default:
			out = recordOptions(reg[farm.RecordKind(kind)])
		}
		return out
	}
}

// farmToEdit reads the farm for a form, and the revision that the form brings back. The revision is read first: what is saved in between
// makes the form a stale one, and is never overwritten.
func (s *Server) farmToEdit(ctx context.Context) (*farm.Farm, string, error) {
	rev, err := s.o.Registrar.FarmRevision(ctx)
	if err != nil {
		return nil, "", err
	}
	f, err := s.o.Registrar.Farm(ctx)
	return f, rev, err
}

// edit changes the farm on record, if it still is the one that the form was drawn from. The problem is for people; mistakes are those of
// farm.Check. A form that is shown again keeps its revision; once its reader is told of a change, it is of the new one.
func (s *Server) edit(r *http.Request, w *words, change func(*farm.Farm) bool) (problem string, mistakes []*farm.MistakeError, err error) {
	now, rev, err := s.farmToEdit(r.Context())
	if err != nil {
		return "", nil, err
	}
	if rev != r.PostForm.Get("revision") {
		r.PostForm.Set("revision", rev)
		return w.t("places.changed"), nil, nil
	}
	if !change(now) {
		return w.t("places.gone"), nil, nil
	}
	if bad := farm.Check(now); bad != nil {
		if mistakes = farm.Mistakes(bad); len(mistakes) == 0 {
			return "", nil, bad
		}
		return w.t("record.wrong"), mistakes, nil
	}
	err = s.o.Registrar.ChangeFarm(r.Context(), rev, now, s.o.Accounts.By(visitor(r.Context())))
	if errors.Is(err, farm.ErrChanged) { // between the reading and the saving
		rev, err = s.o.Registrar.FarmRevision(r.Context())
		r.PostForm.Set("revision", rev)
		return w.t("places.changed"), nil, err
	}
	return "", nil, err
}

func (s *Server) savePlace(r *http.Request, w *words) (answer, error) {
	ctx := r.Context()
	f, err := s.o.Registrar.Farm(ctx)
	if err != nil {
		return answer{}, err
	}
	reg, _, err := s.registerNow(ctx)
	if err != nil {
		return answer{}, err
	}
	code := ""
	if raw := r.PathValue("code"); raw != "" {
		if code, err = farm.ParseCode(raw); err != nil {
			return s.missing(r, w, "missing.place", "")
		}
	}
	offered := placeRefs(w, f, reg)
	was, _ := f.Place(code)
	exists := func(kind, id string) bool {
		if kind == string(farm.Household) && id == was.Household { // a code of the farm file, not on record yet
			return true
		}
		return slices.ContainsFunc(offered(kind), func(o optionView) bool { return o.Value == id })
	}
	get := func(key string) []string { return r.PostForm[key] }
	values, problems := form.Written(farm.PlaceFields(), get, w.zone, exists)
	board := code
	if board == "" {
		if board, err = farm.NewCode(rand.Reader); err != nil {
			return answer{}, err
		}
	}
	p, more := farm.PlaceOf(board, values)
	if problems = append(problems, more...); len(problems) > 0 {
		return s.placeForm(r, w, f, code, asWritten(farm.PlaceFields(), values, get), problems, placeFormView{Problem: w.t("record.wrong")})
	}
	at := -1
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		if code == "" {
			at = len(f.Places)
			f.Places = append(f.Places, p)
			return true
		}
		at = slices.IndexFunc(f.Places, func(o farm.Place) bool { return o.Code == code })
		if at >= 0 {
			f.Places[at] = p
		}
		return at >= 0
	})
	if err != nil {
		return answer{}, err
	}
	if said != "" {
		return s.placeForm(r, w, f, code, values, farm.PlaceProblems(mistakes, at), placeFormView{Problem: said})
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/land", w.lang), secret: true}, nil
}

// mountAsked is the probe that a form names.
func mountAsked(r *http.Request) (gateway, sensor string) {
	return strings.TrimSpace(r.PostForm.Get("gateway")), strings.TrimSpace(r.PostForm.Get("sensor"))
}

// addMount hangs a probe at a place from now on.
func (s *Server) addMount(r *http.Request, w *words) (answer, error) {
	code, bad := farm.ParseCode(r.PathValue("code"))
	if bad != nil {
		return s.missing(r, w, "missing.place", "")
	}
	m := farm.Mount{Place: code, From: s.o.Now().UTC().Truncate(time.Second)}
	m.Gateway, m.Sensor = mountAsked(r)
	for _, q := range r.PostForm["measures"] {
		m.Measures = append(m.Measures, measure.Quantity(q))
	}
	if !wire.ValidGatewayID(m.Gateway) || !measure.ValidID(m.Sensor, 40) || len(m.Measures) == 0 {
		return s.mountRefused(r, w, code, w.t("places.mount.wrong"))
	}
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		f.Mounts = append(f.Mounts, m)
		return true
	})
	return s.mounted(r, w, code, said, mistakes, err)
}

// endMount takes a probe off from now on; what it measured there stays.
func (s *Server) endMount(r *http.Request, w *words) (answer, error) {
	code, bad := farm.ParseCode(r.PathValue("code"))
	if bad != nil {
		return s.missing(r, w, "missing.place", "")
	}
	gateway, sensor := mountAsked(r)
	said, mistakes, err := s.edit(r, w, func(f *farm.Farm) bool {
		i := slices.IndexFunc(f.Mounts, func(m farm.Mount) bool {
			return m.Place == code && m.Gateway == gateway && m.Sensor == sensor && fmt.Sprint(millis(m.From)) == r.PostForm.Get("from") && m.To.IsZero()
		})
		if i >= 0 {
			f.Mounts[i].To = s.o.Now().UTC().Truncate(time.Second)
		}
		return i >= 0
	})
	return s.mounted(r, w, code, said, mistakes, err)
}

func (s *Server) mounted(r *http.Request, w *words, code, said string, mistakes []*farm.MistakeError, err error) (answer, error) {
	switch {
	case err != nil:
		return answer{}, err
	case len(mistakes) > 0:
		return s.mountRefused(r, w, code, w.t("places.mount.elsewhere"))
	case said != "":
		return s.mountRefused(r, w, code, said)
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/land/"+code, w.lang), secret: true}, nil
}

// mountRefused shows the place again, with what was written of the probe.
func (s *Server) mountRefused(r *http.Request, w *words, code, said string) (answer, error) {
	f, err := s.o.Registrar.Farm(r.Context())
	if err != nil {
		return answer{}, err
	}
	p, ok := f.Place(code)
	if !ok {
		return s.missing(r, w, "missing.place", "")
	}
	v := placeFormView{Problem: said}
	v.Gateway, v.Sensor = mountAsked(r)
	return s.placeForm(r, w, f, code, p.Values(), nil, v)
}
