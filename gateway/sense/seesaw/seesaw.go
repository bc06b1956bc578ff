package seesaw

import (
	"context"
	"encoding/binary"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

const (
	hardwareID = 0x55
	maxCounts  = 4095

	waitRegister = time.Millisecond
	waitTouch    = 5 * time.Millisecond // and a millisecond more with each try
	tries        = 5
)

// register is a module of the probe's microcontroller, and a function of it in the low byte.
type register uint16

// The registers in use.
const (
	regID          register = 0x0001
	regTemperature register = 0x0004
	regTouch       register = 0x0F10
)

// Dev is one probe. It is used by one goroutine at a time.
type Dev struct {
	dev   i2c.Dev
	clock sense.Clock
	known bool // it said that it is such a probe
}

// New returns the probe at addr (0x36 to 0x39, by its jumpers) of bus.
func New(bus i2c.Bus, addr uint16, clock sense.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, clock: clock}
}

// Sense implements sense.Sensor: counts of the touch input and the soil's temperature in °C.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	samples, err := d.sense(ctx)
	d.known = err == nil // who knows which chip answers next
	return samples, err
}

func (d *Dev) sense(ctx context.Context) ([]sense.Sample, error) {
	if !d.known {
		var id [1]byte
		if err := d.read(ctx, regID, waitRegister, id[:]); err != nil {
			return nil, err
		}
		if err := checkID(id[0]); err != nil {
			return nil, err
		}
	}
	counts, err := d.touch(ctx)
	if err != nil {
		return nil, err
	}
	var b [4]byte
	if err := d.read(ctx, regTemperature, waitRegister, b[:]); err != nil {
		return nil, err
	}
	celsius, err := Celsius(b)
	if err != nil {
		return nil, err
	}
	return []sense.Sample{
		{Quantity: measure.SoilCapacitance, Value: counts},
		{Quantity: measure.SoilTemperature, Value: celsius},
	}, nil
}

func checkID(id byte) error {
	switch id {
	case hardwareID:
		return nil
	case 0:
		return sense.Faultf(measure.Shorted, "seesaw: id 0: the data wire touches ground")
	case 0xFF:
		return sense.Faultf(measure.NoResponse, "seesaw: id ff: nobody drives the data wire")
	}
	return sense.Faultf(measure.Garbled, "seesaw: id %02x is no soil probe's (%02x): another chip has this address", id, hardwareID)
}

// touch reads the touch input, again while it is busy.
func (d *Dev) touch(ctx context.Context) (float64, error) {
	var b [2]byte
	for n := range tries {
		if err := d.read(ctx, regTouch, waitTouch+time.Duration(n)*time.Millisecond, b[:]); err != nil {
			return 0, err
		}
		if v := binary.BigEndian.Uint16(b[:]); v <= maxCounts {
			if v == 0 {
				return 0, sense.Faultf(measure.Shorted, "seesaw: 0 counts: the data wire touches ground")
			}
			return float64(v), nil
		}
	}
	if b == [2]byte{0xFF, 0xFF} {
		return 0, sense.Faultf(measure.NotReady, "seesaw: the touch input is still busy at the %dth try", tries)
	}
	return 0, sense.Faultf(measure.Garbled, "seesaw: % x is no number of counts, %d tries", b[:], tries)
}

// read asks a register and reads its answer in a transaction of its own.
func (d *Dev) read(ctx context.Context, reg register, wait time.Duration, b []byte) error {
	if err := d.dev.Tx([]byte{byte(reg >> 8), byte(reg)}, nil); err != nil {
		return sense.BusFault(err)
	}
	if err := d.clock.Sleep(ctx, wait); err != nil {
		return err
	}
	if err := d.dev.Tx(nil, b); err != nil {
		return sense.BusFault(err)
	}
	return nil
}

// Celsius converts the answer of the temperature register, 65536ths of a degree. Its error is a *sense.Fault.
func Celsius(b [4]byte) (float64, error) {
	switch raw := int32(binary.BigEndian.Uint32(b[:])); raw {
	case 0:
		return 0, sense.Faultf(measure.Shorted, "seesaw: temperature all zeros: the data wire touches ground")
	case -1:
		return 0, sense.Faultf(measure.NoResponse, "seesaw: temperature all ones: nobody drives the data wire")
	default:
		return float64(raw) / 65536, nil
	}
}
