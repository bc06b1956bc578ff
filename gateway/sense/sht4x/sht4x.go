package sht4x

import (
	"context"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensirion"
)

const (
	name           = "sht4x"
	commandMeasure = 0xFD // high repeatability
	measuring      = 10 * time.Millisecond
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
	reply, err := sensirion.Measure(ctx, name, d.dev, d.clock, []byte{commandMeasure}, measuring)
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

// Decode converts a reply: temperature in °C, relative humidity in %, not cropped. Its error is a *sense.Fault.
func Decode(b sensirion.Reply) (celsius, humidity float64, err error) {
	t, rh, err := b.Ticks(name)
	if err != nil {
		return 0, 0, err
	}
	return -45 + 175*t/65535, -6 + 125*rh/65535, nil
}
