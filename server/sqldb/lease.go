package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/server/elect"
)

const leaseColumns = `name, holder, term, beat, taken_ms, renewed_ms`

// Lease implements elect.Leases.
func (d *DB) Lease(ctx context.Context, name string) (elect.Lease, error) {
	l, err := scanLease(d.beats.QueryRowContext(ctx, `SELECT `+leaseColumns+` FROM lease WHERE name = $1`, name).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return elect.Lease{Name: name}, nil
	}
	if err != nil {
		return elect.Lease{}, fmt.Errorf("sqldb: lease %s: %w", name, err)
	}
	return l, nil
}

// Leases returns all that were ever taken, by their names.
func (d *DB) Leases(ctx context.Context) (list []elect.Lease, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		l, err := scanLease(scan)
		list = append(list, l)
		return err
	}, `SELECT `+leaseColumns+` FROM lease ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: leases: %w", err)
	}
	return list, nil
}

func scanLease(scan func(...any) error) (l elect.Lease, err error) {
	var taken, renewed int64
	if err := scan(&l.Name, &l.Holder, &l.Term, &l.Beat, &taken, &renewed); err != nil {
		return elect.Lease{}, err
	}
	l.Taken, l.Renewed = time.UnixMilli(taken).UTC(), time.UnixMilli(renewed).UTC()
	return l, nil
}

// TakeLease implements elect.Leases.
func (d *DB) TakeLease(ctx context.Context, seen elect.Lease, holder string, at time.Time) (elect.Lease, bool, error) {
	// The first to take it makes the row; of two, one finds it made.
	res, err := d.beats.ExecContext(ctx, `INSERT INTO lease (`+leaseColumns+`) VALUES ($1, $2, $3, $4, $5, $5)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, term = excluded.term, beat = excluded.beat, taken_ms = excluded.taken_ms, renewed_ms = excluded.renewed_ms
		WHERE lease.term = $6 AND lease.beat = $7`,
		seen.Name, holder, seen.Term+1, seen.Beat+1, at.UnixMilli(), seen.Term, seen.Beat)
	ok, err := touched(res, err)
	if err != nil || !ok {
		return elect.Lease{}, false, wrapLease("take", seen.Name, err)
	}
	at = time.UnixMilli(at.UnixMilli()).UTC()
	return elect.Lease{Name: seen.Name, Holder: holder, Term: seen.Term + 1, Beat: seen.Beat + 1, Taken: at, Renewed: at}, true, nil
}

// RenewLease implements elect.Leases.
func (d *DB) RenewLease(ctx context.Context, held elect.Lease, at time.Time) (bool, error) {
	ok, err := touched(d.beats.ExecContext(ctx, `UPDATE lease SET beat = beat + 1, renewed_ms = $4 WHERE name = $1 AND holder = $2 AND term = $3`,
		held.Name, held.Holder, held.Term, at.UnixMilli()))
	return ok, wrapLease("renew", held.Name, err)
}

// ReleaseLease implements elect.Leases.
func (d *DB) ReleaseLease(ctx context.Context, held elect.Lease, at time.Time) error {
	_, err := d.beats.ExecContext(ctx, `UPDATE lease SET holder = '', beat = beat + 1, renewed_ms = $4 WHERE name = $1 AND holder = $2 AND term = $3`,
		held.Name, held.Holder, held.Term, at.UnixMilli())
	return wrapLease("release", held.Name, err)
}

func wrapLease(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqldb: %s lease %s: %w", op, name, err)
}

func touched(res sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// fenced refuses the transaction of work whose lease is another's by now. It is the transaction's last statement: the row of the lease is
// locked from here to the commit, so nobody takes the lease in between, and no renewal waits for longer than a commit.
func fenced(ctx context.Context, tx *sql.Tx) error {
	f, ok := elect.FenceOf(ctx)
	if !ok {
		return nil
	}
	ok, err := touched(tx.ExecContext(ctx, `UPDATE lease SET term = term WHERE name = $1 AND holder = $2 AND term = $3`, f.Name, f.Holder, f.Term))
	if err == nil && !ok {
		err = fmt.Errorf("%w: %s, term %d", elect.ErrLost, f.Name, f.Term)
	}
	return err
}

// exec writes with one statement. Work under a lease is fenced.
func (d *DB) exec(ctx context.Context, query string, args ...any) error {
	if _, ok := elect.FenceOf(ctx); !ok {
		_, err := d.write.ExecContext(ctx, query, args...)
		return err
	}
	return d.update(ctx, "write", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}
