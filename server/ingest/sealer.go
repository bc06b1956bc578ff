package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// sealedAtOnce is how many readings the server seals into one batch: with the longest names there are they stay below wire.MaxBatchBytes.
const sealedAtOnce = 300

// Sealer puts the readings of a source that cannot sign into the log, in batches that the server itself seals. They go through the commit that
// every batch goes through, and the chain is continued inside its transaction: several processes with the same key take turns and make no fork.
type Sealer struct {
	log       Log
	signer    note.Signer
	chain     Chain
	boot      string
	now       func() time.Time
	committed func([]Record)
}

// NewSealer returns the sealer of a source: signer is the server's key for it, vkey its public half. committed is told of every commit; it may be
// nil, and must not block.
func NewSealer(log Log, signer note.Signer, vkey string, now func() time.Time, committed func([]Record)) *Sealer {
	sum := sha256.Sum256([]byte("aovuon/sealed-by-the-server/1\n" + vkey)) // a new key begins a new epoch
	id := hex.EncodeToString(sum[:])
	return &Sealer{log: log, signer: signer, chain: Chain{signer.Name(), id[:16]}, boot: id[16:32], now: now, committed: committed}
}

// Seal makes readings durable: nil means that all of them are in the log. Their times must be wall times. After an error none, or all but the last
// few hundred, may be there; sealing them again is harmless to the history, where the same sensor, quantity and time are one point.
func (s *Sealer) Seal(ctx context.Context, readings []measure.Reading) error {
	for len(readings) > 0 {
		n := min(len(readings), sealedAtOnce)
		if err := s.seal(ctx, readings[:n]); err != nil {
			return fmt.Errorf("ingest: seal readings of %s: %w", s.chain.Gateway, err)
		}
		readings = readings[n:]
	}
	return nil
}

var errNotNext = errors.New("not the next of its chain")

// seal is one batch. It is signed inside the transaction, where nobody else can move the chain's head.
func (s *Sealer) seal(ctx context.Context, readings []measure.Reading) error {
	b := &wire.Batch{Gateway: s.chain.Gateway, Epoch: s.chain.Epoch, Clock: measure.Synced, Boot: s.boot, Readings: readings}
	received := s.now()
	last, err := s.log.Append(ctx, []Chain{s.chain}, func(heads map[Chain]Head, at HashAt) ([]Row, error) {
		head := heads[s.chain]
		b.Seq, b.Prev = head.Seq+1, head.Hash
		sealed, err := wire.Seal(b, s.signer)
		if err != nil {
			return nil, err
		}
		row := Row{Chain: s.chain, Seq: b.Seq, Hash: wire.HashOf(sealed), Received: received, Body: s.log.Pack(sealed)}
		v, err := newJudge(heads, at).decide(ctx, s.chain, b.Seq, b.Prev, row.Hash)
		if err == nil && v != stored {
			err = errNotNext
		}
		return []Row{row}, err
	})
	if err == nil && s.committed != nil {
		s.committed([]Record{{Position: last, Received: received, Batch: b}})
	}
	return err
}
