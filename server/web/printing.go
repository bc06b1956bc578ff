package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aovuon/server/account"
	"aovuon/server/form"
	"aovuon/server/label"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/printjob"
)

// Printer keeps prints of labels; printjob.Desk is one.
type Printer interface {
	// Take keeps a print; the error is a *printjob.RefusedError or *label.RefusedError where something is wrong with it.
	Take(ctx context.Context, who flow.Who, o printjob.Order) (printjob.Job, error)
	// Draft is what Take would print, and keeps nothing.
	Draft(ctx context.Context, o printjob.Order) (printjob.Detail, error)
	Job(ctx context.Context, id string) (d printjob.Detail, ok bool, err error)
	// Lot returns all that is printed, or may be, of a lot; the error wraps trace.ErrUnknown.
	Lot(ctx context.Context, l trace.Link) (printjob.OfLot, error)
	// Jobs returns prints, the newest first, those before an id.
	Jobs(ctx context.Context, before string, most int) ([]printjob.Job, error)
}

// printRoutes are the pages that print labels and boards.
func (s *Server) printRoutes() []route {
	if s.o.Accounts == nil {
		return nil
	}
	staff := needs(account.EditFarm)
	routes := []route{
		{"GET /labels", staff, s.page(s.labelsPage)},
		{"GET /labels/calibration.pdf", staff, s.printed("application/pdf", (*Server).calibrationPDF)},
		{"GET /labels/boards.pdf", staff, s.printed("application/pdf", (*Server).boardsPDF)},
	}
	if s.o.Printer == nil {
		return routes
	}
	s.room = printjob.NewRoom(s.o.Done, s.jobFile)
	return append(routes, []route{
		{"GET /labels/lot", staff, s.page(s.lotLabelsPage)},
		{"GET /labels/print", staff, s.page(s.printPage)},
		{"POST /labels/print", staff, s.form(s.takePrint)},
		{"GET /labels/roll.png", staff, s.printed("image/png", (*Server).rollPNG)},
		{"GET /labels/jobs", staff, s.page(s.jobsPage)},
		{"GET /labels/jobs/{id}", staff, s.page(s.jobPage)},
		{"GET /labels/jobs/{id}/progress", guard{action: account.EditFarm, script: true}, s.jobProgress},
		{"GET /labels/jobs/{id}/file", staff, s.jobDownload},
	}...)
}

// printAsk is a print as an address has it.
type printAsk struct {
	order printjob.Order
	size  label.Size
	slots string // labels of a job that is printed again, as they were typed
	own   string // a sheet of one's own, as it was typed
	n     string
}

// The papers of the form.
const (
	onSheet = "sheet"
	onRoll  = "roll"
)

// readPrint reads a print; what is not given is as most have it. A fault is a *label.RefusedError or a fieldError.
func readPrint(q url.Values) (printAsk, error) {
	text := func(key, otherwise string) string {
		if v := strings.TrimSpace(q.Get(key)); v != "" {
			return v
		}
		return otherwise
	}
	a := printAsk{own: text("own", ""), slots: text("slots", ""), n: text("n", "")}
	a.order = printjob.Order{Run: text("run", ""), Again: text("again", ""), Why: printjob.Reason(text("why", ""))}
	for _, box := range q["box"] {
		a.order.Boxes = append(a.order.Boxes, strings.Fields(strings.ReplaceAll(box, ",", " "))...)
	}
	var errs []error
	if a.n != "" {
		n, err := strconv.Atoi(a.n)
		a.order.Count = n
		errs = append(errs, wrongField("n", err == nil && n > 0))
	}
	if a.order.Again != "" {
		var err error
		a.order.Slots, err = printjob.ParseRanges(strings.Join(q["slots"], ","), label.MaxLabels)
		errs = append(errs, wrongField("slots", err == nil))
	}
	paper, err := readPaper(text)
	a.order.Paper = paper
	a.size = label.Size{W: paper.W, H: paper.H}
	return a, errors.Join(append(errs, err)...)
}

// readPaper reads what a print is on.
func readPaper(text func(key, otherwise string) string) (p printjob.Paper, err error) {
	var errs []error
	number := func(into *float64, key, otherwise string) {
		var ok bool
		*into, ok = form.ParseNumber(text(key, otherwise))
		errs = append(errs, wrongField(key, ok))
	}
	count := func(into *int, key, otherwise string) {
		n, err := strconv.Atoi(text(key, otherwise))
		*into = n
		errs = append(errs, wrongField(key, err == nil))
	}
	if text("on", onSheet) == onRoll {
		p.Language = label.Language(text("printer", string(label.TSPL)))
		number(&p.W, "w", "50")
		number(&p.H, "h", "30")
		number(&p.Gap, "gap", "2")
		count(&p.DPI, "dpi", "203")
		return p, errors.Join(errs...)
	}
	sheet := text("sheet", "L7160")
	if sheet == "own" {
		sheet = text("own", "")
	}
	t, err := label.ParseTemplate(sheet)
	errs = append(errs, err)
	p.Sheet = t.String()
	count(&p.Start, "start", "1")
	number(&p.X, "x", "0")
	number(&p.Y, "y", "0")
	return p, errors.Join(errs...)
}

// fieldError says that a field of a print cannot be read.
type fieldError string

func (e fieldError) Error() string { return "web: print: " + string(e) }

func wrongField(key string, ok bool) error {
	if ok {
		return nil
	}
	return fieldError(key)
}

// noLabel tells a print's fault in words; ok is false for an error of ours.
func noLabel(w *words, err error) (text string, ok bool) {
	if e, is := errors.AsType[*printjob.RefusedError](err); is {
		return refusedPrint(w, e), true
	}
	if e, is := errors.AsType[*label.TooSmallError](err); is {
		text = w.t("print.small", sizeText(w, e.Size), w.count(int64(e.DPI)), w.num(e.Code, 1))
		if e.Needs.W > 0 {
			text += " " + w.t("print.small.needs", sizeText(w, e.Needs))
		}
		if e.Finer > 0 {
			text += " " + w.t("print.small.finer", w.count(int64(e.Finer)))
		}
		return text, true
	}
	if e, is := errors.AsType[*label.RefusedError](err); is {
		args := slices.Clone(e.Args)
		for i, a := range args {
			if w.lang != English && strings.Trim(a, "-0123456789.×") == "" {
				args[i] = strings.ReplaceAll(a, ".", ",")
			}
		}
		return w.t("print.fault."+string(e.Fault), args...), true
	}
	if e, is := errors.AsType[fieldError](err); is {
		return w.t("print.wrong", w.t("print."+string(e))), true
	}
	if _, is := errors.AsType[*trace.MalformedError](err); is || errors.Is(err, trace.ErrUnknown) {
		return w.t("print.lot.unknown"), true
	}
	return "", false
}

// refusedPrint says why a print is refused, in one sentence; its arithmetic is told line by line beside it.
func refusedPrint(w *words, e *printjob.RefusedError) string {
	for _, l := range e.Lines {
		if e.Code == printjob.BadState && l.Kind == printjob.LineThing {
			return w.t("print.state."+l.State, codeOf(l.Ref))
		}
	}
	return w.t("print.refused." + string(e.Code))
}

// codeOf is how a thing is called on pages: a lot by its code.
func codeOf(r trace.Ref) string {
	if l, ok := r.Link(); ok {
		return l.Lot
	}
	return r.ID
}

// countLine is a line of arithmetic.
type countLine struct{ Label, Value string }

// countsOf puts the arithmetic of a refusal into words.
func countsOf(w *words, err error) (out []countLine) {
	e, ok := errors.AsType[*printjob.RefusedError](err)
	if !ok {
		return nil
	}
	if len(e.Lines) < 2 { // the sentence says it all
		return nil
	}
	for _, l := range e.Lines {
		switch l.Kind {
		case printjob.LineThing:
			out = append(out, countLine{w.t("print.line.thing." + string(l.Ref.Kind)), codeOf(l.Ref)})
		case printjob.LineIn, printjob.LineOut:
			out = append(out, countLine{w.t("print.line." + string(l.Kind)), weight(w, l.KG)})
		case printjob.LinePacked, printjob.LineVoid, printjob.LineGone, printjob.LineDone, printjob.LineLeft, printjob.LineAsked, printjob.LineMost:
			out = append(out, countLine{w.t("print.line." + string(l.Kind)), w.count(int64(l.Count))})
		}
	}
	return out
}

// wayOut is where what a refusal wants can be done: a lot is released for sale, or something is packed of it, on its own page.
func wayOut(err error) (link trace.Link, ok bool) {
	e, is := errors.AsType[*printjob.RefusedError](err)
	if !is {
		return link, false
	}
	for _, l := range e.Lines {
		if link, ok = l.Ref.Link(); ok {
			return link, e.Code == printjob.BadState || e.Code == printjob.TooMany || e.Code == printjob.OverMass
		}
	}
	return link, false
}

func sizeText(w *words, s label.Size) string {
	return w.num(s.W, 1) + " × " + w.num(s.H, 1)
}

// printed sends a file; a fault is told as a page.
func (s *Server) printed(mime string, file func(*Server, context.Context, url.Values) ([]byte, string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, name, err := file(s, r.Context(), r.URL.Query())
		if err != nil {
			s.answer(w, r, func(r *http.Request, w *words) (answer, error) { return s.notPrinted(r, w, err) })
			return
		}
		s.sendFile(w, mime, name, body)
	}
}

func (s *Server) notPrinted(r *http.Request, w *words, err error) (answer, error) {
	text, ok := noLabel(w, err)
	if !ok {
		return answer{}, err
	}
	v := printView{Problem: text, Sums: countsOf(w, err)}
	return s.drawPrint(r, w, v, http.StatusUnprocessableEntity)
}

func (s *Server) sendFile(w http.ResponseWriter, mime, name string, body []byte) {
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Cache-Control", "no-store")
	if name != "" {
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	s.write(w, body)
}

func (s *Server) calibrationPDF(_ context.Context, q url.Values) ([]byte, string, error) {
	q.Set("on", onSheet)
	a, err := readPrint(q)
	if err != nil {
		return nil, "", err
	}
	sheets, err := a.order.Paper.Sheets(s.o.Now())
	if err != nil {
		return nil, "", err
	}
	body, err := calibrationPage(sheets)
	return body, "can-chinh.pdf", err
}
