package ingest

import "time"

// Passage is where a batch spent its time until it was in the log.
type Passage struct {
	Chain Chain
	Seq   uint64
	// In order: it came, a worker took it up, its signature was good, its commit began, it was in the log.
	Received, Opening, Opened, Committing, Committed time.Time
}

// Traced is told of batches that were committed. It must not block.
type Traced interface {
	Passed(p Passage)
	// Receipted is told that a receipt was signed and handed to the broker, for a chain up to a batch.
	Receipted(c Chain, upto uint64, begin, end time.Time)
}

// trace tells of a committed group.
func (n *Ingest) trace(group []*item, begin, end time.Time) {
	if n.Traced == nil {
		return
	}
	for _, it := range group {
		if it.verdict == stored {
			n.Traced.Passed(Passage{it.row.Chain, it.row.Seq, it.received, it.opening, it.opened, begin, end})
		}
	}
}
