// Package ezo reads Atlas Scientific EZO circuits: an I²C bus comes in, dissolved oxygen or pH goes out.
//
// Data sheets: Atlas Scientific, EZO-DO and EZO-pH circuit, "I²C mode". A command is written, the circuit works
// for a time that the command fixes, and the answer is read in a transaction of its own: one status byte, ASCII, zeros.
// On the Raspberry Pi bit 7 of answered bytes comes out wrong now and then (Atlas Scientific's sample code for the Pi),
// so it is cleared in every byte but the first.
//
// Compensation: with a thermometer the water temperature goes along with each question ("RT,27.30"). When its last good
// value is missing or too old, 25 °C goes along and the value is marked estimated. Without a thermometer the circuit is
// asked plainly ("R"), uses the temperature somebody set in it, and the value is marked estimated as well.
//
// Calibration: the circuit is asked whether it was calibrated ("Cal,?") before its first value and after every fault, and
// each time while the answer is no; its values are marked uncalibrated then.
package ezo
