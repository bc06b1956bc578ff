package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/label"
	"aovuon/server/trace"
)

// printRoutes are the pages that print labels and boards. They change nothing: a print is all in its address.
func (s *Server) printRoutes() []route {
	if s.o.Accounts == nil {
		return nil
	}
	staff := needs(account.EditFarm)
	return []route{
		{"GET /labels", staff, s.page(s.labelsPage)},
		{"GET /labels/lot", staff, s.page(s.printPage)},
		{"GET /labels/sheet.pdf", staff, s.printed("application/pdf", (*Server).sheetPDF)},
		{"GET /labels/calibration.pdf", staff, s.printed("application/pdf", (*Server).calibrationPDF)},
		{"GET /labels/roll.png", staff, s.printed("image/png", (*Server).rollPNG)},
		{"GET /labels/roll", staff, s.printed("application/octet-stream", (*Server).rollFile)},
		{"GET /labels/boards.pdf", staff, s.printed("application/pdf", (*Server).boardsPDF)},
	}
}

type labelsView struct {
	frame
	Code, Problem string
	Lots          []labelLine
	Places        []farm.Place
}

type labelLine struct{ Name, Lot, Day, Code, Href string }

// labelsPage lists the lots that labels may be printed of, the newest first, and the places with their boards. With a code
// it lists the lots that somebody reads it off.
func (s *Server) labelsPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := labelsView{Code: strings.TrimSpace(r.URL.Query().Get("code")), Places: f.Places}
	wanted := ""
	if v.Code != "" {
		if wanted, err = farm.ParseCode(v.Code); err != nil {
			v.Problem = w.t("print.code.wrong", v.Code)
		}
	}
	if v.Lots, err = s.labelLines(r.Context(), w, wanted); err != nil {
		return answer{}, err
	}
	if wanted != "" && len(v.Lots) == 0 {
		v.Problem = w.t("print.code.unknown", v.Code)
	}
	return s.draw(r, w, "labels.html", "labels", w.t("print.title"), func(fr frame) any { v.frame = fr; return v })
}

func (s *Server) labelLines(ctx context.Context, w *words, wanted string) ([]labelLine, error) {
	lots, err := s.o.Lots.Lots(ctx)
	if err != nil {
		return nil, err
	}
	lots = slices.Clone(lots)
	slices.SortStableFunc(lots, func(a, b trace.Lot) int { return b.Harvested.Compare(a.Harvested) })
	var out []labelLine
	for _, l := range lots {
		short, err := l.Link().Short()
		if err != nil {
			return nil, err
		}
		if wanted == "" && (!l.Sellable() || l.State == trace.Recalled) || wanted != "" && wanted != short {
			continue
		}
		line := labelLine{Name: l.Species.In(w.lang), Lot: l.Code, Code: SpokenCode(short), Href: "/labels/lot?" + url.Values{"link": {l.Link().Path()}}.Encode()}
		if !l.Harvested.IsZero() {
			line.Day = w.date(l.Harvested)
		}
		out = append(out, line)
	}
	return out, nil
}

// printAsk is a print as an address has it.
type printAsk struct {
	link          string
	sheets        label.Sheets
	own           string // a sheet of one's own, as it was typed
	number        int
	label         LabelAsk
	size          label.Size
	dpi           int
	thermal       label.Thermal
	kg, best      string
	x, y, gap     string
	width, height string
}

// readPrint reads a print; what is not given is as most have it. A fault is a *label.RefusedError or a
// fieldError.
func readPrint(q url.Values, now time.Time) (printAsk, error) {
	text := func(key, otherwise string) string {
		if v := strings.TrimSpace(q.Get(key)); v != "" {
			return v
		}
		return otherwise
	}
	a := printAsk{
		link: q.Get("link"), own: text("own", ""), kg: text("kg", ""), best: text("best", ""), x: text("x", "0"), y: text("y", "0"),
		gap: text("gap", "2"), width: text("w", "50"), height: text("h", "30"),
	}
	a.sheets = label.Sheets{At: now, Title: "AoVườn"}
	a.thermal.Language = label.Language(text("printer", string(label.TSPL)))
	var errs []error
	var err error
	sheet := text("sheet", "L7160")
	if sheet == "own" {
		sheet = a.own
	}
	a.sheets.Template, err = label.ParseTemplate(sheet)
	errs = append(errs, err)
	for _, n := range []struct {
		key, otherwise string
		into           *int
	}{{"start", "1", &a.sheets.Start}, {"n", strconv.Itoa(max(1, a.sheets.Template.Slots())), &a.number}, {"dpi", "203", &a.dpi}, {"copies", "1", &a.thermal.Copies}} {
		*n.into, err = strconv.Atoi(text(n.key, n.otherwise))
		errs = append(errs, wrongField(n.key, err == nil))
	}
	for _, n := range []struct {
		key, value string
		into       *float64
	}{{"x", a.x, &a.sheets.NudgeX}, {"y", a.y, &a.sheets.NudgeY}, {"gap", a.gap, &a.thermal.Gap}, {"w", a.width, &a.size.W}, {"h", a.height, &a.size.H}} {
		var ok bool
		*n.into, ok = form.ParseNumber(n.value)
		errs = append(errs, wrongField(n.key, ok))
	}
	if a.kg != "" {
		var ok bool
		a.label.KG, ok = form.ParseNumber(a.kg)
		errs = append(errs, wrongField("kg", ok && a.label.KG > 0 && a.label.KG <= 10000))
	}
	if a.best != "" {
		a.label.Best, err = time.Parse(time.DateOnly, a.best)
		errs = append(errs, wrongField("best", err == nil))
	}
	return a, errors.Join(errs...)
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

// content returns the label that is asked for; the error wraps trace.ErrUnknown or ErrNoLabel, or is a *trace.MalformedError.
func (s *Server) content(ctx context.Context, a printAsk) (label.Content, trace.Dossier, error) {
	link, err := trace.ParseLink(a.link, "")
	if err != nil {
		return label.Content{}, trace.Dossier{}, err
	}
	d, err := s.o.Lots.Dossier(ctx, link)
	if err != nil {
		return label.Content{}, trace.Dossier{}, err
	}
	f, err := s.wholeFarm(ctx)
	if err != nil {
		return label.Content{}, trace.Dossier{}, err
	}
	c, err := LotLabel(s.base, f.Coop, d, a.label)
	return c, d, err
}

// noLabel tells a print's fault in words; ok is false for an error of ours.
func noLabel(w *words, err error) (text string, ok bool) {
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
	if errors.Is(err, ErrNoLabel) {
		return w.t("print.lot.none"), true
	}
	return "", false
}

func sizeText(w *words, s label.Size) string {
	return w.num(s.W, 1) + " × " + w.num(s.H, 1)
}

// printed sends a file; a fault is told as a page.
func (s *Server) printed(mime string, file func(*Server, context.Context, url.Values) ([]byte, string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, name, err := file(s, r.Context(), r.URL.Query())
		if err != nil {
			s.answer(w, r, func(r *http.Request, w *words) (answer, error) {
				text, ok := noLabel(w, err)
				if !ok {
					return answer{}, err
				}
				v := printView{Problem: text}
				a, err := s.draw(r, w, "print.html", "labels", w.t("print.title"), func(fr frame) any { v.frame = fr; return v })
				a.status = http.StatusUnprocessableEntity
				return a, err
			})
			return
		}
		w.Header().Set("Content-Type", mime)
		w.Header().Set("Cache-Control", "no-store")
		if name != "" {
			w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		}
		s.write(w, body)
	}
}

func (s *Server) sheetPDF(ctx context.Context, q url.Values) ([]byte, string, error) {
	a, err := readPrint(q, s.o.Now())
	if err != nil {
		return nil, "", err
	}
	c, d, err := s.content(ctx, a)
	if err != nil {
		return nil, "", err
	}
	p, err := label.NewPress()
	if err != nil {
		return nil, "", err
	}
	a.number = min(max(a.number, 0), label.MaxLabels+1) // no list as long as somebody likes: more is refused anyway
	var b bytes.Buffer
	a.sheets.Title = c.Name + " – " + d.Lot.Code
	err = p.WriteSheets(ctx, &b, a.sheets, slices.Repeat([]label.Content{c}, a.number))
	return b.Bytes(), "nhan-" + fileName(d.Lot.Code) + ".pdf", err
}

func (s *Server) calibrationPDF(_ context.Context, q url.Values) ([]byte, string, error) {
	a, err := readPrint(q, s.o.Now())
	if err != nil {
		return nil, "", err
	}
	words, err := CalibrationWords("vi")
	if err != nil {
		return nil, "", err
	}
	p, err := label.NewPress()
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	err = p.WriteCalibration(&b, a.sheets, words)
	return b.Bytes(), "can-chinh.pdf", err
}

func (s *Server) roll(ctx context.Context, q url.Values) (*label.Bitmap, printAsk, string, error) {
	a, err := readPrint(q, s.o.Now())
	if err != nil {
		return nil, a, "", err
	}
	c, d, err := s.content(ctx, a)
	if err != nil {
		return nil, a, "", err
	}
	p, err := label.NewPress()
	if err != nil {
		return nil, a, "", err
	}
	b, err := p.Raster(c, a.size, a.dpi)
	return b, a, fileName(d.Lot.Code), err
}

func (s *Server) rollPNG(ctx context.Context, q url.Values) ([]byte, string, error) {
	b, _, _, err := s.roll(ctx, q)
	if err != nil {
		return nil, "", err
	}
	png, err := b.PNG(0)
	return png, "", err
}

func (s *Server) rollFile(ctx context.Context, q url.Values) ([]byte, string, error) {
	b, a, name, err := s.roll(ctx, q)
	if err != nil {
		return nil, "", err
	}
	data, err := a.thermal.Encode(b)
	return data, "nhan-" + name + "." + string(a.thermal.Language), err
}

// boardsPDF writes the boards of the places that are asked for, or of all.
func (s *Server) boardsPDF(ctx context.Context, q url.Values) ([]byte, string, error) {
	f, err := s.farmNow(ctx)
	if err != nil {
		return nil, "", err
	}
	var boards []label.Board
	for _, p := range f.Places {
		if wanted := q["place"]; len(wanted) > 0 && !slices.Contains(wanted, p.Code) {
			continue
		}
		b, err := PlaceBoard(s.base, f.Coop, p)
		if err != nil {
			return nil, "", err
		}
		boards = append(boards, b)
	}
	if len(boards) == 0 {
		return nil, "", trace.ErrUnknown
	}
	p, err := label.NewPress()
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	err = p.WriteBoards(ctx, &b, f.Coop.Name.VI, s.o.Now(), boards)
	return b.Bytes(), "bien-ao-vuon.pdf", err
}

// fileName keeps of a lot's code what every file system takes.
func fileName(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '_'
	}, code)
}
