package sht4x

import (
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensirion"
)

const name = "sht4x"

// New returns the chip at addr (0x44, 0x45 or 0x46) of bus.
func New(bus i2c.Bus, addr uint16, clock sense.Clock) *sensirion.Dev {
	return sensirion.New(bus, addr, sensirion.Chip{
		Name: name, Command: []byte{0xFD}, Takes: 10 * time.Millisecond, // high repeatability; 8.3 ms at most, by the data sheet
		Decode: Decode,
	}, clock)
}

// Decode converts a reply: temperature in °C, relative humidity in %, not cropped. Its error is a *sense.Fault.
func Decode(b sensirion.Reply) (celsius, humidity float64, err error) {
	t, rh, err := b.Ticks(name)
	if err != nil {
		return 0, 0, err
	}
	return -45 + 175*t/65535, -6 + 125*rh/65535, nil
}
