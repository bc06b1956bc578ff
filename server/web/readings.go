package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/export"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// readingsRoutes are where readings are fetched as a table for other programs.
func (s *Server) readingsRoutes() []route {
	room := make(chan struct{}, mostExports)
	return []route{
		{"GET /readings", needs(account.SeePlaces), s.page(s.readings)},
		{"GET /readings/file", needs(account.SeePlaces), s.readingsFile(room, false)},
		{"GET /api/readings", guard{action: account.SeePlaces, script: true}, s.readingsFile(room, true)},
	}
}

const (
	// mostExports is how many tables are written at once: each reads the history as fast as its reader takes it.
	mostExports = 2
	// exportPatience is how long a reader may take nothing.
	exportPatience = time.Minute
)

// wantedTable is what somebody asks for.
type wantedTable struct {
	place    string // code; empty: all that the visitor may see
	quantity measure.Quantity
	format   string
	period   period
}

// askedTable reads what is asked for. wrong is the key of what is wrong with it.
func askedTable(q url.Values, f *farm.Farm, now time.Time) (t wantedTable, wrong string) {
	t.format = q.Get("format")
	if t.format == "" {
		t.format = export.CSV
	}
	if t.format != export.CSV && t.format != export.Parquet {
		return t, "readings.wrong.format"
	}
	t.quantity = measure.Quantity(q.Get("quantity"))
	if _, known := t.quantity.Info(); t.quantity != "" && !known {
		return t, "readings.wrong.quantity"
	}
	if raw := q.Get("place"); raw != "" {
		code, err := farm.ParseCode(raw)
		if _, known := f.Place(code); err != nil || !known {
			return t, "readings.wrong.place"
		}
		t.place = code
	}
	var ok bool
	if t.period, wrong, ok = askedPeriod(q, time.Time{}, now); !ok {
		wrong = "period.wrong.form"
	}
	return t, wrong
}

// series are those of the places a visitor may see that a table is asked of.
func (s *Server) seriesOfTable(ctx context.Context, f *farm.Farm, t wantedTable) []history.Series {
	var all []history.Series
	values := s.values(ctx)
	for _, p := range f.Places {
		if t.place == "" || t.place == p.Code {
			all = append(all, seriesAt(f, p, values, t.period.From, t.period.To)...)
		}
	}
	c := export.Choice{}
	if t.quantity != "" {
		c.Quantities = []measure.Quantity{t.quantity}
	}
	return c.Of(all)
}

type readingsPage struct {
	frame
	Places, Quantities []optionView
	From, To           string
	Parquet            bool
	Wrong              string
	Nothing            bool
	API                string
}

// readings is the page on which a table is chosen.
func (s *Server) readings(r *http.Request, w *words) (answer, error) {
	return s.readingsForm(r, w, "")
}

func (s *Server) readingsForm(r *http.Request, w *words, wrong string) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	q, now := r.URL.Query(), s.o.Now()
	t, _ := askedTable(q, f, now)
	p := readingsPage{frame: s.frame(r, w, f, w.t("readings.title")), Parquet: t.format == export.Parquet, Wrong: wrong}
	p.Nav, p.Forms = "readings", true
	p.From, p.To = q.Get("from"), q.Get("to")
	if p.From == "" {
		p.From = now.AddDate(0, 0, -7).In(farm.Time()).Format(time.DateOnly)
	}
	if p.To == "" {
		p.To = now.In(farm.Time()).Format(time.DateOnly)
	}
	all, values := map[string][]history.Series{}, s.values(r.Context())
	p.Places = []optionView{{Label: w.t("readings.everywhere")}}
	for _, at := range f.Places {
		all[at.Code] = seriesAt(f, at, values, now.Add(-mostPeriod), now)
		if len(all[at.Code]) > 0 {
			p.Places = append(p.Places, optionView{Value: at.Code, Label: at.Title.In(w.lang), Chosen: at.Code == t.place})
		}
	}
	p.Quantities = []optionView{{Label: w.t("readings.everything")}}
	for _, quantity := range measuredAnywhere(all) {
		p.Quantities = append(p.Quantities, optionView{Value: string(quantity), Label: w.t("quantity." + string(quantity)), Chosen: quantity == t.quantity})
	}
	p.Nothing = len(p.Places) == 1
	p.API = s.base + "/api/readings?place=&quantity=&from=" + p.From + "&to=" + p.To + "&format=csv"
	body, err := s.e.render(w.lang, "readings.html", "layout", p)
	a := answer{status: http.StatusOK, body: body}
	if wrong != "" {
		a.status = http.StatusBadRequest
	}
	return a, err
}

// readingsFile sends a table while it is read. What is wrong before the first byte is said on a page, or to a program; what goes wrong later breaks
// the connection off: a table that ends early must not look like a whole one.
func (s *Server) readingsFile(room chan struct{}, script bool) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		w := s.words(r)
		refuse := func(status int, key string, at ...time.Time) { s.refuseTable(rw, r, script, status, key, at...) }
		fail := func(err error) {
			if script {
				s.apiFail(rw, err)
				return
			}
			s.answer(rw, r, func(*http.Request, *words) (answer, error) { return answer{}, err })
		}
		f, err := s.farmNow(r.Context())
		if err != nil {
			fail(err)
			return
		}
		t, wrong := askedTable(r.URL.Query(), f, s.o.Now())
		if wrong != "" {
			refuse(http.StatusBadRequest, wrong)
			return
		}
		series := s.seriesOfTable(r.Context(), f, t)
		if len(series) == 0 {
			refuse(http.StatusNotFound, "readings.wrong.nothing")
			return
		}
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		default:
			rw.Header().Set("Retry-After", "30")
			refuse(http.StatusServiceUnavailable, "readings.wrong.busy")
			return
		}
		out := &lateFile{rw: rw, control: http.NewResponseController(rw), name: tableFile(f, t, w), mime: tableMIME(t.format)}
		if err := s.writeReadings(r.Context(), f, series, t, out); err != nil {
			if gone, ok := errors.AsType[*export.GoneError](err); ok {
				refuse(http.StatusGone, "period.wrong.gone", gone.Until)
				return
			}
			if !out.begun {
				fail(err)
				return
			}
			if r.Context().Err() == nil {
				s.o.Log.Error("table of readings broken off", slog.Any("err", err))
			}
			panic(http.ErrAbortHandler)
		}
	}
}

// refuseTable says why there is no table, with the times its words name: to a program, or above the form.
func (s *Server) refuseTable(rw http.ResponseWriter, r *http.Request, script bool, status int, key string, at ...time.Time) {
	text := func(w *words) string {
		args := make([]string, len(at))
		for i := range at {
			args[i] = w.dateTime(at[i])
		}
		return w.t(key, args...)
	}
	if script {
		s.apiRefuse(rw, status, text(s.e.words[English]))
		return
	}
	s.answer(rw, r, func(r *http.Request, w *words) (answer, error) {
		a, err := s.readingsForm(r, w, text(w))
		a.status = status
		return a, err
	})
}

func (s *Server) writeReadings(ctx context.Context, f *farm.Farm, series []history.Series, t wantedTable, out *lateFile) error {
	table, err := export.New(t.format, out, export.About{From: t.period.From, To: t.period.To, Zone: farm.Time()})
	if err != nil {
		return err
	}
	_, err = export.Write(ctx, s.o.History, export.Order{Series: series, From: t.period.From, To: t.period.To, Signs: f.Signs}, table)
	if err != nil {
		return err
	}
	return table.Close()
}

func tableMIME(format string) string {
	if format == export.Parquet {
		return "application/vnd.apache.parquet"
	}
	return "text/csv; charset=utf-8; header=present"
}

// tableFile is what a table is called: so-lieu-ao1-dissolved_oxygen-2026-11-01-2026-11-08.csv.
func tableFile(f *farm.Farm, t wantedTable, w *words) string {
	zone := farm.Time()
	parts := []string{w.t("readings.file")}
	if p, ok := f.Place(t.place); ok {
		parts = append(parts, strings.ReplaceAll(fileStem(fold(p.Name)), " ", "-"))
	}
	if t.quantity != "" {
		parts = append(parts, string(t.quantity))
	}
	parts = append(parts, t.period.From.In(zone).Format(time.DateOnly), t.period.To.In(zone).Format(time.DateOnly))
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "-") + "." + t.format
}

// lateFile sends the headers of a file with its first byte, so that what goes wrong before can still be said.
type lateFile struct {
	rw         http.ResponseWriter
	control    *http.ResponseController
	name, mime string
	begun      bool
}

// Write implements io.Writer. A reader who takes nothing for a while is gone.
func (l *lateFile) Write(b []byte) (int, error) {
	if !l.begun {
		l.begun = true
		h := l.rw.Header()
		h.Set("Content-Type", l.mime)
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Disposition", `attachment; filename="`+l.name+`"`)
	}
	// The deadline is the operating system's business, not the pages' clock.
	if err := l.control.SetWriteDeadline(time.Now().Add(exportPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) { //nolint:forbidigo // see above
		return 0, err
	}
	return l.rw.Write(b)
}
