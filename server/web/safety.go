package web

import (
	"path/filepath"
	"time"
)

// Backup is what the system page shows of the server's backups.
type Backup struct {
	Trouble  string    // never, late, gone, findings, or empty while all is well
	Made     time.Time // when the newest good one was begun; zero: there is none
	File     string
	Size     int64 // bytes
	LogEnd   int64 // batches in it
	Why      string
	Drill    time.Time     // when it was tried
	Took     time.Duration // the trial
	Leaves   int64
	Partial  string // why it was not tried whole
	Findings []string
}

// sqlPatience is how long a page waits for the database before it shows what this program remembers.
const sqlPatience = 3 * time.Second

type backupCard struct {
	Backup
	Level level
	Word  string
	Text  string // of the trial
	Size  string
}

// backupLine says how the backups stand; nil where none are made by themselves.
func backupLine(w *words, b *Backup) backupCard {
	if b == nil {
		return backupCard{Level: warned, Word: w.t("backup.off")}
	}
	c := backupCard{Backup: *b, Level: fine, Word: w.t("backup.fine")}
	c.File = filepath.Base(b.File)
	switch b.Trouble {
	case "never":
		c.Level, c.Word = lost, w.t("backup.never")
	case "late":
		c.Level, c.Word = lost, w.t("backup.late")
	case "gone":
		c.Level, c.Word = danger, w.t("backup.gone")
	case "findings":
		c.Level, c.Word = danger, w.t("backup.findings")
	}
	if b.Made.IsZero() {
		return c
	}
	c.Size = w.num(float64(b.Size)/(1<<20), 1) + " MB"
	switch {
	case b.Partial != "":
		c.Text = w.t("backup.partial")
	case len(b.Findings) == 0:
		c.Text = w.t("backup.drill", w.dateTime(b.Drill), w.count(b.Leaves), w.num(b.Took.Seconds(), 1))
	}
	return c
}

// alarm is what every page of the co-op says first while new readings are not recorded, or the database is silent; empty otherwise.
func (s *Server) alarm(w *words) string {
	s.mu.Lock()
	down := s.down
	s.mu.Unlock()
	if !down.IsZero() {
		return w.t("alarm.sql", w.dateTime(down))
	}
	if s.o.Stuck == nil {
		return ""
	}
	if since := s.o.Stuck(); !since.IsZero() {
		return w.t("alarm.commit", w.dateTime(since))
	}
	return ""
}
