package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/gpio/gpioreg"
)

// Output is a pin that something is switched with. It is opened by its first Set and again by the first one after it
// broke; it is safe for concurrent use.
type Output struct {
	name string
	open func() (levels, error)

	mu     sync.Mutex
	closed bool
	pin    levels // nil while not open
}

// levels is what an Output needs of a pin.
type levels interface {
	Out(l gpio.Level) error
	Close() error
}

// Output returns the pin called name: one that periph knows by it ("GPIO17", the number behind GPIO and not the one on
// the header), or "unix:/path/to.sock#NAME" for a pin that another program serves. An error here means that the name can
// never work; a pin that is not there is an error of Set.
func (s *Set) Output(name string) (*Output, error) {
	open, err := s.outputOpener(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("bus: pin %q: %w", name, ErrClosed)
	}
	if o, ok := s.pins[name]; ok {
		return o, nil
	}
	o := &Output{name: name, open: open}
	s.pins[name] = o
	return o, nil
}

func (s *Set) outputOpener(name string) (func() (levels, error), error) {
	rest, remote := strings.CutPrefix(name, remotePrefix)
	if !remote {
		if name == "" || strings.ContainsAny(name, ":#/") {
			return nil, fmt.Errorf("bus: %q is no name of a pin: write GPIO17, or unix:/path/to.sock#NAME", name)
		}
		return func() (levels, error) { return s.host.openPin(name) }, nil
	}
	path, pin, ok := strings.Cut(rest, "#")
	if !ok || path == "" || pin == "" || len(pin) > maxPinName {
		return nil, fmt.Errorf("bus: %q names no pin behind a socket: write unix:/path/to.sock#NAME", name)
	}
	return func() (levels, error) { return dialPin(path, pin) }, nil
}

// NewOutput returns the output of a pin that is there, such as a simulated one of this program.
func NewOutput(name string, pin Level) *Output {
	return &Output{name: name, open: func() (levels, error) { return ownPin{pin}, nil }}
}

// ownPin is a pin of this program: there is nothing to let go of.
type ownPin struct{ Level }

// Close implements io.Closer.
func (ownPin) Close() error { return nil }

// String returns the pin's name.
func (o *Output) String() string { return o.name }

// Set puts the pin to a level: true is high. The error says what to do where a person can mend it.
func (o *Output) Set(high bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return fmt.Errorf("bus: pin %s: %w", o.name, ErrClosed)
	}
	if o.pin == nil {
		pin, err := o.open()
		if err != nil {
			return fmt.Errorf("bus: pin %s: %w", o.name, err)
		}
		o.pin = pin
	}
	if err := o.pin.Out(gpio.Level(high)); err != nil {
		return fmt.Errorf("bus: pin %s: %w", o.name, errors.Join(err, o.drop()))
	}
	return nil
}

// Close lets go of the pin. Its level is not changed by us; the kernel of some boards makes it an input then.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return o.drop()
}

func (o *Output) drop() error {
	if o.pin == nil {
		return nil
	}
	pin := o.pin
	o.pin = nil
	return pin.Close()
}

// hostPin is a pin of this machine.
type hostPin struct{ gpio.PinIO }

// Close forgets what periph remembers of a line: its driver for the character device takes a line for an output after it
// failed to become one, and would go on writing to a file it does not have.
func (p hostPin) Close() error {
	if line, ok := p.PinIO.(interface{ Close() }); ok {
		line.Close()
	}
	return nil
}

// openPin finds a pin of this machine by its name.
func (h *host) openPin(name string) (levels, error) {
	h.start()
	p := gpioreg.ByName(name)
	if p == nil {
		return nil, mendPin()
	}
	return hostPin{p}, nil
}

// mendPin says what to do about a pin that no driver knows.
func mendPin() error {
	all := gpioreg.All()
	if len(all) > 0 {
		return fmt.Errorf("this machine has no such pin: write the name behind GPIO, from %s to %s, and not the number on the header",
			all[0].Name(), all[len(all)-1].Name())
	}
	const device = "/dev/gpiochip0"
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	switch {
	case err == nil:
		return errors.Join(fmt.Errorf("no driver of %s knows it: write a name that gpioinfo shows", device), f.Close())
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: add this user to the group that owns the file (sudo usermod -aG gpio USER), then log in again", err)
	}
	return fmt.Errorf("%w: this machine has no pins: a Raspberry Pi has, another needs a board with them", err)
}
