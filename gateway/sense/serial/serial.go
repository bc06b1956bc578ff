// Package serial says what a driver can ask of a serial line: how it is set, and a turn on it.
//
// It opens nothing. gateway/bus has the machine's ports, the simulator has its own; drivers (rtu, ultrasonic) use either.
package serial

import (
	"context"
	"fmt"
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

// Line is how a serial line is set. There are always 8 data bits.
type Line struct {
	Baud     int    // bit/s
	Parity   Parity //
	StopBits int    // 1 or 2
}

// The speeds a probe may be set to, bit/s.
const (
	MinBaud = 300
	MaxBaud = 921600
)

// Check reports what is wrong with l.
func (l Line) Check() error {
	if l.Baud < MinBaud || l.Baud > MaxBaud {
		return fmt.Errorf("serial: %d baud: write %d to %d, such as 9600", l.Baud, MinBaud, MaxBaud)
	}
	switch l.Parity {
	case NoParity, EvenParity, OddParity:
	default:
		return fmt.Errorf("serial: parity %q: write none, even or odd", string(l.Parity))
	}
	if l.StopBits != 1 && l.StopBits != 2 {
		return fmt.Errorf("serial: %d stop bits: write 1 or 2", l.StopBits)
	}
	return nil
}

// Bits is how many bits a character takes on the line: start, 8 data, parity, stop.
func (l Line) Bits() int {
	bits := 1 + 8 + l.StopBits
	if l.Parity != NoParity {
		bits++
	}
	return bits
}

// Time is how long n characters take on the line.
func (l Line) Time(n int) time.Duration {
	return time.Duration(n) * time.Duration(l.Bits()) * time.Second / time.Duration(l.Baud)
}

// String is the usual short form, such as 9600 8N1.
func (l Line) String() string {
	letter := map[Parity]string{NoParity: "N", EvenParity: "E", OddParity: "O"}[l.Parity]
	return fmt.Sprintf("%d 8%s%d", l.Baud, letter, l.StopBits)
}

// Port is one serial line. It is safe for concurrent use: whoever talks on it has it alone.
type Port interface {
	// String is the name of the port.
	String() string
	// Use waits for the line, or for ctx; sets it as line says; and runs f with the line to itself. It returns f's error,
	// ctx's, or that of a port that does not open; the port is opened anew by the next Use after it failed. f must not
	// keep c.
	Use(ctx context.Context, line Line, f func(c Conn) error) error
}

// Conn is a turn on a serial line.
type Conn interface {
	// Write sends p. It does not wait until p is on the wire.
	Write(p []byte) error
	// Read waits at most wait for the first byte and returns what is there. Nothing in time is 0 and no error. It ends
	// early with ctx's error.
	Read(ctx context.Context, p []byte, wait time.Duration) (n int, err error)
}
