package soil

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// window is how far back hours are read; a year and more of the diary tells when something was planted.
const (
	window     = 8 * 24 * time.Hour
	diaryDays  = 400
	rainMemory = 10 * 24 * time.Hour
)

// deltaNorth is the latitude of plots without an outline: the middle of the Red River delta. A degree more or less changes the radiation
// by 2 % in winter.
const deltaNorth = 20.8

// known is what a look reads once for all plots.
type known struct {
	at      time.Time
	farm    *farm.Farm
	records map[string]farm.Record // cycles and products by id
	cycles  []farm.Record
	entries []diary.Entry
	air     map[string][]AirDay // by code of the place
}

func (s *Service) know(ctx context.Context, at time.Time) (*known, error) {
	f, err := s.book.Farm(ctx)
	if err != nil {
		return nil, fmt.Errorf("soil: %w", err)
	}
	k := &known{at: at, farm: f, records: map[string]farm.Record{}, air: map[string][]AirDay{}}
	for _, kind := range []farm.RecordKind{farm.Cycle, farm.Product} {
		list, err := s.book.Records(ctx, kind)
		if err != nil {
			return nil, fmt.Errorf("soil: %w", err)
		}
		for _, r := range list {
			k.records[r.ID] = r
			if kind == farm.Cycle {
				k.cycles = append(k.cycles, r)
			}
		}
	}
	events, err := s.book.Events(ctx, diary.Query{
		Kinds: []string{diary.Planting, diary.Harvest, "irrigation", "weather"}, From: at.AddDate(0, 0, -diaryDays), To: at.Add(diary.MostAhead),
	})
	if err != nil {
		return nil, fmt.Errorf("soil: %w", err)
	}
	k.entries = slices.DeleteFunc(diary.Entries(events), func(e diary.Entry) bool { return e.Voided || e.At().After(at) })
	slices.SortStableFunc(k.entries, func(a, b diary.Entry) int { return a.At().Compare(b.At()) })
	return k, nil
}

// field reads all that one plot is judged by.
func (s *Service) field(ctx context.Context, k *known, p farm.Place) (*Field, error) {
	f := &Field{Place: p, At: k.at}
	f.Season, f.Fallow = k.season(p)
	f.Rain, f.Irrigated = k.water(p)
	f.North, f.Assumed = k.north(p)
	if err := s.airOf(ctx, k, f); err != nil {
		return nil, err
	}
	probes := mounted(k.farm, p.Code, measure.SoilMoisture, k.at)
	ground := p.Ground
	switch i := slices.IndexFunc(probes, func(m farm.Mount) bool { return m.Gateway+"/"+m.Sensor == ground.Probe }); {
	case len(probes) == 0:
		f.Lacks = NoProbe
	case ground.Probe != "" && i >= 0: // another probe reads another number in the same soil
		probes = probes[i : i+1]
	case ground.Probe != "":
		f.Replaced, ground = true, farm.Ground{Texture: ground.Texture}
	}
	if len(probes) == 1 {
		f.Probe = probes[0].Gateway + "/" + probes[0].Sensor
	}
	var ok bool
	if f.Holds, f.Estimated, ok = ground.Holds(); !ok && f.Lacks == "" {
		f.Lacks = NoGround
		if f.Replaced {
			f.Lacks = Moved
		}
	}
	if len(probes) > 0 {
		if err := s.hoursOf(ctx, f, probes); err != nil {
			return nil, err
		}
	}
	f.judge()
	return f, nil
}

// mounted are the sensors that hang at a place and measure a quantity.
func mounted(f *farm.Farm, place string, q measure.Quantity, at time.Time) (out []farm.Mount) {
	for _, m := range f.Mounts {
		if m.Place == place && m.Holds(at) && slices.Contains(m.Measures, q) {
			out = append(out, m)
		}
	}
	return out
}

// season returns what grows on a plot; fallow says that what grew there is over.
func (k *known) season(p farm.Place) (s *Season, fallow bool) {
	var standing []farm.Record
	for _, r := range k.cycles {
		if r.Values.Text("place") != p.Code {
			continue
		}
		switch {
		case !r.Stands(p.Code, k.at):
			end := r.Values.Text("end")
			fallow = fallow || end != "" && end < k.at.In(farm.Time()).Format(time.DateOnly)
		case k.finished(r):
			fallow = true
		default:
			standing = append(standing, r)
		}
	}
	slices.SortStableFunc(standing, func(a, b farm.Record) int { return cmp.Compare(b.Values.Text("begin"), a.Values.Text("begin")) })
	for _, r := range standing {
		if s, ok := k.seasonOf(p, r); ok {
			return s, false
		}
	}
	return nil, fallow
}

// finished reports whether the diary says that a season's last harvest was brought in.
func (k *known) finished(r farm.Record) bool {
	return slices.ContainsFunc(k.entries, func(e diary.Entry) bool {
		return e.Kind == diary.Harvest && e.Cycle == r.ID && e.Values.Flag("final")
	})
}

func (k *known) seasonOf(p farm.Place, r farm.Record) (*Season, bool) {
	product := k.records[r.Values.Text("product")]
	crop, ok := cropNamed(r.Values.Text("branch"), product.Values.Text("scientific"), r.Values.Text("species"), p.Species)
	if !ok {
		return nil, false
	}
	s := &Season{Crop: crop, Cycle: r.ID, Name: r.Name(), Planted: r.Values.Day("begin", farm.Time()), Perennial: r.Values.Flag("perennial")}
	s.AreaM2, _ = r.Values.Number("area_m2")
	for _, e := range k.entries {
		if e.Kind == diary.Planting && e.Cycle == r.ID {
			s.Planted = farm.Midnight(e.At())
			break
		}
	}
	if s.Perennial {
		return s, true
	}
	if s.Harvest = r.Values.Day("end", farm.Time()); s.Harvest.IsZero() {
		s.Harvest, s.Estimated = s.Planted.AddDate(0, 0, crop.Days), true
	}
	return s, true
}

// water returns the rain of the last days and the last irrigation.
func (k *known) water(p farm.Place) (rain []Water, last *Water) {
	for _, e := range k.entries {
		w := Water{At: e.At()}
		switch {
		case e.Kind == "weather" && (e.Place == "" || e.Place == p.Code) && k.at.Sub(e.At()) <= rainMemory:
			if mm, ok := e.Values.Number("rain_mm"); ok && mm > 0 {
				w.MM = mm
				rain = append(rain, w)
			}
		case e.Kind == "irrigation" && e.Place == p.Code:
			w.MM, _ = e.Values.Number("mm")
			w.Minutes, _ = e.Values.Number("minutes")
			if m3, ok := e.Values.Number("volume_m3"); ok && w.MM == 0 && p.AreaM2 > 0 {
				w.MM = 1000 * m3 / p.AreaM2
			}
			last = &w
		}
	}
	return rain, last
}

// north is the latitude of a plot, or of another place of the co-op.
func (k *known) north(p farm.Place) (degrees float64, assumed bool) {
	for _, q := range append([]farm.Place{p}, k.farm.Places...) {
		if len(q.Outline) > 0 {
			lat, _ := q.Outline[0].Exact()
			return lat, false
		}
	}
	return deltaNorth, true
}

// hoursOf reads the hours of the probes: of several the mean.
func (s *Service) hoursOf(ctx context.Context, f *Field, probes []farm.Mount) error {
	sum, n := map[int64]float64{}, map[int64]float64{}
	var newest []float64
	var last time.Time
	for _, m := range probes {
		buckets, err := s.hourly(ctx, f.Place.Code, measure.SoilMoisture, m, f.At.Add(-window), f.At)
		if err != nil {
			return err
		}
		for i, b := range buckets {
			sum[b.Start.UnixMilli()] += b.Mean
			n[b.Start.UnixMilli()]++
			if i == len(buckets)-1 && f.At.Sub(b.Start) <= Fresh {
				newest = append(newest, b.Mean)
				f.Suspect = f.Suspect || b.Worst == measure.Suspect
			}
			if b.Start.After(last) {
				last = b.Start
			}
		}
	}
	for ms := range n {
		f.Hours = append(f.Hours, Hour{Start: time.UnixMilli(ms).UTC(), Moisture: sum[ms] / n[ms]})
	}
	slices.SortFunc(f.Hours, func(a, b Hour) int { return a.Start.Compare(b.Start) })
	if !last.IsZero() {
		f.Newest = last.Add(time.Hour)
	}
	if len(newest) > 1 {
		f.Spread = slices.Max(newest) - slices.Min(newest)
	}
	if f.Lacks == "" && (last.IsZero() || f.At.Sub(last) > Fresh) {
		f.Lacks = Silent
	}
	return nil
}

// hourly reads the valid hours of a series.
func (s *Service) hourly(ctx context.Context, place string, q measure.Quantity, m farm.Mount, from, to time.Time) ([]history.Bucket, error) {
	buckets, err := s.history.Range(ctx, history.Query{
		Series: history.Series{Place: place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}, From: from.Truncate(time.Hour), To: to, Every: time.Hour, Zone: farm.Time(),
	})
	if err != nil {
		return nil, fmt.Errorf("soil: %s of %s: %w", q, place, err)
	}
	return slices.DeleteFunc(buckets, func(b history.Bucket) bool { return b.N == 0 }), nil
}

// airOf reads the air over a plot, or that nearest to it of which there is any: its own, its zone's, the co-op's, never that of a shed.
func (s *Service) airOf(ctx context.Context, k *known, f *Field) error {
	places := slices.Clone(k.farm.Places)
	rank := func(p farm.Place) int {
		switch {
		case p.Code == f.Place.Code:
			return 0
		case p.Zone == f.Place.Zone:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(places, func(a, b farm.Place) int { return cmp.Compare(rank(a), rank(b)) })
	for _, p := range places {
		if p.Kind == farm.Shed {
			continue
		}
		days, read := k.air[p.Code]
		if !read {
			var err error
			if days, err = s.air(ctx, k, p.Code); err != nil {
				return err
			}
			k.air[p.Code] = days
		}
		if len(days) > 0 {
			f.Air, f.AirFrom = days, p
			return nil
		}
	}
	return nil
}

// air reads the whole days of the air over a place, the newest last.
func (s *Service) air(ctx context.Context, k *known, place string) ([]AirDay, error) {
	thermometers := mounted(k.farm, place, measure.AirTemperature, k.at)
	if len(thermometers) == 0 {
		return nil, nil
	}
	today := farm.Midnight(k.at)
	from := today.AddDate(0, 0, -airDays)
	warm, err := s.hourly(ctx, place, measure.AirTemperature, thermometers[0], from, today)
	if err != nil {
		return nil, err
	}
	humid := map[int64]float64{}
	for _, m := range mounted(k.farm, place, measure.RelativeHumidity, k.at) {
		buckets, err := s.hourly(ctx, place, measure.RelativeHumidity, m, from, today)
		if err != nil {
			return nil, err
		}
		for _, b := range buckets {
			humid[b.Start.UnixMilli()] = b.Mean
		}
		if len(humid) > 0 {
			break
		}
	}
	var out []AirDay
	for day := from; day.Before(today); day = day.AddDate(0, 0, 1) {
		if d, ok := airDay(day, warm, humid); ok {
			out = append(out, d)
		}
	}
	return out, nil
}

// airDay makes a day of its hours; ok is false where too few are known.
func airDay(day time.Time, warm []history.Bucket, humid map[int64]float64) (d AirDay, ok bool) {
	d.Day = day
	n, damp := 0, 0
	for _, b := range warm {
		if ago := b.Start.Sub(day); ago < 0 || ago >= 24*time.Hour {
			continue
		}
		if n == 0 || b.Mean < d.Min {
			d.Min = b.Mean
		}
		if n == 0 || b.Mean > d.Max {
			d.Max = b.Mean
		}
		n++
		if rh, ok := humid[b.Start.UnixMilli()]; ok {
			d.Vapour += Saturation(b.Mean) * min(rh, 100) / 100
			damp++
		}
	}
	if d.Humid = damp >= leastHours; d.Humid {
		d.Vapour /= float64(damp)
	}
	return d, n >= leastHours
}
