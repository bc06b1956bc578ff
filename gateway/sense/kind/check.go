package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/ads1115"
	"aovuon/gateway/sense/ds18b20"
	"aovuon/gateway/sense/ultrasonic"
)

// checker collects what is wrong with a configuration.
type checker struct {
	specs []Spec
	buses map[string]BusSpec
	errs  SpecErrors
}

// check reports everything that is wrong with specs and the buses they hang on.
func check(specs []Spec, buses map[string]BusSpec) SpecErrors {
	c := &checker{specs: specs, buses: buses}
	c.checkBuses()
	ids := make(map[string]int)
	places := make(map[string]int)
	for i, s := range specs {
		c.checkID(i, ids)
		if s.Every != 0 && s.Every < MinEvery {
			c.say(i, "every", fmt.Sprintf("%v is too often", s.Every), fmt.Sprintf("write at least %v, or leave it out for %v", MinEvery, DefaultEvery))
		}
		r, ok := find(s.Kind)
		if !ok {
			c.say(i, "kind", fmt.Sprintf("%q is unknown", s.Kind), "write one of "+strings.Join(Names(), ", "))
			continue
		}
		// Where a sensor hangs is compared with the others only when it is well formed by itself.
		if n := len(c.errs); c.checkBusOf(i, r) && c.checkWiring(i, r) && len(c.errs) == n {
			c.checkPlace(i, r, places)
		}
		c.checkTemperature(i, r)
		c.checkCalibrateEvery(i)
		c.checkCalibration(i, r)
		c.checkAmpere(i, r)
	}
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
				`write { i2c: "1" }, { w1: /sys/bus/w1/devices } or { serial: /dev/ttyUSB0 }`)
			continue
		}
		field := b.wirings()[0]
		same := BusSpec{
			I2C: strings.TrimPrefix(strings.TrimPrefix(b.I2C, "/dev/i2c-"), "I2C"),
			W1:  strings.TrimRight(b.W1, "/"), Serial: b.Serial,
		}
		if other, ok := seen[same]; ok {
			c.sayBus(name, string(field), fmt.Sprintf("this is bus %q once more", other), "keep one of them and name it in the sensors")
			continue
		}
		seen[same] = name
	}
}

func (c *checker) checkID(i int, ids map[string]int) {
	id := c.specs[i].ID
	switch first, taken := ids[id]; {
	case id == "":
		c.say(i, "id", "a sensor needs a name", "write one such as ao1-do")
	case !measure.ValidID(id, 40):
		c.say(i, "id", fmt.Sprintf("%q is no name of a sensor", id), "use up to 40 of a-z, 0-9 and -, not - first")
	case taken:
		c.say(i, "id", fmt.Sprintf("sensor %d of the list has this name already", first+1), "give each sensor a name of its own")
	default:
		ids[id] = i
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

// checkTemperature wants the sensor that compensates to measure what it compensates with.
func (c *checker) checkTemperature(i int, r row) {
	s := c.specs[i]
	if s.Temperature == "" {
		return
	}
	if r.compensated == "" {
		c.say(i, "temperature", "a "+r.Name+" is not compensated", "remove it")
		return
	}
	what, mend := "water", "a ds18b20 in the same water"
	if r.compensated == measure.AirTemperature {
		what, mend = "air", "an sht4x or bme280 in the same air"
	}
	for _, other := range c.specs {
		if other.ID != s.Temperature {
			continue
		}
		if info, ok := Lookup(other.Kind); ok && !slices.Contains(info.Quantities, r.compensated) {
			c.say(i, "temperature", fmt.Sprintf("sensor %q does not measure the temperature of %s", s.Temperature, what), "name "+mend)
		}
		return
	}
	c.say(i, "temperature", fmt.Sprintf("there is no sensor %q", s.Temperature), "write the id of "+mend)
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
