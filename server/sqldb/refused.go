package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/project"
)

// SaveRefused implements project.Refused: kept as long as the generation. Keeping one again changes nothing but its reason.
func (s *Sheet) SaveRefused(ctx context.Context, refused []history.Rejected, at time.Time) error {
	return s.update(ctx, "refused points", func(tx *sql.Tx) error {
		for _, r := range refused {
			p := r.Point
			_, err := tx.ExecContext(ctx, `INSERT INTO history_refused (generation, gateway, sensor, quantity, t_ms, place, value, q, reason, refused_ms)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
				ON CONFLICT (generation, gateway, sensor, quantity, t_ms) DO UPDATE SET place = excluded.place, value = excluded.value, q = excluded.q, reason = excluded.reason`,
				s.generation, p.Gateway, p.Sensor, string(p.Quantity), p.Time.UnixMilli(), p.Place,
				sql.NullFloat64{Float64: p.Value, Valid: p.Quality != measure.Fault && !math.IsNaN(p.Value)}, int64(p.Quality), legible(r.Reason), at.UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// RefusedPoints returns how many points the generation in use has refused, of each gateway, and the newest up to limit.
func (d *DB) RefusedPoints(ctx context.Context, limit int) (counts []project.RefusedCount, newest []project.RefusedPoint, err error) {
	g, err := d.LiveGeneration(ctx)
	if err != nil {
		return nil, nil, err
	}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var c project.RefusedCount
		var first, last int64
		if err := scan(&c.Gateway, &c.Points, &first, &last); err != nil {
			return err
		}
		c.First, c.Last = fromMillis(first), fromMillis(last)
		counts = append(counts, c)
		return nil
	}, `SELECT gateway, COUNT(*), MIN(refused_ms), MAX(refused_ms) FROM history_refused WHERE generation = $1 GROUP BY gateway ORDER BY gateway`, g.Number)
	if err != nil {
		return nil, nil, fmt.Errorf("sqldb: refused points: %w", err)
	}
	if len(counts) == 0 {
		return nil, nil, nil
	}
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var p project.RefusedPoint
		var t, at int64
		var value sql.NullFloat64
		if err := scan(&p.Gateway, &p.Sensor, &p.Quantity, &t, &p.Place, &value, &p.Quality, &p.Reason, &at); err != nil {
			return err
		}
		p.Time, p.Value, p.At = time.UnixMilli(t).UTC(), value.Float64, fromMillis(at)
		newest = append(newest, p)
		return nil
	}, `SELECT gateway, sensor, quantity, t_ms, place, value, q, reason, refused_ms FROM history_refused WHERE generation = $1
		ORDER BY refused_ms DESC, gateway, sensor, quantity, t_ms LIMIT $2`, g.Number, limit)
	if err != nil {
		return nil, nil, fmt.Errorf("sqldb: refused points: %w", err)
	}
	return counts, newest, nil
}

// maxReason is how much of a reason is kept.
const maxReason = 500

// legible makes any text of a server fit for a TEXT column and a page.
func legible(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	return strings.ToValidUTF8(s[:min(len(s), maxReason)], "")
}
