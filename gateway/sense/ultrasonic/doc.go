// Package ultrasonic reads UART ultrasonic distance sensors that look down at water: DFRobot SEN0311 (A02YYUW), SEN0312
// (ME007YS) and SEN0313 (A01NYUB), which speak alike.
//
// A sensor sends a frame every 100 to 300 ms, unasked: FF, distance in mm (high byte, low byte), sum of the three
// (wiki.dfrobot.com/sen0311/docs/21651; FF 07 A1 A7 is 1953 mm). It divides the time of the echo by a fixed speed of sound;
// sound goes with the root of the absolute temperature, 1.7 % faster for 10 °C, so the distance is brought to the
// temperature of the air. The maker does not say which temperature its speed belongs to: 20 °C is taken.
package ultrasonic
