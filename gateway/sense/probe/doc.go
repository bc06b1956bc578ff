// Package probe knows Modbus and analog probes from templates.
//
// A template is a file (hardware/probes/*.yaml, or one of the user's) that says what a probe's registers or volts mean, how
// its line is set, how it is started, and golden frames that prove it. Templates come in, checked to the last byte: an
// error names file, line and column and how to mend it. Out goes what needs a template: Unit and Board, which are
// sense.Sensor; Encode and Volts, from which the simulator makes such a probe; the JSON schema of a template for editors.
package probe
