package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/ingest"
)

// Pack returns the form in which the log stores sealed bytes.
func (d *DB) Pack(sealed []byte) []byte { return d.codec.pack(sealed) }

// Append implements ingest.Log. Several processes on one PostgreSQL take turns: the row of log_end is locked from the
// first statement to the commit, so positions are given in commit order and no tail reader can overtake a slower append.
func (d *DB) Append(
	ctx context.Context, chains []ingest.Chain, decide func(heads map[ingest.Chain]ingest.Head, at ingest.HashAt) ([]ingest.Row, error),
) (last int64, err error) {
	var changed map[ingest.Chain]ingest.Head
	if err := d.appender.prepare(ctx); err != nil {
		return 0, err
	}
	err = d.update(ctx, "append batches", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE log_end SET position = position WHERE id = 1 RETURNING position`).Scan(&last)
		if err != nil {
			return err
		}
		heads, err := d.loadHeads(ctx, tx, chains)
		if err != nil {
			return err
		}
		rows, err := decide(heads, func(ctx context.Context, c ingest.Chain, seq uint64) (wire.Hash, bool, error) {
			return hashAt(ctx, tx, c, seq)
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		if changed, err = d.appender.insertBatches(ctx, tx, last, rows); err != nil {
			return err
		}
		last += int64(len(rows))
		_, err = tx.ExecContext(ctx, `UPDATE log_end SET position = $1 WHERE id = 1`, last)
		return err
	})
	d.heads.learn(changed, err)
	return last, err
}

func hashAt(ctx context.Context, tx *sql.Tx, c ingest.Chain, seq uint64) (h wire.Hash, ok bool, err error) {
	var raw []byte
	err = tx.QueryRowContext(ctx, `SELECT hash FROM batch WHERE gateway = $1 AND epoch = $2 AND seq = $3`,
		c.Gateway, c.Epoch, int64(seq)).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	}
	if err == nil {
		h, err = toHash(raw)
	}
	return h, err == nil, err
}

func toHash(raw []byte) (h wire.Hash, err error) {
	if len(raw) != len(h) {
		return h, fmt.Errorf("stored hash has %d bytes", len(raw))
	}
	copy(h[:], raw)
	return h, nil
}

// loadHeads returns the heads of those chains that have one: from the cache on SQLite, from the table otherwise.
func (d *DB) loadHeads(ctx context.Context, tx *sql.Tx, chains []ingest.Chain) (map[ingest.Chain]ingest.Head, error) {
	heads, missing := d.heads.known(chains)
	for len(missing) > 0 {
		n := min(len(missing), rowsAtOnce)
		args := make([]any, 0, 2*n)
		for _, c := range missing[:n] {
			args = append(args, c.Gateway, c.Epoch)
		}
		missing = missing[n:]
		err := each(ctx, tx, func(scan func(...any) error) error {
			var c ingest.Chain
			var seq int64
			var raw []byte
			if err := scan(&c.Gateway, &c.Epoch, &seq, &raw); err != nil {
				return err
			}
			h, err := toHash(raw)
			heads[c] = ingest.Head{Seq: uint64(seq), Hash: h}
			return err
		}, `SELECT gateway, epoch, seq, hash FROM chain_head WHERE (gateway, epoch) IN (VALUES `+tuples(n, 2)+`)`, args...)
		if err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// rowsAtOnce bounds the rows of one statement: below PostgreSQL's 65,535 and SQLite's 32,766 parameters, and small
// enough that the text is parsed quickly.
const rowsAtOnce = 128

// insertBatches writes rows after position last and moves their chains' heads.
func (p *appender) insertBatches(ctx context.Context, tx *sql.Tx, last int64, rows []ingest.Row) (map[ingest.Chain]ingest.Head, error) {
	heads := make(map[ingest.Chain]ingest.Head, len(rows))
	received := make(map[ingest.Chain]int64, len(rows))
	batches := make([]any, 0, 7*len(rows))
	for i := range rows {
		r := &rows[i]
		last++
		batches = append(batches, last, r.Gateway, r.Epoch, int64(r.Seq), r.Received.UnixMilli(), r.Hash[:], r.Body)
		heads[r.Chain] = ingest.Head{Seq: r.Seq, Hash: r.Hash}
		received[r.Chain] = r.Received.UnixMilli()
	}
	if err := p.batches.exec(ctx, tx, batches); err != nil {
		return nil, err
	}
	moved := make([]any, 0, 5*len(heads))
	for c, h := range heads {
		moved = append(moved, c.Gateway, c.Epoch, int64(h.Seq), h.Hash[:], received[c])
	}
	return heads, p.heads.exec(ctx, tx, moved)
}

// tuples returns n groups of k parameters: ($1, $2), ($3, $4) ...
func tuples(n, k int) string {
	var b strings.Builder
	b.Grow(n * (k*6 + 4))
	for i := range n * k {
		switch {
		case i == 0:
			b.WriteString("($")
		case i%k == 0:
			b.WriteString("), ($")
		default:
			b.WriteString(", $")
		}
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}

// LogEnd returns the position of the newest batch, 0 for an empty log.
func (d *DB) LogEnd(ctx context.Context) (position int64, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT position FROM log_end WHERE id = 1`).Scan(&position)
	if err != nil {
		return 0, fmt.Errorf("sqldb: end of log: %w", err)
	}
	return position, nil
}

// ChainCount is what the log holds of one chain.
type ChainCount struct {
	ingest.Chain
	Batches int64  // rows
	Seq     uint64 // the highest number; Batches below it says that numbers are missing
}

// CountChains counts the batches of every chain, row by row, ordered by gateway and epoch.
func (d *DB) CountChains(ctx context.Context) ([]ChainCount, error) {
	var out []ChainCount
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var c ChainCount
		var seq int64
		if err := scan(&c.Gateway, &c.Epoch, &c.Batches, &seq); err != nil {
			return err
		}
		c.Seq = uint64(seq)
		out = append(out, c)
		return nil
	}, `SELECT gateway, epoch, COUNT(*), MAX(seq) FROM batch GROUP BY gateway, epoch ORDER BY gateway, epoch`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: count chains: %w", err)
	}
	return out, nil
}

// After implements project.Source.
func (d *DB) After(ctx context.Context, position int64, records, size int) ([]ingest.Record, error) {
	return d.records(ctx, "read log", size, `SELECT position, received_ms, body FROM batch WHERE position > $1 ORDER BY position LIMIT $2`,
		position, records)
}

// takeReader returns a reader that nobody else uses; it is put back into d.readers.
func (d *DB) takeReader() *wire.Reader {
	if r, ok := d.readers.Get().(*wire.Reader); ok {
		return r
	}
	return wire.NewReader()
}

// errEnough ends a query early.
var errEnough = errors.New("enough")

// records reads rows of position, received_ms and body, up to the one with which size is reached; 0: all.
func (d *DB) records(ctx context.Context, op string, size int, query string, args ...any) ([]ingest.Record, error) {
	var out []ingest.Record
	got := 0
	reader := d.takeReader()
	defer d.readers.Put(reader)
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var r ingest.Record
		var ms int64
		var body sql.RawBytes
		if err := scan(&r.Position, &ms, &body); err != nil {
			return err
		}
		sealed, err := d.codec.unpack(body)
		if err != nil {
			return fmt.Errorf("position %d: %w", r.Position, err)
		}
		r.Received = time.UnixMilli(ms).UTC()
		if r.Batch, err = reader.OpenUnverified(sealed); err != nil {
			return fmt.Errorf("position %d: %w", r.Position, err)
		}
		out = append(out, r)
		if got += r.Size(); size > 0 && got >= size {
			return errEnough
		}
		return nil
	}, query, args...)
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("sqldb: %s: %w", op, err)
	}
	return out, nil
}

// Sealed returns the bytes of one batch as the gateway signed them, for whoever wants to check the signature again.
func (d *DB) Sealed(ctx context.Context, c ingest.Chain, seq uint64) ([]byte, error) {
	var body []byte
	err := d.read.QueryRowContext(ctx, `SELECT body FROM batch WHERE gateway = $1 AND epoch = $2 AND seq = $3`,
		c.Gateway, c.Epoch, int64(seq)).Scan(&body)
	if err == nil {
		body, err = d.codec.unpack(body)
	}
	if err != nil {
		return nil, fmt.Errorf("sqldb: batch %s %s %d: %w", c.Gateway, c.Epoch, seq, err)
	}
	return body, nil
}

// SealedBatches returns the sealed bytes of the batches at positions from <= p < to, in order; fewer where the log ends before.
func (d *DB) SealedBatches(ctx context.Context, from, to int64) ([][]byte, error) {
	var out [][]byte
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var body sql.RawBytes
		var position int64
		if err := scan(&position, &body); err != nil {
			return err
		}
		sealed, err := d.codec.unpack(body)
		if err != nil {
			return fmt.Errorf("position %d: %w", position, err)
		}
		out = append(out, sealed)
		return nil
	}, `SELECT position, body FROM batch WHERE position >= $1 AND position < $2 ORDER BY position`, from, to)
	if err != nil {
		return nil, fmt.Errorf("sqldb: sealed batches: %w", err)
	}
	return out, nil
}
