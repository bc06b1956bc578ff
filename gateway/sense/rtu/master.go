package rtu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/serial"
)

const (
	// gap is the longest pause within a frame: a USB adapter hands characters over in lots, up to 32 ms apart.
	gap = 50 * time.Millisecond
	// turnaround is how long units are given to do what a broadcast says (Modbus over Serial Line V1.02, 2.4.1).
	turnaround = 100 * time.Millisecond
	// longest is more than any answer and its echo: who sends more than that is no unit that answers.
	longest = 1024
	// nobody is a reserved address. A question to it is whole and right, so that units that count bytes in place of silence
	// pass over it, too.
	nobody = 249
)

// PortMaster is the Master of one serial port. It is safe for concurrent use, also beside other users of the port.
type PortMaster struct {
	port  serial.Port
	clock sense.Clock

	mu   sync.Mutex
	owes map[byte]time.Duration // by unit that let a question pass: the uptime until which its answer may still come
	echo echo
}

// echo is what is known about the adapter: some hear themselves.
type echo byte

const (
	echoUnknown echo = iota
	echoAbsent
	echoPresent
)

// New returns the Master of a port. It asks nothing.
func New(port serial.Port, clock sense.Clock) *PortMaster {
	return &PortMaster{port: port, clock: clock, owes: make(map[byte]time.Duration)}
}

// Do implements Master.
func (m *PortMaster) Do(ctx context.Context, r Request) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if err := m.awaitDebt(ctx, r.Unit); err != nil {
		return nil, err
	}
	var pdu []byte
	err := m.port.Use(ctx, r.Line, func(c serial.Conn) (err error) {
		pdu, err = m.ask(ctx, c, r)
		return err
	})
	if ctxErr := ctx.Err(); ctxErr != nil && err != nil {
		return nil, ctxErr
	}
	if err != nil {
		return nil, asFault(err)
	}
	return pdu, nil
}

// asFault gives the error of a port its reason.
func asFault(err error) error {
	if fault, ok := err.(*sense.Fault); ok { //nolint:errorlint // one that is wrapped keeps its wrapping
		return fault
	}
	return sense.BusFault(fmt.Errorf("rtu: %w", err))
}

// awaitDebt waits until an answer that a unit did not give in time can come no more: nothing in it tells it from the
// answer to the next question. Only questions to this unit wait; the line is free meanwhile.
func (m *PortMaster) awaitDebt(ctx context.Context, unit byte) error {
	m.mu.Lock()
	wait := m.owes[unit] - m.clock.Now().Uptime
	m.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	return m.clock.Sleep(ctx, wait)
}

// ask puts one question while the line is ours.
func (m *PortMaster) ask(ctx context.Context, c serial.Conn, r Request) ([]byte, error) {
	if err := m.calm(ctx, c, r); err != nil {
		return nil, err
	}
	q := question{unit: r.Unit, pdu: r.PDU}
	if q.echoes() && r.Unit != Broadcast {
		if err := m.learnEcho(ctx, c, r); err != nil {
			return nil, err
		}
	}
	frame := Frame(r.Unit, r.PDU)
	if err := c.Write(frame); err != nil {
		return nil, err
	}
	if r.Unit == Broadcast {
		return nil, m.clock.Sleep(ctx, r.Line.Time(len(frame))+turnaround)
	}
	pdu, err := m.listen(ctx, c, r, q, frame)
	m.note(r, err)
	switch {
	case err != nil:
		return nil, err
	case pdu[0] >= exceptionBit:
		return nil, sense.Faultf(measure.Refused, "rtu: unit %d, function %d: %w", r.Unit, r.PDU[0], Exception(pdu[1]))
	}
	return pdu, nil
}

// note remembers whether a unit still owes an answer: one that came damaged will not come again.
func (m *PortMaster) note(r Request, err error) {
	fault, ok := errors.AsType[*sense.Fault](err)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil || ok && fault.Reason == measure.CRC {
		delete(m.owes, r.Unit)
	} else {
		m.owes[r.Unit] = m.clock.Now().Uptime + r.timeout()
	}
}

// calm takes what is left on the line, such as an answer that came too late, until there is silence.
func (m *PortMaster) calm(ctx context.Context, c serial.Conn, r Request) error {
	begin := m.clock.Now().Uptime
	buf := make([]byte, longest)
	for heard := 0; ; {
		n, err := c.Read(ctx, buf, r.quiet())
		switch {
		case err != nil:
			return err
		case n == 0:
			return nil
		}
		// A port keeps at most some thousand bytes that nobody read.
		if heard += n; heard > 64*longest || m.clock.Now().Uptime-begin > r.timeout()+r.Line.Time(longest) {
			return sense.Faultf(measure.Garbled, "rtu: the line is never silent (% X): something on it talks unasked", tail(buf[:n]))
		}
	}
}

// listen waits for the answer: the timeout for its beginning, then as long as it goes on.
func (m *PortMaster) listen(ctx context.Context, c serial.Conn, r Request, q question, frame []byte) ([]byte, error) {
	begin := m.clock.Now().Uptime
	limit := r.Line.Time(len(frame)) + r.timeout() // the question leaves at the pace of the line
	buf := make([]byte, longest)
	heard := 0
	for wait := limit; heard < longest; {
		n, err := c.Read(ctx, buf[heard:], wait)
		if err != nil {
			return nil, err
		}
		heard += n
		answer, echoed := m.withoutEcho(q, frame, buf[:heard])
		v := judge(q, answer, n == 0)
		if v.pdu != nil {
			m.learn(q, echoed)
			return bytes.Clone(v.pdu), nil
		}
		left := limit - (m.clock.Now().Uptime - begin)
		switch {
		case n == 0 && (wait >= left || v.broken):
			return nil, silenceFault(r, answer, v)
		case n == 0:
			wait = left // a pause
		case v.broken || left < gap:
			wait = gap // one that is damaged is not sent again; one that has begun may end
		default:
			wait = left
		}
		if left < -(r.Line.Time(longest) + gap) {
			break
		}
	}
	return nil, sense.Faultf(measure.Garbled, "rtu: unit %d: the line does not fall silent (% X): something on it talks unasked", r.Unit, tail(buf[:heard]))
}

// silenceFault says what was heard when no answer was among it.
func silenceFault(r Request, heard []byte, v verdict) error {
	switch {
	case len(heard) == 0:
		return sense.Faultf(measure.NoResponse, "rtu: unit %d does not answer within %v at %s", r.Unit, r.timeout(), r.Line)
	case v.stray != nil && v.stray[0] != r.Unit:
		return sense.Faultf(measure.Garbled, "rtu: unit %d asked, unit %d answers (% X)", r.Unit, v.stray[0], tail(v.stray))
	case v.stray != nil:
		return sense.Faultf(measure.Garbled, "rtu: unit %d answers another question than % X (% X)", r.Unit, r.PDU, tail(v.stray))
	case len(heard) < shortestFrame:
		return sense.Faultf(measure.Garbled, "rtu: unit %d: % X is no answer", r.Unit, heard)
	}
	return sense.Faultf(measure.CRC, "rtu: unit %d: the checksum of % X does not fit", r.Unit, tail(heard))
}

// tail is the end of p, as much as a log line bears.
func tail(p []byte) []byte { return p[max(0, len(p)-24):] }

// withoutEcho takes our own frame off what was heard, and what stands before it.
func (m *PortMaster) withoutEcho(q question, frame, heard []byte) (rest []byte, echoed bool) {
	at := bytes.Index(heard, frame)
	m.mu.Lock()
	defer m.mu.Unlock()
	if at < 0 || q.echoes() && m.echo != echoPresent {
		return heard, false
	}
	return heard[at+len(frame):], true
}

// learn remembers from a question that was answered what sort of adapter this is.
func (m *PortMaster) learn(q question, echoed bool) {
	if q.echoes() {
		return // its answer says nothing about the adapter
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.echo = echoAbsent
	if echoed {
		m.echo = echoPresent
	}
}

// learnEcho finds out whether the adapter hears itself, before a question whose answer would look the same: it asks a unit
// that cannot be.
func (m *PortMaster) learnEcho(ctx context.Context, c serial.Conn, r Request) error {
	m.mu.Lock()
	known := m.echo != echoUnknown
	m.mu.Unlock()
	if known {
		return nil
	}
	probe := Frame(nobody, []byte{readHolding, 0, 0, 0, 1})
	if err := c.Write(probe); err != nil {
		return err
	}
	buf := make([]byte, longest)
	heard := 0
	for wait := r.Line.Time(len(probe)) + gap; heard < len(probe); {
		n, err := c.Read(ctx, buf[heard:], wait)
		if err != nil {
			return err
		}
		if heard += n; n == 0 {
			break
		}
	}
	m.mu.Lock()
	m.echo = echoAbsent
	if bytes.HasPrefix(buf[:heard], probe) {
		m.echo = echoPresent
	}
	m.mu.Unlock()
	return m.calm(ctx, c, r)
}
