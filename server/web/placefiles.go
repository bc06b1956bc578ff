package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/web/chart"
)

// longestReadings is for how long a file of single readings may be asked: a file of more rows than Excel opens helps nobody.
const longestReadings = 31 * 24 * time.Hour

// askedTimes returns the place and the period that a file is asked of; when ok is false the request is answered.
func (s *Server) askedTimes(rw http.ResponseWriter, r *http.Request, w *words) (f *farm.Farm, p farm.Place, asked period, ok bool) {
	refuse := func(a answer, err error) {
		s.answer(rw, r, func(*http.Request, *words) (answer, error) { return a, err })
	}
	f, p, ok, err := s.placeAsked(r)
	if err != nil || !ok {
		if err == nil {
			refuse(s.missing(r, w, "missing.place", ""))
		} else {
			refuse(answer{}, err)
		}
		return f, p, asked, false
	}
	now := s.o.Now()
	begun, err := s.seasonOf(r.Context(), p.Code, now)
	if err != nil {
		refuse(answer{}, err)
		return f, p, asked, false
	}
	asked, wrong, ok := askedPeriod(r.URL.Query(), begun, now)
	if !ok || wrong != "" {
		if wrong == "" {
			wrong = "missing.range"
		}
		a, err := s.missing(r, w, wrong, "")
		a.status = http.StatusBadRequest
		refuse(a, err)
		return f, p, asked, false
	}
	return f, p, asked, true
}

// picked keeps of a place's series those that a query names; what it leaves out, stays.
func picked(all []history.Series, r *http.Request) []history.Series {
	q := r.URL.Query()
	return slices.DeleteFunc(all, func(sr history.Series) bool {
		not := func(key, have string) bool { return q.Get(key) != "" && q.Get(key) != have }
		return not("gateway", sr.Gateway) || not("sensor", sr.Sensor) || not("quantity", string(sr.Quantity))
	})
}

// placeData sends what was measured at a place as a table: by steps, or every reading.
func (s *Server) placeData(rw http.ResponseWriter, r *http.Request) {
	w := s.words(r)
	f, p, asked, ok := s.askedTimes(rw, r, w)
	if !ok {
		return
	}
	single := r.URL.Query().Get("every") == "reading"
	if single && asked.To.Sub(asked.From) > longestReadings {
		s.answer(rw, r, func(r *http.Request, w *words) (answer, error) {
			a, err := s.missing(r, w, "period.wrong.readings", "")
			a.status = http.StatusBadRequest
			return a, err
		})
		return
	}
	all := picked(seriesAt(f, p, s.values(r.Context()), asked.From, asked.To.Add(time.Nanosecond)), r)
	asked, gone, err := s.asKept(r.Context(), all, asSingle(asked, single))
	if single && !gone.IsZero() {
		s.answer(rw, r, func(r *http.Request, w *words) (answer, error) {
			a, err := s.missing(r, w, "period.wrong.gone", w.dateTime(gone))
			a.status = http.StatusGone
			return a, err
		})
		return
	}
	if err != nil {
		s.answer(rw, r, func(*http.Request, *words) (answer, error) { return answer{}, err })
		return
	}
	out := newTable(w, f)
	out.head(single)
	for _, sr := range all {
		if err := s.tableOfSeries(r, out, sr, asked, single); err != nil {
			s.answer(rw, r, func(*http.Request, *words) (answer, error) { return answer{}, err })
			return
		}
	}
	body, err := out.done()
	if err != nil {
		s.answer(rw, r, func(*http.Request, *words) (answer, error) { return answer{}, err })
		return
	}
	s.attach(rw, "text/csv; charset=utf-8", timesFile(p, "", asked)+".csv", body)
}

func (s *Server) tableOfSeries(r *http.Request, out *dataTable, sr history.Series, asked period, single bool) error {
	if !single {
		buckets, err := s.stepsOf(r.Context(), sr, asked)
		for _, b := range buckets {
			out.step(sr, b)
		}
		return err
	}
	buckets, err := s.stepsOf(r.Context(), sr, period{From: asked.From, To: asked.To})
	for _, b := range buckets {
		out.reading(sr, b)
	}
	return err
}

// asSingle is the period without steps where single readings are asked for.
func asSingle(p period, single bool) period {
	if single {
		p.Step = 0
	}
	return p
}

// attach sends a file to be kept.
func (s *Server) attach(rw http.ResponseWriter, mime, name string, body []byte) {
	h := rw.Header()
	h.Set("Content-Type", mime)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	s.write(rw, body)
}

// timesFile is what a file about a place and a period is called: ao1-oxygen-2026-11-01-2026-11-07.
func timesFile(p farm.Place, about string, asked period) string {
	zone := farm.Time()
	parts := []string{strings.ReplaceAll(fileStem(fold(p.Name)), " ", "-")}
	if about != "" {
		parts = append(parts, about)
	}
	return strings.Join(append(parts, asked.From.In(zone).Format(time.DateOnly), asked.To.In(zone).Format(time.DateOnly)), "-")
}

// dataTable writes readings as Excel reads them in Viet Nam: UTF-8 with a mark, semicolons, decimal commas; in English with commas and points.
type dataTable struct {
	w   *words
	f   *farm.Farm
	b   bytes.Buffer
	csv *csv.Writer
	err error
}

func newTable(w *words, f *farm.Farm) *dataTable {
	t := &dataTable{w: w, f: f}
	t.b.WriteString("\xef\xbb\xbf")
	t.csv = csv.NewWriter(&t.b)
	t.csv.UseCRLF = true
	if w.lang == Vietnamese {
		t.csv.Comma = ';'
	}
	return t
}

func (t *dataTable) row(cells ...string) {
	if t.err == nil {
		t.err = t.csv.Write(cells)
	}
}

func (t *dataTable) head(single bool) {
	keys := []string{"data.time", "data.quantity", "data.unit", "data.gateway", "data.sensor"}
	if single {
		keys = append(keys, "data.value", "data.quality")
	} else {
		keys = append(keys, "data.min", "data.mean", "data.max", "data.n", "data.out", "data.faults")
	}
	keys = append(keys, "data.signed")
	cells := make([]string, len(keys))
	for i, k := range keys {
		cells[i] = t.w.t(k)
	}
	t.row(cells...)
}

// number writes a value with a decimal more than a page has: a mean has it.
func (t *dataTable) number(q measure.Quantity, v float64) string {
	info, _ := q.Info()
	raw := strconv.FormatFloat(v, 'f', info.Decimals+1, 64)
	if t.w.lang == Vietnamese {
		raw = strings.Replace(raw, ".", ",", 1)
	}
	return raw
}

// signed says whether the values of a series were signed by the device.
func (t *dataTable) signed(sr history.Series) string {
	if t.f.Signs(sr.Gateway) {
		return t.w.t("data.signed.yes")
	}
	return t.w.t("unsigned")
}

// name is what a row is about. Names of sensors are the gateways' own, [a-z0-9-]: none is a formula.
func (t *dataTable) name(sr history.Series, at time.Time) []string {
	return []string{at.In(t.w.zone).Format("02/01/2006 15:04:05"), t.w.t("quantity." + string(sr.Quantity)), t.w.unit(sr.Quantity), sr.Gateway, sr.Sensor}
}

func (t *dataTable) step(sr history.Series, b history.Bucket) {
	lo, mean, hi := "", "", ""
	if b.N > 0 {
		lo, mean, hi = t.number(sr.Quantity, b.Min), t.number(sr.Quantity, b.Mean), t.number(sr.Quantity, b.Max)
	}
	t.row(append(t.name(sr, b.Start), lo, mean, hi, strconv.Itoa(b.N), strconv.Itoa(b.OutOfRange), strconv.Itoa(b.Faults), t.signed(sr))...)
}

func (t *dataTable) reading(sr history.Series, b history.Bucket) {
	value := ""
	if b.N > 0 {
		value = t.number(sr.Quantity, b.Mean)
	}
	t.row(append(t.name(sr, b.Start), value, t.w.t("quality."+b.Worst.String()), t.signed(sr))...)
}

func (t *dataTable) done() ([]byte, error) {
	t.csv.Flush()
	if t.err == nil {
		t.err = t.csv.Error()
	}
	if t.err != nil {
		return nil, fmt.Errorf("web: table of readings: %w", t.err)
	}
	return t.b.Bytes(), nil
}

// placePicture sends one chart of a place as a picture, with what it is about written on it.
func (s *Server) placePicture(rw http.ResponseWriter, r *http.Request) {
	w := s.words(r)
	f, p, asked, ok := s.askedTimes(rw, r, w)
	if !ok {
		return
	}
	s.answerPicture(rw, r, func() (chart.Picture, string, error) {
		all := picked(charted(seriesAt(f, p, s.values(r.Context()), asked.From, asked.To.Add(time.Nanosecond))), r)
		if len(all) == 0 {
			return chart.Picture{}, "", errNoSeries
		}
		line, err := s.timelineOf(r.Context(), w, f, p, asked)
		if err != nil {
			return chart.Picture{}, "", err
		}
		fig, err := s.figure(r.Context(), w, f, all[0], asked, line)
		if err != nil {
			return chart.Picture{}, "", err
		}
		lines := []string{w.t("period.text", w.dateTime(asked.From), w.dateTime(asked.To)), fig.Summary, fig.Coverage}
		if !f.Signs(all[0].Gateway) {
			lines = append(lines, w.t("unsigned.what"))
		}
		return s.pictureOf(w, f, fig.graph, p.Title.In(w.lang)+" · "+fig.Heading, lines), timesFile(p, string(all[0].Quantity), asked), nil
	})
}

// pictureOf puts around a chart what must stand beside it elsewhere.
func (s *Server) pictureOf(w *words, f *farm.Farm, c chart.Chart, heading string, lines []string) chart.Picture {
	if f.Coop.Demo {
		lines = append(lines, w.t("demo.banner"))
	}
	return chart.Picture{
		Chart: c, Heading: heading, Lines: slices.DeleteFunc(lines, func(l string) bool { return l == "" }),
		Foot: w.t("picture.foot", f.Coop.Name.In(w.lang), w.dateTime(s.o.Now())),
	}
}

// errNoSeries says that nothing is measured of what a picture is asked of.
var errNoSeries = errors.New("web: no such series")

// answerPicture sends a picture, or the page that says why there is none.
func (s *Server) answerPicture(rw http.ResponseWriter, r *http.Request, draw func() (chart.Picture, string, error)) {
	pic, name, err := draw()
	var b bytes.Buffer
	if err == nil {
		err = pic.PNG(&b)
	}
	switch {
	case err == nil:
		s.attach(rw, "image/png", name+".png", b.Bytes())
	case errors.Is(err, errNoSeries):
		s.answer(rw, r, func(r *http.Request, w *words) (answer, error) { return s.missing(r, w, "missing.series", "") })
	default:
		s.o.Log.Warn("picture", slog.String("path", cut(r.URL.Path)), slog.Any("err", err))
		s.answer(rw, r, func(*http.Request, *words) (answer, error) { return s.failed(r), nil })
	}
}
