package story_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"aovuon/gateway/spool"
	"aovuon/server/project"
)

const (
	// wantLoad is how many readings a second the gateway must be taking when something is killed, or the run says nothing.
	wantLoad = 100
	// loadOver is the span before a kill over which the load is measured.
	loadOver = 500 * time.Millisecond
	// slack is what a commit may come late by on two busy cores: waiting for the processor, and for the disk.
	slack = time.Second
)

// killsEach is how often each part is killed.
func killsEach() int {
	if testing.Short() {
		return 4
	}
	return 20
}

// TestStorm_EmbeddedBrokerAndSQLite: one machine. The server that is killed is the broker and both databases too.
func TestStorm_EmbeddedBrokerAndSQLite(t *testing.T) {
	f := newField(t, setting{devices: busy(), pace: hurried()})
	s := newStorm(f)
	s.rage(s.gateway(), s.server())
	s.verdict()
}

// TestStorm_MosquittoAndInfluxDB: the same product outgrown. Broker (TLS, passwords) and time series are others' programs.
func TestStorm_MosquittoAndInfluxDB(t *testing.T) {
	f := newField(t, setting{devices: busy(), pace: hurried(), mosquitto: true, influx: true})
	s := newStorm(f)
	s.rage(s.gateway(), s.server(),
		victim{"mosquitto", f.mosquitto.Kill, f.mosquitto.Start},
		victim{"influxd", f.influxd.Kill, f.influxd.Start})
	s.verdict()
}

// hurried is the pace of a storm: many commits and many batches.
func hurried() pace { return pace{commit: 200 * time.Millisecond, seal: 250 * time.Millisecond} }

// victim is a part that can be killed and started.
type victim struct {
	name        string
	kill, start func()
}

// storm kills the parts of a working field again and again.
type storm struct {
	*field
	chance   *rand.Rand
	account  account
	kills    map[string]int
	flowing  int // kills while batches were getting receipts
	backlog  int // kills while the gateway held batches without a receipt
	lightest float64
	began    time.Time
}

func newStorm(f *field) *storm {
	f.startSim()
	f.startServer()
	s := &storm{
		field: f, chance: seeded(f.t), kills: map[string]int{}, lightest: 1e9, began: time.Now(),
		account: account{dated: 1500 * time.Millisecond},
	}
	f.gateway.start()
	return s
}

// gateway, killed, loses what it had in memory, and keeps what it had on disk: that is looked at before it starts again.
func (s *storm) gateway() victim {
	return victim{"gateway", func() {
		began := time.Now()
		s.field.gateway.kill()
		s.mayLose(began, time.Now())
		s.account.committed = append(s.account.committed, s.onDisk()...)
	}, s.field.gateway.start}
}

// mayLose notes that the gateway ended between two moments: what it took shortly before may be lost.
func (s *storm) mayLose(from, to time.Time) {
	s.account.losses = append(s.account.losses, window{from.Add(-s.pace.commit - slack).UnixMilli(), to.UnixMilli()})
}

func (s *storm) server() victim {
	return victim{"server", s.field.server.kill, s.field.server.start}
}

// rage kills every victim so often, in random order, now and then two at once, at random moments.
func (s *storm) rage(victims ...victim) {
	s.t.Helper()
	var order []victim
	for _, v := range victims {
		for range killsEach() {
			order = append(order, v)
		}
	}
	s.chance.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for len(order) > 0 {
		n := 1
		if len(order) > 1 && order[0].name != order[1].name && s.chance.IntN(4) == 0 {
			n = 2
		}
		s.awaitMoment(order[0].name)
		for _, v := range order[:n] {
			v.kill()
			s.kills[v.name]++
		}
		pass(s.t, between(s.chance, 0, 300*time.Millisecond))
		for _, v := range order[:n] {
			v.start()
		}
		order = order[n:]
	}
}

// awaitMoment waits until the field is at work again, mostly until batches reach the server too, and then for a random
// moment. The load at that moment makes the run valid.
func (s *storm) awaitMoment(next string) {
	s.t.Helper()
	before := s.released()
	s.awaitLoad(next)
	if s.chance.IntN(10) < 7 {
		await(s.t, "a receipt before the kill of "+next, func() (bool, string) {
			now := s.released()
			return now > before, fmt.Sprintf("receipts up to %d", now)
		})
	}
	pass(s.t, between(s.chance, 0, 700*time.Millisecond))
	s.awaitLoad(next)
	if st, err := spool.ReadStats(s.t.Context(), s.path("gw/spool.db")); err == nil {
		if st.Released > before {
			s.flowing++
		}
		if st.Sealed > 0 {
			s.backlog++
		}
	}
}

func (s *storm) awaitLoad(next string) {
	s.t.Helper()
	var load float64
	await(s.t, fmt.Sprintf("INVALID RUN: the load before the kill of %s must be %d readings/s", next, wantLoad), func() (bool, string) {
		load = s.load()
		return load >= wantLoad, fmt.Sprintf("%.0f readings/s", load)
	})
	s.lightest = min(s.lightest, load)
}

// load is how many readings a second the present gateway took lately, by the simulator's ledger.
func (s *storm) load() float64 {
	s.t.Helper()
	file, err := os.Open(s.path("ledger.tsv"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	info, err := file.Stat()
	if err != nil {
		s.t.Fatal(err)
	}
	raw := make([]byte, min(info.Size(), 64<<10))
	if _, err := file.ReadAt(raw, info.Size()-int64(len(raw))); err != nil && err != io.EOF {
		s.t.Fatal(err)
	}
	since, n := max(s.field.gateway.started.UnixMilli(), time.Now().Add(-loadOver).UnixMilli()), 0
	for line := range bytes.Lines(raw) {
		cell, _, _ := bytes.Cut(line, []byte("\t"))
		if ms, err := strconv.ParseInt(string(cell), 10, 64); err == nil && ms >= since && !bytes.Contains(line, []byte("!")) {
			n++
		}
	}
	return float64(n) / loadOver.Seconds()
}

// released is up to which batch the gateway has receipts.
func (f *field) released() uint64 {
	st, err := spool.ReadStats(f.t.Context(), f.path("gw/spool.db"))
	if err != nil {
		return 0 // no spool yet
	}
	return st.Released
}

// verdict lets everything come to rest and counts.
func (s *storm) verdict() {
	s.t.Helper()
	raged := time.Since(s.began)
	s.awaitLoad("nobody: the gateway must be at work when it is stopped")
	s.account.settleField(s.field, s.mayLose)
	sum := s.account.settle(s.t)
	s.t.Logf("kills %v in %.0f s, %d of them while receipts flowed, %d with batches waiting; load at least %.0f readings/s",
		s.kills, raged.Seconds(), s.flowing, s.backlog, s.lightest)
	s.t.Logf("%d readings in history, %d in the batch log, %d seen on the gateway's disk at kills; lost in memory: %d, at most %v before a kill (window %v)",
		sum.Readings, len(s.account.log), len(s.account.committed), sum.Lost, sum.FarthestLoss, s.pace.commit+slack)
	for name, n := range s.kills {
		if n < killsEach() {
			s.t.Errorf("%s was killed %d times, want %d", name, n, killsEach())
		}
	}
}

// settleField stops a field cleanly: the gateway by Ctrl-C, then its backlog to the last batch, then the history, then the
// server; and reads everything there is to read. stopped is told when the gateway was stopped in the middle of its work.
func (a *account) settleField(f *field, stopped func(from, to time.Time)) {
	f.t.Helper()
	began := time.Now()
	f.gateway.stop()
	stopped(began, time.Now())
	a.committed = append(a.committed, f.onDisk()...)
	f.quieten()
	f.gateway.start()
	st := f.awaitDrained()
	f.gateway.stop()
	f.awaitHistory()
	f.server.stop()
	f.sim.stop()
	log, heads := f.batchLog()
	a.log = log
	if len(heads) != 1 || heads[st.Epoch] != st.NextSeq-1 {
		f.t.Errorf("the batch log ends with %v, the gateway with batch %d of epoch %s", heads, st.NextSeq-1, st.Epoch)
	}
	a.history, a.ledger = f.history(), f.answers()
}

// awaitHistory waits until the history has the whole batch log.
func (f *field) awaitHistory() {
	f.t.Helper()
	db := f.database()
	awaitWithin(f.t, 3*time.Minute, "the history to have the whole log", func() (bool, string) {
		end, err1 := db.LogEnd(f.t.Context())
		at, err2 := db.Cursor(f.t.Context(), project.HistoryName)
		return err1 == nil && err2 == nil && at == end, fmt.Sprintf("%d of %d (%v, %v)", at, end, err1, err2)
	})
}
