package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	bugst "go.bug.st/serial"

	"aovuon/gateway/sense/serial"
)

const (
	// readSlice bounds one wait for bytes, so that a question that is called off ends soon.
	readSlice = 50 * time.Millisecond
	// stall is how long the system may take for what it does at once. It takes for ever to write when an adapter takes
	// nothing, and to read when another program takes the bytes that were there a moment ago.
	stall = 3 * time.Second
)

// Serial returns the serial line behind a device file such as /dev/serial/by-id/usb-… or /dev/ttyAMA0. The same name gives
// the same port, so its users take turns. The port is opened by its first use, again by the first use after it broke, and
// again when the name has come to lead to another device (a USB adapter that was plugged in anew): an error here means
// that the name can never work.
func (s *Set) Serial(path string) (serial.Port, error) {
	if path == "" {
		return nil, errors.New("bus: serial has no device: write /dev/serial/by-id/..., /dev/ttyUSB0 or /dev/ttyAMA0")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("bus: serial %q: %w", path, ErrClosed)
	}
	if p, ok := s.serial[path]; ok {
		return p, nil
	}
	p := newSerialPort(path, openSerial)
	s.serial[path] = p
	return p, nil
}

// errHangs is wrapped by the error of a port in which a call hangs.
var errHangs = errors.New("the port hangs: does another program read it (a login console, ModemManager)? Else plug the adapter in anew")

// device is an open serial port of this machine.
type device interface {
	SetMode(*bugst.Mode) error
	SetReadTimeout(time.Duration) error
	Read([]byte) (int, error)
	Write([]byte) (int, error)
	Close() error
}

// serialPort opens its device when it is needed and drops it when it breaks.
type serialPort struct {
	path string
	open func(path string, mode *bugst.Mode) (device, error)
	turn chan struct{} // full while somebody has the line; what follows is his

	closed bool
	dev    device        // nil while not open
	hung   chan struct{} // not nil: open until a call that hangs in dev returns
	file   os.FileInfo   // what path led to when dev was opened
	line   serial.Line   // how dev is set
}

func newSerialPort(path string, open func(string, *bugst.Mode) (device, error)) *serialPort {
	return &serialPort{path: path, open: open, turn: make(chan struct{}, 1)}
}

// String implements serial.Port.
func (p *serialPort) String() string { return p.path }

// Use implements serial.Port.
func (p *serialPort) Use(ctx context.Context, line serial.Line, f func(serial.Conn) error) error {
	if err := line.Check(); err != nil {
		return fmt.Errorf("bus: %s: %w", p.path, err)
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	if err := p.ready(line); err != nil {
		return err
	}
	c := &serialConn{port: p, dev: p.dev}
	err := f(c)
	if c.broken {
		err = errors.Join(err, p.drop()) // the next use opens it anew
	}
	return err
}

// Close closes the port for good, after the turn that is under way.
func (p *serialPort) Close() error {
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	p.closed = true
	return p.drop()
}

// ready has the port open and set.
func (p *serialPort) ready(line serial.Line) error {
	if p.closed {
		return fmt.Errorf("bus: %s: %w", p.path, ErrClosed)
	}
	if p.hung != nil {
		select {
		case <-p.hung:
			p.hung = nil
		default:
			return fmt.Errorf("bus: %s: %w", p.path, errHangs)
		}
	}
	if p.dev != nil {
		if now, err := os.Stat(p.path); err != nil || !os.SameFile(now, p.file) {
			if err := p.drop(); err != nil { // a device that is gone may fail to close, and is gone
				p.dev = nil
			}
		}
	}
	if p.dev == nil {
		return p.reopen(line)
	}
	if p.line == line {
		return nil
	}
	if err := p.dev.SetMode(modeOf(line)); err != nil {
		return errors.Join(fmt.Errorf("bus: %s: set %s: %w", p.path, line, err), p.drop())
	}
	p.line = line
	return nil
}

func (p *serialPort) reopen(line serial.Line) error {
	dev, err := p.open(p.path, modeOf(line))
	if err != nil {
		return fmt.Errorf("bus: open %s: %w", p.path, mendSerial(p.path, err))
	}
	file, err := os.Stat(p.path)
	if err != nil { // it went while it was opened
		return errors.Join(fmt.Errorf("bus: open %s: %w", p.path, mendSerial(p.path, err)), dev.Close())
	}
	p.dev, p.file, p.line = dev, file, line
	return nil
}

// drop closes the device if it is open.
func (p *serialPort) drop() error {
	if p.dev == nil {
		return nil
	}
	dev := p.dev
	p.dev = nil
	if p.hung != nil {
		return nil // whoever hangs in it closes it
	}
	if err := dev.Close(); err != nil {
		return fmt.Errorf("bus: close %s: %w", p.path, err)
	}
	return nil
}

// serialConn is one turn.
type serialConn struct {
	port   *serialPort
	dev    device
	broken bool
}

// Write implements serial.Conn.
func (c *serialConn) Write(p []byte) error {
	p = bytes.Clone(p) // a call that hangs outlives this one
	_, err := c.bounded(func() ([]byte, error) {
		for len(p) > 0 {
			n, err := c.dev.Write(p)
			if err != nil {
				return nil, err
			}
			p = p[n:]
		}
		return nil, nil
	})
	if err != nil {
		return c.fail("write", err)
	}
	return nil
}

// Read implements serial.Conn.
func (c *serialConn) Read(ctx context.Context, p []byte, wait time.Duration) (int, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		slice := max(0, min(wait, readSlice))
		if err := c.dev.SetReadTimeout(slice); err != nil {
			return 0, c.fail("read", err)
		}
		got, err := c.bounded(func() ([]byte, error) {
			buf := make([]byte, len(p))
			n, err := c.dev.Read(buf)
			return buf[:n], err
		})
		if err != nil {
			return 0, c.fail("read", err)
		}
		if wait -= slice; len(got) > 0 || wait <= 0 {
			return copy(p, got), nil
		}
	}
}

// bounded runs a call of the device that should not take long, and leaves it alone when it does. The port is then of no
// use until the call returns.
func (c *serialConn) bounded(call func() ([]byte, error)) ([]byte, error) {
	type result struct {
		got []byte
		err error
	}
	done, left := make(chan result, 1), make(chan struct{})
	go func() {
		got, err := call()
		done <- result{got, err}
	}()
	t := time.NewTimer(stall)
	defer t.Stop()
	select {
	case r := <-done:
		return r.got, r.err
	case <-t.C:
	}
	dev := c.dev
	c.port.hung = left
	go func() {
		defer close(left)
		<-done
		if err := dev.Close(); err != nil {
			return // it is given up already, and the next opening tells what is wrong
		}
	}()
	return nil, errHangs
}

func (c *serialConn) fail(what string, err error) error {
	c.broken = true
	if errors.Is(err, errHangs) {
		return fmt.Errorf("bus: %s: %s: %w", c.port.path, what, err)
	}
	return fmt.Errorf("bus: %s: %s: %w (is the adapter still plugged in?)", c.port.path, what, err)
}
