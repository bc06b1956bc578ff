package spool

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
)

// Add appends records to those waiting to be sealed, in order and all or none. When it returns nil they survive a power
// cut. On an error (disk full, read-only, failing) nothing is known to be stored; the caller keeps them and tries again.
// An empty record is refused.
func (s *Spool) Add(ctx context.Context, records [][]byte) error {
	if len(records) == 0 {
		return nil
	}
	for _, r := range records {
		if len(r) == 0 {
			return fmt.Errorf("spool: add: an empty record")
		}
	}
	if err := s.checkRoom(ctx); err != nil {
		return fail("add", err)
	}
	err := s.inTx(ctx, func(tx *sql.Tx) (int, error) {
		if err := s.checkQuota(ctx, tx); err != nil {
			return 0, err
		}
		var last int64
		if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(id), 0) FROM pending`).Scan(&last); err != nil {
			return 0, err
		}
		return len(records), s.putPending(ctx, tx, last+1, records)
	})
	if err != nil {
		return fail("add", err)
	}
	return nil
}

func (s *Spool) putPending(ctx context.Context, q querier, id int64, records [][]byte) error {
	body := pack(records)
	_, err := q.ExecContext(ctx, `INSERT INTO pending (id, n, skip, body, crc) VALUES ($1, $2, 0, $3, $4)`,
		id, len(records), body, s.pendingSum(id, len(records), 0, body))
	return err
}

// chunk is one row of records.
type chunk struct {
	id      int64
	n, skip int
	body    []byte
	records [][]byte // those not sealed yet; nil when the row is damaged
	damaged bool
}

// chunks reads the oldest rows that hold at least limit records between them, and every damaged row among them.
func (s *Spool) chunks(ctx context.Context, q querier, limit int) ([]chunk, error) {
	return s.readChunks(ctx, q, limit, `SELECT id, n, skip, body, crc FROM pending ORDER BY id`)
}

func (s *Spool) readChunks(ctx context.Context, q querier, limit int, query string, args ...any) (out []chunk, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for got := 0; got < limit && rows.Next(); {
		c := s.scanChunk(rows)
		got += len(c.records)
		out = append(out, c)
	}
	return out, rows.Err()
}

// scanChunk reads a row. One whose columns are of other types than they were written is damaged like any other.
func (s *Spool) scanChunk(rows *sql.Rows) (c chunk) {
	var sum int64
	if err := rows.Scan(&c.id, &c.n, &c.skip, &c.body, &sum); err != nil {
		c.damaged = true
		return c
	}
	all, err := unpack(c.body, c.n)
	if err != nil || sum != s.pendingSum(c.id, c.n, c.skip, c.body) || c.skip < 0 || c.skip > c.n {
		c.damaged = true
		return c
	}
	c.records = all[c.skip:]
	return c
}

// Seal takes the oldest records, at most limit, and gives them to f with the number of the batch they shall become. f
// returns the sealed batch and how many of the records it used. The batch is stored, the records it used are deleted and
// the number is taken in one transaction. Seal returns how many records were used; 0 when none was waiting.
//
// f may use records without sealing them (sealed nil, used > 0): they are dropped. f runs inside the transaction and
// must not call the Spool.
func (s *Spool) Seal(ctx context.Context, limit int, f func(next Next, records [][]byte) (sealed []byte, used int, err error)) (n int, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) (more int, err error) {
		var damaged bool
		if n, damaged, err = s.seal(ctx, tx, limit, f); err != nil || !damaged {
			return -n, err
		}
		return s.recount(ctx, tx)
	})
	if err != nil {
		return 0, fail("seal", err)
	}
	return n, nil
}

func (s *Spool) seal(ctx context.Context, tx *sql.Tx, limit int, f func(Next, [][]byte) ([]byte, int, error)) (n int, damaged bool, err error) {
	chunks, err := s.chunks(ctx, tx, limit)
	if err != nil {
		return 0, false, err
	}
	st, err := s.loadState(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	if st.aside != "" {
		return 0, false, fmt.Errorf("%s: %w", st.aside, ErrAside)
	}
	next := Next{Epoch: st.epoch, Seq: st.next, Prev: st.prev, Waiting: st.next - 1 - st.released}
	var records [][]byte
	for i, c := range chunks {
		if c.damaged && len(records) > 0 {
			chunks = chunks[:i] // what follows the hole goes into a batch of its own, which declares it
			break
		}
		if c.damaged {
			next.Damaged++
		}
		records = append(records, c.records...)
	}
	if len(records) == 0 {
		return 0, false, nil // a damaged row waits for the records after it: they carry its declaration
	}
	records = records[:min(len(records), limit)]
	sealed, used, err := f(next, records)
	switch {
	case err != nil:
		return 0, false, err
	case used < 0 || used > len(records):
		return 0, false, fmt.Errorf("%d of %d records used", used, len(records))
	case sealed == nil && used == 0:
		return 0, false, nil
	}
	if sealed != nil {
		if err := s.putSealed(ctx, tx, st, sealed); err != nil {
			return 0, false, err
		}
	}
	return used, next.Damaged > 0, s.consume(ctx, tx, chunks, used)
}

func (s *Spool) putSealed(ctx context.Context, tx *sql.Tx, st state, sealed []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sealed (seq, body, crc) VALUES ($1, $2, $3)`,
		int64(st.next), sealed, s.sealedSum(st.next, sealed))
	if err != nil {
		return err
	}
	st.next++
	st.prev = sha256.Sum256(sealed)
	return s.saveState(ctx, tx, st)
}

// consume deletes the first used records of chunks, and the damaged rows before them.
func (s *Spool) consume(ctx context.Context, tx *sql.Tx, chunks []chunk, used int) error {
	gone := int64(0) // rows up to here are done with
	some := false
	for _, c := range chunks {
		if used == 0 {
			break
		}
		if used < len(c.records) {
			c.skip += used
			_, err := tx.ExecContext(ctx, `UPDATE pending SET skip = $2, crc = $3 WHERE id = $1`,
				c.id, c.skip, s.pendingSum(c.id, c.n, c.skip, c.body))
			if err != nil {
				return err
			}
			gone, some = c.id-1, true
			break
		}
		used -= len(c.records)
		gone, some = c.id, true
	}
	if !some {
		return nil
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM pending WHERE id <= $1`, gone)
	return err
}

// After returns at most limit sealed batches of epoch that follow seq, in order and without a hole. Where the very next one
// cannot be read back the error wraps ErrDamaged; batches before a damaged one are returned without an error. Where epoch
// is not the present one it wraps ErrEpoch.
func (s *Spool) After(ctx context.Context, epoch string, seq uint64, limit int) ([]Sealed, error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, fail(fmt.Sprintf("after %d", seq), err)
	}
	out, err := s.after(ctx, tx, epoch, seq, limit)
	if err := errors.Join(err, tx.Rollback()); err != nil {
		return nil, fail(fmt.Sprintf("after %d", seq), err)
	}
	return out, nil
}

func (s *Spool) after(ctx context.Context, q querier, epoch string, seq uint64, limit int) (out []Sealed, err error) {
	st, err := s.loadState(ctx, q)
	if err != nil {
		return nil, err
	}
	if epoch != st.epoch {
		return nil, ErrEpoch
	}
	want := max(seq, st.released) + 1
	rows, err := q.QueryContext(ctx, `SELECT seq, body, crc FROM sealed WHERE seq >= $1 ORDER BY seq LIMIT $2`, int64(want), limit)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var got, sum int64
		var body []byte
		if err := rows.Scan(&got, &body, &sum); err != nil || uint64(got) != want || sum != s.sealedSum(want, body) {
			break
		}
		out = append(out, Sealed{Epoch: st.epoch, Seq: want, Body: body})
		want++
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(out) == 0 && want < st.next && limit > 0 {
		return nil, fmt.Errorf("batch %d: %w", want, ErrDamaged)
	}
	return out, nil
}

// vacuumPages is how many free pages one Release gives back to the file system at most: it bounds its time.
const vacuumPages = 2_000

// Release deletes the batches of epoch up to and including upto: the server has them. A lower number than before does
// nothing; a number that was never sealed is refused with ErrAhead, another epoch than the present one with ErrEpoch.
func (s *Spool) Release(ctx context.Context, epoch string, upto uint64) error {
	err := s.inTx(ctx, func(tx *sql.Tx) (int, error) {
		st, err := s.loadState(ctx, tx)
		if err != nil {
			return 0, err
		}
		if epoch != st.epoch {
			return 0, ErrEpoch
		}
		if upto <= st.released {
			return 0, nil
		}
		if upto >= st.next {
			return 0, fmt.Errorf("%w: it covers batch %d, the last one sealed is %d", ErrAhead, upto, st.next-1)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sealed WHERE seq <= $1`, int64(upto)); err != nil {
			return 0, err
		}
		st.released = upto
		if err := s.saveState(ctx, tx, st); err != nil {
			return 0, err
		}
		return 0, shrink(ctx, tx)
	})
	if err != nil {
		return fail("release", err)
	}
	return nil
}

// shrink gives free pages back once there is more than a megabyte of them.
func shrink(ctx context.Context, tx *sql.Tx) (err error) {
	var free int64
	if err := tx.QueryRowContext(ctx, `PRAGMA freelist_count`).Scan(&free); err != nil || free < 256 {
		return err
	}
	rows, err := tx.QueryContext(ctx, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, vacuumPages))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() { // each step moves one page
	}
	return rows.Err()
}
