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
	"sync"

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
	beats  *sql.DB // of leases, which must not wait for long transactions; SQLite: write
	codec  *codec
	heads  *headCache
	pulse  *pulse // SQLite: of the folder it lies in; nil for PostgreSQL, whose disk is its own business

	appender *appender
	readers  sync.Pool // of *wire.Reader
}

// Open opens the database, creating the SQLite file where there is none, and brings its tables up to date. Several
// processes may do so at once.
func Open(ctx context.Context, c Config) (*DB, error) {
	d, err := connect(c)
	if err == nil {
		err = d.migrate(ctx, d.atHome)
	}
	if err == nil {
		err = d.shortenOld(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sqldb: open %s: %w", c.Driver, err), d.Close())
	}
	return d, nil
}

// connect makes the pools of a database and looks at nothing in it.
func connect(c Config) (d *DB, err error) {
	d = &DB{driver: c.Driver}
	if d.codec, err = newCodec(); err != nil {
		return d, err
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
		d.appender = newAppender(d.write, c.Driver == SQLite)
	}
	return d, err
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
	d.beats = d.write
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
	if d.beats, err = sql.Open("pgx", dsn); err != nil {
		return err
	}
	d.beats.SetMaxOpenConns(2)
	return nil
}

// migrate brings the tables up to date; where there are tables already, look may refuse them first, as they are.
func (d *DB) migrate(ctx context.Context, look func(context.Context) error) error {
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
	at, err := knows(ctx, p)
	if err != nil {
		return err
	}
	if at > 0 {
		if err := look(ctx); err != nil {
			return err
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// ErrNewer says that a newer program has changed the tables. Nothing was written.
var ErrNewer = errors.New("the database is newer than this program")

// knows returns the newest migration that the tables have (0: there are none). It refuses tables that this program does not know: it would
// write rows that the newer one takes for wrong.
func knows(ctx context.Context, p *goose.Provider) (at int64, err error) {
	if at, err = p.GetDBVersion(ctx); err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	list := p.ListSources()
	if newest := list[len(list)-1].Version; at > newest {
		return 0, fmt.Errorf("%w: its tables are at migration %d, this program knows them up to %d: run the newer program again, "+
			"or restore a backup that this one made (server restore)", ErrNewer, at, newest)
	}
	return at, nil
}

// Close ends every connection.
func (d *DB) Close() error {
	var errs []error
	errs = append(errs, d.appender.close())
	for _, db := range []*sql.DB{d.read, d.write, d.beats} {
		if db != nil {
			errs = append(errs, db.Close()) // closing one twice does nothing
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

// update runs f in one write transaction and commits it if f returns nil. op names it in errors. Of work under a lease that is another's by
// now nothing is kept: elect.ErrLost.
func (d *DB) update(ctx context.Context, op string, f func(*sql.Tx) error) (err error) {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("sqldb: %s: begin: %w", op, err)
	}
	if err = f(tx); err == nil {
		err = fenced(ctx, tx)
	}
	if err != nil {
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
