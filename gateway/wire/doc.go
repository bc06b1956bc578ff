// Package wire is the contract between gateway and server: the signed batch, the signed receipt, the enrolment card,
// the topics and the keys. FORMAT.md specifies every byte; testdata/vectors holds examples for other implementations.
//
// Readings come in and batch bytes go out on the gateway; batch bytes come in and readings go out on the server.
// Encoding is canonical: whatever Open accepts, Seal would have written, byte for byte.
package wire
