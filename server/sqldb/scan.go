package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace/scan"
)

// rowsPerDay bounds the rows that are kept of one code and day: more tell nothing new, and somebody may want to fill the disk.
const rowsPerDay = 2000

// KeepScans implements scan.Store.
func (d *DB) KeepScans(ctx context.Context, b scan.Batch) error {
	return d.update(ctx, "keep scans", func(tx *sql.Tx) error {
		rows := byCode(b.Rows)
		for _, code := range slices.Sorted(maps.Keys(rows)) { // in one order, so that two servers never wait for each other
			if err := keepRows(ctx, tx, code, rows[code], b.Subjects[code]); err != nil {
				return fmt.Errorf("code %s: %w", code, err)
			}
		}
		for _, r := range b.Said {
			if err := keepSaid(ctx, tx, r); err != nil {
				return fmt.Errorf("code %s: %w", r.Code, err)
			}
		}
		for _, code := range slices.Sorted(maps.Keys(b.Found)) {
			if err := keepFound(ctx, tx, code, b.Found[code]); err != nil {
				return fmt.Errorf("code %s: %w", code, err)
			}
		}
		for day, n := range b.Days {
			_, err := tx.ExecContext(ctx, `INSERT INTO scan_day (day, scans, again, robots, own, unknown, swept, lost) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
				ON CONFLICT (day) DO UPDATE SET scans = scan_day.scans + excluded.scans, again = scan_day.again + excluded.again,
				robots = scan_day.robots + excluded.robots, own = scan_day.own + excluded.own, unknown = scan_day.unknown + excluded.unknown,
				swept = scan_day.swept + excluded.swept, lost = scan_day.lost + excluded.lost`,
				day, n.Scans, n.Again, n.Robots, n.Own, n.Unknown, n.Swept, n.Lost)
			if err != nil {
				return err
			}
		}
		for _, s := range b.Sweeps {
			_, err := tx.ExecContext(ctx, `INSERT INTO scan_sweep (client, first_ms, last_ms, province, codes, unknown) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (client, first_ms) DO UPDATE SET last_ms = excluded.last_ms, codes = excluded.codes, unknown = excluded.unknown`,
				s.Client[:], toMillis(s.First), toMillis(s.Last), s.Province, s.Codes, s.Unknown)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// byCode gathers rows by code, each in time order.
func byCode(rows []scan.Row) map[string][]scan.Row {
	out := map[string][]scan.Row{}
	for _, r := range rows {
		out[r.Code] = append(out[r.Code], r)
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b scan.Row) int { return a.At.Compare(b.At) })
	}
	return out
}

func dayOf(t time.Time) string { return t.In(farm.Time()).Format(time.DateOnly) }

// keepRows adds the scans of one code to what is kept of it.
func keepRows(ctx context.Context, tx *sql.Tx, code string, rows []scan.Row, s scan.Subject) error {
	first, last := rows[0], rows[len(rows)-1]
	var day string
	var dayRows int
	err := tx.QueryRowContext(ctx, `INSERT INTO scan_code (code, kind, gtin, lot, first_ms, province, last_ms, n, clients, day, day_rows, unusual, found_ms, cleared_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', 0, '', 0, 0)
		ON CONFLICT (code) DO UPDATE SET n = scan_code.n + excluded.n,
			last_ms = CASE WHEN excluded.last_ms > scan_code.last_ms THEN excluded.last_ms ELSE scan_code.last_ms END
		RETURNING day, day_rows`,
		code, string(s.Kind), s.GTIN, s.Lot, toMillis(first.At), first.Province, toMillis(last.At), len(rows)).Scan(&day, &dayRows)
	if err != nil {
		return err
	}
	clients := 0
	for _, r := range rows {
		if today := dayOf(r.At); today != day {
			day, dayRows = today, 0
		}
		if dayRows >= rowsPerDay {
			continue
		}
		known, err := clientKnown(ctx, tx, r)
		if err != nil {
			return err
		}
		if !known {
			clients++
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO scan_row (code, at_ms, client, province, said, state) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			r.Code, toMillis(r.At), r.Client[:], r.Province, flag(r.Said), string(r.State))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		dayRows += int(n)
	}
	_, err = tx.ExecContext(ctx, `UPDATE scan_code SET clients = clients + $2, day = $3, day_rows = $4 WHERE code = $1`, code, clients, day, dayRows)
	return err
}

// clientKnown reports whether the browser of a row has looked at its code before: on the same day, beyond which it is another.
func clientKnown(ctx context.Context, tx *sql.Tx, r scan.Row) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM scan_row WHERE code = $1 AND at_ms >= $2 AND client = $3`, r.Code, toMillis(farm.Midnight(r.At)), r.Client[:]).Scan(&n)
	return n > 0, err
}

// keepSaid puts to a scan where its reader says to be.
func keepSaid(ctx context.Context, tx *sql.Tx, r scan.Row) error {
	_, err := tx.ExecContext(ctx, `UPDATE scan_row SET province = $4, said = 1 WHERE code = $1 AND at_ms = $2 AND client = $3`, r.Code, toMillis(r.At), r.Client[:], r.Province)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE scan_code SET province = $3 WHERE code = $1 AND first_ms = $2`, r.Code, toMillis(r.At), r.Province)
	return err
}

// keepFound makes the rules that a code breaks now the open ones. What is broken no more, since it is too long ago, is over.
func keepFound(ctx context.Context, tx *sql.Tx, code string, found []scan.Finding) error {
	var had string
	err := tx.QueryRowContext(ctx, `SELECT unusual FROM scan_code WHERE code = $1`, code).Scan(&had)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // nobody scanned it, somebody only said where
	}
	if err != nil {
		return err
	}
	if had == "" && len(found) == 0 {
		return nil
	}
	var names []string
	for _, f := range found {
		names = append(names, string(f.Rule))
		body, err := json.Marshal(f)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE scan_finding SET last_ms = $3, body = $4 WHERE code = $1 AND rule = $2 AND over_ms = 0`, code, string(f.Rule), toMillis(f.At), string(body))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			if err != nil {
				return err
			}
			continue
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO scan_finding (code, rule, first_ms, last_ms, over_ms, body) VALUES ($1, $2, $3, $3, 0, $4)
			ON CONFLICT (code, rule, first_ms) DO UPDATE SET over_ms = 0, body = excluded.body`, code, string(f.Rule), toMillis(f.At), string(body))
		if err != nil {
			return err
		}
	}
	// A label that was found to be copied stays so, however few scans there are later: a decision ends a finding, silence does not.
	for rule := range strings.SplitSeq(had, " ") {
		if rule != "" && !slices.Contains(names, rule) {
			names = append(names, rule)
		}
	}
	slices.Sort(names)
	now := int64(0)
	for _, f := range found {
		now = max(now, toMillis(f.At))
	}
	_, err = tx.ExecContext(ctx, `UPDATE scan_code SET unusual = $2, found_ms = CASE WHEN $3 > found_ms THEN $3 ELSE found_ms END WHERE code = $1`,
		code, strings.Join(names, " "), now)
	return err
}

// ScanRows implements scan.Store.
func (d *DB) ScanRows(ctx context.Context, code string, most int) (out []scan.Row, err error) {
	err = each(ctx, d.read, func(scanRow func(...any) error) error {
		r := scan.Row{Code: code}
		var at, said int64
		var client []byte
		if err := scanRow(&at, &client, &r.Province, &said, &r.State); err != nil {
			return err
		}
		r.At, r.Said = fromMillis(at), said != 0
		copy(r.Client[:], client)
		out = append(out, r)
		return nil
	}, `SELECT at_ms, client, province, said, state FROM scan_row WHERE code = $1 ORDER BY at_ms DESC LIMIT $2`, code, most)
	if err != nil {
		return nil, fmt.Errorf("sqldb: scans: %w", err)
	}
	return out, nil
}

const summaryColumns = `SELECT code, kind, gtin, lot, first_ms, province, last_ms, n, clients, unusual, cleared_ms FROM scan_code `

func readSummary(scanRow func(...any) error) (s scan.Summary, err error) {
	var first, last, cleared int64
	var unusual string
	err = scanRow(&s.Code, &s.Subject.Kind, &s.Subject.GTIN, &s.Subject.Lot, &first, &s.Province, &last, &s.Count, &s.Clients, &unusual, &cleared)
	s.First, s.Last, s.Cleared = fromMillis(first), fromMillis(last), fromMillis(cleared)
	for rule := range strings.FieldsSeq(unusual) {
		s.Unusual = append(s.Unusual, scan.Rule(rule))
	}
	return s, err
}

// ScanSummary implements scan.Store.
func (d *DB) ScanSummary(ctx context.Context, code string) (s scan.Summary, ok bool, err error) {
	s, err = readSummary(d.read.QueryRowContext(ctx, summaryColumns+`WHERE code = $1`, code).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return scan.Summary{}, false, nil
	}
	if err != nil {
		return scan.Summary{}, false, fmt.Errorf("sqldb: scans of a code: %w", err)
	}
	return s, true, nil
}

// ForgetScans implements scan.Store. What is summed up of codes and days stays.
func (d *DB) ForgetScans(ctx context.Context, before time.Time, most int) (deleted int64, err error) {
	err = d.update(ctx, "forget scans", func(tx *sql.Tx) error {
		for _, q := range []struct {
			text string
			arg  int64
		}{
			{`DELETE FROM scan_row WHERE at_ms < $1`, toMillis(before)},
			{`DELETE FROM scan_row WHERE at_ms < (SELECT at_ms FROM scan_row ORDER BY at_ms DESC LIMIT 1 OFFSET $1)`, int64(most - 1)},
			{`DELETE FROM scan_sweep WHERE last_ms < $1`, toMillis(before)},
			{`DELETE FROM scan_report WHERE done_ms > 0 AND done_ms < $1`, toMillis(before)},
		} {
			res, err := tx.ExecContext(ctx, q.text, q.arg)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			deleted += n
		}
		return nil
	})
	return deleted, err
}
