package sqldb

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"aovuon/server/peers"
)

// Processes implements peers.Store.
func (d *DB) Processes(ctx context.Context) (list []peers.Process, err error) {
	err = each(ctx, d.beats, func(scan func(...any) error) error {
		var p peers.Process
		var roles, facts, report string
		var started, seen int64
		if err := scan(&p.ID, &p.Name, &roles, &facts, &p.Beat, &started, &seen, &report); err != nil {
			return err
		}
		p.Started, p.Seen, p.Report = time.UnixMilli(started).UTC(), time.UnixMilli(seen).UTC(), []byte(report)
		p.Roles = strings.Fields(roles)
		if err := json.Unmarshal([]byte(facts), &p.Facts); err != nil {
			return fmt.Errorf("facts of process %s: %w", p.ID, err)
		}
		list = append(list, p)
		return nil
	}, `SELECT id, name, roles, facts, beat, started_ms, seen_ms, report FROM process ORDER BY started_ms, id`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: processes: %w", err)
	}
	return list, nil
}

// EnterProcess implements peers.Store.
func (d *DB) EnterProcess(ctx context.Context, p peers.Process) error {
	facts, err := json.Marshal(p.Facts)
	if err == nil {
		_, err = d.beats.ExecContext(ctx, `INSERT INTO process (id, name, roles, facts, beat, started_ms, seen_ms, report) VALUES ($1, $2, $3, $4, 1, $5, $6, $7)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, facts = excluded.facts, beat = process.beat + 1,
			started_ms = excluded.started_ms, seen_ms = excluded.seen_ms, report = excluded.report`,
			p.ID, p.Name, strings.Join(p.Roles, " "), string(facts), p.Started.UnixMilli(), p.Seen.UnixMilli(), string(p.Report))
	}
	if err != nil {
		return fmt.Errorf("sqldb: enter process: %w", err)
	}
	return nil
}

// BeatProcess implements peers.Store.
func (d *DB) BeatProcess(ctx context.Context, id string, report []byte, at time.Time) (bool, error) {
	ok, err := touched(d.beats.ExecContext(ctx, `UPDATE process SET beat = beat + 1, seen_ms = $2, report = $3 WHERE id = $1`, id, at.UnixMilli(), string(report)))
	if err != nil {
		return false, fmt.Errorf("sqldb: process lives: %w", err)
	}
	return ok, nil
}

// LeaveProcess implements peers.Store.
func (d *DB) LeaveProcess(ctx context.Context, id string) error {
	if _, err := d.beats.ExecContext(ctx, `DELETE FROM process WHERE id = $1`, id); err != nil {
		return fmt.Errorf("sqldb: process leaves: %w", err)
	}
	return nil
}
