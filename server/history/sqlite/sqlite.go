// Package sqlite keeps the history in one SQLite file: no server to install, the same answers as InfluxDB.
//
// Points come in by Write and are on disk when it returns; ranges, newest values and streams of points go out. The file is
// specified in FORMAT.md.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"aovuon/server/history"
)

//go:embed schema.sql
var schema string

const (
	applicationID = 0x416F4856 // "AoHV"
	version       = 3
	readers       = 4
)

// Store is one open history file. It is safe for concurrent use; several processes may have the file open.
type Store struct {
	write *sql.DB // one connection: every transaction writes from its start
	read  *sql.DB

	mu  sync.RWMutex
	ids map[history.Series]int64 // committed series, never removed

	writing sync.Mutex       // held over every transaction that writes
	stale   map[int64]marked // by series; guarded by writing
}

var _ history.Store = (*Store)(nil)

// Open opens the history file at path and creates it when there is none; its folder must exist.
func Open(ctx context.Context, path string) (*Store, error) {
	if path == "" {
		return nil, fmt.Errorf("history/sqlite: no file named: %w", history.ErrConfiguration)
	}
	uri := "file:" + strings.ReplaceAll(url.PathEscape(path), "%2F", "/") + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)"
	s := &Store{ids: map[history.Series]int64{}, stale: map[int64]marked{}}
	var err error
	// FULL: a commit is on the disk when it returns. The checkpoint at 10,000 pages costs bulk writes less than one at 1,000, since the page at a
	// series' end is written again and again. Foreign keys are not looked up for each point: who writes points has just looked their series up.
	if s.write, err = sql.Open("sqlite", uri+"&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(10000)"+
		"&_pragma=cache_size(-16384)&_txlock=immediate"); err != nil {
		return nil, fmt.Errorf("history/sqlite: open %s: %w", path, err)
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", uri+"&_pragma=query_only(ON)&_pragma=cache_size(-16384)"); err != nil {
		return nil, errors.Join(fmt.Errorf("history/sqlite: open %s: %w", path, err), s.Close())
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	if err := s.prepareInTurn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("history/sqlite: open %s: %w", path, sort(ctx, err)), s.Close())
	}
	return s, nil
}

// prepareInTurn prepares the file, and tries again while somebody else holds it for longer than the busy timeout: a server does not stay down
// because a command (`server log count`) opened the file on a busy machine when it started.
func (s *Store) prepareInTurn(ctx context.Context) error {
	const first, most = 10 * time.Millisecond, 5 * time.Second
	var waited time.Duration
	for wait := first; ; wait *= 2 {
		err := s.prepare(ctx)
		e, ok := errors.AsType[*sqlite.Error](err)
		if !ok || e.Code()&0xff != sqlite3.SQLITE_BUSY || waited >= most {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
			waited += wait
		}
	}
}

// prepare creates the tables in an empty file, refuses a file that is something else, and learns which series there are.
func (s *Store) prepare(ctx context.Context) error {
	err := s.update(ctx, func(tx *sql.Tx) error {
		var app, ver, tables int64
		if err := tx.QueryRowContext(ctx, `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
			FROM pragma_application_id AS a, pragma_user_version AS v`).Scan(&app, &ver, &tables); err != nil {
			return err
		}
		switch {
		case tables == 0 && app == 0:
			_, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", schema, applicationID, version))
			return err
		case app == applicationID && (ver == 1 || ver == 2):
			return upgrade(ctx, tx)
		case app != applicationID:
			return fmt.Errorf("this is no history file: name another, or move it away: %w", history.ErrConfiguration)
		case ver != version:
			return fmt.Errorf("history file of version %d, this program writes version %d: use the newer program, or delete the file and reproject: %w",
				ver, version, history.ErrConfiguration)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, s.read, func(scan scanner) error {
		var id int64
		var k history.Series
		if err := scan(&id, &k.Place, &k.Quantity, &k.Gateway, &k.Sensor); err != nil {
			return err
		}
		s.ids[k] = id
		return nil
	}, `SELECT id, place, quantity, gateway, sensor FROM series`)
}

// Close ends every connection. What was written stays.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} { // the last to close tidies the WAL away, so the writer
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("history/sqlite: close: %w", err)
	}
	return nil
}

// update runs f in a write transaction.
func (s *Store) update(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		if rb := tx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
			err = errors.Join(err, rb)
		}
		return err
	}
	return tx.Commit()
}

// scanner reads the columns of one row.
type scanner func(columns ...any) error

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls f for every row of a query.
func each(ctx context.Context, db querier, f func(scanner) error, query string, args ...any) (err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// sort gives an error of SQLite the meaning that callers of the port look for.
func sort(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if c := ctx.Err(); c != nil { // SQLite says "interrupted"
		return errors.Join(context.Cause(ctx), err)
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff { // the rest of the code is detail
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM:
		return &history.UnavailableError{Err: err}
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: the file is damaged: stop the server, move the file away and run `server reproject`: %w", history.ErrConfiguration, err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH:
		return fmt.Errorf("%w: the file or its folder cannot be written: see that the folder exists and belongs to the server's user: %w",
			history.ErrConfiguration, err)
	}
	return err
}
