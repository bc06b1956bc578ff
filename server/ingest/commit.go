package ingest

import (
	"context"
	"log/slog"
	"time"
)

// Waits between tries while the database fails.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// commitAll commits verified batches in groups: one fsync serves all that came while the one before it was written.
func (n *Ingest) commitAll(ctx context.Context) error {
	group := make([]*item, 0, n.GroupLimit)
	var held []*item
	for {
		group = n.gather(ctx, append(group[:0], held...))
		if len(held) > 0 {
			inOrder(group)
		}
		if len(group) == 0 || !n.commitUntilDone(ctx, group) {
			return nil // ctx ended
		}
		held = n.report(group)
	}
}

// gather waits for one batch, or for a moment where some are held, and then a moment for more.
func (n *Ingest) gather(ctx context.Context, group []*item) []*item {
	var again <-chan time.Time
	if len(group) > 0 {
		t := time.NewTimer(holdEach)
		defer t.Stop()
		again = t.C
	}
	select {
	case <-ctx.Done():
		return nil
	case <-again:
		return group
	case it := <-n.verified:
		group = append(group, it)
	}
	wait := time.NewTimer(n.GroupWait)
	defer wait.Stop()
	for len(group) < n.GroupLimit {
		select {
		case it := <-n.verified:
			group = append(group, it)
		case <-wait.C:
			return group
		case <-ctx.Done():
			return nil
		}
	}
	return group
}

// commitUntilDone tries until the group is in the log. Meanwhile the queue fills and pushes back: nothing is dropped.
// It returns false when ctx ends before.
func (n *Ingest) commitUntilDone(ctx context.Context, group []*item) bool {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		begin := n.Now()
		err := n.commit(ctx, group)
		if err == nil {
			end := n.Now()
			n.Metrics.commits.Observe(end.Sub(begin).Seconds())
			n.trace(group, begin, end)
			if n.trouble.Swap(nil) != nil {
				n.Logger.Info("batches are committed again")
			}
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		n.Metrics.failures.Inc()
		now := &trouble{text: err.Error(), since: begin}
		if old := n.trouble.Load(); old != nil {
			now.since = old.since
		}
		if n.trouble.Swap(now) == nil {
			n.Logger.Error("batches cannot be committed, they wait", slog.Int("batches", len(group)), slog.Any("err", err))
		}
		again := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			again.Stop()
			return false
		case <-again.C:
		}
	}
}

// commit puts one group through one transaction.
func (n *Ingest) commit(ctx context.Context, group []*item) error {
	chains := make([]Chain, 0, len(group))
	seen := make(map[Chain]struct{}, len(group))
	for _, it := range group {
		if _, ok := seen[it.row.Chain]; !ok {
			seen[it.row.Chain] = struct{}{}
			chains = append(chains, it.row.Chain)
		}
	}
	var rows []Row
	var heads map[Chain]Head
	last, err := n.Log.Append(ctx, chains, func(h map[Chain]Head, at HashAt) ([]Row, error) {
		heads, rows = h, make([]Row, 0, len(group))
		j := newJudge(h, at)
		for _, it := range group {
			var err error
			if it.verdict, err = j.decide(ctx, it.row.Chain, it.row.Seq, it.batch.Prev, it.row.Hash); err != nil {
				return nil, err
			}
			if it.verdict == stored {
				rows = append(rows, it.row)
			}
		}
		return rows, nil
	})
	if err != nil {
		return err
	}
	n.hold(group)
	n.publish(group, last-int64(len(rows)))
	n.receipt(group, heads)
	return nil
}

// publish tells whoever follows the log what is new in it, after position.
func (n *Ingest) publish(group []*item, position int64) {
	records := make([]Record, 0, len(group))
	readings, now := 0, n.Now()
	for _, it := range group {
		if it.verdict == stored {
			n.Metrics.took.Observe(now.Sub(it.received).Seconds())
			position++
			readings += len(it.batch.Readings)
			records = append(records, Record{Position: position, Received: it.received, Batch: it.batch})
		}
	}
	n.Metrics.batches.Add(float64(len(records)))
	n.Metrics.readings.Add(float64(readings))
	n.Metrics.group.Observe(float64(len(group)))
	if n.Committed != nil && len(records) > 0 {
		n.Committed(records)
	}
}

// receipt acknowledges every chain that moved, and those whose gateway has to hear again where it stands.
func (n *Ingest) receipt(group []*item, heads map[Chain]Head) {
	upto := make(map[Chain]uint64, len(heads))
	for _, it := range group {
		if it.verdict != broken && it.verdict != replayed && it.verdict != waiting {
			upto[it.row.Chain] = heads[it.row.Chain].Seq
		}
	}
	n.receipts.add(upto)
}

// report settles a committed group and quarantines what was refused in it. It returns what waits.
func (n *Ingest) report(group []*item) (held []*item) {
	for i, it := range group {
		switch it.verdict {
		case duplicate:
			n.Metrics.duplicates.Inc()
		case ahead:
			n.Metrics.ahead.Inc()
		case broken:
			n.note(it.message, BrokenChain, "does not name the batch before it")
		case replayed:
			n.note(it.message, ReplayedSeq, "a number that is stored already, with other bytes")
		case waiting:
			held = append(held, it)
			continue
		case stored:
		}
		n.settle(it.message)
		group[i] = nil
	}
	return held
}
