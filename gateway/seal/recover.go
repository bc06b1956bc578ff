package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// Renew gives the spool a new epoch after spool.ErrDamaged or spool.ErrAhead, seals again what can still be read, and
// declares the rest as a gap that ends now.
func (s *Sealer) Renew(ctx context.Context, cause error, now measure.Instant) error {
	s.opts.Log.Error("the spool begins a new epoch", slog.Any("err", cause))
	s.work.Lock()
	defer s.work.Unlock()
	err := s.rescueLocked(ctx, cause, now, s.store.Renew)
	if err == nil {
		err = s.sealAllLocked(ctx)
	}
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return nil
}

// salvage takes what can still be read out of a spool file that was set aside, and declares the rest as a gap that ends
// now.
func (s *Sealer) salvage(ctx context.Context, cause error) error {
	s.opts.Log.Error("a corrupt spool file was set aside", slog.Any("err", cause))
	return s.rescueLocked(ctx, cause, s.opts.Now(), s.store.Salvage)
}

func (s *Sealer) rescueLocked(ctx context.Context, cause error, now measure.Instant, do func(context.Context, spool.Rescuer) (spool.Rescue, error)) error {
	r := rescuer{now: now}
	if errors.Is(cause, spool.ErrAhead) {
		r.hole = true // the numbers the server has and we do not: lost here, if not there
	}
	got, err := do(ctx, r.piece)
	if err != nil {
		return err
	}
	s.last = measure.Instant{}
	s.opts.Log.Warn("read back what could be read", slog.String("epoch", got.Epoch), slog.Int("batches", got.Batches),
		slog.Int("records", got.Records), slog.Int("holes", got.Holes))
	return nil
}

// rescuer turns the pieces of a damaged spool back into records, with a gap where there was a hole.
type rescuer struct {
	now  measure.Instant
	last measure.Instant // of the newest record found; Boot empty before the first
	hole bool            // something was lost since
}

func (r *rescuer) piece(p spool.Piece) ([][]byte, error) {
	switch p.Kind {
	case spool.PieceHole:
		r.hole = true
	case spool.PieceSealed:
		b, err := wire.OpenUnverified(p.Sealed)
		if err != nil {
			r.hole = true   // its checksum holds, so this was sealed by a program that spoke another format
			return nil, nil //nolint:nilerr // a batch that cannot be read is a hole, declared like any other
		}
		return r.records(unpack(b))
	case spool.PieceRecords:
		var found []record
		for _, raw := range p.Records {
			rec, err := decode(raw)
			if err != nil {
				r.hole = true
				continue
			}
			found = append(found, rec)
		}
		return r.records(found)
	case spool.PieceEnd:
		if r.hole {
			raw, err := gapRecord(gapBetween(r.last, r.now, wire.GapSpoolCorrupt, 0)).encode()
			return [][]byte{raw}, err
		}
	}
	return nil, nil
}

func (r *rescuer) records(found []record) ([][]byte, error) {
	var out [][]byte
	for _, rec := range found {
		if r.hole {
			raw, err := gapRecord(gapBetween(r.last, rec.at, wire.GapSpoolCorrupt, 0)).encode()
			if err != nil {
				return nil, err
			}
			out, r.hole = append(out, raw), false
		}
		raw, err := rec.encode()
		if err != nil {
			return nil, err
		}
		out, r.last = append(out, raw), rec.at
	}
	return out, nil
}

// unpack lists what a batch holds as records.
func unpack(b *wire.Batch) []record {
	out := make([]record, 0, 1+len(b.Gaps)+len(b.Documents)+len(b.Readings))
	if b.Anchor != nil {
		out = append(out, anchorRecord(measure.Instant{Wall: b.Anchor.Wall, Uptime: b.Anchor.Uptime, Clock: b.Clock, Boot: b.Boot}))
	}
	for _, g := range b.Gaps {
		out = append(out, gapRecord(g))
	}
	for _, d := range b.Documents {
		out = append(out, docRecord(d))
	}
	for _, r := range b.Readings {
		out = append(out, readingRecord(r))
	}
	return out
}
