package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"aovuon/server/audit"
	"aovuon/server/backup"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
)

// drill restores a backup into a folder of the data folder, checks it as a restore does, and removes it again.
func (e *env) drill(ctx context.Context, c Config, a *archive) *backup.Drill {
	begin := e.now()
	d := &backup.Drill{At: begin.UTC()}
	err := e.tryBackup(ctx, c, a, d)
	var p *partialError
	if d.Partial = errors.As(err, &p); err != nil {
		d.Why = err.Error()
	}
	d.Took = e.now().Sub(begin)
	return d
}

// partialError says why a backup was tried only in part.
type partialError struct{ why string }

func (e *partialError) Error() string { return e.why }

func (e *env) tryBackup(ctx context.Context, c Config, a *archive, d *backup.Drill) (err error) {
	if _, err := os.Stat(c.DataDir); err != nil {
		return fmt.Errorf("data folder: %w: make it with server init", err)
	}
	release, err := lockFile(ctx, filepath.Join(c.DataDir, "drill.lock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	work, err := workFolder(c.DataDir, drillWork)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	m, _, err := unpack(a, work, "")
	if err != nil {
		return err
	}
	dsn := ""
	if m.Driver == sqldb.Postgres {
		if c.Backup.DrillDSNFile == "" {
			return &partialError{"the database was not opened: set backup.drill_dsn_file to an empty PostgreSQL database"}
		}
		if dsn, err = secret(c.Backup.DrillDSNFile); err != nil {
			return fmt.Errorf("backup.drill_dsn_file: %w", err)
		}
		if err := load(ctx, work, dsn); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, sqldb.Clear(context.WithoutCancel(ctx), dsn)) }()
	}
	r, err := e.checkRestored(ctx, m, filepath.Join(work, backup.Data), dsn)
	if err != nil {
		return err
	}
	d.Batches, d.Leaves = r.Batches, r.Leaves
	for _, f := range r.Findings {
		d.Findings = append(d.Findings, f.String())
	}
	return nil
}

// archive is a backup that is read once.
type archive struct {
	file  string
	ids   []age.Identity
	r     io.Reader // nil: not opened yet
	close func() error
}

// open opens it, unless that was done already.
func (a *archive) open() (err error) {
	if a.r == nil {
		a.r, a.close, err = backup.Open(a.file, a.ids)
	}
	return err
}

// unpack unpacks an archive into an empty folder; vkey is the key that must have signed it, empty: the one that is in it.
func unpack(a *archive, dir, vkey string) (m *backup.Manifest, own string, err error) {
	if err := a.open(); err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	m, signature, err := backup.Unpack(a.r, dir, backup.Options{VKey: vkey, Room: func(n int64) error { return backup.HasRoom(dir, n) }})
	if err == nil {
		_, err = io.Copy(io.Discard, a.r) // to the end, which authenticates it
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", a.file, err)
	}
	_, own, err = loadKeyOf(filepath.Join(dir, filepath.FromSlash(backup.ServerKey)), "the backup has none")
	if err == nil {
		err = signature.Check(own)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", a.file, err)
	}
	return m, own, nil
}

// load fills an empty PostgreSQL database from an unpacked archive.
func load(ctx context.Context, dir, dsn string) error {
	empty, err := sqldb.Empty(ctx, dsn)
	if err != nil {
		return err
	}
	if !empty {
		return errors.New("backup: the PostgreSQL database to restore to has tables: name an empty one (createdb makes it)")
	}
	return sqldb.Load(ctx, dsn, filepath.Join(dir, backup.Dump))
}

// checkRestored opens a restored data folder as a server would, and checks database, log and ledger against the manifest.
func (e *env) checkRestored(ctx context.Context, m *backup.Manifest, dir, dsn string) (r *audit.Report, err error) {
	c := defaults()
	c.DataDir, c.Name, c.Database.Driver = dir, m.Name, m.Driver
	if dsn != "" {
		c.Database.DSNFile = filepath.Join(dir, "..", "dsn")
		if err := os.WriteFile(c.Database.DSNFile, []byte(dsn), 0o600); err != nil {
			return nil, fmt.Errorf("backup: %w", err)
		}
		defer func() { err = errors.Join(err, os.Remove(c.Database.DSNFile)) }()
	}
	db, err := c.openDB(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Check(ctx); err != nil {
		return nil, err
	}
	end, err := db.LogEnd(ctx)
	if err != nil {
		return nil, err
	}
	size, err := db.LedgerSize(ctx)
	if err != nil {
		return nil, err
	}
	if end < m.LogEnd || size < m.Ledger.Size {
		return nil, fmt.Errorf("backup: %d batches and %d leaves are there, the manifest speaks of %d and %d", end, size, m.LogEnd, m.Ledger.Size)
	}
	return e.auditRestored(ctx, c, db, m)
}

// auditRestored signs what was not signed yet when the copy was made, as the server would a second later, and audits all of it: every leaf,
// row, batch and seal; the head in the manifest must be that of the tree's beginning.
func (e *env) auditRestored(ctx context.Context, c Config, db *sqldb.DB, m *backup.Manifest) (r *audit.Report, err error) {
	if err := c.firstLedgerKey(ctx, db); err != nil {
		return nil, err
	}
	signer, vkey, err := c.loadLedgerKey()
	if err != nil {
		return nil, err
	}
	p, err := ledger.NewPublisher(ledger.PublisherOptions{Tree: db, Signer: signer, VKey: vkey, Every: time.Second, Now: e.now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := p.Step(ctx); err != nil {
		return nil, fmt.Errorf("backup: the restored ledger: %w", err)
	}
	o := audit.Options{}
	if m.Ledger.Head != "" {
		o.Old = []byte(m.Ledger.Head)
	}
	if o.Policy, err = c.ownPolicy(); err != nil {
		return nil, err
	}
	if o.Dir, err = os.MkdirTemp(c.DataDir, "audit-"); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	return audit.Run(ctx, &audit.Local{DB: db}, o)
}
