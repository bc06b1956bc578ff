package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Dump writes a consistent copy of a PostgreSQL database to a file, as it is at one moment while others write it (pg_dump's custom format).
func Dump(ctx context.Context, dsn, to string) error {
	// Not compressed here: what packs the file does that.
	return pgTool(ctx, "pg_dump", dsn, "--format=custom", "--compress=0", "--no-owner", "--no-privileges", "--file="+to)
}

// Load fills an empty PostgreSQL database from a file that Dump wrote: all of it or, on an error, nothing.
func Load(ctx context.Context, dsn, from string) error {
	return pgTool(ctx, "pg_restore", dsn, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", from)
}

// passwords finds the password in a connection string of the form key=value.
var passwords = regexp.MustCompile(`(?i)\bpassword\s*=\s*('(?:[^'\\]|\\.)*'|\S+)`)

// pgTool runs one of PostgreSQL's programs. The password goes by the environment: everybody on the machine can read a command line.
func pgTool(ctx context.Context, program, dsn string, args ...string) error {
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("sqldb: %s is not installed here: apt-get install postgresql-client, of the server's version or newer", program)
	}
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return errors.New("sqldb: the connection string cannot be read") // pgx's own text has it
	}
	shown := passwords.ReplaceAllString(dsn, "")
	if u, err := url.Parse(dsn); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		u.User = url.User(c.User)
		shown = u.String()
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--no-password", "--dbname=" + shown}, args...)...)
	cmd.Env = os.Environ()
	if c.Password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+c.Password)
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("sqldb: %s: %w: %s", program, err, strings.TrimSpace(out.String()))
	}
	return nil
}

// Empty reports whether a PostgreSQL database has no tables.
func Empty(ctx context.Context, dsn string) (empty bool, err error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return false, fmt.Errorf("sqldb: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var n int
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema()`).Scan(&n); err != nil {
		return false, fmt.Errorf("sqldb: %w", err)
	}
	return n == 0, nil
}

// Clear removes every table of a PostgreSQL database that Load filled.
func Clear(ctx context.Context, dsn string) (err error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return fmt.Errorf("sqldb: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var names []string
	err = each(ctx, db, func(scan func(...any) error) error {
		var n string
		err := scan(&n)
		names = append(names, pgx.Identifier{n}.Sanitize())
		return err
	}, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`)
	if err == nil && len(names) > 0 {
		_, err = db.ExecContext(ctx, `DROP TABLE `+strings.Join(names, ", ")+` CASCADE`)
	}
	if err != nil {
		return fmt.Errorf("sqldb: clear: %w", err)
	}
	return nil
}
