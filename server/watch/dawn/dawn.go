// Package dawn foretells how low the oxygen of a pond will be at dawn, from what its probe measures after dusk: reference §3.
//
// Oxygen, temperature and aerators of the history, the diary's entries and the limits of the farm come in through ports; decisions for
// the board, an Outlook of every pond for the pages, and one Record of every night, by which the forecast is judged, go out. README.md
// has the method, what it is worth, and why so. No SQL, no HTTP, no clock.
package dawn

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/privacy"
	"aovuon/server/watch/rule"
)

// Topic is what the decisions are about.
const Topic = "dawn_oxygen"

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
		Each(ctx context.Context, s history.Series, from, to time.Time, f func(history.Point) error) error
	}
	// Diary is the diary; sqldb.DB is one.
	Diary interface {
		Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
	}
	// Store keeps what was foretold and what came.
	Store interface {
		// DawnRecords returns the records of nights from a local day (2006-01-02) on, by place and day.
		DawnRecords(ctx context.Context, from string) ([]Record, error)
		// SaveDawnRecord keeps the record of a place and night, in the place of what was kept of it.
		SaveDawnRecord(ctx context.Context, r Record) error
	}
)

// Options are what a Rule is made of. All must be set.
type Options struct {
	Farm    Register
	History History
	Diary   Diary
	Store   Store
}

// Rule is the forecast. Pages read Outlook while it decides; it is safe for concurrent use.
type Rule struct {
	o    Options
	zone *time.Location

	mu       sync.RWMutex
	outlooks map[string]Outlook // by place
}

// New returns the rule.
func New(o Options) *Rule { return &Rule{o: o, zone: farm.Time(), outlooks: map[string]Outlook{}} }

// ID implements rule.Rule.
func (*Rule) ID() string { return Topic }

// Inputs implements rule.Rule.
func (*Rule) Inputs() []rule.Input {
	out := []rule.Input{{Quantity: measure.DissolvedOxygen}, {Quantity: measure.WaterTemperature}, {Quantity: measure.AeratorRunning}, {Quantity: measure.AeratorCommand}}
	for _, k := range diaryKinds() {
		out = append(out, rule.Input{Diary: k})
	}
	return out
}

// Window implements rule.Rule: what it reads every time; nights before it once, see Record.
func (*Rule) Window() time.Duration { return 36 * time.Hour }

// Outlook returns what is known of a place's next dawn; ok is false where there is nothing, as of a place that is no pond with a probe.
func (r *Rule) Outlook(place string) (o Outlook, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	o, ok = r.outlooks[place]
	return o, ok
}

// Outlook is what is known of one pond's next dawn, or of its last one by day.
type Outlook struct {
	Place           string
	Gateway, Sensor string // of the probe; of several the one that is worst off
	At              time.Time
	Night           Night
	Outcome         Outcome
	Set, Off        float64   // mg/L at which the aerator is to start, and to stop
	SetSource       farm.Text // of Set
	Score           Score
	Act             bool      // the aerator is to run tonight
	TurnOn          time.Time // from when; zero: nothing says when
	Flags           []Flag
	Oxygen          []Sample // since noon
	Aerated         []Span
	Last            Record // the newest night whose minimum is known
}

// Low is the lower edge of the band at dawn.
func (o Outlook) Low() float64 { return o.Outcome.Curve.Respired(o.Night.Dawn()) - 2*o.Score.Margin() }

// Decide implements rule.Rule.
func (r *Rule) Decide(ctx context.Context, at time.Time) ([]rule.Decision, error) {
	f, err := r.o.Farm.Farm(ctx)
	if err != nil {
		return nil, fmt.Errorf("dawn: farm: %w", err)
	}
	l := look{Rule: r, ctx: ctx, farm: f, at: at}
	if l.book, err = r.readBook(ctx, at); err != nil {
		return nil, err
	}
	if l.records, err = r.records(ctx, at); err != nil {
		return nil, err
	}
	outlooks := map[string]Outlook{}
	var out []rule.Decision
	for _, p := range f.Places {
		o, ok, err := l.pond(p)
		if err != nil {
			return nil, err
		}
		if ok {
			outlooks[p.Code] = o
			out = append(out, o.decision())
		}
	}
	r.mu.Lock()
	r.outlooks = outlooks
	r.mu.Unlock()
	return out, l.catchUp()
}

// look is one round of the rule.
type look struct {
	*Rule
	ctx     context.Context
	farm    *farm.Farm
	at      time.Time
	book    book
	records map[string][]Record // by place, the newest night first
}

// pond judges one pond. ok is false where no probe of oxygen hangs.
func (l *look) pond(p farm.Place) (o Outlook, ok bool, err error) {
	probes := l.series(p, measure.DissolvedOxygen, l.at)
	if p.Kind != farm.Pond || len(probes) == 0 {
		return o, false, nil
	}
	night := l.night(p, l.at)
	var of Water // of the probe that was picked
	for i, sr := range probes {
		w, err := l.water(p, sr, night, l.at)
		if err != nil {
			return o, false, err
		}
		next := Outlook{Place: p.Code, Gateway: sr.Gateway, Sensor: sr.Sensor, At: l.at, Night: night, Outcome: night.Judge(w, l.at), Oxygen: w.Oxygen, Aerated: w.Aerated}
		if i == 0 || next.worse(o) {
			o, of = next, w
		}
	}
	if o.Flags, err = l.flags(p, of, night); err != nil {
		return o, false, err
	}
	o.Set, o.Off, o.SetSource = setPoint(l.farm, p)
	o.Score = scoreOf(l.records[p.Code])
	o.Last = lastKnown(l.records[p.Code])
	o.judge()
	return o, true, l.cast(o)
}

// worse picks between two probes of one pond: the lower forecast; else the one that says anything.
func (o Outlook) worse(than Outlook) bool {
	a, b := o.Outcome.State == Ready, than.Outcome.State == Ready
	if a && b {
		return o.Outcome.Curve.Respired(o.Night.Dawn()) < than.Outcome.Curve.Respired(than.Night.Dawn())
	}
	return a || !b && last(o.Oxygen).At.After(last(than.Oxygen).At)
}

// judge says whether and when the aerator is to start: reference §3.2 item 5.
func (o *Outlook) judge() {
	c := o.Outcome.Curve
	if o.Outcome.State != Ready || c.Respired(o.Night.Dawn())-o.Score.Margin() >= o.Set {
		return
	}
	o.Act = true
	if t, ok := c.Reaches(o.Set + headroom); ok && t.Before(o.Night.Dawn()) {
		o.TurnOn = t
	}
}

// night is that of a place.
func (l *look) night(p farm.Place, t time.Time) Night {
	return NightOf(t, l.zone, where(p))
}

// where is a corner of a place's outline: the sun does not know one end of a pond from the other. For a place that nobody surveyed it is the
// middle of Thanh Miện's ponds, which is right to two minutes in all the delta.
func where(p farm.Place) privacy.Point {
	if len(p.Outline) > 0 {
		return p.Outline[0]
	}
	home, err := privacy.NewPoint(20.77, 106.24)
	if err != nil {
		panic(err) // it is a point of the Earth
	}
	return home
}

// series are those of a quantity at a place, as of a moment and the day before it.
func (l *look) series(p farm.Place, q measure.Quantity, at time.Time) (out []history.Series) {
	for _, m := range l.farm.MountsAt(p.Code, at.Add(-24*time.Hour), at) {
		s := history.Series{Place: p.Code, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}
		if slices.Contains(m.Measures, q) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Where no limit of oxygen is set, aerators are started here: reference §3.2 item 6.
const usualSet, hysteresis = 4.0, 1.5

// setPoint is the pond's own first limit of oxygen, and 1.5 mg/L above it to stop: 4.0 and 5.5 in general, 2.5 and 4.0 for cá tra.
func setPoint(f *farm.Farm, p farm.Place) (on, off float64, source farm.Text) {
	for _, l := range f.LimitsOf(p, measure.DissolvedOxygen) {
		if !l.Above && l.Level == farm.Warn {
			return l.Value, l.Value + hysteresis, l.Source
		}
	}
	return usualSet, usualSet + hysteresis, farm.Text{VI: "mức chung của phần mềm, chưa đặt giới hạn cho ao", EN: "the program's own, no limit is set for the pond"}
}
