package scan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ads1115"
	"aovuon/gateway/sense/capacitive"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/sensirion"
)

// The addresses that are not reserved (UM10204, table 4).
const (
	firstAddress = 0x08
	lastAddress  = 0x77
	// tooMany addresses on one bus are no chips but a data wire that touches ground, which looks like everybody's yes.
	tooMany = 60
	// settle is how long SHT and seesaw chips take to have an answer ready (1 ms at most), with some room.
	settle = 5 * time.Millisecond
)

// i2c asks every address. One byte is read: a transaction of no bytes never reaches the bus with Linux's i2c-dev through
// periph, and a write might switch something. An SHT4x says no to a read without a question, so its addresses are asked.
func (s *scanner) i2c(ctx context.Context) error {
	answers := 0
	for addr := uint16(firstAddress); addr <= lastAddress; addr++ {
		var f Found
		there := false
		err := s.o.Hold(ctx, s.bus.Name, func(ctx context.Context) (err error) {
			f, there, err = s.address(ctx, addr)
			return err
		})
		if err != nil {
			return fmt.Errorf("address 0x%02x: %w", addr, err)
		}
		if there {
			if answers++; answers > tooMany {
				s.found = nil
				return sense.Faultf(measure.Shorted, "every address says yes: the data wire (SDA) touches ground")
			}
			s.add(f)
		}
		if err := s.o.Clock.Sleep(ctx, pause); err != nil {
			return err
		}
	}
	return nil
}

// address asks one address who is there.
func (s *scanner) address(ctx context.Context, addr uint16) (Found, bool, error) {
	dev := i2c.Dev{Bus: s.bus.I2C, Addr: addr}
	var one [1]byte
	err := dev.Tx(nil, one[:])
	if err != nil && !errors.Is(err, sense.ErrNoAck) {
		return Found{}, false, err
	}
	there := err == nil
	if !there && !mayBeSHT(addr) {
		return Found{}, false, nil
	}
	f := Found{Address: addr, Chip: guess(addr)}
	for _, ask := range []func(context.Context, *i2c.Dev, *Found) (bool, error){s.sht, s.ads, s.bme, s.seesaw, s.ezo} {
		known, err := ask(ctx, &dev, &f)
		if err != nil && !errors.Is(err, sense.ErrNoAck) {
			return Found{}, false, err
		}
		if known {
			if _, ok := kind.Lookup(f.Kind); !ok {
				f.Kind = ""
			}
			return f, true, nil
		}
	}
	return f, there, nil
}

// guess says what is often found at an address that none of our chips has.
func guess(addr uint16) string {
	switch {
	case addr >= 0x20 && addr <= 0x27:
		return "unknown (often a port expander)"
	case addr == 0x3C || addr == 0x3D:
		return "unknown (often a display)"
	case addr == 0x40 || addr == 0x41:
		return "unknown (often a current sensor)"
	case addr >= 0x50 && addr <= 0x57:
		return "unknown (often a memory)"
	case addr == 0x68:
		return "unknown (often a battery-backed clock)"
	}
	return "unknown"
}

func mayBeSHT(addr uint16) bool { return addr >= 0x44 && addr <= 0x46 }

// sht asks an SHT4x, then an SHT3x, for its serial number: six bytes with two checksums, which nobody else gives.
func (s *scanner) sht(ctx context.Context, dev *i2c.Dev, f *Found) (bool, error) {
	if !mayBeSHT(dev.Addr) {
		return false, nil
	}
	for _, chip := range []struct {
		kind, name string
		command    []byte
	}{{"sht4x", "SHT4x", []byte{0x89}}, {"sht3x", "SHT3x", []byte{0x37, 0x80}}} {
		if err := dev.Tx(chip.command, nil); err != nil {
			if errors.Is(err, sense.ErrNoAck) {
				continue
			}
			return false, err
		}
		if err := s.o.Clock.Sleep(ctx, settle); err != nil {
			return false, err
		}
		var b sensirion.Reply
		if err := dev.Tx(nil, b[:]); err != nil {
			if errors.Is(err, sense.ErrNoAck) {
				continue
			}
			return false, err
		}
		if _, _, err := b.Ticks(chip.name); err == nil {
			f.Kind, f.Chip = chip.kind, fmt.Sprintf("%s, serial %02x%02x%02x%02x", chip.name, b[0], b[1], b[3], b[4])
			return true, nil
		}
	}
	return false, nil
}

// ads reads the config register of an ADS1115: its low five bits are 3 unless somebody uses the comparator, which nothing
// here does. Then each input is measured, to see where a soil probe is.
func (s *scanner) ads(ctx context.Context, dev *i2c.Dev, f *Found) (bool, error) {
	if dev.Addr < 0x48 || dev.Addr > 0x4B {
		return false, nil
	}
	var b [2]byte
	if err := dev.Tx([]byte{1}, b[:]); err != nil {
		return false, err
	}
	if b[1]&0x1F != 3 || b[0] == 0 {
		f.Chip = "unknown (not an ADS1115: its config register would end in 3)"
		return false, nil
	}
	f.Kind, f.Chip = "capacitive-ads1115", "ADS1115"
	adc := ads1115.New(s.bus.I2C, dev.Addr, s.o.Clock)
	for input := range ads1115.Inputs {
		if _, err := capacitive.New(adc, input, nil).Sense(ctx); err == nil {
			f.Inputs = append(f.Inputs, input)
		} else if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	return true, nil
}

// bme reads the id of a Bosch chip. At the same addresses a TCA9548 switch can be, which takes any byte as its channels: it
// shows back what it was given, and then is given back what it had.
func (s *scanner) bme(_ context.Context, dev *i2c.Dev, f *Found) (bool, error) {
	if dev.Addr != 0x76 && dev.Addr != 0x77 {
		return false, nil
	}
	var before, id [1]byte
	if err := dev.Tx(nil, before[:]); err != nil {
		return false, err
	}
	if err := dev.Tx([]byte{0xD0}, id[:]); err != nil {
		return false, err
	}
	switch id[0] {
	case 0x60:
		f.Kind, f.Chip = "bme280", "BME280"
	case 0x58:
		f.Chip = "BMP280: it has no hygrometer, fit a BME280"
	case 0x61:
		f.Chip = "BME680: not supported, fit a BME280"
	case 0xD0:
		f.Chip = "unknown (a switch such as TCA9548?)"
		return true, dev.Tx(before[:], nil)
	default:
		return false, nil
	}
	return true, nil
}

// seesaw reads the hardware id of a seesaw chip (base 0, register 1): 0x55 is a SAMD09, which soil probes have.
func (s *scanner) seesaw(ctx context.Context, dev *i2c.Dev, f *Found) (bool, error) {
	if dev.Addr < 0x36 || dev.Addr > 0x39 {
		return false, nil
	}
	if err := dev.Tx([]byte{0, 1}, nil); err != nil {
		return false, err
	}
	if err := s.o.Clock.Sleep(ctx, settle); err != nil {
		return false, err
	}
	var id [1]byte
	if err := dev.Tx(nil, id[:]); err != nil || id[0] != 0x55 {
		return false, err
	}
	f.Chip, f.Kind = "seesaw soil probe", "seesaw-soil"
	return true, nil
}

// ezo asks a circuit what it is. Any address can be an EZO's; only those the works give, and those the configuration has one
// at, are asked: a byte at another might move a relay.
func (s *scanner) ezo(ctx context.Context, dev *i2c.Dev, f *Found) (bool, error) {
	usual := dev.Addr >= 0x61 && dev.Addr <= 0x67
	configured := slices.ContainsFunc(s.o.Sensors, func(c kind.Spec) bool {
		return c.Bus == s.bus.Name && c.Address == dev.Addr && strings.HasPrefix(c.Kind, "ezo-")
	})
	if !usual && !configured {
		return false, nil
	}
	id, err := ezo.New(s.bus.I2C, dev.Addr, ezo.DO, sense.NoInputs{}, s.o.Clock).Identify(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		f.Chip = "unknown (an EZO circuit that does not say who it is?)"
		return false, nil // what it is not is no trouble of the bus
	}
	// An oxygen circuit calls itself D.O.
	f.Kind, f.Chip = "ezo-"+strings.ToLower(strings.ReplaceAll(id.Board, ".", "")), fmt.Sprintf("EZO-%s, firmware %s", id.Board, id.Firmware)
	return true, nil
}
