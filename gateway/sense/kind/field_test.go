package kind_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/onewire"
	"periph.io/x/conn/v3/onewire/onewiretest"
	"periph.io/x/conn/v3/physic"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/serial"
)

// field is buses in memory: chips that answer, without time or wear.
type field struct {
	mu    sync.Mutex
	chips map[uint16]chip
	tree  fstest.MapFS
	asked []uint16
	gone  map[uint16]bool
}

// chip answers one transaction.
type chip func(w, r []byte)

func newField() *field {
	return &field{chips: make(map[uint16]chip), tree: make(fstest.MapFS), gone: make(map[uint16]bool)}
}

func (f *field) I2C(name string) (i2c.Bus, error) {
	if name == "never" {
		return nil, errors.New(`bus: "never" is no name of an I²C bus`)
	}
	return wires{f}, nil
}
func (f *field) W1(string) (fs.FS, error) { return f.tree, nil }
func (f *field) OneWire(name string) (onewire.Bus, error) {
	if name == "never" {
		return nil, errors.New(`bus: "never" is no name of a 1-Wire bus`)
	}
	return &onewiretest.Playback{}, nil
}

func (f *field) Serial(path string) (serial.Port, error) {
	if path == "/dev/never" {
		return nil, errors.New("bus: /dev/never is no serial line")
	}
	return levelPort{f}, nil
}

// levelPort is a line with a level sensor a metre above the water; its address for unplug is 0.
type levelPort struct{ f *field }

func (levelPort) String() string { return "level" }
func (p levelPort) Use(_ context.Context, _ serial.Line, f func(serial.Conn) error) error {
	return f(p)
}
func (levelPort) Write([]byte) error { return nil }
func (p levelPort) Read(_ context.Context, b []byte, wait time.Duration) (int, error) {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	if p.f.gone[0] || wait == 0 {
		return 0, nil
	}
	return copy(b, []byte{0xFF, 0x03, 0xE8, 0xEA}), nil
}

// unplug takes a chip off the bus, or puts it back.
func (f *field) unplug(addr uint16, gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone[addr] = gone
}

type wires struct{ f *field }

func (wires) String() string                  { return "wires" }
func (wires) SetSpeed(physic.Frequency) error { return nil }
func (b wires) Tx(addr uint16, w, r []byte) error {
	b.f.mu.Lock()
	defer b.f.mu.Unlock()
	b.f.asked = append(b.f.asked, addr)
	c, ok := b.f.chips[addr]
	if !ok || b.f.gone[addr] {
		return fmt.Errorf("sysfs-i2c: %w", sense.ErrNoAck)
	}
	c(w, r)
	return nil
}

// ezoChip is a calibrated circuit in fresh water that answers reading to a question; said collects the questions.
func ezoChip(board, reading string, said *[]string) chip {
	reply := ""
	answers := map[string]string{
		"I": "?I," + board + ",2.10", "Cal,?": "?Cal,1", "O,?": "?O,mg", "S,?": "?S,0.00,ppt", "P,?": "?,P,101.3",
	}
	if board == "EC" {
		answers["O,?"] = "?O,EC"
	}
	return func(w, r []byte) {
		if len(w) > 0 {
			if v, ok := strings.CutPrefix(string(w), "S,"); ok && v != "?" {
				answers["S,?"] = "?S," + v
			}
			if v, ok := strings.CutPrefix(string(w), "P,"); ok && v != "?" {
				answers["P,?"] = "?,P," + v
			}
			if said != nil {
				*said = append(*said, string(w))
			}
			var ok bool
			if reply, ok = answers[string(w)]; !ok {
				reply = reading
			}
			return
		}
		clear(r)
		r[0] = 1
		copy(r[1:], reply)
	}
}

// adsChip converts 2.048 V at every input.
func adsChip() chip {
	var config [2]byte
	return func(w, r []byte) {
		if len(w) == 3 {
			copy(config[:], w[1:])
		}
		if len(r) == 2 {
			if copy(r, config[:]); w[0] == 0 {
				r[0], r[1] = 0x40, 0x00
			}
		}
	}
}

// shtChip is always at 25 °C and 56.5 %.
func shtChip() chip {
	return func(_, r []byte) { copy(r, []byte{0x66, 0x66, 0x93, 0x80, 0x00, 0xA2}) }
}

// bmeChip is always at the data sheet's example.
func bmeChip() chip {
	low := []byte{
		0x70, 0x6B, 0x43, 0x67, 0x18, 0xFC, 0x7D, 0x8E, 0x43, 0xD6, 0xD0, 0x0B, 0x27, 0x0B, 0x8C, 0x00, 0xF9, 0xFF, 0x8C, 0x3C,
		0xF8, 0xC6, 0x70, 0x17, 0x00, 75,
	}
	return func(w, r []byte) {
		switch w[0] {
		case 0xD0:
			r[0] = 0x60
		case 0x88:
			copy(r, low)
		case 0xE1:
			copy(r, []byte{0x6E, 0x01, 0x00, 0x13, 0x25, 0x03, 0x1E})
		case 0xF3:
			r[0] = 0
		case 0xF7:
			copy(r, []byte{0x65, 0x5A, 0xC0, 0x7E, 0xED, 0x00, 0x6D, 0x60})
		}
	}
}

const (
	at31    = "f4 01 4b 46 7f ff 0c 10 c7 : crc=c7 YES\nf4 01 4b 46 7f ff 0c 10 c7 t=31250\n"
	at85    = "50 05 4b 46 7f ff 10 10 bd : crc=bd YES\n" // a true 85 °C: out of range for water
	shorted = "00 00 00 00 00 00 00 00 00 : crc=00 YES\n"
)

// thermometer puts a DS18B20 on the 1-Wire bus.
func (f *field) thermometer(n int, text string) (device string) {
	device = fmt.Sprintf("28-%012x", n)
	f.tree[device+"/w1_slave"] = &fstest.MapFile{Data: []byte(text)}
	return device
}

// taken is a Sink that keeps everything.
type taken struct {
	mu  sync.Mutex
	all []measure.Reading
}

func (s *taken) Take(_ context.Context, r []measure.Reading) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, r...)
	return nil
}
