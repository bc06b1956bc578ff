package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	applicationID = 0x414F5653 // "AOVS", so that file(1) and we know the file

	// Format is the format of the spool file that this program writes, and the highest it reads (FORMAT.md).
	Format = 1
)

const schema = `
CREATE TABLE state (id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, next_seq BIGINT NOT NULL, released BIGINT NOT NULL,
	prev BYTEA NOT NULL, aside TEXT NOT NULL, crc BIGINT NOT NULL);
CREATE TABLE pending (id INTEGER PRIMARY KEY, n BIGINT NOT NULL, skip BIGINT NOT NULL, body BYTEA NOT NULL, crc BIGINT NOT NULL);
CREATE TABLE sealed (seq INTEGER PRIMARY KEY, body BYTEA NOT NULL, crc BIGINT NOT NULL);
`

// Opening says what Open found.
type Opening struct {
	Fresh    bool   // there was no file: a new one, a new epoch
	SetAside string // path of a corrupt file that was set aside and not salvaged yet; a new epoch began. Call Salvage
	Reason   string // why it was set aside, when that happened now
}

// Open opens the spool file at path, or makes it. A file that SQLite calls corrupt, or whose own bookkeeping does not
// match its checksum, is set aside under a dated name (now gives the date) and a new one begins, with a new epoch: the
// gateway always starts. Other errors (permission, a full or failing disk) are returned, and change nothing.
func Open(ctx context.Context, path string, now func() time.Time) (*Spool, Opening, error) {
	return openUnless(ctx, path, now, nil)
}

// openUnless is Open, but for a file that is condemned: found corrupt while it was used, however well it looks when it is
// opened.
func openUnless(ctx context.Context, path string, now func() time.Time, condemned error) (*Spool, Opening, error) {
	s, o, err := open(ctx, path, now, condemned)
	if err != nil {
		return nil, Opening{}, fmt.Errorf("spool: open %s: %w", path, err)
	}
	return s, o, nil
}

func open(ctx context.Context, path string, now func() time.Time, condemned error) (*Spool, Opening, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return openMissing(ctx, path)
	}
	if err != nil {
		return nil, Opening{}, err
	}
	s, st, err := attach(ctx, path)
	if err == nil && condemned != nil {
		err = errors.Join(condemned, s.Close())
	}
	if err == nil {
		return s, Opening{SetAside: st.aside}, nil
	}
	if !isCorrupt(err) {
		return nil, Opening{}, err
	}
	aside := asideName(path, now())
	if err := create(ctx, path+".new", filepath.Base(aside)); err != nil {
		return nil, Opening{}, err
	}
	if err := moveAside(path, aside); err != nil {
		return nil, Opening{}, err
	}
	s, o, err2 := openMissing(ctx, path)
	if err2 != nil {
		return nil, Opening{}, errors.Join(err2, err)
	}
	return s, Opening{SetAside: o.SetAside, Reason: err.Error()}, nil
}

// openMissing opens where there is no file: it takes the one that was being put into its place when the power went, or
// makes it.
func openMissing(ctx context.Context, path string) (*Spool, Opening, error) {
	fresh := path + ".new"
	s, _, err := attach(ctx, fresh)
	if err != nil {
		if err := create(ctx, fresh, ""); err != nil {
			return nil, Opening{}, err
		}
	} else if err := s.Close(); err != nil {
		return nil, Opening{}, err
	}
	// A log that belonged to a file that is gone must never be played into another.
	if err := removeAll(path+"-wal", path+"-shm"); err != nil {
		return nil, Opening{}, err
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, Opening{}, err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, Opening{}, err
	}
	s, st, err := attach(ctx, path)
	if err != nil {
		return nil, Opening{}, err
	}
	return s, Opening{Fresh: st.aside == "", SetAside: st.aside}, nil
}

func dsn(path, more string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return u.String() + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(ON)&_pragma=journal_size_limit(1048576)&_pragma=wal_autocheckpoint(256)&_pragma=cache_size(-2048)" + more
}

// attach opens an existing file and checks it.
func attach(ctx context.Context, path string) (s *Spool, st state, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, st, err
	}
	if info.Size() == 0 { // a file is born complete, see create
		return nil, st, fmt.Errorf("an empty file: %w", ErrCorrupt)
	}
	if err := checkHeader(path); err != nil {
		return nil, st, err
	}
	s = &Spool{path: path, tables: crc32.MakeTable(crc32.Castagnoli)}
	if s.write, err = sql.Open("sqlite", dsn(path, "&_txlock=immediate")); err != nil {
		return nil, st, err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn(path, "&_pragma=query_only(1)")); err != nil {
		return nil, st, errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(2)
	if st, err = s.check(ctx); err != nil {
		return nil, st, errors.Join(err, s.Close())
	}
	waiting, err := countPending(ctx, s.write)
	if err != nil {
		return nil, st, errors.Join(err, s.Close())
	}
	s.waiting.Store(waiting)
	if st.aside != "" {
		st.aside = filepath.Join(filepath.Dir(path), st.aside)
	}
	s.epoch.Store(st.epoch)
	return s, st, nil
}

// checkHeader looks at two bytes of the file's header (sqlite.org/fileformat2.html, offsets 18 and 19): the versions it may
// be written and read with. A later version for writing makes a file that opens, checks well and takes nothing, for ever.
func checkHeader(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var header [20]byte
	if _, err := io.ReadFull(f, header[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("a file shorter than its header: %w", ErrCorrupt)
		}
		return err
	}
	for _, version := range header[18:] {
		if version != 1 && version != 2 {
			return fmt.Errorf("the header speaks of version %d of SQLite's format: %w", version, ErrCorrupt)
		}
	}
	return nil
}

func (s *Spool) check(ctx context.Context) (st state, err error) {
	var app, version int64
	var verdict string
	if err := s.write.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return st, err
	}
	if verdict != "ok" {
		return st, fmt.Errorf("quick_check: %s: %w", verdict, ErrCorrupt)
	}
	if err := s.write.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&app); err != nil {
		return st, err
	}
	if err := s.write.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return st, err
	}
	if app != applicationID || version == 0 {
		return st, fmt.Errorf("not a spool file: %w", ErrCorrupt)
	}
	st, err = s.loadState(ctx, s.write)
	tables := s.checkSchema(ctx)
	if version != Format && err == nil && tables == nil { // a later format has another checksum
		return st, fmt.Errorf("a spool of format %d that says it is of %d: %w", Format, version, ErrCorrupt)
	}
	if version > Format {
		return st, fmt.Errorf("%w (format %d, this program knows %d): update the program", ErrNewer, version, Format)
	}
	if tables != nil {
		return st, tables
	}
	if errors.Is(err, sql.ErrNoRows) {
		return st, fmt.Errorf("no state: %w", ErrCorrupt)
	}
	return st, err
}

// checkSchema compares the text of the tables with what create wrote: a letter of a column's name that changed is no damage
// to quick_check.
func (s *Spool) checkSchema(ctx context.Context) (err error) {
	rows, err := s.write.QueryContext(ctx, `SELECT sql FROM sqlite_schema ORDER BY rowid`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var found strings.Builder
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return fmt.Errorf("schema: %w: %w", ErrCorrupt, err)
		}
		found.WriteString("\n" + text + ";")
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if found.String()+"\n" != schema {
		return fmt.Errorf("the tables are not those of a spool: %w", ErrCorrupt)
	}
	return nil
}

// create makes a complete spool file at path in one step of the file system's as seen from outside: under this other
// name, to be renamed. What stood there is an unfinished one.
func create(ctx context.Context, path, aside string) error {
	if err := removeAll(path, path+"-wal", path+"-shm", path+"-journal"); err != nil {
		return err
	}
	epoch, err := newEpoch()
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	s := &Spool{write: db, tables: crc32.MakeTable(crc32.Castagnoli)}
	// auto_vacuum works only if it is set before the first table.
	_, err = db.ExecContext(ctx, fmt.Sprintf(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d; PRAGMA user_version = %d; %s`,
		applicationID, Format, schema))
	if err == nil {
		err = s.saveState(ctx, db, state{epoch: epoch, next: 1, aside: aside})
	}
	return errors.Join(err, db.Close())
}

func asideName(path string, now time.Time) string {
	name := path + ".corrupt-" + now.UTC().Format("20060102T150405Z")
	for i, try := 2, name; ; i++ {
		if _, err := os.Lstat(try); errors.Is(err, fs.ErrNotExist) {
			return try
		}
		try = fmt.Sprintf("%s-%d", name, i) // a clock without a battery gives the same date at every start
	}
}

// moveAside renames the file and its write-ahead log, the log first: a file without its log is older, a log without its
// file is nothing.
func moveAside(path, aside string) error {
	if err := os.Rename(path+"-wal", aside+"-wal"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := removeAll(path + "-shm"); err != nil {
		return err
	}
	if err := os.Rename(path, aside); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func removeAll(paths ...string) error {
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// isCorrupt tells damage of the file from trouble with the disk or the system.
func isCorrupt(err error) bool {
	if errors.Is(err, ErrCorrupt) || strings.Contains(fmt.Sprint(err), "sql: Scan error on column") { // a column of another type
		return true
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	case sqlite3.SQLITE_ERROR: // no such table, no such column: the schema is damaged
		return true
	}
	return false
}
