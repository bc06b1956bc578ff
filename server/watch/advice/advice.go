// Package advice tells people about their ponds what no single limit says: whether to feed, how much of the ammonia of a kit is poison,
// that the water turned cold or hot, and which probe must be calibrated or cleaned, and when.
//
// The farm, the history, the diary and the calibrations come in through ports; decisions with their numbers go out. Each rule is one
// rule.Rule with a topic of its own. README.md has limits and sources. No SQL, no HTTP, no clock.
package advice

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/calibration"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
)

// The topics.
const (
	TopicFeeding = "feeding"
	TopicAmmonia = "kit_ammonia"
	TopicWeather = "heat_cold"
	TopicProbes  = "probe_care"
)

// Topics lists them.
func Topics() []string { return []string{TopicFeeding, TopicAmmonia, TopicWeather, TopicProbes} }

// worth is how long a decision stands when none comes after it.
const worth = time.Hour

// Ports.
type (
	// Register is the farm on record.
	Register interface {
		Farm(ctx context.Context) (*farm.Farm, error)
	}
	// History is what is read of the time series; history.Store is one.
	History interface {
		Range(ctx context.Context, q history.Query) ([]history.Bucket, error)
	}
	// Diary is the diary; sqldb.DB is one.
	Diary interface {
		Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
	}
	// Calibrations are those on record, the newest of a sensor first; sqldb.DB is one.
	Calibrations interface {
		Calibrations(ctx context.Context, gateway, sensor string, limit int) ([]calibration.Entry, error)
	}
)

// Options are what the rules are made of. All must be set.
type Options struct {
	Farm         Register
	History      History
	Diary        Diary
	Calibrations Calibrations
}

// Rules returns every rule of the package.
func Rules(o Options) []rule.Rule {
	return []rule.Rule{
		&judge{o: o, id: TopicFeeding, window: recent, inputs: []rule.Input{{Quantity: measure.DissolvedOxygen}, {Quantity: measure.WaterTemperature}, {Diary: diary.Stocking}, {Diary: diary.Harvest}}, of: feeding},
		&judge{o: o, id: TopicAmmonia, window: testDays * 24 * time.Hour, inputs: []rule.Input{{Diary: diary.WaterTest}, {Quantity: measure.PH}, {Quantity: measure.WaterTemperature}}, of: ammonia},
		&judge{o: o, id: TopicWeather, window: weatherDays * 24 * time.Hour, inputs: []rule.Input{{Quantity: measure.WaterTemperature}}, of: weather},
		&judge{o: o, id: TopicProbes, window: 0, inputs: calibrated(), of: probes},
	}
}

// judge is one of the rules: what judges a place is of.
type judge struct {
	o      Options
	id     string
	window time.Duration
	inputs []rule.Input
	of     func(l *look, p farm.Place) (*rule.Decision, error) // nil: nothing to say of this place
}

// ID implements rule.Rule.
func (j *judge) ID() string { return j.id }

// Inputs implements rule.Rule.
func (j *judge) Inputs() []rule.Input { return j.inputs }

// Window implements rule.Rule.
func (j *judge) Window() time.Duration { return j.window }

// Decide implements rule.Rule.
func (j *judge) Decide(ctx context.Context, at time.Time) ([]rule.Decision, error) {
	f, err := j.o.Farm.Farm(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: farm: %w", j.id, err)
	}
	l := &look{o: j.o, ctx: ctx, farm: f, at: at, zone: farm.Time()}
	if l.entries, err = l.diary(j.inputs, j.window); err != nil {
		return nil, fmt.Errorf("%s: diary: %w", j.id, err)
	}
	var out []rule.Decision
	for _, p := range f.Places {
		d, err := j.of(l, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", j.id, err)
		}
		if d != nil {
			d.Rule, d.Topic, d.Place, d.At, d.Until = j.id, j.id, p.Code, at, at.Add(worth)
			out = append(out, *d)
		}
	}
	return out, nil
}

// look is one round of a rule.
type look struct {
	o       Options
	ctx     context.Context
	farm    *farm.Farm
	at      time.Time
	zone    *time.Location
	entries []diary.Entry
}

// seasonBack is how far back stocking and harvest are looked for.
const seasonBack = 500 * 24 * time.Hour

func (l *look) diary(inputs []rule.Input, window time.Duration) (out []diary.Entry, err error) {
	q := diary.Query{From: l.at.Add(-window), To: l.at.Add(time.Second)}
	for _, i := range inputs {
		if i.Diary == "" {
			continue
		}
		q.Kinds = append(q.Kinds, i.Diary)
		if i.Diary == diary.Stocking {
			q.From = l.at.Add(-seasonBack)
		}
	}
	if len(q.Kinds) == 0 {
		return nil, nil
	}
	events, err := l.o.Diary.Events(l.ctx, q)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(diary.Entries(events), func(e diary.Entry) bool { return e.Voided }), nil
}

// series are those of a quantity at a place within a time.
func (l *look) series(p farm.Place, q measure.Quantity, from, to time.Time) (out []history.Series) {
	for _, m := range l.farm.MountsAt(p.Code, from, to) {
		s := history.Series{Place: p.Code, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}
		if slices.Contains(m.Measures, q) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// steps reads means of a quantity; of several probes that of the first with any. What is suspect is left out.
func (l *look) steps(p farm.Place, q measure.Quantity, from, to time.Time, every time.Duration) ([]history.Bucket, error) {
	for _, s := range l.series(p, q, from, to) {
		list, err := l.o.History.Range(l.ctx, history.Query{Series: s, From: from, To: to, Every: every, Zone: l.zone})
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(b history.Bucket) bool {
			return b.N == 0 || b.Worst == measure.Suspect || b.Worst == measure.OutOfRange
		})
		if len(list) > 0 {
			return list, nil
		}
	}
	return nil, nil
}

// limit is a limit of values at a place; ok is false where none is set.
func (l *look) limit(p farm.Place, q measure.Quantity, level farm.Level, above bool) (farm.Limit, bool) {
	for _, x := range l.farm.LimitsOf(p, q) {
		if x.Level == level && x.Above == above {
			return x, true
		}
	}
	return farm.Limit{}, false
}

func about(v float64, decimals int, unit string) rule.Arg { return rule.Number(v, decimals, unit) }
