// Package sqldb is every SQL statement of the server outside the SQLite history: the batch log and all that hangs on it.
//
// Rows come in and go out through methods that implement ports declared by the packages that need them. One text of SQL
// serves SQLite and PostgreSQL; migrations/*.sql make the tables, FORMAT.md says what they mean.
package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// The drivers of a Config.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Config says which database.
type Config struct {
	Driver string // SQLite or Postgres
	DSN    string // SQLite: the path of the file; Postgres: a connection string or URL
}

// DB is one open database. It is safe for concurrent use.
type DB struct {
	driver string
	write  *sql.DB // SQLite: one connection, every transaction is a write transaction from its start
	read   *sql.DB
	codec  *codec
	heads  *headCache
	pulse  *pulse // SQLite: of the folder it lies in; nil for PostgreSQL, whose disk is its own business
}

// Open opens the database, creating the SQLite file where there is none, and brings its tables up to date. Several
// processes may do so at once.
func Open(ctx context.Context, c Config) (*DB, error) {
	d := &DB{driver: c.Driver}
	var err error
	if d.codec, err = newCodec(); err != nil {
		return nil, fmt.Errorf("sqldb: %w", err)
	}
	switch c.Driver {
	case SQLite:
		err = d.openSQLite(c.DSN)
	case Postgres:
		err = d.openPostgres(c.DSN)
	default:
		err = fmt.Errorf("unknown driver %q: want %s or %s", c.Driver, SQLite, Postgres)
	}
	if err == nil {
		err = d.migrate(ctx)
	}
	if err == nil {
		err = d.shortenOld(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqldb: open %s: %w", c.Driver, err), d.Close())
	}
	return d, nil
}

func (d *DB) openSQLite(path string) (err error) {
	if path == "" {
		return errors.New("no file named")
	}
	pragmas := "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_pragma=foreign_keys(ON)"
	uri := fileURI(path)
	// What is deleted is overwritten: an erased person is not to be found in the file's unused pages.
	if d.write, err = sql.Open("sqlite", uri+"?"+pragmas+"&_pragma=secure_delete(ON)&_txlock=immediate"); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", uri+"?"+pragmas+"&_pragma=query_only(ON)"); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(8)
	d.heads = newHeadCache(100_000)
	d.pulse, err = newPulse(path)
	return err
}

func (d *DB) openPostgres(dsn string) (err error) {
	if d.write, err = sql.Open("pgx", dsn); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(4)
	if d.read, err = sql.Open("pgx", dsn); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(8)
	return nil
}

func (d *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if d.driver == Postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		dialect, opts = goose.DialectPostgres, append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, d.write, files, opts...)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if err := knows(ctx, p); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// ErrNewer says that a newer program has changed the tables. Nothing was written.
var ErrNewer = errors.New("the database is newer than this program")

// knows refuses tables that this program does not know: it would write rows that the newer one takes for wrong.
func knows(ctx context.Context, p *goose.Provider) error {
	at, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	list := p.ListSources()
	if newest := list[len(list)-1].Version; at > newest {
		return fmt.Errorf("%w: its tables are at migration %d, this program knows them up to %d: run the newer program again, "+
			"or restore a backup that this one made (server restore)", ErrNewer, at, newest)
	}
	return nil
}

// Close ends every connection.
func (d *DB) Close() error {
	var errs []error
	for _, db := range []*sql.DB{d.read, d.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	errs = append(errs, d.pulse.close())
	if d.codec != nil {
		d.codec.close()
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("sqldb: close: %w", err)
	}
	return nil
}

// Driver returns SQLite or Postgres.
func (d *DB) Driver() string { return d.driver }

// update runs f in one write transaction and commits it if f returns nil. op names it in errors.
func (d *DB) update(ctx context.Context, op string, f func(*sql.Tx) error) (err error) {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqldb: %s: begin: %w", op, err)
	}
	if err := f(tx); err != nil {
		if rb := tx.Rollback(); rb != nil && !errors.Is(rb, sql.ErrTxDone) {
			err = errors.Join(err, rb)
		}
		return fmt.Errorf("sqldb: %s: %w", op, err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("sqldb: %s: commit: %w", op, err)
	}
	if err := d.pulse.beat(); err != nil {
		return fmt.Errorf("sqldb: %s: commit: %w", op, err)
	}
	return nil
}

// each runs a query and calls f for each row; scan reads the row's columns.
func each(ctx context.Context, q querier, f func(scan func(...any) error) error, query string, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
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

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}
