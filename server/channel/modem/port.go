package modem

import (
	"errors"
	"fmt"
	"io"

	"go.bug.st/serial"
)

// OpenPort returns how a serial device is opened, such as /dev/serial/by-id/usb-…-if02-port0.
func OpenPort(device string, baud int) func() (io.ReadWriteCloser, error) {
	return func() (io.ReadWriteCloser, error) {
		p, err := serial.Open(device, &serial.Mode{BaudRate: baud})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", device, err)
		}
		// What a modem said to whoever had it before is no answer to us.
		if err := p.ResetInputBuffer(); err != nil {
			return nil, fmt.Errorf("%s: %w", device, errors.Join(err, p.Close()))
		}
		return p, nil
	}
}
