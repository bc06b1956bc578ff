package sensetest

// The golden vectors: bytes on a wire and what they are worth, by data sheets, makers' examples and programs that were run. The
// drivers read them, and the simulated chips (firmware-sim/chip) have to write them.

// Scratchpad is a DS18B20's memory.
type Scratchpad struct {
	Bytes   [9]byte
	Celsius float64
	Genuine bool // byte 6 is what a genuine chip has after this conversion
	PowerUp bool // it is no conversion
}

// Scratchpads are vectors of the DS18B20; those below zero, the true and the false 85 °C by its data sheet, table 1.
func Scratchpads() []Scratchpad {
	return []Scratchpad{
		{Bytes: [9]byte{0x9e, 0x01, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0x8a}, Celsius: 25.875},
		{Bytes: [9]byte{0x9e, 0x01, 0x4b, 0x46, 0x7f, 0xff, 0x02, 0x10, 0x56}, Celsius: 25.875, Genuine: true},
		{Bytes: [9]byte{0xf4, 0x01, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0xc7}, Celsius: 31.25, Genuine: true},
		{Bytes: [9]byte{0xf6, 0x00, 0x4b, 0x46, 0x7f, 0xff, 0x0a, 0x10, 0xd6}, Celsius: 15.375, Genuine: true},
		{Bytes: [9]byte{0x50, 0x05, 0x4b, 0x46, 0x7f, 0xff, 0x0c, 0x10, 0x1c}, Celsius: 85, PowerUp: true},
	}
}

// Hygrometer is a reply of Sensirion's SHT3x and SHT4x.
type Hygrometer struct {
	Reply        [6]byte
	Celsius      float64
	SHT3x, SHT4x float64 // relative humidity, %, uncropped
}

// Hygrometers are vectors of the SHT3x and SHT4x. Sensirion's CRC of 00 00 is 81, of FF FF is AC, of BE EF is 92.
func Hygrometers() []Hygrometer {
	return []Hygrometer{
		{[6]byte{0x66, 0x66, 0x93, 0x80, 0x00, 0xA2}, 25, 50.0008, 56.501},
		{[6]byte{0x00, 0x00, 0x81, 0x00, 0x00, 0x81}, -45, 0, -6},
		{[6]byte{0xFF, 0xFF, 0xAC, 0xFF, 0xFF, 0xAC}, 130, 100, 119},
		{[6]byte{0xBE, 0xEF, 0x92, 0xBE, 0xEF, 0x92}, 85.5230, 74.5846, 87.2307},
	}
}

// BME280 is a calibration with the data sheet's example for temperature and pressure, raw values, and what they are worth.
type BME280 struct {
	High     [7]byte // registers 0xE1 to 0xE7
	H4, H5   int16
	T, H     uint32 // raw
	Celsius  float64
	Humidity float64 // %
}

// BME280s are vectors of the BME280 by its integer formulas, with negative H4 and H5 among them.
func BME280s() []BME280 {
	return []BME280{
		{[7]byte{0x6E, 0x01, 0x00, 0x13, 0x25, 0x03, 0x1E}, 309, 50, 519888, 28000, 25.08, 45.781},
		{[7]byte{0x6E, 0x01, 0x00, 0xFC, 0x2E, 0x03, 0x1E}, -50, 50, 519888, 5000, 25.08, 45.646},
		{[7]byte{0x6E, 0x01, 0x00, 0x13, 0xE5, 0xFC, 0x1E}, 309, -50, 519888, 28000, 25.08, 47.562},
		{[7]byte{0x6E, 0x01, 0x00, 0x13, 0xF5, 0xFF, 0x1E}, 309, -1, 519888, 28000, 25.08, 46.694},
		{[7]byte{0x6E, 0x01, 0x00, 0x13, 0xE5, 0xFC, 0x1E}, 309, -50, 480000, 28000, 12.57, 45.166},
	}
}

// The pressure of the data sheet's example.
const (
	BME280RawPressure    = 415148
	BME280RawTemperature = 519888
	BME280Hectopascal    = 1006.5327
)

// Conversion is a result of an ADS1115 in its range of ±4.096 V.
type Conversion struct {
	Raw   [2]byte
	Volts float64
}

// Conversions are vectors of the ADS1115: 125 µV each.
func Conversions() []Conversion {
	return []Conversion{
		{[2]byte{0x40, 0x00}, 2.048}, {[2]byte{0x00, 0x01}, 0.000125}, {[2]byte{0x7F, 0xFF}, 4.095875}, {[2]byte{0xFF, 0xFF}, -0.000125}, {[2]byte{0x20, 0x00}, 1.024},
	}
}

// SoilReading is what a seesaw soil probe answers.
type SoilReading struct {
	Touch       [2]byte
	Counts      float64
	Temperature [4]byte
	Celsius     float64
}

// SoilReadings are vectors of the seesaw.
func SoilReadings() []SoilReading {
	return []SoilReading{
		{[2]byte{0x03, 0xF8}, 1016, [4]byte{0x00, 0x1C, 0x40, 0x00}, 28.25},
		{[2]byte{0x00, 0xC8}, 200, [4]byte{0xFF, 0xFE, 0x80, 0x00}, -1.5},
	}
}

// EZOReply is the golden frame of an EZO circuit: what it answers to a question for 7.312 once it is ready.
func EZOReply() (frame []byte, text string, value float64) {
	return []byte{0x01, 0x37, 0x2E, 0x33, 0x31, 0x32, 0x00}, "7.312", 7.312
}

// Ultrasonic is the maker's own example of a level sensor's frame, and its distance in mm.
func Ultrasonic() (frame []byte, mm int) { return []byte{0xFF, 0x07, 0xA1, 0xA7}, 1953 }
