package kind

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/chain"
)

// Refinement is what is done with the values of one quantity before they are sent. What it leaves out is as
// chain.Defaults says.
type Refinement struct {
	Rate   *float64    `yaml:"rate"` // a change of more than this in a minute is doubted; 0: any change may be
	Flat   *FlatSpec   `yaml:"flat"`
	Twin   *TwinSpec   `yaml:"twin"`
	Filter *FilterSpec `yaml:"filter"`
	Report *ReportSpec `yaml:"report"`
}

// FlatSpec says when a value that does not move is doubted.
type FlatSpec struct {
	LessThan *float64       `yaml:"less_than"` // in the quantity's unit
	Over     *time.Duration `yaml:"over"`      // 0: never
}

// TwinSpec names another probe in the same place.
type TwinSpec struct {
	Sensor string  `yaml:"sensor"`
	Apart  float64 `yaml:"apart"` // in the quantity's unit; more, and both are doubted
}

// FilterSpec takes noise away: the median first, then the average.
type FilterSpec struct {
	Median int `yaml:"median"` // of so many readings
	Mean   int `yaml:"mean"`   // of so many readings
}

// ReportSpec holds back values that say nothing new.
type ReportSpec struct {
	Change  float64        `yaml:"change"`   // in the quantity's unit
	AtLeast *time.Duration `yaml:"at_least"` // nil means defaultAtLeast
}

const (
	defaultAtLeast = 15 * time.Minute
	longestHold    = MaxEvery
	longestMedian  = 61
	longestMean    = 60
)

// empty reports whether r says nothing.
func (r Refinement) empty() bool { return r == Refinement{} }

// settings are the defaults of q with what r says.
func (r Refinement) settings(q measure.Quantity) chain.Settings {
	s := chain.Defaults(q)
	if r.Rate != nil {
		s.Rate = *r.Rate
	}
	if f := r.Flat; f != nil {
		if f.LessThan != nil {
			s.Flat.LessThan = *f.LessThan
		}
		if f.Over != nil {
			s.Flat.Over = *f.Over
		}
	}
	if t := r.Twin; t != nil {
		s.Twin = chain.Twin(*t)
	}
	if f := r.Filter; f != nil {
		s.Median, s.Mean = f.Median, f.Mean
	}
	if p := r.Report; p != nil {
		s.Report = chain.Report{Change: p.Change, AtLeast: defaultAtLeast}
		if p.AtLeast != nil {
			s.Report.AtLeast = *p.AtLeast
		}
	}
	return s
}

// refinement returns what e says of q.
func (e entry) refinement(q measure.Quantity) Refinement {
	if r, ok := e.each[q]; ok {
		return r
	}
	if len(e.quantities) == 1 {
		return e.own
	}
	return Refinement{}
}

// checkRefinement checks what an entry says of its quantities.
func (c *checker) checkRefinement(e entry) {
	if len(e.quantities) == 0 { // nobody knows: its kind is wrong
		return
	}
	if !e.own.empty() && (len(e.quantities) > 1 || len(e.each) > 0) {
		field := e.own.first()
		c.report(e, field, "this sensor measures several quantities, or says it twice", fmt.Sprintf("write it under each: { %s: { %s: ... } }", e.quantities[0], field))
		return
	}
	for q, r := range e.each {
		if !slices.Contains(e.quantities, q) {
			c.report(e, "each."+string(q), fmt.Sprintf("this sensor does not measure %q", q), "write one of "+quantityNames(e.quantities))
			continue
		}
		c.checkOne(e, "each."+string(q)+".", q, r)
	}
	if !e.own.empty() {
		c.checkOne(e, "", e.quantities[0], e.own)
	}
}

// first names the first key that r says.
func (r Refinement) first() string {
	for _, k := range []struct {
		key  string
		said bool
	}{{"rate", r.Rate != nil}, {"flat", r.Flat != nil}, {"twin", r.Twin != nil}, {"filter", r.Filter != nil}} {
		if k.said {
			return k.key
		}
	}
	return "report"
}

func (c *checker) checkOne(e entry, at string, q measure.Quantity, r Refinement) {
	unit := ""
	if info, _ := q.Info(); info.Unit != "" {
		unit = " in " + info.Unit
	}
	if r.Rate != nil && !positive(*r.Rate) && *r.Rate != 0 {
		c.report(e, at+"rate", fmt.Sprintf("%g is no rate", *r.Rate), "write how much it can change in a minute"+unit+", or 0 for any change")
	}
	c.checkFlat(e, at, q, r)
	if f := r.Filter; f != nil {
		switch {
		case f.Median == 0 && f.Mean == 0:
			c.report(e, at+"filter", "a filter without a length", "write { median: 5 } or { mean: 4 }, in readings")
		case f.Median != 0 && (f.Median < 3 || f.Median > longestMedian || f.Median%2 == 0):
			c.report(e, at+"filter.median", fmt.Sprintf("a median of %d", f.Median), fmt.Sprintf("write an odd number of readings from 3 to %d", longestMedian))
		case f.Mean != 0 && (f.Mean < 2 || f.Mean > longestMean):
			c.report(e, at+"filter.mean", fmt.Sprintf("an average of %d", f.Mean), fmt.Sprintf("write a number of readings from 2 to %d", longestMean))
		}
	}
	if p := r.Report; p != nil {
		if !positive(p.Change) {
			c.report(e, at+"report.change", fmt.Sprintf("a change of %g", p.Change), "write what is worth telling"+unit)
		}
		if p.AtLeast != nil && (*p.AtLeast <= 0 || *p.AtLeast > longestHold) {
			c.report(e, at+"report.at_least", fmt.Sprintf("at least every %v", *p.AtLeast), fmt.Sprintf("write a time up to %v, or leave it out for %v", longestHold, defaultAtLeast))
		}
	}
	c.checkTwin(e, at, q, r.Twin)
}

func (c *checker) checkFlat(e entry, at string, q measure.Quantity, r Refinement) {
	if r.Flat == nil {
		return
	}
	f := r.settings(q).Flat
	switch {
	case r.Flat.Over == nil && f.Over == 0:
		c.report(e, at+"flat", fmt.Sprintf("%s has no time of its own after which it is flat", q), "write over: 24h too, or what fits the place")
	case f.Over < 0:
		c.report(e, at+"flat.over", fmt.Sprintf("over %v", f.Over), "write a time such as 12h, or 0s for never")
	case f.Over > 0 && !positive(f.LessThan):
		c.report(e, at+"flat.less_than", fmt.Sprintf("%s that moved by less than %g", q, f.LessThan), "write less_than: the least that a living probe moves in that time")
	}
}

// checkTwin wants the twin to be another probe of the same quantity.
func (c *checker) checkTwin(e entry, at string, q measure.Quantity, t *TwinSpec) {
	if t == nil {
		return
	}
	other, ok := c.entry(t.Sensor)
	switch {
	case t.Sensor == e.id:
		c.report(e, at+"twin.sensor", "a probe is no twin of itself", "name another probe in the same place")
	case !ok:
		c.report(e, at+"twin.sensor", fmt.Sprintf("there is no sensor %q", t.Sensor), "name another probe in the same place")
	case len(other.quantities) > 0 && !slices.Contains(other.quantities, q):
		c.report(e, at+"twin.sensor", fmt.Sprintf("sensor %q does not measure %s", t.Sensor, q), "name another probe of the same quantity")
	}
	if !positive(t.Apart) {
		c.report(e, at+"twin.apart", fmt.Sprintf("twins that may be %g apart", t.Apart), "write how far two good probes may differ, such as 0.5")
	}
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

func quantityNames(list []measure.Quantity) string {
	names := make([]string, len(list))
	for i, q := range list {
		names[i] = string(q)
	}
	return strings.Join(names, ", ")
}

// allSettings are the settings of every quantity of every entry. A twin named by one side only is the other's, too: which
// of the two is wrong is not known.
func allSettings(entries []entry) map[string]map[measure.Quantity]chain.Settings {
	all := make(map[string]map[measure.Quantity]chain.Settings, len(entries))
	for _, e := range entries {
		all[e.id] = make(map[measure.Quantity]chain.Settings)
		for _, q := range e.quantities {
			all[e.id][q] = e.refinement(q).settings(q)
		}
	}
	for _, e := range entries {
		for q := range all[e.id] {
			t := e.refinement(q).Twin
			if t == nil {
				continue
			}
			if other, ok := all[t.Sensor][q]; ok && other.Twin.Sensor == "" {
				other.Twin = chain.Twin{Sensor: e.id, Apart: t.Apart}
				all[t.Sensor][q] = other
			}
		}
	}
	return all
}
