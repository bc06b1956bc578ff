package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"aovuon/server/ledger"
)

// Trail returns who changed what and when: up to limit leaves below the number before (0: from the end), the newest first. actor empty: of
// everybody. What the server records by itself is left out unless it is asked for by name.
func (d *DB) Trail(ctx context.Context, before int64, limit int, actor string) ([]ledger.Said, error) {
	var out []ledger.Said
	for at := before; len(out) < limit; {
		page, err := d.trailPage(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("sqldb: trail: %w", err)
		}
		for _, e := range page {
			at = e.N
			if who := e.Leaf.Actor; who == actor || actor == "" && who != ledger.Server {
				out = append(out, e)
			}
			if len(out) == limit {
				break
			}
		}
		if len(page) < trailPageSize {
			break
		}
	}
	for i, e := range out {
		err := d.read.QueryRowContext(ctx, `SELECT b.body FROM ledger_leaf l JOIN ledger_body b ON b.n = l.n
			WHERE l.subject = $1 AND l.kind = $2 AND l.n < $3 ORDER BY l.n DESC LIMIT 1`, e.Leaf.Subject, string(e.Leaf.Kind), e.N).Scan(&out[i].Before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("sqldb: trail: %w", err)
		}
	}
	return out, nil
}

const trailPageSize = 200

func (d *DB) trailPage(ctx context.Context, before int64) (out []ledger.Said, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var e ledger.Said
		var raw []byte
		if err := scan(&e.N, &raw, &e.Body); err != nil {
			return err
		}
		e.Leaf, err = ledger.ParseLeaf(raw)
		out = append(out, e)
		return err
	}, `SELECT l.n, l.leaf, b.body FROM ledger_leaf l JOIN ledger_body b ON b.n = l.n
		WHERE ($1 = 0 OR l.n < $1) AND l.kind NOT IN ($2, $3) ORDER BY l.n DESC LIMIT $4`, before, string(ledger.ChainHeads), string(ledger.LotSealed), trailPageSize)
	return out, err
}
