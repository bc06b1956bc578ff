package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
)

// Registrar keeps the farm and its register; sqldb.DB is one.
type Registrar interface {
	Register
	Record(ctx context.Context, kind farm.RecordKind, id string) (farm.Record, bool, error)
	// SaveRecord adds a record (Revision 0) or changes the one it was made from; the error wraps a form.InvalidError, farm.ErrChanged or
	// farm.ErrNoRecord.
	SaveRecord(ctx context.Context, rec farm.Record, by ledger.By) (farm.Record, error)
	// ChangeFarm saves a farm that was made from the one of a revision; the error wraps farm.ErrChanged if that is no longer on record.
	ChangeFarm(ctx context.Context, from string, f *farm.Farm, by ledger.By) error
}

// recordRoutes are where the farm's register is read and written. Farmers read of it what their forms offer, and no more.
func (s *Server) recordRoutes() []route {
	if s.o.Book == nil || s.o.Registrar == nil || s.o.Accounts == nil {
		return nil
	}
	read, edit := needs(account.SeeRegister), needs(account.EditFarm)
	return append(slices.Concat(s.placeRoutes(), s.limitRoutes(), s.planRoutes(), s.sheetRoutes()), []route{
		{"GET /household", needs(account.ReadBook), s.page(s.ownHousehold)},
		{"GET /farm", read, s.page(s.farmPage)},
		{"GET /farm/{kind}", read, s.page(s.recordsPage)},
		{"GET /farm/{kind}/new", edit, s.page(s.newRecordPage)},
		{"POST /farm/{kind}/new", edit, s.upload(s.saveRecord)},
		{"GET /farm/{kind}/{id}", read, s.page(s.recordPage)},
		{"POST /farm/{kind}/{id}", edit, s.upload(s.saveRecord)},
		{"GET /farm/{kind}/{id}/media/{sum}", read, s.recordMedia},
	}...)
}

// farmView is the front page of the register.
type farmView struct {
	frame
	Kinds []kindCount
	Edit  bool
}

type kindCount struct {
	Kind, Label, What string
	Count             int64
}

func (s *Server) farmPage(r *http.Request, w *words) (answer, error) {
	reg, _, err := s.registerNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := farmView{Edit: s.may(r.Context(), account.EditFarm)}
	for _, k := range farm.RecordKinds() {
		n := len(slices.DeleteFunc(slices.Clone(reg[k]), func(r farm.Record) bool { return r.Retired }))
		v.Kinds = append(v.Kinds, kindCount{string(k), w.t("record." + string(k) + ".many"), w.t("record." + string(k) + ".what"), int64(n)})
	}
	return s.draw(r, w, "farm.html", "farm", w.t("farm.title"), func(fr frame) any { v.frame = fr; return v })
}

// recordsView lists the records of a kind.
type recordsView struct {
	frame
	Kind    string
	What    string
	Search  string
	Lines   []recordLine
	Retired bool // those are shown, too
	Hidden  bool // there are retired ones, and they are not shown
	Edit    bool
}

type recordLine struct {
	ID, Name, Text string
	Retired        bool
}

func kindAsked(r *http.Request) (farm.RecordKind, bool) {
	k := farm.RecordKind(r.PathValue("kind"))
	return k, slices.Contains(farm.RecordKinds(), k)
}

func (s *Server) recordsPage(r *http.Request, w *words) (answer, error) {
	kind, ok := kindAsked(r)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	f, reg, err := s.landAndRegister(r.Context())
	if err != nil {
		return answer{}, err
	}
	q := r.URL.Query()
	v := recordsView{
		Kind: string(kind), What: w.t("record." + string(kind) + ".what"), Search: cut(strings.TrimSpace(q.Get("q"))), Retired: q.Get("retired") != "",
		Edit: s.may(r.Context(), account.EditFarm),
	}
	t := teller{w: w, farm: f, reg: reg}
	for _, rec := range reg[kind] {
		if rec.Retired && !v.Retired {
			v.Hidden = true
			continue
		}
		line := recordLine{rec.ID, rec.Name(), strings.Join(summary(t, rec), " · "), rec.Retired}
		if strings.Contains(fold(line.Name+" "+line.Text), fold(v.Search)) {
			v.Lines = append(v.Lines, line)
		}
	}
	return s.draw(r, w, "records.html", "farm", w.t("record."+string(kind)+".many"), func(fr frame) any { v.frame = fr; return v })
}

// summary are the answers that tell records of a kind apart: those that are asked first.
func summary(t teller, rec farm.Record) (out []string) {
	for _, field := range rec.Kind.Fields() {
		if !field.Quick || field.Key == "name" || field.Key == "number" {
			continue
		}
		if text := t.answer(field, rec.Values); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// recordView is one record, and the form that changes it.
type recordView struct {
	frame
	Kind, KindName string
	ID             string // "": a new one
	Name           string
	Revision       int64
	Retired        bool
	Fields         fieldsPart
	Edit           bool
	Problem        string
	Answers        []answerLine // for those who may not change it; of a conflict: as it stands on record
	Conflict       bool
	Own            bool        // the visitor's own household
	Photos         []photoView // on record
	Hangs          []hanging   // what hangs on it
	Warned         []ruleLine  // of an input: actives that it must not hold, or that are deadly to fish
}

func (s *Server) newRecordPage(r *http.Request, w *words) (answer, error) {
	kind, ok := kindAsked(r)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	values := form.Values{}
	for _, field := range kind.Fields() { // a page may lead here with answers in its link
		if q := r.URL.Query().Get(field.Key); q != "" && field.Type == form.Ref {
			values[field.Key] = q
		}
	}
	return s.recordForm(r, w, farm.Record{Kind: kind, Values: values}, nil, recordView{})
}

func (s *Server) recordPage(r *http.Request, w *words) (answer, error) {
	rec, ok, err := s.recordAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	return s.recordForm(r, w, rec, nil, recordView{})
}

func (s *Server) recordAsked(r *http.Request) (farm.Record, bool, error) {
	kind, ok := kindAsked(r)
	if !ok {
		return farm.Record{}, false, nil
	}
	return s.o.Registrar.Record(r.Context(), kind, r.PathValue("id"))
}

func (s *Server) recordForm(r *http.Request, w *words, rec farm.Record, problems form.Problems, v recordView) (answer, error) {
	f, reg, err := s.landAndRegister(r.Context())
	if err != nil {
		return answer{}, err
	}
	v.Kind, v.KindName = string(rec.Kind), w.t("record."+string(rec.Kind))
	v.ID, v.Revision, v.Retired, v.Edit = rec.ID, rec.Revision, rec.Retired, s.may(r.Context(), account.EditFarm) && !v.Own
	v.Fields = fieldsView(w, rec.Kind.Fields(), rec.Values, problems, reg.offered(w, f, ""))
	v.Photos = s.showPhotos(w, rec, reg, &v.Fields)
	title := w.t("record.new", v.KindName)
	if rec.ID != "" {
		v.Name = rec.Name()
		title = v.Name
	}
	t := teller{w: w, farm: f, reg: reg}
	if !v.Edit {
		v.Answers = answers(t, rec)
	}
	if v.Hangs, err = s.hangs(r, w, t, rec); err != nil {
		return answer{}, err
	}
	v.Warned = warnedOf(w, rec)
	a, err := s.draw(r, w, "record.html", map[bool]string{true: "account", false: "farm"}[v.Own], title, func(fr frame) any {
		if rec.Kind == farm.Input && v.Edit {
			fr.Script = "actives.js"
		}
		v.frame = fr
		return v
	})
	if v.Problem != "" || len(problems) > 0 {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

func answers(t teller, rec farm.Record) (out []answerLine) {
	for _, field := range rec.Kind.Fields() {
		if text := t.answer(field, rec.Values); text != "" {
			out = append(out, answerLine{t.w.t("field." + field.Key), text})
		}
	}
	return out
}

// saveRecord keeps what the form says. What somebody else changed meanwhile is shown beside it, and nothing is overwritten.
func (s *Server) saveRecord(r *http.Request, w *words) (answer, error) {
	kind, ok := kindAsked(r)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	rec := farm.Record{Kind: kind, ID: r.PathValue("id"), Retired: r.PostForm.Get("retired") == "yes"}
	if rec.ID != "" {
		n, err := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64)
		if err != nil || n < 1 {
			return s.missing(r, w, "missing.page", "")
		}
		rec.Revision = n
	}
	get, err := s.recordPhotos(r, kind.Fields())
	photo := ""
	if err != nil {
		if photo, err = s.mediaProblem(w, err); err != nil {
			return answer{}, err
		}
	}
	values, problems := form.Written(kind.Fields(), get, w.zone, nil)
	rec.Values = values
	if len(problems) > 0 || photo != "" {
		rec.Values = asWritten(kind.Fields(), values, get)
		return s.recordForm(r, w, rec, problems, recordView{Problem: strings.TrimSpace(w.t("record.wrong") + " " + photo)})
	}
	_, err = s.o.Registrar.SaveRecord(r.Context(), rec, s.o.Accounts.By(visitor(r.Context())))
	if invalid, ok := errors.AsType[*form.InvalidError](err); ok {
		return s.recordForm(r, w, rec, invalid.Problems, recordView{Problem: w.t("record.wrong")})
	}
	switch {
	case errors.Is(err, farm.ErrNoRecord):
		return s.missing(r, w, "missing.page", "")
	case errors.Is(err, farm.ErrChanged):
		return s.conflict(r, w, rec)
	case err != nil:
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/farm/"+string(kind), w.lang), secret: true}, nil
}

// conflict shows what is on record beside what was written; sending the form again keeps what was written.
func (s *Server) conflict(r *http.Request, w *words, rec farm.Record) (answer, error) {
	now, ok, err := s.recordAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	f, reg, err := s.landAndRegister(r.Context())
	if err != nil {
		return answer{}, err
	}
	rec.Revision = now.Revision
	return s.recordForm(r, w, rec, nil, recordView{Problem: w.t("record.changed"), Conflict: true, Answers: answers(teller{w: w, farm: f, reg: reg}, now)})
}
