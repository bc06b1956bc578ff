package web

import (
	"context"
	"crypto/rand"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/diary"
	"aovuon/server/label"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/printjob"
)

// printView is a print before it is made.
type printView struct {
	frame
	Problem   string
	Sums      []countLine // the arithmetic of a refusal
	WayOut    string      // where what it wants can be done
	Back      string      // the lot's labels; empty: all
	Name, Of  string
	Known     bool              // what is to be printed: the form is shown
	Again     string            // that it is printed again, and why, in words
	Job       string            // what is printed again
	Fields    map[string]string // as they were typed
	Fixed     []hiddenField     // what is printed, and stays so
	All       []hiddenField     // the whole print, as it was shown
	Roll      bool
	Sheets    []printChoice
	Printers  []printChoice
	DPIs      []printChoice
	Preview   template.HTML
	RollPNG   string // its address
	Count     string // "21 tem"
	Pages     string
	Calibrate string
}

type hiddenField struct{ Key, Value string }

type printChoice struct {
	Value, Label string
	Chosen       bool
}

// keys of what is printed, and of what it is printed on.
func subjectKeys() []string { return []string{"run", "box", "again", "slots", "why"} }

func paperKeys() []string {
	return []string{"n", "on", "sheet", "own", "start", "x", "y", "w", "h", "dpi", "printer", "gap"}
}

// printPage shows a print before it is made: the first sheet, or the first label of a roll, dot by dot.
func (s *Server) printPage(r *http.Request, w *words) (answer, error) {
	return s.showPrint(r, w, r.URL.Query(), nil)
}

// showPrint shows a print, and why it was not taken where that was tried.
func (s *Server) showPrint(r *http.Request, w *words, q url.Values, refused error) (answer, error) {
	a, readErr := readPrint(q)
	v := printView{Roll: q.Get("on") == onRoll, Fields: map[string]string{}}
	v.fill(w, q)
	if a.order.Again != "" {
		v.Again, v.Job = w.t("print.again"), "/labels/jobs/"+url.PathEscape(a.order.Again)
	}
	d, planErr := s.o.Printer.Draft(r.Context(), a.order)
	for _, err := range []error{refused, readErr, planErr} { // what was just tried, or else the first thing that is wrong
		if err == nil {
			continue
		}
		text, ok := noLabel(w, err)
		if !ok {
			return answer{}, err
		}
		v.Problem, v.Sums = text, countsOf(w, err)
		if link, ok := wayOut(err); ok {
			v.WayOut = "/lots/" + link.GTIN + "/" + url.PathEscape(link.Lot)
		}
		v.Known = (planErr == nil || !barred(planErr)) && v.Job == "" || v.Job != "" && planErr == nil
		return s.drawPrint(r, w, v, http.StatusUnprocessableEntity)
	}
	v.Known = true
	return s.preview(r, w, v, a, d, q)
}

// barred reports whether a print is refused for what it is of: no other paper or number helps.
func barred(err error) bool {
	e, ok := errors.AsType[*printjob.RefusedError](err)
	return ok && e.Code != printjob.TooMany && e.Code != printjob.BadCount && e.Code != printjob.NoReason && e.Code != printjob.BadLabel
}

// fill puts what was typed back into the form.
func (v *printView) fill(w *words, q url.Values) {
	for _, key := range paperKeys() {
		v.Fields[key] = strings.TrimSpace(q.Get(key))
	}
	for key, otherwise := range map[string]string{"start": "1", "x": "0", "y": "0", "w": "50", "h": "30", "gap": "2"} {
		if v.Fields[key] == "" {
			v.Fields[key] = otherwise
		}
	}
	for _, key := range subjectKeys() {
		for _, value := range q[key] {
			v.Fixed = append(v.Fixed, hiddenField{key, value})
		}
	}
	v.All = append(v.All, v.Fixed...)
	for _, key := range paperKeys() {
		if value := strings.TrimSpace(q.Get(key)); value != "" {
			v.All = append(v.All, hiddenField{key, value})
		}
	}
	chosen := func(key, otherwise string) string {
		if t := strings.TrimSpace(q.Get(key)); t != "" {
			return t
		}
		return otherwise
	}
	sheet := chosen("sheet", "L7160")
	for _, t := range label.Templates() {
		v.Sheets = append(v.Sheets, printChoice{t.Name, t.Name + " – " + w.count(int64(t.Slots())) + " × (" + sizeText(w, t.Label) + " mm)", strings.EqualFold(sheet, t.Name)})
	}
	v.Sheets = append(v.Sheets, printChoice{"own", w.t("print.sheet.own"), sheet == "own"})
	for _, l := range label.Languages() {
		v.Printers = append(v.Printers, printChoice{string(l), w.t("print.printer." + string(l)), chosen("printer", string(label.TSPL)) == string(l)})
	}
	for _, d := range []string{"203", "300", "600"} {
		v.DPIs = append(v.DPIs, printChoice{d, d + " dpi", chosen("dpi", "203") == d})
	}
}

// preview draws what will be printed.
func (s *Server) preview(r *http.Request, w *words, v printView, a printAsk, d printjob.Detail, q url.Values) (answer, error) {
	v.subject(w, d)
	err := s.drawPreview(r, w, &v, a, d, q)
	if text, ok := noLabel(w, err); ok && err != nil {
		v.Problem = text
		return s.drawPrint(r, w, v, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return answer{}, err
	}
	v.Count = w.amount("print.labels", int64(len(d.Marks)))
	id, err := diary.NewID(s.o.Now(), ulid.Monotonic(rand.Reader, 0))
	v.All = append(v.All, hiddenField{"id", id})
	if err != nil {
		return answer{}, err
	}
	return s.drawPrint(r, w, v, http.StatusOK)
}

func (s *Server) drawPreview(r *http.Request, w *words, v *printView, a printAsk, d printjob.Detail, q url.Values) error {
	paper := a.order.Paper
	p, err := label.NewPress()
	if err != nil {
		return err
	}
	labels, err := s.contents(r.Context(), d)
	if err != nil {
		return err
	}
	v.Name = labels[0].Name
	if paper.Roll() {
		v.RollPNG = "/labels/roll.png?" + q.Encode()
		return Legible(p, paper, labels)
	}
	sheets, err := paper.Sheets(s.o.Now())
	if err != nil {
		return err
	}
	svg, err := p.Preview(sheets, labels, w.t("print.preview"))
	v.Preview = template.HTML(svg)
	v.Pages = w.amount("print.pages", int64(sheets.Pages(len(d.Marks))))
	v.Calibrate = "/labels/calibration.pdf?" + q.Encode()
	return err
}

// subject says what is printed.
func (v *printView) subject(w *words, d printjob.Detail) {
	if d.Run != "" {
		v.Of = d.Lot.Lot
		v.Back = lotLabels(d.Lot)
	} else {
		v.Of = w.amount("print.boxes", int64(len(d.Boxes)))
	}
	if d.Again != "" {
		v.Again = w.t("print.again") + ": " + w.t("print.again.why."+string(d.Reason))
	}
}

func lotLabels(l trace.Link) string {
	return "/labels/lot?" + url.Values{"link": {l.Path()}}.Encode()
}

func (s *Server) drawPrint(r *http.Request, w *words, v printView, status int) (answer, error) {
	a, err := s.draw(r, w, "print.html", "labels", w.t("print.title"), func(fr frame) any { v.frame = fr; return v })
	a.status = status
	return a, err
}

// takePrint keeps a print and begins to make its file.
func (s *Server) takePrint(r *http.Request, w *words) (answer, error) {
	a, err := readPrint(r.PostForm)
	if err != nil {
		return s.showPrint(r, w, r.PostForm, err)
	}
	if id := r.PostForm.Get("id"); diary.ValidID(id) {
		a.order.ID = id
	}
	if d, err := s.o.Printer.Draft(r.Context(), a.order); err == nil { // else whoever takes it says so, or has it
		if err := s.legible(r.Context(), a, d); err != nil {
			return s.showPrint(r, w, r.PostForm, err)
		}
	}
	v := visitor(r.Context())
	job, err := s.o.Printer.Take(r.Context(), flow.Who{Actor: s.o.Accounts.By(v).Actor, Role: v.Role()}, a.order)
	if err != nil {
		if _, ok := noLabel(w, err); ok {
			return s.showPrint(r, w, r.PostForm, err)
		}
		return answer{}, err
	}
	s.room.Progress(job.ID)
	return answer{status: http.StatusSeeOther, to: inLanguage("/labels/jobs/"+job.ID, w.lang), secret: true}, nil
}

// legible refuses a print that cannot be read on its paper, before it is kept.
func (s *Server) legible(ctx context.Context, a printAsk, d printjob.Detail) error {
	labels, err := s.contents(ctx, d)
	if err != nil {
		return err
	}
	p, err := label.NewPress()
	if err != nil {
		return err
	}
	return Legible(p, a.order.Paper, labels)
}

// Legible refuses labels that cannot be read on a paper; the error is a *label.TooSmallError or *label.RefusedError.
func Legible(p *label.Press, paper printjob.Paper, labels []label.Content) error {
	size, dpi := label.Size{W: paper.W, H: paper.H}, paper.DPI
	if !paper.Roll() {
		sheets, err := paper.Sheets(time.Time{})
		if err != nil {
			return err
		}
		size, dpi = sheets.Template.Label, label.SheetDPI
	}
	series, err := p.Series(size, dpi, labels)
	if err != nil {
		return err
	}
	for i, c := range labels {
		l, err := series.Lay(c)
		if err != nil {
			return err
		}
		if i > 0 || !paper.Roll() {
			continue
		}
		dots, err := p.Dots(l, dpi) // the printer takes all of a series, or none
		if err != nil {
			return err
		}
		if _, err := (label.Thermal{Language: paper.Language, Gap: paper.Gap, Copies: 1}).Encode(dots); err != nil {
			return err
		}
	}
	return nil
}
