// Package transducer reads a motor's current: a current transformer with a rectified, smoothed output (0 to 3.3 V, say, for 0
// to 20 A) at an input of an ADS1115.
//
// Volts come in, ampere go out, along one straight line. An idle motor gives the transducer's zero, so 0 V is a value and no
// fault here; an input that nothing is plugged into must read 0 V, too, and not the half volt it floats at: put 100 kΩ from
// the input to ground (hardware/pi/README.md). A transducer that fell off then looks like a motor that does not run, never
// like one that does.
package transducer
