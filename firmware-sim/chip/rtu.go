package chip

import (
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// RTUModel is the registers of a simulated Modbus probe: what makes one probe differ from another. The unit around it
// knows the frames, the address, the line and the faults of the wire.
type RTUModel interface {
	// Respond answers a question that came whole to the probe at t.
	Respond(t time.Time, pdu []byte) RTUReply
	// Reset brings the registers to their power-on state.
	Reset()
}

// RTUReply is what a probe says to one question.
type RTUReply struct {
	PDU   []byte        // function code and data; nil: the probe says nothing
	After time.Duration // how long it thinks before it begins
	Said  []RTUValue    // the values in it, for the ledger
}

// RTUValue is one value in an answer, as a right driver reads it.
type RTUValue struct {
	Quantity measure.Quantity
	Value    float64
}

// Refusal is the reply that refuses a question with an exception.
func Refusal(pdu []byte, e rtu.Exception) RTUReply {
	return RTUReply{PDU: []byte{pdu[0] | 0x80, byte(e)}, After: RTUDelay}
}

const (
	// RTUDelay is how long a usual probe thinks before it answers.
	RTUDelay = 10 * time.Millisecond
	// rtuSlow is within the time a gateway waits, rtuLate outside it.
	rtuSlow = 300 * time.Millisecond
	rtuLate = 1500 * time.Millisecond
)

// RTUFaults are the faults every unit on a serial line can have. Those of its sensing ends, Frozen and Noise, are its
// model's.
func RTUFaults() []fault.Kind {
	return []fault.Kind{
		fault.Unplug, fault.CRC, fault.Garbled, fault.Exception, fault.WrongUnit, fault.Late, fault.Slow, fault.Glitch,
		fault.WrongAddress, fault.Twin, fault.BrownOut,
	}
}

// RTUUnit is a simulated Modbus RTU probe on a serial line.
type RTUUnit struct {
	part  Part
	unit  byte
	line  serial.Line
	model RTUModel
	busy  time.Time // until then it answers and hears nothing

	dead        bool // the line is: nobody hears, and nobody is heard
	cut         int  // how often the line's power was away
	losses, off int  // of power, its own and the line's, that its registers know of
}

// NewRTUUnit makes the unit around a model: its address (1 to 247) and how its line is set.
func NewRTUUnit(p Part, unit byte, line serial.Line, model RTUModel) *RTUUnit {
	return &RTUUnit{part: p, unit: unit, line: line, model: model}
}

// Part implements SerialDevice.
func (u *RTUUnit) Part() Part { return u.part }

// Unit returns the address the unit has.
func (u *RTUUnit) Unit() byte { return u.unit }

// Line returns how the unit's line is set.
func (u *RTUUnit) Line() serial.Line { return u.line }

// Move gives the unit another address and other line settings, as a question to its model does. A question that is being
// answered is still answered the old way.
func (u *RTUUnit) Move(unit byte, line serial.Line) { u.unit, u.line = unit, line }

// Talk implements SerialDevice: a unit never talks unasked.
func (u *RTUUnit) Talk(_, _ time.Time) []Burst { return nil }

// address is where the unit listens: what it was set to, or where its fault puts it.
func (u *RTUUnit) address() byte {
	if f := u.part.Faults.Wiring(); f.Kind == fault.WrongAddress {
		return byte(f.Param(float64(u.unit%rtu.MaxUnit + 1)))
	}
	return u.unit
}

// Hear implements SerialDevice.
func (u *RTUUnit) Hear(t time.Time, heard serial.Line, frame []byte) []Burst {
	unit, line := u.address(), u.line
	to, pdu, ok := rtu.Split(frame)
	kind := u.part.Faults.Kind()
	if ok && kind == fault.WrongAddress && to == u.unit && to != unit {
		u.part.recordFault(t, "", kind)
	}
	if !ok || !agree(heard, line) || (to != unit && to != rtu.Broadcast) || t.Before(u.busy) {
		return nil
	}
	if u.dead || kind == fault.Unplug {
		if kind == fault.None {
			kind = fault.Unplug
		}
		u.part.recordFault(t, "", kind)
		return nil
	}
	if n := u.part.Faults.Losses().Times; n != u.losses || u.cut != u.off {
		u.losses, u.off = n, u.cut
		u.model.Reset()
	}
	t = t.Add(line.Time(len(frame)) + rtu.Silence(line)) // the port took the frame at once; the line did not
	if kind == fault.BrownOut {
		u.model.Reset()
		u.part.recordFault(t, "", kind)
		return nil
	}
	reply := u.model.Respond(t, pdu)
	if to == rtu.Broadcast || reply.PDU == nil {
		return nil
	}
	return u.send(t, line, unit, pdu, reply)
}

// twinLater is how much later a second unit at the same address begins to answer: no two think equally long.
const twinLater = 2300 * time.Microsecond

// send puts a reply on the line, as the fault in force has it.
func (u *RTUUnit) send(t time.Time, line serial.Line, unit byte, asked []byte, r RTUReply) []Burst {
	kind := u.part.Faults.Kind()
	answer, number := spoil(kind, unit, asked, r.PDU)
	at := t.Add(r.After + delay(kind) + line.Time(len(answer)))
	u.busy = at
	lost := func(at time.Time) { u.part.recordFault(at, "", fault.Twin) }
	if !number {
		u.part.recordFault(at, "", kind)
		return []Burst{{At: at, Bytes: answer, Line: line, Lost: lost}}
	}
	b := Burst{At: at, Bytes: answer, Line: line, Lost: lost, Sent: func(at time.Time) {
		for _, v := range r.Said {
			u.part.record(at, v.Quantity, v.Value)
		}
	}}
	if kind != fault.Twin {
		return []Burst{b}
	}
	return []Burst{b, {At: at.Add(twinLater), Bytes: answer, Line: line}}
}

// delay is how much later than it should a unit answers.
func delay(kind fault.Kind) time.Duration {
	if kind == fault.Late {
		return rtuLate
	}
	if kind == fault.Slow {
		return rtuSlow
	}
	return 0
}

// spoil is the frame that answers with pdu, as a fault has it; number is false when a right master has no number from it.
func spoil(kind fault.Kind, unit byte, asked, pdu []byte) (frame []byte, number bool) {
	frame = rtu.Frame(unit, pdu)
	if kind == fault.CRC {
		frame[len(frame)-1] ^= 0x10
		return frame, false
	}
	if kind == fault.Garbled {
		return rtu.Frame(unit, otherAnswer(pdu)), false
	}
	if kind == fault.Exception {
		return rtu.Frame(unit, []byte{asked[0] | 0x80, byte(rtu.DeviceFailure)}), false
	}
	if kind == fault.WrongUnit {
		return rtu.Frame(unit%rtu.MaxUnit+1, pdu), false
	}
	if kind == fault.Glitch {
		return append([]byte{0x00, 0xFF}, frame...), true
	}
	return frame, kind != fault.Late
}

// otherAnswer is a whole answer to another question than the one that was asked: one register more of a reading, another
// value of a setting.
func otherAnswer(pdu []byte) []byte {
	other := append([]byte{}, pdu...)
	if len(pdu) >= 2 && int(pdu[1]) == len(pdu)-2 {
		other[1] += 2
		return append(other, 0, 0)
	}
	other[len(other)-1] ^= 1
	return other
}
