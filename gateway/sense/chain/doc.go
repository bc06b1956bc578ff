// Package chain is what stands between a graded reading and the Sink: is the value plausible, what is left of it when noise
// is taken away, and is it worth sending.
//
// Readings of one channel come in, in the order they were taken; the same readings come out, some of them Suspect, some
// with a filtered value beside the raw one, and of these only those that say something new. A fault always passes, and no
// filter bridges one. Nothing here knows of chips or of wall time: everything is counted in the machine's uptime.
package chain
