// Package spool keeps what was read until the server has it: one SQLite file that survives a power cut.
//
// Records come in (Add) and are on disk when Add returns; Seal turns the oldest of them into numbered, chained batches;
// After hands batches out in order; Release deletes what the server's receipt covers. Nothing else deletes anything, but for
// Thin, which makes room among the records when the file has reached its quota. Records and batches are opaque bytes here.
// A Keeper holds a spool open while its disk comes and goes. Every row carries a checksum that is verified when it is
// read. FORMAT.md specifies the file.
package spool
