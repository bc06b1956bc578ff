package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/server/watch/notify"
)

// Pool is how the connections of one pool are used.
type Pool struct {
	Name   string // read or write
	Open   int
	InUse  int
	Limit  int
	Waits  int64         // how often somebody had to wait for a connection
	Waited time.Duration // for how long, all together
}

// Pools tells how the database's connections are used. It asks the database nothing.
func (d *DB) Pools() []Pool {
	var out []Pool
	type pool struct {
		name string
		db   *sql.DB
	}
	pools := []pool{{"read", d.read}, {"write", d.write}}
	if d.beats != d.write {
		pools = append(pools, pool{"beats", d.beats})
	}
	for _, p := range pools {
		s := p.db.Stats()
		out = append(out, Pool{p.name, s.OpenConnections, s.InUse, s.MaxOpenConnections, s.WaitCount, s.WaitDuration})
	}
	return out
}

// Received returns when the batch at a position was received; ok is false where the log has none.
func (d *DB) Received(ctx context.Context, position int64) (at time.Time, ok bool, err error) {
	var ms int64
	err = d.read.QueryRowContext(ctx, `SELECT received_ms FROM batch WHERE position = $1`, position).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) {
		return at, false, nil
	}
	if err != nil {
		return at, false, fmt.Errorf("sqldb: log at %d: %w", position, err)
	}
	return fromMillis(ms), true, nil
}

// HeadTime returns of how many leaves the newest signed head of the ledger is, and when it was kept; zero while there is none.
func (d *DB) HeadTime(ctx context.Context) (size int64, at time.Time, err error) {
	var ms int64
	err = d.read.QueryRowContext(ctx, `SELECT size, time_ms FROM ledger_checkpoint ORDER BY size DESC LIMIT 1`).Scan(&size, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, at, nil
	}
	if err != nil {
		return 0, at, fmt.Errorf("sqldb: newest head: %w", err)
	}
	return size, fromMillis(ms), nil
}

// MessageCounts returns how many messages were done with since a time, by channel and what became of them.
func (d *DB) MessageCounts(ctx context.Context, since time.Time) (map[string]map[notify.Delivery]int, error) {
	out := map[string]map[notify.Delivery]int{}
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var channel, state string
		var n int
		if err := scan(&channel, &state, &n); err != nil {
			return err
		}
		if out[channel] == nil {
			out[channel] = map[notify.Delivery]int{}
		}
		out[channel][notify.Delivery(state)] = n
		return nil
	}, `SELECT channel, state, COUNT(*) FROM notify_message WHERE done_ms >= $1 GROUP BY channel, state`, toMillis(since))
	if err != nil {
		return nil, fmt.Errorf("sqldb: messages counted: %w", err)
	}
	return out, nil
}
