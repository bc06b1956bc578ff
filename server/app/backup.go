package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"aovuon/server/backup"
	"aovuon/server/sqldb"
)

// BackupConfig says where backups go, who can open them, and when one is made.
type BackupConfig struct {
	Dir            string      `yaml:"dir"`             // the folder they are written to; empty: none is made by itself
	RecipientsFile string      `yaml:"recipients_file"` // public keys of those who can open them, one a line
	At             string      `yaml:"at"`              // time of day in Viet Nam
	Keep           backup.Keep `yaml:"keep"`            // how many stay
	History        bool        `yaml:"history"`         // take the time series along, which can be drawn again
	DrillDSNFile   string      `yaml:"drill_dsn_file"`  // postgres: connection string of an empty database to try backups in
}

func (c *Config) checkBackup() *keyError {
	b := c.Backup
	if _, err := backup.ParseClock(b.At); err != nil {
		return &keyError{"backup.at", fmt.Sprintf("%q is no time of day", b.At), `write at: "02:30"`}
	}
	switch {
	case b.Keep.Daily < 1 || b.Keep.Weekly < 0:
		return &keyError{"backup.keep", fmt.Sprintf("%d daily and %d weekly", b.Keep.Daily, b.Keep.Weekly), "write keep: { daily: 7, weekly: 5 }"}
	case b.Dir != "" && b.RecipientsFile == "":
		return &keyError{"backup.recipients_file", "missing", "name a file; server backup key makes a key, puts its public half there and prints the secret one"}
	case b.DrillDSNFile != "" && c.Database.Driver != "postgres":
		return &keyError{"backup.drill_dsn_file", "sqlite needs none", "remove it"}
	case b.History && c.History.Engine != "sqlite":
		return &keyError{"backup.history", "the history of InfluxDB is not taken", "remove it; server reproject history draws it again"}
	}
	return nil
}

// notTaken says which files of the data folder a backup leaves out; everything else there goes along, whoever put it there.
func notTaken(rel string) bool {
	switch rel {
	case sharedID, // the folder's own
		"server.lock", "backup.lock", "drill.lock", backupWork, drillWork, "backup.json", // of running programs, about this very folder
		probeName,              // comes and goes
		"broker", devicesStore, // sessions of the embedded broker: nothing is lost with them
		releaseFolder,                                 // the maker has them
		"server.db", "server.db-wal", "server.db-shm", // copied as one, below
		redrawLock,
		restoredConfig: // of an earlier restore
		return true
	}
	if historyName.MatchString(rel) { // copied as one when asked for; can be drawn again
		return true
	}
	return strings.HasPrefix(filepath.Base(rel), ".tmp-") || // half-written files of wire.WriteFile
		strings.HasPrefix(rel, "server.db.") // what a move of the database left, or has begun
}

// The folders in the data folder that backups work in. What is in them is nobody's when no backup is running.
const (
	backupWork = "backup.tmp"
	drillWork  = "drill.tmp"
)

// order is one backup that is wanted.
type order struct {
	to         string // the file
	recipients []age.Recipient
	history    bool
}

// makeBackup makes one while others write the database, and returns what opens it again in this process.
func (e *env) makeBackup(ctx context.Context, c Config, db *sqldb.DB, o order) (done backup.Done, id age.Identity, err error) {
	begin := e.now()
	release, err := lockFile(ctx, filepath.Join(c.sharedDir(), "backup.lock"))
	if err != nil {
		return done, nil, err
	}
	defer func() { err = errors.Join(err, release()) }()
	dir := filepath.Dir(o.to)
	if err := errors.Join(os.MkdirAll(dir, 0o700), backup.Sweep(dir)); err != nil {
		return done, nil, err
	}
	work, err := workFolder(c.DataDir, backupWork)
	if err != nil {
		return done, nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	var live string
	if o.history && c.History.Engine == "sqlite" {
		g, err := db.LiveGeneration(ctx)
		if err != nil {
			return done, nil, err
		}
		live = c.historyFile(g.Number)
	}
	if err := c.roomFor(dir, live); err != nil {
		return done, nil, err
	}
	m, err := c.facts(ctx, db, begin) // before the copy: of a log that only grows, the copy has at least so much
	if err != nil {
		return done, nil, err
	}
	if err := c.stage(ctx, work, live, e.config); err != nil {
		return done, nil, err
	}
	if err := m.List(work); err != nil {
		return done, nil, err
	}
	signer, _, err := c.loadKey()
	if err != nil {
		return done, nil, err
	}
	recipients := o.recipients
	if len(recipients) > 0 {
		if recipients, id, err = backup.Ephemeral(recipients); err != nil {
			return done, nil, err
		}
	}
	size, err := backup.Create(o.to, recipients, func(w io.Writer) error { return backup.Pack(w, m, work, signer) })
	if err != nil {
		return done, nil, err
	}
	return backup.Done{File: o.to, Made: begin, Size: size, Took: e.now().Sub(begin), LogEnd: m.LogEnd}, id, nil
}

// workFolder makes an empty folder of the data folder, in place of what one that was cut off left there.
func workFolder(dataDir, name string) (string, error) {
	work := filepath.Join(dataDir, name)
	if err := errors.Join(os.RemoveAll(work), os.Mkdir(work, 0o700)); err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	return work, nil
}

// lockFile waits until no other process works on something. The lock ends with the process, however that ends.
func lockFile(ctx context.Context, path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w: make it with server init", err)
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
		}
		again := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			again.Stop()
			return nil, errors.Join(fmt.Errorf("%s: waiting for another backup: %w", path, ctx.Err()), f.Close())
		case <-again.C:
		}
	}
}

// roomFor checks that neither disk is filled: the copy needs as much as the databases have, the archive as much as the last one had.
func (c *Config) roomFor(dir, live string) error {
	var need int64
	for _, path := range c.databases(live) {
		for _, suffix := range []string{"", "-wal"} {
			if info, err := os.Stat(path + suffix); err == nil {
				need += info.Size()
			}
		}
	}
	if err := backup.HasRoom(c.DataDir, need); err != nil {
		return err
	}
	media, err := c.mediaBytes() // linked, not copied; and they do not get smaller in the archive
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	need += media
	list, err := backup.Archives(dir, c.Name)
	if err != nil {
		return err
	}
	if len(list) > 0 {
		need = min(need, list[0].Size*5/4)
	}
	return backup.HasRoom(dir, need)
}

// databases names the SQLite files to copy; live is that of the history, empty when it is not taken.
func (c *Config) databases(live string) (out []string) {
	if c.Database.Driver == sqldb.SQLite {
		out = append(out, c.databaseFile())
	}
	if live != "" {
		out = append(out, live)
	}
	return out
}

// facts gathers what the manifest says of the server.
func (c *Config) facts(ctx context.Context, db *sqldb.DB, at time.Time) (m *backup.Manifest, err error) {
	m = &backup.Manifest{Format: backup.Format, Name: c.Name, Made: at.UTC(), Program: version(), Driver: db.Driver()}
	if m.Migration, err = db.Migration(ctx); err != nil {
		return nil, err
	}
	if m.LogEnd, err = db.LogEnd(ctx); err != nil {
		return nil, err
	}
	head, err := db.Checkpoint(ctx, 0)
	if err != nil {
		return nil, err
	}
	m.Ledger.Head = string(head)
	if m.Ledger.Size, err = db.LedgerSize(ctx); err != nil {
		return nil, err
	}
	if _, m.Ledger.VKey, err = c.loadLedgerKey(); errors.Is(err, errNoKey) && head == nil {
		err = nil // a server that is older than its ledger
	}
	return m, err
}

// stage copies everything into a folder, in the archive's layout.
func (c *Config) stage(ctx context.Context, work, live, configFile string) error {
	data, config := filepath.Join(work, backup.Data), filepath.Join(work, backup.Config)
	if err := errors.Join(os.Mkdir(data, 0o700), os.Mkdir(config, 0o700)); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	for _, path := range c.databases(live) {
		if err := sqldb.Snapshot(ctx, path, filepath.Join(data, filepath.Base(path))); err != nil {
			return err
		}
	}
	if c.Database.Driver == sqldb.Postgres {
		dsn, err := secret(c.Database.DSNFile)
		if err != nil {
			return fmt.Errorf("database.dsn_file: %w", err)
		}
		if err := sqldb.Dump(ctx, dsn, filepath.Join(work, backup.Dump)); err != nil {
			return err
		}
	}
	if err := c.stageData(data); err != nil {
		return err
	}
	if err := copyFile(configFile, filepath.Join(config, "server.yaml")); err != nil {
		return err
	}
	for _, f := range c.files() {
		if *f.path == "" {
			continue
		}
		if err := copyFile(*f.path, filepath.Join(config, f.key)); err != nil {
			return err
		}
	}
	return nil
}

// stageData copies the data folder, and the shared one into the same place: a restored server is one process with one folder.
func (c *Config) stageData(to string) error {
	if err := c.stageFolder(c.DataDir, to); err != nil || c.sharedDir() == c.DataDir {
		return err
	}
	return c.stageFolder(c.sharedDir(), to)
}

func (c *Config) stageFolder(from, to string) error {
	backups, err := filepath.Abs(c.Backup.Dir)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil || rel == "." {
			return err
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		switch {
		case notTaken(rel) || c.Backup.Dir != "" && abs == backups || backup.IsArchive(rel):
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case !d.Type().IsRegular():
			return fmt.Errorf("backup: %s is no file: move it out of the data folder", path)
		case strings.HasPrefix(rel, mediaFolder+string(filepath.Separator)):
			return linkFile(path, filepath.Join(to, rel))
		}
		return copyFile(path, filepath.Join(to, rel))
	})
}

// linkFile takes a file along that is never changed, only replaced or removed, without copying it: photos are most of a data folder. One that was
// erased meanwhile is not taken. Where the disk knows no links it is copied.
func linkFile(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return copyFile(from, to)
	}
	return nil
}

// mediaBytes is how much the photos and voice notes of the diary have.
func (c *Config) mediaBytes() (total int64, err error) {
	err = filepath.WalkDir(filepath.Join(c.sharedDir(), mediaFolder), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) { // none yet, or one went meanwhile
		err = nil
	}
	return total, err
}

func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	info, err := src.Stat()
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm()|0o600)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if _, err := io.Copy(dst, src); err != nil {
		return errors.Join(fmt.Errorf("backup: %w", err), dst.Close())
	}
	return dst.Close()
}

// backupDays is after how many days what was erased is gone from the nightly backups; 0 where none are made.
func (c Config) backupDays() int {
	if c.Backup.Dir == "" {
		return 0
	}
	return c.Backup.Keep.Days()
}
