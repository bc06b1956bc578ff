package web

import (
	"net/http"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
)

// gatesView is the co-op as the gates see it: from when what may be harvested, what is wrong, what is left of inputs.
type gatesView struct {
	frame
	Harvests []harvestRow
	Held     []lotView
	Found    []foundPart
	Stock    []stockRow
}

// harvestRow is a season of a place, or a place where none is open.
type harvestRow struct {
	Place, Code string
	Season      string
	Level       level
	Text        string // from when; in words
	Left        string
	Entry       string
}

// foundPart is what was found at a place; of no place: of the co-op.
type foundPart struct {
	Name, Code string
	View       gateView
}

// stockRow is what is left of a maker's lot of an input.
type stockRow struct {
	ID, Name, Lot        string
	Expiry               string
	Received, Used, Left string
	Counted              string // empty: nothing was put right
	Short, Expired       bool
}

func (s *Server) gatesPage(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return answer{}, err
	}
	verdict, err := s.verdict(ctx, "")
	if err != nil {
		return answer{}, err
	}
	events, err := s.o.Book.Events(ctx, diary.Query{})
	if err != nil {
		return answer{}, err
	}
	v := gatesView{Stock: stockRows(w, reg, diary.Stock(diary.Entries(events), reg[farm.Input]), now)}
	for _, h := range verdict.Harvests {
		if p, ok := f.Place(h.Place); ok && (h.Cycle != "" || !h.From.IsZero() || h.Unknown) {
			v.Harvests = append(v.Harvests, newHarvestRow(w, reg, p, h, verdict, now))
		}
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return answer{}, err
	}
	if v.Held, err = s.lotsShown(ctx, w, f, t, "", heldLot); err != nil {
		return answer{}, err
	}
	link := s.may(ctx, account.SeeRegister)
	whole := foundPart{Name: w.t("gate.coop")}
	for _, x := range verdict.Of("") {
		whole.View.Lines = append(whole.View.Lines, newGateLine(w, x, now, link))
	}
	if len(whole.View.Lines) > 0 {
		v.Found = append(v.Found, whole)
	}
	for _, p := range f.Places {
		part := foundPart{Name: p.Title.In(w.lang), Code: p.Code}
		for _, x := range verdict.Of(p.Code) {
			part.View.Lines = append(part.View.Lines, newGateLine(w, x, now, link))
		}
		if len(part.View.Lines) > 0 {
			v.Found = append(v.Found, part)
		}
	}
	return s.draw(r, w, "gates.html", "gates", w.t("gate.page"), func(fr frame) any { v.frame = fr; return v })
}

func newHarvestRow(w *words, reg register, p farm.Place, h gate.Harvest, v gate.Verdict, now time.Time) harvestRow {
	row := harvestRow{Place: p.Title.In(w.lang), Code: p.Code, Level: fine, Text: w.t("gate.harvest.free"), Entry: h.Cause}
	if c, ok := reg.record(farm.Cycle, h.Cycle); ok {
		row.Season = c.Name()
	}
	switch {
	case h.Unknown:
		row.Level, row.Text = danger, w.t("gate.harvest.unknown")
	case now.Before(h.From):
		row.Level, row.Text, row.Left = danger, w.t("gate.harvest.from", w.date(h.From)), w.left(now, h.From)
	case len(v.Holds(h.Place, h.Cycle)) > 0:
		row.Level, row.Text = danger, w.t("gate.harvest.held")
	}
	return row
}

// stockRows puts the stock into rows, as the inputs are called.
func stockRows(w *words, reg register, v diary.Inventory, now time.Time) []stockRow {
	today := now.In(w.zone).Format(time.DateOnly)
	var out []stockRow
	for _, in := range reg[farm.Input] { // they come by name
		for _, b := range v.Balances {
			if b.Input != in.ID {
				continue
			}
			amount := func(n float64) string { return w.figure(n) + nbsp + w.t("option.unit."+b.Unit) }
			row := stockRow{
				ID: in.ID, Name: in.Name(), Lot: b.Lot, Received: amount(b.Received), Used: amount(b.Used), Left: amount(b.Amount),
				Short: b.Lot != "" && b.Short(), Expired: b.Expiry != "" && b.Expiry < today && b.Amount > 0,
			}
			if total, isShort := v.Total(in.ID); b.Lot == "" && isShort && total < 0 {
				row.Short = true
			}
			if b.Counted != 0 {
				row.Counted = amount(b.Counted)
			}
			if day, err := time.ParseInLocation(time.DateOnly, b.Expiry, w.zone); err == nil {
				row.Expiry = w.date(day)
			}
			out = append(out, row)
		}
	}
	return out
}

// warnedOf is what an input has to be warned of, by its name and actives: what its own page says, with or without script.
func warnedOf(w *words, rec farm.Record) (out []ruleLine) {
	if rec.Kind != farm.Input {
		return nil
	}
	status := gate.Actives().Status
	branch := branchOfInput(rec.Values.Text("type"))
	for _, text := range append(slices.Clone(rec.Values.List("actives")), rec.Values.Text("name")) {
		for _, h := range gate.Warn(text, branch) {
			line := ruleLine{Level: warned, Text: activeText(w, h, status)}
			if h.Blocks() {
				line.Level = danger
			}
			if !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

// branchOfInput is where an input of a type is mostly used: the list it is looked up in.
func branchOfInput(t string) farm.Branch {
	switch t {
	case farm.Pesticide, farm.Fertilizer, farm.Seed:
		return farm.Crop
	}
	return farm.Fish
}

// markBanned says beside the inputs that a form of ponds offers which of them hold the lot, before one is used.
func markBanned(w *words, event string, list []farm.Record, opts []optionView) {
	k, known := diary.KindOf(event)
	if !known || !slices.Equal(k.Branches, []farm.Branch{farm.Fish}) {
		return
	}
	table := gate.Actives()
	for _, rec := range list {
		texts := append(slices.Clone(rec.Values.List("actives")), rec.Values.Text("name"))
		banned := slices.ContainsFunc(texts, func(text string) bool {
			return slices.ContainsFunc(table.Find(text, gate.Aquaculture), gate.Hit.Blocks)
		})
		if i := slices.IndexFunc(opts, func(o optionView) bool { return o.Value == rec.ID }); banned && i >= 0 {
			opts[i].Label = w.t("gate.banned.mark", opts[i].Label)
		}
	}
}
