package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"aovuon/server/ingest"
)

// Bounds of the quarantine's samples; its counters have none but the number of gateways and reasons.
const (
	samplesPerReason = 20    // of one gateway
	samplesInAll     = 5_000 // the oldest go first
)

// SaveRefusals implements ingest.Notes. A sample takes the slot of the refusal samplesPerReason before it.
func (d *DB) SaveRefusals(ctx context.Context, counts []ingest.Count, samples []ingest.Refusal) error {
	type key struct {
		gateway string
		reason  ingest.Reason
	}
	return d.update(ctx, "quarantine", func(tx *sql.Tx) error {
		total := make(map[key]int64, len(counts))
		for _, c := range counts {
			var n int64
			err := tx.QueryRowContext(ctx, `INSERT INTO quarantine_count (gateway, reason, n, first_ms, last_ms) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (gateway, reason) DO UPDATE SET n = quarantine_count.n + excluded.n, last_ms = excluded.last_ms RETURNING n`,
				c.Gateway, string(c.Reason), c.N, c.First.UnixMilli(), c.Last.UnixMilli()).Scan(&n)
			if err != nil {
				return err
			}
			total[key{c.Gateway, c.Reason}] = n
		}
		for _, s := range samples {
			k := key{s.Gateway, s.Reason}
			total[k]--
			_, err := tx.ExecContext(ctx, `INSERT INTO quarantine (gateway, reason, slot, received_ms, detail, size, sample) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (gateway, reason, slot) DO UPDATE SET received_ms = excluded.received_ms, detail = excluded.detail,
				size = excluded.size, sample = excluded.sample`,
				s.Gateway, string(s.Reason), max(total[k], 0)%samplesPerReason, s.Received.UnixMilli(), s.Detail, s.Size, s.Sample)
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM quarantine WHERE received_ms <
			(SELECT received_ms FROM quarantine ORDER BY received_ms DESC LIMIT 1 OFFSET $1)`, samplesInAll)
		return err
	})
}

// Refusals lists the counters, the latest first.
func (d *DB) Refusals(ctx context.Context) ([]ingest.Count, error) {
	var out []ingest.Count
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var c ingest.Count
		var first, last int64
		if err := scan(&c.Gateway, &c.Reason, &c.N, &first, &last); err != nil {
			return err
		}
		c.First, c.Last = fromMillis(first), fromMillis(last)
		out = append(out, c)
		return nil
	}, `SELECT gateway, reason, n, first_ms, last_ms FROM quarantine_count ORDER BY last_ms DESC, gateway, reason`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: refusals: %w", err)
	}
	return out, nil
}

// Samples lists up to limit refused messages, the newest first.
func (d *DB) Samples(ctx context.Context, limit int) ([]ingest.Refusal, error) {
	var out []ingest.Refusal
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var r ingest.Refusal
		var ms int64
		if err := scan(&r.Gateway, &r.Reason, &ms, &r.Detail, &r.Size, &r.Sample); err != nil {
			return err
		}
		r.Received = fromMillis(ms)
		out = append(out, r)
		return nil
	}, `SELECT gateway, reason, received_ms, detail, size, sample FROM quarantine ORDER BY received_ms DESC, gateway, reason, slot LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("sqldb: samples: %w", err)
	}
	return out, nil
}
