package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Migration returns the number of the newest migration that the tables have.
func (d *DB) Migration(ctx context.Context) (n int64, err error) {
	if err := d.read.QueryRowContext(ctx, `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`).Scan(&n); err != nil {
		return 0, fmt.Errorf("sqldb: migration: %w", err)
	}
	return n, nil
}

// Ends returns how many batches and leaves a SQLite file holds, and leaves it as it is: no migration runs, so whichever program made it
// can go on with it.
func Ends(ctx context.Context, path string) (batches, leaves int64, err error) {
	db, err := sql.Open("sqlite", fileURI(path)+"?mode=rw&_pragma=busy_timeout(5000)&_pragma=query_only(ON)")
	if err != nil {
		return 0, 0, fmt.Errorf("sqldb: %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var ledgers int // none in a database that is older than its ledger
	err = db.QueryRowContext(ctx, `SELECT position, (SELECT COUNT(*) FROM sqlite_master WHERE name = 'ledger_end') FROM log_end WHERE id = 1`).Scan(&batches, &ledgers)
	if err == nil && ledgers > 0 {
		err = db.QueryRowContext(ctx, `SELECT size FROM ledger_end WHERE id = 1`).Scan(&leaves)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("sqldb: %s: %w", path, err)
	}
	return batches, leaves, nil
}

// fileURI names a SQLite file.
func fileURI(path string) string {
	return (&url.URL{Scheme: "file", Opaque: strings.ReplaceAll(url.PathEscape(path), "%2F", "/")}).String()
}

// Check has the database look through its own pages and references. PostgreSQL has no such question: there the restore itself is the check.
func (d *DB) Check(ctx context.Context) error {
	if d.driver != SQLite {
		return nil
	}
	var found []string
	read := func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		if line != "ok" {
			found = append(found, line)
		}
		return err
	}
	if err := each(ctx, d.read, read, `PRAGMA integrity_check(10)`); err != nil {
		return fmt.Errorf("sqldb: integrity check: %w", err)
	}
	broken := func(scan func(...any) error) error {
		var table, parent string
		var row, id any
		err := scan(&table, &row, &parent, &id)
		found = append(found, fmt.Sprintf("row %v of %s names a row of %s that is not there", row, table, parent))
		return err
	}
	if err := each(ctx, d.read, broken, `PRAGMA foreign_key_check`); err != nil {
		return fmt.Errorf("sqldb: integrity check: %w", err)
	}
	if len(found) > 0 {
		return fmt.Errorf("sqldb: integrity check: %s", strings.Join(found[:min(len(found), 10)], "; "))
	}
	return nil
}

// Snapshot writes one consistent copy of a SQLite file, as it is at one moment while others write it, to a path where nothing is yet.
// It serves the history's file as well.
func Snapshot(ctx context.Context, from, to string) (err error) {
	db, err := sql.Open("sqlite", fileURI(from)+"?mode=rw&_pragma=busy_timeout(5000)")
	if err != nil {
		return fmt.Errorf("sqldb: snapshot of %s: %w", from, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, to); err != nil {
		return fmt.Errorf("sqldb: snapshot of %s: %w", from, err)
	}
	return nil
}
