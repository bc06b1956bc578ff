package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/trace"
	"aovuon/server/trace/printjob"
)

// jobView is a print that was kept: its file, its labels, and the form that prints some of them again.
type jobView struct {
	frame
	ID, Name, Of string
	Back         string // the lot's labels
	Made, By     string
	Count, Pages string
	Paper        string
	On           []hiddenField // the same paper, for what is printed again
	Of1, Why     string        // of a print made again: the first print, and why
	Problem      string        // why the file cannot be fetched; empty: it can
	Done, All    int64
	DoneText     string
	Ready        bool
	Failed       bool
	File         string
	Until        string
	Labels       []labelOfJob
	From, To     string
	Earlier      string
	Later        string
	Again        []jobLine
	Reasons      []printChoice
	MayAgain     bool
}

type labelOfJob struct {
	N           int
	Where       string // "tờ 2, tem 5"
	Code        string
	State       string
	Times       string // how often it was printed again
	Gone        bool
	TickedLabel string
}

// labelsOnPage is how many labels of a job are listed at once.
const labelsOnPage = 100

// jobPage shows a print.
func (s *Server) jobPage(r *http.Request, w *words) (answer, error) {
	d, ok, err := s.o.Printer.Job(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	problem, err := s.fetchable(r.Context(), d)
	if err != nil {
		return answer{}, err
	}
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	t, err := s.teller(r.Context(), w, f, nil)
	if err != nil {
		return answer{}, err
	}
	v := jobView{
		ID: d.ID, Of: d.Lot.Lot, Made: w.dateTime(d.Made), By: t.who(d.Actor), Count: w.amount("print.labels", int64(len(d.Marks))), Until: w.dateTime(d.Made.Add(fileLives)),
		File: "/labels/jobs/" + d.ID + "/file", Again: jobLines(w, d.Reprints), MayAgain: true,
	}
	if problem != "" {
		v.Problem = w.t("print.file."+problem, v.Until)
	}
	if err := s.describe(r, w, &v, d); err != nil {
		return answer{}, err
	}
	v.list(w, d, r.URL.Query().Get("from"))
	for _, why := range printjob.Reasons() {
		v.Reasons = append(v.Reasons, printChoice{string(why), w.t("print.why." + string(why)), false})
	}
	if problem == "" {
		p := s.room.Progress(d.ID)
		v.Done, v.All, v.Ready, v.Failed = int64(p.Done), int64(max(p.All, len(d.Marks))), p.Ready && p.Err == nil, p.Err != nil
		v.DoneText = w.t("print.progress", w.count(v.Done), w.count(v.All))
	}
	return s.draw(r, w, "printjob.html", "labels", w.t("print.job"), func(fr frame) any {
		fr.Script = "print.js"
		v.frame = fr
		return v
	})
}

// describe says what a print is of, and on.
func (s *Server) describe(r *http.Request, w *words, v *jobView, d printjob.Detail) error {
	if d.Run != "" {
		v.Back = lotLabels(d.Lot)
		lot, err := s.o.Lots.Dossier(r.Context(), d.Lot)
		if err != nil {
			return err
		}
		v.Name = lot.Product.Name.In(w.lang)
		v.MayAgain = printjob.Printable(d.Packed.Lot.State)
	} else {
		v.Name = w.t("print.of.boxes")
	}
	if d.Again != "" {
		v.Of1, v.Why = "/labels/jobs/"+d.Again, w.t("print.again.why."+string(d.Reason))
	}
	p := d.Paper
	v.On = paperFields(p)
	if p.Roll() {
		v.Paper = w.t("print.paper.roll", w.num(p.W, 1), w.num(p.H, 1), w.count(int64(p.DPI)), w.t("print.printer."+string(p.Language)))
		return nil
	}
	sheets, err := p.Sheets(d.Made)
	if err != nil {
		return fmt.Errorf("web: print %s: %w", d.ID, err)
	}
	v.Paper, v.Pages = w.t("print.paper.sheet", p.Sheet), w.amount("print.pages", int64(sheets.Pages(len(d.Marks))))
	return nil
}

// list lists some labels of a print, from a number on.
func (v *jobView) list(w *words, d printjob.Detail, from string) {
	start, err := strconv.Atoi(from)
	if err != nil || start < 1 || start > len(d.Marks) {
		start = 1
	}
	start -= (start - 1) % labelsOnPage
	end := min(start+labelsOnPage-1, len(d.Marks))
	here := "/labels/jobs/" + d.ID + "?from="
	if start > 1 {
		v.Earlier = here + strconv.Itoa(start-labelsOnPage)
	}
	if end < len(d.Marks) {
		v.Later = here + strconv.Itoa(end+1)
	}
	v.From, v.To = w.count(int64(start)), w.count(int64(end))
	times := map[printjob.Mark]int{}
	for _, j := range d.Reprints {
		for _, m := range j.Marks {
			times[markOf(d, m)]++
		}
	}
	for n := start; n <= end; n++ {
		m := d.Marks[n-1]
		l := labelOfJob{N: n, Where: where(w, d, n)}
		switch {
		case d.Run == "":
			l.Code = w.boxNumber(m.ID)
		case d.Packed.Serials:
			item := d.Packed.Item(m.N)
			l.Code, l.State = SpokenCode(farm.WithCheck(item.Serial)), w.t("print.item."+string(item.State))
			l.Gone = item.State != trace.ItemPrinted && item.State != trace.ItemActivated
		}
		if k := times[markOf(d, m)]; k > 0 {
			l.Times = w.amount("print.times", int64(k))
		}
		l.TickedLabel = w.t("print.tick", strconv.Itoa(n))
		v.Labels = append(v.Labels, l)
	}
}

// markOf names a label whatever is known of its serial.
func markOf(d printjob.Detail, m printjob.Mark) printjob.Mark {
	if d.Run != "" {
		m.ID = ""
	}
	return m
}

// where says where on paper a label stands.
func where(w *words, d printjob.Detail, n int) string {
	if d.Paper.Roll() {
		return ""
	}
	sheets, err := d.Paper.Sheets(d.Made)
	if err != nil || sheets.Template.Slots() == 0 {
		return ""
	}
	at := sheets.Start - 1 + n - 1
	return w.t("print.where", strconv.Itoa(at/sheets.Template.Slots()+1), strconv.Itoa(at%sheets.Template.Slots()+1))
}

// paperFields are the fields of a form that print on a paper; a new sheet begins with its first label.
func paperFields(p printjob.Paper) []hiddenField {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	if p.Roll() {
		return []hiddenField{{"on", onRoll}, {"w", number(p.W)}, {"h", number(p.H)}, {"dpi", strconv.Itoa(p.DPI)}, {"printer", string(p.Language)}, {"gap", number(p.Gap)}}
	}
	out := []hiddenField{{"x", number(p.X)}, {"y", number(p.Y)}}
	if slices.ContainsFunc(label.Templates(), func(t label.Template) bool { return t.Name == p.Sheet }) {
		return append(out, hiddenField{"sheet", p.Sheet})
	}
	return append(out, hiddenField{"sheet", "own"}, hiddenField{"own", p.Sheet})
}
