// Package seesaw reads Adafruit's capacitive soil probe (4026): an I²C bus comes in, counts of its touch input and the
// soil's temperature go out.
//
// Source: Adafruit, "Adafruit STEMMA Soil Sensor" and the library Adafruit_Seesaw: a microcontroller (SAMD09 or SAMD10)
// whose registers are asked with two bytes, module and function, and answer some milliseconds later in a transaction of
// their own. Counts run from about 200 dry to 2000 wet. While the touch input is busy it gives 65535; it is asked again
// then, a millisecond longer each time, up to five times in all. The temperature is that of the microcontroller: ±2 °C.
//
// Counts are no water content: probes and soils differ too much.
package seesaw
