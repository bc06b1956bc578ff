package probe

import (
	"bytes"
	"context"
	"errors"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// Unit is a Modbus probe on a line. It is used by one goroutine at a time.
type Unit struct {
	template *Template
	master   rtu.Master
	unit     byte
	line     serial.Line
	clock    sense.Clock

	begun bool          // it was started, as far as is known
	since time.Duration // uptime when
}

// mostWait is how long a warm-up may hold up the others on the line; a longer one is waited out between two questions.
const mostWait = time.Second

// NewUnit returns the probe of a checked template at an address of the line behind master. line is how it is set.
func NewUnit(t *Template, master rtu.Master, unit byte, line serial.Line, clock sense.Clock) *Unit {
	return &Unit{template: t, master: master, unit: unit, line: line, clock: clock}
}

// Sense implements sense.Sensor. Of a probe that answers some questions and not others it returns what there is, and the
// rest as faults.
func (u *Unit) Sense(ctx context.Context) ([]sense.Sample, error) {
	if err := u.begin(ctx); err != nil {
		return nil, err
	}
	var samples []sense.Sample
	var failed error
	values := 0
	for i := range u.template.Modbus.Reads {
		r := &u.template.Modbus.Reads[i]
		got, err := u.read(ctx, r, failed)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			failed = err
			samples = append(samples, faults(r, err)...)
			continue
		}
		values++
		samples = append(samples, got...)
	}
	if values == 0 || reasonOf(failed) == measure.PowerUp { // then what other registers say is of before, too
		return nil, failed
	}
	return samples, nil
}

// read asks one question. After one that cost the whole timeout none is asked any more: a dead probe holds the line for
// one timeout, however many registers it has. A refusal and a damaged answer come at once.
func (u *Unit) read(ctx context.Context, r *Read, failed error) ([]sense.Sample, error) {
	if reason := reasonOf(failed); failed != nil && reason != measure.Refused && reason != measure.CRC {
		return nil, failed
	}
	pdu, err := u.ask(ctx, r.PDU())
	if err != nil {
		return nil, err
	}
	samples, err := r.Decode(pdu[2:]) // the master saw to it that as many bytes came as were asked for
	if reasonOf(err) == measure.PowerUp {
		u.begun = false // it lost its power since
	}
	return samples, err
}

// begin starts the probe if it is not known to measure, and waits out what is left of its warm-up, if that is short.
func (u *Unit) begin(ctx context.Context) error {
	m := u.template.Modbus
	if m.Start == nil {
		return nil
	}
	if !u.begun {
		answer, err := u.ask(ctx, m.Start.Ask.bytes())
		if err != nil {
			return err
		}
		if !bytes.Equal(answer, m.Start.Answer.bytes()) {
			return sense.Faultf(measure.Garbled, "%s: unit %d answers % x to its start, want %s", u.template.ID, u.unit, answer, m.Start.Answer)
		}
		u.begun, u.since = true, u.clock.Now().Uptime
	}
	switch left := m.WarmUp - (u.clock.Now().Uptime - u.since); {
	case left <= 0:
		return nil
	case left <= mostWait:
		return u.clock.Sleep(ctx, left)
	default:
		return sense.Faultf(measure.NotReady, "%s: unit %d was started and measures in %v", u.template.ID, u.unit, left.Round(time.Second))
	}
}

// ask puts a question. A probe that does not answer may be without power, so it is started again.
func (u *Unit) ask(ctx context.Context, pdu []byte) ([]byte, error) {
	m := u.template.Modbus
	answer, err := u.master.Do(ctx, rtu.Request{Line: u.line, Unit: u.unit, PDU: pdu, Timeout: m.Timeout, Quiet: m.Quiet})
	if err != nil {
		if reasonOf(err) == measure.NoResponse || reasonOf(err) == measure.BusDown {
			u.begun = false
		}
		return nil, err
	}
	return answer, nil
}

func reasonOf(err error) measure.FaultReason {
	if f, ok := errors.AsType[*sense.Fault](err); ok {
		return f.Reason
	}
	return ""
}

// faults is a fault for each value of r.
func faults(r *Read, err error) []sense.Sample {
	list := make([]sense.Sample, 0, len(r.Values))
	for _, v := range r.Values {
		list = append(list, sense.Sample{Quantity: v.Quantity, Quality: measure.Fault, Reason: reasonOf(err)})
	}
	return list
}
