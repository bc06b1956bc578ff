package ads1115

import (
	"context"
	"encoding/binary"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Inputs is the number of analog inputs.
const Inputs = 4

const (
	registerConversion = 0
	registerConfig     = 1

	// configBase: start, AIN0 against ground, ±4.096 V, single shot, 128 samples/s, comparator off.
	configBase   = 0xC383
	configIdle   = 0x8000 // OS, read: no conversion is going on
	configMux    = 12     // position of the multiplexer; 4 + n is input n against ground
	configPowers = 0x8583 // what the register holds after power-on

	fullScale = 4.096 // V

	conversion = 8 * time.Millisecond // 1/128 s
	pollEvery  = time.Millisecond
	pollMost   = 10 // the oscillator is within 10 %: a conversion is over long before
)

// Dev is one converter, shared by the probes at its inputs. It is used by one goroutine at a time.
type Dev struct {
	dev   i2c.Dev
	clock sense.Clock
	doubt bool // the last conversion was a fault
}

// New returns the converter at addr (0x48 to 0x4B) of bus.
func New(bus i2c.Bus, addr uint16, clock sense.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, clock: clock}
}

// Volts converts input 0..3 against ground once. Its error is a *sense.Fault or ctx's.
func (d *Dev) Volts(ctx context.Context, input int) (float64, error) {
	if input < 0 || input >= Inputs {
		return 0, sense.Faultf(measure.Refused, "ads1115: there is no input %d: they are 0 to %d", input, Inputs-1)
	}
	volts, err := d.convert(ctx, uint16(configBase|input<<configMux))
	d.doubt = err != nil
	return volts, err
}

// convert starts one conversion and reads it. A wire to ground looks like a chip that acknowledges: were it mended between
// the writing of config and the reading of it, the chip would show the same config from before, and the result of then. So
// after a fault nothing is written before the wire has proved good.
func (d *Dev) convert(ctx context.Context, config uint16) (float64, error) {
	if d.doubt {
		if got, err := d.register(registerConfig); err != nil {
			return 0, err
		} else if got == 0 {
			return 0, sense.Faultf(measure.Shorted, "ads1115: config register reads 0: the data wire touches ground")
		}
	}
	w := binary.BigEndian.AppendUint16([]byte{registerConfig}, config)
	if err := d.dev.Tx(w, nil); err != nil {
		return 0, sense.BusFault(err)
	}
	if err := d.clock.Sleep(ctx, conversion); err != nil {
		return 0, err
	}
	if err := d.wait(ctx, config); err != nil {
		return 0, err
	}
	raw, err := d.register(registerConversion)
	if err != nil {
		return 0, err
	}
	return float64(int16(raw)) * fullScale / 32768, nil
}

// wait asks until the conversion is over, and makes sure that it is the one that was started.
func (d *Dev) wait(ctx context.Context, config uint16) error {
	for range pollMost {
		got, err := d.register(registerConfig)
		switch {
		case err != nil:
			return err
		case got == 0:
			return sense.Faultf(measure.Shorted, "ads1115: config register reads 0: the data wire touches ground")
		case got == configPowers:
			return sense.Faultf(measure.PowerUp, "ads1115: the chip started anew during the conversion: check its supply")
		case got&^configIdle != config&^configIdle:
			return sense.Faultf(measure.Garbled, "ads1115: config register reads 0x%04x, 0x%04x was written", got, config)
		case got&configIdle != 0:
			return nil
		}
		if err := d.clock.Sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
	return sense.Faultf(measure.NotReady, "ads1115: still converting after %v", conversion+pollMost*pollEvery)
}

func (d *Dev) register(n byte) (uint16, error) {
	var b [2]byte
	if err := d.dev.Tx([]byte{n}, b[:]); err != nil {
		return 0, sense.BusFault(err)
	}
	return binary.BigEndian.Uint16(b[:]), nil
}
