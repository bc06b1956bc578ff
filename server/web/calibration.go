package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/farm"
)

// How many calibrations a page shows of one probe, and looks at to find the newest of each quantity.
const (
	calibrationsShown = 30
	calibrationsRead  = 12
)

// probeLine is how a quantity of a probe is calibrated, in one line.
type probeLine struct {
	Quantity        measure.Quantity
	Gateway, Sensor string
	Label           string
	Level           level
	Word            string // what it is worth
	Detail          string // who, when, until when
}

// probeAt is a probe of a place.
type probeAt struct {
	gateway, sensor string
	quantities      []measure.Quantity
}

// probesAt lists the probes that hang at a place, or hung there since; each once.
func probesAt(f *farm.Farm, p farm.Place, since time.Time, now time.Time) (out []probeAt) {
	for _, m := range f.Mounts {
		if m.Place != p.Code || (!m.To.IsZero() && m.To.Before(since)) || m.From.After(now) {
			continue
		}
		i := slices.IndexFunc(out, func(x probeAt) bool { return x.gateway == m.Gateway && x.sensor == m.Sensor })
		if i < 0 {
			i = len(out)
			out = append(out, probeAt{gateway: m.Gateway, sensor: m.Sensor})
		}
		for _, q := range m.Measures {
			if !slices.Contains(out[i].quantities, q) {
				out[i].quantities = append(out[i].quantities, q)
			}
		}
	}
	return out
}

// probeLines says how the probes are calibrated that hang at a place now. A quantity without any calibration has no line
// unless its probe has others: thermometers need none.
func (s *Server) probeLines(ctx context.Context, w *words, f *farm.Farm, p farm.Place, now time.Time) (out []probeLine, err error) {
	for _, x := range probesAt(f, p, now, now) {
		entries, err := s.o.Calibrations.Calibrations(ctx, x.gateway, x.sensor, calibrationsRead)
		if err != nil {
			return nil, err
		}
		for _, q := range x.quantities {
			i := slices.IndexFunc(entries, func(e calibration.Entry) bool { return e.Quantity == q })
			if i < 0 {
				continue
			}
			c := newCalibrationRow(w, entries[i], now)
			line := probeLine{
				Quantity: q, Gateway: x.gateway, Sensor: x.sensor, Label: w.t("quantity." + string(q)), Level: c.Level, Word: c.Word,
				Detail: w.t("calibration.by", c.When, c.Who),
			}
			if c.Due != "" {
				line.Detail += " · " + w.t("calibration.next", c.Due)
			}
			out = append(out, line)
		}
	}
	return out, nil
}

type calibrationsPage struct {
	frame
	Place   farm.Place
	Probes  []probeHistory
	Nothing bool
}

// probeHistory is every calibration of one probe.
type probeHistory struct {
	Gateway, Sensor string
	Measures        string
	Rows            []calibrationRow
}

// calibrationRow is one calibration as a page shows it.
type calibrationRow struct {
	Label                string // of the quantity
	When, Who, Due       string
	Kind, Method, Serial string
	Level                level
	Word                 string
	Verdict              string
	Slope, Offset, Note  string
	Points               []pointRow
	Reasons              []string // as the gateway wrote them, English
	Unread               bool     // the document says nothing that can be shown
	Raw                  string   // of an unread one: its beginning
	Newest               bool     // of its quantity
	at                   time.Time
}

type pointRow struct{ Name, Expected, Before, After, Celsius, Lot string }

func (s *Server) calibrations(r *http.Request, w *words) (answer, error) {
	f, p, ok, err := s.placeAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.place", "")
	}
	now := s.o.Now()
	v := calibrationsPage{frame: s.frame(r, w, f, w.t("calibration.of", p.Title.In(w.lang))), Place: p, Nothing: true}
	for _, x := range probesAt(f, p, time.Time{}, now) {
		entries, err := s.o.Calibrations.Calibrations(r.Context(), x.gateway, x.sensor, calibrationsShown)
		if err != nil {
			return answer{}, err
		}
		h := probeHistory{Gateway: x.gateway, Sensor: x.sensor}
		var names []string
		for _, q := range x.quantities {
			names = append(names, w.t("quantity."+string(q)))
		}
		h.Measures = strings.Join(names, ", ")
		h.Rows = calibrationRows(w, entries, now)
		v.Nothing = v.Nothing && len(h.Rows) == 0
		v.Probes = append(v.Probes, h)
	}
	body, err := s.e.render(w.lang, "calibrations.html", "layout", v)
	return answer{status: http.StatusOK, body: body}, err
}

// calibrationRows writes the calibrations of one probe down, the newest first, as they come.
func calibrationRows(w *words, entries []calibration.Entry, now time.Time) (out []calibrationRow) {
	seen := map[measure.Quantity]bool{}
	for _, e := range entries {
		row := newCalibrationRow(w, e, now)
		if row.Newest = !seen[e.Quantity] && !e.Time.IsZero(); row.Newest {
			seen[e.Quantity] = true
		} else if !e.Time.IsZero() {
			row.Level, row.Word = fine, w.t("calibration.replaced") // another one took its place; it cannot be overdue
		}
		out = append(out, row)
	}
	return out
}

// newCalibrationRow writes an entry down. What cannot be read is shown as that, with its beginning.
func newCalibrationRow(w *words, e calibration.Entry, now time.Time) calibrationRow {
	row := calibrationRow{When: w.t("calibration.undated"), at: e.Time}
	if !e.Time.IsZero() {
		row.When = w.dateTime(e.Time)
	}
	rec, err := calibration.Read(e.Body)
	if err != nil {
		row.Unread, row.Level, row.Word, row.Raw = true, warned, w.t("calibration.unread"), excerpt(e.Body)
		row.Who = "—"
		return row
	}
	st, due := e.Standing(rec, now)
	row.Word = w.t("calibration.standing." + string(st))
	switch st {
	case calibration.InForce:
	case calibration.Undated:
		row.Level = noted
	case calibration.Overdue, calibration.Unfit:
		row.Level = warned
	}
	if !due.IsZero() {
		row.Due = w.date(due)
	}
	q := rec.Quantity
	row.Label, row.Who, row.Serial, row.Note, row.Reasons = w.t("quantity."+string(q)), rec.Who, rec.Serial, rec.Note, rec.Reasons
	row.Kind, row.Method = rec.Kind, rec.Method
	if key := "calibration.method." + rec.Method; w.has(key) {
		row.Method = w.t(key)
	}
	row.Verdict = w.t("calibration.verdict." + string(rec.Verdict))
	if rec.SlopePercent != nil {
		row.Slope = w.num(*rec.SlopePercent, 1) + nbsp + "%"
	}
	if rec.Offset != nil {
		row.Offset = strings.TrimSpace(w.num(*rec.Offset, 2) + nbsp + rec.OffsetUnit)
	}
	for _, p := range rec.Points {
		row.Points = append(row.Points, newPointRow(w, q, p))
	}
	return row
}

func newPointRow(w *words, q measure.Quantity, p calibration.Point) pointRow {
	info, _ := q.Info()
	decimals := max(info.Decimals, 1)
	num := func(v *float64) string {
		if v == nil {
			return "—"
		}
		return w.num(*v, decimals)
	}
	out := pointRow{Name: p.Name, Expected: num(&p.Expected), Before: num(&p.Before), After: num(p.After), Celsius: "—", Lot: p.Lot}
	if key := "calibration.step." + p.Name; w.has(key) {
		out.Name = w.t(key)
	}
	if p.Celsius != nil {
		out.Celsius = w.num(*p.Celsius, 1)
	}
	if p.Expiry != "" {
		out.Lot += " (" + p.Expiry + ")"
	}
	if p.Expired {
		out.Lot += " " + w.t("calibration.expired")
	}
	if out.Lot == "" {
		out.Lot = "—"
	}
	return out
}

// excerpt is the beginning of a document nobody can read, in letters that are safe in one line.
func excerpt(body string) string {
	const most = 120
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '·'
		}
		return c
	}, body)
	if len(clean) > most {
		return clean[:most] + "…"
	}
	return clean
}
