package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/wire"
	"aovuon/server/backup"
	"aovuon/server/history/keeper"
	"aovuon/server/peers"
	"aovuon/server/sqldb"
)

// The facts in which all processes of one database must agree, as far as they have them.
const (
	factServerKey  = "server.key"
	factLedgerKey  = "ledger.key"
	factAccountKey = "account.key"
	factShared     = "shared_dir"
	factHistory    = "history"
	factBroker     = "broker"
	factURL        = "public_url"
	factGates      = "gates"
	factTrace      = "trace"
	factAccess     = "access"
)

// mends says how to mend what differs.
func mends() map[string]string {
	key := "copy that file of the other process to shared_dir (or data_dir) of this one; the key of the older server is the one that gateways and people know"
	same := "write the same in both configurations"
	return map[string]string{
		factServerKey: key, factLedgerKey: key, factAccountKey: key,
		factShared:  "processes with pages, or that lead, need one folder for keys, photos and tokens: mount it on both machines and name it as shared_dir in both configurations",
		factHistory: "processes with pages, or that lead, need one history: set history.engine: influx, with the same url and database, for all of them",
		factBroker:  "an embedded broker is one process's own: set broker.outside with one group for all that take batches, or leave ingest out of this one's roles",
		factURL:     same, factGates: same, factTrace: same, factAccess: same,
	}
}

// sharedID is the file by which processes know that their shared folder is the same.
const sharedID = "shared.id"

// readSharedID returns the name of the shared folder, and gives it one if it has none. Of two that do so at once, one does.
func (c *Config) readSharedID() (string, error) {
	path := filepath.Join(c.sharedDir(), sharedID)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := wire.WriteOnce(path, []byte(rand.Text()+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("shared_dir: %w", err)
		}
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return "", fmt.Errorf("shared_dir: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// facts are those of this process. No secret is among them: of a secret key it is the hash.
func (s *running) facts(vkey string) (map[string]string, error) {
	c := s.config
	f := map[string]string{factServerKey: vkey}
	if c.has(roleIngest) {
		f[factBroker] = "embedded in " + s.holder
		if o := c.Broker.Outside; o != nil {
			f[factBroker] = o.URL + " " + o.Group
		}
	}
	if !c.office() {
		return f, nil
	}
	account, err := accountKey(c.accountKeyFile())
	if err != nil {
		return nil, err
	}
	shared, err := c.readSharedID()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte("aovuon account.key of a peer\n"), account...))
	f[factLedgerKey], f[factAccountKey], f[factShared] = s.ledger.VKey(), hex.EncodeToString(sum[:]), shared
	f[factHistory] = "sqlite of " + s.holder
	if h := c.History; h.Engine != "sqlite" {
		f[factHistory] = strings.Join([]string{h.Engine, h.URL, h.Database}, " ")
	}
	f[factURL] = c.base()
	for fact, section := range map[string]any{factGates: c.Gates, factTrace: c.Trace, factAccess: []string{c.Access.Pages, c.Access.SecondFactor}} {
		raw, err := yaml.Marshal(section)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", fact, err)
		}
		sum := sha256.Sum256(raw)
		f[fact] = hex.EncodeToString(sum[:8])
	}
	return f, nil
}

// enterPeers makes this process known to the others of its database, and begins to say that it lives. SQLite has one process.
func (s *running) enterPeers(ctx context.Context, vkey string) error {
	if s.db.Driver() != sqldb.Postgres {
		return nil
	}
	facts, err := s.facts(vkey)
	if err != nil {
		return err
	}
	s.peers, err = peers.Enter(ctx, peers.Options{
		Store: s.db, Self: peers.Process{ID: s.holder, Name: processName(s.config), Roles: s.config.roles(), Facts: facts},
		Every: peers.Every, Patience: peers.Patience, Report: s.reportBytes, Now: s.now, Log: s.log,
	})
	if c, ok := errors.AsType[*peers.ConflictError](err); ok {
		return fmt.Errorf("another server works on this database (%s, roles %s, since %s), and its %s differs: %s",
			c.Other.Name, strings.Join(c.Other.Roles, ", "), c.Other.Started.Local().Format("2006-01-02 15:04"), c.Fact, mends()[c.Fact])
	}
	if err != nil {
		return err
	}
	// Until everything else is closed: who leads still may not be taken for dead.
	live, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- s.peers.Run(live) }()
	s.closers = append(s.closers, func() error {
		stop()
		return <-done
	})
	return nil
}

// processName names this process to people: its machine and where it listens.
func processName(c Config) string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = c.Name
	}
	return host + " " + c.Listen
}

// report is what a process tells the others of itself; FORMAT.md has it.
type report struct {
	Version     string            `json:"version"`
	Leads       []string          `json:"leads"`             // leases it holds
	Projections []ProjectionState `json:"projections"`       // those it draws for all
	Trouble     string            `json:"trouble"`           // why it cannot record, in words for everybody; empty: it can
	Stuck       time.Time         `json:"stuck"`             // since when it cannot; zero: it can
	Looked      time.Time         `json:"looked"`            // when it judged alarms last; zero: it does not
	Broker      *BrokerState      `json:"broker"`            // of an ingest process
	Backup      *backup.State     `json:"backup"`            // of who makes them
	Rollups     *keeper.State     `json:"rollups,omitempty"` // of who keeps them
}

// reportBytes is the report as it is kept. A fault of ours leaves it empty.
func (s *running) reportBytes(ctx context.Context) []byte {
	if !s.opened.Load() {
		return []byte("{}")
	}
	raw, err := json.Marshal(s.ownReport(ctx))
	if err != nil {
		return []byte("{}")
	}
	return raw
}

// peer is another process, or this one, with what it says of itself.
type peer struct {
	peers.Process
	report
	own bool
}

// all returns the processes of this database as far as they are known, the oldest first; this one always.
func (s *running) all(ctx context.Context) []peer {
	list := append(s.others(), peer{
		Process: peers.Process{ID: s.holder, Name: processName(s.config), Roles: s.config.roles(), Started: s.started, Seen: s.now()}, report: s.ownReport(ctx), own: true,
	})
	slices.SortStableFunc(list, func(a, b peer) int { return a.Started.Compare(b.Started) })
	return list
}

// others are the processes beside this one; none on SQLite.
func (s *running) others() (list []peer) {
	if s.peers == nil {
		return nil
	}
	for _, x := range s.peers.List() {
		if x.ID == s.holder {
			continue
		}
		p := peer{Process: x}
		if err := json.Unmarshal(x.Report, &p.report); err != nil { // of a newer program, perhaps: what it does is known all the same
			p.report = report{}
		}
		list = append(list, p)
	}
	return list
}
