package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history/keeper"
	"aovuon/server/trace"
)

// RetentionConfig says for how long single readings are kept in the history. What is let go there stays in the batch log.
type RetentionConfig struct {
	Readings string            `yaml:"readings"` // of every quantity that is not in Of; empty: for ever
	Of       map[string]string `yaml:"of"`       // by quantity
	Lots     string            `yaml:"lots"`     // of the places and the time of a lot, after its harvest; empty: 60mo
}

const (
	// leastReadings: charts of a month, forecasts, advice and alarms read single readings.
	leastReadings = 92 * 24 * time.Hour
	// lotsKept is what the strictest standard asks of records, organic farming (TCVN 11041: 5 years). Evidence of a lot can be computed again
	// as long as its readings are there.
	lotsKept = "60mo"
	// leastLots is what VietGAP asks of ponds: 24 months after the harvest.
	leastLots = 24
)

func (r *RetentionConfig) check() *keyError {
	if r == nil {
		return nil
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	readings := func(key, text string) *keyError {
		t, err := keeper.ParseTerm(text)
		if err != nil {
			return &keyError{key, err.Error(), "months of 24 are 24mo"}
		}
		if !t.Ever() && now.Sub(t.Before(now)) < leastReadings {
			return &keyError{key, fmt.Sprintf("%s is too short: charts of a month, forecasts and advice read single readings", text), "keep them for 92d or longer"}
		}
		return nil
	}
	if r.Readings == "" && len(r.Of) == 0 {
		return &keyError{"history.retention", "names no time", "set readings, or of, or remove it: then every reading is kept"}
	}
	if r.Readings != "" {
		if err := readings("history.retention.readings", r.Readings); err != nil {
			return err
		}
	}
	for _, q := range slices.Sorted(maps.Keys(r.Of)) {
		if _, ok := measure.Quantity(q).Info(); !ok {
			return &keyError{"history.retention.of." + q, "there is no such quantity", fmt.Sprintf("use one of %v", measure.Quantities())}
		}
		if err := readings("history.retention.of."+q, r.Of[q]); err != nil {
			return err
		}
	}
	t, err := keeper.ParseTerm(cmp.Or(r.Lots, lotsKept))
	if err != nil {
		return &keyError{"history.retention.lots", err.Error(), "60 months are 60mo"}
	}
	if !t.Ever() && t.Before(now).After(now.AddDate(0, -leastLots, 0)) {
		return &keyError{"history.retention.lots", r.Lots + " is shorter than VietGAP asks for ponds", fmt.Sprintf("keep them for %dmo or longer; 60mo where a lot is organic", leastLots)}
	}
	return nil
}

// terms returns what check found right.
func (r *RetentionConfig) terms() (readings keeper.Retention, lots keeper.Term) {
	if r == nil {
		return keeper.Retention{}, keeper.Term{}
	}
	term := func(text string) keeper.Term {
		t, err := keeper.ParseTerm(text)
		if err != nil {
			return keeper.Term{} // for ever; check says what is wrong with it
		}
		return t
	}
	readings.Of = map[measure.Quantity]keeper.Term{}
	for q, text := range r.Of {
		readings.Of[measure.Quantity(q)] = term(text)
	}
	if r.Readings != "" {
		readings.Default = term(r.Readings)
	}
	return readings, term(cmp.Or(r.Lots, lotsKept))
}

// neededByLots returns the times and places of lots whose evidence may still have to be computed again: those that are not harvested or not done
// with, those that were recalled, and all others for as long as lots says after their harvest.
func neededByLots(all []trace.Lot, lots keeper.Term, now time.Time) keeper.Needs {
	needs := keeper.Needs{}
	for _, l := range all {
		done := !l.Harvested.IsZero() && l.State != trace.Growing && l.State != trace.Recalled && l.State != trace.Held
		if l.State == trace.Void || done && !lots.Ever() && l.Harvested.Before(lots.Before(now)) {
			continue
		}
		from, to := l.Span(now)
		for _, p := range l.Places {
			needs[p] = append(needs[p], keeper.Need{From: from, To: to})
		}
	}
	return needs
}
