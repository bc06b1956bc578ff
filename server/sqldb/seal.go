package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// Heads implements trace.Seals.
func (d *DB) Heads(ctx context.Context) (position int64, chains []ledger.ChainHead, err error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return 0, nil, fmt.Errorf("sqldb: heads: %w", err)
	}
	err = tx.QueryRowContext(ctx, `SELECT position FROM log_end WHERE id = 1`).Scan(&position)
	if err == nil {
		chains, err = chainHeads(ctx, tx)
	}
	if err := closing(tx, err); err != nil {
		return 0, nil, fmt.Errorf("sqldb: heads: %w", err)
	}
	return position, chains, nil
}

// SaveSeal implements trace.Seals. The ledger alone keeps it.
func (d *DB) SaveSeal(ctx context.Context, s trace.Seal, by ledger.By) error {
	return d.record(ctx, "seal lot "+s.Lot, func(r *record) error { return r.say(ctx, ledger.LotSealed, s.Lot, s, by) })
}

// LastSeal implements trace.Seals.
func (d *DB) LastSeal(ctx context.Context, l trace.Link) (*trace.Seal, error) {
	s, err := lastSeal(ctx, d.read, l)
	if err != nil {
		return nil, fmt.Errorf("sqldb: seal of lot %s: %w", l.Lot, err)
	}
	return s, nil
}

// sealedAt returns where the newest seal of a lot stands; nil where it has none.
func sealedAt(ctx context.Context, tx *sql.Tx, l trace.Link) (*trace.Sealed, error) {
	var s trace.Sealed
	var raw []byte
	err := tx.QueryRowContext(ctx, `SELECT n, leaf FROM ledger_leaf WHERE subject = $1 AND kind = $2 ORDER BY n DESC LIMIT 1`,
		l.Path(), string(ledger.LotSealed)).Scan(&s.Leaf, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no seal is no error
	}
	if err != nil {
		return nil, err
	}
	leaf, err := ledger.ParseLeaf(raw)
	if err != nil {
		return nil, err
	}
	s.At = leaf.Time
	return &s, nil
}
