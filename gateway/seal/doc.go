// Package seal takes readings and makes signed batches of them.
//
// Readings come in (Sealer is a sense.Sink) and are committed to the spool within seconds; every half minute, or every
// quarter of an hour while there is no link, the committed ones become a batch of gateway/wire, signed and chained, in the
// spool. While the disk fails readings wait in memory, and what does not fit there is declared as a gap. FORMAT.md
// specifies a reading's bytes in the spool.
package seal
