// Package health reads how the gateway itself is: processor temperature, supply, disk, memory, what waits for the server,
// clock, link.
//
// A machine's files and a few numbers of the program come in, readings go out, one for each quantity that is known: what a
// machine does not tell is left out, never 0. Files are looked for below a root, so that a test's machine is a folder.
package health
