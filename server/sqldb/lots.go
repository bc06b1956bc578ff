package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"aovuon/server/diary/desk"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// holdRow is a row of lot_hold, in the form of the body of its leaf.
type holdRow struct {
	GTIN       string          `json:"gtin"`
	Lot        string          `json:"lot"`
	Held       time.Time       `json:"held"`
	By         string          `json:"by"`
	Causes     json.RawMessage `json:"causes"` // of desk.Cause, as the text stands
	Released   time.Time       `json:"released,omitzero"`
	ReleasedBy string          `json:"released_by,omitempty"`
	Release    string          `json:"release,omitempty"`
}

func (w holdRow) key() string { return w.GTIN + "/" + w.Lot }

func (w holdRow) hold() (*desk.Hold, error) {
	h := &desk.Hold{Held: w.Held, By: w.By, Released: w.Released, ReleasedBy: w.ReleasedBy, Release: w.Release}
	if err := json.Unmarshal(w.Causes, &h.Causes); err != nil {
		return nil, fmt.Errorf("causes of lot %s: %w", w.Lot, err)
	}
	return h, nil
}

func holdRowOf(l trace.Lot, h desk.Hold) (holdRow, error) {
	causes, err := json.Marshal(h.Causes)
	return holdRow{
		GTIN: l.GTIN, Lot: l.Code, Held: millis(h.Held), By: h.By, Causes: causes, Released: millis(h.Released), ReleasedBy: h.ReleasedBy, Release: h.Release,
	}, err
}

// Keep implements desk.Lots.
func (d *DB) Keep(ctx context.Context, k desk.Keeping, by ledger.By) (added bool, err error) {
	op := "lots"
	if k.Event.ID != "" {
		op = "diary event " + k.Event.ID
	}
	err = d.record(ctx, op, func(r *record) (err error) {
		if k.Event.ID != "" {
			if added, err = r.addEvent(ctx, k.Event, by); err != nil || !added {
				return err
			}
		}
		for _, c := range k.Lots {
			if err := r.changeLot(ctx, c, by); err != nil {
				return fmt.Errorf("lot %s: %w", c.Now.Lot.Code, err)
			}
		}
		if k.Event.ID == "" {
			return nil
		}
		return r.drawEvent(ctx, k.Event.ID)
	})
	return added, err
}

func (r *record) changeLot(ctx context.Context, c desk.Change, by ledger.By) error {
	before, err := standings(ctx, r, `gtin = $1 AND code = $2`, c.Now.Lot.GTIN, c.Now.Lot.Code)
	if err != nil {
		return err
	}
	if c.Was == nil && len(before) > 0 || c.Was != nil && (len(before) == 0 || !sameStanding(*c.Was, before[0])) {
		return desk.ErrOutrun
	}
	if err := r.saveLot(ctx, c.Now.Lot, by); err != nil || c.Now.Hold == nil {
		return err
	}
	return r.saveHold(ctx, c, by)
}

func sameStanding(a, b desk.Standing) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

func (r *record) saveHold(ctx context.Context, c desk.Change, by ledger.By) error {
	row, err := holdRowOf(c.Now.Lot, *c.Now.Hold)
	if err != nil {
		return err
	}
	said := changed{Table: holdTable, Key: row.key(), After: row}
	if c.Was != nil && c.Was.Hold != nil {
		before, err := holdRowOf(c.Was.Lot, *c.Was.Hold)
		if err != nil || sameStanding(desk.Standing{Hold: c.Was.Hold}, desk.Standing{Hold: c.Now.Hold}) {
			return err
		}
		said.Before = before
	}
	_, err = r.ExecContext(ctx, `INSERT INTO lot_hold (gtin, lot, held_ms, held_by, causes, released_ms, released_by, release) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (gtin, lot) DO UPDATE SET held_ms = excluded.held_ms, held_by = excluded.held_by, causes = excluded.causes,
			released_ms = excluded.released_ms, released_by = excluded.released_by, release = excluded.release`,
		row.GTIN, row.Lot, toMillis(row.Held), row.By, string(row.Causes), toMillis(row.Released), row.ReleasedBy, row.Release)
	if err != nil {
		return err
	}
	return r.sayChange(ctx, said, by)
}

// DiaryLots implements desk.Lots.
func (d *DB) DiaryLots(ctx context.Context, place string, since time.Time) ([]desk.Standing, error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: d.snapshot()})
	if err != nil {
		return nil, fmt.Errorf("sqldb: lots of the diary: %w", err)
	}
	out, err := standings(ctx, tx, `($1 = '' OR EXISTS (SELECT 1 FROM lot_place p WHERE p.gtin = lot.gtin AND p.lot = lot.code AND p.place = $1))
		AND (harvested_ms >= $2 OR state = $3) AND (cycle <> '' OR EXISTS (SELECT 1 FROM lot_harvest h WHERE h.gtin = lot.gtin AND h.lot = lot.code))`,
		place, toMillis(since), string(trace.Held))
	if err := closing(tx, err); err != nil {
		return nil, fmt.Errorf("sqldb: lots of the diary: %w", err)
	}
	return out, nil
}

// DiaryLot returns one lot with what holds it. The error wraps trace.ErrUnknown.
func (d *DB) DiaryLot(ctx context.Context, l trace.Link) (desk.Standing, error) {
	out, err := standings(ctx, d.read, `gtin = $1 AND code = $2`, l.GTIN, l.Lot)
	if err == nil && len(out) == 0 {
		err = trace.ErrUnknown
	}
	if err != nil {
		return desk.Standing{}, fmt.Errorf("sqldb: lot %s: %w", l.Lot, err)
	}
	return out[0], nil
}

func standings(ctx context.Context, q querier, where string, args ...any) ([]desk.Standing, error) {
	lots, err := lotsWhere(ctx, q, where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]desk.Standing, 0, len(lots))
	for _, l := range lots {
		s := desk.Standing{Lot: l}
		rows, err := holdRows(ctx, q, `gtin = $1 AND lot = $2`, l.GTIN, l.Code)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if s.Hold, err = row.hold(); err != nil {
				return nil, err
			}
		}
		if s.Moved, s.Stopped, err = moved(ctx, q, l.Link()); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// moved reports whether goods events name a lot, and whether one that holds it stands.
func moved(ctx context.Context, q querier, l trace.Link) (moved, stopped bool, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var event string
		moved = true
		return scan(&event)
	}, `SELECT event FROM goods_ref WHERE ref = $1 LIMIT 1`, l.Ref().String())
	if err != nil || !moved {
		return false, false, err
	}
	events, err := goodsWhere(ctx, q, `id IN (SELECT event FROM goods_ref WHERE ref = $1) AND kind IN ($2, $3, $4)`,
		l.Ref().String(), string(trace.Hold), string(trace.LetGo), string(trace.Amend))
	return true, flow.HeldBy(events) != "", err
}

func holdRows(ctx context.Context, q querier, where string, args ...any) (out []holdRow, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var w holdRow
		var held, released int64
		var causes string
		err := scan(&w.GTIN, &w.Lot, &held, &w.By, &causes, &released, &w.ReleasedBy, &w.Release)
		w.Held, w.Causes, w.Released = fromMillis(held), json.RawMessage(causes), fromMillis(released)
		out = append(out, w)
		return err
	}, `SELECT gtin, lot, held_ms, held_by, causes, released_ms, released_by, release FROM lot_hold WHERE `+where+` ORDER BY gtin, lot`, args...)
	return out, err
}

// Codes implements desk.Lots.
func (d *DB) Codes(ctx context.Context, prefix string) ([]string, error) {
	out, err := codes(ctx, d.read, prefix)
	if err != nil {
		return nil, fmt.Errorf("sqldb: codes of lots: %w", err)
	}
	return out, nil
}

func codes(ctx context.Context, q querier, prefix string) (out []string, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var code string
		err := scan(&code)
		out = append(out, code)
		return err
	}, `SELECT code FROM lot WHERE SUBSTR(code, 1, $1) = $2 ORDER BY code`, len(prefix), prefix)
	return out, err
}
