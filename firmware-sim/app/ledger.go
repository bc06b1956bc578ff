package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/truth"
	"aovuon/gateway/measure"
)

// ledgerCommand is what the world really was, and how far the product is from it.
type ledgerCommand struct {
	Truth   truthCommand   `cmd:"" help:"Print what the world really was."`
	Hours   hoursCommand   `cmd:"" help:"Count the hours a quantity really was below, within and above limits."`
	Compare compareCommand `cmd:"" help:"Compare what the product has, and forecasts, with what really was."`
	Count   countCommand   `cmd:"" help:"Count what every chip answered against what the product has."`
}

// pastFlags are what is asked about.
type pastFlags struct {
	Config string `short:"c" default:"field.yaml" help:"Field file." type:"path"`
	From   string `help:"First instant, such as 2026-07-06T00:00:00+07:00, or a day; default: a day before --to."`
	To     string `help:"Last instant, or a day (its midnight); default: now."`
	JSON   bool   `help:"Print JSON."`
}

func (p pastFlags) span(long time.Duration) (s truth.Span, err error) {
	if s.To, err = instant("--to", p.To, time.Now()); err != nil {
		return s, err
	}
	s.From, err = instant("--from", p.From, s.To.Add(-long))
	return s, err
}

// instant reads an instant, or a day of Viet Nam.
func instant(flag, text string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, time.FixedZone("+07", 7*3600))
	if err != nil {
		return t, fmt.Errorf("ledger: %s %q: want an instant such as 2026-07-06T00:00:00+07:00, or a day such as 2026-07-06", flag, text)
	}
	return t, nil
}

type truthCommand struct {
	pastFlags
	Every    time.Duration `default:"10m" help:"How often."`
	Place    string        `help:"Id of a place; default: all."`
	Quantity string        `help:"Such as dissolved_oxygen; default: all that a place has."`
}

func (c truthCommand) Run(e *env) (err error) {
	f, _, err := e.past(c.Config)
	if err != nil {
		return err
	}
	s, err := c.span(24 * time.Hour)
	if err != nil {
		return err
	}
	columns, err := truth.Columns(f.World(), c.Place, measure.Quantity(c.Quantity))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(e.stdout)
	write := func(v truth.Value) error {
		_, err := fmt.Fprintf(out, "%s\t%s\t%s\t%.6g\n", v.Time.Format(time.RFC3339), v.Place, v.Quantity, v.Value)
		return err
	}
	if c.JSON {
		j := json.NewEncoder(out)
		write = func(v truth.Value) error { return j.Encode(v) }
	}
	return errors.Join(truth.Table(f.World(), columns, s, c.Every, write), out.Flush())
}

type hoursCommand struct {
	pastFlags
	Every    time.Duration `default:"10m" help:"How often it is looked; values between are on straight lines."`
	Place    string        `help:"Id of a place; default: all."`
	Quantity string        `default:"dissolved_oxygen" help:"Which quantity."`
	Below    *float64      `help:"Lower limit; without limits the usual ones of the quantity."`
	Above    *float64      `help:"Upper limit."`
}

func (c hoursCommand) Run(e *env) error {
	f, _, err := e.past(c.Config)
	if err != nil {
		return err
	}
	s, err := c.span(24 * time.Hour)
	if err != nil {
		return err
	}
	q := measure.Quantity(c.Quantity)
	columns, err := truth.Columns(f.World(), c.Place, q)
	if err != nil {
		return err
	}
	l := truth.Limits{Below: c.Below, Above: c.Above}
	if l == (truth.Limits{}) {
		usual, known := truth.Usual(q)
		if !known {
			return fmt.Errorf("ledger: %s has no usual limits: want --below, --above or both", q)
		}
		l = usual
	}
	if err := l.Check(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if l.Below != nil && l.Above != nil && *l.Below > *l.Above {
		return fmt.Errorf("ledger: --below %g is above --above %g: want the lower limit and the upper one", *l.Below, *l.Above)
	}
	for _, col := range columns {
		h, err := truth.Count(f.World(), col, s, c.Every, l)
		if err != nil {
			return err
		}
		if c.JSON {
			raw, err := json.Marshal(struct {
				Place    string           `json:"place"`
				Quantity measure.Quantity `json:"quantity"`
				truth.Hours
			}{col.Place, q, h})
			if err != nil {
				return err
			}
			e.say("%s", raw)
			continue
		}
		e.say("%-10s %s: %.2f h below, %.2f h within, %.2f h above", col.Place, q, h.Below, h.Within, h.Above)
	}
	return nil
}

// asked is what the commands that ask the product are told.
type asked struct {
	pastFlags
	Server string `required:"" help:"Address of the product's pages, such as http://127.0.0.1:8080."`
	Range  string `default:"24h" enum:"24h,7d,30d" help:"How far back the product is asked: 24h (steps of 10 min), 7d (1 h) or 30d (4 h)."`
	Ledger string `help:"What the chips answered; default: the field file's." type:"path"`
}

// material is what there is to compare.
type material struct {
	field   *field.Field
	span    truth.Span
	series  []truth.Series
	where   map[string]string // place of every device
	wanted  []truth.Channel
	answers truth.Answers
	known   bool // there is a ledger
}

func (a asked) gather(e *env) (m material, err error) {
	f, cfg, err := e.past(a.Config)
	if err != nil {
		return m, err
	}
	if cfg.Speed != 1 {
		return m, fmt.Errorf("ledger: the world of %s runs at speed %g: its instants are not those of the product's readings; want a field with speed: 1", a.Config, cfg.Speed)
	}
	m.field, m.where = f, map[string]string{}
	for _, p := range f.Parts() {
		if p.Place == "" {
			continue
		}
		m.where[p.ID] = p.Place
		for _, q := range p.Measures {
			m.wanted = append(m.wanted, truth.Channel{Sensor: p.ID, Quantity: q})
		}
	}
	long := map[string]time.Duration{"24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}[a.Range]
	if m.span, err = a.span(long); err != nil {
		return m, err
	}
	if err := m.span.Check(f.World()); err != nil {
		return m, err
	}
	if m.series, err = truth.Ask(e.ctx, a.Server, a.Range, m.where); err != nil {
		return m, err
	}
	path := a.Ledger
	if path == "" {
		path = cfg.Ledger
	}
	if path == "" {
		return m, nil
	}
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && a.Ledger == "" {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("ledger: %w: want a file that firmware-sim wrote (ledger: in the field file, or season --ledger)", err)
	}
	m.answers, err = truth.ReadAnswers(in, m.span)
	m.known = err == nil
	return m, errors.Join(err, in.Close())
}

type countCommand struct {
	asked
	Exact bool `help:"Status 1 unless every answer is there, once."`
}

func (c countCommand) Run(e *env) error {
	m, err := c.gather(e)
	if err != nil {
		return err
	}
	if !m.known {
		return errors.New("ledger: nobody wrote down what the chips answered: write ledger: into the field file, or name a file with --ledger")
	}
	list := truth.Tallies(m.answers, m.series, m.span)
	wrong, seen := 0, 0
	for _, t := range list {
		wrong += t.Missing + t.Extra
		seen += t.Answered + t.Held
	}
	if seen == 0 {
		return fmt.Errorf("ledger: nothing to count: no chip answered, and the product has nothing, in a step of the product (with --range %s) that lies wholly between %s and %s: want a longer or another stretch",
			c.Range, m.span.From.Format(time.RFC3339), m.span.To.Format(time.RFC3339))
	}
	if c.JSON {
		raw, err := json.Marshal(list)
		if err != nil {
			return err
		}
		e.say("%s", raw)
	} else {
		e.say("%-16s %-24s %9s %9s %7s %8s %6s", "sensor", "quantity", "answered", "held", "faults", "missing", "extra")
		for _, t := range list {
			e.say("%-16s %-24s %9d %9d %7d %8d %6d", t.Sensor, t.Quantity, t.Answered, t.Held, t.Faults, t.Missing, t.Extra)
		}
	}
	if c.Exact && (wrong > 0 || len(list) == 0) {
		return fmt.Errorf("%w: %d answers of %d channels are missing or there twice", truth.ErrUnfit, wrong, len(list))
	}
	return nil
}

type compareCommand struct {
	asked
	Forecasts   string             `help:"File of forecasts to compare, too (firmware-sim/truth/FORMAT.md)." type:"existingfile"`
	Limits      map[string]string  `help:"Limits to count hours by, such as dissolved_oxygen=4.. or ph=6.5..9; default: the usual ones."`
	MaxMAE      map[string]float64 `name:"max-mae" help:"Status 1 when a quantity's mean absolute error is more, such as water_temperature=0.5."`
	MinCoverage float64            `help:"Status 1 when a series covers a smaller share of the time, 0 to 1."`
	Complete    bool               `help:"Status 1 when anything is missing that the field's devices measure."`
}

// report is everything that compare finds.
type report struct {
	truth.Comparison
	Probes    []truth.Probe `json:"probes"`
	Spells    []truth.Spell `json:"faults"`
	Forecasts []truth.Lead  `json:"forecasts,omitempty"`
}

func (c compareCommand) Run(e *env) error {
	limits, demand, err := c.demands()
	if err != nil {
		return err
	}
	m, err := c.gather(e)
	if err != nil {
		return err
	}
	var r report
	if r.Comparison, err = truth.Compare(truth.Question{World: m.field.World(), Span: m.span, Wanted: m.wanted, Limits: limits}, m.series); err != nil {
		return err
	}
	if r.Probes, err = truth.Probes(m.field.World(), m.answers, m.where); err != nil {
		return err
	}
	r.Spells = m.answers.Spells
	if r.Forecasts, err = c.forecasts(m); err != nil {
		return err
	}
	if c.JSON {
		raw, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		e.say("%s", raw)
	} else {
		e.report(r)
	}
	if unmet := demand.Unmet(r.Comparison); unmet != nil {
		return fmt.Errorf("%w:\n  %s", truth.ErrUnfit, strings.Join(unmet, "\n  "))
	}
	return nil
}

func (c compareCommand) demands() (func(measure.Quantity) (truth.Limits, bool), truth.Demand, error) {
	own := map[measure.Quantity]truth.Limits{}
	d := truth.Demand{MAE: map[measure.Quantity]float64{}, Coverage: c.MinCoverage, Complete: c.Complete}
	known := func(name string) (measure.Quantity, error) {
		q := measure.Quantity(name)
		if _, ok := q.Info(); !ok {
			return q, fmt.Errorf("ledger: quantity %q: want one such as dissolved_oxygen (firmware-sim ledger truth lists them)", name)
		}
		return q, nil
	}
	for name, text := range c.Limits {
		q, err := known(name)
		if err != nil {
			return nil, d, err
		}
		if own[q], err = truth.ParseLimits(text); err != nil {
			return nil, d, err
		}
	}
	for name, most := range c.MaxMAE {
		q, err := known(name)
		if err != nil {
			return nil, d, err
		}
		if !(most >= 0) || math.IsInf(most, 0) {
			return nil, d, fmt.Errorf("ledger: --max-mae %s=%g: want 0 or more", name, most)
		}
		d.MAE[q] = most
	}
	if !(c.MinCoverage >= 0 && c.MinCoverage <= 1) {
		return nil, d, fmt.Errorf("ledger: --min-coverage %g: want 0 to 1", c.MinCoverage)
	}
	return func(q measure.Quantity) (truth.Limits, bool) {
		if l, ok := own[q]; ok {
			return l, true
		}
		return truth.Usual(q)
	}, d, nil
}

func (c compareCommand) forecasts(m material) ([]truth.Lead, error) {
	if c.Forecasts == "" {
		return nil, nil
	}
	in, err := os.Open(c.Forecasts)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	list, err := truth.ReadForecasts(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	return truth.Score(m.field.World(), list)
}
