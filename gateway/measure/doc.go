// Package measure is the vocabulary of a reading: what was measured, in which unit, when, how well.
//
// Nothing comes in and nothing goes out: the gateway, the simulator and the server all speak these words, so the
// package imports the standard library alone and holds no behaviour beyond validity.
package measure
