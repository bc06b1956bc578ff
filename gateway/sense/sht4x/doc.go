// Package sht4x reads the SHT40, SHT41 and SHT45 thermometers and hygrometers: an I²C bus comes in, air temperature and
// relative humidity go out.
//
// Data sheet: Sensirion, SHT4x ("Command Overview", "Checksum Calculation", "Conversion of Signal Output"). Measured with
// the highest repeatability, command 0xFD, at most 8.3 ms; the chip does not acknowledge a read before that.
//
// # Why humidity beyond 0 and 100 % is kept
//
// The data sheet's formula gives −6 to 119 %RH and lets the user crop what is beyond 0 and 100. Nothing is cropped here:
// a value beyond is kept and marked out-of-range by the limits of the quantity, so that a hygrometer that has drifted
// shows it. Dew on the sensor does the same for some hours of a humid night.
package sht4x
