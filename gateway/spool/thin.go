package spool

import (
	"context"
	"database/sql"
	"slices"
)

// thinBlock is how many records are thinned in one transaction: its size bounds the log and the memory.
const thinBlock = 4_000

// Thinner is given a run of waiting records, oldest first, and returns those that stay, in order, among them what declares
// the others. What it does not return is deleted.
type Thinner func(records [][]byte) (keep [][]byte, err error)

// Thinned is what came of Thin.
type Thinned struct {
	Before, After int    // records looked at, and how many of them are left
	Used          uint64 // bytes in use now
	Enough        bool   // this is what was asked for
}

// Thin hands the waiting records to f, oldest first and a block at a time, until no more than target bytes of the file are
// in use or there are no more. Each block is replaced in a transaction of its own. Records that were thinned at this level
// already, by this program, are not looked at again. Sealed batches are never touched: they are chained, and the server
// may have them.
func (s *Spool) Thin(ctx context.Context, level int, target uint64, f Thinner) (out Thinned, err error) {
	for {
		var upto int64
		more := false
		err := s.inTx(ctx, func(tx *sql.Tx) (int, error) {
			var total, free uint64
			if err := size(ctx, tx, &total, &free); err != nil {
				return 0, err
			}
			out.Used = total - free
			out.Enough = out.Used <= target
			if out.Enough {
				return 0, nil
			}
			before := out
			var err error
			upto, more, err = s.thinBlock(ctx, tx, level, f, &out)
			return (out.After - before.After) - (out.Before - before.Before), err
		})
		if err != nil {
			return out, fail("thin", err)
		}
		if !more {
			return out, nil
		}
		s.mu.Lock()
		if s.thinned == nil {
			s.thinned = map[int]int64{}
		}
		s.thinned[level] = upto
		s.mu.Unlock()
	}
}

// thinBlock thins the next rows of this level, up to the row it returns; more is false when there are none.
func (s *Spool) thinBlock(ctx context.Context, tx *sql.Tx, level int, f Thinner, out *Thinned) (upto int64, more bool, err error) {
	from, some := s.thinnedTo(level)
	if !some {
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MIN(id), 0) - 1 FROM pending`).Scan(&from); err != nil {
			return 0, false, err
		}
	}
	chunks, err := s.readChunks(ctx, tx, thinBlock, `SELECT id, n, skip, body, crc FROM pending WHERE id > $1 ORDER BY id`, from)
	if err != nil || len(chunks) == 0 {
		return 0, false, err
	}
	if chunks[0].damaged { // it stays where it is: whoever seals declares it
		return chunks[0].id, true, nil
	}
	if n := slices.IndexFunc(chunks, func(c chunk) bool { return c.damaged }); n > 0 {
		chunks = chunks[:n]
	}
	var records [][]byte
	for _, c := range chunks {
		records = append(records, c.records...)
	}
	keep, err := f(records)
	if err != nil {
		return 0, false, err
	}
	out.Before, out.After = out.Before+len(records), out.After+len(keep)
	first, last := chunks[0].id, chunks[len(chunks)-1].id
	if len(keep) == len(records) {
		return last, true, nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM pending WHERE id BETWEEN $1 AND $2`, first, last); err != nil {
		return 0, false, err
	}
	if len(keep) > 0 {
		if err := s.putPending(ctx, tx, last, keep); err != nil {
			return 0, false, err
		}
	}
	return last, true, nil // the free pages stay in the file: new records fill them
}

func (s *Spool) thinnedTo(level int) (id int64, some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, some = s.thinned[level]
	return id, some
}

// forgetThinned is called when rows were put before all others.
func (s *Spool) forgetThinned() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thinned = nil
}
