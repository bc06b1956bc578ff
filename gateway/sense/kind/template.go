package kind

import (
	"errors"
	"fmt"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ads1115"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/serial"
	"aovuon/hardware/probes"
)

// errKind is the error of a kind the table does not have.
var errKind = errors.New("unknown kind")

// templates are those a configuration names, each read once: reading one takes some milliseconds, and thirty probes may be
// of one sort.
type templates map[string]loaded

type loaded struct {
	template *probe.Template
	err      error
}

func (l templates) get(ref string) (*probe.Template, error) {
	t, ok := l[ref]
	if !ok {
		t.template, t.err = probe.NewLibrary(probes.Files()).Template(ref)
		l[ref] = t
	}
	return t.template, t.err
}

// rowOf is the row of the table for s. The error of a template is as its loader gives it.
func (l templates) rowOf(s Spec) (row, error) {
	r, ok := find(s.Kind)
	if !ok {
		return r, fmt.Errorf("%w %q", errKind, s.Kind)
	}
	if r.template == "" {
		return r, nil
	}
	t, err := l.get(s.Template)
	if err != nil {
		return r, err
	}
	if t.Kind != r.template {
		return r, fmt.Errorf("template %s is of kind %s", t.ID, t.Kind)
	}
	r.probe, r.Quantities = t, t.Quantities()
	if t.Modbus != nil {
		r.Usual = uint16(t.Modbus.Unit)
	} else {
		r.takes = t.Analog.Inputs()
	}
	return r, nil
}

// checkTemplate reports whether sensor i names a template if its kind needs one, and fits it. r is the row it gave.
func (c *checker) checkTemplate(i int, r row, bad error) bool {
	s := c.specs[i]
	const mend = "gateway probe list names the templates; a file of your own is named by its path, such as ./my-probe.yaml"
	switch {
	case r.template == "" && s.Template != "":
		c.say(i, "template", "a "+r.Name+" has no template", "remove it")
	case r.template != "" && s.Template == "":
		c.say(i, "template", "a probe of kind "+r.Name+" is described by a template", mend)
		return false
	case bad != nil:
		c.errs = append(c.errs, &SpecError{Index: i, ID: s.ID, Field: "template", Problem: bad.Error(), Mend: mend, Err: bad})
		return false
	}
	c.checkBaud(i, r)
	c.checkPoints(i, r)
	return true
}

func (c *checker) checkBaud(i int, r row) {
	s := c.specs[i]
	if s.Baud == 0 {
		return
	}
	if r.template != probe.KindModbus {
		c.say(i, "baud", "a "+r.Name+" has no speed", "remove it")
	} else if s.Baud < serial.MinBaud || s.Baud > serial.MaxBaud {
		c.say(i, "baud", fmt.Sprintf("%d baud", s.Baud), "write the speed the probe was set to, such as 9600, or leave it out for the template's")
	}
}

func (c *checker) checkPoints(i int, r row) {
	s := c.specs[i]
	if len(s.Points) == 0 {
		return
	}
	if r.template != probe.KindAnalog {
		c.say(i, "points", "a "+r.Name+" has no points", "remove them")
		return
	}
	if err := r.probe.Analog.CheckPoints(s.Points); err != nil {
		c.say(i, "points", err.Error(), "write one or two such as { volts: 1.52, value: 7, temperature: 25 }: what the probe gave where the value was known")
	}
}

// modbus builds a checked probe on a serial line.
func (b *builder) modbus(s Spec) sense.Sensor {
	t := b.row(s).probe
	line := t.Modbus.Serial()
	if s.Baud != 0 {
		line.Baud = s.Baud
	}
	return probe.NewUnit(t, b.rtu[s.Bus], byte(s.Address), line, b.clock)
}

// analog builds a checked probe at an input of a converter.
func (b *builder) analog(s Spec) sense.Sensor {
	return probe.NewBoard(b.row(s).probe, ads1115.New(b.i2c[s.Bus], s.Address, b.clock), *s.Input, s.Points, b.inputs(s))
}
