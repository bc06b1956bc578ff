// Package calibrate leads a person through the calibration of a probe and keeps what came of it.
//
// A driver, its bus and a person's answers come in; a probe that measures right, coefficients in force and a signed record
// (wire.DocCalibration, see FORMAT.md) go out. A Desk knows every sensor of the gateway, leads at most one Session for each,
// and stands between the drivers and everybody who reads them: it applies coefficients, marks values uncalibrated when a
// calibration is missing or overdue, and gives no value at all while the probe is out of its place.
//
// Procedures are data (Step) and, for each family of probes, the few lines of code that ask and tell it: ezo.go, soil.go,
// linear.go. Every question to a probe holds its bus, so that a poll never talks into it.
package calibrate
