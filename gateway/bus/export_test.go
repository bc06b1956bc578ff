package bus

import (
	"bytes"
	"io"
	"log/slog"
	"time"

	bugst "go.bug.st/serial"

	"aovuon/gateway/sense/serial"
)

// NewSetWithInit is NewSet with another start of the host's drivers.
func NewSetWithInit(log *slog.Logger, init func() error, timeout time.Duration) *Set {
	s := NewSet(log)
	s.host.init, s.host.timeout = init, timeout
	return s
}

// ReadRequest decodes one request and encodes it again.
func ReadRequest(in io.Reader) (again []byte, err error) {
	r, err := readRequest(in)
	if err != nil {
		return nil, err
	}
	return r.append(nil), nil
}

// ReadResponse decodes one response to a request for want bytes and encodes it again.
func ReadResponse(b []byte, want int) (again []byte, err error) {
	r, err := readResponse(bytes.NewReader(b), want)
	if err != nil {
		return nil, err
	}
	return r.append(nil), nil
}

// ReadPinRequest decodes one request to a pin and encodes it again.
func ReadPinRequest(in io.Reader) (again []byte, err error) {
	r, err := readPinRequest(in)
	if err != nil {
		return nil, err
	}
	return r.append(nil), nil
}

// Device is what a serial port of this machine can do.
type Device = device

// NewSerialPort returns a port whose device open makes.
func NewSerialPort(path string, open func(path string, mode *bugst.Mode) (Device, error)) serial.Port {
	return newSerialPort(path, open)
}
