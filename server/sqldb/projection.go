package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aovuon/server/ingest"
	"aovuon/server/project"
)

// Cursor implements project.Cursors.
func (d *DB) Cursor(ctx context.Context, projection string) (position int64, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT position FROM projection_cursor WHERE projection = $1`, projection).Scan(&position)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("sqldb: cursor of %s: %w", projection, err)
	}
	return position, nil
}

// SaveCursor implements project.Cursors.
func (d *DB) SaveCursor(ctx context.Context, projection string, position int64) error {
	err := d.exec(ctx, `INSERT INTO projection_cursor (projection, position) VALUES ($1, $2)
		ON CONFLICT (projection) DO UPDATE SET position = excluded.position`, projection, position)
	if err != nil {
		return fmt.Errorf("sqldb: cursor of %s: %w", projection, err)
	}
	return nil
}

// SaveAnchor implements project.Anchors.
func (d *DB) SaveAnchor(ctx context.Context, a project.Anchor) (project.Anchor, error) {
	err := d.exec(ctx, `INSERT INTO boot_anchor (gateway, boot, uptime_ms, wall_ms, position) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (gateway, boot) DO NOTHING`, a.Gateway, a.Boot, a.Uptime.Milliseconds(), a.Wall.UnixMilli(), a.Position)
	if err != nil {
		return a, fmt.Errorf("sqldb: save anchor: %w", err)
	}
	kept, ok, err := d.AnchorOf(ctx, a.Gateway, a.Boot)
	if err == nil && !ok {
		err = fmt.Errorf("sqldb: anchor of gateway %s not kept", a.Gateway)
	}
	return kept, err
}

// AnchorOf implements project.Anchors.
func (d *DB) AnchorOf(ctx context.Context, gateway, boot string) (a project.Anchor, ok bool, err error) {
	a = project.Anchor{Gateway: gateway, Boot: boot}
	var uptime, wall int64
	err = d.read.QueryRowContext(ctx, `SELECT uptime_ms, wall_ms, position FROM boot_anchor WHERE gateway = $1 AND boot = $2`, gateway, boot).
		Scan(&uptime, &wall, &a.Position)
	if errors.Is(err, sql.ErrNoRows) {
		return a, false, nil
	}
	if err != nil {
		return a, false, fmt.Errorf("sqldb: anchor: %w", err)
	}
	a.Uptime, a.Wall = time.Duration(uptime)*time.Millisecond, time.UnixMilli(wall).UTC()
	return a, true, nil
}

// Bounds of EachNewest: what a fresh start shows, not how much there is.
const (
	newestGateways = 5_000
	newestBatches  = 20_000 // in all
)

// EachNewest implements project.Newest.
func (d *DB) EachNewest(ctx context.Context, f func([]ingest.Record) error) error {
	type head struct {
		ingest.Chain
		seq int64
	}
	var heads []head
	seen := map[string]bool{}
	err := each(ctx, d.read, func(scan func(...any) error) error {
		var h head
		if err := scan(&h.Gateway, &h.Epoch, &h.seq); err != nil {
			return err
		}
		if !seen[h.Gateway] && len(heads) < newestGateways {
			seen[h.Gateway] = true
			heads = append(heads, h)
		}
		return nil
	}, `SELECT gateway, epoch, seq FROM chain_head ORDER BY received_ms DESC`)
	if err != nil {
		return fmt.Errorf("sqldb: chain heads: %w", err)
	}
	for _, h := range heads {
		n := int64(max(5, min(50, newestBatches/len(heads))))
		records, err := d.records(ctx, "newest batches", 0, `SELECT position, received_ms, body FROM batch
			WHERE gateway = $1 AND epoch = $2 AND seq > $3 ORDER BY seq`, h.Gateway, h.Epoch, h.seq-n)
		if err != nil {
			return err
		}
		if err := f(records); err != nil {
			return err
		}
	}
	return nil
}
