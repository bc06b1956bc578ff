package kind

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/ads1115"
	"aovuon/gateway/sense/ds18b20"
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
		c.checkCalibration(i, r)
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
		if (b.I2C == "") == (b.W1 == "") {
			c.sayBus(name, "", "a bus is either I²C or 1-Wire", `write { i2c: "1" } or { w1: /sys/bus/w1/devices }`)
			continue
		}
		field, same := I2C, BusSpec{I2C: strings.TrimPrefix(strings.TrimPrefix(b.I2C, "/dev/i2c-"), "I2C")}
		if b.W1 != "" {
			field, same = W1, BusSpec{W1: strings.TrimRight(b.W1, "/")}
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
	if r.Wiring == I2C && b.I2C == "" || r.Wiring == W1 && b.W1 == "" {
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
		if b := c.buses[name]; w == I2C && b.I2C != "" || w == W1 && b.W1 != "" {
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
	case r.Wiring == I2C && s.Address == 0:
		c.say(i, "address", "an I²C chip has an address", "write "+r.addresses())
	case r.Wiring == I2C && (s.Address < r.Lowest || s.Address > r.Highest):
		c.say(i, "address", fmt.Sprintf("0x%02x is no address for %s", s.Address, r.Name), "write "+r.addresses())
	case r.Wiring != I2C && s.Address != 0:
		c.say(i, "address", "a "+r.Name+" has no address", "remove it, and name the device")
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
	return len(c.errs) == n
}

// addresses says in words which addresses a kind can have.
func (i Info) addresses() string {
	return fmt.Sprintf("0x%02x to 0x%02x; it comes with 0x%02x", i.Lowest, i.Highest, i.Usual)
}

// checkPlace wants sensor i to be alone where it is. Probes at the inputs of one converter share its address.
func (c *checker) checkPlace(i int, r row, places map[string]int) {
	s := c.specs[i]
	place, field, mend := s.Device, "device", "every thermometer has a name of its own"
	if r.Wiring == I2C {
		place, field, mend = fmt.Sprintf("0x%02x", s.Address), "address", "set one of the two chips to another address"
	}
	first, taken := places[s.Bus+" "+place]
	if !taken {
		places[s.Bus+" "+place] = i
	}
	if r.input {
		if taken && c.specs[first].Kind == s.Kind {
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

// checkTemperature wants the sensor that compensates to measure the water.
func (c *checker) checkTemperature(i int, r row) {
	s := c.specs[i]
	if s.Temperature == "" {
		return
	}
	if !r.compensated {
		c.say(i, "temperature", "a "+r.Name+" is not compensated", "remove it")
		return
	}
	for _, other := range c.specs {
		if other.ID != s.Temperature {
			continue
		}
		if info, ok := Lookup(other.Kind); ok && !slices.Contains(info.Quantities, measure.WaterTemperature) {
			c.say(i, "temperature", fmt.Sprintf("sensor %q does not measure the temperature of water", s.Temperature), "name a ds18b20 in the same water")
		}
		return
	}
	c.say(i, "temperature", fmt.Sprintf("there is no sensor %q", s.Temperature), "write the id of a ds18b20 in the same water")
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
