package sqldb

import (
	"context"
	"fmt"
	"time"
)

// LogPosition returns the position of the newest batch that was received before a time, 0 where there is none. Positions are looked for by
// halves: they are given in the order of commits, in which times of receipt rise but for moments.
func (d *DB) LogPosition(ctx context.Context, before time.Time) (int64, error) {
	end, err := d.LogEnd(ctx)
	if err != nil {
		return 0, err
	}
	from, to := int64(0), end // received before: those up to from; not before: those after to
	for from < to {
		middle := from + (to-from+1)/2
		var ms int64
		if err := d.read.QueryRowContext(ctx, `SELECT received_ms FROM batch WHERE position = $1`, middle).Scan(&ms); err != nil {
			return 0, fmt.Errorf("sqldb: log at %d: %w", middle, err)
		}
		if ms < before.UnixMilli() {
			from = middle
		} else {
			to = middle - 1
		}
	}
	return from, nil
}
