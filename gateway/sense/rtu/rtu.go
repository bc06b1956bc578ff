// Package rtu asks Modbus RTU probes on a serial line.
//
// Questions come in as Modbus PDUs (function code and data), answers or *sense.Fault go out. One Master owns one line: its
// questions never overlap, whatever the baud rates of the probes on it. What the registers mean is not known here: see
// gateway/sense/probe. README.md says what a Master does about late answers, echoes and noise, and why the framing is ours.
//
// Source: Modbus over Serial Line, Specification and Implementation Guide V1.02; Modbus Application Protocol V1.1b3.
package rtu

import (
	"context"
	"fmt"
	"time"

	"aovuon/gateway/sense/serial"
)

// Parity is the parity bit of a serial line.
type Parity = serial.Parity

// The parities.
const (
	NoParity   = serial.NoParity
	EvenParity = serial.EvenParity
	OddParity  = serial.OddParity
)

// Line is how a probe wants the serial line set. Probes on one line may differ: the line is set anew before each question
// that needs it.
type Line = serial.Line

// Limits of a question.
const (
	// Broadcast is the unit of a question to all; nobody answers it.
	Broadcast = 0
	// MaxUnit is the highest address of a unit; those above are reserved.
	MaxUnit = 247
	// MaxPDU is the longest PDU, in bytes.
	MaxPDU = 253
	// DefaultTimeout is how long an answer may take to begin when the request does not say.
	DefaultTimeout = 500 * time.Millisecond
)

// Request is one question.
type Request struct {
	Line    Line
	Unit    byte          // 1 to 247; 0 is a broadcast, which nobody answers
	PDU     []byte        // function code and data: 1 to 253 bytes
	Timeout time.Duration // how long the answer may take to begin; 0 means 500 ms
	Quiet   time.Duration // silence before the question; 0 means what the standard asks for, 3.5 characters
}

// Master asks the units of one line. It is safe for concurrent use; questions wait for each other.
type Master interface {
	// Do sends r and returns the PDU of the answer; of a broadcast, no PDU and no error. The error is a *sense.Fault:
	// NoResponse (nobody answered in time), CRC, Garbled (an answer of another unit or to another question), Refused (an
	// exception, wrapped as Exception), BusDown (the port); or ctx's; or, for a request that is none, neither.
	Do(ctx context.Context, r Request) (pdu []byte, err error)
}

// Exception is the code of an answer that refuses a question.
type Exception byte //nolint:errname // the standard's own word

// The exceptions (Modbus Application Protocol V1.1b3, section 7).
//
//nolint:errname // the standard's own words
const (
	IllegalFunction    Exception = 1
	IllegalDataAddress Exception = 2
	IllegalDataValue   Exception = 3
	DeviceFailure      Exception = 4
	Acknowledge        Exception = 5
	DeviceBusy         Exception = 6
	MemoryParity       Exception = 8
)

// Error names the code.
func (e Exception) Error() string {
	switch e {
	case IllegalFunction:
		return "exception 1: the probe does not know the function"
	case IllegalDataAddress:
		return "exception 2: the probe has no such register"
	case IllegalDataValue:
		return "exception 3: the probe does not take the value"
	case DeviceFailure:
		return "exception 4: the probe failed"
	case Acknowledge:
		return "exception 5: the probe needs longer"
	case DeviceBusy:
		return "exception 6: the probe is busy"
	case MemoryParity:
		return "exception 8: the probe's memory is faulty"
	}
	return fmt.Sprintf("exception %d", byte(e))
}

// check reports why r is no question.
func (r Request) check() error {
	if err := r.Line.Check(); err != nil {
		return fmt.Errorf("rtu: %w", err)
	}
	if r.Unit > MaxUnit {
		return fmt.Errorf("rtu: unit %d: write 1 to %d", r.Unit, MaxUnit)
	}
	if len(r.PDU) < 1 || len(r.PDU) > MaxPDU || r.PDU[0] == 0 || r.PDU[0] >= exceptionBit {
		return fmt.Errorf("rtu: % X is no question: want a function code of 1 to 127 and at most %d bytes", r.PDU, MaxPDU)
	}
	if r.Timeout < 0 || r.Quiet < 0 {
		return fmt.Errorf("rtu: a timeout of %v, a silence of %v", r.Timeout, r.Quiet)
	}
	return nil
}

func (r Request) timeout() time.Duration {
	if r.Timeout == 0 {
		return DefaultTimeout
	}
	return r.Timeout
}

func (r Request) quiet() time.Duration {
	if r.Quiet == 0 {
		return Silence(r.Line)
	}
	return r.Quiet
}

// Silence is what separates two frames: 3.5 characters, and never less than 1.75 ms (Modbus over Serial Line V1.02,
// 2.5.1.1).
func Silence(l Line) time.Duration {
	return max(l.Time(7)/2, 1750*time.Microsecond)
}
