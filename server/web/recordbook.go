package web

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/book"
	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/history"
	"aovuon/server/ledger"
)

// BookSources are what record books are gathered from.
type BookSources struct {
	Farm         Register
	Book         Book
	Calibrations Calibrations
	History      History // nil: books have no measured values
	People       func(ctx context.Context) ([]account.Account, error)
	Gates        Gates // nil: nothing is judged
	// Standings returns the lots that the diary opened at a place; nil: nobody knows.
	Standings Standings
	// Head returns the newest signed head of the ledger; nil: nothing is signed yet.
	Head func(ctx context.Context) (*book.Head, error)
}

// Standings returns the lots that the diary opened at a place since a time, with what holds them; sqldb.DB.DiaryLots is one.
type Standings func(ctx context.Context, place string, since time.Time) ([]desk.Standing, error)

// BookAsk says which book is asked for, by whom.
type BookAsk struct {
	Cycle    string
	Standard book.Standard // "": the likeliest of the season
	Lang     string
	May      func(place string) bool // may read there; "" is the co-op as a whole
	Names    func(account string) bool
	Now      time.Time
}

// RecordBook gathers and makes a book. The error wraps book.ErrNoCycle or book.ErrStandard where there is none such.
func RecordBook(ctx context.Context, from BookSources, ask BookAsk) (book.Book, error) {
	w, err := loadWords(ask.Lang)
	if err != nil {
		return book.Book{}, err
	}
	return from.make(ctx, w, ask)
}

// BookWords returns the words of a language as books ask for them.
func BookWords(lang string) (book.Words, error) {
	w, err := loadWords(lang)
	return bookWords{w}, err
}

// bookWords are the words of pages as books ask for them.
type bookWords struct{ *words }

func (w bookWords) Lang() string                        { return w.lang }
func (w bookWords) T(key string, args ...string) string { return w.t(key, args...) }
func (w bookWords) Unit(f form.Field) string            { return w.unitOf(f) }

// Number writes a number with points between thousands and the decimals it has, at most six.
func (w bookWords) Number(n float64) string {
	decimals := 0
	for decimals < 6 && math.Abs(n*math.Pow10(decimals)-math.Round(n*math.Pow10(decimals))) > 1e-9*math.Max(1, math.Abs(n)) {
		decimals++
	}
	return w.num(n, decimals)
}

func (from BookSources) make(ctx context.Context, w *words, ask BookAsk) (book.Book, error) {
	src := book.Source{Cycle: ask.Cycle, Standard: ask.Standard, Now: ask.Now}
	cycle, place, err := from.register(ctx, &src, ask)
	if err != nil {
		return book.Book{}, err
	}
	if src.Standard == "" {
		if all := book.Of(cycle); len(all) > 0 {
			src.Standard = all[0]
		}
	}
	if err := from.diary(ctx, &src, place, ask.May); err != nil {
		return book.Book{}, err
	}
	begin, end := cycle.Values.Day("begin", w.zone), cycle.Values.Day("end", w.zone)
	if end = end.AddDate(0, 0, 1); cycle.Values.Text("end") == "" || end.After(ask.Now) {
		end = ask.Now
	}
	if err := from.probes(ctx, w, &src, place, begin, end); err != nil {
		return book.Book{}, err
	}
	if src.Findings, err = from.findings(ctx, w, cycle, place, ask.Now); err != nil {
		return book.Book{}, err
	}
	if src.Who, err = from.who(ctx, w, &src, ask); err != nil {
		return book.Book{}, err
	}
	if src.Lots, err = from.lots(ctx, w, &src, cycle, place); err != nil {
		return book.Book{}, err
	}
	if src.Ledger, err = from.Head(ctx); err != nil {
		return book.Book{}, err
	}
	return book.Make(src, bookWords{w})
}

// register reads the farm and its register, and finds the season and its place.
func (from BookSources) register(ctx context.Context, src *book.Source, ask BookAsk) (cycle farm.Record, place farm.Place, err error) {
	if src.Farm, err = from.Farm.Farm(ctx); err != nil {
		return cycle, place, fmt.Errorf("web: book: %w", err)
	}
	for _, k := range farm.RecordKinds() {
		list, err := from.Book.Records(ctx, k)
		if err != nil {
			return cycle, place, fmt.Errorf("web: book: %w", err)
		}
		src.Records = append(src.Records, list...)
	}
	i := slices.IndexFunc(src.Records, func(r farm.Record) bool { return r.Kind == farm.Cycle && r.ID == ask.Cycle })
	if i < 0 {
		return cycle, place, fmt.Errorf("%w: %.40q", book.ErrNoCycle, ask.Cycle)
	}
	cycle = src.Records[i]
	place, ok := src.Farm.Place(cycle.Values.Text("place"))
	if !ok || !ask.May(place.Code) {
		return cycle, place, fmt.Errorf("%w: %.40q", book.ErrNoCycle, ask.Cycle)
	}
	return cycle, place, nil
}

// diary reads the entries; the stock is that of the co-op, whose entries the reader need not see.
func (from BookSources) diary(ctx context.Context, src *book.Source, place farm.Place, may func(string) bool) error {
	events, err := from.Book.Events(ctx, diary.Query{})
	if err != nil {
		return fmt.Errorf("web: book: %w", err)
	}
	for _, e := range events {
		if e.Place == place.Code || e.Place == "" && may("") {
			src.Events = append(src.Events, e)
		}
	}
	all := diary.Entries(events)
	src.Stock = diary.Stock(all, slices.DeleteFunc(slices.Clone(src.Records), func(r farm.Record) bool { return r.Kind != farm.Input }))
	for _, e := range all {
		if e.Kind == diary.Receipt && may(e.Place) {
			src.Receipts = append(src.Receipts, e)
		}
	}
	return nil
}

// findings are what the gates say of the season now; of a season that is over, what is its own.
func (from BookSources) findings(ctx context.Context, w *words, cycle farm.Record, place farm.Place, now time.Time) ([]book.Finding, error) {
	if from.Gates == nil {
		return nil, nil
	}
	v, err := from.Gates.Verdict(ctx, place.Code)
	if err != nil {
		return nil, fmt.Errorf("web: book: %w", err)
	}
	var out []book.Finding
	for _, x := range v.Of(place.Code) {
		if x.Cycle != cycle.ID && (x.Cycle != "" || cycle.Values.Text("end") != "") {
			continue
		}
		line := newRuleLine(w, x, now)
		out = append(out, book.Finding{Text: line.Text, Level: w.t("book.level." + string(x.Level)), Entry: line.Entry, Clears: x.Clears})
	}
	return out, nil
}

// lots are those that the season's harvests opened, with what holds or held them.
func (from BookSources) lots(ctx context.Context, w *words, src *book.Source, cycle farm.Record, place farm.Place) ([]book.Lot, error) {
	if from.Standings == nil {
		return nil, nil
	}
	all, err := from.Standings(ctx, place.Code, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("web: book: %w", err)
	}
	var out []book.Lot
	for _, st := range all {
		if st.Lot.Cycle != cycle.ID {
			continue
		}
		l := book.Lot{Code: st.Lot.Code, State: w.t("book.lot." + string(st.Lot.State)), KG: st.Lot.KG, Harvested: st.Lot.Harvested}
		if h := st.Hold; h != nil {
			for _, c := range h.Causes {
				text := w.t("book.lot.never")
				if !c.Clears.IsZero() {
					text = w.t("book.lot.until", w.date(c.Clears))
				}
				if l.Reason != "" {
					l.Reason += "; "
				}
				l.Reason += text
				if c.Event != "" {
					l.Reason += " (" + c.Event + ")"
				}
			}
			if !h.Released.IsZero() {
				l.Released = w.dateTime(h.Released) + ", " + src.Who(h.ReleasedBy)
				if why := reasonOf(src.Events, h.Release); why != "" {
					l.Released += ": " + why
				}
			}
		}
		out = append(out, l)
	}
	return out, nil
}

// reasonOf is why a lot was let go: the reason in the release, as it stands now.
func reasonOf(events []diary.Event, release string) string {
	for _, e := range diary.Entries(events) {
		if e.First.ID == release {
			return e.Values.Text("reason")
		}
	}
	return ""
}

// week is the step of measured values in a book.
const week = 7 * 24 * time.Hour

// calibrationsInBook bounds the calibrations of one probe in a book.
const calibrationsInBook = 200

// probes reads what the place's probes measured in the season, week by week, and how they were calibrated.
func (from BookSources) probes(ctx context.Context, w *words, src *book.Source, place farm.Place, begin, end time.Time) error {
	for _, sr := range seriesAt(src.Farm, place, nil, begin, end) {
		info, known := sr.Quantity.Info()
		if from.History == nil || !known || stateOf(w, sr.Quantity) || !begin.Before(end) {
			continue
		}
		steps, err := from.History.Range(ctx, history.Query{Series: sr, From: begin, To: end, Every: week, Zone: w.zone})
		if err != nil {
			return fmt.Errorf("web: book: %w", err)
		}
		for _, b := range steps {
			m := book.Measured{
				Quantity: w.t("quantity." + string(sr.Quantity)), Unit: info.Unit, Sensor: sr.Sensor, From: b.Start, To: b.Start.Add(week), N: b.N, Faults: b.Faults + b.OutOfRange,
				Min: b.Min, Mean: b.Mean, Max: b.Max, Decimals: info.Decimals,
				Unsigned: !src.Farm.Signs(sr.Gateway),
			}
			if m.From.Before(begin) {
				m.From = begin
			}
			if m.To.After(end) {
				m.To = end
			}
			src.Measured = append(src.Measured, m)
		}
	}
	for _, x := range probesAt(src.Farm, place, begin, end) {
		entries, err := from.Calibrations.Calibrations(ctx, x.gateway, x.sensor, calibrationsInBook)
		if err != nil {
			return fmt.Errorf("web: book: %w", err)
		}
		for _, e := range entries {
			src.Calibrations = append(src.Calibrations, bookCalibration(w, e, src.Now))
		}
	}
	return nil
}

// stateOf reports whether a quantity is a state, which has no lowest and no mean.
func stateOf(w *words, q measure.Quantity) bool { return w.has("no." + string(q)) }

func bookCalibration(w *words, e calibration.Entry, now time.Time) book.Calibration {
	row := newCalibrationRow(w, e, now)
	out := book.Calibration{Sensor: e.Sensor, Quantity: row.Label, At: e.Time, Who: row.Who, Verdict: row.Verdict}
	if out.Verdict == "" {
		out.Verdict = row.Word
	}
	if rec, err := calibration.Read(e.Body); err == nil {
		_, out.Due = e.Standing(rec, now)
	}
	return out
}

// who says who wrote: a name for those who may see it, for others the pseudonym; with the role, and of a farmer the household.
func (from BookSources) who(ctx context.Context, w *words, src *book.Source, ask BookAsk) (func(string) string, error) {
	people, err := from.People(ctx)
	if err != nil {
		return nil, fmt.Errorf("web: book: %w", err)
	}
	known := map[string]string{}
	for _, a := range people {
		name := w.t("book.somebody", a.ID)
		if ask.Names(a.ID) && a.Name != "" {
			name = a.Name
		}
		known[a.ID] = name + " (" + roleWords(w, src, a) + ")"
	}
	return func(actor string) string {
		switch {
		case known[actor] != "":
			return known[actor]
		case actor == ledger.Server:
			return w.t("actor.server")
		case actor == ledger.Operator:
			return w.t("actor.operator")
		}
		return w.t("book.somebody", actor)
	}, nil
}

func roleWords(w *words, src *book.Source, a account.Account) string {
	role := w.t("role." + string(a.Role))
	if a.Role != account.Farmer {
		return role
	}
	for _, code := range a.Places {
		if p, ok := src.Farm.Place(code); ok {
			if h, ok := farm.HouseholdOf(p, src.Records); ok {
				return w.t("book.household.who", role, h.Values.Text("code"))
			}
		}
	}
	return role
}

// BookHead is the head of a ledger as books print it.
func BookHead(h ledger.Head, seen []ledger.Seen, base string) *book.Head {
	if h.Size == 0 {
		return nil
	}
	out := &book.Head{Log: h.Origin, Size: h.Size, Root: base64.StdEncoding.EncodeToString(h.Root[:])}
	for _, s := range seen {
		if s.Time.After(out.At) {
			out.At = s.Time
		}
	}
	if base != "" {
		out.URL = fmt.Sprintf("%s/proof/%d", base, h.Size-1)
	}
	return out
}
