package kind

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/ads1115"
	"aovuon/gateway/sense/ds18b20"
	"aovuon/gateway/sense/ultrasonic"
)

// checker collects what is wrong with a configuration.
type checker struct {
	specs   []Spec
	entries []entry
	buses   map[string]BusSpec
	errs    SpecErrors
}

// check reports everything that is wrong with specs, the buses they hang on and the channels derived from them.
func check(specs []Spec, derived []DerivedSpec, entries []entry, buses map[string]BusSpec) SpecErrors {
	c := &checker{specs: specs, entries: entries, buses: buses}
	c.checkBuses()
	ids := make(map[string]int)
	places := make(map[string]int)
	for i, s := range specs {
		c.checkID(entries[i], ids)
		switch {
		case s.Every != 0 && s.Every < MinEvery:
			c.say(i, "every", fmt.Sprintf("%v is too often", s.Every), fmt.Sprintf("write at least %v, or leave it out for %v", MinEvery, DefaultEvery))
		case s.Every > MaxEvery:
			c.say(i, "every", fmt.Sprintf("%v is too seldom", s.Every), fmt.Sprintf("write at most %v, or leave it out for %v", MaxEvery, DefaultEvery))
		}
		r, bad := entries[i].row, entries[i].bad
		if errors.Is(bad, errKind) {
			c.say(i, "kind", fmt.Sprintf("%q is unknown", s.Kind), "write one of "+strings.Join(Names(), ", "))
			continue
		}
		// Where a sensor hangs is compared with the others only when it is well formed by itself.
		if n := len(c.errs); c.checkBusOf(i, r) && c.checkWiring(i, r) && len(c.errs) == n {
			c.checkPlace(i, r, places)
		}
		if c.checkTemplate(i, r, bad) {
			c.checkInputs(i, r)
		}
		c.checkCalibrateEvery(i)
		c.checkCalibration(i, r)
		c.checkAmpere(i, r)
		c.checkRefinement(entries[i])
	}
	for i, d := range derived {
		e := entries[len(specs)+i]
		c.checkID(e, ids)
		c.checkDerived(e, d)
		c.checkNeeds(e)
		c.checkRefinement(e)
	}
	c.checkCircles()
	return c.errs
}

func (c *checker) say(i int, field, problem, mend string) {
	c.errs = append(c.errs, &SpecError{Index: i, ID: c.specs[i].ID, Field: field, Problem: problem, Mend: mend})
}

func (c *checker) sayBus(name, field, problem, mend string) {
	c.errs = append(c.errs, &SpecError{Index: -1, Bus: name, Field: field, Problem: problem, Mend: mend})
}

// checkBuses wants every bus to be one bus, and none of them twice: each has its own schedule, and two schedules on one
// bus would talk into each other's transactions.
func (c *checker) checkBuses() {
	seen := make(map[BusSpec]string)
	for _, name := range slices.Sorted(maps.Keys(c.buses)) {
		b := c.buses[name]
		if len(b.wirings()) != 1 {
			c.sayBus(name, "", "a bus is either I²C, 1-Wire or serial",
				`write { i2c: "1" }, { w1: /sys/bus/w1/devices }, { onewire: "1" } or { serial: /dev/ttyUSB0 }`)
			continue
		}
		field := b.wirings()[0]
		same := BusSpec{
			I2C: strings.TrimPrefix(strings.TrimPrefix(b.I2C, "/dev/i2c-"), "I2C"),
			W1:  strings.TrimRight(b.W1, "/"), OneWire: strings.TrimPrefix(b.OneWire, "OneWire"), Serial: b.Serial,
		}
		if other, ok := seen[same]; ok {
			c.sayBus(name, string(field), fmt.Sprintf("this is bus %q once more", other), "keep one of them and name it in the sensors")
			continue
		}
		seen[same] = name
	}
	c.checkOneWire()
}

// checkOneWire wants the kernel's 1-Wire buses to be read either as files or by their masters: the kernel's folder shows
// the thermometers of all of them, and a conversion asked for one way may come into a question asked the other way.
func (c *checker) checkOneWire() {
	for _, name := range slices.Sorted(maps.Keys(c.buses)) {
		if c.buses[name].OneWire == "" {
			continue
		}
		for _, other := range slices.Sorted(maps.Keys(c.buses)) {
			if strings.HasPrefix(c.buses[other].W1, "/sys/") {
				c.sayBus(name, string(OneWire), fmt.Sprintf("the thermometers of bus %q hang on the same wire", other),
					"write either w1: /sys/bus/w1/devices or onewire, not both")
			}
		}
	}
}

func (c *checker) checkID(e entry, ids map[string]int) {
	i := e.index
	if e.derived {
		i += len(c.specs)
	}
	switch first, taken := ids[e.id]; {
	case e.id == "":
		c.report(e, "id", "a sensor needs a name", "write one such as ao1-do")
	case !measure.ValidID(e.id, 40):
		c.report(e, "id", fmt.Sprintf("%q is no name of a sensor", e.id), "use up to 40 of a-z, 0-9 and -, not - first")
	case taken && first >= len(c.specs):
		c.report(e, "id", fmt.Sprintf("derived channel %d of the list has this name already", first-len(c.specs)+1), "give each a name of its own")
	case taken:
		c.report(e, "id", fmt.Sprintf("sensor %d of the list has this name already", first+1), "give each sensor a name of its own")
	default:
		if _, err := strconv.ParseFloat(e.id, 64); err == nil {
			c.report(e, "id", fmt.Sprintf("%q is a number, and inputs may be numbers", e.id), "write a name such as ao1-do")
		}
		ids[e.id] = i
	}
}

// checkBusOf reports whether sensor i names a bus of the sort its kind hangs on.
func (c *checker) checkBusOf(i int, r row) bool {
	s := c.specs[i]
	b, ok := c.buses[s.Bus]
	if !ok {
		problem := fmt.Sprintf("there is no bus %q", s.Bus)
		if s.Bus == "" {
			problem = "a sensor hangs on a bus"
		}
		mend := "write one of " + strings.Join(slices.Sorted(maps.Keys(c.buses)), ", ")
		if len(c.buses) == 0 {
			mend = "list the buses under buses"
		}
		c.say(i, "bus", problem, mend)
		return false
	}
	if !b.is(r.Wiring) {
		mend := fmt.Sprintf("name a bus written as { %s: ... }", r.Wiring)
		if names := c.busesOf(r.Wiring); len(names) > 0 {
			mend = "write one of " + strings.Join(names, ", ")
		}
		c.say(i, "bus", fmt.Sprintf("a %s does not hang on a bus like %q", r.Name, s.Bus), mend)
		return false
	}
	return true
}

// busesOf lists the buses of one sort.
func (c *checker) busesOf(w Wiring) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.buses)) {
		if c.buses[name].is(w) {
			names = append(names, name)
		}
	}
	return names
}

// checkWiring reports whether sensor i says where on its bus it is, and nothing that does not belong to its kind.
func (c *checker) checkWiring(i int, r row) bool {
	s := c.specs[i]
	n := len(c.errs)
	switch {
	case r.Highest == 0 && s.Address != 0:
		c.say(i, "address", "a "+r.Name+" has no address", "remove it")
	case r.Highest != 0 && s.Address == 0:
		c.say(i, "address", "a "+r.Name+" has an address", "write "+r.addresses())
	case r.Highest != 0 && (s.Address < r.Lowest || s.Address > r.Highest):
		c.say(i, "address", fmt.Sprintf("%s is no address for %s", r.address(s.Address), r.Name), "write "+r.addresses())
	}
	switch {
	case r.Wiring == W1 && !ds18b20.ValidDevice(s.Device):
		c.say(i, "device", fmt.Sprintf("%q is no name of a 1-Wire thermometer", s.Device),
			"write the folder's name, such as 28-0123456789ab: ls /sys/bus/w1/devices shows it")
	case r.Wiring != W1 && s.Device != "":
		c.say(i, "device", "a "+r.Name+" has no device name", "remove it")
	}
	switch {
	case r.input && s.Input == nil:
		c.say(i, "input", "the probe hangs at an analog input", fmt.Sprintf("write 0 to %d", ads1115.Inputs-1))
	case r.input && (*s.Input < 0 || *s.Input >= ads1115.Inputs):
		c.say(i, "input", fmt.Sprintf("there is no input %d", *s.Input), fmt.Sprintf("write 0 to %d", ads1115.Inputs-1))
	case !r.input && s.Input != nil:
		c.say(i, "input", "a "+r.Name+" has no inputs", "remove it")
	}
	switch {
	case !r.height && s.Height != nil:
		c.say(i, "height", "a "+r.Name+" has no height", "remove it")
	case r.height && s.Height == nil:
		c.say(i, "height", "a level is the height of the sensor less the distance to the water", "write the sensor's height above the pond's floor in cm, such as 180")
	case r.height && !(*s.Height >= 1 && *s.Height <= ultrasonic.MaxHeight): // so written that NaN is none either
		c.say(i, "height", fmt.Sprintf("%g cm is no height of a %s", *s.Height, r.Name), fmt.Sprintf("write 1 to %g: cm above the level that counts as 0", ultrasonic.MaxHeight))
	}
	return len(c.errs) == n
}

// address writes an address as people do: units of a serial line in decimal, chips on I²C in hexadecimal.
func (i Info) address(a uint16) string {
	if i.Wiring == Serial {
		return fmt.Sprintf("%d", a)
	}
	return fmt.Sprintf("0x%02x", a)
}

// addresses says in words which addresses a kind can have.
func (i Info) addresses() string {
	return fmt.Sprintf("%s to %s; it comes with %s", i.address(i.Lowest), i.address(i.Highest), i.address(i.Usual))
}

// checkPlace wants sensor i to be alone where it is. Probes at the inputs of one converter share its address.
func (c *checker) checkPlace(i int, r row, places map[string]int) {
	s := c.specs[i]
	if r.Wiring == Serial && !c.checkAlone(i, r) {
		return
	}
	place, field, mend := s.Device, "device", "every thermometer has a name of its own"
	if r.Highest != 0 {
		place, field, mend = r.address(s.Address), "address", "set one of the two to another address"
	}
	first, taken := places[s.Bus+" "+place]
	if !taken {
		places[s.Bus+" "+place] = i
	}
	if r.input {
		if other, ok := find(c.specs[first].Kind); taken && ok && other.input {
			taken = false
		}
		input := fmt.Sprintf("%s %s input %d", s.Bus, place, *s.Input)
		if other, busy := places[input]; busy {
			first, taken, field, mend = other, true, "input", "plug one of the two probes into another input"
		}
		places[input] = i
	}
	if taken {
		c.say(i, field, fmt.Sprintf("sensor %q is there already", c.specs[first].ID), mend)
	}
}

// checkAlone reports whether no sensor that needs a serial line to itself shares it with sensor i: one that talks unasked
// talks into the others' answers.
func (c *checker) checkAlone(i int, r row) bool {
	for k, other := range c.specs[:i] {
		o, ok := find(other.Kind)
		if ok && other.Bus == c.specs[i].Bus && (r.alone || o.alone) {
			c.say(i, "bus", fmt.Sprintf("sensor %q is on this line, and one of the two needs it to itself", c.specs[k].ID),
				"give each a serial bus of its own")
			return false
		}
	}
	return true
}

// checkInputs wants a sensor to name only what compensates its kind.
func (c *checker) checkInputs(i int, r row) {
	for field, text := range c.specs[i].inputKeys() {
		if text != "" && !slices.ContainsFunc(r.takes, func(q measure.Quantity) bool { return fieldOf(q) == field }) {
			c.say(i, field, fmt.Sprintf("a %s is not compensated with it", r.Name), "remove it")
		}
	}
	c.checkNeeds(c.entries[i])
}

func (c *checker) checkCalibration(i int, r row) {
	s := c.specs[i]
	cal := s.soil()
	if cal == nil {
		return
	}
	if !r.calibrated {
		c.say(i, "calibration", "a "+r.Name+" has no soil calibration", "remove it")
		return
	}
	if err := cal.Check(); err != nil {
		c.errs = append(c.errs, &SpecError{
			Index: i, ID: s.ID, Field: "calibration", Problem: err.Error(), Err: err,
			Mend: "write { dry: { volts: 2.3, vwc: 5 }, wet: { volts: 1.5, vwc: 42 } } with the probe's own numbers",
		})
	}
}

func (c *checker) checkAmpere(i int, r row) {
	s := c.specs[i]
	const mend = "write { volts_per_amp: 0.165 } where 20 A give 3.3 V; zero_volts is what it gives without current"
	switch {
	case r.ampere && s.Ampere == nil:
		c.say(i, "ampere", "a current transducer has a scale", mend)
	case !r.ampere && s.Ampere != nil:
		c.say(i, "ampere", "a "+r.Name+" does not measure current", "remove it")
	case r.ampere:
		if err := s.scale().Check(); err != nil {
			c.say(i, "ampere", err.Error(), mend)
		}
	}
}
