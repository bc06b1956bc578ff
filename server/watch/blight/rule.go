package blight

import (
	"cmp"
	"context"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// ID names the rule, Topic what it is about.
const (
	ID    = "late_blight"
	Topic = "late_blight"
)

// worth is how long a decision is worth something when no other follows.
const worth = 2 * time.Hour

// Source is shown with every decision.
func Source() farm.Text {
	return farm.Text{
		VI: "SIMCAST (Fry 1983, Grünwald 2002), bảng của CIP; tín hiệu Hutton (AHDB 2017). Chưa kiểm chứng ở đồng bằng sông Hồng.",
		EN: "SIMCAST (Fry 1983, Grünwald 2002), tables of CIP; Hutton signal (AHDB 2017). Not validated in the Red River delta.",
	}
}

// Watch judges potato plots. It implements rule.Rule and is safe for concurrent use.
type Watch struct {
	book Book
	air  *reader
}

// New returns a Watch over what is on record and what was measured.
func New(book Book, h History) *Watch { return &Watch{book: book, air: newReader(h)} }

// ID implements rule.Rule.
func (*Watch) ID() string { return ID }

// Inputs implements rule.Rule.
func (*Watch) Inputs() []rule.Input {
	return []rule.Input{
		{Quantity: measure.AirTemperature},
		{Quantity: measure.RelativeHumidity},
		{Diary: diary.Spraying},
		{Diary: diary.Planting},
		{Diary: diary.Harvest},
		{Diary: scouting},
		{Diary: weather},
		{Diary: irrigation},
	}
}

// Window implements rule.Rule: a season of potato and its margin.
func (*Watch) Window() time.Duration { return 150 * 24 * time.Hour }

// Plots judges every potato plot, or those of some codes, the most urgent first.
func (w *Watch) Plots(ctx context.Context, at time.Time, places ...string) ([]Plot, error) {
	x, err := facts(ctx, w.book, at)
	if err != nil {
		return nil, err
	}
	var out []Plot
	for _, s := range x.seasons(places) {
		if s.Cycle != "" && s.Harvested.IsZero() {
			if err := w.air.fill(ctx, x.farm, &s, at); err != nil {
				return nil, err
			}
		}
		out = append(out, Assess(s, at))
	}
	slices.SortStableFunc(out, func(a, b Plot) int {
		switch {
		case a.Verdict.Worse(b.Verdict):
			return -1
		case b.Verdict.Worse(a.Verdict):
			return 1
		}
		return cmp.Or(cmp.Compare(b.share(), a.share()), cmp.Compare(a.Place.Name, b.Place.Name))
	})
	return out, nil
}

// share is how near the sum of blight units is to its limit.
func (p *Plot) share() float64 { return float64(p.Units.Lo) / float64(max(p.UnitLimit, 1)) }

// Decide implements rule.Rule.
func (w *Watch) Decide(ctx context.Context, at time.Time) ([]rule.Decision, error) {
	plots, err := w.Plots(ctx, at)
	if err != nil {
		return nil, err
	}
	out := make([]rule.Decision, 0, len(plots))
	for _, p := range plots {
		d := rule.Decision{Rule: ID, Place: p.Place.Code, Topic: Topic, Verdict: p.Verdict, At: at, Until: at.Add(worth), Why: p.Why, Do: p.Do, Source: Source()}
		if i := slices.IndexFunc(out, func(o rule.Decision) bool { return o.Place == d.Place }); i >= 0 { // two seasons on one plot: the graver one
			if d.Verdict.Worse(out[i].Verdict) {
				out[i] = d
			}
			continue
		}
		out = append(out, d)
	}
	return out, nil
}
