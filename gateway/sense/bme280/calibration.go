package bme280

import (
	"encoding/binary"
)

// Lengths of the two blocks of calibration registers.
const (
	lowLength  = 26 // 0x88..0xA1
	highLength = 7  // 0xE1..0xE7
)

// Calibration is the numbers the maker wrote into the chip (data sheet 4.2.2, table 16).
type Calibration struct {
	T1     uint16
	T2, T3 int16

	P1                             uint16
	P2, P3, P4, P5, P6, P7, P8, P9 int16

	H1 uint8
	H2 int16
	H3 uint8
	H4 int16 // 12 bits
	H5 int16 // 12 bits
	H6 int8
}

// ParseCalibration reads the registers 0x88..0xA1 and 0xE1..0xE7.
func ParseCalibration(low [lowLength]byte, high [highLength]byte) Calibration {
	u := func(i int) uint16 { return binary.LittleEndian.Uint16(low[i:]) }
	s := func(i int) int16 { return int16(u(i)) }
	return Calibration{
		T1: u(0), T2: s(2), T3: s(4),
		P1: u(6), P2: s(8), P3: s(10), P4: s(12), P5: s(14), P6: s(16), P7: s(18), P8: s(20), P9: s(22),
		H1: low[25],
		H2: int16(binary.LittleEndian.Uint16(high[0:])),
		H3: high[2],
		// H4 and H5 share E5 and are signed 12-bit numbers: the high byte carries the sign.
		H4: int16(int8(high[3]))<<4 | int16(high[4]&0x0F),
		H5: int16(int8(high[5]))<<4 | int16(high[4]>>4),
		H6: int8(high[6]),
	}
}

// fine is the temperature in the unit the other formulas want it in: 1/5120 °C.
func (c Calibration) fine(adc uint32) float64 {
	a := float64(adc)/16384 - float64(c.T1)/1024
	b := float64(adc)/131072 - float64(c.T1)/8192
	return a*float64(c.T2) + b*b*float64(c.T3)
}

// Celsius is the temperature in °C for the temperature count t (data sheet 8.1).
func (c Calibration) Celsius(t uint32) float64 { return c.fine(t) / 5120 }

// Hectopascal is the air pressure in hPa for the pressure and temperature counts. ok is false where the calibration
// divides by zero.
func (c Calibration) Hectopascal(p, t uint32) (hpa float64, ok bool) {
	v1 := c.fine(t)/2 - 64000
	v2 := v1 * v1 * float64(c.P6) / 32768
	v2 += v1 * float64(c.P5) * 2
	v2 = v2/4 + float64(c.P4)*65536
	v1 = (float64(c.P3)*v1*v1/524288 + float64(c.P2)*v1) / 524288
	v1 = (1 + v1/32768) * float64(c.P1)
	if v1 == 0 {
		return 0, false
	}
	pa := (1048576 - float64(p) - v2/4096) * 6250 / v1
	pa += (float64(c.P9)*pa*pa/2147483648 + pa*float64(c.P8)/32768 + float64(c.P7)) / 16
	return pa / 100, true
}

// Humidity is the relative humidity in % for the humidity and temperature counts, not clamped.
func (c Calibration) Humidity(h, t uint32) float64 {
	x := c.fine(t) - 76800
	v := float64(h) - (float64(c.H4)*64 + float64(c.H5)/16384*x)
	v *= float64(c.H2) / 65536 * (1 + float64(c.H6)/67108864*x*(1+float64(c.H3)/67108864*x))
	return v * (1 - float64(c.H1)*v/524288)
}
