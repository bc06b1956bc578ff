package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"aovuon/server/intake"
)

// SaveUnknown implements intake.UnknownStore.
func (d *DB) SaveUnknown(ctx context.Context, list []intake.Unknown) error {
	return d.update(ctx, "unknown devices", func(tx *sql.Tx) error {
		sources := map[string]bool{}
		for _, x := range list {
			sources[x.Source] = true
			if x.N == 0 {
				if _, err := tx.ExecContext(ctx, `DELETE FROM intake_unknown WHERE source = $1 AND device = $2 AND value = $3`, x.Source, x.Device, x.Value); err != nil {
					return err
				}
				continue
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO intake_unknown (source, device, value, n, first_ms, last_ms, sample) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (source, device, value) DO UPDATE SET n = intake_unknown.n + excluded.n, last_ms = excluded.last_ms, sample = excluded.sample`,
				x.Source, x.Device, x.Value, x.N, x.First.UnixMilli(), x.Last.UnixMilli(), x.Sample)
			if err != nil {
				return err
			}
		}
		for s := range sources {
			_, err := tx.ExecContext(ctx, `DELETE FROM intake_unknown WHERE source = $1 AND last_ms < (SELECT MIN(last_ms) FROM
				(SELECT last_ms FROM intake_unknown WHERE source = $2 ORDER BY last_ms DESC LIMIT $3) newest)`, s, s, intake.MaxUnknown)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Unknown returns what a source's mapping does not name, the newest first.
func (d *DB) Unknown(ctx context.Context, source string) ([]intake.Unknown, error) {
	var out []intake.Unknown
	err := each(ctx, d.read, func(scan func(...any) error) error {
		x := intake.Unknown{Source: source}
		var first, last int64
		err := scan(&x.Device, &x.Value, &x.N, &first, &last, &x.Sample)
		x.First, x.Last = fromMillis(first), fromMillis(last)
		out = append(out, x)
		return err
	}, `SELECT device, value, n, first_ms, last_ms, sample FROM intake_unknown WHERE source = $1 ORDER BY last_ms DESC, device, value LIMIT $2`, source, intake.MaxUnknown)
	if err != nil {
		return nil, fmt.Errorf("sqldb: unknown devices of %s: %w", source, err)
	}
	return out, nil
}
