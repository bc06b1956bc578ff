package bus

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"periph.io/x/conn/v3/onewire"
	"periph.io/x/conn/v3/onewire/onewirereg"
	"periph.io/x/host/v3/netlink"

	"aovuon/gateway/sense"
)

// oneWireTimeout bounds one transaction: periph's netlink driver waits for the kernel's answer without a limit.
const oneWireTimeout = 5 * time.Second

// OneWire returns the 1-Wire bus called name: a number ("1" is the kernel's w1_bus_master1, spoken to over netlink), or a
// name that periph knows ("OneWire1", or that of an adapter's driver). It is the other way to the thermometers that W1 has
// as files. The bus is opened by its first transaction and again by the first one after it broke, so an error here means
// that the name can never work.
//
// Transactions of the returned bus are safe for concurrent use and end within 5 s. When nobody answers the reset the error
// wraps sense.ErrNoAck; any other error means that the bus itself does not work, and says how to mend it.
func (s *Set) OneWire(name string) (onewire.Bus, error) {
	number, isMaster := masterOf(name)
	if name == "" || strings.ContainsRune(name, ':') || (isMaster && number < 0) {
		return nil, fmt.Errorf(`bus: %q is no name of a 1-Wire bus: write "1" for the kernel's w1_bus_master1`, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("bus: onewire %q: %w", name, ErrClosed)
	}
	if b, ok := s.onewire[name]; ok {
		return b, nil
	}
	b := &guardedOneWire{name: name, timeout: oneWireTimeout, open: func() (onewire.BusCloser, error) { return s.host.openOneWire(name) }}
	s.onewire[name] = b
	return b, nil
}

// masterOf returns the number of the kernel's bus master that a name stands for; ok is false for a name only a periph
// driver can know.
func masterOf(name string) (number int, ok bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "OneWire"))
	return n, err == nil
}

// openOneWire opens a bus of this machine by its name, never by being the first one.
func (h *host) openOneWire(name string) (onewire.BusCloser, error) {
	if number, ok := masterOf(name); ok {
		folder := fmt.Sprintf("/sys/bus/w1/devices/w1_bus_master%d", number)
		if _, err := os.Stat(folder); err != nil { // netlink would wait for an answer in vain
			return nil, fmt.Errorf("%w: switch 1-Wire on with dtoverlay=w1-gpio in /boot/firmware/config.txt, then reboot", err)
		}
		b, err := netlink.New(uint32(number)) // not through the registry: a master that came after the start is not in it
		if err != nil {
			return nil, err // not b: a nil pointer in an interface is not nil
		}
		return b, nil
	}
	h.start()
	b, err := onewirereg.Open(name)
	if err != nil {
		return nil, fmt.Errorf(`%w (no driver knows %q: write "1" for the kernel's w1_bus_master1)`, err, name)
	}
	return b, nil
}

// guardedOneWire opens its bus when it is needed, drops it when it breaks, and waits for it no longer than a time.
type guardedOneWire struct {
	name    string
	open    func() (onewire.BusCloser, error)
	timeout time.Duration

	mu     sync.Mutex
	closed bool
	bus    onewire.BusCloser // nil while not open, and while a transaction has it
	// hung is the transaction that did not come back, or nil. There is at most one: a kernel that hangs must not collect
	// goroutines.
	hung chan oneWireResult
}

// oneWireResult is what became of one transaction.
type oneWireResult struct {
	bus   onewire.BusCloser // nil when it did not open
	read  []byte
	found []onewire.Address
	err   error
}

// String implements onewire.Bus.
func (b *guardedOneWire) String() string { return b.name }

// Tx implements onewire.Bus.
func (b *guardedOneWire) Tx(w, r []byte, power onewire.Pullup) error {
	w = slices.Clone(w) // a transaction that hangs keeps what it was given
	n := len(r)
	res := b.do(func(bus onewire.Bus) (res oneWireResult) {
		res.read = make([]byte, n)
		res.err = bus.Tx(w, res.read, power)
		return res
	})
	if res.err == nil {
		copy(r, res.read)
	}
	return res.err
}

// Search implements onewire.Bus.
func (b *guardedOneWire) Search(alarmOnly bool) ([]onewire.Address, error) {
	res := b.do(func(bus onewire.Bus) (res oneWireResult) {
		res.found, res.err = bus.Search(alarmOnly)
		return res
	})
	return res.found, res.err
}

// do runs f on the open bus, in a goroutine since nothing else can put a limit on it.
func (b *guardedOneWire) do(f func(onewire.Bus) oneWireResult) oneWireResult {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.ready(); err != nil {
		return oneWireResult{err: err}
	}
	bus, open := b.bus, b.open
	b.bus = nil
	done := make(chan oneWireResult, 1)
	go func() {
		if bus == nil {
			var err error
			if bus, err = open(); err != nil {
				done <- oneWireResult{err: fmt.Errorf("open: %w", err)}
				return
			}
		}
		res := f(bus)
		res.bus = bus
		done <- res
	}()
	t := time.NewTimer(b.timeout)
	defer t.Stop()
	select {
	case res := <-done:
		return b.keep(res)
	case <-t.C:
		b.hung = done
		return oneWireResult{err: fmt.Errorf("bus: onewire %s: the kernel does not answer within %v", b.name, b.timeout)}
	}
}

// ready reports whether a transaction may begin.
func (b *guardedOneWire) ready() error {
	if b.closed {
		return fmt.Errorf("bus: onewire %s: %w", b.name, ErrClosed)
	}
	if b.hung == nil {
		return nil
	}
	select {
	case late := <-b.hung: // it came back after all; what it says belongs to another question, and so may what follows
		b.hung = nil
		return b.drop(late.bus)
	default:
		return fmt.Errorf("bus: onewire %s: the kernel still does not answer the last transaction", b.name)
	}
}

// keep takes the bus back from a transaction, unless it broke.
func (b *guardedOneWire) keep(res oneWireResult) oneWireResult {
	if res.err == nil {
		b.bus = res.bus
		return res
	}
	res.err = fmt.Errorf("bus: onewire %s: %w", b.name, markNobody(res.err))
	if errors.Is(res.err, sense.ErrNoAck) {
		b.bus = res.bus
		return res
	}
	res.err = errors.Join(res.err, b.drop(res.bus))
	return res
}

func (b *guardedOneWire) drop(bus onewire.BusCloser) error {
	if bus == nil {
		return nil
	}
	if err := bus.Close(); err != nil {
		return fmt.Errorf("bus: onewire: close %s: %w", b.name, err)
	}
	return nil
}

// Close closes the bus for good. A transaction that hangs keeps it until it comes back.
func (b *guardedOneWire) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	bus := b.bus
	b.bus = nil
	return b.drop(bus)
}

// markNobody makes errors.Is find sense.ErrNoAck in the error of a transaction whose reset nobody answered. periph's
// netlink driver has only the kernel's status of the command, formatted with %v.
func markNobody(err error) error {
	var absent onewire.NoDevicesError
	if errors.As(err, &absent) && absent.NoDevices() || strings.Contains(err.Error(), "w1_netlink_msg status") {
		return noAckError{err: err}
	}
	return err
}
