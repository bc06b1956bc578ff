package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"aovuon/server/backup"
	"aovuon/server/sqldb"
)

type migrateCmd struct {
	ToDSNFile string `name:"to-dsn-file" help:"Move to PostgreSQL: file with the connection string of an empty database." type:"path"`
	ToSQLite  bool   `name:"to-sqlite" help:"Move back to server.db in the data folder."`
	Ahead     bool   `help:"Only copy what can be copied while the server works, and end."`
	Undo      bool   `help:"After a run that was cut off at its very end: give the old database back, because the new one cannot be had any more."`
}

// moveEvery is how often a move that waits for the server to stop looks, and goes on copying.
const moveEvery = 500 * time.Millisecond

// Run moves the database. Doing it again goes on where an earlier run was cut off.
func (cmd *migrateCmd) Run(e *env) (err error) {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	o, err := cmd.options(e, &c)
	if err != nil {
		return err
	}
	if cmd.Undo {
		release, err := lockData(c.DataDir)
		if err != nil {
			return err
		}
		if err := errors.Join(sqldb.Undo(e.ctx, o), release()); err != nil {
			return err
		}
		return e.printf("undone     the old database counts again: start its server\n")
	}
	m, err := sqldb.NewMove(e.ctx, o)
	if err != nil {
		return err
	}
	open := true
	defer func() {
		if open {
			err = errors.Join(err, m.Close())
		}
	}()
	if err := e.ahead(e.ctx, m); err != nil || cmd.Ahead {
		if err == nil {
			err = e.printf("next       run it again without --ahead: it copies what came since, and waits until the server is stopped\n")
		}
		return err
	}
	moved, took, err := e.finishMove(c, m)
	if err != nil {
		return err
	}
	open = false
	if err := m.Close(); err != nil {
		return err
	}
	kept := c.databaseFile()
	if cmd.ToSQLite {
		if kept, err = c.place(e); err != nil {
			return err
		}
	}
	return cmd.report(e, c, moved, took, kept)
}

// options says what moves where.
func (cmd *migrateCmd) options(e *env, c *Config) (o sqldb.MoveOptions, err error) {
	if (cmd.ToDSNFile == "") == !cmd.ToSQLite {
		return o, errors.New("migrate: where to? give --to-dsn-file FILE (PostgreSQL), or --to-sqlite")
	}
	o = sqldb.MoveOptions{Now: e.now, Said: e.sayMoving()}
	if cmd.ToSQLite && c.Database.Driver != sqldb.Postgres {
		return o, fmt.Errorf("migrate: the database of %s is SQLite already", e.config)
	}
	if o.From, err = c.at(); err != nil {
		return o, err
	}
	if o.From.Driver == sqldb.SQLite && !exists(o.From.DSN) {
		return o, fmt.Errorf("migrate: there is no %s: nothing to move; a new server begins on PostgreSQL with server init", o.From.DSN)
	}
	if _, o.Origin, err = c.loadLedgerKey(); err != nil {
		return o, err
	}
	if cmd.ToSQLite {
		o.To, err = c.arriving(e.ctx)
		return o, err
	}
	dsn, err := secret(cmd.ToDSNFile)
	if err != nil {
		return o, fmt.Errorf("migrate: --to-dsn-file: %w", err)
	}
	o.To = sqldb.Config{Driver: sqldb.Postgres, DSN: dsn}
	if o.To == o.From {
		return o, errors.New("migrate: both are the same database: name the file of the new one")
	}
	return o, nil
}

// arriving says which SQLite file is filled: one beside server.db, which takes its place at the end.
func (c *Config) arriving(ctx context.Context) (sqldb.Config, error) {
	at := sqldb.Config{Driver: sqldb.SQLite, DSN: c.arrivingFile()}
	there := sqldb.Config{Driver: sqldb.SQLite, DSN: c.databaseFile()}
	if !exists(there.DSN) {
		return at, nil
	}
	left, err := sqldb.Left(ctx, there)
	if err != nil {
		return at, fmt.Errorf("migrate: %w", err)
	}
	if !left {
		return at, fmt.Errorf("migrate: %s is there and counts: if it was moved back already, write database: { driver: sqlite } and start the server; if nobody needs it, put the file elsewhere first", there.DSN)
	}
	return at, nil
}

// place puts a filled SQLite file in its place; the one that was left before stays beside it.
func (c *Config) place(e *env) (kept string, err error) {
	if exists(c.databaseFile()) {
		kept = c.databaseFile() + ".left-" + e.now().UTC().Format("20060102T150405Z")
		if err := os.Rename(c.databaseFile(), kept); err != nil {
			return "", fmt.Errorf("migrate: %w", err)
		}
	}
	if err := os.Rename(c.arrivingFile(), c.databaseFile()); err != nil {
		return "", fmt.Errorf("migrate: %w", err)
	}
	return kept, backup.SyncDir(c.DataDir)
}

// sayMoving prints progress, a line a second at most.
func (e *env) sayMoving() func(sqldb.Moving) {
	var last time.Time
	return func(s sqldb.Moving) {
		if now := e.now(); s.Of > 0 && now.Sub(last) >= time.Second {
			last = now
			e.log.Info("moving", slog.String("table", s.Table), slog.Int64("rows", s.Done), slog.Int64("of", s.Of))
		}
	}
}

// ahead copies what can be copied while a server works.
func (e *env) ahead(ctx context.Context, m *sqldb.Move) error {
	begin := e.now()
	n, err := m.Ahead(ctx)
	if err != nil {
		return err
	}
	return e.printf("ahead      %d rows of the batch log and the ledger in %s\n", n, e.now().Sub(begin).Round(time.Millisecond))
}

// finishMove waits until no server runs, copying on meanwhile, and then finishes. took is how long nobody could write.
func (e *env) finishMove(c Config, m *sqldb.Move) (moved *sqldb.Moved, took time.Duration, err error) {
	again := time.NewTicker(moveEvery)
	defer again.Stop()
	for said := false; ; {
		begin := e.now()
		moved, err = finishAlone(e.ctx, c, m)
		if err == nil {
			return moved, e.now().Sub(begin), nil
		}
		if !errors.Is(err, errServerRuns) && !errors.Is(err, sqldb.ErrNotAlone) {
			return nil, 0, err
		}
		if !said {
			said = true
			if err := e.printf("waits      %v\n           stop it now (every one of them); this command goes on by itself, and says when to start again\n", err); err != nil {
				return nil, 0, err
			}
		}
		select {
		case <-e.ctx.Done():
			return nil, 0, errors.New("migrate: ended before the server was stopped: what was copied is kept, nothing has moved yet")
		case <-again.C:
		}
		if _, err := m.Ahead(e.ctx); err != nil {
			return nil, 0, err
		}
	}
}

// finishAlone finishes while no server has the data folder.
func finishAlone(ctx context.Context, c Config, m *sqldb.Move) (moved *sqldb.Moved, err error) {
	release, err := lockData(c.DataDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	return m.Finish(ctx)
}

// report says what was done, and what to do now.
func (cmd *migrateCmd) report(e *env, c Config, moved *sqldb.Moved, took time.Duration, kept string) error {
	var rows int64
	for _, t := range moved.Tables {
		if rows += t.Done; t.Done == 0 {
			continue
		}
		if err := e.printf("           %-22s %9d rows in both\n", t.Table, t.Done); err != nil {
			return err
		}
	}
	how := fmt.Sprintf("%d tables with %d rows, compared one by one; nobody could write for %s", len(moved.Tables), rows, took.Round(time.Millisecond))
	if moved.Already {
		how = "an earlier run had copied and compared everything; this one handed over"
	}
	next := fmt.Sprintf("database: { driver: postgres, dsn_file: %s }", cmd.ToDSNFile)
	if cmd.ToSQLite {
		next = "database: { driver: sqlite }"
	}
	if err := e.printf("moved      %s\nlog        %d batches\nledger     %d leaves, head %s in both\nnext       in %s write\n               %s\n           and start the server; the data folder stays (keys, photos, history), so does everything else in the configuration\n",
		how, moved.Batches, moved.Leaves, moved.Root, e.config, next); err != nil {
		return err
	}
	if !cmd.ToSQLite && c.Backup.Dir != "" {
		if err := e.printf("backup     pg_dump and pg_restore must be installed here; backup.drill_dsn_file names an empty database to try backups in\n"); err != nil {
			return err
		}
	}
	switch {
	case kept == "":
		return e.printf("kept       the old database refuses every program from now on; remove it after the first backup of the new one\n")
	case cmd.ToSQLite:
		return e.printf("kept       %s, from before; it and the PostgreSQL database refuse every program from now on: remove them after the first backup\n", kept)
	}
	if c.Database.Driver == sqldb.Postgres {
		kept = "the old database"
	}
	return e.printf("kept       %s refuses every program from now on; remove it after the first backup of the new one\n", kept)
}
