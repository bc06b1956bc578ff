package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// goodsRow is a row of goods_event, in the form of the body of its leaf.
type goodsRow struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	At     time.Time       `json:"at"`
	Made   time.Time       `json:"made"`
	Erased *time.Time      `json:"erased,omitempty"` // what said something of a person was taken out
	Body   json.RawMessage `json:"body"`             // a trace.Goods, as the text stands
}

func (w goodsRow) goods() (g trace.Goods, err error) {
	if err := json.Unmarshal(w.Body, &g); err != nil {
		return g, fmt.Errorf("goods event %s: %w", w.ID, err)
	}
	return g, nil
}

// Move implements flow.Store.
func (d *DB) Move(ctx context.Context, by ledger.By, f func(context.Context, flow.Shelf) (flow.Kept, error)) error {
	return d.record(ctx, "goods", func(r *record) error {
		k, err := f(ctx, &shelf{r})
		if err != nil || k.Goods.ID == "" {
			return err
		}
		return r.saveGoods(ctx, k, by)
	})
}

// Look implements flow.Store.
func (d *DB) Look(ctx context.Context, f func(context.Context, flow.Shelf) error) error {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return fmt.Errorf("sqldb: goods: %w", err)
	}
	return closing(tx, f(ctx, &shelf{tx}))
}

// saveGoods keeps an event with all that becomes of lots, items and boxes by it.
func (r *record) saveGoods(ctx context.Context, k flow.Kept, by ledger.By) error {
	for _, l := range k.Lots {
		if err := r.saveLot(ctx, l, by); err != nil {
			return fmt.Errorf("lot %s: %w", l.Code, err)
		}
	}
	body, err := json.Marshal(k.Goods)
	if err != nil {
		return err
	}
	row := goodsRow{ID: k.Goods.ID, Kind: string(k.Goods.Kind), At: millis(k.Goods.At), Made: millis(k.Goods.Made), Body: body}
	_, err = r.ExecContext(ctx, `INSERT INTO goods_event (id, kind, at_ms, made_ms, erased_ms, body) VALUES ($1, $2, $3, $4, 0, $5)`,
		row.ID, row.Kind, toMillis(row.At), toMillis(row.Made), string(body))
	if err != nil {
		return err
	}
	for _, ref := range flow.Refs(k.Goods) {
		if _, err := r.ExecContext(ctx, `INSERT INTO goods_ref (ref, event) VALUES ($1, $2)`, ref.String(), row.ID); err != nil {
			return err
		}
	}
	if err := r.saveItems(ctx, k.Items); err != nil {
		return err
	}
	for _, b := range k.Boxes {
		if err := r.saveBox(ctx, b); err != nil {
			return fmt.Errorf("box %s: %w", b.SSCC, err)
		}
	}
	if err := r.drawGoods(ctx, k.Goods); err != nil {
		return fmt.Errorf("edges: %w", err)
	}
	if err := r.say(ctx, ledger.GoodsMoved, row.ID, row, by); err != nil {
		return err
	}
	for _, release := range k.Releases {
		if err := r.say(ctx, ledger.LotReleased, release.Lot, release, by); err != nil {
			return err
		}
	}
	if k.Labels == nil {
		return nil
	}
	return r.say(ctx, ledger.LabelsIssued, k.Labels.Run, k.Labels, by)
}

// itemsAtOnce is how many items one statement keeps.
const itemsAtOnce = 50

// saveItems keeps items; of one that is there, state and box change and nothing else.
func (r *record) saveItems(ctx context.Context, items []trace.Item) error {
	whole := len(items) / itemsAtOnce * itemsAtOnce
	if whole > 0 {
		if err := r.saveManyItems(ctx, items[:whole]); err != nil {
			return err
		}
	}
	if rest := items[whole:]; len(rest) > 0 {
		if _, err := r.ExecContext(ctx, itemQuery(len(rest)), itemArgs(rest)...); err != nil {
			return fmt.Errorf("items of %s: %w", rest[0].Run, err)
		}
	}
	return nil
}

// saveManyItems keeps items by a statement that is read once for all of them.
func (r *record) saveManyItems(ctx context.Context, items []trace.Item) (err error) {
	r.wrote = true
	full, err := r.tx.PrepareContext(ctx, itemQuery(itemsAtOnce))
	if err != nil {
		return fmt.Errorf("items: %w", err)
	}
	defer func() { err = errors.Join(err, full.Close()) }()
	for some := range slices.Chunk(items, itemsAtOnce) {
		if _, err := full.ExecContext(ctx, itemArgs(some)...); err != nil {
			return fmt.Errorf("items of %s: %w", some[0].Run, err)
		}
	}
	return nil
}

func itemArgs(items []trace.Item) []any {
	args := make([]any, 0, itemColumns*len(items))
	for _, i := range items {
		args = append(args, i.Serial, i.GTIN, i.Lot, i.Run, i.N, i.NetG, toMillis(i.Best), string(i.State), i.Box, toMillis(i.Changed))
	}
	return args
}

const itemColumns = 10

// itemQuery is the statement that keeps so many items.
func itemQuery(n int) string {
	rows := make([]string, n)
	for i := range rows {
		marks := make([]string, itemColumns)
		for m := range marks {
			marks[m] = fmt.Sprintf("$%d", i*itemColumns+m+1)
		}
		rows[i] = "(" + strings.Join(marks, ", ") + ")"
	}
	return `INSERT INTO item (serial, gtin, lot, run, n, net_g, best_ms, state, box, changed_ms) VALUES ` + strings.Join(rows, ", ") + `
		ON CONFLICT (serial) DO UPDATE SET state = excluded.state, box = excluded.box, changed_ms = excluded.changed_ms`
}

func (r *record) saveBox(ctx context.Context, b trace.Box) error {
	_, err := r.ExecContext(ctx, `INSERT INTO box (sscc, event, parent, state, filled_ms) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (sscc) DO UPDATE SET parent = excluded.parent, state = excluded.state`, b.SSCC, b.Event, b.In, string(b.State), toMillis(b.Filled))
	if err != nil {
		return err
	}
	if _, err := r.ExecContext(ctx, `DELETE FROM box_lot WHERE sscc = $1`, b.SSCC); err != nil {
		return err
	}
	for _, p := range b.Parts {
		l, ok := p.Ref.Link()
		if !ok {
			return fmt.Errorf("%s lies loose in it", p.Ref)
		}
		if _, err := r.ExecContext(ctx, `INSERT INTO box_lot (sscc, gtin, lot, kg) VALUES ($1, $2, $3, $4)`, b.SSCC, l.GTIN, l.Lot, p.KG); err != nil {
			return err
		}
	}
	return nil
}
