// Package bme280 reads the BME280 thermometer, hygrometer and barometer: an I²C bus comes in, air temperature, relative
// humidity and air pressure go out.
//
// Data sheet: Bosch Sensortec, BST-BME280-DS002 (registers 5.3, calibration 4.2.2, forced mode 3.3.3, measuring time 9.1,
// floating-point formulas 8.1). The calibration is parsed here, since other drivers read the signed 12-bit numbers H4 and
// H5 as unsigned. The formulas' clamp of humidity to 0..100 % and of pressure is left out: what is beyond the limits
// is kept and marked out-of-range.
package bme280
