package sht4x

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
	commandMeasure = 0xFD // high repeatability

	measuring = 10 * time.Millisecond
	pollEvery = 5 * time.Millisecond
	pollMost  = 4
)

// Dev is one chip. It is used by one goroutine at a time.
type Dev struct {
	dev   i2c.Dev
	clock sense.Clock
}

// New returns the chip at addr (0x44, 0x45 or 0x46) of bus.
func New(bus i2c.Bus, addr uint16, clock sense.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, clock: clock}
}

// Sense implements sense.Sensor: air temperature in °C and relative humidity in %.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	if err := d.dev.Tx([]byte{commandMeasure}, nil); err != nil {
		return nil, sense.BusFault(err)
	}
	if err := d.clock.Sleep(ctx, measuring); err != nil {
		return nil, err
	}
	reply, err := d.fetch(ctx)
	if err != nil {
		return nil, err
	}
	celsius, humidity, err := Decode(reply)
	if err != nil {
		return nil, err
	}
	return []sense.Sample{
		{Quantity: measure.AirTemperature, Value: celsius},
		{Quantity: measure.RelativeHumidity, Value: humidity},
	}, nil
}

// fetch reads the result. The chip does not acknowledge a read that comes too early; it did acknowledge the command, so
// silence that goes on is a chip that does not get ready.
func (d *Dev) fetch(ctx context.Context) ([6]byte, error) {
	for n := 1; ; n++ {
		var b [6]byte
		err := d.dev.Tx(nil, b[:])
		switch {
		case err == nil:
			return b, nil
		case !errors.Is(err, sense.ErrNoAck):
			return b, sense.BusFault(err)
		case n == pollMost:
			return b, sense.Faultf(measure.NotReady, "sht4x: no result after %v: %w", measuring+(pollMost-1)*pollEvery, err)
		}
		if err := d.clock.Sleep(ctx, pollEvery); err != nil {
			return b, err
		}
	}
}

// Decode converts a reply: temperature in °C, relative humidity in %, not cropped. Its error is a
// *sense.Fault.
func Decode(b [6]byte) (celsius, humidity float64, err error) {
	switch {
	case b == [6]byte{}:
		return 0, 0, sense.Faultf(measure.Shorted, "sht4x: all zeros: the data wire touches ground")
	case b == [6]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}:
		return 0, 0, sense.Faultf(measure.NoResponse, "sht4x: all ones: nobody drives the data wire")
	case crc(b[0], b[1]) != b[2] || crc(b[3], b[4]) != b[5]:
		return 0, 0, sense.Faultf(measure.CRC, "sht4x: reply % x: the CRC does not match", b[:])
	}
	celsius = -45 + 175*float64(binary.BigEndian.Uint16(b[0:]))/65535
	humidity = -6 + 125*float64(binary.BigEndian.Uint16(b[3:]))/65535
	return celsius, humidity, nil
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
