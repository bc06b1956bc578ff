package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// Packed is what was done with goods after the harvest; sqldb.DB is one.
type Packed interface {
	Item(ctx context.Context, serial string) (trace.Item, bool, error)
	Box(ctx context.Context, sscc string) (trace.Box, bool, error)
	// GoodsOf returns the events that a thing was in, came out of or is in, the oldest first.
	GoodsOf(ctx context.Context, ref trace.Ref) ([]trace.Goods, error)
}

// stage is one step on the way from the hatchery or the seed to the buyer.
type stage struct {
	At    time.Time
	Until time.Time // of what was done many times; zero: once
	Title string
	Text  string
	Mark  string // who says so: probe, person, lab
	Now   bool   // the last one
}

// treated is what was used that a waiting time is asked for.
type treated struct {
	Name   string // of the product, with what works in it
	When   string
	Wait   string // days, and from when it may be harvested
	Waited string // whether that was waited for; "": nobody can say
	Tone   string // of Waited: ok, bad, or none while it grows
}

// beforeLife is how long before stocking or sowing a pond or plot is prepared for it.
const beforeLife = 60 * 24 * time.Hour

// bookOf adds what the diary and the book of goods say of a lot.
func (s *Server) bookOf(ctx context.Context, p *publicFacts, w *words, now time.Time) error {
	if s.o.Packed != nil {
		goods, err := s.o.Packed.GoodsOf(ctx, p.Lot.Link().Ref())
		if err != nil {
			return fmt.Errorf("web: goods: %w", err)
		}
		p.goods(w, goods)
		if err := s.shipped(ctx, p, w, goods); err != nil {
			return err
		}
	}
	if s.o.Book != nil {
		if err := s.diaryOf(ctx, p, w, now); err != nil {
			return err
		}
	}
	p.begun(w)
	if p.Seal != nil {
		p.Journey = append(p.Journey, stage{At: p.Seal.At, Title: w.t("stage.sealed"), Text: w.t("stage.sealed.text", w.count(p.Seal.Leaf)), Mark: "probe"})
	}
	slices.SortStableFunc(p.Journey, func(a, b stage) int { return a.At.Compare(b.At) })
	if n := len(p.Journey); n > 0 {
		p.Journey[n-1].Now = true
	}
	return nil
}

// diaryOf adds the picture of the product, and what the diary says of the lot's places while it lived there. A lot of no place was made of
// others: the diary tells of those.
func (s *Server) diaryOf(ctx context.Context, p *publicFacts, w *words, now time.Time) error {
	reg, _, err := s.registerNow(ctx)
	if err != nil {
		return err
	}
	p.photo(reg)
	if len(p.Lot.Places) == 0 {
		return nil
	}
	from, to := p.Lot.Span(now)
	events, err := s.o.Book.Events(ctx, diary.Query{Places: p.Lot.Places, From: from.Add(-beforeLife), To: to.Add(24 * time.Hour)})
	if err != nil {
		return fmt.Errorf("web: diary: %w", err)
	}
	p.diary(w, reg, lotEntries(p.Lot, diary.Entries(events), from, to))
	return nil
}

// mostShipped is how many boxes of a lot are looked at for when they left.
const mostShipped = 24

// shipped adds when goods of the lot left in boxes: such an event names the box.
func (s *Server) shipped(ctx context.Context, p *publicFacts, w *words, goods []trace.Goods) error {
	var boxes []trace.Ref
	for _, g := range goods {
		for _, o := range g.Out {
			if g.Kind == trace.FillBox && o.Ref.Kind == trace.RefBox && !slices.Contains(boxes, o.Ref) && len(boxes) < mostShipped {
				boxes = append(boxes, o.Ref)
			}
		}
	}
	seen := map[string]bool{}
	var left []trace.Goods
	for _, box := range boxes {
		of, err := s.o.Packed.GoodsOf(ctx, box)
		if err != nil {
			return fmt.Errorf("web: goods: %w", err)
		}
		for _, g := range of {
			if (g.Kind == trace.Ship || g.Kind == trace.Amend) && !seen[g.ID] {
				seen[g.ID] = true
				left = append(left, g)
			}
		}
	}
	p.goods(w, left)
	return nil
}

// lotEntries leaves the entries that are about a lot: of its season, or of no season while it lived; what was used there before it was
// stocked is left out, and so is what came after the harvest.
func lotEntries(l trace.Lot, all []diary.Entry, from, to time.Time) []diary.Entry {
	return slices.DeleteFunc(all, func(e diary.Entry) bool {
		at := e.At()
		prepares := e.Kind == diary.PondPrep || e.Kind == "land_prep"
		switch {
		case e.Voided || e.Kind == diary.Sale || at.After(to) && !slices.Contains(l.Harvests, e.First.ID):
			return true
		case l.Cycle != "" && e.Cycle != "" && e.Cycle != l.Cycle:
			return true
		case l.Cycle != "" && e.Cycle == l.Cycle:
			return false
		}
		return at.Before(from.Add(-24*time.Hour)) && !prepares
	})
}

// told are the kinds of entries that the journey tells, each in one line however often it was done; the others are counted only.
func told() []string {
	return []string{
		diary.PondPrep, "land_prep", diary.Stocking, diary.Seeding, diary.Planting, diary.Feeding, diary.Fertilizing, "irrigation", diary.WaterTest, diary.EnvProduct,
		diary.Treatment, diary.Spraying, diary.Sampling, "scouting", diary.Harvest, diary.Batch, "post_harvest",
	}
}

// diary makes stages and treatments of entries.
func (p *publicFacts) diary(w *words, reg register, entries []diary.Entry) {
	p.Kept, p.Entries = true, int64(len(entries))
	for _, kind := range told() {
		var of []diary.Entry
		for _, e := range entries {
			if e.Kind == kind {
				of = append(of, e)
			}
		}
		if len(of) == 0 {
			continue
		}
		st := stage{At: of[0].At(), Title: w.t("diary." + kind), Mark: "person"}
		if len(of) > 1 {
			st.Until, st.Text = of[len(of)-1].At(), w.amount("stage.times", int64(len(of)))
		}
		if told := entryTold(w, of[0]); told != "" {
			st.Text = strings.TrimPrefix(st.Text+" · "+told, " · ")
		}
		p.Journey = append(p.Journey, st)
	}
	for _, e := range entries {
		if no := e.Values.Text("residue_test"); e.Kind == diary.Harvest && no != "" {
			p.labs = append(p.labs, no)
		}
		if e.Kind == diary.WaterTest && e.Values.Text("method") == "laboratory" {
			p.labs = append(p.labs, w.t("who.lab.water", w.date(e.At())))
		}
	}
	p.treatments(w, reg, entries)
}

// entryTold is what of an entry everybody is told: where the fish or the seed is from, how much was harvested.
func entryTold(w *words, e diary.Entry) string {
	text := e.Values.Text
	switch e.Kind {
	case diary.Stocking:
		return joined(w.t("stage.seedlot", text("seed_lot")), when(text("quarantine_no") != "", w.t("stage.quarantine", text("quarantine_no"))))
	case diary.Seeding:
		return joined(text("variety"), w.t("stage.seedlot", text("seed_lot")))
	case diary.Harvest:
		if kg, ok := e.Values.Number(diary.KeyKG); ok {
			return w.kilos(kg)
		}
	case diary.Batch:
		in, okIn := e.Values.Number("in_kg")
		out, okOut := e.Values.Number("out_kg")
		if okIn && okOut {
			return w.t("stage.made", w.kilos(in), w.kilos(out))
		}
	}
	return ""
}

func when(ok bool, s string) string {
	if ok {
		return s
	}
	return ""
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

// treatments lists what was used that a waiting time is asked for: every drug and spray, and whatever else has one on its label. What was used on
// several days is one line, whose waiting time is that of the last.
func (p *publicFacts) treatments(w *words, reg register, entries []diary.Entry) {
	key := "phi_days"
	if p.Kind == farm.Pond {
		key = "withdrawal_days"
	}
	type use struct {
		rec         farm.Record
		first, last time.Time
		times       int64
	}
	var uses []use
	for _, e := range entries {
		rec, ok := reg.record(farm.Input, e.Values.Text(diary.KeyInput))
		if !ok || !asksToWait(e, rec, key) {
			continue
		}
		day := farm.Midnight(e.At())
		if end := e.Values.Day(diary.KeyEnd, farm.Time()); e.Kind == diary.Treatment && end.After(day) {
			day = end
		}
		i := slices.IndexFunc(uses, func(u use) bool { return u.rec.ID == rec.ID })
		if i < 0 {
			i = len(uses)
			uses = append(uses, use{rec: rec, first: farm.Midnight(e.At())})
		}
		uses[i].times++
		if day.After(uses[i].last) {
			uses[i].last = day
		}
	}
	for _, u := range uses {
		t := treated{Name: inputTold(u.rec), When: w.date(u.first)}
		if u.last.After(u.first) {
			t.When += " – " + w.date(u.last)
		}
		if u.times > 1 {
			t.When += ", " + w.amount("stage.times", u.times)
		}
		t.wait(w, p, u.rec, key, u.last)
		p.Treated = append(p.Treated, t)
	}
}

// wait says how long had to be waited, and whether it was.
func (t *treated) wait(w *words, p *publicFacts, rec farm.Record, key string, last time.Time) {
	days, known := rec.Values.Number(key)
	if !known {
		t.Wait = w.t("treated.unknown")
		return
	}
	from := gate.AllowedFrom(last, int(days))
	t.Wait = w.t("treated.wait", w.amount("for.days", int64(days)), w.date(from))
	switch {
	case p.Lot.Harvested.IsZero():
		t.Waited = w.t("treated.growing")
	case p.Lot.Harvested.Before(from):
		t.Tone, t.Waited = "bad", w.t("treated.broken", w.date(p.Lot.Harvested))
	default:
		t.Tone, t.Waited = "ok", w.t("treated.kept", w.date(p.Lot.Harvested), w.amount("for.days", int64(farm.Midnight(p.Lot.Harvested).Sub(last)/(24*time.Hour))))
	}
}

// asksToWait reports whether a use is one that a waiting time is asked for.
func asksToWait(e diary.Entry, rec farm.Record, key string) bool {
	days, known := rec.Values.Number(key)
	t := rec.Values.Text("type")
	return known && days > 0 || e.Kind == diary.Treatment || e.Kind == diary.Spraying || t == farm.Drug || t == farm.Pesticide
}

func inputTold(rec farm.Record) string {
	name := rec.Name()
	if actives := rec.Values.List("actives"); len(actives) > 0 {
		name += " (" + strings.Join(actives, ", ") + ")"
	}
	return name
}

// begun adds stocking or planting, and the harvest, where neither the diary nor the book of goods says how it began.
func (p *publicFacts) begun(w *words) {
	if p.made {
		return
	}
	has := func(kinds ...string) bool {
		return slices.ContainsFunc(p.Journey, func(s stage) bool {
			return slices.ContainsFunc(kinds, func(k string) bool { return s.Title == w.t("diary."+k) })
		})
	}
	if !p.Lot.Stocked.IsZero() && !has(diary.Stocking, diary.Seeding, diary.Planting, diary.Batch) {
		p.Journey = append(p.Journey, stage{At: p.Lot.Stocked, Title: p.say("stage.begun"), Text: p.Lot.Species.In(w.lang), Mark: "person"})
	}
	if !p.Lot.Harvested.IsZero() && !has(diary.Harvest, diary.Batch) {
		st := stage{At: p.Lot.Harvested, Title: p.say("stage.harvested"), Mark: "person"}
		if p.Lot.KG > 0 {
			st.Text = w.kilos(p.Lot.KG)
		}
		p.Journey = append(p.Journey, st)
	}
}

// goods makes stages of what was done after the harvest. Buyers are not named: who buys is nobody's business.
func (p *publicFacts) goods(w *words, all []trace.Goods) {
	voided := map[string]bool{}
	for _, g := range all {
		if g.Kind == trace.Amend {
			voided[g.Voids] = true
		}
	}
	me := p.Lot.Link().Ref()
	for _, g := range all {
		if voided[g.ID] || g.Drill {
			continue
		}
		st := stage{At: g.At, Title: w.t("stage.goods." + string(g.Kind)), Mark: "person"}
		switch g.Kind {
		case trace.Transform:
			st.Title = w.t("stage.step." + g.Step)
			if !slices.ContainsFunc(g.Out, func(o trace.Part) bool { return o.Ref == me }) {
				continue // what became of it is told on that lot's page
			}
			p.made = true
			p.parents(w, g.In)
			st.Text = w.t("stage.made", w.kilos(kgIn(g.In)), w.kilos(kgIn(g.Out)))
		case trace.Pack:
			n := 0
			for _, o := range g.Out {
				n += max(o.Count, len(o.Items))
			}
			st.Text = w.amount("stage.packs", int64(n))
		case trace.Receive:
			p.made, p.Kind = true, received
		case trace.Ship, trace.Issue, trace.Recall, trace.EndRecall:
		case trace.FillBox, trace.EmptyBox, trace.Return, trace.Destroy, trace.Hold, trace.LetGo, trace.Close, trace.Reopen, trace.Amend:
			continue // the co-op's own business: what of it matters to a buyer is the verdict
		}
		p.Journey = append(p.Journey, st)
	}
}

func (p *publicFacts) parents(w *words, in []trace.Part) {
	for _, part := range in {
		l, ok := part.Ref.Link()
		if !ok || slices.ContainsFunc(p.Parents, func(o parent) bool { return o.Code == l.Lot }) {
			continue
		}
		p.Parents = append(p.Parents, parent{Code: l.Lot, Href: inLanguage(l.Path(), w.lang)})
	}
}

func kgIn(parts []trace.Part) (kg float64) {
	for _, p := range parts {
		kg += p.KG
	}
	return kg
}

// photo finds the picture of the lot's product.
func (p *publicFacts) photo(reg register) {
	if rec, ok := reg.record(farm.Product, p.Product.Record); ok {
		if sums := rec.Photos(); len(sums) > 0 {
			p.Photo = pictureHref(rec.ID, sums[0])
		}
	}
}
