package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"

	"periph.io/x/conn/v3/i2c"
)

// ErrClosed is the error of a transaction on a bus whose Set was closed.
var ErrClosed = errors.New("the buses are closed")

// remotePrefix marks the name of a bus that is served over a Unix socket.
const remotePrefix = "unix:"

// Set is the buses one program uses, each opened at most once. It is safe for concurrent use.
type Set struct {
	host *host

	mu      sync.Mutex
	closed  bool
	i2c     map[string]*lazyBus
	onewire map[string]*guardedOneWire
	serial  map[string]*serialPort
	pins    map[string]*Output
}

// NewSet returns an empty Set. It opens nothing.
func NewSet(log *slog.Logger) *Set {
	return &Set{
		host: newHost(log), i2c: make(map[string]*lazyBus), onewire: make(map[string]*guardedOneWire), serial: make(map[string]*serialPort), pins: make(map[string]*Output),
	}
}

// I2C returns the bus called name: a number ("1" is /dev/i2c-1), a name that periph knows ("/dev/i2c-1", "I2C1") or
// "unix:/path/to.sock". The bus is opened by its first transaction and again by the first one after it broke, so an error
// here means that the name can never work. A bus is never chosen for the caller: the empty name is an error.
//
// Transactions of the returned bus are safe for concurrent use. One that nobody acknowledged wraps sense.ErrNoAck; any
// other error means that the bus itself does not work, and says how to mend it.
func (s *Set) I2C(name string) (i2c.Bus, error) {
	open, err := s.opener(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("bus: i2c %q: %w", name, ErrClosed)
	}
	if b, ok := s.i2c[name]; ok {
		return b, nil
	}
	b := &lazyBus{name: name, open: open}
	s.i2c[name] = b
	return b, nil
}

// opener returns what opens the bus called name.
func (s *Set) opener(name string) (func() (i2c.BusCloser, error), error) {
	if path, ok := strings.CutPrefix(name, remotePrefix); ok {
		if path == "" {
			return nil, fmt.Errorf("bus: i2c %q names no socket: write unix:/path/to.sock", name)
		}
		return func() (i2c.BusCloser, error) { return openRemote(path) }, nil
	}
	if name == "" || strings.ContainsRune(name, ':') {
		return nil, fmt.Errorf(`bus: %q is no name of an I²C bus: write "1" for /dev/i2c-1, or unix:/path/to.sock`, name)
	}
	if n, err := strconv.Atoi(name); err == nil && n < 0 {
		return nil, fmt.Errorf(`bus: %q is no number of an I²C bus: write "1" for /dev/i2c-1`, name)
	}
	return func() (i2c.BusCloser, error) { return s.host.openI2C(name) }, nil
}

// W1 returns the folder of 1-Wire devices: /sys/bus/w1/devices on a Raspberry Pi. The folder need not exist yet; while it
// does not, opening a file in it gives an error that wraps fs.ErrNotExist and says how to switch 1-Wire on.
func (s *Set) W1(folder string) (fs.FS, error) {
	if folder == "" {
		return nil, errors.New("bus: w1 has no folder: write /sys/bus/w1/devices")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("bus: w1 %q: %w", folder, ErrClosed)
	}
	return w1Tree{folder: folder, tree: os.DirFS(folder)}, nil
}

// Close closes every open bus. The buses it returned answer ErrClosed afterwards.
func (s *Set) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, b := range s.i2c {
		errs = append(errs, b.Close())
	}
	for _, b := range s.onewire {
		errs = append(errs, b.Close())
	}
	for _, p := range s.serial {
		errs = append(errs, p.Close())
	}
	for _, o := range s.pins {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}
