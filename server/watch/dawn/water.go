package dawn

import (
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// water reads one probe's night up to a moment.
func (l *look) water(p farm.Place, sr history.Series, n Night, to time.Time) (w Water, err error) {
	noon := n.Dusk.In(l.zone)
	from := time.Date(noon.Year(), noon.Month(), noon.Day(), 12, 0, 0, 0, l.zone)
	if to.After(n.Over()) {
		to = n.Over()
	}
	if w.Oxygen, err = l.samples(sr, from, to); err != nil {
		return w, err
	}
	if w.Celsius, err = l.celsius(p, sr, to); err != nil {
		return w, err
	}
	w.Aerated, err = l.aerated(p, from, to)
	return w, err
}

// samples reads what a probe measured, as medians of five minutes. What is suspect or no measurement is left out.
func (l *look) samples(sr history.Series, from, to time.Time) ([]Sample, error) {
	var raw []Sample
	err := l.o.History.Each(l.ctx, sr, from, to, func(p history.Point) error {
		if p.Quality < measure.Suspect {
			raw = append(raw, Sample{p.Time, p.Value})
		}
		return nil
	})
	return Thin(raw), err
}

// celsius is the water's temperature within an hour before a moment: of the same probe, else of any other there; nil: nobody knows.
func (l *look) celsius(p farm.Place, of history.Series, at time.Time) (*float64, error) {
	all := l.series(p, measure.WaterTemperature, at)
	slices.SortStableFunc(all, func(a, b history.Series) int { return rank(a, of) - rank(b, of) })
	for _, sr := range all {
		list, err := l.samples(sr, at.Add(-time.Hour), at)
		if err != nil {
			return nil, err
		}
		if v := last(list).Value; len(list) > 0 && v >= 0 && v <= 40 { // beyond it the formula of saturation does not hold
			return &v, nil
		}
	}
	return nil, nil
}

// rank puts the same sensor before the same gateway before others.
func rank(s, of history.Series) int {
	switch {
	case s.Gateway == of.Gateway && s.Sensor == of.Sensor:
		return 0
	case s.Gateway == of.Gateway:
		return 1
	}
	return 2
}

// A reading of an aerator holds until the next one, for so long at most.
const holds = 15 * time.Minute

// aerated finds when aerators ran: as their current says; where nothing measures that, as they were told; and as the diary says.
func (l *look) aerated(p farm.Place, from, to time.Time) (out []Span, err error) {
	for _, q := range []measure.Quantity{measure.AeratorRunning, measure.AeratorCommand} {
		heard := false
		for _, sr := range l.series(p, q, to) {
			var on []Sample
			err := l.o.History.Each(l.ctx, sr, from.Add(-holds), to, func(p history.Point) error {
				if p.Quality < measure.OutOfRange {
					on, heard = append(on, Sample{p.Time, p.Value}), true
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
			out = append(out, running(on, to)...)
		}
		if heard {
			break
		}
	}
	return merge(append(out, l.book.aerated(p.Code, from, to)...)), nil
}

// running makes spans of the readings of one aerator: 1 it runs, 0 it does not. One that runs at the end ends after it.
func running(on []Sample, end time.Time) (out []Span) {
	for i, s := range on {
		if s.Value < 0.5 {
			continue
		}
		to := s.At.Add(holds)
		if i+1 < len(on) && on[i+1].At.Before(to) {
			to = on[i+1].At
		}
		if i+1 == len(on) && to.After(end) {
			to = end.Add(time.Second)
		}
		if n := len(out); n > 0 && !out[n-1].To.Before(s.At) {
			out[n-1].To = to
			continue
		}
		out = append(out, Span{s.At, to})
	}
	return out
}

// merge orders spans and joins those that touch.
func merge(all []Span) (out []Span) {
	slices.SortFunc(all, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range all {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}
