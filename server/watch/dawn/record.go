package dawn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

// Record is one night of one pond: what was foretold in its evening, and what came.
type Record struct {
	Place           string
	Day             string // local day of the evening, 2006-01-02
	Gateway, Sensor string // of the probe it is about
	// Made is when the forecast was made; zero: there is none. Late says that it was made afterwards, of what had been measured by then.
	Made time.Time
	Late bool
	// Foretold by the model, and by the straight line; mg/L at dawn. Meaningful with Made.
	Respired, Linear float64
	Dusk             *float64 // measured at sunset
	Peak             *float64 // the most of the afternoon before
	End              End
	Looked           time.Time // when End was found
	Lowest           float64   // with Scored and Aerated
	LowestAt         time.Time
}

// End is how a night went.
type End string

// The ends.
const (
	Open    End = "open"    // it lasts
	Scored  End = "scored"  // forecast and minimum are known
	Watched End = "watched" // its minimum is known, no forecast could be made
	Helped  End = "aerated" // an aerator ran: its minimum says nothing of the forecast
	Gap     End = "gap"     // its minimum was not seen
)

// Ends lists them.
func Ends() []End { return []End{Open, Scored, Watched, Helped, Gap} }

// Known reports whether Lowest is.
func (r Record) Known() bool { return r.End == Scored || r.End == Watched || r.End == Helped }

// Error is how far the forecast was above what came, of a Scored one.
func (r Record) Error() float64 { return r.Respired - r.Lowest }

// How the forecast judges itself.
const (
	scoredNights = 14
	scoredWithin = 60 // days
	priorError   = 0.4
	priorNights  = 5 // until there are so many, those that miss count as priorError
	backNights   = 14
	perRound     = 40 // nights that are looked at again in one round
	lookAgain    = 6 * time.Hour
	lookUntil    = 4 * 24 * time.Hour // data of a gateway that was offline still come in
)

// Score is how good the last forecasts of a pond were.
type Score struct {
	Nights int     // scored, the newest 14 within 60 days
	MAE    float64 // mean absolute error, mg/L; 0 without nights
	Bias   float64 // mean error: above 0 they were too high
	// Before is the mean absolute error that saying "as this morning" would have had, over BeforeNights of the nights.
	Before       float64
	BeforeNights int
}

// Margin is the error that is reckoned with: the prior fills up what few nights leave open.
func (s Score) Margin() float64 {
	missing := max(priorNights-s.Nights, 0)
	return (s.MAE*float64(s.Nights) + priorError*float64(missing)) / float64(s.Nights+missing)
}

// scoreOf takes records of a place, the newest first.
func scoreOf(all []Record) (s Score) {
	known := map[string]float64{}
	for _, r := range all {
		if r.Known() {
			known[r.Day] = r.Lowest
		}
	}
	for _, r := range all {
		if r.End != Scored {
			continue
		}
		s.Nights++
		s.MAE += math.Abs(r.Error())
		s.Bias += r.Error()
		if before, ok := known[dayBefore(r.Day)]; ok {
			s.BeforeNights++
			s.Before += math.Abs(before - r.Lowest)
		}
		if s.Nights == scoredNights {
			break
		}
	}
	n, b := float64(max(s.Nights, 1)), float64(max(s.BeforeNights, 1))
	s.MAE, s.Bias, s.Before = s.MAE/n, s.Bias/n, s.Before/b
	return s
}

func dayBefore(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, -1).Format(time.DateOnly)
}

func lastKnown(all []Record) Record {
	for _, r := range all {
		if r.Known() {
			return r
		}
	}
	return Record{}
}

// records reads those that are still of use, by place, the newest night first.
func (r *Rule) records(ctx context.Context, at time.Time) (map[string][]Record, error) {
	list, err := r.o.Store.DawnRecords(ctx, at.In(r.zone).AddDate(0, 0, -scoredWithin).Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("dawn: records: %w", err)
	}
	out := map[string][]Record{}
	for _, x := range list {
		out[x.Place] = append(out[x.Place], x)
	}
	for _, of := range out {
		slices.SortFunc(of, func(a, b Record) int { return cmp.Compare(b.Day, a.Day) })
	}
	return out, nil
}

// cast keeps tonight's forecast the first time that it can be made with three hours of samples. It is the one that is scored.
func (l *look) cast(o Outlook) error {
	if o.Outcome.State != Ready || l.at.Before(o.Night.Cast()) || slices.ContainsFunc(l.records[o.Place], func(r Record) bool { return r.Day == o.Night.Day }) {
		return nil
	}
	return l.save(o.record())
}

func (o Outlook) record() Record {
	dawn := o.Night.Dawn()
	r := Record{Place: o.Place, Day: o.Night.Day, Gateway: o.Gateway, Sensor: o.Sensor, End: Open, Looked: o.At}
	if o.Outcome.State == Ready {
		r.Made, r.Respired, r.Linear = o.At, o.Outcome.Curve.Respired(dawn), o.Outcome.Curve.Linear(dawn)
	}
	return r
}

func (l *look) save(r Record) error {
	if err := l.o.Store.SaveDawnRecord(l.ctx, r); err != nil {
		return fmt.Errorf("dawn: record of %s, %s: %w", r.Place, r.Day, err)
	}
	return nil
}

// catchUp ends the nights that are over, and makes up for those that the server slept through, a few in each round.
func (l *look) catchUp() error {
	left := perRound
	for _, p := range l.farm.Places {
		if p.Kind != farm.Pond {
			continue
		}
		of := map[string]Record{}
		for _, r := range l.records[p.Code] {
			of[r.Day] = r
		}
		for back := 1; back <= backNights; back++ {
			n := l.night(p, l.at.AddDate(0, 0, 1-back))
			r, there := of[n.Day]
			if l.at.Before(n.Over()) || there && !l.again(r, n) {
				continue
			}
			if left--; left < 0 {
				return nil
			}
			if err := l.end(p, n, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// again reports whether a night that was looked at is worth another look.
func (l *look) again(r Record, n Night) bool {
	if r.End == Open {
		return true
	}
	return r.End == Gap && l.at.Sub(r.Looked) >= lookAgain && l.at.Sub(n.Over()) < lookUntil
}

// end finds out how a night went, r being what was said of it in its evening. Of several probes it is about the one that saw the lowest.
func (l *look) end(p farm.Place, n Night, r Record) error {
	best := r
	best.Place, best.Day, best.End, best.Looked = p.Code, n.Day, Gap, l.at
	for _, sr := range l.series(p, measure.DissolvedOxygen, n.Over()) {
		if !r.Made.IsZero() && (sr.Gateway != r.Gateway || sr.Sensor != r.Sensor) {
			continue
		}
		w, err := l.water(p, sr, n, n.Over())
		if err != nil {
			return err
		}
		next := r
		if r.Made.IsZero() {
			next = Record{Late: true}
			if then, err := l.celsius(p, sr, n.Cast()); err != nil {
				return err
			} else if o := n.Judge(Water{Oxygen: w.Oxygen, Aerated: w.Aerated, Celsius: then}, n.Cast()); o.State == Ready {
				next = Outlook{At: n.Cast(), Night: n, Outcome: o}.record()
				next.Late = true
			}
		}
		next.Place, next.Day, next.Looked, next.Gateway, next.Sensor = p.Code, n.Day, l.at, sr.Gateway, sr.Sensor
		next.measured(n, w)
		if best.Gateway == "" || next.Known() && (!best.Known() || next.Lowest < best.Lowest) {
			best = next
		}
	}
	if best.Gateway == "" { // no probe hung there
		return nil
	}
	return l.save(best)
}

// measured fills in what came.
func (r *Record) measured(n Night, w Water) {
	if around := between(w.Oxygen, n.Dusk.Add(-15*time.Minute), n.Dusk.Add(15*time.Minute)); len(around) > 0 {
		v := around[len(around)/2].Value
		r.Dusk = &v
	}
	for _, s := range between(w.Oxygen, n.Dusk.Add(-12*time.Hour), n.Dusk) {
		if r.Peak == nil || s.Value > *r.Peak {
			v := s.Value
			r.Peak = &v
		}
	}
	low, ok := n.Lowest(w.Oxygen, n.Cast())
	if r.End = Gap; !ok {
		return
	}
	r.Lowest, r.LowestAt = low.Value, low.At
	switch {
	case Aerated(w.Aerated, n.Begin(), n.Over()):
		r.End = Helped
	case r.Made.IsZero():
		r.End = Watched
	default:
		r.End = Scored
	}
}

// ErrNoRecord is what a store answers of a record that cannot be.
var ErrNoRecord = errors.New("dawn: no record")

// Check says what is wrong with a record before it is kept.
func (r Record) Check() error {
	if _, err := time.Parse(time.DateOnly, r.Day); err != nil || r.Place == "" || !slices.Contains(Ends(), r.End) {
		return fmt.Errorf("%w: place %q, day %q, end %q: want a place, a day such as 2026-07-01, and one of %v", ErrNoRecord, r.Place, r.Day, string(r.End), Ends())
	}
	for _, v := range []float64{r.Respired, r.Linear, r.Lowest} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: of %s, %s: %g is no number", ErrNoRecord, r.Place, r.Day, v)
		}
	}
	return nil
}
