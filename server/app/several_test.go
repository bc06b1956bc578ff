package app_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aovuon/server/app"
	"aovuon/server/broker"
	"aovuon/server/elect"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
)

// several are the processes of one server: one PostgreSQL, one Mosquitto with TLS, passwords and an access list, one InfluxDB, one shared folder.
type several struct {
	t         testing.TB
	processes []*process
	db        *sqldb.DB
	mosquitto *parttest.MosquittoServer
	gateways  []*living
}

// newSeveral makes n processes of which each does everything, and gateways with their passwords.
func newSeveral(t *testing.T, n, gateways int) *several {
	t.Helper()
	s := &several{t: t}
	users := map[string]string{}
	var servers []string
	for i := range n {
		servers = append(servers, fmt.Sprint("may-", i+1))
		users[servers[i]] = "password of " + servers[i]
	}
	for i := range gateways {
		id := fmt.Sprint("gw-", i)
		users[id] = "password of " + id
	}
	s.mosquitto = parttest.Mosquitto(t, parttest.MosquittoOptions{TLS: true, Users: users, ACL: broker.MosquittoACL(servers...), Config: []string{"use_username_as_clientid true"}, MaxInflight: 1000, MaxQueued: 10000})
	influx := parttest.Influxd(t)
	dsn := parttest.Postgres(t)
	common := t.TempDir()
	for name, text := range map[string]string{"dsn": dsn, "secret-may-1": users["may-1"], "secret-may-2": users["may-2"], "secret-may-3": users["may-3"]} {
		if err := os.WriteFile(filepath.Join(common, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, user := range servers {
		history := fmt.Sprintf("{ engine: influx, url: %q, database: aovuon }", influx.URL)
		outside := fmt.Sprintf("{ outside: { url: %q, username: %s, password_file: %s, ca_file: %s, group: aovuon } }\ndatabase: { driver: postgres, dsn_file: %s }\nshared_dir: %s",
			s.mosquitto.URL, user, filepath.Join(common, "secret-"+user), s.mosquitto.CAFile, filepath.Join(common, "dsn"), filepath.Join(common, "shared"))
		p := newProcess(t, history, outside)
		p.change("public_url: http://"+p.web, "public_url: http://htx.example")
		s.processes = append(s.processes, p)
	}
	var err error
	if s.db, err = sqldb.Open(t.Context(), sqldb.Config{Driver: sqldb.Postgres, DSN: dsn}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.db.Close(); err != nil {
			t.Error(err)
		}
	})
	dial := s.dialer()
	for i := range gateways {
		s.gateways = append(s.gateways, &living{sender: sender{gateway: s.processes[0].enrol(fmt.Sprint("gw-", i)), patient: true, dial: dial}, oxygen: levels(4, 6)})
	}
	return s
}

func (s *several) dialer() func(addr string) (net.Conn, error) {
	s.t.Helper()
	pem, err := os.ReadFile(s.mosquitto.CAFile)
	if err != nil {
		s.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		s.t.Fatal("no certificate")
	}
	return func(addr string) (net.Conn, error) {
		return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12})
	}
}

// change replaces a text of the configuration.
func (p *process) change(old, with string) {
	p.t.Helper()
	text, err := os.ReadFile(p.path("server.yaml"))
	if err == nil && !strings.Contains(string(text), old) {
		err = fmt.Errorf("no %q in %s", old, text)
	}
	if err == nil {
		err = os.WriteFile(p.path("server.yaml"), []byte(strings.Replace(string(text), old, with, 1)), 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// leader returns the process that holds a lease, nil while none of them does.
func (s *several) leader(lease string) (*process, elect.Lease) {
	l, err := s.db.Lease(s.t.Context(), lease)
	if err != nil || !l.Held() {
		return nil, l
	}
	list, err := s.db.Processes(s.t.Context())
	if err != nil {
		return nil, l
	}
	for _, x := range list {
		for _, p := range s.processes {
			if x.ID == l.Holder && strings.HasSuffix(x.Name, " "+p.web) && p.cmd != nil {
				return p, l
			}
		}
	}
	return nil, l
}

// drawn is how far the history is drawn.
func (s *several) drawn() int64 {
	at, err := s.db.Drawn(s.t.Context())
	if err != nil {
		s.t.Error(err)
	}
	return at
}

// struck is what one leader's end cost.
type struck struct {
	took map[string]time.Duration // by lease, until another held it
	draw time.Duration            // until batches that came after the end were in the history
}

// strike ends the leader of the history with a signal and waits until others do all that it did. It returns who it was.
func (s *several) strike(signal syscall.Signal) (*process, struck) {
	s.t.Helper()
	var victim *process
	parttest.Await(s.t, "a leader", func() bool { victim, _ = s.leader("history"); return victim != nil })
	held := map[string]elect.Lease{}
	for _, lease := range []string{"history", "alarms", "messages", "ledger", "lots", "settings", "calibrations"} {
		if p, l := s.leader(lease); p == victim {
			held[lease] = l
		}
	}
	if err := victim.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
	if signal == syscall.SIGKILL {
		victim.kill()
	}
	began, out := time.Now(), struck{took: map[string]time.Duration{}}
	end, err := s.db.LogEnd(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	parttest.Await(s.t, "others lead, and draw what came since", func() bool {
		for lease, old := range held {
			l, err := s.db.Lease(s.t.Context(), lease)
			if err == nil && l.Term > old.Term && l.Held() && out.took[lease] == 0 {
				out.took[lease] = time.Since(began)
			}
		}
		if out.draw == 0 && s.drawn() > end {
			out.draw = time.Since(began)
		}
		return len(out.took) == len(held) && out.draw > 0
	})
	return victim, out
}

// Three processes share the work. Whoever leads is killed, or frozen and wakes up again; within seconds another does what it did, while gateways send
// to all of them through Mosquitto. In the end every reading that was sealed is in the log and in the history, once.
func TestSeveral_LeadersThatAreKilledOrFrozenLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("leases run out in real time")
	}
	t.Parallel() // it waits, mostly
	s := newSeveral(t, 3, 4)
	for _, p := range s.processes {
		p.start()
	}
	ctx, cancel := context.WithCancel(t.Context())
	var alive sync.WaitGroup
	for _, g := range s.gateways {
		alive.Go(func() { g.live(ctx, t, s.mosquitto.Address()) })
	}
	parttest.Await(t, "the history is drawn", func() bool { return s.drawn() > 20 })
	for _, p := range s.processes {
		for _, other := range s.processes {
			p.awaitPage("every process shows every other", "/system", http.StatusOK, " "+other.web)
		}
	}
	worst := struck{took: map[string]time.Duration{}}
	note := func(x struck) {
		worst.draw = max(worst.draw, x.draw)
		for lease, took := range x.took {
			worst.took[lease] = max(worst.took[lease], took)
		}
	}
	kills, freezes := parttest.Effort(t, 1, 1, 8, 30), parttest.Effort(t, 0, 0, 3, 10)
	for range kills {
		victim, x := s.strike(syscall.SIGKILL)
		note(x)
		victim.start()
	}
	for range freezes {
		victim, x := s.strike(syscall.SIGSTOP)
		note(x)
		before := s.drawn()
		if err := victim.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		parttest.Await(t, "the history goes on past one that wakes", func() bool {
			now := s.drawn()
			if now < before {
				t.Errorf("the cursor went back from %d to %d", before, now)
			}
			before = now
			end, err := s.db.LogEnd(t.Context())
			return err == nil && s.readyAgain(victim) && end-now < 20
		})
	}
	cancel()
	alive.Wait()
	s.judge()
	t.Logf("%d kills, %d freezes; until another led at worst %v; until it drew what came since %v", kills, freezes, worst.took, worst.draw)
	for _, p := range s.processes {
		p.stop()
	}
}

// readyAgain reports whether a process answers that it is ready.
func (s *several) readyAgain(p *process) bool {
	code, _, err := p.get("/readyz")
	return err == nil && code == http.StatusOK
}

// judge has every gateway send the rest, and compares what was sealed with log and history.
func (s *several) judge() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	var wg sync.WaitGroup
	total := int64(0)
	for _, g := range s.gateways {
		total += int64(len(g.sealed))
		wg.Go(func() { g.rest(ctx, s.t, s.mosquitto.Address()) })
	}
	wg.Wait()
	parttest.Await(s.t, "all is drawn", func() bool { return s.drawn() == total })
	var count app.LogCount
	if err := json.Unmarshal([]byte(s.processes[0].once("log", "count", "--json", "--history")), &count); err != nil {
		s.t.Fatal(err)
	}
	if count.Log != total || len(count.Refused) != 0 {
		s.t.Errorf("%d batches sealed, %d in the log, refused %+v", total, count.Log, count.Refused)
	}
	for _, g := range s.gateways {
		want := int64(len(g.sealed) * len(g.oxygen))
		if got := count.Points[g.id]; got != want {
			s.t.Errorf("%s: %d readings sealed, %d in the history", g.id, want, got)
		}
	}
	s.t.Logf("%d batches", total)
}

// rest sends what is not receipted until it is.
func (g *living) rest(ctx context.Context, t testing.TB, addr string) {
	for ctx.Err() == nil && g.upto.Load() < uint64(len(g.sealed)) {
		if err := g.connect(addr); err != nil {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		for range 20 {
			from := g.upto.Load()
			for _, p := range g.after(from) {
				if _, err := g.conn.Write(p); err != nil {
					break
				}
			}
			for wait := 0; wait < 50 && g.upto.Load() < uint64(len(g.sealed)); wait++ {
				pause(ctx, 20*time.Millisecond)
			}
			if g.upto.Load() == uint64(len(g.sealed)) {
				break
			}
		}
		if err := g.conn.Close(); err != nil {
			t.Logf("close: %v", err)
		}
	}
}

// What would go wrong unseen is refused with what to do: another folder of keys, a history or a broker that is one process's own.
func TestSeveral_WhoDiffersIsRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("a process is watched for some seconds before it is believed to live")
	}
	t.Parallel()
	first, _ := onPostgres(t)
	shared := first.path("data")
	first.start()
	for _, c := range []struct{ name, history, lines, want string }{
		{"keys of its own", "{ engine: sqlite }", "", "its account.key differs: copy that file"},
		{"history of its own", "{ engine: sqlite }", "shared_dir: " + shared + "\nroles: [web]", "its history differs: processes with pages"},
		{"broker of its own", "{ engine: sqlite }", "shared_dir: " + shared + "\nroles: [ingest]", "its broker differs: an embedded broker is one process's own"},
	} {
		p := &process{t: t, dir: t.TempDir(), web: freePort(t), mqtt: freePort(t)}
		text, err := os.ReadFile(first.path("server.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.ReplaceAll(string(text), "listen: "+first.web, "listen: "+p.web))
		text = []byte(strings.ReplaceAll(string(text), first.mqtt, p.mqtt))
		if err := os.WriteFile(p.path("server.yaml"), append(text, c.lines...), 0o600); err != nil {
			t.Fatal(err)
		}
		p.once("init")
		out, err := p.command("run").CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) || !strings.Contains(string(out), first.web) {
			t.Errorf("%s: %v: %s", c.name, err, out)
		}
	}
	first.awaitPage("the first goes on", "/readyz", http.StatusOK, "serving: ok")
	first.stop()
}

// The roles apart: one process takes batches, one shows pages, one leads. Each has what its role needs and nothing else.
func TestSeveral_RolesApart(t *testing.T) {
	if testing.Short() {
		t.Skip("three processes start")
	}
	t.Parallel()
	s := newSeveral(t, 3, 1)
	taking, showing, leading := s.processes[0], s.processes[1], s.processes[2]
	for p, role := range map[*process]string{taking: "ingest", showing: "web", leading: "project"} {
		p.amend("roles: [" + role + "]")
		p.start()
	}
	ctx, cancel := context.WithCancel(t.Context())
	var alive sync.WaitGroup
	alive.Go(func() { s.gateways[0].live(ctx, t, s.mosquitto.Address()) })
	parttest.Await(t, "the history is drawn", func() bool { return s.drawn() > 10 })
	cancel()
	alive.Wait()
	s.judge()
	for p, want := range map[*process]struct {
		pages int
		ready []string // parts of /readyz, in order
	}{
		taking:  {http.StatusNotFound, []string{"database", "broker", "ingest", "disk", "serving"}},
		showing: {http.StatusOK, []string{"database", "disk", "ledger", "serving"}},
		leading: {http.StatusNotFound, []string{"database", "disk", "ledger", "serving"}},
	} {
		p.awaitPage("the dashboard", "/", want.pages, "")
		p.awaitPage("/healthz", "/healthz", http.StatusOK, "ok")
		p.awaitPage("/readyz", "/readyz", http.StatusOK, strings.Join(want.ready, ": ok\n")+": ok\n")
		if n := p.metric(`aovuon_processes{state="live"}`); n != 3 {
			t.Errorf("%v processes", n)
		}
	}
	if leads := leading.metric(`aovuon_leads{lease="history"}`); leads != 1 {
		t.Errorf("leads the history: %v", leads)
	}
	if leads := showing.metric(`aovuon_leads{lease="history"}`); leads != -1 {
		t.Errorf("one that only shows pages stands in line: %v", leads)
	}
	parttest.Await(t, "the page knows what the others do", func() bool { // they say so every two seconds
		_, system, err := showing.get("/system")
		return err == nil && !strings.Contains(system, "no process does this now") && strings.Contains(system, s.mosquitto.URL) && !strings.Contains(system, "mất kết nối")
	})
	for _, p := range s.processes {
		p.stop()
	}
}
