package sht3x

import (
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensirion"
)

const name = "sht3x"

// New returns the chip at addr (0x44, or 0x45 with its pin ADDR high) of bus.
func New(bus i2c.Bus, addr uint16, clock sense.Clock) *sensirion.Dev {
	return sensirion.New(bus, addr, sensirion.Chip{
		Name: name, Command: []byte{0x24, 0x00}, Takes: 16 * time.Millisecond, // high repeatability, no clock stretching; 15 ms at most, by the data sheet
		Decode: Decode,
	}, clock)
}

// Decode converts a reply: temperature in °C, relative humidity in %, from 0 to 100 % by its making. Its error is a *sense.Fault.
func Decode(b sensirion.Reply) (celsius, humidity float64, err error) {
	t, rh, err := b.Ticks(name)
	if err != nil {
		return 0, 0, err
	}
	return -45 + 175*t/65535, 100 * rh / 65535, nil
}
