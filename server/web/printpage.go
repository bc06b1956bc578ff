package web

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/label"
)

// printView is the page that prints the labels of a lot.
type printView struct {
	frame
	Problem             string
	Lot, Name, Link     string
	Fields              map[string]string // as they were typed
	Sheets              []printChoice
	Printers            []printChoice
	DPIs                []printChoice
	Preview             template.HTML
	Pages               string
	SheetURL, Calibrate string
	Roll, RollPNG       string // addresses; empty: RollProblem says why not
	RollProblem         string
}

type printChoice struct {
	Value, Label string
	Chosen       bool
}

// printPage shows a print before it is made: the first sheet, and a label of a roll, dot by dot.
func (s *Server) printPage(r *http.Request, w *words) (answer, error) {
	q := r.URL.Query()
	a, askErr := readPrint(q, s.o.Now())
	v := printView{Link: a.link, Fields: map[string]string{
		"kg": a.kg, "best": a.best, "own": a.own, "start": typed(q, "start", "1"), "n": typed(q, "n", ""), "x": a.x, "y": a.y,
		"w": a.width, "h": a.height, "gap": a.gap, "copies": typed(q, "copies", "1"),
	}}
	v.choices(w, q, a)
	c, d, err := s.content(r.Context(), a)
	if err != nil {
		text, ok := noLabel(w, err)
		if !ok {
			return answer{}, err
		}
		v.Problem = text
		return s.drawPrint(r, w, v, http.StatusNotFound)
	}
	v.Lot, v.Name = d.Lot.Code, d.Product.Name.In(w.lang)
	if askErr != nil {
		text, ok := noLabel(w, askErr)
		if !ok {
			return answer{}, askErr
		}
		v.Problem = text
		return s.drawPrint(r, w, v, http.StatusUnprocessableEntity)
	}
	if err := s.previews(w, &v, a, c, q); err != nil {
		return answer{}, err
	}
	return s.drawPrint(r, w, v, http.StatusOK)
}

func typed(q url.Values, key, otherwise string) string {
	if v := strings.TrimSpace(q.Get(key)); v != "" {
		return v
	}
	return otherwise
}

func (v *printView) choices(w *words, q url.Values, a printAsk) {
	sheet := typed(q, "sheet", "L7160")
	for _, t := range label.Templates() {
		v.Sheets = append(v.Sheets, printChoice{t.Name, t.Name + " – " + w.count(int64(t.Slots())) + " × (" + sizeText(w, t.Label) + " mm)", strings.EqualFold(sheet, t.Name)})
	}
	v.Sheets = append(v.Sheets, printChoice{"own", w.t("print.sheet.own"), sheet == "own"})
	for _, l := range label.Languages() {
		v.Printers = append(v.Printers, printChoice{string(l), w.t("print.printer." + string(l)), a.thermal.Language == l})
	}
	for _, d := range []string{"203", "300", "600"} {
		v.DPIs = append(v.DPIs, printChoice{d, d + " dpi", typed(q, "dpi", "203") == d})
	}
}

// previews draws what will be printed. A roll that is too small takes no sheet away, and the other way round.
func (s *Server) previews(w *words, v *printView, a printAsk, c label.Content, q url.Values) error {
	p, err := label.NewPress()
	if err != nil {
		return err
	}
	here := func(path string) string { return path + "?" + q.Encode() }
	shown := min(max(a.number, 0), label.MaxLabels+1)
	if shown <= label.MaxLabels { // of more than one sheet the first is shown
		shown = min(shown, max(1, a.sheets.Template.Slots()-a.sheets.Start+1))
	}
	svg, err := p.Preview(a.sheets, slices.Repeat([]label.Content{c}, shown), w.t("print.preview"))
	if err == nil {
		v.Preview, v.SheetURL, v.Calibrate = template.HTML(svg), here("/labels/sheet.pdf"), here("/labels/calibration.pdf")
		v.Pages = w.amount("print.pages", int64(a.sheets.Pages(a.number)))
	} else if text, ok := noLabel(w, err); ok {
		v.Problem = text
	} else {
		return err
	}
	b, err := p.Raster(c, a.size, a.dpi)
	if err == nil {
		_, err = a.thermal.Encode(b)
	}
	if err == nil {
		v.Roll, v.RollPNG = here("/labels/roll"), here("/labels/roll.png")
		return nil
	}
	text, ok := noLabel(w, err)
	v.RollProblem = text
	if !ok {
		return err
	}
	return nil
}

func (s *Server) drawPrint(r *http.Request, w *words, v printView, status int) (answer, error) {
	a, err := s.draw(r, w, "print.html", "labels", w.t("print.title"), func(fr frame) any { v.frame = fr; return v })
	a.status = status
	return a, err
}
