package sqldb

import (
	"context"
	"encoding/json"
	"fmt"

	"aovuon/server/watch/dawn"
)

// DawnRecords implements dawn.Store.
func (d *DB) DawnRecords(ctx context.Context, from string) (out []dawn.Record, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var body string
		var r dawn.Record
		if err := scan(&r.Place, &r.Day, &body); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			return fmt.Errorf("%s, %s: %w", r.Place, r.Day, err)
		}
		out = append(out, r)
		return nil
	}, `SELECT place, day, body FROM dawn_record WHERE day >= $1 ORDER BY place, day`, from)
	if err != nil {
		return nil, fmt.Errorf("sqldb: dawn records: %w", err)
	}
	return out, nil
}

// SaveDawnRecord implements dawn.Store. A forecast stays what it was when it was made: one that comes later for the same night only ends it.
func (d *DB) SaveDawnRecord(ctx context.Context, r dawn.Record) error {
	if err := r.Check(); err != nil {
		return fmt.Errorf("sqldb: %w", err)
	}
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("sqldb: dawn record: %w", err)
	}
	err = d.exec(ctx, `INSERT INTO dawn_record (place, day, ended, looked_ms, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (place, day) DO UPDATE SET ended = excluded.ended, looked_ms = excluded.looked_ms, body = excluded.body
		WHERE dawn_record.ended IN ('open', 'gap')`, r.Place, r.Day, string(r.End), toMillis(r.Looked), string(body))
	if err != nil {
		return fmt.Errorf("sqldb: save dawn record: %w", err)
	}
	return nil
}
