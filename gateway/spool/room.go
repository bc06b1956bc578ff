package spool

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// reserve is left free on the disk, or a twentieth of a disk smaller than twenty times that: deleting needs room too.
const reserve = 16 << 20

// slack is how much room inside the file lets records in although the disk is full: they make it no larger.
const slack = 1 << 20

// SetQuota bounds the size of the file and its log: from a sixteenth below it Add answers ErrQuota, and the sixteenth is the
// reserve in which batches are sealed and old records are thinned. 0 is no bound.
func (s *Spool) SetQuota(bytes uint64) { s.quota.Store(bytes) }

// checkRoom keeps the disk's reserve. Room that was made inside the file may be filled.
func (s *Spool) checkRoom(ctx context.Context) error {
	free, total, err := room(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	keep := min(reserve, total/20)
	if free >= keep {
		return nil
	}
	var inside uint64
	if err := size(ctx, s.write, new(uint64), &inside); err != nil {
		return err
	}
	if inside >= slack && free >= keep/4 {
		return nil
	}
	return fmt.Errorf("%w: %d bytes are free and %d are kept in reserve", ErrFull, free, keep)
}

// checkQuota keeps the file's own bound.
func (s *Spool) checkQuota(ctx context.Context, q querier) error {
	quota := s.quota.Load()
	if quota == 0 {
		return nil
	}
	var total, free uint64
	if err := size(ctx, q, &total, &free); err != nil {
		return err
	}
	if used, limit := total-free, quota-quota/16; used >= limit {
		return fmt.Errorf("%w: %d bytes are used of %d", ErrQuota, used, quota)
	}
	return nil
}

// size tells how large the file is, and how much of it is free inside.
func size(ctx context.Context, q querier, total, free *uint64) error {
	var pages, empty, bytes uint64
	err := errors.Join(
		q.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages),
		q.QueryRowContext(ctx, `PRAGMA freelist_count`).Scan(&empty),
		q.QueryRowContext(ctx, `PRAGMA page_size`).Scan(&bytes),
	)
	*total, *free = pages*bytes, empty*bytes
	return err
}
