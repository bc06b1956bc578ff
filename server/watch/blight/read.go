package blight

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// History is what was measured.
type History interface {
	Range(ctx context.Context, q history.Query) ([]history.Bucket, error)
}

// How long hours that were read are believed: the last Recent days are read again after Soon, all of a season after Whole, because a gateway
// may hand in a week that it kept while it had no link.
const (
	recentDays = 3
	soon       = 10 * time.Minute
	whole      = 12 * time.Hour
)

// airProbes are the probes of a place that measure its air, of any time from from to to.
func airProbes(f *farm.Farm, place string, from, to time.Time) []farm.Mount {
	return slices.DeleteFunc(f.MountsAt(place, from, to), func(m farm.Mount) bool {
		return !slices.Contains(m.Measures, measure.AirTemperature) && !slices.Contains(m.Measures, measure.RelativeHumidity)
	})
}

// reader reads hours of the air and remembers them. It is safe for concurrent use.
type reader struct {
	history History
	zone    *time.Location

	mu   sync.Mutex
	kept map[string]*kept // by place
}

// kept are the hours of a place.
type kept struct {
	from, read, full time.Time
	hours            map[int64]Hour
}

func newReader(h History) *reader {
	return &reader{history: h, zone: farm.Time(), kept: map[string]*kept{}}
}

// air returns the measured hours of a place from a moment on: the mean of its probes, an hour only where both temperature and humidity are
// known.
func (r *reader) air(ctx context.Context, f *farm.Farm, place string, from, at time.Time) (map[int64]Hour, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kept[place]
	if k == nil || from.Before(k.from) || at.Before(k.read) || at.Sub(k.full) >= whole {
		hours, err := r.read(ctx, f, place, from, at)
		if err != nil {
			return nil, err
		}
		r.kept[place] = &kept{from: from, read: at, full: at, hours: hours}
		return clipped(hours, from), nil
	}
	if at.Sub(k.read) >= soon {
		edge := at.AddDate(0, 0, -recentDays).Truncate(time.Hour)
		if edge.Before(from) {
			edge = from
		}
		fresh, err := r.read(ctx, f, place, edge, at)
		if err != nil {
			return nil, err
		}
		for t := range k.hours {
			if t >= edge.Unix() {
				delete(k.hours, t)
			}
		}
		maps.Copy(k.hours, fresh)
		k.read = at
	}
	return clipped(k.hours, from), nil
}

func clipped(all map[int64]Hour, from time.Time) map[int64]Hour {
	out := make(map[int64]Hour, len(all))
	for t, h := range all {
		if t >= from.Unix() {
			out[t] = h
		}
	}
	return out
}

// read asks the history. The hour that is running is left out: its mean is not there yet. An hour of which a value is in doubt is not taken.
func (r *reader) read(ctx context.Context, f *farm.Farm, place string, from, at time.Time) (map[int64]Hour, error) {
	type sum struct {
		v [2]float64
		n [2]int
	}
	sums := map[int64]sum{}
	end := at.Truncate(time.Hour)
	for _, m := range airProbes(f, place, from, at) {
		for i, q := range []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity} {
			if !slices.Contains(m.Measures, q) {
				continue
			}
			s := history.Series{Place: place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}
			buckets, err := r.history.Range(ctx, history.Query{Series: s, From: from, To: end, Every: time.Hour, Zone: r.zone})
			if err != nil {
				return nil, fmt.Errorf("blight: air of %s: %w", place, err)
			}
			for _, b := range buckets {
				if b.N == 0 || b.Worst == measure.Suspect {
					continue
				}
				x := sums[b.Start.Unix()]
				x.v[i], x.n[i] = x.v[i]+b.Mean, x.n[i]+1
				sums[b.Start.Unix()] = x
			}
		}
	}
	out := map[int64]Hour{}
	for t, x := range sums {
		if x.n[0] > 0 && x.n[1] > 0 {
			out[t] = Hour{Start: time.Unix(t, 0).In(r.zone), T: x.v[0] / float64(x.n[0]), RH: x.v[1] / float64(x.n[1]), By: place}
		}
	}
	return out, nil
}

// fill gives a season its hours: of its own probes, and where they did not measure, of the nearest place of its zone that did.
func (r *reader) fill(ctx context.Context, f *farm.Farm, s *Season, at time.Time) error {
	emerged, _ := s.Emerged()
	from := emerged.Add(-12 * time.Hour) // the first noon
	s.Hours = Hours{}
	if !from.Before(at) {
		s.Probes = true // nothing is asked for yet
		return nil
	}
	s.Probes = len(airProbes(f, s.Place.Code, from, at)) > 0
	own, err := r.air(ctx, f, s.Place.Code, from, at)
	if err != nil {
		return err
	}
	maps.Copy(s.Hours, own)
	asked := int(at.Sub(from) / time.Hour)
	for _, q := range lenders(f, s.Place, from, at) {
		s.Probes = true
		if len(s.Hours) >= asked {
			break
		}
		hours, err := r.air(ctx, f, q.Code, from, at)
		if err != nil {
			return err
		}
		lent := false
		for t, h := range hours {
			if _, there := s.Hours[t]; !there {
				s.Hours[t], lent = h, true
			}
		}
		if lent {
			s.Lenders = append(s.Lenders, q.Title)
		}
	}
	return nil
}
