package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
)

// errUnsaid is a fault of this package: rows that a stranger must be able to check were written, and the log says nothing of it.
var errUnsaid = errors.New("rows were written that the ledger does not speak of")

// record is one write transaction on the rows that the ledger answers for: farm, products, lots, certificates, keys. It is the one
// way to write them. Its connection is its own, so that no statement slips by, and it commits only what has been entered.
type record struct {
	tx      *sql.Tx
	wrote   bool
	entered bool
}

// record runs f and commits if it returned nil. op names the transaction in errors.
func (d *DB) record(ctx context.Context, op string, f func(*record) error) error {
	return d.update(ctx, op, func(tx *sql.Tx) error {
		// One writer at a time: the row is locked from here on, on PostgreSQL too, so leaves have their numbers in the order of commits.
		if _, err := tx.ExecContext(ctx, `UPDATE ledger_end SET size = size WHERE id = 1`); err != nil {
			return err
		}
		r := &record{tx: tx}
		if err := f(r); err != nil {
			return err
		}
		if r.wrote && !r.entered {
			return errUnsaid
		}
		return nil
	})
}

// ExecContext runs a statement that writes rows; the name is database/sql's, so that what fills tables takes either.
func (r *record) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.wrote = true
	return r.tx.ExecContext(ctx, query, args...)
}

// QueryContext reads within the transaction.
func (r *record) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext reads one row within the transaction.
func (r *record) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.tx.QueryRowContext(ctx, query, args...)
}

// enter appends the leaf of e. What says the same as the leaf before it of its kind and subject is not said twice; added is then false.
func (r *record) enter(ctx context.Context, e ledger.Entry) (added bool, err error) {
	previous, same, err := r.previous(ctx, e)
	if err != nil {
		return false, err
	}
	r.entered = true
	if same {
		return false, nil
	}
	leaf, salt, err := ledger.NewLeaf(e, previous)
	if err != nil {
		return false, err
	}
	var n int64
	if err := r.tx.QueryRowContext(ctx, `UPDATE ledger_end SET size = size + 1 WHERE id = 1 RETURNING size - 1`).Scan(&n); err != nil {
		return false, err
	}
	raw := leaf.Bytes()
	hashes, err := tlog.StoredHashes(n, raw, hashesOf(ctx, r.tx))
	if err != nil {
		return false, err
	}
	at := tlog.StoredHashIndex(0, n)
	for i, h := range hashes {
		if _, err := r.tx.ExecContext(ctx, `INSERT INTO ledger_hash (idx, hash) VALUES ($1, $2)`, at+int64(i), h[:]); err != nil {
			return false, err
		}
	}
	if _, err := r.tx.ExecContext(ctx, `INSERT INTO ledger_leaf (n, kind, subject, leaf) VALUES ($1, $2, $3, $4)`, n, string(e.Kind), e.Subject, raw); err != nil {
		return false, err
	}
	_, err = r.tx.ExecContext(ctx, `INSERT INTO ledger_body (n, salt, body) VALUES ($1, $2, $3)`, n, salt, e.Body)
	return true, err
}

// Enter appends a leaf that stands for no other rows.
func (d *DB) Enter(ctx context.Context, e ledger.Entry) (added bool, err error) {
	err = d.record(ctx, "enter "+string(e.Kind), func(r *record) (err error) {
		added, err = r.enter(ctx, e)
		return err
	})
	return added, err
}

// previous returns the hash of the newest leaf of e's kind and subject, nil where there is none, and whether it says what e says.
func (r *record) previous(ctx context.Context, e ledger.Entry) (hash *tlog.Hash, same bool, err error) {
	var raw, salt, body []byte
	err = r.tx.QueryRowContext(ctx, `SELECT l.leaf, b.salt, b.body FROM ledger_leaf l JOIN ledger_body b ON b.n = l.n
		WHERE l.subject = $1 AND l.kind = $2 ORDER BY l.n DESC LIMIT 1`, e.Subject, string(e.Kind)).Scan(&raw, &salt, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	leaf, err := ledger.ParseLeaf(raw)
	if err != nil {
		return nil, false, fmt.Errorf("the leaf before it: %w", err)
	}
	h := leaf.Hash()
	return &h, salt != nil && leaf.Content == ledger.ContentHash(salt, e.Body), nil
}

// say enters body as JSON.
func (r *record) say(ctx context.Context, kind ledger.Kind, subject string, body any, by ledger.By) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	_, err = r.enter(ctx, ledger.Entry{Kind: kind, Subject: subject, Body: raw, By: by})
	return err
}

// execer writes rows: a transaction, or the record that is one.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// rower reads one row.
type rower interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// hashesOf reads the tree's stored hashes.
func hashesOf(ctx context.Context, q rower) tlog.HashReaderFunc {
	return func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, at := range indexes {
			var raw []byte
			if err := q.QueryRowContext(ctx, `SELECT hash FROM ledger_hash WHERE idx = $1`, at).Scan(&raw); err != nil {
				return nil, fmt.Errorf("ledger hash %d: %w", at, err)
			}
			if copy(out[i][:], raw) != len(out[i]) || len(raw) != len(out[i]) {
				return nil, fmt.Errorf("ledger hash %d has %d bytes", at, len(raw))
			}
		}
		return out, nil
	}
}
