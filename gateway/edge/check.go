package edge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	Path string // where it stands below the file's root: aerators[0].on_below
	What string
	Mend string
}

// Check reports everything that is wrong with c. sensors are the quantities of every sensor of the gateway, by its id.
func (c Config) Check(sensors map[string][]measure.Quantity) []Problem {
	k := &checker{sensors: sensors, ids: make(map[string]string), pins: make(map[string]string), sirens: make(map[string]Relay)}
	for i, a := range c.Aerators {
		k.aerator(fmt.Sprintf("aerators[%d]", i), a)
	}
	for i, a := range c.Alarms {
		k.alarm(fmt.Sprintf("alarms[%d]", i), a)
	}
	if s := c.Siren; s.Until != "" && s.End().IsZero() {
		k.say("siren.until", fmt.Sprintf("%q is no time", s.Until), "write one such as 2026-11-26T20:41:00Z, or remove it")
	}
	return k.problems
}

type checker struct {
	sensors  map[string][]measure.Quantity
	ids      map[string]string // taken, and by what
	pins     map[string]string
	sirens   map[string]Relay
	problems []Problem
}

func (k *checker) say(path, what, mend string) {
	k.problems = append(k.problems, Problem{Path: path, What: what, Mend: mend})
}

func (k *checker) id(at, id, example string) {
	_, sensor := k.sensors[id]
	switch other, taken := k.ids[id], k.ids[id] != ""; {
	case id == "":
		k.say(at, "it has no id", "add one such as id: "+example)
	case !measure.ValidID(id, 40) || id == "gateway":
		k.say(at+".id", fmt.Sprintf("bad id %q", id), `use up to 40 of a-z, 0-9 and -, not - first; "gateway" is taken`)
	case sensor:
		k.say(at+".id", fmt.Sprintf("%q is a sensor already", id), "its readings need a name of their own, such as "+example)
	case taken:
		k.say(at+".id", fmt.Sprintf("%q is the id of %s already", id, other), "give each a name of its own")
	}
	k.ids[id] = at
}

// reads wants sensor to be there and to measure one of the quantities.
func (k *checker) reads(at, key, sensor string, of ...measure.Quantity) {
	quantities, ok := k.sensors[sensor]
	switch {
	case sensor == "":
		k.say(at, "it has no "+key, fmt.Sprintf("add %s: and the id of a sensor", key))
	case !ok:
		k.say(at+"."+key, fmt.Sprintf("there is no sensor %q", sensor), "write the id of one listed under sensors")
	case !slices.ContainsFunc(of, func(q measure.Quantity) bool { return slices.Contains(quantities, q) }):
		k.say(at+"."+key, fmt.Sprintf("sensor %q does not measure %s", sensor, names(of)), fmt.Sprintf("it measures %s", names(quantities)))
	}
}

func names(list []measure.Quantity) string {
	text := make([]string, len(list))
	for i, q := range list {
		text[i] = string(q)
	}
	return strings.Join(text, ", ")
}

func (k *checker) relay(at string, r Relay) {
	switch {
	case r.Pin == "":
		k.say(at, "the relay has no pin", "add pin: GPIO17, the number behind GPIO and not the one on the header")
	case r.Contact != "" && r.Contact != "no" && r.Contact != "nc":
		k.say(at+".contact", fmt.Sprintf("%q is no contact", r.Contact), "write no (on while the relay is pulled in) or nc")
	}
}

func (k *checker) span(path string, d, lo, hi time.Duration) {
	if d < lo || d > hi {
		k.say(path, fmt.Sprintf("a time of %v", d), fmt.Sprintf("write one from %v to %v", lo, hi))
	}
}

func (k *checker) trust(at string, t Trust) {
	if q, ok := measure.ParseQuality(string(t)); t != "" && (!ok || q > measure.Suspect) {
		k.say(at+".trust", fmt.Sprintf("%q is no quality that can count", string(t)), "write the worst that counts: good, uncalibrated, estimated or suspect")
	}
}

func (k *checker) aerator(at string, a Aerator) {
	k.id(at, a.ID, "ao1-quat")
	k.relay(at+".relay", a.Relay)
	if other, taken := k.pins[a.Relay.Pin]; taken && a.Relay.Pin != "" {
		k.say(at+".relay.pin", fmt.Sprintf("pin %s belongs to %s already", a.Relay.Pin, other), "give each relay a pin of its own")
	}
	k.pins[a.Relay.Pin] = at
	if q := a.quantity(); q != measure.DissolvedOxygen && q != measure.OxygenSaturation {
		k.say(at+".quantity", fmt.Sprintf("an aerator is not switched by %q", string(q)), "write dissolved_oxygen or oxygen_saturation")
	} else {
		k.reads(at, "oxygen", a.Oxygen, q)
	}
	k.setPoints(at, a)
	k.trust(at, a.Trust)
	k.span(at+".min_run", a.minRun(), 0, 12*time.Hour)
	k.span(at+".min_rest", a.minRest(), 0, 2*time.Hour)
	k.span(at+".stale", a.stale(), 10*time.Second, 2*time.Hour)
	if a.MaxRun != 0 && (a.MaxRun < a.minRun() || a.MaxRun > 7*24*time.Hour) {
		k.say(at+".max_run", fmt.Sprintf("a longest run of %v", a.MaxRun), fmt.Sprintf("write at least the shortest run of %v and at most 168h, or leave it out", a.minRun()))
	}
	if a.MaxRun != 0 && a.minRest() == 0 {
		k.say(at+".max_run", "a longest run, and no rest after it", "write a min_rest such as 5m")
	}
	for i, w := range a.Always {
		if _, err := parseWindow(w); err != nil {
			k.say(fmt.Sprintf("%s.always[%d]", at, i), err.Error(), `write such as "22:00-06:00"`)
		}
	}
	if d := a.FailSafe; d != nil {
		n := len(k.problems)
		k.span(at+".failsafe.run", d.Run, time.Minute, 12*time.Hour)
		k.span(at+".failsafe.rest", d.Rest, time.Minute, 2*time.Hour)
		if len(k.problems) == n && (d.Run < a.minRun() || d.Rest < a.minRest()) {
			k.say(at+".failsafe", fmt.Sprintf("a rhythm of %v and %v is faster than the motor may be switched", d.Run, d.Rest),
				fmt.Sprintf("write a run of at least min_run (%v) and a rest of at least min_rest (%v)", a.minRun(), a.minRest()))
		}
	}
	if c := a.Current; c != nil {
		k.reads(at+".current", "sensor", c.Sensor, measure.Current)
		k.span(at+".current.within", c.within(), time.Second, 30*time.Minute)
		if c.Above <= 0 || c.Above > 200 {
			k.say(at+".current.above", fmt.Sprintf("a running motor of %g A", c.Above), "write about half of what the motor draws, in ampere")
		}
	}
}

func (k *checker) setPoints(at string, a Aerator) {
	info, _ := a.quantity().Info()
	switch {
	case a.OnBelow <= 0 || a.OnBelow > info.Max:
		k.say(at+".on_below", fmt.Sprintf("a set point of %g", a.OnBelow), fmt.Sprintf("write on_below in %s, such as 4.0 mg/L (cá tra 2.5)", info.Unit))
	case a.OffAbove <= a.OnBelow || a.OffAbove > info.Max:
		k.say(at+".off_above", fmt.Sprintf("off at %g with on at %g: it would never know which", a.OffAbove, a.OnBelow),
			"write off_above more than on_below: 4.0 and 5.5 mg/L (cá tra 2.5 and 4.0)")
	}
}

func (k *checker) alarm(at string, a Alarm) {
	k.id(at, a.ID, "ao1-thieu-oxy")
	k.trust(at, a.Trust)
	k.span(at+".for", a.wait(), 0, 24*time.Hour)
	k.watched(at, a)
	set := 0
	for _, b := range []bool{a.Below != nil, a.Above != nil, a.Faulty} {
		if b {
			set++
		}
	}
	switch {
	case set != 1:
		k.say(at, "an alarm watches one thing", "write exactly one of below, above and faulty: true; make a second alarm for the other")
	case a.Clear != nil && a.Faulty:
		k.say(at+".clear", "a faulty probe has no set point", "remove it")
	case a.Clear != nil && a.Below != nil && *a.Clear < *a.Below:
		k.say(at+".clear", fmt.Sprintf("on below %g and off at %g", *a.Below, *a.Clear), "write clear at or above below")
	case a.Clear != nil && a.Above != nil && *a.Clear > *a.Above:
		k.say(at+".clear", fmt.Sprintf("on above %g and off at %g", *a.Above, *a.Clear), "write clear at or below above")
	}
	if a.Siren == nil {
		return
	}
	k.relay(at+".siren", *a.Siren)
	first, shared := k.sirens[a.Siren.Pin]
	switch other, taken := k.pins[a.Siren.Pin]; {
	case taken:
		k.say(at+".siren.pin", fmt.Sprintf("pin %s belongs to %s already", a.Siren.Pin, other), "give the siren a pin of its own")
	case shared && first != *a.Siren:
		k.say(at+".siren", "another alarm describes this pin differently", "alarms may share a siren; then all of them write the same")
	}
	k.sirens[a.Siren.Pin] = *a.Siren
}

// watched wants the sensor and its quantity.
func (k *checker) watched(at string, a Alarm) {
	quantities := k.sensors[a.Sensor]
	switch {
	case a.Quantity != "":
		k.reads(at, "sensor", a.Sensor, a.Quantity)
	case len(quantities) > 1:
		k.say(at+".sensor", fmt.Sprintf("sensor %q measures %s", a.Sensor, names(quantities)), "add quantity: and one of them")
	default:
		k.reads(at, "sensor", a.Sensor, quantities...)
	}
}

// Fill writes the quantity of every alarm that leaves it to its sensor. Check comes first.
func (c Config) Fill(sensors map[string][]measure.Quantity) Config {
	c.Alarms = slices.Clone(c.Alarms)
	for i, a := range c.Alarms {
		if q := sensors[a.Sensor]; a.Quantity == "" && len(q) == 1 {
			c.Alarms[i].Quantity = q[0]
		}
	}
	return c
}
