// Package sensirion is what Sensirion's hygrometers have in common: a bus and a Chip that says how one is asked come in, air
// temperature and relative humidity go out.
//
// Data sheets: Sensirion, SHT4x and SHT3x-DIS ("Measurement Commands", "Checksum Calculation"). Six bytes are read after
// the time a measurement takes: temperature, its CRC, humidity, its CRC. The chip does not acknowledge a read before that.
package sensirion

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

const (
	pollEvery = 5 * time.Millisecond
	pollMost  = 4
)

// Reply is what a chip answers to a measurement.
type Reply [6]byte

// Chip is how one kind of hygrometer is asked.
type Chip struct {
	Name    string // in errors
	Command []byte // to measure
	Takes   time.Duration
	Decode  func(b Reply) (celsius, humidity float64, err error) // °C and %; its error is a *sense.Fault
}

// Dev is one chip. It is used by one goroutine at a time.
type Dev struct {
	dev   i2c.Dev
	chip  Chip
	clock sense.Clock
}

// New returns the chip at addr of bus.
func New(bus i2c.Bus, addr uint16, chip Chip, clock sense.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, chip: chip, clock: clock}
}

// Sense implements sense.Sensor: air temperature in °C and relative humidity in %.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	reply, err := d.measure(ctx)
	if err != nil {
		return nil, err
	}
	celsius, humidity, err := d.chip.Decode(reply)
	if err != nil {
		return nil, err
	}
	return []sense.Sample{
		{Quantity: measure.AirTemperature, Value: celsius},
		{Quantity: measure.RelativeHumidity, Value: humidity},
	}, nil
}

// measure has the chip measure, and reads its reply. Its error is a *sense.Fault or ctx's.
func (d *Dev) measure(ctx context.Context) (b Reply, err error) {
	if err := d.dev.Tx(d.chip.Command, nil); err != nil {
		return b, sense.BusFault(err)
	}
	if err := d.clock.Sleep(ctx, d.chip.Takes); err != nil {
		return b, err
	}
	for n := 1; ; n++ {
		err := d.dev.Tx(nil, b[:])
		switch {
		case err == nil:
			return b, nil
		case !errors.Is(err, sense.ErrNoAck):
			return b, sense.BusFault(err)
		case n == pollMost: // it did acknowledge the command, so this is a chip that does not get ready
			return b, sense.Faultf(measure.NotReady, "%s: no result after %v: %w", d.chip.Name, d.chip.Takes+(pollMost-1)*pollEvery, err)
		}
		if err := d.clock.Sleep(ctx, pollEvery); err != nil {
			return b, err
		}
	}
}

// Ticks takes the two raw values out of a reply, each of 65535 for full scale. Its error is a *sense.Fault.
func (b Reply) Ticks(name string) (temperature, humidity float64, err error) {
	switch {
	case b == Reply{}:
		return 0, 0, sense.Faultf(measure.Shorted, "%s: all zeros: the data wire touches ground", name)
	case b == Reply{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}:
		return 0, 0, sense.Faultf(measure.NoResponse, "%s: all ones: nobody drives the data wire", name)
	case crc(b[0], b[1]) != b[2] || crc(b[3], b[4]) != b[5]:
		return 0, 0, sense.Faultf(measure.CRC, "%s: reply % x: the CRC does not match", name, b[:])
	}
	return float64(binary.BigEndian.Uint16(b[0:])), float64(binary.BigEndian.Uint16(b[3:])), nil
}

// crc is Sensirion's CRC-8: polynomial 0x31, begun with 0xFF.
func crc(data ...byte) byte {
	c := byte(0xFF)
	for _, b := range data {
		c ^= b
		for range 8 {
			if c&0x80 != 0 {
				c = c<<1 ^ 0x31
			} else {
				c <<= 1
			}
		}
	}
	return c
}
