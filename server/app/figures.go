package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/server/backup"
	"aovuon/server/ledger"
	"aovuon/server/watch/notify"
)

// server is what this process is, and whether its broker is there.
func (f *figures) server(_ context.Context, put func(*figure, float64, ...string)) error {
	s := f.s
	state := s.brokerState()
	put(gauge("build_info", "What runs: the commit, and what it works with.", "version", "database", "history", "broker"), 1,
		version(), s.config.Database.Driver, s.config.History.Engine, state.Kind)
	put(gauge("started_timestamp_seconds", "When the server started, since 1970."), seconds(s.started))
	if s.broker == nil {
		return nil
	}
	put(gauge("broker_connected", "Whether the broker is there: an outside one is connected to, the embedded one listens."), truth(state.Connected))
	if state.Kind == "embedded" {
		put(gauge("broker_connections", "Open MQTT connections of the embedded broker."), float64(state.Clients))
	}
	return nil
}

// processes is what this process does of what only one does, and who else is there.
func (f *figures) processes(ctx context.Context, put func(*figure, float64, ...string)) error {
	for name, leading := range f.s.leads.all() {
		put(gauge("leads", "Whether this process does what only one of a database's processes does at a time.", "lease"), truth(leading), name)
	}
	n := map[string]int{"live": 0, "silent": 0}
	for _, p := range f.s.all(ctx) {
		if p.Silent {
			n["silent"]++
		} else {
			n["live"]++
		}
	}
	for state, count := range n {
		put(gauge("processes", "Processes of this database: live; silent for eight seconds and not stopped in order.", "state"), float64(count), state)
	}
	return nil
}

// ingest is what waits on its way into the log.
func (f *figures) ingest(_ context.Context, put func(*figure, float64, ...string)) error {
	s := f.s
	for name, q := range s.ingest.Queues() {
		put(gauge("ingest_queue_messages", "What waits in a queue of ingest.", "queue"), float64(q.Length), name)
		if q.Limit > 0 {
			put(gauge("ingest_queue_limit", "How much a queue of ingest takes before it pushes back.", "queue"), float64(q.Limit), name)
		}
	}
	stuck := 0.0
	if at := s.stuck(); !at.IsZero() {
		stuck = s.now().Sub(at).Seconds()
	}
	put(gauge("ingest_stuck_seconds", "For how long batches have not been committed although they should; 0 while they are."), stuck)
	return nil
}

// logAndProjections says how far the log is, and what is drawn from it.
func (f *figures) logAndProjections(ctx context.Context, put func(*figure, float64, ...string)) error {
	s := f.s
	end, err := s.db.LogEnd(ctx)
	if err != nil {
		return err
	}
	put(gauge("log_end_position", "Position of the newest batch of the log."), float64(end))
	newest, ok, err := s.db.Received(ctx, end)
	if err != nil {
		return err
	}
	if ok {
		put(gauge("log_newest_timestamp_seconds", "When the newest batch of the log was received, since 1970."), seconds(newest))
	}
	undated, err := s.db.Undated(ctx)
	if err != nil {
		return err
	}
	put(gauge("undated_readings", "Readings kept aside because nothing says when they were taken."), float64(undated))
	for name, r := range s.projections() {
		at, trouble := r.Status()
		put(gauge("projection_position", "Position in the batch log up to which the projection's effect is durable.", "projection"), float64(at), name)
		put(gauge("projection_failing", "Whether the projection waits because something fails.", "projection"), truth(trouble != ""), name)
		put(gauge("projection_behind_batches", "Batches of the log that the projection has not applied.", "projection"), float64(max(0, end-at)), name)
		late := 0.0
		if at < end {
			received, ok, err := s.db.Received(ctx, at+1)
			if err != nil {
				return err
			}
			if ok {
				late = max(0, s.now().Sub(received).Seconds())
			}
		}
		put(gauge("projection_behind_seconds", "How long ago the oldest batch was received that the projection has not applied; 0 when there is none.", "projection"), late, name)
	}
	return nil
}

// silentAfter is when a gateway that says nothing is counted as silent: it says how it is every five minutes.
const silentAfter = 15 * time.Minute

// gateways counts those in service by what is known of them. None is named: there may be tens of thousands.
func (f *figures) gateways(ctx context.Context, put func(*figure, float64, ...string)) error {
	list, err := f.s.db.Standings(ctx)
	if err != nil {
		return err
	}
	n := map[string]int{"online": 0, "offline": 0, "silent": 0, "never": 0}
	for _, g := range list {
		switch {
		case !g.Retired.IsZero():
		case g.Seen.IsZero():
			n["never"]++
		case g.State.State == "offline":
			n["offline"]++
		case f.s.now().Sub(g.Seen) > silentAfter:
			n["silent"]++
		default:
			n["online"]++
		}
	}
	for state, count := range n {
		put(gauge("gateways", "Gateways in service: online; offline, as the broker says; silent for 15 minutes; never heard of.", "state"), float64(count), state)
	}
	return nil
}

// ledger is the tree, its newest signed head, and who has seen that.
func (f *figures) ledger(ctx context.Context, put func(*figure, float64, ...string)) error {
	s := f.s
	size, err := s.db.LedgerSize(ctx)
	if err != nil {
		return err
	}
	head, at, err := s.db.HeadTime(ctx)
	if err != nil {
		return err
	}
	put(gauge("ledger_leaves", "Leaves of the ledger."), float64(size))
	put(gauge("ledger_head_leaves", "Leaves under the newest signed head: fewer than there are for a second at most."), float64(head))
	put(gauge("ledger_head_timestamp_seconds", "When the newest head was signed, since 1970; 0: none was."), seconds(at))
	put(gauge("ledger_fault", "Whether no head is signed because the tree is not the one that was signed before, or cannot be read."), truth(s.ledger.Fault() != nil))
	if s.policy == nil || len(s.policy.Witnesses) == 0 {
		return nil
	}
	seen := map[string]time.Time{}
	raw, err := s.db.Checkpoint(ctx, 0)
	if err != nil {
		return err
	}
	if raw != nil {
		verifiers := make([]note.Verifier, 0, len(s.policy.Witnesses))
		for _, w := range s.policy.Witnesses {
			verifiers = append(verifiers, w.Verifier)
		}
		_, n, err := ledger.OpenHead(raw, s.ledger.Verifier(), verifiers...)
		if err != nil {
			return err
		}
		for _, x := range s.policy.SeenBy(n) {
			seen[x.Name] = x.Time
		}
	}
	for _, w := range s.policy.Witnesses {
		put(gauge("witness_saw_head", "Whether a witness of the policy has signed the newest head.", "witness"), truth(!seen[w.Name].IsZero()), w.Name)
	}
	return nil
}

// messageDay is over what time messages are counted.
const messageDay = 24 * time.Hour

// messages is whether people are told.
func (f *figures) messages(ctx context.Context, put func(*figure, float64, ...string)) error {
	due, err := f.s.db.MessagesDue(ctx, f.s.now())
	if err != nil {
		return err
	}
	put(gauge("messages_waiting", "Messages of alarms that are due and not sent."), float64(due))
	counts, err := f.s.db.MessageCounts(ctx, f.s.now().Add(-messageDay))
	if err != nil {
		return err
	}
	for channel, by := range counts {
		for _, state := range []notify.Delivery{notify.Sent, notify.Delivered, notify.Failed, notify.Expired, notify.Merged} {
			put(gauge("messages_day", "Messages of the last 24 hours by channel and what became of them.", "channel", "state"), float64(by[state]), channel, string(state))
		}
	}
	return nil
}

// backup is how old the newest good one is.
func (f *figures) backup(_ context.Context, put func(*figure, float64, ...string)) error {
	configured := f.s.nightly != nil
	put(gauge("backup_configured", "Whether backups are made by themselves."), truth(configured))
	if !configured {
		return nil
	}
	state := f.s.nightly.State()
	made, drilled := time.Time{}, time.Time{}
	if good := state.Good; good != nil {
		made = good.Made
		if good.Drill.OK() {
			drilled = good.Drill.At
		}
	}
	put(gauge("backup_made_timestamp_seconds", "When the newest good backup was begun; 0 while there is none."), seconds(made))
	put(gauge("backup_drilled_timestamp_seconds", "When the newest good backup was restored and audited without a finding; 0: it was not."), seconds(drilled))
	put(gauge("backup_trouble", "Whether the backups need somebody: none, an old one, a file that is gone, findings."), truth(state.Trouble(f.s.now()) != backup.Fine))
	return nil
}

// disk is the room where the data lies, and what takes it.
func (f *figures) disk(_ context.Context, put func(*figure, float64, ...string)) error {
	s := f.s
	put(gauge("disk_writable", "Whether the disk of the data folder takes what is written to it."), truth(s.disk.Trouble() == ""))
	free, err := backup.Free(s.config.DataDir)
	if err != nil {
		return err
	}
	put(gauge("disk_free_bytes", "Bytes that the server may still write to the disk of the data folder."), float64(free))
	sizes, err := databaseSizes(s.config.DataDir)
	if err != nil {
		return err
	}
	for name, n := range sizes {
		put(gauge("file_bytes", "Size of a database in the data folder, with what is not merged into it yet.", "file"), float64(n), name)
	}
	return nil
}

// databaseSizes are the bytes of each database file in a folder with its write-ahead log: server.db, and each drawing of the history that is there.
func databaseSizes(dir string) (map[string]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), "-wal")
		if name != "server.db" && name != "history.db" && !drawnFile.MatchString(name) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // an old drawing that has just been removed
		}
		if err != nil {
			return nil, err
		}
		sizes[name] += info.Size()
	}
	return sizes, nil
}

// drawnFile are the names of Config.historyFile but for the first.
var drawnFile = regexp.MustCompile(`^history-[0-9]+\.db$`)

// database is how its connections are used.
func (f *figures) database(ctx context.Context, put func(*figure, float64, ...string)) error {
	for _, p := range f.s.db.Pools() {
		put(gauge("db_connections", "Open connections to the database.", "pool", "state"), float64(p.InUse), p.Name, "used")
		put(gauge("db_connections", "Open connections to the database.", "pool", "state"), float64(p.Open-p.InUse), p.Name, "idle")
		put(gauge("db_connections_limit", "Connections to the database at most.", "pool"), float64(p.Limit), p.Name)
		put(counter("db_waits_total", "How often a connection had to be waited for.", "pool"), float64(p.Waits), p.Name)
		put(counter("db_waited_seconds_total", "How long connections were waited for, all together.", "pool"), p.Waited.Seconds(), p.Name)
	}
	begin := f.s.now()
	if _, err := f.s.db.LogEnd(ctx); err != nil {
		return err
	}
	put(gauge("db_answer_seconds", "How long the database took just now for the smallest question."), f.s.now().Sub(begin).Seconds())
	return nil
}
