package chip

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// templateProbe is the registers of a Modbus probe as its template has them: it begins with the golden frames, says the
// world's values through the template's own encoder, and does what start, stop and the writing of its address say.
type templateProbe struct {
	part     Part
	template *probe.Template
	feels    map[measure.Quantity]*element
	settings map[int]uint16 // holding registers a person set
	unit     *RTUUnit
	begun    bool
	since    time.Time // when it was started
}

// NewTemplateProbe makes a Modbus probe from a checked template, at an address and on a line set so. A quantity that has no
// source keeps the value of the golden frame.
func NewTemplateProbe(p Part, t *probe.Template, unit byte, line serial.Line, sources map[measure.Quantity]Source) *RTUUnit {
	m := &templateProbe{part: p, template: t, feels: make(map[measure.Quantity]*element)}
	for i, q := range t.Quantities() {
		if source, ok := sources[q]; ok {
			info, _ := q.Info()
			digit := math.Pow10(-info.Decimals)
			m.feels[q] = &element{source: source, salt: uint64(200 + i), noise: 0.2 * digit, wild: 20 * digit}
		}
	}
	m.Reset()
	m.unit = NewRTUUnit(p, unit, line, m)
	return m.unit
}

// TemplateFaults are the faults a probe made from t can have.
func TemplateFaults(t *probe.Template) []fault.Kind {
	list := append(RTUFaults(), fault.Frozen, fault.Noise)
	powerUp, open := false, false
	for i := range t.Modbus.Reads {
		r := &t.Modbus.Reads[i]
		powerUp = powerUp || r.PowerUp != ""
		open = open || len(r.Blank(t.Modbus.Image(i))) < len(r.Values)
	}
	if powerUp {
		list = append(list, fault.PowerUp)
	}
	if open {
		list = append(list, fault.Open)
	}
	return list
}

// Reset implements RTUModel.
func (m *templateProbe) Reset() {
	m.begun, m.since, m.settings = false, time.Time{}, make(map[int]uint16)
}

// Respond implements RTUModel.
func (m *templateProbe) Respond(t time.Time, pdu []byte) RTUReply {
	mb := m.template.Modbus
	for _, c := range mb.Commands {
		if asks(&c, pdu) {
			return replies(&c)
		}
	}
	switch {
	case asks(mb.Start, pdu):
		m.begun, m.since = true, t
		return replies(mb.Start)
	case asks(mb.Stop, pdu):
		m.begun = false
		return replies(mb.Stop)
	case len(pdu) < 5:
		return Refusal(pdu, rtu.IllegalFunction)
	}
	register, n := int(binary.BigEndian.Uint16(pdu[1:])), int(binary.BigEndian.Uint16(pdu[3:]))
	switch {
	case len(pdu) == 5 && (pdu[0] == 3 || pdu[0] == 4):
		return m.read(t, pdu, register, n)
	case len(pdu) == 5 && pdu[0] == 6:
		return m.write(pdu, register, []byte{pdu[3], pdu[4]})
	case len(pdu) == 6+2*n && pdu[0] == 16 && int(pdu[5]) == 2*n:
		return m.write(pdu, register, pdu[6:])
	}
	return Refusal(pdu, rtu.IllegalFunction)
}

func asks(c *probe.Command, pdu []byte) bool {
	ask, err := commandBytes(c, func(c *probe.Command) probe.Hex { return c.Ask })
	return err == nil && len(ask) > 0 && bytes.Equal(ask, pdu)
}

func replies(c *probe.Command) RTUReply {
	answer, err := commandBytes(c, func(c *probe.Command) probe.Hex { return c.Answer })
	if err != nil {
		return RTUReply{} // the template was checked
	}
	return RTUReply{PDU: answer, After: RTUDelay}
}

func commandBytes(c *probe.Command, of func(*probe.Command) probe.Hex) ([]byte, error) {
	if c == nil {
		return nil, nil
	}
	return of(c).Bytes()
}

// read answers a question for registers.
func (m *templateProbe) read(t time.Time, pdu []byte, register, n int) RTUReply {
	reply := RTUReply{PDU: []byte{pdu[0], byte(2 * n)}, After: RTUDelay}
	for i := range m.template.Modbus.Reads {
		r := &m.template.Modbus.Reads[i]
		if int(pdu[0]) != r.Function || register < r.Register || n == 0 || register+n > r.Register+r.Registers {
			continue
		}
		image, said, err := m.image(t, i)
		if err != nil {
			return Refusal(pdu, rtu.DeviceFailure)
		}
		at := 2 * (register - r.Register)
		reply.PDU, reply.Said = append(reply.PDU, image[at:at+2*n]...), said
		return reply
	}
	if word, ok := m.setting(register); ok && pdu[0] == 3 && n == 1 {
		reply.PDU = binary.BigEndian.AppendUint16(reply.PDU, word)
		return reply
	}
	return Refusal(pdu, rtu.IllegalDataAddress)
}

// image is the registers of a read at t, and the values a right driver finds in them.
func (m *templateProbe) image(t time.Time, i int) ([]byte, []RTUValue, error) {
	mb := m.template.Modbus
	r := &mb.Reads[i]
	rests := mb.Start != nil && (!m.begun || t.Sub(m.since) < mb.WarmUp)
	if kind := m.part.Faults.Kind(); rests || kind == fault.PowerUp {
		for _, v := range r.Values {
			m.part.recordFault(t, v.Quantity, fault.PowerUp)
		}
		if power, err := r.PowerUp.Bytes(); err == nil && len(power) > 0 {
			return power, nil, nil
		}
		return make([]byte, 2*r.Registers), nil, nil
	}
	values := make(map[measure.Quantity]float64)
	for q, e := range m.feels {
		values[q] = e.at(m.part, t)
	}
	image := mb.Image(i)
	if err := r.Encode(image, values); err != nil {
		return nil, nil, err
	}
	if m.part.Faults.Kind() == fault.Open {
		r.Blank(image)
	}
	samples, err := r.Decode(image)
	if err != nil {
		return nil, nil, err
	}
	var said []RTUValue
	for _, s := range samples {
		if s.Quality != measure.Fault {
			said = append(said, RTUValue{Quantity: s.Quantity, Value: s.Value})
		} else {
			m.part.recordFault(t, s.Quantity, fault.Open)
		}
	}
	return image, said, nil
}

// setting is a holding register beside the values.
func (m *templateProbe) setting(register int) (uint16, bool) {
	c := m.template.Modbus.Change
	if c.Address != nil && c.Address.Register == register {
		return uint16(int(m.unit.Unit()) * max(1, c.Address.Times)), true
	}
	if c.Baud != nil && c.Baud.Register == register {
		return uint16(c.Baud.Codes[m.unit.Line().Baud]), true
	}
	for _, s := range m.template.Modbus.Settings {
		if s.Register == register {
			return m.settings[register], true
		}
	}
	return 0, false
}

// write sets a register: the address and the speed at once, as most probes do.
func (m *templateProbe) write(pdu []byte, register int, data []byte) RTUReply {
	reply := RTUReply{PDU: bytes.Clone(pdu[:5]), After: RTUDelay}
	if _, ok := m.setting(register); !ok || len(data) != 2 {
		return Refusal(pdu, rtu.IllegalDataAddress)
	}
	word := binary.BigEndian.Uint16(data)
	switch c := m.template.Modbus.Change; {
	case c.Address != nil && c.Address.Register == register:
		address := int(word) / max(1, c.Address.Times)
		if int(pdu[0]) != c.Address.Function || address < 1 || address > rtu.MaxUnit {
			return Refusal(pdu, rtu.IllegalDataValue)
		}
		m.unit.Move(byte(address), m.unit.Line())
	case c.Baud != nil && c.Baud.Register == register:
		for baud, code := range c.Baud.Codes {
			if code == int(word) && int(pdu[0]) == c.Baud.Function {
				line := m.unit.Line()
				line.Baud = baud
				m.unit.Move(m.unit.Unit(), line)
				return reply
			}
		}
		return Refusal(pdu, rtu.IllegalDataValue)
	default:
		m.settings[register] = word
	}
	return reply
}
