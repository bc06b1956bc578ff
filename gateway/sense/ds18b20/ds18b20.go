package ds18b20

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// readTimeout bounds one reading: a conversion of 750 ms, behind those of a few neighbours that another program asked.
// A read of the kernel's file has no limit of its own.
const readTimeout = 5 * time.Second

// Dev is one thermometer. It is used by one goroutine at a time.
type Dev struct {
	tree fs.FS
	id   string
	// underway is the read that has not come back, or nil. There is at most one: a kernel that hangs must not collect
	// goroutines.
	underway chan answer
}

type answer struct {
	text []byte
	err  error
}

// New returns the thermometer called device ("28-0123456789ab") below tree, which is laid out like /sys/bus/w1/devices.
func New(tree fs.FS, device string) *Dev { return &Dev{tree: tree, id: device} }

// ValidDevice reports whether s is the name the kernel gives a DS18B20: 28- and twelve hexadecimal digits.
func ValidDevice(s string) bool {
	if len(s) != 15 || s[:3] != "28-" {
		return false
	}
	for _, c := range s[3:] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Sense implements sense.Sensor: one water temperature in °C.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	text, err := d.read(ctx)
	if err != nil {
		return nil, err
	}
	pad, err := Parse(text)
	if err != nil {
		return nil, err
	}
	celsius, err := pad.Celsius()
	if err != nil {
		return nil, err
	}
	return []sense.Sample{{Quantity: measure.WaterTemperature, Value: celsius}}, nil
}

// read reads w1_slave in a goroutine, since nothing else can put a limit on it.
func (d *Dev) read(ctx context.Context) ([]byte, error) {
	if d.underway != nil {
		select {
		case <-d.underway: // it came back after all: a value of another time
			d.underway = nil
		default:
			return nil, sense.Faultf(measure.BusDown, "ds18b20 %s: the kernel still does not answer the last read", d.id)
		}
	}
	done := make(chan answer, 1)
	go func() {
		text, err := fs.ReadFile(d.tree, d.id+"/w1_slave")
		done <- answer{text: text, err: err}
	}()
	t := time.NewTimer(readTimeout)
	defer t.Stop()
	select {
	case a := <-done:
		return a.text, d.fault(a.err)
	case <-t.C:
		d.underway = done
		return nil, sense.Faultf(measure.BusDown, "ds18b20 %s: the kernel does not answer within %v", d.id, readTimeout)
	case <-ctx.Done():
		d.underway = done
		return nil, ctx.Err()
	}
}

// fault gives the error of reading the file its reason.
func (d *Dev) fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return sense.Faultf(measure.BusDown, "ds18b20 %s: %w", d.id, err)
	case errors.Is(err, fs.ErrNotExist):
		if _, rootErr := fs.Stat(d.tree, "."); rootErr != nil {
			return sense.Faultf(measure.BusDown, "ds18b20 %s: %w", d.id, err)
		}
		return sense.Faultf(measure.NoResponse, "ds18b20: %s is not on the bus: check its three wires and its number: %w", d.id, err)
	}
	// The kernel gives EIO or ENODEV when no presence pulse answers its reset.
	return sense.Faultf(measure.NoResponse, "ds18b20 %s: %w", d.id, err)
}

// Celsius is the temperature the scratchpad holds, in °C.
func (p Scratchpad) Celsius() (float64, error) {
	raw := int16(uint16(p[1])<<8 | uint16(p[0]))
	// Byte 6 is 0x10 minus the low nibble of byte 0 after a conversion. 85 °C with 0x0C is the power-on image; 127.94 °C
	// with 0x0C is what a chip shows whose supply broke down in a conversion. True ones have 0x10 and 0x01.
	if p[6] == 0x0C && (raw == 0x0550 || raw == 0x07FF) {
		return 0, &sense.Fault{
			Reason: measure.PowerUp,
			Err:    fmt.Errorf("ds18b20: scratchpad % x: no conversion was done: check the supply wire and the pull-up", p[:]),
		}
	}
	return float64(raw) / 16, nil
}
