package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"aovuon/server/ingest"
)

// LastBatches returns the newest batches of a gateway's newest epoch, the newest first; none of a gateway that never sent any.
func (d *DB) LastBatches(ctx context.Context, gateway string, limit int) ([]ingest.Record, error) {
	var epoch string
	var seq int64
	err := d.read.QueryRowContext(ctx, `SELECT epoch, seq FROM chain_head WHERE gateway = $1 ORDER BY received_ms DESC, epoch LIMIT 1`, gateway).Scan(&epoch, &seq)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sqldb: last batches of %s: %w", gateway, err)
	}
	return d.records(ctx, "last batches", 0, `SELECT position, received_ms, body FROM batch WHERE gateway = $1 AND epoch = $2 AND seq > $3 ORDER BY seq DESC`,
		gateway, epoch, seq-int64(limit))
}

// batchesAtOnce is how many batches BatchesOf returns.
const batchesAtOnce = 200

// BatchesOf returns batches of a gateway or source in the order of epoch and number, from the one after a number of an epoch on ("" and 0: the first); none
// where there is nothing more.
func (d *DB) BatchesOf(ctx context.Context, gateway, epoch string, seq uint64) ([]ingest.Record, error) {
	return d.records(ctx, "batches of "+gateway, 0, `SELECT position, received_ms, body FROM batch
		WHERE gateway = $1 AND (epoch > $2 OR (epoch = $3 AND seq > $4)) ORDER BY epoch, seq LIMIT $5`, gateway, epoch, epoch, int64(seq), batchesAtOnce)
}
