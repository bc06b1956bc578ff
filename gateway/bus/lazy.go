package bus

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"aovuon/gateway/sense"
)

// lazyBus opens its bus when it is needed and drops it when it breaks.
type lazyBus struct {
	name string
	open func() (i2c.BusCloser, error)

	mu     sync.Mutex
	closed bool
	bus    i2c.BusCloser // nil while not open
}

// String implements i2c.Bus.
func (b *lazyBus) String() string { return b.name }

// Tx implements i2c.Bus.
func (b *lazyBus) Tx(addr uint16, w, r []byte) error {
	if len(w) == 0 && len(r) == 0 {
		// periph answers nil without touching the bus, which looks like a chip that is there.
		return fmt.Errorf("bus: %s: address 0x%02x: a transaction of no bytes asks nothing", b.name, addr)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ready(); err != nil {
		return err
	}
	err := b.bus.Tx(addr, w, r)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("bus: %s: address 0x%02x: %w", b.name, addr, markNoAck(err))
	if errors.Is(err, sense.ErrNoAck) {
		return err
	}
	return errors.Join(err, b.drop()) // the next transaction opens it anew
}

// SetSpeed implements i2c.Bus.
func (b *lazyBus) SetSpeed(f physic.Frequency) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ready(); err != nil {
		return err
	}
	if err := b.bus.SetSpeed(f); err != nil {
		return fmt.Errorf("bus: %s: set speed: %w", b.name, err)
	}
	return nil
}

// Close closes the bus for good.
func (b *lazyBus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.drop()
}

// ready opens the bus if it is not open.
func (b *lazyBus) ready() error {
	if b.closed {
		return fmt.Errorf("bus: %s: %w", b.name, ErrClosed)
	}
	if b.bus != nil {
		return nil
	}
	bus, err := b.open()
	if err != nil {
		return fmt.Errorf("bus: open %s: %w", b.name, err)
	}
	b.bus = bus
	return nil
}

// drop closes the bus if it is open.
func (b *lazyBus) drop() error {
	if b.bus == nil {
		return nil
	}
	bus := b.bus
	b.bus = nil
	if err := bus.Close(); err != nil {
		return fmt.Errorf("bus: close %s: %w", b.name, err)
	}
	return nil
}

// noAckError carries sense.ErrNoAck beside the text of the bus that reported it.
type noAckError struct{ err error }

func (e noAckError) Error() string   { return e.err.Error() }
func (e noAckError) Unwrap() []error { return []error{e.err, sense.ErrNoAck} }

// markNoAck makes errors.Is find sense.ErrNoAck in the error of a transaction that nobody acknowledged. periph's host
// driver formats errors with %v, so the errno is lost and only the kernel's text is left: EREMOTEIO on the Pi's
// controller, ENXIO on others (Documentation/i2c/fault-codes.rst).
func markNoAck(err error) error {
	if errors.Is(err, sense.ErrNoAck) {
		return err
	}
	text := err.Error()
	if strings.Contains(text, "remote I/O error") || strings.Contains(text, "no such device or address") {
		return noAckError{err: err}
	}
	return err
}
