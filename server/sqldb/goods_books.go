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

// GoodsBooks returns all there is of goods, for an audit where it lies: the rows of events in the form of the bodies of leaves of kind `goods`,
// and what they have to come to.
func (d *DB) GoodsBooks(ctx context.Context) (rows []ledger.Row, b flow.Books, err error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return nil, b, fmt.Errorf("sqldb: books of goods: %w", err)
	}
	rows, b, err = goodsBooks(ctx, tx)
	if err := closing(tx, err); err != nil {
		return nil, b, fmt.Errorf("sqldb: books of goods: %w", err)
	}
	return rows, b, nil
}

func goodsBooks(ctx context.Context, tx *sql.Tx) (rows []ledger.Row, b flow.Books, err error) {
	list, err := goodsRows(ctx, tx, `1 = 1`)
	if err != nil {
		return nil, b, err
	}
	for _, w := range list {
		raw, err := json.Marshal(w)
		if err != nil {
			return nil, b, fmt.Errorf("goods event %s: %w", w.ID, err)
		}
		rows = append(rows, ledger.Row{Kind: ledger.GoodsMoved, Subject: w.ID, Body: raw})
		g, err := w.goods()
		if err != nil {
			return nil, b, err
		}
		b.Events = append(b.Events, g)
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
		return nil, b, err
	}
	if b.Items, err = items(ctx, tx, `1 = 1 ORDER BY run, n`); err != nil {
		return nil, b, err
	}
	b.Boxes, err = boxes(ctx, tx, `1 = 1 ORDER BY sscc`)
	return rows, b, err
}
