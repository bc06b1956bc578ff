package sqldb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/trace/scan"
)

// reportsMost bounds the reports that nobody has closed: strangers write them.
const reportsMost = 5000

// AddReport keeps what somebody wrote of a code. The error wraps ErrManyReports.
func (d *DB) AddReport(ctx context.Context, r scan.Report) error {
	return d.update(ctx, "add report", func(tx *sql.Tx) error {
		var open int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM scan_report WHERE done_ms = 0`).Scan(&open); err != nil {
			return err
		}
		if open >= reportsMost {
			return scan.ErrManyReports
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO scan_report (id, code, what, place, note, contact, at_ms, answer, answered_ms, answered_by, done_ms, done_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0, '', 0, '')`, r.ID, r.Code, r.What, r.Where, r.Note, r.Contact, toMillis(r.At))
		return err
	})
}

const reportColumns = `SELECT id, code, what, place, note, contact, at_ms, answer, answered_ms, answered_by, done_ms FROM scan_report `

func reportsWhere(ctx context.Context, q querier, where string, args ...any) (out []scan.Handled, err error) {
	err = each(ctx, q, func(scanRow func(...any) error) error {
		var r scan.Handled
		var at, answered, done int64
		err := scanRow(&r.ID, &r.Code, &r.What, &r.Where, &r.Note, &r.Contact, &at, &r.Answer, &answered, &r.By, &done)
		r.At, r.Answered, r.Done = fromMillis(at), fromMillis(answered), fromMillis(done)
		out = append(out, r)
		return err
	}, reportColumns+where, args...)
	return out, err
}

// Reports returns what buyers reported, the newest first, at most so many: what is open, or what is closed.
func (d *DB) Reports(ctx context.Context, closed bool, most int) ([]scan.Handled, error) {
	where := `WHERE done_ms = 0`
	if closed {
		where = `WHERE done_ms > 0`
	}
	out, err := reportsWhere(ctx, d.read, where+` ORDER BY at_ms DESC, id DESC LIMIT $1`, most)
	if err != nil {
		return nil, fmt.Errorf("sqldb: reports: %w", err)
	}
	return out, nil
}

// AnswerReport keeps what was found or told of an open report; closing it forgets how to reach who wrote. The error wraps ErrNoReport.
func (d *DB) AnswerReport(ctx context.Context, id, answer string, closing bool, by ledger.By) error {
	return d.update(ctx, "answer report", func(tx *sql.Tx) error {
		at := toMillis(by.At)
		set, args := `answer = $2, answered_ms = $3, answered_by = $4`, []any{id, answer, at, by.Actor}
		if closing {
			set += `, done_ms = $3, done_by = $4, contact = ''`
		}
		res, err := tx.ExecContext(ctx, `UPDATE scan_report SET `+set+` WHERE id = $1 AND done_ms = 0`, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, scan.ErrNoReport)
		}
		return nil
	})
}

func shopSum(code string) []byte {
	sum := sha256.Sum256([]byte("aovuon shop " + code))
	return sum[:]
}

// AddShop keeps a shop under a code, of which only the sum is kept.
func (d *DB) AddShop(ctx context.Context, s scan.Shop, code string, by ledger.By) error {
	s.Made, s.By = by.At.UTC().Truncate(time.Millisecond), by.Actor
	return d.record(ctx, "add shop", func(r *record) error {
		_, err := r.ExecContext(ctx, `INSERT INTO sold_shop (id, code_sha, name, buyer, made_ms, made_by, revoked_ms) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			s.ID, shopSum(code), s.Name, s.Buyer, toMillis(s.Made), s.By)
		if err != nil {
			return err
		}
		return r.sayChange(ctx, changed{Table: shopTable, Key: s.ID, After: s}, by)
	})
}

func shopsWhere(ctx context.Context, q querier, where string, args ...any) (out []scan.Shop, err error) {
	err = each(ctx, q, func(scanRow func(...any) error) error {
		var s scan.Shop
		var made, revoked int64
		err := scanRow(&s.ID, &s.Name, &s.Buyer, &made, &s.By, &revoked, &s.Sold)
		s.Made, s.Revoked = fromMillis(made), fromMillis(revoked)
		out = append(out, s)
		return err
	}, `SELECT id, name, buyer, made_ms, made_by, revoked_ms, (SELECT COUNT(*) FROM item_sold i WHERE i.shop = sold_shop.id) FROM sold_shop WHERE `+where, args...)
	return out, err
}

// Shops returns every shop, those that may sell first.
func (d *DB) Shops(ctx context.Context) ([]scan.Shop, error) {
	out, err := shopsWhere(ctx, d.read, `1 = 1 ORDER BY CASE WHEN revoked_ms = 0 THEN 0 ELSE 1 END, name, id`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: shops: %w", err)
	}
	return out, nil
}

// ShopOf returns the shop of a code; the error wraps ErrNoShop.
func (d *DB) ShopOf(ctx context.Context, code string) (scan.Shop, error) {
	out, err := shopsWhere(ctx, d.read, `code_sha = $1 AND revoked_ms = 0`, shopSum(code))
	if err == nil && len(out) == 0 {
		err = scan.ErrNoShop
	}
	if err != nil {
		return scan.Shop{}, fmt.Errorf("sqldb: shop: %w", err)
	}
	return out[0], nil
}

// RevokeShop takes a shop's code back; what it sold stays sold. The error wraps ErrNoShop.
func (d *DB) RevokeShop(ctx context.Context, id string, by ledger.By) error {
	return d.record(ctx, "revoke shop", func(r *record) error {
		list, err := shopsWhere(ctx, r, `id = $1 AND revoked_ms = 0`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return scan.ErrNoShop
		}
		before, after := list[0], list[0]
		after.Revoked = by.At.UTC().Truncate(time.Millisecond)
		if _, err := r.ExecContext(ctx, `UPDATE sold_shop SET revoked_ms = $2 WHERE id = $1`, id, toMillis(after.Revoked)); err != nil {
			return err
		}
		return r.sayChange(ctx, changed{Table: shopTable, Key: id, Before: before, After: after}, by)
	})
}

// Sell keeps that an item was sold; of one that is sold already the first word holds, and first is false. What came back since may be sold again.
func (d *DB) Sell(ctx context.Context, s scan.Sale) (first bool, err error) {
	err = d.update(ctx, "sell item", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO item_sold (serial, at_ms, shop, actor) VALUES ($1, $2, $3, $4)
			ON CONFLICT (serial) DO UPDATE SET at_ms = excluded.at_ms, shop = excluded.shop, actor = excluded.actor
			WHERE item_sold.at_ms < (SELECT i.changed_ms FROM item i WHERE i.serial = item_sold.serial AND i.state = 'activated')`,
			s.Serial, toMillis(s.At), s.Shop, s.Actor)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		first = n > 0
		return err
	})
	return first, err
}

// Unsell takes it back that an item was sold.
func (d *DB) Unsell(ctx context.Context, serial string) error {
	return d.update(ctx, "unsell item", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM item_sold WHERE serial = $1`, serial)
		return err
	})
}

// Sale returns what is said of an item's sale; ok is false where nobody said it was sold.
func (d *DB) Sale(ctx context.Context, serial string) (s scan.Sale, ok bool, err error) {
	s.Serial = serial
	var at int64
	err = d.read.QueryRowContext(ctx, `SELECT at_ms, shop, actor FROM item_sold WHERE serial = $1`, serial).Scan(&at, &s.Shop, &s.Actor)
	if errors.Is(err, sql.ErrNoRows) {
		return scan.Sale{}, false, nil
	}
	if err != nil {
		return scan.Sale{}, false, fmt.Errorf("sqldb: sale: %w", err)
	}
	s.At = fromMillis(at)
	return s, true, nil
}
