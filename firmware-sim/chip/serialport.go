package chip

import (
	"context"
	"fmt"
	"time"

	"aovuon/gateway/sense/serial"
)

// SerialPort is a port on a simulated line in the same process; it implements serial.Port. It waits by the clock it was
// given, so a virtual one works.
type SerialPort struct {
	name  string
	line  *SerialLine
	sleep func(ctx context.Context, d time.Duration) error
	turn  chan struct{}
	left  []byte // arrived and not read; his who has the turn
}

// NewSerialPort returns a port on line. sleep passes time of the line's clock.
func NewSerialPort(name string, line *SerialLine, sleep func(ctx context.Context, d time.Duration) error) *SerialPort {
	return &SerialPort{name: name, line: line, sleep: sleep, turn: make(chan struct{}, 1)}
}

// String implements serial.Port.
func (p *SerialPort) String() string { return p.name }

// Use implements serial.Port.
func (p *SerialPort) Use(ctx context.Context, line serial.Line, f func(serial.Conn) error) error {
	if err := line.Check(); err != nil {
		return fmt.Errorf("chip: %s: %w", p.name, err)
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	p.left = append(p.left, p.line.take(p.line.now(), line, false)...)
	return f(&serialTurn{port: p, set: line})
}

// serialTurn implements serial.Conn.
type serialTurn struct {
	port *SerialPort
	set  serial.Line
}

func (c *serialTurn) check() error {
	if c.port.line.Unplugged() {
		return fmt.Errorf("chip: %s: no such device: the adapter is unplugged", c.port.name)
	}
	return nil
}

// Write implements serial.Conn.
func (c *serialTurn) Write(p []byte) error {
	if err := c.check(); err != nil {
		return err
	}
	c.port.line.Send(c.set, p)
	return nil
}

// Read implements serial.Conn.
func (c *serialTurn) Read(ctx context.Context, p []byte, wait time.Duration) (int, error) {
	if err := c.check(); err != nil {
		return 0, err
	}
	line := c.port.line
	now := line.now()
	if len(c.port.left) == 0 {
		at, comes := line.Next(now.Add(wait))
		if !comes {
			return 0, c.port.sleep(ctx, wait)
		}
		if ahead := at.Sub(now); ahead > 0 {
			if err := c.port.sleep(ctx, ahead); err != nil {
				return 0, err
			}
		}
		c.port.left = line.Take(at, c.set)
	}
	n := copy(p, c.port.left)
	c.port.left = c.port.left[n:]
	return n, nil
}
