package web

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/recall"
)

// askOf reads what a form or an address asks to recall; ok is false where it asks for nothing that there is.
func askOf(n namer, v url.Values) (a recall.Ask, ok bool) {
	switch {
	case v.Get("lot") != "":
		l, err := trace.ParseLink(v.Get("lot"), "")
		a.Lot = trace.Link{GTIN: l.GTIN, Lot: l.Lot}
		return a, err == nil && l.Lot != ""
	case v.Get("supply") != "":
		a.Input, a.Maker, ok = strings.Cut(v.Get("supply"), "/")
		a.Unsure = v.Get("unsure") != ""
		return a, ok && len(v.Get("supply")) <= 300
	case v.Get("certificate") != "":
		_, ok = n.t.reg.record(farm.Certificate, v.Get("certificate"))
		a.Certificate = v.Get("certificate")
		return a, ok
	case v.Get("place") != "":
		a.Place = v.Get("place")
		_, ok = n.t.farm.Place(a.Place)
		var errFrom, errTo error
		a.From, errFrom = time.ParseInLocation(time.DateOnly, v.Get("from"), farm.Time())
		a.To, errTo = time.ParseInLocation(time.DateOnly, v.Get("to"), farm.Time())
		a.From, a.To = a.From.UTC(), a.To.AddDate(0, 0, 1).Add(-time.Millisecond).UTC()
		return a, ok && errFrom == nil && errTo == nil
	}
	return a, false
}

// hidden are the fields that carry an Ask through a form.
func askFields(a recall.Ask) [][2]string {
	switch {
	case a.Lot != (trace.Link{}):
		return [][2]string{{"lot", a.Lot.Path()}}
	case a.Certificate != "":
		return [][2]string{{"certificate", a.Certificate}}
	case a.Place != "":
		day := func(t time.Time) string { return t.In(farm.Time()).Format(time.DateOnly) }
		return [][2]string{{"place", a.Place}, {"from", day(a.From)}, {"to", day(a.To)}}
	}
	out := [][2]string{{"supply", a.Input + "/" + a.Maker}}
	if a.Unsure {
		out = append(out, [2]string{"unsure", "1"})
	}
	return out
}

// asked is what an Ask is about, in words.
func (n namer) asked(a recall.Ask) string {
	w := n.t.w
	switch {
	case a.Lot != (trace.Link{}):
		return n.name(a.Lot.Ref())
	case a.Certificate != "":
		return w.t("recall.of.certificate", n.record(farm.Certificate, a.Certificate))
	case a.Place != "":
		return w.t("recall.of.place", n.name(trace.Ref{Kind: trace.RefPlace, ID: a.Place}), w.date(a.From), w.date(a.To))
	case a.Input == "" && a.Maker == "":
		return w.t("recall.of.erased")
	}
	out := n.supply(trace.Ref{Kind: trace.RefSupply, ID: a.Input + "/" + a.Maker})
	if a.Maker == "" {
		out = w.t("recall.of.input", n.record(farm.Input, a.Input))
	}
	if a.Unsure {
		out += " · " + w.t("recall.of.unsure")
	}
	return out
}

// begunAt is when somebody began to ask, as a form carries it; zero: nobody knows.
func begunAt(v url.Values, now time.Time) time.Time {
	ms, err := strconv.ParseInt(v.Get("begun"), 10, 64)
	at := time.UnixMilli(ms)
	if err != nil || at.After(now) || now.Sub(at) > 24*time.Hour {
		return time.Time{}
	}
	return at
}

// recallView is where a recall begins, with those that were.
type recallView struct {
	frame
	Begun        string
	Lots         []optionView
	Supplies     []optionView
	Places       []optionView
	Certificates []optionView
	From, To     string
	Wrong        string
	Open, Over   []recallRow
	Do           bool
}

// recallRow is a recall in the list.
type recallRow struct {
	Href, What, When, Told string
	Drill                  bool
	Broken                 bool // it broke off
}

// mostOffered is how many lots and inputs are offered to choose from; whoever looks for another searches for it.
const mostOffered = 200

// offer fills in what may be recalled.
func (s *Server) offer(ctx context.Context, n namer, v *recallView) error {
	w := n.t.w
	lots, err := s.lotsByDay(ctx)
	if err != nil {
		return err
	}
	for _, l := range lots[:min(mostOffered, len(lots))] {
		label := n.name(l.Link().Ref())
		if !l.Harvested.IsZero() {
			label += " · " + w.date(l.Harvested)
		}
		v.Lots = append(v.Lots, optionView{Value: l.Link().Path(), Label: label})
	}
	supplies, err := s.o.Recall.Supplies(ctx)
	if err != nil {
		return err
	}
	whole, every := map[string]bool{}, []optionView(nil)
	for _, x := range supplies[:min(mostOffered, len(supplies))] {
		input, lot, _ := strings.Cut(x.Ref.ID, "/")
		if input != "" && !whole[input] {
			whole[input] = true
			every = append(every, optionView{Value: input + "/", Label: w.t("recall.of.input", n.record(farm.Input, input))})
		}
		if lot == "" {
			continue
		}
		v.Supplies = append(v.Supplies, optionView{Value: x.Ref.ID, Label: n.name(x.Ref) + " · " + w.t("recall.used", w.date(x.Last))})
	}
	v.Supplies = append(v.Supplies, every...)
	v.Places = placeOptions(w, n.t.farm)
	for _, rec := range n.t.reg[farm.Certificate] {
		v.Certificates = append(v.Certificates, optionView{Value: rec.ID, Label: rec.Name()})
	}
	now := s.o.Now()
	v.From, v.To = now.AddDate(0, 0, -30).In(w.zone).Format(time.DateOnly), now.In(w.zone).Format(time.DateOnly)
	return nil
}

// rows are the recalls that still go on, and the others with the drills.
func (n namer) rows(list []recall.Record) (open, over []recallRow) {
	w := n.t.w
	for _, rec := range list {
		row := recallRow{
			Href: "/recall/" + rec.ID, What: n.asked(rec.Ask), When: w.dateTime(rec.Begun), Drill: rec.Drill, Broken: rec.Marked.IsZero(),
			Told: strings.Join(counts(w, len(rec.Lots), rec.Items, rec.Boxes, rec.Buyers), " · "),
		}
		if !rec.Marked.IsZero() && rec.Drill {
			row.Told += " · " + w.t("recall.took", w.seconds(rec.Marked.Sub(rec.Begun)))
		}
		if rec.Open() && !rec.Drill {
			open = append(open, row)
		} else {
			over = append(over, row)
		}
	}
	return open, over
}

// counts tell how much was found.
func counts(w *words, lots, items, boxes, buyers int) []string {
	out := []string{w.amount("recall.n.lots", int64(lots)), w.amount("recall.n.items", int64(items)), w.amount("recall.n.boxes", int64(boxes)), w.amount("recall.n.buyers", int64(buyers))}
	return slices.DeleteFunc(out, func(s string) bool { return strings.HasPrefix(s, "0") })
}

// seconds writes how long something took, as people count it with a watch in the hand.
func (w *words) seconds(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return w.t("recall.instant")
	case d < time.Minute:
		return w.t("recall.s", w.num(d.Seconds(), 1))
	case d < time.Hour:
		return w.t("recall.min", w.count(int64(d/time.Minute)), w.count(int64(d%time.Minute/time.Second)))
	}
	return w.length(d)
}
