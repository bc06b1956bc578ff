package bme280

import (
	"context"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

const (
	registerID      = 0xD0
	registerLow     = 0x88
	registerHigh    = 0xE1
	registerHum     = 0xF2
	registerStatus  = 0xF3
	registerMeasure = 0xF4
	registerData    = 0xF7

	idBME280 = 0x60
	idBMP280 = 0x58 // without a hygrometer

	once            = 0x01                  // oversampling x1 of humidity
	measureForced   = 0x25                  // x1 of temperature and pressure, one measurement
	statusMeasuring = 0x08                  //
	skipped20       = 0x80000               // data of temperature and pressure that were not measured
	skipped16       = 0x8000                // data of humidity that was not measured
	dataLength      = 8                     // pressure 3, temperature 3, humidity 2
	measuring       = 10 * time.Millisecond // 9.3 ms at most (data sheet 9.1)
	pollEvery       = 2 * time.Millisecond
	pollMost        = 10
)

// Dev is one chip. It is used by one goroutine at a time.
type Dev struct {
	dev   i2c.Dev
	clock sense.Clock
	cal   *Calibration // nil until read; read again after a fault, since another chip may have been plugged in
}

// New returns the chip at addr (0x76 or 0x77) of bus.
func New(bus i2c.Bus, addr uint16, clock sense.Clock) *Dev {
	return &Dev{dev: i2c.Dev{Bus: bus, Addr: addr}, clock: clock}
}

// Sense implements sense.Sensor: air temperature in °C, relative humidity in %, air pressure in hPa.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	samples, err := d.sense(ctx)
	if err != nil {
		d.cal = nil
	}
	return samples, err
}

func (d *Dev) sense(ctx context.Context) ([]sense.Sample, error) {
	if d.cal == nil {
		if err := d.identify(); err != nil {
			return nil, err
		}
	}
	// ctrl_hum takes effect with the write of ctrl_meas that follows it (data sheet 5.4.3).
	for _, w := range [][]byte{{registerHum, once}, {registerMeasure, measureForced}} {
		if err := d.dev.Tx(w, nil); err != nil {
			return nil, sense.BusFault(err)
		}
	}
	if err := d.clock.Sleep(ctx, measuring); err != nil {
		return nil, err
	}
	if err := d.wait(ctx); err != nil {
		return nil, err
	}
	var b [dataLength]byte
	if err := d.read(registerData, b[:]); err != nil {
		return nil, err
	}
	return d.cal.samples(b)
}

// identify makes sure that the chip is a BME280, and reads its calibration.
func (d *Dev) identify() error {
	var id [1]byte
	if err := d.read(registerID, id[:]); err != nil {
		return err
	}
	switch id[0] {
	case idBME280:
	case idBMP280:
		return sense.Faultf(measure.Refused, "bme280: the chip is a BMP280, which has no hygrometer: fit a BME280")
	case 0:
		return sense.Faultf(measure.Shorted, "bme280: id 0: the data wire touches ground")
	case 0xFF:
		return sense.Faultf(measure.NoResponse, "bme280: id 0xff: nobody drives the data wire")
	default:
		return sense.Faultf(measure.Garbled, "bme280: id 0x%02x, 0x%02x expected", id[0], idBME280)
	}
	var low [lowLength]byte
	var high [highLength]byte
	if err := d.read(registerLow, low[:]); err != nil {
		return err
	}
	if err := d.read(registerHigh, high[:]); err != nil {
		return err
	}
	cal := ParseCalibration(low, high)
	if cal.T1 == 0 || cal.P1 == 0 { // no chip leaves the works so; the formulas divide by P1
		return sense.Faultf(measure.Garbled, "bme280: the calibration cannot be: %+v", cal)
	}
	d.cal = &cal
	return nil
}

// wait asks until the measurement is over.
func (d *Dev) wait(ctx context.Context) error {
	for range pollMost {
		var status [1]byte
		if err := d.read(registerStatus, status[:]); err != nil {
			return err
		}
		if status[0]&statusMeasuring == 0 {
			return nil
		}
		if err := d.clock.Sleep(ctx, pollEvery); err != nil {
			return err
		}
	}
	return sense.Faultf(measure.NotReady, "bme280: still measuring after %v", measuring+pollMost*pollEvery)
}

func (d *Dev) read(register byte, b []byte) error {
	if err := d.dev.Tx([]byte{register}, b); err != nil {
		return sense.BusFault(err)
	}
	return nil
}

// samples converts the data registers 0xF7..0xFE.
func (c Calibration) samples(b [dataLength]byte) ([]sense.Sample, error) {
	p := uint32(b[0])<<12 | uint32(b[1])<<4 | uint32(b[2])>>4
	t := uint32(b[3])<<12 | uint32(b[4])<<4 | uint32(b[5])>>4
	h := uint32(b[6])<<8 | uint32(b[7])
	switch {
	case b == [dataLength]byte{}:
		return nil, sense.Faultf(measure.Shorted, "bme280: data all zeros: the data wire touches ground")
	case b == [dataLength]byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}:
		return nil, sense.Faultf(measure.NoResponse, "bme280: data all ones: nobody drives the data wire")
	case p == skipped20 || t == skipped20 || h == skipped16:
		return nil, sense.Faultf(measure.PowerUp, "bme280: data % x: no measurement was made: check the supply", b[:])
	}
	hpa, ok := c.Hectopascal(p, t)
	if !ok {
		return nil, sense.Faultf(measure.Garbled, "bme280: the calibration gives no pressure: %+v", c)
	}
	return []sense.Sample{
		{Quantity: measure.AirTemperature, Value: c.Celsius(t)},
		{Quantity: measure.RelativeHumidity, Value: c.Humidity(h, t)},
		{Quantity: measure.AirPressure, Value: hpa},
	}, nil
}
