package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aovuon/server/backup"
	"aovuon/server/sqldb"
)

type restoreCmd struct {
	File     string `arg:"" help:"The backup." type:"path"`
	To       string `required:"" help:"Data folder to make; one that is not there, or is empty." type:"path"`
	Identity string `help:"File with the key that opens the backup." type:"path"`
	Key      string `help:"The server's verifier key as you have it on paper: a backup that it did not sign is refused."`
	DSNFile  string `name:"dsn-file" help:"PostgreSQL: file with the connection string of an empty database." type:"path"`
	Replace  bool   `help:"Take the place of the data folder that is there; that one is kept under another name."`
	Despite  bool   `name:"despite-findings" help:"Restore though the records do not agree with what was signed; the findings are printed."`
}

// restoredConfig is the folder of a restored data folder with the configuration of the time of the backup.
const restoredConfig = "restored-config"

// Run restores a backup: next to the folder first, checked there, and then into its place in one step.
func (cmd *restoreCmd) Run(e *env) (err error) {
	ids, err := readIdentities(cmd.Identity)
	if err != nil {
		return err
	}
	release, taken, err := cmd.place()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	uid, gid := cmd.owner(e.config)
	fresh := cmd.To + ".restoring"
	if err := errors.Join(os.RemoveAll(fresh), os.MkdirAll(fresh, 0o700)); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	m, vkey, err := unpack(&archive{file: cmd.File, ids: ids}, fresh, cmd.Key)
	if err != nil {
		return err
	}
	if err := e.printf("backup of  %s, made %s by program %s\nsigned by  %s\nholds      %d batches, migration %d, ledger of %d leaves\n",
		m.Name, m.Made.Format(time.RFC3339), m.Program, vkey, m.LogEnd, m.Migration, m.Ledger.Size); err != nil {
		return err
	}
	if taken {
		if err := e.sayLoss(m, cmd.To); err != nil {
			return err
		}
		if !cmd.Replace {
			return fmt.Errorf("restore: %s is not empty: name another folder, or give --replace (the folder is then kept beside it)", cmd.To)
		}
	}
	dsn, err := cmd.load(e.ctx, m, fresh)
	if err != nil {
		return err
	}
	r, err := e.checkRestored(e.ctx, m, filepath.Join(fresh, backup.Data), dsn)
	if err != nil {
		return err
	}
	for _, f := range r.Findings {
		if err := e.printf("WRONG      %s\n", f); err != nil {
			return err
		}
	}
	if !r.Sound() && !cmd.Despite {
		return fmt.Errorf("restore: %w: %d findings; --despite-findings restores it as it is", errUnsound, len(r.Findings))
	}
	if err := e.printf("checked    integrity, %d leaves, %d rows, %d batches against the signed head\n", r.Leaves, r.Rows, r.Batches); err != nil {
		return err
	}
	if err := handOver(fresh, uid, gid); err != nil {
		return err
	}
	kept, err := cmd.put(fresh, taken, e.now())
	if err != nil {
		return err
	}
	if err := e.printf("undone     what was erased, withdrawn, revoked or given another password since then is as it was before: do it again before anybody is let in\n"); err != nil {
		return err
	}
	if kept != "" {
		if err := e.printf("kept       what was there is in %s\n", kept); err != nil {
			return err
		}
	}
	return e.printf("restored   to %s\nnext       its configuration of then is in %s; start the server: it draws the history again by itself, unless that was taken along\n",
		cmd.To, filepath.Join(cmd.To, restoredConfig))
}

// place looks at where the data folder shall be. A server that runs on it keeps restore out, and restore it.
func (cmd *restoreCmd) place() (release func() error, taken bool, err error) {
	nothing := func() error { return nil }
	list, err := os.ReadDir(cmd.To)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(list) == 0 {
		return nothing, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("restore: %w", err)
	}
	if release, err = lockData(cmd.To); err != nil {
		return release, true, err
	}
	uid, gid := cmd.owner("")
	return release, true, handOver(filepath.Join(cmd.To, "server.lock"), uid, gid)
}

// owner is whose the restored folder will be when root restores: the user's whose the folder is that is there, or the configured one. 0: root's.
func (cmd *restoreCmd) owner(config string) (uid, gid int) {
	if os.Geteuid() != 0 {
		return 0, 0
	}
	if uid, gid = ownerOf(cmd.To); uid != 0 {
		return uid, gid
	}
	if dir, ok := dataFolderOf(config); ok {
		return ownerOf(dir)
	}
	return 0, 0
}

// handOver gives a folder, and all that is in it, to a user other than root.
func handOver(dir string, uid, gid int) error {
	if uid == 0 {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, uid, gid))
	})
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// sayLoss says what the folder that is there has and the backup has not.
func (e *env) sayLoss(m *backup.Manifest, dir string) error {
	path := filepath.Join(dir, "server.db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || m.Driver != sqldb.SQLite {
		return nil // nothing to compare with
	}
	end, size, err := sqldb.Ends(e.ctx, path)
	if err != nil {
		return e.printf("there      a database that cannot be read: %v\n", err)
	}
	return e.printf("there      %d batches, ledger of %d leaves: %d batches and %d leaves since the backup would not be in the restored server\n",
		end, size, max(0, end-m.LogEnd), max(0, size-m.Ledger.Size))
}

// load fills the PostgreSQL database of a backup that has one.
func (cmd *restoreCmd) load(ctx context.Context, m *backup.Manifest, fresh string) (dsn string, err error) {
	if m.Driver != sqldb.Postgres {
		return "", nil
	}
	if cmd.DSNFile == "" {
		return "", errors.New("restore: the backup is of a PostgreSQL database: name a file with the connection string of an empty one (--dsn-file)")
	}
	if dsn, err = secret(cmd.DSNFile); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	return dsn, load(ctx, fresh, dsn)
}

// put moves the restored folder into its place.
func (cmd *restoreCmd) put(fresh string, taken bool, now time.Time) (kept string, err error) {
	data := filepath.Join(fresh, backup.Data)
	if err := os.Rename(filepath.Join(fresh, backup.Config), filepath.Join(data, restoredConfig)); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	if taken {
		kept = cmd.To + ".before-" + now.UTC().Format("20060102T150405Z")
		if err := os.Rename(cmd.To, kept); err != nil {
			return "", fmt.Errorf("restore: %w", err)
		}
	} else if err := os.Remove(cmd.To); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(data, cmd.To); err != nil {
		return kept, fmt.Errorf("restore: %w", err)
	}
	return kept, backup.SyncDir(filepath.Dir(cmd.To))
}
