package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/history/sqlite"
	"aovuon/server/project"
	"aovuon/server/project/generation"
	"aovuon/server/sqldb"
)

// engine is where the configuration says that histories lie, as generation.Engine.
func (c *Config) engine() generation.Engine {
	if c.History.Engine == "sqlite" {
		return files{c}
	}
	return influxes{c}
}

// historyName is how the files of all generations are called.
var historyName = regexp.MustCompile(`^history(-[0-9]+)?\.db(-wal|-shm)?$`)

// openHistory opens the time series that are in use. InfluxDB need not be up.
func (c *Config) openHistory(ctx context.Context, db *sqldb.DB) (history.Store, error) {
	g, err := db.LiveGeneration(ctx)
	if err != nil {
		return nil, err
	}
	return c.engine().Open(ctx, g)
}

// files are the generations in SQLite: a file each, history.db the first.
type files struct{ c *Config }

func (f files) path(g project.Generation) string { return f.c.historyFile(g.Number) }

// historyFile is where a generation lies in SQLite.
func (c *Config) historyFile(generation int64) string {
	if generation == 0 {
		return filepath.Join(c.DataDir, "history.db")
	}
	return filepath.Join(c.DataDir, fmt.Sprintf("history-%d.db", generation))
}

// Open implements generation.Engine.
func (f files) Open(ctx context.Context, g project.Generation) (history.Store, error) {
	return sqlite.Open(ctx, f.path(g))
}

// Ready implements generation.Engine.
func (files) Ready(context.Context, project.Generation, history.Store) error { return nil }

// Place implements generation.Engine.
func (files) Place(_ context.Context, g project.Generation, _ history.Store) (string, error) {
	return g.Place, nil
}

// Discard implements generation.Engine. Whoever has the file open reads it to the end.
func (f files) Discard(_ context.Context, g project.Generation) error {
	for _, suffix := range []string{"-wal", "-shm", ""} { // the file last: without its log it would be an older one
		if err := os.Remove(f.path(g) + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove an old history: %w", err)
		}
	}
	return nil
}

// influxes are the generations in InfluxDB: retention policies g1, g2, … of one database, and what there was before them.
type influxes struct{ c *Config }

// Open implements generation.Engine.
func (i influxes) Open(_ context.Context, g project.Generation) (history.Store, error) {
	return i.open(g)
}

func (i influxes) open(g project.Generation) (*influx.Store, error) {
	return i.c.openInflux(policyOf(g))
}

// policyOf names the retention policy of a generation.
func policyOf(g project.Generation) string {
	if g.Number == 0 {
		return g.Place
	}
	return fmt.Sprintf("g%d", g.Number)
}

// Ready implements generation.Engine.
func (influxes) Ready(ctx context.Context, g project.Generation, s history.Store) error {
	db, ok := s.(*influx.Store)
	if !ok {
		return fmt.Errorf("history: %T is no InfluxDB", s)
	}
	if _, err := db.Setup(ctx); err != nil || g.State != project.StateLive || g.Number == 0 {
		return err
	}
	return db.Promote(ctx)
}

// Place implements generation.Engine.
func (influxes) Place(ctx context.Context, g project.Generation, s history.Store) (string, error) {
	db, ok := s.(*influx.Store)
	if !ok || g.Number > 0 {
		return g.Place, nil
	}
	return db.Place(ctx)
}

// Discard implements generation.Engine.
func (i influxes) Discard(ctx context.Context, g project.Generation) (err error) {
	s, err := i.open(g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Discard(ctx); errors.Is(err, influx.ErrShared) {
		return fmt.Errorf("%w: %w", generation.ErrShared, err)
	} else if err != nil {
		return err
	}
	return nil
}
