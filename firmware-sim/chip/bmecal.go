package chip

import (
	"encoding/binary"
	"math"
)

// bmeCalibration is what Bosch burns into each BME280 (data sheet, table 16).
type bmeCalibration struct {
	t1             uint16
	t2, t3         int16
	p1             uint16
	p              [10]int16 // p[2] to p[9]
	h1             uint8
	h2             int16
	h3             uint8
	h4, h5         int16 // 12 bits, signed
	h6             int8
	image1, image2 []byte // registers 0x88..0xA1 and 0xE1..0xE7
}

// bmeExample is the data sheet's example for temperature and pressure, and a usual humidity part; with a negative H5 it
// is the case of which drivers get the sign wrong.
func bmeExample(negativeH5 bool) bmeCalibration {
	c := bmeCalibration{
		t1: 27504, t2: 26435, t3: -1000,
		p1: 36477, p: [10]int16{2: -10685, 3: 3024, 4: 2855, 5: 140, 6: -7, 7: 15500, 8: -14600, 9: 6000},
		h1: 75, h2: 366, h3: 0, h4: 309, h5: 50, h6: 30,
	}
	if negativeH5 {
		c.h5 = -50
	}
	c.image()
	return c
}

// image lays the calibration out in registers.
func (c *bmeCalibration) image() {
	b := binary.LittleEndian.AppendUint16(nil, c.t1)
	b = binary.LittleEndian.AppendUint16(b, uint16(c.t2))
	b = binary.LittleEndian.AppendUint16(b, uint16(c.t3))
	b = binary.LittleEndian.AppendUint16(b, c.p1)
	for _, p := range c.p[2:] {
		b = binary.LittleEndian.AppendUint16(b, uint16(p))
	}
	c.image1 = append(b, 0, c.h1) // 0xA0 is reserved
	b = binary.LittleEndian.AppendUint16(nil, uint16(c.h2))
	c.image2 = append(b, c.h3, byte(c.h4>>4), byte(c.h4)&0x0F|byte(c.h5)<<4, byte(c.h5>>4), byte(c.h6))
}

func (c *bmeCalibration) register(reg byte) byte {
	if reg >= 0xE1 {
		return c.image2[reg-0xE1]
	}
	return c.image1[reg-0x88]
}

// The floating-point formulas of the data sheet's section 8.1. fine carries the temperature into the other two.

func (c *bmeCalibration) fine(adc float64) float64 {
	v1 := (adc/16384 - float64(c.t1)/1024) * float64(c.t2)
	d := adc/131072 - float64(c.t1)/8192
	return v1 + d*d*float64(c.t3)
}

func (c *bmeCalibration) celsius(fine float64) float64 { return fine / 5120 }

func (c *bmeCalibration) pascal(adc, fine float64) float64 {
	p := func(i int) float64 { return float64(c.p[i]) }
	v1 := fine/2 - 64000
	v2 := v1 * v1 * p(6) / 32768
	v2 += v1 * p(5) * 2
	v2 = v2/4 + p(4)*65536
	v1 = (p(3)*v1*v1/524288 + p(2)*v1) / 524288
	v1 = (1 + v1/32768) * float64(c.p1)
	if v1 == 0 {
		return 0
	}
	x := (1048576 - adc - v2/4096) * 6250 / v1
	return x + (p(9)*x*x/2147483648+x*p(8)/32768+p(7))/16
}

func (c *bmeCalibration) percent(adc, fine float64) float64 {
	h := fine - 76800
	h = (adc - (float64(c.h4)*64 + float64(c.h5)/16384*h)) *
		(float64(c.h2) / 65536 * (1 + float64(c.h6)/67108864*h*(1+float64(c.h3)/67108864*h)))
	h *= 1 - float64(c.h1)*h/524288
	return math.Max(0, math.Min(100, h))
}
