// Package ads1115 reads the ADS1115 analog-to-digital converter: an I²C bus comes in, volts go out.
//
// Data sheet: Texas Instruments, ADS111x 16-bit ADC, SBAS444 (registers 8.6: conversion 0, config 1). One conversion at a
// time (single shot), input against ground, ±4.096 V, 128 samples per second. An input must stay below the supply
// + 0.3 V.
package ads1115
