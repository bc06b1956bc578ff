package kind

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// entry is a sensor or a derived channel, as far as others are concerned with it.
type entry struct {
	derived    bool
	index      int // in its list
	id         string
	row        row                // of a sensor: its kind, with what its template says
	bad        error              // why there is none
	quantities []measure.Quantity // empty when its kind is unknown
	every      time.Duration      // of a sensor
	own        Refinement
	each       map[measure.Quantity]Refinement
	needs      []need
}

// need is an input of an entry: the key it is written with, and what is written there.
type need struct {
	field   string
	text    string
	accepts []measure.Quantity // of a sensor named there
	entered bool               // a number there is what a person measured
}

// number returns the number that is written, if it is one.
func (n need) number() (float64, bool) {
	v, err := strconv.ParseFloat(n.text, 64)
	return v, err == nil
}

// sensor returns the id that is written, or nothing.
func (n need) sensor() string {
	if _, ok := n.number(); ok {
		return ""
	}
	return n.text
}

// fieldOf is the key an input is written with.
func fieldOf(q measure.Quantity) string {
	field, ok := map[measure.Quantity]string{
		measure.WaterTemperature: "temperature", measure.AirTemperature: "temperature", measure.AirPressure: "pressure",
		measure.DissolvedOxygen: "oxygen", measure.RelativeHumidity: "humidity", measure.TotalAmmonia: "ammonia",
		measure.SoilPermittivity: "permittivity",
	}[q]
	if !ok {
		return string(q)
	}
	return field
}

// inputWords says in words what an input is, and what to name for it.
func inputWords(q measure.Quantity) (what, mend string) {
	words, ok := map[measure.Quantity][2]string{
		measure.WaterTemperature: {"the temperature of water", "a ds18b20 in the same water"},
		measure.AirTemperature:   {"the temperature of air", "an sht4x or bme280 in the same air"},
		measure.Salinity:         {"salinity", "a derived channel of kind salinity"},
		measure.AirPressure:      {"air pressure", "a bme280"},
	}[q]
	if !ok {
		return strings.ReplaceAll(string(q), "_", " "), "a sensor of " + string(q)
	}
	return words[0], words[1]
}

// entry finds an entry by its id.
func (c *checker) entry(id string) (entry, bool) {
	for _, e := range c.entries {
		if e.id == id && id != "" {
			return e, true
		}
	}
	return entry{}, false
}

func (c *checker) report(e entry, field, problem, mend string) {
	c.errs = append(c.errs, &SpecError{Index: e.index, Derived: e.derived, ID: e.id, Field: field, Problem: problem, Mend: mend})
}

// checkNeeds wants every input to be a number that can be one, or a sensor that measures it often enough.
func (c *checker) checkNeeds(e entry) {
	for _, n := range e.needs {
		if n.text == "" {
			continue
		}
		what, mend := inputWords(n.accepts[0])
		if v, ok := n.number(); ok {
			c.checkNumber(e, n, v)
			continue
		}
		from, ok := c.entry(n.text)
		if !ok {
			c.report(e, n.field, fmt.Sprintf("there is no sensor %q", n.text), "write the id of "+mend+", or a number")
			continue
		}
		q, ok := from.first(n.accepts)
		if len(from.quantities) > 0 && !ok {
			c.report(e, n.field, fmt.Sprintf("sensor %q does not measure %s", n.text, what), "name "+mend)
			continue
		}
		if every, longest := c.everyOf(from), sense.MaxAge(q); ok && every > longest {
			c.report(e, n.field, fmt.Sprintf("sensor %q is asked every %v, and %s counts for %v", n.text, every, what, longest),
				fmt.Sprintf("ask it at least every %v, or write a number", longest))
		}
	}
}

func (c *checker) checkNumber(e entry, n need, v float64) {
	q := n.accepts[0]
	info, _ := q.Info()
	if quality, err := q.Grade(v); err != nil || quality != measure.Good || math.IsNaN(v) {
		c.report(e, n.field, fmt.Sprintf("%s is no %s", n.text, strings.ReplaceAll(string(q), "_", " ")),
			strings.TrimSpace(fmt.Sprintf("write a number from %g to %g %s", info.Min, info.Max, info.Unit))+", or the id of a sensor")
	}
}

// first returns the first of list that e measures.
func (e entry) first(list []measure.Quantity) (measure.Quantity, bool) {
	for _, q := range list {
		if slices.Contains(e.quantities, q) {
			return q, true
		}
	}
	return "", false
}

// everyOf is how often something of e comes: of a derived channel, as often as of its main input.
func (c *checker) everyOf(e entry) time.Duration {
	for range c.entries { // a circle ends, too
		if !e.derived || len(e.needs) == 0 {
			break
		}
		main, ok := c.entry(e.needs[0].sensor())
		if !ok {
			return 0
		}
		e = main
	}
	if e.every == 0 {
		return DefaultEvery
	}
	return e.every
}

// inputs tells a driver what its configuration says.
type inputs struct {
	board *sense.Board
	needs []need
}

// Input implements sense.Inputs.
func (i inputs) Input(q measure.Quantity) (measure.Input, bool) {
	for _, n := range i.needs {
		if n.accepts[0] != q || n.text == "" {
			continue
		}
		if v, ok := n.number(); ok {
			return measure.Input{Quantity: q, Value: v}, true
		}
		return i.board.Input(n.text, q)
	}
	return measure.Input{}, false
}
