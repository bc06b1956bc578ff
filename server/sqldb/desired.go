package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aovuon/server/desired"
	"aovuon/server/ledger"
)

// ErrOutrun says that somebody else wanted something of the same gateway in the meantime.
var ErrOutrun = errors.New("somebody else changed the settings of this gateway just now: look at them and ask again")

// SaveWanted keeps the next version of what is wanted of a gateway; by says who asked for it. The error wraps ErrOutrun unless it is one
// more than the version there is, ErrNoGateway where none is enrolled or it is retired.
func (d *DB) SaveWanted(ctx context.Context, w desired.Wanted, by ledger.By) error {
	w.By, w.Made = by.Actor, w.Made.UTC().Truncate(time.Millisecond)
	after, err := wantedOf(w)
	if err != nil {
		return fmt.Errorf("sqldb: desired settings: %w", err)
	}
	return d.record(ctx, "desired settings of "+w.Gateway, func(r *record) error {
		var one int
		err := r.QueryRowContext(ctx, `SELECT 1 FROM gateway WHERE id = $1 AND retired_ms = 0`, w.Gateway).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoGateway
		}
		if err != nil {
			return err
		}
		said := changed{Table: desiredTable, Key: w.Gateway, After: after}
		before, err := wantedRows(ctx, r, wantedColumns+`WHERE d.gateway = $1`, w.Gateway)
		if err != nil {
			return err
		}
		if len(before) > 0 {
			if said.Before, err = wantedOf(before[0]); err != nil {
				return err
			}
		}
		// Either statement is the check, too: of two who ask at once one changes no row.
		write := `UPDATE desired SET version = $2, changes = $3, note = $4, made_ms = $5, made_by = $6 WHERE gateway = $1 AND version = $2 - 1`
		if w.Version == 1 {
			write = `INSERT INTO desired (gateway, version, changes, note, made_ms, made_by) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (gateway) DO NOTHING`
		}
		res, err := r.ExecContext(ctx, write, w.Gateway, int64(w.Version), string(after.Changes), w.Note, w.Made.UnixMilli(), w.By)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrOutrun, err)
		}
		if err := bump(ctx, r, "desired"); err != nil {
			return err
		}
		return r.sayChange(ctx, said, by)
	})
}

// WantedRevision implements desired.Store.
func (d *DB) WantedRevision(ctx context.Context) (string, error) { return d.Meta(ctx, "desired") }

const wantedColumns = `SELECT d.gateway, d.version, d.changes, d.note, d.made_ms, d.made_by FROM desired d `

// Wanted returns what is wanted of a gateway; its Version is 0 where nothing ever was.
func (d *DB) Wanted(ctx context.Context, gateway string) (desired.Wanted, error) {
	list, err := d.wanted(ctx, wantedColumns+`WHERE d.gateway = $1`, gateway)
	if err != nil || len(list) == 0 {
		return desired.Wanted{Gateway: gateway}, err
	}
	return list[0], nil
}

// Unanswered implements desired.Store: of gateways in service alone.
func (d *DB) Unanswered(ctx context.Context) ([]desired.Wanted, error) {
	return d.wanted(ctx, wantedColumns+`JOIN gateway g ON g.id = d.gateway LEFT JOIN settings_report r ON r.gateway = d.gateway
		WHERE g.retired_ms = 0 AND (r.version IS NULL OR r.version < d.version) ORDER BY d.gateway`)
}

func (d *DB) wanted(ctx context.Context, query string, args ...any) ([]desired.Wanted, error) {
	out, err := wantedRows(ctx, d.read, query, args...)
	if err != nil {
		return nil, fmt.Errorf("sqldb: desired settings: %w", err)
	}
	return out, nil
}

func wantedRows(ctx context.Context, q querier, query string, args ...any) (out []desired.Wanted, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var w desired.Wanted
		var version, made int64
		var changes string
		if err := scan(&w.Gateway, &version, &changes, &w.Note, &made, &w.By); err != nil {
			return err
		}
		w.Version, w.Made = uint64(version), fromMillis(made)
		if err := json.Unmarshal([]byte(changes), &w.Changes); err != nil {
			return fmt.Errorf("changes of %s: %w", w.Gateway, err)
		}
		out = append(out, w)
		return nil
	}, query, args...)
	return out, err
}

// SaveReport keeps the newest report of a gateway, the one that stands last in the log. Saving one again changes nothing.
func (d *DB) SaveReport(ctx context.Context, r desired.Report) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("sqldb: settings report: %w", err)
	}
	at := int64(0)
	if !r.Time.IsZero() {
		at = r.Time.UnixMilli()
	}
	return d.update(ctx, "settings report of "+r.Gateway, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings_report (gateway, position, version, time_ms, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (gateway) DO UPDATE SET position = excluded.position, version = excluded.version, time_ms = excluded.time_ms,
				body = excluded.body WHERE settings_report.position <= excluded.position`, r.Gateway, r.Position, int64(r.Version), at, string(body))
		return err
	})
}

// Report returns a gateway's newest report; its State is empty where there is none.
func (d *DB) Report(ctx context.Context, gateway string) (desired.Report, error) {
	_, reports, err := d.AllSettings(ctx)
	if err != nil {
		return desired.Report{}, err
	}
	if r, ok := reports[gateway]; ok {
		return r, nil
	}
	return desired.Report{Gateway: gateway}, nil
}

// AllSettings returns, by gateway, the version wanted and the newest report.
func (d *DB) AllSettings(ctx context.Context) (wanted map[string]uint64, reports map[string]desired.Report, err error) {
	wanted, reports = map[string]uint64{}, map[string]desired.Report{}
	list, err := d.wanted(ctx, wantedColumns)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range list {
		wanted[w.Gateway] = w.Version
	}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var gateway, body string
		var r desired.Report
		var at int64
		if err := scan(&gateway, &r.Position, &at, &body); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			return fmt.Errorf("of %s: %w", gateway, err)
		}
		r.Gateway, r.Time = gateway, fromMillis(at)
		reports[gateway] = r
		return nil
	}, `SELECT gateway, position, time_ms, body FROM settings_report`)
	if err != nil {
		return nil, nil, fmt.Errorf("sqldb: settings reports: %w", err)
	}
	return wanted, reports, nil
}
