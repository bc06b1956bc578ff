package sqlite

import (
	"context"
	"database/sql"
	"time"

	"aovuon/server/history"
)

// hourMs is the width of the steps that are rolled up: a chart of a season reads 24 rows a day and series instead of 1,440.
const hourMs = int64(time.Hour / time.Millisecond)

// selectBySums puts hours ($8 to $9) and the points before and after them into steps, numbered by local time ($4: its offset) in steps of $5.
// Hours that are stale are read from their points, unless those were let go.
const selectBySums = `SELECT step, sum(n), min(low), sum(sum), max(high), sum(beyond), sum(faults), max(worst) FROM (
	SELECT (start * 3600000 + $4) / $5 AS step, n, low, sum, high, beyond, faults, worst FROM rollup
		WHERE series = $1 AND span = 1 AND start >= $8 AND start < $9 AND (stale <> 1 OR gone = 1) AND n + beyond + faults > 0
	UNION ALL
	SELECT (p.t_ms + $4) / $5, p.q <= 3, CASE WHEN p.q <= 3 THEN p.value END, CASE WHEN p.q <= 3 THEN p.value END, CASE WHEN p.q <= 3 THEN p.value END, p.q = 4, p.q = 5, p.q
		FROM rollup AS r JOIN point AS p ON p.series = r.series AND p.t_ms >= r.start * 3600000 AND p.t_ms < r.start * 3600000 + 3600000
		WHERE r.series = $1 AND r.span = 1 AND r.start >= $8 AND r.start < $9 AND r.stale = 1 AND r.gone = 0
	UNION ALL
	SELECT (t_ms + $4) / $5, q <= 3, CASE WHEN q <= 3 THEN value END, CASE WHEN q <= 3 THEN value END, CASE WHEN q <= 3 THEN value END, q = 4, q = 5, q
		FROM point WHERE series = $1 AND t_ms >= $2 AND t_ms < $6
	UNION ALL
	SELECT (t_ms + $4) / $5, q <= 3, CASE WHEN q <= 3 THEN value END, CASE WHEN q <= 3 THEN value END, CASE WHEN q <= 3 THEN value END, q = 4, q = 5, q
		FROM point WHERE series = $1 AND t_ms >= $7 AND t_ms < $3
	) GROUP BY step ORDER BY step`

func (s *Store) hours(ctx context.Context, id int64, seg history.Segment) (buckets []history.Bucket, err error) {
	ahead := aheadOf(seg)
	first := (seg.FromMs + hourMs - 1) / hourMs // of the whole hours
	end := max(first, seg.ToMs/hourMs)
	err = each(ctx, s.read, func(scan scanner) error {
		var step int64
		var b history.Bucket
		var low, sum, high sql.NullFloat64
		if err := scan(&step, &b.N, &low, &sum, &high, &b.OutOfRange, &b.Faults, &b.Worst); err != nil {
			return err
		}
		b.Start = time.UnixMilli(step*seg.EveryMs - ahead - seg.OffsetMs).UTC()
		if b.N > 0 {
			b.Min, b.Mean, b.Max = low.Float64, sum.Float64/float64(b.N), high.Float64
		}
		buckets = append(buckets, b)
		return nil
	}, selectBySums, id, seg.FromMs, seg.ToMs, seg.OffsetMs+ahead, seg.EveryMs, min(first*hourMs, seg.ToMs), end*hourMs, first, end)
	return buckets, err
}

// aheadOf is a whole number of steps that no local time is negative with: integer division rounds towards 0.
func aheadOf(seg history.Segment) int64 {
	const day = 24 * 60 * 60 * 1000
	return (day/seg.EveryMs + 1) * seg.EveryMs
}
