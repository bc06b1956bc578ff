package probe

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/yamlfile"
)

// checker collects what is wrong with a template.
type checker struct {
	doc *yamlfile.Document
	t   *Template
	bad []error
}

// say notes one fault. at is where it stands, below $.
func (c *checker) say(at, mend, what string, args ...any) {
	c.bad = append(c.bad, c.doc.Problem(fmt.Sprintf(what, args...), mend, "$."+at))
}

// need wants a text to be there.
func (c *checker) need(at, text, mend string) {
	if strings.TrimSpace(text) == "" {
		c.say(at, mend, "no %s", at[strings.LastIndex(at, ".")+1:])
	}
}

func (c *checker) check() {
	t := c.t
	switch file := strings.TrimSuffix(filepath.Base(c.doc.Path()), ".yaml"); {
	case !measure.ValidID(t.ID, 40):
		c.say("id", "use up to 40 of a-z, 0-9 and -, not - first", "bad id %q", t.ID)
	case t.ID != file:
		c.say("id", fmt.Sprintf("write id: %s, or name the file %s.yaml", file, t.ID), "the file is called %s", file)
	}
	c.need("maker", t.Maker, "write who makes it")
	c.need("measures", t.Measures, "write what it measures and how, in a few words")
	c.need("accuracy", t.Accuracy, "write what the maker states, or: not stated")
	if len(t.Models) == 0 {
		c.say("models", "list at least one model that has this map", "no models")
	}
	c.need("source.document", t.Source.Document, "name the document, driver or device, so that another can find it")
	switch t.Source.Sure {
	case FromDevice, FromDocument, FromDriver:
	case Unrecorded:
		c.need("source.note", t.Source.Note, "say which rows are to be confirmed on a real device")
	default:
		c.say("source.sure", "write device, document, driver or unrecorded", "%q does not say how sure this is", t.Source.Sure)
	}
	switch {
	case t.Kind == KindModbus && t.Modbus != nil && t.Analog == nil:
		c.checkModbus(t.Modbus)
	case t.Kind == KindAnalog && t.Analog != nil && t.Modbus == nil:
		c.checkAnalog(t.Analog)
	case t.Kind != KindModbus && t.Kind != KindAnalog:
		c.say("kind", "write modbus or analog", "%q is no kind of template", t.Kind)
	default:
		c.say("kind", fmt.Sprintf("describe it under %s, and remove the other", t.Kind), "a template of kind %s has exactly the part %s", t.Kind, t.Kind)
	}
}

func (c *checker) checkModbus(m *Modbus) {
	c.within("modbus.unit", "unit", m.Unit, 1, rtu.MaxUnit)
	if err := m.Serial().Check(); err != nil {
		c.say("modbus.line", "write { baud: 9600, parity: none, stop_bits: 1 } with the probe's own", "%v", err)
	}
	for _, d := range []struct {
		key   string
		is    bool
		limit string
	}{
		{"quiet", m.Quiet < 0 || m.Quiet > secondLong, "0s to 1s"},
		{"timeout", m.Timeout < 0 || m.Timeout > 10*secondLong, "50ms to 10s"},
		{"warm_up", m.WarmUp < 0 || m.WarmUp > 600*secondLong, "0s to 10m"},
	} {
		if d.is {
			c.say("modbus."+d.key, "write "+d.limit, "such a %s is no probe's", d.key)
		}
	}
	if m.Start != nil {
		c.checkCommand("modbus.start", *m.Start)
	}
	if m.Stop != nil {
		c.checkCommand("modbus.stop", *m.Stop)
	}
	for i, cmd := range m.Commands {
		at := fmt.Sprintf("modbus.commands[%d]", i)
		c.need(at+".name", cmd.Name, "say what it does")
		c.checkCommand(at, cmd)
	}
	if len(m.Reads) == 0 {
		c.say("modbus.reads", "list at least one read with its values", "no reads: the probe has nothing to say")
	}
	seen := make(map[measure.Quantity]bool)
	for i := range m.Reads {
		c.checkRead(fmt.Sprintf("modbus.reads[%d]", i), &m.Reads[i], seen)
	}
	c.checkChange(m)
	for i, s := range m.Settings {
		at := fmt.Sprintf("modbus.settings[%d]", i)
		c.need(at+".name", s.Name, "say what it sets")
		c.within(at+".register", "register", s.Register, 0, 0xFFFF)
		c.checkNumber(at, s.Type)
	}
	if len(c.bad) == 0 { // frames are decoded by what was checked
		c.checkFrames(m)
	}
}

const secondLong = 1_000_000_000 // time.Second, as a number of time.Duration

func (c *checker) within(at, what string, v, lo, hi int) bool {
	if v < lo || v > hi {
		c.say(at, fmt.Sprintf("write %d to %d", lo, hi), "%s %d", what, v)
		return false
	}
	return true
}

func (c *checker) checkCommand(at string, cmd Command) {
	ask, err := cmd.Ask.Bytes()
	if err != nil || len(ask) < 1 || len(ask) > rtu.MaxPDU || ask[0] == 0 || ask[0] >= 0x80 {
		c.say(at+".ask", `write the function code and the data in hexadecimal, such as "03 25 00 00 00", without address and checksum`, "%q is no question", cmd.Ask)
		return
	}
	answer, err := cmd.Answer.Bytes()
	if err != nil || len(answer) < 1 || len(answer) > rtu.MaxPDU || answer[0] != ask[0] {
		c.say(at+".answer", fmt.Sprintf("write the right answer; it begins with %02X, as the question", ask[0]), "%q is no answer to %q", cmd.Answer, cmd.Ask)
	}
}

// mostRegisters is what one question may ask for (Modbus Application Protocol V1.1b3, 6.3).
const mostRegisters = 125

func (c *checker) checkRead(at string, r *Read, seen map[measure.Quantity]bool) {
	if r.Function != 3 && r.Function != 4 {
		c.say(at+".function", "write 3 for holding registers or 4 for input registers", "function %d does not read registers", r.Function)
	}
	if !c.within(at+".register", "register", r.Register, 0, 0xFFFF) || !c.within(at+".registers", "registers:", r.Registers, 1, mostRegisters) {
		return
	}
	if p, err := r.PowerUp.Bytes(); err != nil || len(p) != 0 && len(p) != 2*r.Registers {
		c.say(at+".power_up", fmt.Sprintf("write %d bytes in hexadecimal, two for each register", 2*r.Registers), "%q is not %d registers", r.PowerUp, r.Registers)
	}
	if len(r.Values) == 0 {
		c.say(at, "list the values that stand in these registers, or remove the read", "no values")
	}
	for i := range r.Values {
		v := &r.Values[i]
		at := fmt.Sprintf("%s.values[%d]", at, i)
		if _, ok := v.Quantity.Info(); !ok {
			c.say(at+".quantity", "write one of "+quantityNames(), "unknown quantity %q", v.Quantity)
		} else if seen[v.Quantity] {
			c.say(at+".quantity", "keep one of the two", "the probe has %s already", v.Quantity)
		}
		seen[v.Quantity] = true
		c.checkValue(at, r, v)
	}
}

func quantityNames() string {
	var names []string
	for _, q := range measure.Quantities() {
		names = append(names, string(q))
	}
	return strings.Join(names, ", ")
}

func (c *checker) checkNumber(at string, n Number) bool {
	if n.Registers() > 0 {
		return true
	}
	var names []string
	for _, known := range Numbers() {
		names = append(names, string(known))
	}
	c.say(at+".type", "write one of "+strings.Join(names, ", "), "unknown type %q", n)
	return false
}

func (c *checker) checkValue(at string, r *Read, v *Value) {
	if c.checkNumber(at, v.Type) {
		c.inside(at+".register", r, v.Register, v.Type.Registers())
	}
	if v.Min == nil || v.Max == nil || !(*v.Min < *v.Max) {
		c.say(at, "write min and max, in the quantity's unit, as the maker gives them", "the value has no range")
	}
	if v.Type.isFloat() && len(v.Absent) > 0 {
		c.say(at+".absent", "remove it: a float that is no number says so by itself", "a float has no such numbers")
	}
	for _, n := range v.Absent {
		if v.Type.Registers() > 0 && !v.Type.isFloat() && v.Type.encode(make([]byte, 4), float64(n)) != nil {
			c.say(at+".absent", "write the number as the type reads it: -32768, not 0x8000, for s16", "%d is no %s", n, v.Type)
		}
	}
	if u := v.UnitRegister; u != nil {
		c.inside(at+".unit_register.register", r, u.Register, 1)
		if len(u.Factors) == 0 {
			c.say(at+".unit_register", "write factors: { 1: 1, 2: 0.1 }, by code", "no factors")
		}
		for _, code := range slices.Sorted(maps.Keys(u.Factors)) {
			if !(u.Factors[code] > 0) {
				c.say(at+".unit_register.factors", "write a number above 0", "the factor of code %d is %g", code, u.Factors[code])
			}
		}
	}
	if v.Decimals != nil {
		c.inside(at+".decimals_register", r, *v.Decimals, 1)
	}
}

// inside wants n registers from one on to be among those that r asks for.
func (c *checker) inside(at string, r *Read, register, n int) {
	if register < r.Register || register+n > r.Register+r.Registers {
		c.say(at, "write another, or let the read begin earlier or have more registers",
			"register 0x%04X with %d is not in the read: that is 0x%04X to 0x%04X", register, n, r.Register, r.Register+r.Registers-1)
	}
}

func (c *checker) checkChange(m *Modbus) {
	if a := m.Change.Address; a != nil {
		c.checkWrite("modbus.change.address", a.Function, a.Register)
		if a.Max != 0 {
			c.within("modbus.change.address.max", "highest address", a.Max, 1, 255)
		}
		if a.Times != 0 {
			c.within("modbus.change.address.times", "times", a.Times, 1, 256)
		}
	}
	if b := m.Change.Baud; b != nil {
		c.checkWrite("modbus.change.baud", b.Function, b.Register)
		if _, ok := b.Codes[m.Line.Baud]; !ok {
			c.say("modbus.change.baud.codes", fmt.Sprintf("add %d, which is the speed the probe comes with", m.Line.Baud), "%d baud has no code", m.Line.Baud)
		}
	}
	if m.Change.AnyUnit != 0 {
		c.within("modbus.change.any_unit", "address", m.Change.AnyUnit, 1, 255)
	}
	if len(m.Change.Steps) == 0 {
		c.say("modbus.change", "list steps: what a person does, in order; if it cannot be changed, say that", "no procedure to change the address")
	}
}

func (c *checker) checkWrite(at string, function, register int) {
	if function != 6 && function != 16 {
		c.say(at+".function", "write 6 for one register or 16 for several", "function %d does not write registers", function)
	}
	c.within(at+".register", "register", register, 0, 0xFFFF)
}
