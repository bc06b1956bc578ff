package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/sheet"
)

// Importer saves many records at once; sqldb.DB is one.
type Importer interface {
	// SaveRecords saves all of a list, in its order, or none of it.
	SaveRecords(ctx context.Context, list []farm.Record, by ledger.By) ([]farm.Record, error)
}

// sheetRoutes are where the register goes out and comes in as tables.
func (s *Server) sheetRoutes() []route {
	read, edit := needs(account.SeeRegister), needs(account.EditFarm)
	routes := []route{
		{"GET /farm/{kind}/export.csv", read, s.sheetFile},
		{"GET /farm/{kind}/export.xlsx", read, s.sheetFile},
		{"GET /farm/{kind}/template.xlsx", read, s.sheetFile},
	}
	if _, ok := s.o.Registrar.(Importer); ok {
		routes = append(routes, route{"GET /farm/{kind}/import", edit, s.page(s.importPage)}, route{"POST /farm/{kind}/import", edit, s.upload(s.importFile)})
	}
	return routes
}

// tableOf is the table of a kind in the visitor's language.
func (s *Server) tableOf(w *words, kind farm.RecordKind) (sheet.Table, sheet.Words) {
	other := English
	if w.lang == English {
		other = Vietnamese
	}
	return recordTable(w, s.e.words[other], kind)
}

// tableAsked is the kind of a table that an address names: of records, or of places.
func tableAsked(r *http.Request) (farm.RecordKind, bool) {
	if r.PathValue("kind") == string(farm.PlaceTable) {
		return farm.PlaceTable, true
	}
	return kindAsked(r)
}

// ground is what a table of a kind is read against, and written from.
func ground(w *words, kind farm.RecordKind, reg register, f *farm.Farm) sheet.Ground {
	if kind == farm.PlaceTable {
		return sheet.PlaceGround(f, reg[farm.Household], nameable(reg, f))
	}
	return sheet.Ground{Existing: reg[kind], Named: nameable(reg, f), Zone: w.zone}
}

// nameable are the records and places that cells of a table may name.
func nameable(reg register, f *farm.Farm) func(kind string) []sheet.Named {
	known := map[string][]sheet.Named{farm.RefPlace: sheet.NamedPlaces(f)}
	return func(kind string) []sheet.Named {
		if _, ok := known[kind]; !ok {
			known[kind] = sheet.NamedRecords(reg[farm.RecordKind(kind)])
		}
		return known[kind]
	}
}

// sheetFile answers with a table of the register, or with the empty one to fill in. Who may not change the register gets no private columns.
func (s *Server) sheetFile(w http.ResponseWriter, r *http.Request) {
	kind, ok := tableAsked(r)
	if !ok {
		s.answer(w, r, func(r *http.Request, w *words) (answer, error) { return s.missing(r, w, "missing.page", "") })
		return
	}
	file := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	var buf bytes.Buffer
	if err := s.writeSheet(r.Context(), &buf, s.words(r), kind, file); err != nil {
		s.answer(w, r, func(*http.Request, *words) (answer, error) { return answer{}, err })
		return
	}
	mime := "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	if strings.HasSuffix(file, ".csv") {
		mime = "text/csv; charset=utf-8"
	}
	stem, ext, _ := strings.Cut(file, ".")
	name := string(kind) + "-" + stem + "." + ext
	if stem == "export" {
		name = string(kind) + "-" + s.o.Now().In(farm.Time()).Format(time.DateOnly) + "." + ext
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	s.write(w, buf.Bytes())
}

func (s *Server) writeSheet(ctx context.Context, out io.Writer, w *words, kind farm.RecordKind, file string) error {
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return err
	}
	t, texts := s.tableOf(w, kind)
	g := ground(w, kind, reg, f)
	if !s.may(ctx, account.EditFarm) {
		t = t.Public()
	}
	switch file {
	case "template.xlsx":
		return t.WriteXLSX(out, texts, nil, g.Named)
	case "export.csv":
		return t.WriteCSV(out, g.Existing, g.Named)
	}
	return t.WriteXLSX(out, texts, g.Existing, g.Named)
}

// importView is the form that takes a file, and what the file would do.
type importView struct {
	frame
	Kind, KindName string
	Back           string // where they are listed; below it, by their ids, they are changed
	Problem        string // of the file as a whole
	Read           bool   // the rest is said of a file
	File           string // its name
	Rows, Same     int64
	Problems       []cellProblem
	New, Changed   []changeView
	Raw, Sum       string // what applying sends back: the file, and the sum of what was shown
	MostRows       int64
}

type cellProblem struct{ Row, Column, Given, What string }

type changeView struct {
	Row, Name, ID string
	Lines         []valueLine
}

type valueLine struct{ Label, Was, Is string }

func (s *Server) importPage(r *http.Request, w *words) (answer, error) {
	kind, ok := tableAsked(r)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	return s.drawImport(r, w, kind, importView{})
}

// listPath is where the records of a kind, or places, are listed.
func listPath(kind farm.RecordKind) string {
	if kind == farm.PlaceTable {
		return "/land"
	}
	return "/farm/" + string(kind)
}

func (s *Server) drawImport(r *http.Request, w *words, kind farm.RecordKind, v importView) (answer, error) {
	v.Kind, v.KindName, v.MostRows = string(kind), w.kindMany(kind), sheet.MostRows
	v.Back = listPath(kind)
	a, err := s.draw(r, w, "import.html", "farm", w.t("import.title", v.KindName), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" || len(v.Problems) > 0 {
		a.status = http.StatusUnprocessableEntity
	}
	a.secret = true
	return a, err
}

// importFile shows what a file would do or, of one that was shown, does exactly that: the sum binds file, register and places. What is not as
// it was shown is shown again.
func (s *Server) importFile(r *http.Request, w *words) (answer, error) {
	kind, ok := tableAsked(r)
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	raw, name, err := importSent(r)
	if err != nil {
		return answer{}, err
	}
	f, places, err := s.farmToEdit(r.Context())
	if err != nil {
		return answer{}, err
	}
	reg, rev, err := s.registerNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	t, _ := s.tableOf(w, kind)
	rows, err := t.Read(raw)
	if bad, ok := errors.AsType[*sheet.FileError](err); ok {
		return s.drawImport(r, w, kind, importView{Problem: w.sheetFile(bad)})
	}
	if err != nil {
		return answer{}, err
	}
	g := ground(w, kind, reg, f)
	plan, after, err := planOf(t, rows, f, g)
	if err != nil {
		return answer{}, err
	}
	v := viewOfPlan(w, t, plan, g.Named)
	v.File, v.Raw, v.Sum = name, base64.StdEncoding.EncodeToString(raw), importSum(kind, raw, rev, places)
	switch asked := r.PostForm.Get("sum"); {
	case asked == "":
		return s.drawImport(r, w, kind, v)
	case asked != v.Sum || len(plan.Problems) > 0:
		v.Problem = w.t("import.changed")
		return s.drawImport(r, w, kind, v)
	}
	if kind == farm.PlaceTable {
		return s.applyPlaces(r, w, after, places, v)
	}
	return s.applyImport(r, w, kind, plan, v)
}

// planOf says what rows would do; after is the farm with them, where they are places.
func planOf(t sheet.Table, rows []sheet.Row, f *farm.Farm, g sheet.Ground) (plan sheet.Plan, after *farm.Farm, err error) {
	if t.Kind == farm.PlaceTable {
		return t.PlanPlaces(rows, f, g, rand.Reader)
	}
	return t.Plan(rows, g), nil, nil
}

// applyPlaces keeps the farm as a file makes it, if it still is the one that the file was read against.
func (s *Server) applyPlaces(r *http.Request, w *words, after *farm.Farm, rev string, v importView) (answer, error) {
	err := s.o.Registrar.ChangeFarm(r.Context(), rev, after, s.o.Accounts.By(visitor(r.Context())))
	if errors.Is(err, farm.ErrChanged) {
		v.Problem = w.t("import.changed")
		return s.drawImport(r, w, farm.PlaceTable, v)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: inLanguage(listPath(farm.PlaceTable), w.lang), secret: true}, nil
}

func (s *Server) applyImport(r *http.Request, w *words, kind farm.RecordKind, plan sheet.Plan, v importView) (answer, error) {
	_, err := s.o.Registrar.(Importer).SaveRecords(r.Context(), plan.Records(), s.o.Accounts.By(visitor(r.Context())))
	_, invalid := errors.AsType[*form.InvalidError](err)
	if invalid || errors.Is(err, farm.ErrChanged) || errors.Is(err, farm.ErrNoRecord) { // somebody was quicker; nothing is saved
		v.Problem = w.t("import.changed")
		return s.drawImport(r, w, kind, v)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/farm/"+string(kind), w.lang), secret: true}, nil
}

// importSent returns the file of a form: chosen just now, or brought back by the page that showed it.
func importSent(r *http.Request) (raw []byte, name string, err error) {
	if held := r.PostForm.Get("raw"); held != "" {
		raw, err = base64.StdEncoding.DecodeString(held)
		if err != nil {
			raw = nil // the same as no file: the page says so
		}
		return raw, cut(r.PostForm.Get("name")), nil
	}
	if r.MultipartForm == nil || len(r.MultipartForm.File["file"]) == 0 {
		return nil, "", nil
	}
	h := r.MultipartForm.File["file"][0]
	f, err := h.Open()
	if err != nil {
		return nil, "", fmt.Errorf("web: import: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	raw, err = io.ReadAll(io.LimitReader(f, sheet.MostBytes+1))
	return raw, cut(strings.ToValidUTF8(h.Filename, "")), err
}

// importSum stands for what a page showed: the file, and the register and the places that it was read against.
func importSum(kind farm.RecordKind, raw []byte, rev, places string) string {
	file := sha256.Sum256(raw)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %x %q %q", kind, file, rev, places))
	return hex.EncodeToString(sum[:])
}

// viewOfPlan puts a plan into words.
func viewOfPlan(w *words, t sheet.Table, plan sheet.Plan, names func(string) []sheet.Named) importView {
	v := importView{Read: true, Rows: int64(plan.Rows), Same: int64(plan.Same)}
	for _, p := range plan.Problems {
		v.Problems = append(v.Problems, cellProblem{strconv.Itoa(p.Row), p.Column, p.Given, w.sheetProblem(p.Problem)})
	}
	change := func(c sheet.Change) changeView {
		out := changeView{Row: strconv.Itoa(c.Row), Name: c.Record.Name(), ID: c.Record.ID}
		for _, key := range c.Keys {
			col, _ := t.Column(key)
			line := valueLine{Label: col.Title, Is: t.Text(key, c.Record, names)}
			if c.Before.Revision > 0 {
				line.Was = t.Text(key, c.Before, names)
			}
			out.Lines = append(out.Lines, line)
		}
		return out
	}
	for _, c := range plan.New {
		v.New = append(v.New, change(c))
	}
	for _, c := range plan.Changed {
		v.Changed = append(v.Changed, change(c))
	}
	return v
}
