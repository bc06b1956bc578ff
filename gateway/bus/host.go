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
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	periph "periph.io/x/host/v3"
	"periph.io/x/host/v3/sysfs"
)

// initTimeout bounds periph's start. Its 1-Wire netlink driver waits for the kernel without a limit
// (periph.io/x/host issue 60).
const initTimeout = 5 * time.Second

// host is the hardware of this machine, as periph finds it.
type host struct {
	log     *slog.Logger
	init    func() error
	timeout time.Duration
	once    sync.Once
}

func newHost(log *slog.Logger) *host {
	return &host{
		log:     log,
		timeout: initTimeout,
		init: func() error {
			if _, err := periph.Init(); err != nil {
				return fmt.Errorf("periph: %w", err)
			}
			return nil
		},
	}
}

// start lets periph look for hardware, once, and waits a bounded time: a driver that hangs keeps its own goroutine and
// nothing else. Its failure is logged, not returned: the I²C driver may have loaded all the same.
func (h *host) start() {
	h.once.Do(func() {
		done := make(chan error, 1)
		go func() { done <- h.init() }()
		t := time.NewTimer(h.timeout)
		defer t.Stop()
		select {
		case err := <-done:
			if err != nil {
				h.log.Warn("host drivers failed to start", slog.Any("err", err))
			}
		case <-t.C:
			h.log.Warn("host drivers did not start in time, going on without the one that hangs",
				slog.Duration("waited", h.timeout))
		}
	})
}

// openI2C opens a bus of this machine by its name, never by being the first one.
func (h *host) openI2C(name string) (i2c.BusCloser, error) {
	h.start()
	device, number, isDevice := deviceOf(name)
	known := false
	for _, r := range i2creg.All() {
		known = known || r.Name == device
	}
	var b i2c.BusCloser
	var err error
	switch {
	case known || !isDevice:
		b, err = i2creg.Open(device)
	default:
		// periph looks for devices only once, when it starts; one that came later is opened directly.
		b, err = openNumber(number)
	}
	if err != nil {
		return nil, mendHost(device, isDevice, err)
	}
	return b, nil
}

func openNumber(number int) (i2c.BusCloser, error) {
	b, err := sysfs.NewI2C(number)
	if err != nil {
		return nil, err // not b: a nil pointer in an interface is not nil
	}
	return b, nil
}

// deviceOf returns the device file a name stands for; ok is false for a name only a periph driver can know.
func deviceOf(name string) (device string, number int, ok bool) {
	digits := strings.TrimPrefix(strings.TrimPrefix(name, "I2C"), "/dev/i2c-")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return name, 0, false
	}
	return fmt.Sprintf("/dev/i2c-%d", n), n, true
}

// mendHost says what to do about a bus of this machine that does not open.
func mendHost(device string, isDevice bool, err error) error {
	if !isDevice {
		return fmt.Errorf(`%w (no driver knows %q: write "1" for /dev/i2c-1)`, err, device)
	}
	_, statErr := os.Stat(device)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return fmt.Errorf("%w: %s does not exist: switch I²C on with dtparam=i2c_arm=on in /boot/firmware/config.txt "+
			"and i2c-dev in /etc/modules (or raspi-config, Interface Options, I2C), then reboot", err, device)
	case strings.Contains(err.Error(), "permission denied"):
		return fmt.Errorf("%w: %s may not be opened by this user: add it to the group that owns the file "+
			"(sudo usermod -aG i2c USER), then log in again", err, device)
	}
	return err
}
