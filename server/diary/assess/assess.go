// Package assess judges what is on record: farm, register, diary, calibrations and the ponds' temperatures come in through ports, verdicts of
// diary/gate go out, of a place or of the whole co-op, now or at the moment of a harvest. It decides nothing itself. No SQL, no HTTP.
package assess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// Book is the register and the diary on record.
type Book interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	// Records returns the records of a kind; of every kind where it is empty.
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
	Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
}

// Calibrations are those on record, the newest first.
type Calibrations interface {
	Calibrations(ctx context.Context, gateway, sensor string, limit int) ([]calibration.Entry, error)
}

// History is what was measured.
type History interface {
	Range(ctx context.Context, q history.Query) ([]history.Bucket, error)
}

// ErrTemperatures says that the history did not answer: what was judged without it holds what it would hold while nothing was measured.
var ErrTemperatures = errors.New("assess: temperatures are not known now")

// Assessor judges what is on record. All fields but History and Calibrations must be set. It is safe for concurrent use.
type Assessor struct {
	Book         Book
	History      History      // nil: no temperatures are known
	Calibrations Calibrations // nil: of no probe
	Settings     gate.Settings
	Now          func() time.Time
}

// Verdict judges a place as it stands now; "" is the co-op with all its places. With an error that is ErrTemperatures the verdict can be shown.
func (a *Assessor) Verdict(ctx context.Context, place string) (gate.Verdict, error) {
	c, err := a.Case(ctx, place)
	if err != nil {
		return gate.Verdict{}, err
	}
	return a.Judge(ctx, c)
}

// Case returns what a place is judged by as it stands now, without temperatures; "" is the co-op with all its places.
func (a *Assessor) Case(ctx context.Context, place string) (gate.Case, error) {
	f, err := a.Book.Farm(ctx)
	if err != nil {
		return gate.Case{}, fmt.Errorf("assess: farm: %w", err)
	}
	records, err := a.Book.Records(ctx, "")
	if err != nil {
		return gate.Case{}, fmt.Errorf("assess: register: %w", err)
	}
	events, err := a.events(ctx, f, place)
	if err != nil {
		return gate.Case{}, err
	}
	c := gate.Case{Farm: f, Records: records, Entries: diary.Entries(events), Settings: a.Settings, Now: a.Now(), Place: place}
	c.Calibrations, err = a.calibrations(ctx, f, place)
	return c, err
}

// Judge judges a case, with the temperatures its seasons ask for. With an error that is ErrTemperatures the verdict is that of a case without any.
func (a *Assessor) Judge(ctx context.Context, c gate.Case) (gate.Verdict, error) {
	t := thermometer{ctx: ctx, history: a.History, farm: c.Farm, days: map[string]map[string]float64{}, from: oldest(c), to: c.Now}
	c.Settings = a.Settings
	if a.History != nil {
		c.Temperature = t.mean
	}
	v := gate.Judge(c)
	if t.err != nil {
		return v, fmt.Errorf("%w: %w", ErrTemperatures, t.err)
	}
	return v, nil
}

// events returns what a place is judged by: what was done there and, for drift, on the fields; what came into the stock anywhere.
func (a *Assessor) events(ctx context.Context, f *farm.Farm, place string) ([]diary.Event, error) {
	if place == "" {
		all, err := a.Book.Events(ctx, diary.Query{})
		if err != nil {
			return nil, fmt.Errorf("assess: diary: %w", err)
		}
		return all, nil
	}
	queries := []diary.Query{{Places: []string{place}}, {Kinds: []string{diary.Receipt}}}
	if p, ok := f.Place(place); ok && p.Kind == farm.Pond {
		queries = append(queries, diary.Query{Kinds: []string{diary.Spraying}, From: a.Now().AddDate(0, 0, -2*gate.DriftDays)})
	}
	var out []diary.Event
	seen := map[string]bool{}
	for _, q := range queries {
		list, err := a.Book.Events(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("assess: diary: %w", err)
		}
		for _, e := range list {
			if !seen[e.ID] {
				seen[e.ID] = true
				out = append(out, e)
			}
		}
	}
	return out, nil
}

// read is how many calibrations of a probe are looked at to find the newest of each quantity.
const read = 12

// calibrations says what the newest calibration of each probe is worth that hangs at a place now.
func (a *Assessor) calibrations(ctx context.Context, f *farm.Farm, place string) (out []gate.Calibration, err error) {
	now := a.Now()
	done := map[[2]string]bool{}
	for _, m := range f.Mounts {
		probe := [2]string{m.Gateway, m.Sensor}
		if a.Calibrations == nil || !m.Holds(now) || (place != "" && m.Place != place) || done[probe] {
			continue
		}
		done[probe] = true
		entries, err := a.Calibrations.Calibrations(ctx, m.Gateway, m.Sensor, read)
		if err != nil {
			return nil, fmt.Errorf("assess: calibrations: %w", err)
		}
		for _, q := range m.Measures {
			i := slices.IndexFunc(entries, func(e calibration.Entry) bool { return e.Quantity == q })
			if i < 0 {
				continue
			}
			r, err := calibration.Read(entries[i].Body)
			if err != nil {
				continue // a document that says nothing: its page shows it
			}
			s, due := entries[i].Standing(r, now)
			out = append(out, gate.Calibration{Place: m.Place, Sensor: m.Sensor, Standing: s, Due: due})
		}
	}
	return out, nil
}

// oldest returns when the oldest treatment was that degree-days may be added up from.
func oldest(c gate.Case) time.Time {
	first := c.Now
	for _, e := range c.Entries {
		if e.Values.Text(diary.KeyInput) != "" && e.At().Before(first) {
			first = e.At()
		}
	}
	return first
}

// fewestHours is how many hours of a day must have been measured for its mean to be one: a noon alone is no day.
const fewestHours = 18

// thermometer reads the daily means of ponds, each pond once, when it is asked for.
type thermometer struct {
	ctx      context.Context //nolint:containedctx // it lives as long as one call of Judge
	history  History
	farm     *farm.Farm
	from, to time.Time
	days     map[string]map[string]float64 // place -> day -> °C
	err      error
}

// mean is the mean of a pond's water over a local day.
func (t *thermometer) mean(place string, day time.Time) (float64, bool) {
	days, known := t.days[place]
	if !known {
		var err error
		if days, err = t.read(place); err != nil {
			t.err = err
		}
		t.days[place] = days
	}
	c, ok := days[day.Format(time.DateOnly)]
	return c, ok
}

// read returns the daily means of a pond: of each hour the mean of its thermometers, of each day with enough hours the mean of its hours.
func (t *thermometer) read(place string) (map[string]float64, error) {
	zone := farm.Time()
	type sum struct {
		c float64
		n int
	}
	hours := map[time.Time]sum{}
	for _, m := range t.farm.MountsAt(place, t.from, t.to) {
		if !slices.Contains(m.Measures, measure.WaterTemperature) {
			continue
		}
		buckets, err := t.history.Range(t.ctx, history.Query{
			Series: history.Series{Place: place, Quantity: measure.WaterTemperature, Gateway: m.Gateway, Sensor: m.Sensor}, From: t.from, To: t.to, Every: time.Hour, Zone: zone,
		})
		if err != nil {
			return nil, err
		}
		for _, b := range buckets {
			if b.N > 0 {
				h := hours[b.Start.UTC()]
				hours[b.Start.UTC()] = sum{h.c + b.Mean, h.n + 1}
			}
		}
	}
	days := map[string]sum{}
	for at, h := range hours {
		day := at.In(zone).Format(time.DateOnly)
		d := days[day]
		days[day] = sum{d.c + h.c/float64(h.n), d.n + 1}
	}
	out := map[string]float64{}
	for day, d := range days {
		if d.n >= fewestHours {
			out[day] = d.c / float64(d.n)
		}
	}
	return out, nil
}
