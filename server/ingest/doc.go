// Package ingest is the server's front door for readings. Messages come in from a broker; verified batches go out to the
// batch log, signed receipts go back to the gateways, and what cannot be verified goes to the quarantine.
//
// A receipt is sent only after the commit of what it covers. Nothing that arrives can stop the queue: a message is
// either committed, recognised as stored before, or refused with a reason.
package ingest

import (
	"context"
	"time"

	"aovuon/gateway/wire"
)

// Chain is one gateway's sequence of batches.
type Chain struct {
	Gateway, Epoch string
}

// Head is the newest batch of a chain in the log. The zero Head stands for a chain without one.
type Head struct {
	Seq  uint64
	Hash wire.Hash
}

// Row is one verified batch on its way into the log.
type Row struct {
	Chain
	Seq      uint64
	Hash     wire.Hash // of the sealed bytes
	Received time.Time
	Body     []byte // the sealed bytes as Log.Pack made them
}

// Record is one batch of the log.
type Record struct {
	Position int64 // 1, 2, 3 ... without holes, over all gateways
	Received time.Time
	Batch    *wire.Batch
}

// Size is what r weighs in memory, counted in readings: a gap is about as large as one, a document may be larger.
func (r *Record) Size() int {
	n := len(r.Batch.Readings) + len(r.Batch.Gaps)
	for i := range r.Batch.Documents {
		n += 1 + len(r.Batch.Documents[i].Body)/100 // a reading takes about as many bytes in memory
	}
	return n
}

// HashAt returns the hash of a stored batch; ok is false where the log has none with that number.
type HashAt func(ctx context.Context, c Chain, seq uint64) (h wire.Hash, ok bool, err error)

// Log is the batch log.
type Log interface {
	// Append commits the rows that decide returns, in their order, in one transaction. Heads holds the head of every one
	// of chains that has any; no other process can append between the two. Decide may be called again by a later Append,
	// never twice by one. Last is the position of the last row; the rows before it have the positions before it.
	Append(ctx context.Context, chains []Chain, decide func(heads map[Chain]Head, at HashAt) ([]Row, error)) (last int64, err error)
	// Pack returns the form in which the log stores sealed bytes. It is safe for concurrent use.
	Pack(sealed []byte) []byte
}
