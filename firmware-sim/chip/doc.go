// Package chip is the register-level twin of every chip the gateway reads: EZO-DO, -pH, -EC, -ORP and -RTD, ADS1115 with soil probes,
// current transducers and the analog boards of templates, SHT3x, SHT4x, seesaw soil probe, BME280, DS18B20, Modbus units and UART level
// sensors; and of the aerators it switches.
//
// A physical value comes in from the world, bits go out: behind periph's i2c.Bus and onewire.Bus, as the files the kernel's w1 driver
// shows, or on a serial line. Each model keeps its chip's registers, takes its chip's time (by the clock it was given, so a virtual one works)
// and refuses what its chip refuses. The gateway's drivers cannot tell the difference; that is the point.
package chip
