// Package ezo reads Atlas Scientific EZO circuits: an I²C bus comes in; dissolved oxygen, pH, conductivity, redox potential
// or temperature goes out. It also carries the commands that calibrate them.
//
// Data sheets: Atlas Scientific, EZO-DO, EZO-pH, EZO-EC, EZO-ORP and EZO-RTD circuit, "I²C mode". A command is written, the
// circuit works for a time that command and circuit fix, and the answer is read in a transaction of its own: one status
// byte, ASCII, zeros. On the Raspberry Pi bit 7 of answered bytes comes out wrong now and then (Atlas Scientific's sample
// code for the Pi), so it is cleared in every byte but the first.
//
// # What is asked before the first value
//
// Once, and again after every fault, since who knows which circuit answers next: what it is ("I"; a pH circuit where an
// oxygen circuit is configured is refused, its numbers would look plausible), what it puts out ("O,?" of oxygen and
// conductivity, "S,?" of temperature: a per cent or a Fahrenheit looks plausible, too), and whether it was calibrated
// ("Cal,?"; each time while the answer is no, its values are uncalibrated then). A circuit that puts out something else is
// told to put out what is wanted. RTD circuits convert a platinum resistor by its norm: they are good without calibration.
//
// # Compensation
//
// The water temperature goes along with each question ("RT,27.30") to oxygen, pH and conductivity. Oxygen circuits are also
// told salinity ("S,1.20,ppt") and air pressure ("P,100.90"). Those two are asked back before every value: a circuit that
// lost its power for a moment answers with its defaults, as if nothing had happened, and is then asked everything anew.
// An input that nobody knows is assumed (25 °C, 0 ‰, 1013.25 hPa), one that is too old is used all the same; the value is
// estimated then. Conductivity comes compensated to 25 °C by the circuit, 2 % for each degree.
package ezo
