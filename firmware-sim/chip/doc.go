// Package chip is the register-level twin of every chip the gateway reads: EZO-DO, -pH, -EC, -ORP and -RTD, ADS1115 with capacitive soil
// probes, SHT4x, BME280 and DS18B20.
//
// A physical value comes in from the world, bits go out: behind periph's i2c.Bus, as the files the kernel's w1 driver
// shows, or on a serial line. Each model keeps its chip's registers, takes its chip's time (by the clock it was given, so a virtual one works)
// and refuses what its chip refuses. The gateway's drivers cannot tell the difference; that is the point.
package chip
