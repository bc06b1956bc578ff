package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"sync"

	"aovuon/server/elect"
	"aovuon/server/sqldb"
)

// leads knows which of the things that only one process may do this one does.
type leads struct {
	mu  sync.Mutex
	now map[string]bool
}

func newLeads() *leads { return &leads{now: map[string]bool{}} }

func (l *leads) told(name string, leading bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now[name] = leading
}

// leading reports whether this process does what is named.
func (l *leads) leading(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now[name]
}

// all returns what this process does, or stands in line for.
func (l *leads) all() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.now)
}

// list returns what this process does, by name.
func (l *leads) list() (names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, leading := range l.now {
		if leading {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// newHolder names this run of this process in leases: no other has the same name, nor this one once it was started again.
func newHolder(name string) (string, error) {
	var b [6]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("name of the process: %w", err)
	}
	return name + "-" + hex.EncodeToString(b[:]), nil
}

// instead runs f in place of the process that does what is named, which stands back meanwhile.
func (e *env) instead(ctx context.Context, c Config, db *sqldb.DB, name string, f func(ctx context.Context) error) error {
	holder, err := newHolder(c.Name)
	if err != nil {
		return err
	}
	o := elect.Options{Name: name, Holder: holder, TTL: elect.TTL, Now: e.now, Log: e.log}
	if db.Driver() == sqldb.Postgres {
		o.Leases = db
	}
	return elect.Seize(ctx, o, f)
}

// lead runs f while this process is the one that does what is named. SQLite has one process, which needs no lease.
func (s *running) lead(ctx context.Context, name string, f func(ctx context.Context) error) error {
	s.leads.told(name, false)
	o := elect.Options{Name: name, Holder: s.holder, TTL: elect.TTL, Now: s.now, Told: s.leads.told, Log: s.log}
	if s.db.Driver() == sqldb.Postgres {
		o.Leases = s.db
	}
	return elect.Run(ctx, o, f)
}
