package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"aovuon/gateway/wire"
	"aovuon/server/backup"
	"aovuon/server/farm"
	"aovuon/server/sqldb"
)

type backupCmd struct {
	Make  backupMakeCmd  `cmd:"" default:"withargs" help:"Make one backup, while the server runs or while it does not."`
	Key   backupKeyCmd   `cmd:"" help:"Make a key that opens backups: print it, put it away from this machine."`
	Drill backupDrillCmd `cmd:"" help:"Restore a backup into a folder nobody uses, check everything, and remove it again."`
	List  backupListCmd  `cmd:"" help:"List the backups of the configured folder."`
}

type backupMakeCmd struct {
	To      string `help:"File, or folder that exists, to write to; the configured folder when not given." type:"path"`
	History bool   `help:"Take the time series along. Without them a restored server draws them again from the batch log."`
	Plain   bool   `help:"Do not encrypt: whoever has the file has the server's keys and everybody's data."`
	NoDrill bool   `help:"Do not try the backup once it is written."`
}

// Run makes one backup.
func (cmd *backupMakeCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	o := order{to: cmd.To, history: cmd.History || c.Backup.History}
	if o.to == "" && c.Backup.Dir == "" {
		return errors.New("backup: where to? name a file or folder with --to, or set backup.dir in " + e.config)
	}
	if !cmd.Plain {
		if o.recipients, err = c.recipients(); err != nil {
			return err
		}
	}
	if o.to == "" {
		o.to = c.Backup.Dir
	}
	if info, err := os.Stat(o.to); err == nil && info.IsDir() || o.to == c.Backup.Dir {
		o.to = unused(o.to, c.Name, e.now(), !cmd.Plain)
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		done, id, err := e.makeBackup(ctx, c, db, o)
		if err != nil {
			return err
		}
		if err := e.printf("%s: %d kB, %d batches, in %s\n", done.File, (done.Size+1023)>>10, done.LogEnd, done.Took.Round(time.Millisecond)); err != nil {
			return err
		}
		if cmd.NoDrill {
			return nil
		}
		return e.report(e.drill(ctx, c, &archive{file: done.File, ids: identities(id)}))
	})
}

func identities(id age.Identity) []age.Identity {
	if id == nil {
		return nil
	}
	return []age.Identity{id}
}

// unused is the name of an archive that is not in a folder yet: two may be made within a second.
func unused(dir, server string, at time.Time, encrypt bool) string {
	for {
		path := filepath.Join(dir, backup.Name(server, at, encrypt))
		if _, err := os.Lstat(path); err != nil {
			return path
		}
		at = at.Add(time.Second)
	}
}

// recipients reads who can open backups.
func (c *Config) recipients() ([]age.Recipient, error) {
	if c.Backup.RecipientsFile == "" {
		return nil, errors.New("backup: backup.recipients_file is not set: nobody could open what is encrypted; set it and run server backup key, or give --plain")
	}
	return backup.ReadRecipients(c.Backup.RecipientsFile)
}

type backupKeyCmd struct{}

// Run makes a pair of keys. The secret one is printed and kept nowhere.
func (backupKeyCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	path := c.Backup.RecipientsFile
	if path == "" {
		return errors.New("backup: backup.recipients_file is not set: name the file that the public half goes to")
	}
	k, err := backup.NewKey(e.now())
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %w", err)
	}
	text := strings.TrimRight(string(raw), "\n")
	if text != "" {
		text += "\n"
	}
	// The secret first: a public half whose secret nobody has seen would make backups that nobody opens.
	if err := e.printf("%s", k.Text); err != nil {
		return err
	}
	if err := wire.WriteFile(path, []byte(text+k.Recipient+"\n"), 0o644); err != nil {
		return err
	}
	e.log.Info("print the key above or write it down, keep it where the server is not, and delete it here; without it no backup can be opened")
	return nil
}

type backupDrillCmd struct {
	File     string `arg:"" help:"The backup." type:"path"`
	Identity string `help:"File with the key that opens it." type:"path"`

	opened *archive
}

// open reads the key and opens the backup. The program does so while it is root's still: both may lie where the user whom the data belongs to may
// not look, and none of it is written.
func (cmd *backupDrillCmd) open() error {
	if cmd.opened != nil {
		return nil
	}
	ids, err := readIdentities(cmd.Identity)
	if err != nil {
		return err
	}
	a := &archive{file: cmd.File, ids: ids}
	if err := a.open(); err != nil {
		return err
	}
	cmd.opened = a
	return nil
}

// Run tries a backup.
func (cmd *backupDrillCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if err := cmd.open(); err != nil {
		return err
	}
	return e.report(e.drill(e.ctx, c, cmd.opened))
}

func readIdentities(path string) ([]age.Identity, error) {
	if path == "" {
		return nil, nil
	}
	return backup.ReadIdentities(path)
}

// report prints the outcome of a drill.
func (e *env) report(d *backup.Drill) error {
	for _, f := range d.Findings {
		if err := e.printf("WRONG    %s\n", f); err != nil {
			return err
		}
	}
	switch {
	case d.Partial:
		return e.printf("the archive is whole; not tried further: %s\n", d.Why)
	case d.Why != "":
		return fmt.Errorf("backup: the drill failed: %s", d.Why)
	case len(d.Findings) > 0:
		return fmt.Errorf("backup: it can be restored, but %w: %d findings", errUnsound, len(d.Findings))
	}
	return e.printf("drill: restored, integrity ok, ledger of %d leaves and %d batches agree with the signed head, in %s\n",
		d.Leaves, d.Batches, d.Took.Round(time.Millisecond))
}

type backupListCmd struct{}

// Run lists what there is.
func (backupListCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if c.Backup.Dir == "" {
		return errors.New("backup: backup.dir is not set")
	}
	list, err := backup.Archives(c.Backup.Dir, c.Name)
	if err != nil {
		return err
	}
	for _, a := range list {
		if err := e.printf("%s  %d kB  %s\n", a.Made.In(farm.Time()).Format("2006-01-02 15:04"), (a.Size+1023)>>10, a.Path); err != nil {
			return err
		}
	}
	return nil
}
