package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/printjob"
)

type labelsView struct {
	frame
	Code, Problem string
	Lots          []labelLine
	Waiting       []labelLine // lots that are not released for sale yet
	Jobs          []jobLine
	Places        []farm.Place
}

type labelLine struct{ Name, Lot, Day, Code, Href string }

// jobsListed is how many prints /labels lists, and a page of /labels/jobs.
const jobsListed, jobsOnPage = 5, 50

// labelsPage lists the lots that labels may be printed of, the newest first, those that wait for their release, the last prints, and the places
// with their boards. With a code that somebody reads off a label it lists what that is.
func (s *Server) labelsPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := labelsView{Code: strings.TrimSpace(r.URL.Query().Get("code")), Places: f.Places}
	if v.Code != "" {
		err = s.readOut(r.Context(), w, &v)
	} else {
		err = s.labelLists(r.Context(), w, &v)
	}
	if err != nil {
		return answer{}, err
	}
	return s.draw(r, w, "labels.html", "labels", w.t("print.title"), func(fr frame) any { v.frame = fr; return v })
}

// labelLists lists lots and prints.
func (s *Server) labelLists(ctx context.Context, w *words, v *labelsView) error {
	lots, err := s.o.Lots.Lots(ctx)
	if err != nil {
		return err
	}
	lots = slices.Clone(lots)
	slices.SortStableFunc(lots, func(a, b trace.Lot) int { return b.Harvested.Compare(a.Harvested) })
	names, err := s.namesOnLabels(ctx, w)
	if err != nil {
		return err
	}
	for _, l := range lots {
		if !printjob.Printable(l.State) && l.State != trace.Harvested {
			continue
		}
		line, err := labelLineOf(w, names, l)
		if err != nil {
			return err
		}
		if l.State == trace.Harvested {
			v.Waiting = append(v.Waiting, line)
		} else {
			v.Lots = append(v.Lots, line)
		}
	}
	if s.o.Printer == nil {
		return nil
	}
	jobs, err := s.o.Printer.Jobs(ctx, "", jobsListed)
	v.Jobs = jobLines(w, jobs)
	return err
}

// namesOnLabels are the names of products by their numbers.
func (s *Server) namesOnLabels(ctx context.Context, w *words) (map[string]string, error) {
	if s.o.Goods == nil {
		return nil, nil
	}
	return s.productNames(ctx, w)
}

// labelLineOf is a lot in a list, by the name of its product.
func labelLineOf(w *words, names map[string]string, l trace.Lot) (labelLine, error) {
	short, err := l.Link().Short()
	line := labelLine{Name: cmp.Or(names[l.GTIN], l.Species.In(w.lang)), Lot: l.Code, Code: SpokenCode(short), Href: lotLabels(l.Link())}
	if !l.Harvested.IsZero() {
		line.Day = w.date(l.Harvested)
	}
	return line, err
}

// readOut finds what somebody reads off a label: a lot, an item or a box.
func (s *Server) readOut(ctx context.Context, w *words, v *labelsView) error {
	code, err := trace.ParseShort("/t/" + strings.NewReplacer(" ", "", "-", "", "(00)", "").Replace(v.Code))
	if err != nil {
		v.Problem = w.t("print.code.wrong", v.Code)
		return nil //nolint:nilerr // it is told
	}
	lots, err := s.o.Lots.Lots(ctx)
	if err != nil {
		return err
	}
	names, err := s.namesOnLabels(ctx, w)
	if err != nil {
		return err
	}
	item := trace.Item{}
	if s.o.Packed != nil && code.Serial != "" {
		if item, _, err = s.o.Packed.Item(ctx, code.Serial); err != nil {
			return err
		}
	}
	for _, l := range lots {
		short, err := l.Link().Short()
		if err != nil {
			return err
		}
		if short != code.Lot && (item.Serial == "" || l.GTIN != item.GTIN || l.Code != item.Lot) {
			continue
		}
		line, err := labelLineOf(w, names, l)
		if err != nil {
			return err
		}
		if item.Serial != "" {
			line.Code = SpokenCode(farm.WithCheck(item.Serial)) + ", " + w.t("print.item."+string(item.State))
		}
		v.Lots = append(v.Lots, line)
	}
	if s.o.Packed != nil && code.SSCC != "" {
		if _, ok, err := s.o.Packed.Box(ctx, code.SSCC); err != nil {
			return err
		} else if ok {
			v.Lots = append(v.Lots, labelLine{Name: w.boxNumber(code.SSCC), Href: "/boxes/" + code.SSCC})
		}
	}
	if len(v.Lots) == 0 {
		v.Problem = w.t("print.code.unknown", v.Code)
	}
	return nil
}

// lotView is what is printed, or may be, of a lot.
type lotLabelsView struct {
	frame
	Problem string
	WayOut  string
	Name    string
	Lot     string
	LotPage string
	Runs    []runLine
	Boxes   []crateLine
	Unboxed []crateLine // that have no label yet
	Jobs    []jobLine
}

type runLine struct {
	What, Count      string // "Gói 1,5 kg, có mã riêng", "200 gói"
	Day, Best        string
	Done, Left, Void string
	Print            string // where; empty: none is left
}

type crateLine struct{ Number, SSCC, Day, Job, Gone string }

// lotLabelsPage lists what was packed of a lot, how many labels of it are printed and how many may be, its boxes and its prints.
func (s *Server) lotLabelsPage(r *http.Request, w *words) (answer, error) {
	link, err := trace.ParseLink(r.URL.Query().Get("link"), "")
	if err != nil {
		return s.missing(r, w, "print.lot.unknown", "")
	}
	of, err := s.o.Printer.Lot(r.Context(), trace.Link{GTIN: link.GTIN, Lot: link.Lot})
	if err != nil {
		if _, ok := noLabel(w, err); ok {
			return s.missing(r, w, "print.lot.unknown", "")
		}
		return answer{}, err
	}
	d, err := s.o.Lots.Dossier(r.Context(), of.Lot.Link())
	if err != nil {
		return answer{}, err
	}
	v := lotLabelsView{Name: d.Product.Name.In(w.lang), Lot: of.Lot.Code, LotPage: "/lots/" + of.Lot.GTIN + "/" + url.PathEscape(of.Lot.Code), Jobs: jobLines(w, of.Jobs)}
	may := printjob.Printable(of.Lot.State)
	if !may {
		v.Problem = w.t("print.state."+string(of.Lot.State), of.Lot.Code)
	}
	for _, run := range slices.Backward(of.Runs) {
		v.Runs = append(v.Runs, runShown(w, run, may))
	}
	for _, c := range of.Boxes {
		line := crateLine{Number: w.boxNumber(c.SSCC), SSCC: c.SSCC, Day: w.date(c.Filled)}
		if c.Job != "" {
			line.Job = "/labels/jobs/" + c.Job
		}
		if c.State != trace.ItemActivated {
			line.Gone = w.t("print.item." + string(c.State))
		} else if c.Job == "" && may {
			v.Unboxed = append(v.Unboxed, line)
		}
		v.Boxes = append(v.Boxes, line)
	}
	return s.draw(r, w, "lotlabels.html", "labels", w.t("print.of", v.Lot), func(fr frame) any { v.frame = fr; return v })
}

func runShown(w *words, run printjob.Run, may bool) runLine {
	what := "print.run.plain"
	if run.Serials {
		what = "print.run.serials"
	}
	l := runLine{What: w.t(what, weight(w, run.NetG/1000)), Count: w.amount("print.packs", int64(run.Packed)), Day: w.date(run.At), Done: w.count(int64(run.Done)), Left: w.count(int64(len(run.Left)))}
	if !run.Best.IsZero() {
		l.Best = w.date(run.Best)
	}
	if n := run.Void + run.Gone; n > 0 {
		l.Void = w.count(int64(n))
	}
	if may && len(run.Left) > 0 {
		l.Print = "/labels/print?run=" + run.ID
	}
	return l
}

// jobLine is a print in a list.
type jobLine struct {
	Href, When, Of, Count, Again string
}

func jobLines(w *words, jobs []printjob.Job) (out []jobLine) {
	for _, j := range jobs {
		l := jobLine{Href: "/labels/jobs/" + j.ID, When: w.dateTime(j.Made), Of: cmp.Or(j.Lot.Lot, w.t("print.of.boxes")), Count: w.amount("print.labels", int64(len(j.Marks)))}
		if j.Again != "" {
			l.Again = w.t("print.again.why." + string(j.Reason))
		}
		out = append(out, l)
	}
	return out
}

// jobsView lists prints.
type jobsView struct {
	frame
	Jobs []jobLine
	More string
}

func (s *Server) jobsPage(r *http.Request, w *words) (answer, error) {
	jobs, err := s.o.Printer.Jobs(r.Context(), r.URL.Query().Get("before"), jobsOnPage)
	if err != nil {
		return answer{}, err
	}
	v := jobsView{Jobs: jobLines(w, jobs)}
	if len(jobs) == jobsOnPage {
		v.More = "/labels/jobs?before=" + jobs[len(jobs)-1].ID
	}
	return s.draw(r, w, "printjobs.html", "labels", w.t("print.jobs"), func(fr frame) any { v.frame = fr; return v })
}
