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

const generationColumns = `generation, state, place, register, began_ms, changed_ms`

func scanGeneration(scan func(...any) error) (g project.Generation, err error) {
	var state string
	var began, changed int64
	if err := scan(&g.Number, &state, &g.Place, &g.Register, &began, &changed); err != nil {
		return g, err
	}
	g.State, g.Began, g.Changed = project.GenerationState(state), fromMillis(began), fromMillis(changed)
	return g, nil
}

// Generations lists all that were not dropped, by their numbers.
func (d *DB) Generations(ctx context.Context) (list []project.Generation, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		g, err := scanGeneration(scan)
		list = append(list, g)
		return err
	}, `SELECT `+generationColumns+` FROM history_generation ORDER BY generation`)
	if err != nil {
		return nil, fmt.Errorf("sqldb: generations of the history: %w", err)
	}
	return list, nil
}

// LiveGeneration implements project.Generations.
func (d *DB) LiveGeneration(ctx context.Context) (project.Generation, error) {
	g, err := scanGeneration(d.read.QueryRowContext(ctx, `SELECT `+generationColumns+` FROM history_generation WHERE state = $1`, string(project.StateLive)).Scan)
	if err != nil {
		return g, fmt.Errorf("sqldb: generation of the history: %w", err)
	}
	return g, nil
}

// BeginGeneration implements project.Generations.
func (d *DB) BeginGeneration(ctx context.Context, register string, at time.Time) (g project.Generation, err error) {
	err = d.update(ctx, "begin generation", func(tx *sql.Tx) error {
		g, err = scanGeneration(tx.QueryRowContext(ctx, `SELECT `+generationColumns+` FROM history_generation WHERE state = $1`, string(project.StateDrawing)).Scan)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		g = project.Generation{State: project.StateDrawing, Register: register, Began: fromMillis(at.UnixMilli()), Changed: fromMillis(at.UnixMilli())}
		// The number of one that was dropped may come again: nothing is left of it then.
		if err := tx.QueryRowContext(ctx, `SELECT MAX(generation) + 1 FROM history_generation`).Scan(&g.Number); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO history_generation (`+generationColumns+`) VALUES ($1, $2, '', $3, $4, $4)`,
			g.Number, string(g.State), register, at.UnixMilli())
		return err
	})
	return g, err
}

// NameGeneration implements project.Generations.
func (d *DB) NameGeneration(ctx context.Context, number int64, place string) error {
	err := d.exec(ctx, `UPDATE history_generation SET place = $2 WHERE generation = $1`, number, place)
	if err != nil {
		return fmt.Errorf("sqldb: generation %d of the history: %w", number, err)
	}
	return nil
}

// SwapGeneration implements project.Generations.
func (d *DB) SwapGeneration(ctx context.Context, number int64, at time.Time) error {
	return d.update(ctx, "swap generation", func(tx *sql.Tx) error {
		for _, change := range []struct {
			do   string
			args []any
		}{
			{`UPDATE history_generation SET state = $1, changed_ms = $2 WHERE state = $3`, []any{string(project.StateOld), at.UnixMilli(), string(project.StateLive)}},
			{`UPDATE history_generation SET state = $1, changed_ms = $2 WHERE state = $3 AND generation = $4`, []any{string(project.StateLive), at.UnixMilli(), string(project.StateDrawing), number}},
		} {
			ok, err := touched(tx.ExecContext(ctx, change.do, change.args...))
			if err != nil {
				return err
			}
			if !ok {
				return fmt.Errorf("generation %d of the history is not being drawn any more", number)
			}
		}
		return nil
	})
}

// DropGeneration implements project.Generations.
func (d *DB) DropGeneration(ctx context.Context, number int64) error {
	return d.update(ctx, "drop generation", func(tx *sql.Tx) error {
		var live int64
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM history_generation WHERE generation = $1 AND state = $2`, number, string(project.StateLive)).Scan(&live); err != nil {
			return err
		}
		if live > 0 {
			return fmt.Errorf("generation %d of the history is the one in use", number)
		}
		for _, table := range []string{"history_generation", "history_refused", "undated"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE generation = $1`, number); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM projection_cursor WHERE projection = $1`, project.Generation{Number: number}.Cursor())
		return err
	})
}

// Drawn implements trace.Store.
func (d *DB) Drawn(ctx context.Context) (int64, error) {
	g, err := d.LiveGeneration(ctx)
	if err != nil {
		return 0, err
	}
	return d.Cursor(ctx, g.Cursor())
}

// Sheet is the database as one generation of the history writes to it. It implements project.Anchors and project.Refused.
type Sheet struct {
	*DB
	generation int64
}

// Sheet returns what a generation of the history writes to.
func (d *DB) Sheet(generation int64) *Sheet { return &Sheet{d, generation} }

// Park implements project.Anchors.
func (s *Sheet) Park(ctx context.Context, parked []project.Parked) error {
	if len(parked) == 0 {
		return nil
	}
	return s.update(ctx, "park", func(tx *sql.Tx) error {
		for _, p := range parked {
			_, err := tx.ExecContext(ctx, `INSERT INTO undated (generation, position, gateway, boot, readings) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (generation, position) DO NOTHING`, s.generation, p.Position, p.Gateway, p.Boot, p.Readings)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ParkedOf implements project.Anchors.
func (s *Sheet) ParkedOf(ctx context.Context, gateway, boot string, after int64, limit int) ([]ingest.Record, error) {
	return s.records(ctx, "parked", 0, `SELECT b.position, b.received_ms, b.body FROM undated u JOIN batch b ON b.position = u.position
		WHERE u.generation = $1 AND u.gateway = $2 AND u.boot = $3 AND u.position > $4 ORDER BY u.position LIMIT $5`, s.generation, gateway, boot, after, limit)
}

// Unpark implements project.Anchors.
func (s *Sheet) Unpark(ctx context.Context, gateway, boot string, upto int64) error {
	err := s.exec(ctx, `DELETE FROM undated WHERE generation = $1 AND gateway = $2 AND boot = $3 AND position <= $4`, s.generation, gateway, boot, upto)
	if err != nil {
		return fmt.Errorf("sqldb: unpark: %w", err)
	}
	return nil
}

// live returns the sheet of the generation in use.
func (d *DB) live(ctx context.Context) (*Sheet, error) {
	g, err := d.LiveGeneration(ctx)
	return d.Sheet(g.Number), err
}

// Park implements project.Anchors for the generation in use.
func (d *DB) Park(ctx context.Context, parked []project.Parked) error {
	s, err := d.live(ctx)
	if err != nil {
		return err
	}
	return s.Park(ctx, parked)
}

// ParkedOf implements project.Anchors for the generation in use.
func (d *DB) ParkedOf(ctx context.Context, gateway, boot string, after int64, limit int) ([]ingest.Record, error) {
	s, err := d.live(ctx)
	if err != nil {
		return nil, err
	}
	return s.ParkedOf(ctx, gateway, boot, after, limit)
}

// Unpark implements project.Anchors for the generation in use.
func (d *DB) Unpark(ctx context.Context, gateway, boot string, upto int64) error {
	s, err := d.live(ctx)
	if err != nil {
		return err
	}
	return s.Unpark(ctx, gateway, boot, upto)
}

// Undated returns how many readings wait for the anchor of their boot, in the generation in use.
func (d *DB) Undated(ctx context.Context) (readings int64, err error) {
	err = d.read.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(readings), 0) AS BIGINT) FROM undated
		WHERE generation = (SELECT generation FROM history_generation WHERE state = $1)`, string(project.StateLive)).Scan(&readings)
	if err != nil {
		return 0, fmt.Errorf("sqldb: undated: %w", err)
	}
	return readings, nil
}
