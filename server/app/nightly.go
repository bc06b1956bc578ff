package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"aovuon/server/backup"
	"aovuon/server/farm"
	"aovuon/server/web"
)

// openBackups makes what copies the server every night, where a folder is set for it.
func (s *running) openBackups(e *env) error {
	c := s.config
	if c.Backup.Dir == "" {
		return nil
	}
	if _, err := c.recipients(); err != nil {
		return err
	}
	at, err := backup.ParseClock(c.Backup.At)
	if err != nil {
		return err
	}
	s.nightly = &backup.Nightly{
		At: at, Zone: farm.Time(), File: filepath.Join(c.sharedDir(), "backup.json"), Now: s.now, Log: s.log,
		Make: func(ctx context.Context) (backup.Done, error) { return s.makeNightly(ctx, e) },
	}
	return nil
}

// makeNightly makes a backup, tries the very file it wrote, and then removes those that need not stay.
func (s *running) makeNightly(ctx context.Context, e *env) (done backup.Done, err error) {
	c := s.config
	o := order{to: unused(c.Backup.Dir, c.Name, s.now(), true), history: c.Backup.History}
	if o.recipients, err = c.recipients(); err != nil {
		return done, err
	}
	done, id, err := e.makeBackup(ctx, c, s.db, o)
	if err != nil {
		return done, err
	}
	done.Drill = e.drill(ctx, c, &archive{file: done.File, ids: identities(id)})
	if !done.Drill.Restored() {
		return done, errors.Join(errors.New("the drill failed: "+done.Drill.Why), os.Remove(done.File))
	}
	list, err := backup.Archives(c.Backup.Dir, c.Name)
	if err != nil {
		return done, err
	}
	for _, a := range c.Backup.Keep.Superfluous(list, farm.Time()) {
		if err := os.Remove(a.Path); err != nil {
			return done, err
		}
	}
	return done, nil
}

// shownBackup is what the system page shows of the backups.
func shownBackup(s backup.State, now time.Time) *web.Backup {
	b := &web.Backup{Trouble: string(s.Trouble(now)), Why: s.Why}
	if s.Good == nil {
		return b
	}
	b.Made, b.File, b.Size, b.LogEnd = s.Good.Made, s.Good.File, s.Good.Size, s.Good.LogEnd
	if d := s.Good.Drill; d != nil {
		b.Drill, b.Took, b.Leaves, b.Findings = d.At, d.Took, d.Leaves, d.Findings
		if d.Partial {
			b.Partial = d.Why
		}
	}
	return b
}
