package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// timeRoutes are the page of a place and its files, and the pages that compare places and look at one probe.
func (s *Server) timeRoutes() []route {
	see := needs(account.SeePlaces)
	return []route{
		{"GET /places/{code}", see, s.page(s.place)},
		{"GET /places/{code}/data.csv", see, s.placeData},
		{"GET /places/{code}/chart.png", see, s.placePicture},
		{"GET /places/{code}/calibrations", see, s.page(s.calibrations)},
	}
}

type placePage struct {
	frame
	Card     card
	Zone     string
	Address  string
	Period   periodView
	Times    string // the page's address without a period, for the script
	Step     int64  // of the charts, seconds
	Charts   []figure
	Happened []happening // what the lanes below the charts show, in words
	Fed      string      // how often there was fed; "": never
	More     string      // link to the diary of the time; "": there is nothing in it
	Files    files
	Compare  string // link to the same beside other places
	Limits   []limitLine
	Panels   panels // what other files draw of the place
	Lots     []lotLine
	Probes   []probeLine // how each probe is calibrated
	Gates    *gateView   // what holds a harvest back; nil: nobody judges, or it is not for this visitor
	Broken   bool        // the history does not answer
}

type limitLine struct{ Quantity, Text, Source string }

// placeAsked returns the place of a page's address; ok is false when there is none.
func (s *Server) placeAsked(r *http.Request) (f *farm.Farm, p farm.Place, ok bool, err error) {
	if f, err = s.farmNow(r.Context()); err != nil {
		return nil, p, false, err
	}
	if code, bad := farm.ParseCode(r.PathValue("code")); bad == nil {
		p, ok = f.Place(code)
	}
	return f, p, ok, nil
}

// seasonOf is when the place's season began; zero where nobody wrote it down.
func (s *Server) seasonOf(ctx context.Context, place string, now time.Time) (time.Time, error) {
	if s.o.Book == nil {
		return time.Time{}, nil
	}
	reg, _, err := s.registerNow(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return reg.seasonBegin(place, now), nil
}

func (s *Server) place(r *http.Request, w *words) (answer, error) {
	f, p, ok, err := s.placeAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.place", "")
	}
	ctx, now := r.Context(), s.o.Now()
	begun, err := s.seasonOf(ctx, p.Code, now)
	if err != nil {
		return answer{}, err
	}
	asked, wrong, ok := askedPeriod(r.URL.Query(), begun, now)
	if !ok {
		return s.missing(r, w, "missing.range", "")
	}
	values := s.values(ctx)
	asked, gone, lost := s.asKept(ctx, charted(seriesAt(f, p, values, asked.From, asked.To.Add(time.Nanosecond))), asked)
	if lost != nil { // the charts say so
		s.o.Log.Warn("rollups", slog.String("place", p.Code), slog.Any("err", lost))
	}
	v := placePage{
		frame: s.frame(r, w, f, p.Title.In(w.lang)), Card: s.ownCard(ctx, w, f, p, values, now), Limits: limitLines(w, f, p),
		Period: newPeriodView(w, "/places/"+p.Code, url.Values{}, asked, begun, wrong, now),
	}
	v.Period.Gone = w.goneText(gone)
	v.Times, v.Step = inLanguage("/places/"+p.Code, w.lang), int64(asked.Step.Seconds())
	v.Sheet, v.Forms, v.Script = "place.css", true, "chart.js"
	v.Live = inLanguage("/live?place="+p.Code, w.lang)
	if z, ok := f.Zone(p.Zone); ok {
		v.Zone = z.Name.In(w.lang)
		if a, ok := farm.AddressAt(z.Addresses, now); ok {
			v.Address = a.Text.In(w.lang)
		}
	}
	if v.Probes, err = s.probeLines(ctx, w, f, p, now); err != nil {
		return answer{}, err
	}
	if v.Gates, err = s.gatesAt(ctx, w, p, now); err != nil {
		return answer{}, err
	}
	v.Panels = s.panelsOf(ctx, w, placeAt{f, p, now}, s.placePanels())
	lots, err := s.lotLines(ctx, w, f)
	if err != nil {
		return answer{}, err
	}
	v.Lots = slices.DeleteFunc(lots, func(l lotLine) bool { return !slices.Contains(l.Places, p.Code) })
	if err := s.placeTimes(ctx, w, f, p, asked, &v); err != nil {
		return answer{}, err
	}
	body, err := s.e.render(w.lang, "place.html", "layout", v)
	return answer{status: http.StatusOK, body: body}, err
}

// placeTimes draws what is over time: charts, lanes, and what happened.
func (s *Server) placeTimes(ctx context.Context, w *words, f *farm.Farm, p farm.Place, asked period, v *placePage) error {
	all := charted(seriesAt(f, p, s.values(ctx), asked.From, asked.To.Add(time.Nanosecond)))
	line, err := s.timelineOf(ctx, w, f, p, asked)
	if err != nil {
		return err
	}
	if v.Charts, err = s.figures(ctx, w, f, all, asked, line); err != nil {
		s.o.Log.Warn("chart", slog.String("place", p.Code), slog.Any("err", err))
		v.Broken = true
	}
	v.Happened, v.More = line.list(w, p, asked, s.o.Now())
	v.Fed = line.fed(w)
	if len(all) > 0 {
		v.Files = newFiles(w, p.Code, asked)
		q := asked.query()
		q.Set("place", p.Code)
		q.Set("quantity", string(all[0].Quantity))
		v.Compare = inLanguage("/compare?"+q.Encode(), w.lang)
	}
	return nil
}

// figures draws series, some at a time: they wait for the same file or server.
func (s *Server) figures(ctx context.Context, w *words, f *farm.Farm, all []history.Series, asked period, line timeline) ([]figure, error) {
	const atOnce = 3
	out := make([]figure, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, sr := range all {
		group.Go(func() (err error) {
			out[i], err = s.figure(ctx, w, f, sr, asked, line)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// charted leaves out series whose chart would say what another one says: what an aerator was told, and the ampere it drew, beside
// whether it ran. Alarms are lines in the card.
func charted(all []history.Series) []history.Series {
	runs := slices.ContainsFunc(all, func(sr history.Series) bool { return sr.Quantity == measure.AeratorRunning })
	return slices.DeleteFunc(all, func(sr history.Series) bool {
		switch sr.Quantity { //nolint:exhaustive // a part of them
		case measure.AlarmState:
			return true
		case measure.AeratorCommand, measure.Current:
			return runs
		}
		return false
	})
}

func limitLines(w *words, f *farm.Farm, p farm.Place) []limitLine {
	var out []limitLine
	for _, q := range measure.Quantities() {
		for _, l := range f.LimitsOf(p, q) {
			key := fmt.Sprintf("limits.%s.low", l.Level)
			if l.Above {
				key = fmt.Sprintf("limits.%s.high", l.Level)
			}
			out = append(out, limitLine{w.t("quantity." + string(q)), w.t(key, w.limit(q, l.Value)), l.Source.In(w.lang)})
		}
	}
	return out
}
