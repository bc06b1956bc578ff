package probe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/rtu"
)

// checkFrames wants golden frames for all that a probe is asked, and each of them to be right.
func (c *checker) checkFrames(m *Modbus) {
	shown := make(map[string]bool)
	for i := range m.Golden {
		at := fmt.Sprintf("modbus.golden[%d]", i)
		c.need(at+".name", m.Golden[i].Name, "say what the frame shows")
		c.checkOrigin(at, m.Golden[i].Origin)
		if pdu := c.checkFrame(at, m, &m.Golden[i]); pdu != nil {
			shown[string(pdu)] = true
		}
	}
	const mend = "add a frame: ask and answer as on the wire, with the values it must give"
	for i := range m.Reads {
		if !shown[string(m.Reads[i].PDU())] {
			c.say(fmt.Sprintf("modbus.reads[%d]", i), mend, "no golden frame shows this read (% X)", m.Reads[i].PDU())
		}
	}
	for at, cmd := range map[string]*Command{"modbus.start": m.Start, "modbus.stop": m.Stop} {
		if cmd != nil && !shown[string(cmd.Ask.bytes())] {
			c.say(at, mend, "no golden frame shows this command (%s)", cmd.Ask)
		}
	}
}

func (c *checker) checkOrigin(at string, o Origin) {
	switch o {
	case Published, Recorded, Derived:
	default:
		c.say(at+".origin", "write published, device or derived", "%q does not say where this is from", o)
	}
}

// checkFrame checks one frame and returns its question, or nil when it has none.
func (c *checker) checkFrame(at string, m *Modbus, f *Frame) []byte {
	unit, ask := c.checkWire(at+".ask", f.Ask)
	answering, answer := c.checkWire(at+".answer", f.Answer)
	if ask == nil || answer == nil {
		return nil
	}
	if unit != answering {
		c.say(at+".answer", "the first byte of both is the probe's address", "unit %d is asked and unit %d answers", unit, answering)
	}
	for _, cmd := range m.commands() {
		if !bytes.Equal(ask, cmd.Ask.bytes()) {
			continue
		}
		if !bytes.Equal(answer, cmd.Answer.bytes()) {
			c.say(at+".answer", fmt.Sprintf("correct the frame, or the command's answer (%s)", cmd.Answer), "the answer is % X", answer)
		}
		return ask
	}
	for i := range m.Reads {
		if bytes.Equal(ask, m.Reads[i].PDU()) {
			c.checkReadFrame(at, &m.Reads[i], f, answer)
			return ask
		}
	}
	c.say(at+".ask", "write the question of one of the reads or commands; a read of this file asks "+string(HexOf(m.Reads[0].PDU())), "the template does not ask % X", ask)
	return nil
}

// commands lists every command of m.
func (m *Modbus) commands() []Command {
	list := append([]Command{}, m.Commands...)
	for _, cmd := range []*Command{m.Start, m.Stop} {
		if cmd != nil {
			list = append(list, *cmd)
		}
	}
	return list
}

// checkWire takes a frame apart and wants its checksum to be right.
func (c *checker) checkWire(at string, h Hex) (unit byte, pdu []byte) {
	b, err := h.Bytes()
	if err != nil || len(b) < 4 {
		c.say(at, `write the bytes in hexadecimal, such as "01 03 00 00 00 03 05 CB"`, "%q is no frame", h)
		return 0, nil
	}
	unit, pdu, ok := rtu.Split(b)
	if !ok {
		sum := binary.LittleEndian.AppendUint16(nil, rtu.Checksum(b[:len(b)-2]))
		c.say(at, fmt.Sprintf("if the rest is right, it ends with % X; if it came from a wire, a byte of it was lost", sum), "the checksum % X does not fit", b[len(b)-2:])
		return 0, nil
	}
	return unit, pdu
}

// checkReadFrame decodes a golden answer, compares it, and writes its values back to the same bytes.
func (c *checker) checkReadFrame(at string, r *Read, f *Frame, answer []byte) {
	if len(answer) < 2 || answer[0] != byte(r.Function) || len(answer) != 2+2*r.Registers || int(answer[1]) != 2*r.Registers {
		c.say(at+".answer", fmt.Sprintf("it begins with %02X %02X and has %d bytes of registers", r.Function, 2*r.Registers, 2*r.Registers), "this is no answer to the read")
		return
	}
	registers := answer[2:]
	samples, err := r.Decode(registers)
	if err != nil {
		if len(f.Values) > 0 {
			c.say(at+".values", "remove them, or correct the frame", "the frame gives no values: %v", err)
		}
		return
	}
	for _, s := range samples {
		want, valued := f.Values[s.Quantity]
		reason, faulty := f.Faults[s.Quantity]
		switch {
		case s.Quality == measure.Fault && !faulty:
			c.say(at, fmt.Sprintf("write faults: { %s: %s }, or correct the frame", s.Quantity, s.Reason), "the frame gives no %s: %s", s.Quantity, s.Reason)
		case s.Quality == measure.Fault:
			if reason != s.Reason {
				c.say(at+".faults", fmt.Sprintf("write %s: %s", s.Quantity, s.Reason), "%s is a fault for another reason than %s", s.Quantity, reason)
			}
		case !valued:
			c.say(at+".values", fmt.Sprintf("write %s: %s", s.Quantity, number(s.Value)), "the frame says nothing of %s", s.Quantity)
		case math.Abs(s.Value-want) > 1e-6*math.Max(1, math.Abs(want)):
			c.say(at+".values."+string(s.Quantity), fmt.Sprintf("write %s if that is what the probe meant; else look at register, type, byte order, scale and offset", number(s.Value)),
				"the frame gives %s %s, not %s", s.Quantity, number(s.Value), number(want))
		}
	}
	c.checkStrangers(at, r, f)
	if len(f.Faults) == 0 {
		c.checkBack(at, r, f, registers)
	}
}

func number(v float64) string { return fmt.Sprintf("%.7g", v) }

// checkStrangers finds values of quantities that are not in the read.
func (c *checker) checkStrangers(at string, r *Read, f *Frame) {
	has := make(map[measure.Quantity]bool)
	for _, v := range r.Values {
		has[v.Quantity] = true
	}
	for q := range f.Values {
		if !has[q] {
			c.say(at+".values."+string(q), "remove it, or give the read such a value", "the read has no %s", q)
		}
	}
	for q, reason := range f.Faults {
		if !has[q] || !reason.Valid() {
			c.say(at+".faults."+string(q), "remove it, or write a value of the read and a reason such as refused", "%s: %s is no fault of this read", q, reason)
		}
	}
}

// checkBack writes what was read: the simulator must be able to.
func (c *checker) checkBack(at string, r *Read, f *Frame, registers []byte) {
	again := bytes.Clone(registers)
	err := r.Encode(again, f.Values)
	if err == nil && !bytes.Equal(again, registers) {
		err = errors.New("other bytes come out: " + string(HexOf(again)))
	}
	if err != nil {
		c.say(at+".values", "write the values with all their digits", "written back, %v", err)
	}
}
