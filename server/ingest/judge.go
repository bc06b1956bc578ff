package ingest

import (
	"context"

	"aovuon/gateway/wire"
)

// verdict is what becomes of a verified batch.
type verdict int

const (
	stored    verdict = iota // it is the next of its chain
	duplicate                // it is in the log already
	ahead                    // batches before it are missing
	waiting                  // as ahead, for a moment: another process may have them
	broken                   // it does not name the batch before it
	replayed                 // its number is in the log with other bytes
)

// judge decides over the batches of one commit, in the order they came.
type judge struct {
	heads map[Chain]Head
	at    HashAt
	fresh map[stamp]wire.Hash // what this commit stores
}

type stamp struct {
	Chain
	seq uint64
}

func newJudge(heads map[Chain]Head, at HashAt) *judge {
	return &judge{heads: heads, at: at, fresh: map[stamp]wire.Hash{}}
}

// decide says what becomes of a batch and, where it is to be stored, moves the head of its chain.
func (j *judge) decide(ctx context.Context, c Chain, seq uint64, prev, hash wire.Hash) (verdict, error) {
	head := j.heads[c]
	switch {
	case seq > head.Seq+1:
		return ahead, nil
	case seq == head.Seq+1:
		if prev != head.Hash {
			return broken, nil
		}
		j.heads[c] = Head{Seq: seq, Hash: hash}
		j.fresh[stamp{c, seq}] = hash
		return stored, nil
	}
	known, ok := j.fresh[stamp{c, seq}]
	if !ok && seq == head.Seq {
		known, ok = head.Hash, true
	}
	if !ok {
		var err error
		if known, ok, err = j.at(ctx, c, seq); err != nil {
			return 0, err
		}
	}
	if !ok || known != hash { // a head without the row before it is no reason to trust the newcomer
		return replayed, nil
	}
	return duplicate, nil
}
