package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// GoodsRows returns the rows of goods events in the form of the bodies of leaves of kind `goods`.
func (d *DB) GoodsRows(ctx context.Context) ([]ledger.Row, error) {
	list, err := goodsRows(ctx, d.read, `1 = 1`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: rows of goods: %w", err)
	}
	out := make([]ledger.Row, 0, len(list))
	for _, w := range list {
		raw, err := json.Marshal(w)
		if err != nil {
			return nil, fmt.Errorf("sqldb: goods event %s: %w", w.ID, err)
		}
		out = append(out, ledger.Row{Kind: ledger.GoodsMoved, Subject: w.ID, Body: raw})
	}
	return out, nil
}

// GoodsBooks returns all there is of goods, for an audit where it lies.
func (d *DB) GoodsBooks(ctx context.Context) (b flow.Books, err error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return b, fmt.Errorf("sqldb: books of goods: %w", err)
	}
	b, err = goodsBooks(ctx, tx)
	if err := closing(tx, err); err != nil {
		return b, fmt.Errorf("sqldb: books of goods: %w", err)
	}
	return b, nil
}

func goodsBooks(ctx context.Context, tx *sql.Tx) (b flow.Books, err error) {
	if b.Events, err = goodsWhere(ctx, tx, `1 = 1`); err != nil {
		return b, err
	}
	b.Refs = map[string][]trace.Ref{}
	err = each(ctx, tx, func(scan func(...any) error) error {
		var text, event string
		if err := scan(&text, &event); err != nil {
			return err
		}
		ref, err := trace.ParseRef(text)
		b.Refs[event] = append(b.Refs[event], ref)
		return err
	}, `SELECT ref, event FROM goods_ref ORDER BY ref, event`)
	if err != nil {
		return b, err
	}
	if b.Items, err = items(ctx, tx, `1 = 1 ORDER BY run, n`); err != nil {
		return b, err
	}
	b.Boxes, err = boxes(ctx, tx, `1 = 1 ORDER BY sscc`)
	return b, err
}
