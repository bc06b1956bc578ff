// Package bus opens the buses chips hang on: the only part of the product that touches host hardware.
//
// Names come in ("1" for /dev/i2c-1, "unix:/path/to.sock" for a bus served over a Unix socket, a folder for 1-Wire),
// periph's i2c.Bus and io/fs file trees go out. A bus opens when it is first used and again after it broke, so plugging
// in again heals without a restart. ServeI2C is the other half of the remote bus; FORMAT.md specifies what the two say.
package bus

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"

	"periph.io/x/conn/v3/i2c"
)

// Set is the buses one program uses, each opened at most once.
type Set struct{ log *slog.Logger }

// NewSet returns an empty Set. It opens nothing.
func NewSet(log *slog.Logger) *Set { return &Set{log: log} }

// I2C returns the bus called name: a number ("1" is /dev/i2c-1), a periph name ("/dev/i2c-1", "I2C1") or
// "unix:/path/to.sock". The bus is opened by its first transaction; an error here means that the name can never work.
func (s *Set) I2C(name string) (i2c.Bus, error) { return nil, errors.New("bus: not built yet") }

// W1 returns the folder of 1-Wire devices: /sys/bus/w1/devices on a Raspberry Pi.
func (s *Set) W1(folder string) (fs.FS, error) { return nil, errors.New("bus: not built yet") }

// Close closes every open bus. The buses returned answer with an error afterwards.
func (s *Set) Close() error { return nil }

// ServeI2C answers the transactions that arrive on l from b until ctx is done or l fails; then it closes l and every
// connection, waits for them, and returns nil or l's error. Transactions of all connections are passed to b one at a
// time. An error of b that wraps sense.ErrNoAck (or has the kernel's text for it, "remote I/O error") travels as "no
// acknowledge", every other as "bus error", each with its text.
func ServeI2C(ctx context.Context, l net.Listener, b i2c.Bus) error {
	return errors.New("bus: not built yet")
}
