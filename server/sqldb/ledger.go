package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
)

// LedgerSize returns how many leaves the tree has.
func (d *DB) LedgerSize(ctx context.Context) (n int64, err error) {
	if err := d.read.QueryRowContext(ctx, `SELECT size FROM ledger_end WHERE id = 1`).Scan(&n); err != nil {
		return 0, fmt.Errorf("sqldb: ledger size: %w", err)
	}
	return n, nil
}

// LedgerHashes reads the tree's stored hashes, as tlog wants them.
func (d *DB) LedgerHashes(ctx context.Context) tlog.HashReader { return hashesOf(ctx, d.read) }

// LedgerLeaves returns the bytes of the leaves from <= n < to, in order; fewer where the tree ends before.
func (d *DB) LedgerLeaves(ctx context.Context, from, to int64) ([][]byte, error) {
	var out [][]byte
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var n int64
		var raw []byte
		if err := scan(&n, &raw); err != nil {
			return err
		}
		if want := from + int64(len(out)); n != want {
			return fmt.Errorf("leaf %d is missing", want)
		}
		out = append(out, raw)
		return nil
	}, `SELECT n, leaf FROM ledger_leaf WHERE n >= $1 AND n < $2 ORDER BY n`, from, to)
	if err != nil {
		return nil, fmt.Errorf("sqldb: ledger leaves: %w", err)
	}
	return out, nil
}

// LedgerFind returns the numbers of the leaves about a subject, oldest first; kind empty: of every kind.
func (d *DB) LedgerFind(ctx context.Context, subject string, kind ledger.Kind) ([]int64, error) {
	var out []int64
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		out = append(out, n)
		return err
	}, `SELECT n FROM ledger_leaf WHERE subject = $1 AND ($2 = '' OR kind = $2) ORDER BY n`, subject, string(kind))
	if err != nil {
		return nil, fmt.Errorf("sqldb: ledger of %s: %w", subject, err)
	}
	return out, nil
}

// LedgerBody returns the salt and the body behind leaf n; both are nil when they were erased. The error wraps ledger.ErrNoLeaf where
// the tree has no such leaf.
func (d *DB) LedgerBody(ctx context.Context, n int64) (salt, body []byte, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT salt, body FROM ledger_body WHERE n = $1`, n).Scan(&salt, &body)
	if errors.Is(err, sql.ErrNoRows) {
		err = ledger.ErrNoLeaf
	}
	if err != nil {
		return nil, nil, fmt.Errorf("sqldb: ledger body %d: %w", n, err)
	}
	return salt, body, nil
}

// EraseLedgerBody takes salt and body of leaf n away, for good. The tree stays whole: what is left is a hash that nobody can guess the
// text of.
func (d *DB) EraseLedgerBody(ctx context.Context, n int64) error {
	return d.update(ctx, "erase ledger body", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE ledger_body SET salt = NULL, body = NULL WHERE n = $1`, n)
		if err != nil {
			return err
		}
		if rows, err := res.RowsAffected(); err != nil || rows == 0 {
			return errors.Join(ledger.ErrNoLeaf, err)
		}
		return nil
	})
}

// SaveCheckpoint keeps the signed head of a tree of size leaves; a second one of the same size (with more cosignatures) takes its place.
func (d *DB) SaveCheckpoint(ctx context.Context, size int64, note []byte, at time.Time) error {
	return d.update(ctx, "save checkpoint", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO ledger_checkpoint (size, note, time_ms) VALUES ($1, $2, $3)
			ON CONFLICT (size) DO UPDATE SET note = excluded.note, time_ms = excluded.time_ms`, size, note, toMillis(at))
		return err
	})
}

// Checkpoint returns the newest signed head of a tree of at least size leaves (0: the newest of all); nil where there is none yet.
func (d *DB) Checkpoint(ctx context.Context, size int64) (note []byte, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT note FROM ledger_checkpoint WHERE size >= $1 ORDER BY size DESC LIMIT 1`, size).Scan(&note)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("sqldb: checkpoint: %w", err)
	}
	return note, nil
}

// ChainHeads implements ledger.Chains.
func (d *DB) ChainHeads(ctx context.Context) ([]ledger.ChainHead, error) {
	out, err := chainHeads(ctx, d.read)
	if err != nil {
		return nil, fmt.Errorf("sqldb: chain heads: %w", err)
	}
	return out, nil
}

func chainHeads(ctx context.Context, q querier) ([]ledger.ChainHead, error) {
	var out []ledger.ChainHead
	err := each(ctx, q, func(scan func(...any) error) error {
		var h ledger.ChainHead
		var seq int64
		err := scan(&h.Gateway, &h.Epoch, &seq, &h.Hash)
		h.Seq = uint64(seq)
		out = append(out, h)
		return err
	}, `SELECT gateway, epoch, seq, hash FROM chain_head ORDER BY gateway, epoch`)
	return out, err
}
