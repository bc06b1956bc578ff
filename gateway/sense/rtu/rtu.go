// Package rtu asks Modbus RTU probes on a serial line.
//
// Questions come in as Modbus PDUs (function code and data), answers or *sense.Fault go out. One Master owns one line: its
// questions never overlap, whatever the baud rates of the probes on it. What the registers mean is not known here: see
// gateway/sense/probe.
package rtu

import (
	"context"
	"time"
)

// Parity is the parity bit of a serial line.
type Parity string

// The parities.
const (
	NoParity   Parity = "none"
	EvenParity Parity = "even"
	OddParity  Parity = "odd"
)

// Line is how a probe wants the serial line set. Probes on one line may differ: the line is set anew before each question
// that needs it.
type Line struct {
	Baud     int    // bit/s
	Parity   Parity //
	StopBits int    // 1 or 2
}

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
	// Do sends r and returns the PDU of the answer. The error is a *sense.Fault: NoResponse (nobody answered in time), CRC,
	// Garbled (an answer of another unit or to another question), Refused (an exception, wrapped as Exception), BusDown
	// (the port); or ctx's.
	Do(ctx context.Context, r Request) (pdu []byte, err error)
}
