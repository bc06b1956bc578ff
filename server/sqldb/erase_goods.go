package sqldb

import (
	"context"
	"encoding/json"

	"aovuon/server/ledger"
	"aovuon/server/trace/flow"
)

// eraseGoods takes out of the events of goods what says something of somebody: of those of their account the note, of all their names.
func (r *record) eraseGoods(ctx context.Context, account string, names []string, by ledger.By) error {
	rows, err := goodsRows(ctx, r, `1 = 1`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		g, err := row.goods()
		if err != nil {
			return err
		}
		kept, took := flow.Erase(g, account != "" && g.Actor == account, names)
		if !took {
			continue
		}
		if row.Body, err = json.Marshal(kept); err != nil {
			return err
		}
		at := millis(by.At)
		row.Erased = &at
		if _, err := r.ExecContext(ctx, `UPDATE goods_event SET body = $2, erased_ms = $3 WHERE id = $1`, row.ID, string(row.Body), toMillis(at)); err != nil {
			return err
		}
		if err := r.eraseBodies(ctx, ledger.GoodsMoved, row.ID); err != nil {
			return err
		}
		if err := r.redrawGoods(ctx, kept); err != nil {
			return err
		}
		if err := r.say(ctx, ledger.GoodsMoved, row.ID, row, by); err != nil {
			return err
		}
	}
	return nil
}
