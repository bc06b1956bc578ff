package bus

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	bugst "go.bug.st/serial"

	"aovuon/gateway/sense/serial"
)

// openSerial opens a serial port of this machine. Nobody but root can open it a second time while it is open.
func openSerial(path string, mode *bugst.Mode) (device, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err // the library's own error does not say that the device is not there
	}
	p, err := bugst.Open(path, mode)
	if err != nil {
		return nil, err // not p: a nil pointer in an interface is not nil
	}
	return p, nil
}

// modeOf is line as the library wants it.
func modeOf(line serial.Line) *bugst.Mode {
	m := &bugst.Mode{BaudRate: line.Baud, DataBits: 8, Parity: bugst.NoParity, StopBits: bugst.OneStopBit}
	switch line.Parity {
	case serial.EvenParity:
		m.Parity = bugst.EvenParity
	case serial.OddParity:
		m.Parity = bugst.OddParity
	case serial.NoParity:
	}
	if line.StopBits == 2 {
		m.StopBits = bugst.TwoStopBits
	}
	return m
}

// mendSerial says what to do about a serial port that does not open.
func mendSerial(path string, err error) error {
	code := bugst.PortErrorCode(-1)
	if port, ok := errors.AsType[*bugst.PortError](err); ok {
		code = port.Code()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV):
		return fmt.Errorf("there is no such serial port: plug the adapter in (ls /dev/serial/by-id shows its lasting name); "+
			"for the pins of a Raspberry Pi set enable_uart=1 in /boot/firmware/config.txt, switch the login console off "+
			"(raspi-config, Interface Options, Serial Port), and reboot: %w", err)
	case code == bugst.PermissionDenied || errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %s may not be opened by this user: add it to the group that owns the file "+
			"(sudo usermod -aG dialout USER), then log in again", err, path)
	case code == bugst.PortBusy:
		return fmt.Errorf("%w: another program has it: stop that one (sudo fuser %s names it; a login console or a second "+
			"gateway is the usual one)", err, path)
	case code == bugst.InvalidSerialPort:
		return fmt.Errorf("%w: %s is no serial port: ls /dev/serial/by-id shows those there are", err, path)
	}
	return err
}
