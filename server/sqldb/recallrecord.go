package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/trace/recall"
)

// recallRow is a row of recall, in the form of the body of its leaf.
type recallRow struct {
	ID     string          `json:"id"`
	Ask    json.RawMessage `json:"ask"` // a recall.Ask, as the text stands
	Reason string          `json:"reason"`
}

// SaveRecall implements recall.Log. What it began with, and why, is a row; the ledger alone keeps the rest.
func (d *DB) SaveRecall(ctx context.Context, rec recall.Record, by ledger.By) error {
	return d.record(ctx, "recall "+rec.ID, func(r *record) error {
		known, err := recallRows(ctx, r, `id = $1`, rec.ID)
		if err != nil {
			return err
		}
		if len(known) == 0 {
			ask, err := json.Marshal(rec.Ask)
			if err != nil {
				return err
			}
			row := recallRow{rec.ID, ask, rec.Reason}
			if _, err := r.ExecContext(ctx, `INSERT INTO recall (id, ask, reason) VALUES ($1, $2, $3)`, row.ID, string(ask), row.Reason); err != nil {
				return err
			}
			if err := r.sayChange(ctx, changed{Table: recallTable, Key: row.ID, After: row}, by); err != nil {
				return err
			}
		}
		return r.say(ctx, ledger.LotsRecalled, rec.ID, rec, by)
	})
}

// Recall implements recall.Log.
func (d *DB) Recall(ctx context.Context, id string) (recall.Record, bool, error) {
	list, err := d.recalls(ctx, ` AND l.subject = $1`, id)
	if err != nil || len(list) == 0 {
		return recall.Record{}, false, err
	}
	return list[0], true, nil
}

// Recalls implements recall.Log.
func (d *DB) Recalls(ctx context.Context) ([]recall.Record, error) { return d.recalls(ctx, ``) }

// recalls returns the newest record of each recall, the newest first.
func (d *DB) recalls(ctx context.Context, and string, args ...any) (out []recall.Record, err error) {
	at := map[string]int{}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var body []byte
		var r recall.Record
		if err := scan(&body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &r); err != nil {
			return err
		}
		if i, known := at[r.ID]; known {
			out[i] = r
			return nil
		}
		at[r.ID] = len(out)
		out = append(out, r)
		return nil
	}, `SELECT b.body FROM ledger_leaf l JOIN ledger_body b ON b.n = l.n WHERE l.kind = 'recall'`+and+` ORDER BY l.n`, args...)
	if err == nil {
		err = d.asked(ctx, out, at)
	}
	if err != nil {
		return nil, fmt.Errorf("sqldb: recalls: %w", err)
	}
	slices.Reverse(out)
	return out, nil
}

// asked fills in what recalls began with, and why.
func (d *DB) asked(ctx context.Context, list []recall.Record, at map[string]int) error {
	where, args := `1 = 1`, []any(nil)
	if len(list) == 1 {
		where, args = `id = $1`, []any{list[0].ID}
	}
	rows, err := recallRows(ctx, d.read, where, args...)
	if err != nil {
		return err
	}
	for _, row := range rows {
		i, known := at[row.ID]
		if !known {
			continue
		}
		list[i].Reason = row.Reason
		if err := json.Unmarshal(row.Ask, &list[i].Ask); err != nil {
			return fmt.Errorf("recall %s: %w", row.ID, err)
		}
	}
	return nil
}

func recallRows(ctx context.Context, q querier, where string, args ...any) (out []recallRow, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var w recallRow
		var ask string
		err := scan(&w.ID, &ask, &w.Reason)
		w.Ask = json.RawMessage(ask)
		out = append(out, w)
		return err
	}, `SELECT id, ask, reason FROM recall WHERE `+where+` ORDER BY id`, args...)
	return out, err
}

// eraseRecalls takes the reasons out of recalls that name somebody, and whoever sold what they began with.
func (r *record) eraseRecalls(ctx context.Context, names []string, by ledger.By) error {
	rows, err := recallRows(ctx, r, `1 = 1`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		var ask recall.Ask
		if err := json.Unmarshal(row.Ask, &ask); err != nil {
			return err
		}
		_, why := diary.Event{Note: row.Reason}.Erase(false, names)
		_, whose := diary.Event{Note: ask.Input}.Erase(false, names)
		if !why && !whose {
			continue
		}
		if why {
			row.Reason = ""
		}
		if whose {
			ask.Input = ""
		}
		raw, err := json.Marshal(ask)
		if err != nil {
			return err
		}
		row.Ask = raw
		if _, err := r.ExecContext(ctx, `UPDATE recall SET ask = $2, reason = $3 WHERE id = $1`, row.ID, string(raw), row.Reason); err != nil {
			return err
		}
		if err := r.eraseBodies(ctx, ledger.Changed, recallTable+"/"+row.ID); err != nil {
			return err
		}
		if err := r.sayChange(ctx, changed{Table: recallTable, Key: row.ID, After: row}, by); err != nil {
			return err
		}
	}
	return nil
}
