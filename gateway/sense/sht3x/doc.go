// Package sht3x reads the SHT30, SHT31 and SHT35 thermometers and hygrometers: an I²C bus comes in, air temperature and
// relative humidity go out.
//
// Data sheet: Sensirion, SHT3x-DIS ("Measurement Commands for Single Shot Data Acquisition Mode", "Conversion of Signal
// Output"). Measured once with the highest repeatability and without clock stretching, command 0x2400, at most 15 ms: the
// Raspberry Pi's controller does not cope with a stretched clock. The chip does not acknowledge a read before that.
package sht3x
