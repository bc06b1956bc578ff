//go:build !linux

package chip

import (
	"errors"
	"time"

	"aovuon/gateway/sense/serial"
)

// terminal needs Linux.
type terminal struct{ name string }

func openTerminal() (*terminal, error) {
	return nil, errors.New("a serial line for other processes needs Linux: remove the serial buses, or run season")
}

func (*terminal) settings() (serial.Line, error)          { return readable(9600, false), nil }
func (*terminal) read([]byte, time.Duration) (int, error) { return 0, nil }
func (*terminal) write([]byte) error                      { return nil }
func (*terminal) wake()                                   {}
func (*terminal) close() error                            { return nil }
