package seal

import (
	"errors"
	"log/slog"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// build makes the next batch of the oldest records: as many as are of one boot and one clock state and fit. It is what
// spool.Seal calls. What cannot be read or sealed never blocks the queue: it is counted, and declared as a gap.
func (s *Sealer) build(next spool.Next, raw [][]byte) ([]byte, int, error) {
	if next.Waiting >= uint64(s.opts.Ahead) {
		s.mu.Lock()
		s.held = true
		s.mu.Unlock()
		return nil, 0, nil
	}
	group, used, bad := decodeGroup(raw)
	if len(group) == 0 {
		s.opts.Log.Error("records cannot be read; dropped", slog.Int("records", bad), slog.Uint64("seq", next.Seq))
		return nil, used, nil
	}
	// used counts the raw records behind group; bad ones only ever stand before or between, so a shorter group leaves
	// the ones after it for the next batch.
	for n := min(len(group), wire.MaxRecords-1, fitting(group)); ; {
		b := s.batch(next, group[:n], bad)
		sealed, err := wire.Seal(b, s.opts.Signer)
		switch {
		case err == nil:
			s.last = group[n-1].at
			return sealed, used - (len(group) - n), nil
		case n > 1 && errors.Is(err, wire.ErrTooLarge):
			n = n * 9 / 10
		case n > 1:
			n = 1
		default:
			s.opts.Log.Error("a record cannot be sealed; dropped", slog.Uint64("seq", next.Seq), slog.Any("err", err))
			return nil, 1, nil
		}
	}
}

// decodeGroup reads records up to the first that belongs in another batch. Where some before or between cannot be read,
// the group ends at the last readable one before the next hole, so that used is exact.
func decodeGroup(raw [][]byte) (group []record, used, bad int) {
	for _, b := range raw {
		r, err := decode(b)
		if err != nil {
			if len(group) > 0 {
				return group, used, bad
			}
			bad++
			used++
			continue
		}
		if len(group) > 0 && (r.at.Boot != group[0].at.Boot || r.at.Clock != group[0].at.Clock) {
			return group, used, bad
		}
		group = append(group, r)
		used++
	}
	return group, used, bad
}

// roomy is where the estimate of a batch's size stops; the rest of wire.MaxBatchBytes is header and signature.
const roomy = wire.MaxBatchBytes - 1_500

// fitting estimates how many records fit. Too many is found out by wire.Seal.
func fitting(group []record) int {
	size := 0
	for i, r := range group {
		size += 36 + len(r.reading.Sensor) + len(r.reading.Quantity) + len(r.reading.Inputs) + len(r.doc.Body)*4/3
		if size > roomy {
			return max(i, 1)
		}
	}
	return len(group)
}

func (s *Sealer) batch(next spool.Next, group []record, bad int) *wire.Batch {
	at := group[0].at
	b := &wire.Batch{
		Gateway: s.opts.Gateway, Epoch: next.Epoch, Seq: next.Seq, Prev: wire.Hash(next.Prev), Clock: at.Clock, Boot: at.Boot,
		Readings: make([]measure.Reading, 0, len(group)),
	}
	if next.Damaged > 0 || bad > 0 {
		b.Gaps = append(b.Gaps, gapBetween(s.last, at, wire.GapSpoolCorrupt, uint64(bad)))
		if next.Damaged > 0 {
			b.Gaps[0].Lost = 0 // a row that cannot be read does not say how many it held
		}
	}
	for _, r := range group {
		switch r.kind {
		case kindReading, kindTraced:
			b.Readings = append(b.Readings, r.reading)
		case kindAnchor:
			if b.Anchor == nil {
				b.Anchor = &wire.Anchor{Uptime: r.at.Uptime, Wall: r.at.Wall}
			}
		case kindGap:
			b.Gaps = append(b.Gaps, r.gap)
		case kindDoc:
			b.Documents = append(b.Documents, r.doc)
		}
	}
	for i := range b.Documents {
		b.Documents[i].Time = travelling(b.Documents[i].Time)
	}
	for i := range b.Readings {
		b.Readings[i].Time = travelling(b.Readings[i].Time)
	}
	for i := range b.Gaps {
		b.Gaps[i].From, b.Gaps[i].To = travelling(b.Gaps[i].From), travelling(b.Gaps[i].To)
	}
	return b
}

// travelling leaves of an instant what a batch carries: the wall time, or the uptime where there is no wall time.
func travelling(at measure.Instant) measure.Instant {
	if at.Clock == measure.Unsynced {
		at.Wall = time.Time{}
	} else {
		at.Uptime = 0
	}
	return at
}

// gapBetween declares a loss after from and before to, in the clock of to. Where from cannot be told in that clock, the
// gap has no length: its extent is unknown.
func gapBetween(from, to measure.Instant, why wire.GapReason, lost uint64) wire.Gap {
	start := to
	switch {
	case to.Clock == measure.Unsynced && from.Boot == to.Boot:
		start.Uptime = min(from.Uptime, to.Uptime)
	case to.Clock == measure.Unsynced && from.Boot != "":
		start.Uptime = 0 // it began before this boot
	case to.Clock == measure.Unsynced || from.Boot == "":
	case !from.Wall.IsZero() && from.Wall.Before(to.Wall):
		start.Wall = from.Wall
	case from.Wall.IsZero() && from.Boot == to.Boot && from.Uptime < to.Uptime && to.Uptime != 0:
		start.Wall = to.Wall.Add(from.Uptime - to.Uptime)
	}
	g := wire.Gap{From: start, To: to, Lost: lost, Reason: why}
	if fits(g.From) != nil {
		g.From = to
	}
	return g
}
