package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch"
)

// Batch is what the page of a gateway says of one batch in the log.
type Batch struct {
	Seq      uint64
	Received time.Time
	From, To time.Time // of its readings; zero: it has none, or nobody knows when they were taken
	Readings int
	Faults   int // of those: no value

	Gaps  int
	Clock string // a measure.ClockState
	Told  []string
}

// batchesShown is how many batches the page of a gateway lists.
const batchesShown = 12

type gatewayPage struct {
	frame
	gatewayRow
	Now     time.Time
	Told    []cardNote
	Figures []reading // what it says of itself
	Probes  []probeRow
	Batches []batchRow
	Refused []Refusal
	Samples []Sample
	Unnamed []unknownRow
}

// probeRow is one probe of a gateway.
type probeRow struct {
	Sensor, Href string
	Place        string
	PlaceHref    string
	Level        level
	Readings     []reading
	Calibrations []probeLine
}

type batchRow struct {
	Seq, Received, Span, Readings, Notes string
	Level                                level
}

func (s *Server) gateway(r *http.Request, w *words) (answer, error) {
	ctx, id := r.Context(), r.PathValue("id")
	f, err := s.farmNow(ctx)
	if err != nil {
		return answer{}, err
	}
	sys, err := s.o.System(ctx)
	if err != nil {
		return answer{}, err
	}
	i := slices.IndexFunc(sys.Gateways, func(g Gateway) bool { return g.ID == id })
	if i < 0 {
		return s.missing(r, w, "missing.gateway", "")
	}
	now := s.o.Now()
	p := gatewayPage{frame: s.frame(r, w, f, w.t("gateway.title", id)), gatewayRow: gatewayLine(w, sys.Gateways[i], now), Now: now}
	p.Nav, p.Sheet = "system", "dash.css"
	if p.Unsigned() {
		p.Title = w.t("gateway.source", id)
	}
	values := s.values(ctx)
	p.Figures = s.healthFigures(ctx, w, id, values, now)
	if p.Probes, err = s.probesOf(ctx, w, f, id, values, now); err != nil {
		return answer{}, err
	}
	p.Batches = s.batchRows(ctx, w, id, now)
	p.Unnamed = s.unknownRows(ctx, w, p.Gateway, now)
	for _, x := range sys.Refusals {
		if x.Gateway == id {
			x.Reason = reasonText(w, x.Reason)
			p.Refused = append(p.Refused, x)
		}
	}
	for _, x := range sys.Samples {
		if x.Gateway == id {
			x.Reason = reasonText(w, x.Reason)
			p.Samples = append(p.Samples, x)
		}
	}
	said, _ := s.newBoardNotes(ctx, w, f, now)
	for _, n := range said.others {
		if strings.HasPrefix(n.Topic, id+": ") {
			p.Told = append(p.Told, n)
		}
	}
	body, err := s.e.render(w.lang, "gateway.html", "layout", p)
	return answer{status: http.StatusOK, body: body}, err
}

// healthFigures are the newest of what a gateway said of itself, with the line of their last day.
func (s *Server) healthFigures(ctx context.Context, w *words, id string, values []watch.Value, now time.Time) []reading {
	list := healthOf(w, id, values, now)
	limit, cancel := context.WithTimeout(ctx, boardPatience)
	defer cancel()
	for i := range list {
		list[i].Spark = s.sparks.get(limit, list[i].last.Series, now)
	}
	return list
}

// probesOf are the probes that hang at a gateway now, those that nobody placed and that speak among them; the worst first.
func (s *Server) probesOf(ctx context.Context, w *words, f *farm.Farm, id string, values []watch.Value, now time.Time) ([]probeRow, error) {
	var out []probeRow
	at := func(sensor, place string) *probeRow {
		i := slices.IndexFunc(out, func(p probeRow) bool { return p.Sensor == sensor })
		if i < 0 {
			row := probeRow{Sensor: sensor, Place: w.t("gateway.probe.nowhere"), Href: inLanguage("/probes/"+url.PathEscape(id)+"/"+url.PathEscape(sensor), w.lang)}
			if p, ok := f.Place(place); ok {
				row.Place, row.PlaceHref = p.Title.In(w.lang), inLanguage("/places/"+p.Code, w.lang)
			}
			i, out = len(out), append(out, row)
		}
		return &out[i]
	}
	seen := map[history.Series]bool{}
	add := func(row *probeRow, limits []farm.Limit, v watch.Value, ok bool) {
		r := judge(w, f, limits, v, ok, now)
		seen[v.Series] = true
		row.Readings, row.Level = append(row.Readings, r), max(row.Level, r.Level)
	}
	for _, m := range f.Mounts {
		if m.Gateway != id || !m.Holds(now) {
			continue
		}
		row := at(m.Sensor, m.Place)
		p, _ := f.Place(m.Place)
		for _, q := range m.Measures {
			sr := history.Series{Place: m.Place, Quantity: q, Gateway: id, Sensor: m.Sensor}
			i := slices.IndexFunc(values, func(v watch.Value) bool { return v.Series == sr })
			if i < 0 {
				add(row, nil, watch.Value{Series: sr}, false)
			} else {
				add(row, f.LimitsOf(p, q), values[i], true)
			}
		}
	}
	for _, v := range values {
		if v.Gateway == id && !v.Quantity.OfGateway() && !seen[v.Series] {
			if _, placed := f.Place(v.Place); !placed || len(out) == 0 || !slices.ContainsFunc(out, func(p probeRow) bool { return p.Sensor == v.Sensor }) {
				add(at(v.Sensor, v.Place), nil, v, true)
			}
		}
	}
	for i := range out {
		lines, err := s.calibrationsOf(ctx, w, id, out[i], now)
		if err != nil {
			return nil, err
		}
		out[i].Calibrations = lines
	}
	slices.SortStableFunc(out, func(a, b probeRow) int { return int(b.Level) - int(a.Level) })
	return out, nil
}

// calibrationsOf says how each quantity of a probe is calibrated that ever was.
func (s *Server) calibrationsOf(ctx context.Context, w *words, gateway string, p probeRow, now time.Time) (out []probeLine, err error) {
	entries, err := s.o.Calibrations.Calibrations(ctx, gateway, p.Sensor, calibrationsRead)
	if err != nil {
		return nil, err
	}
	for _, r := range p.Readings {
		i := slices.IndexFunc(entries, func(e calibration.Entry) bool { return e.Quantity == r.Quantity })
		if i < 0 {
			continue
		}
		c := newCalibrationRow(w, entries[i], now)
		line := probeLine{Quantity: r.Quantity, Label: r.Label, Level: c.Level, Word: c.Word, Detail: w.t("calibration.by", c.When, c.Who)}
		if c.Due != "" {
			line.Detail += " · " + w.t("calibration.next", c.Due)
		}
		out = append(out, line)
	}
	return out, nil
}

// batchRows are the newest batches of a gateway. While the log cannot be read there are none, and the page says nothing of them.
func (s *Server) batchRows(ctx context.Context, w *words, id string, now time.Time) (out []batchRow) {
	if s.o.Batches == nil {
		return nil
	}
	limit, cancel := context.WithTimeout(ctx, sqlPatience)
	defer cancel()
	list, err := s.o.Batches(limit, id, batchesShown)
	if err != nil {
		s.o.Log.Warn("newest batches", slog.String("gateway", cut(id)), slog.Any("err", err))
		return nil
	}
	for _, b := range list {
		row := batchRow{
			Seq: w.count(int64(min(b.Seq, 1<<62))), Received: w.moment(b.Received, now), Span: w.t("gateway.batch.undated"), Readings: w.amount("gateway.batch.readings", int64(b.Readings)),
		}
		if !b.From.IsZero() {
			row.Span = w.moment(b.From, now)
			if b.To.Sub(b.From) >= time.Minute {
				row.Span += " – " + w.moment(b.To, now)
			}
		}
		var notes []string
		if b.Faults > 0 {
			row.Level, notes = warned, append(notes, w.amount("gateway.batch.faults", int64(b.Faults)))
		}
		if b.Gaps > 0 {
			row.Level, notes = warned, append(notes, w.amount("gateway.batch.gaps", int64(b.Gaps)))
		}
		if late := b.Received.Sub(b.To); !b.To.IsZero() && late > staleAfter {
			row.Level, notes = max(row.Level, noted), append(notes, w.t("gateway.batch.late", w.length(late.Round(time.Minute))))
		}
		if b.Clock != "" && b.Clock != measure.Synced.String() {
			row.Level, notes = max(row.Level, noted), append(notes, w.t("clock."+b.Clock))
		}
		for _, kind := range b.Told {
			if w.has("gateway.batch.told." + kind) {
				notes = append(notes, w.t("gateway.batch.told."+kind))
			}
		}
		row.Notes = strings.Join(notes, " · ")
		out = append(out, row)
	}
	return out
}
