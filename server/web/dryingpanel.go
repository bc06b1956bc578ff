package web

import (
	"context"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/watch/drying"
	"aovuon/server/watch/rule"
)

// Drying says how the batches of a shed dry; drying.Rule is one.
type Drying interface {
	// Shed returns what the last look at a shed came to; ok is false where there was none.
	Shed(place string) (s drying.Shed, ok bool)
}

// dryingView are the newest batches of a shed, and what is said of the last one.
type dryingView struct {
	Says    []drySaying
	Batches []dryBatch
}

type drySaying struct {
	Level   level
	Why, Do []string
	Source  string
}

type dryBatch struct {
	Lot, Entry, When, Long, Heat, Damp, Moisture string
	Level                                        level // of the moisture
}

// mostBatches is how many are shown.
const mostBatches = 10

// dryingPanel shows the batches of a shed on its page, to those who read its diary: they stand there.
func (s *Server) dryingPanel(ctx context.Context, w *words, at placeAt) (any, error) {
	if s.o.Drying == nil || !s.mayReadPlace(ctx, at.Place.Code) {
		return nil, nil //nolint:nilnil // no panel
	}
	shed, ok := s.o.Drying.Shed(at.Place.Code)
	if !ok || len(shed.Batches) == 0 {
		return nil, nil //nolint:nilnil // nothing dries here
	}
	var v dryingView
	if s.o.Board != nil {
		for _, d := range s.decisions(ctx, at.Place.Code, at.Now) {
			if d.Rule == drying.ID {
				v.Says = append(v.Says, drySaying{verdictLevel(d.Verdict), w.reasons("why", d.Why, at.Now), w.reasons("do", d.Do, at.Now), d.Source.In(w.lang)})
			}
		}
	}
	for _, b := range shed.Batches[:min(mostBatches, len(shed.Batches))] {
		v.Batches = append(v.Batches, newDryBatch(w, b, at.Now))
	}
	return v, nil
}

func newDryBatch(w *words, b drying.Batch, now time.Time) dryBatch {
	out := dryBatch{
		Lot: b.Lot, Entry: b.Entry, When: w.moment(b.Begin, now), Long: w.t("drying.runs"), Moisture: w.t("drying.none"),
		Heat: drySpan(w, measure.AirTemperature, b.Heat), Damp: drySpan(w, measure.RelativeHumidity, b.Damp), Level: noted,
	}
	if !b.Running(now) && !b.End.IsZero() {
		out.Long = w.length(b.End.Sub(b.Begin))
	}
	switch {
	case !b.Known:
	case b.Moisture > b.MostMoisture():
		out.Moisture, out.Level = w.num(b.Moisture, 1)+nbsp+"%", verdictLevel(rule.Warn)
	default:
		out.Moisture, out.Level = w.num(b.Moisture, 1)+nbsp+"%", fine
	}
	return out
}

// drySpan writes what was measured over a batch.
func drySpan(w *words, q measure.Quantity, s drying.Span) string {
	if s.Hours == 0 {
		return w.t("drying.unknown")
	}
	return w.t("drying.span", w.valueUnit(q, s.Mean), w.value(q, s.Min), w.value(q, s.Max))
}
