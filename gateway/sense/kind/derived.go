package kind

import (
	"fmt"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/chain"
	"aovuon/gateway/sense/derive"
)

// DerivedSpec is the configuration of a channel that is computed from others. Its inputs are ids of sensors or of other
// derived channels, or numbers; the first that its kind takes is the main one, which must be a sensor.
type DerivedSpec struct {
	ID           string `yaml:"id"`   // as of a sensor, and none of theirs
	Kind         string `yaml:"kind"` // one of derive.Names
	Oxygen       string `yaml:"oxygen"`
	Temperature  string `yaml:"temperature"`
	Salinity     string `yaml:"salinity"`
	Pressure     string `yaml:"pressure"`
	PH           string `yaml:"ph"`
	Ammonia      string `yaml:"ammonia"` // total ammonia nitrogen (TAN): a sensor of it or of ammonium, or mg/L that a person measured
	Tested       string `yaml:"tested"`  // when: 2026-11-20, or 2026-11-20T07:30:00+07:00
	Conductivity string `yaml:"conductivity"`
	Humidity     string `yaml:"humidity"`
	Permittivity string `yaml:"permittivity"`

	Refinement `yaml:",inline"`
}

// inputKeys lists the keys of inputs and what is written there.
func (d DerivedSpec) inputKeys() map[string]string {
	return map[string]string{
		"oxygen": d.Oxygen, "temperature": d.Temperature, "salinity": d.Salinity, "pressure": d.Pressure, "ph": d.PH,
		"ammonia": d.Ammonia, "conductivity": d.Conductivity, "humidity": d.Humidity, "permittivity": d.Permittivity,
	}
}

// WithDerived adds derived channels to what Build builds.
func WithDerived(list []DerivedSpec) Option { return func(b *builder) { b.derived = list } }

// derivedEntry is what others may know of d.
func derivedEntry(i int, d DerivedSpec) entry {
	e := entry{derived: true, index: i, id: d.ID, own: d.Refinement}
	f, ok := derive.Lookup(d.Kind)
	if !ok {
		return e
	}
	e.quantities = []measure.Quantity{f.Gives}
	keys := d.inputKeys()
	for i, in := range f.Takes {
		field := fieldOf(in.Quantity)
		e.needs = append(e.needs, need{field: field, text: keys[field], accepts: f.Accepts(i), entered: in.Entered})
	}
	return e
}

// tested reads when a person measured a number.
func (d DerivedSpec) tested() (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, d.Tested); err == nil {
		return t, nil
	}
	return time.Parse(time.RFC3339, d.Tested)
}

// checkDerived checks the channel e, which is d.
func (c *checker) checkDerived(e entry, d DerivedSpec) {
	f, ok := derive.Lookup(d.Kind)
	if !ok {
		c.report(e, "kind", fmt.Sprintf("%q is unknown", d.Kind), "write one of "+strings.Join(derive.Names(), ", "))
		return
	}
	takes := make(map[string]bool)
	entered := false
	for i, n := range e.needs {
		takes[n.field] = true
		what, mend := inputWords(n.accepts[0])
		_, number := n.number()
		switch {
		case n.text == "" && !f.Takes[i].Optional:
			c.report(e, n.field, fmt.Sprintf("%s is computed from %s", d.Kind, what), "write the id of "+mend)
		case i == 0 && number:
			c.report(e, n.field, "the main input is a sensor", "write the id of "+mend)
		}
		entered = entered || n.entered && number
	}
	for field, text := range d.inputKeys() {
		if text != "" && !takes[field] {
			c.report(e, field, fmt.Sprintf("%s is not computed from it", d.Kind), "remove it")
		}
	}
	_, err := d.tested()
	switch {
	case entered && err != nil:
		c.report(e, "tested", "a total ammonia that a person measured has a date", "write tested: 2026-11-20, the day of the test")
	case !entered && d.Tested != "":
		c.report(e, "tested", "nothing here was measured by a person", "remove it")
	}
}

// derivedChannel builds a checked derived channel.
func (b *builder) derivedChannel(e entry, d DerivedSpec, settings map[measure.Quantity]chain.Settings) sense.Channel {
	f, _ := derive.Lookup(d.Kind) // check found it
	from := make([]derive.Source, len(f.Takes))
	for i, n := range e.needs {
		from[i] = derive.Source{Quantity: n.accepts[0], Sensor: n.sensor(), Number: f.Takes[i].Fallback}
		if v, ok := n.number(); ok {
			from[i].Number, from[i].Given = v, true
			if t, err := d.tested(); n.entered && err == nil { // check read it
				from[i].Tested = t
			}
		}
		for _, other := range b.entries {
			if other.id == from[i].Sensor {
				from[i].Quantity, _ = other.first(n.accepts)
			}
		}
	}
	return sense.Channel{
		ID: d.ID, After: e.needs[0].text, Quantities: e.quantities,
		Sensor: derive.New(d.ID, f, from, b.board, b.clock), Refine: chain.New(b.board, settings),
	}
}
