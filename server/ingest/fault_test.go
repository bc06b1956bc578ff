package ingest_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// line is a broker of one line: what is pushed is received, what is sent is seen.
type line struct {
	in   chan message
	sent chan wire.Receipt
	v    note.Verifier
}

type message struct {
	gateway, leaf string
	payload       []byte
	done          func()
}

func (l *line) Receive(ctx context.Context, f func(gateway, leaf string, payload []byte, done func())) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-l.in:
			f(m.gateway, m.leaf, m.payload, m.done)
		}
	}
}

func (l *line) Send(_, _ string, payload []byte) error {
	rc, err := wire.OpenReceipt(payload, l.v)
	if err != nil {
		return err
	}
	l.sent <- rc
	return nil
}

// faultyLog fails on demand, before or after the commit.
type faultyLog struct {
	*sqldb.DB
	mu    sync.Mutex
	fails []logFault
	calls int
}

type logFault struct{ before, after error }

func (l *faultyLog) Append(ctx context.Context, chains []ingest.Chain, decide func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error)) (int64, error) {
	l.mu.Lock()
	var now logFault
	if len(l.fails) > 0 {
		now, l.fails = l.fails[0], l.fails[1:]
	}
	l.calls++
	l.mu.Unlock()
	if now.before != nil {
		return 0, now.before
	}
	last, err := l.DB.Append(ctx, chains, decide)
	return last, errors.Join(err, now.after)
}

// bare is ingest with a line for a broker.
type bare struct {
	*line
	ingest *ingest.Ingest
	log    *faultyLog
	g      *gateway
}

func newBare(t *testing.T, db *sqldb.DB, maxWaiting int64) *bare {
	t.Helper()
	return newBareWith(t, db, maxWaiting, func(*ingest.Options) {})
}

// newBareWith is newBare with other options, and for a gateway that is enrolled already.
func newBareWith(t *testing.T, db *sqldb.DB, maxWaiting int64, with func(*ingest.Options), enrolled ...*gateway) *bare {
	t.Helper()
	signer, verifier := newKey(t, "server")
	b := &bare{line: &line{in: make(chan message), sent: make(chan wire.Receipt, 10_000), v: verifier}, log: &faultyLog{DB: db}}
	if len(enrolled) > 0 {
		b.g = enrolled[0]
	} else {
		b.g = (&rig{t: t, db: db}).enrol("gw-one")
	}
	log := slog.New(slog.DiscardHandler)
	metrics, err := ingest.NewMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	registry, err := ingest.NewRegistry(t.Context(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	o := ingest.Options{
		Broker: b.line, Log: b.log, Registry: registry, Notebook: ingest.NewNotebook(db, registry, metrics, log), Signer: signer,
		Metrics: metrics, Now: time.Now, Logger: log, MaxWaiting: maxWaiting,
	}
	with(&o)
	b.ingest = ingest.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.ingest.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return b
}

// push hands over the next batch; done is closed when ingest is done with it.
func (b *bare) push() (done chan struct{}) {
	sealed := b.g.seal(b.g.batch(1))
	b.g.seq, b.g.prev = b.g.seq+1, wire.HashOf(sealed)
	done = make(chan struct{})
	b.in <- message{"gw-one", wire.LeafBatch, sealed, func() { close(done) }}
	return done
}

func (b *bare) awaitReceipt(t *testing.T, upto uint64) {
	t.Helper()
	for {
		select {
		case rc := <-b.sent:
			var end int64
			parttest.Await(t, "reading the log", func() (ok bool) { // a connection from before a kill fails once
				var err error
				end, err = b.log.LogEnd(t.Context())
				return err == nil
			})
			if end < int64(rc.Upto) {
				t.Fatalf("a receipt up to %d with a log up to %d", rc.Upto, end)
			}
			if rc.Upto == upto {
				return
			}
		case <-time.After(patience):
			t.Fatalf("no receipt up to %d", upto)
		}
	}
}

func TestIngest_AFailingLogDelaysReceiptsAndLosesNothing(t *testing.T) {
	failed := errors.New("disk full")
	for name, fails := range map[string][]logFault{
		"before the commit":                    {{before: failed}},
		"thrice":                               {{before: failed}, {before: failed}, {before: failed}},
		"after the commit, which nobody heard": {{after: failed}},
		"both":                                 {{before: failed}, {after: failed}, {before: failed}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBare(t, sqldbtest.Open(t, sqldbtest.Fresh(t)), 0)
			b.log.fails = fails
			for range 20 {
				b.push()
			}
			b.awaitReceipt(t, 20)
			if end, err := b.log.LogEnd(t.Context()); err != nil || end != 20 {
				t.Errorf("log ends at %d, %v", end, err)
			}
			if s := b.ingest.Trouble(); s != "" {
				t.Errorf("trouble: %s", s)
			}
		})
	}
}

func TestIngest_FullQueuePushesBackAndDropsNothing(t *testing.T) {
	b := newBare(t, sqldbtest.Open(t, sqldbtest.Fresh(t)), 20_000)
	b.log.mu.Lock() // the log hangs
	pushed := make(chan int, 1000)
	go func() {
		for i := range 300 {
			b.push()
			pushed <- i
		}
		close(pushed)
	}()
	n := 0
	for waiting := true; waiting; {
		select {
		case <-pushed:
			n++
		case <-time.After(300 * time.Millisecond): // that nothing more is taken has no event
			waiting = false
		}
	}
	if n > 40 {
		t.Errorf("%d batches of about 800 bytes were taken into 20,000 bytes of room", n)
	}
	b.log.mu.Unlock()
	for range pushed {
		n++
	}
	if n != 300 {
		t.Errorf("%d pushed", n)
	}
	b.awaitReceipt(t, 300)
}

func TestIngest_DoneMeansCommittedOrRefused(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.Fresh(t))
	b := newBare(t, db, 0)
	b.log.mu.Lock()
	done := b.push()
	select {
	case <-done:
		t.Error("done before the commit")
	case <-time.After(100 * time.Millisecond):
	}
	b.log.mu.Unlock()
	<-done
	if end, err := db.LogEnd(t.Context()); err != nil || end != 1 {
		t.Errorf("done with a log up to %d, %v", end, err)
	}
	refused := make(chan struct{})
	b.in <- message{"gw-one", wire.LeafBatch, []byte("rubbish"), func() { close(refused) }}
	<-refused
}

func TestIngest_SurvivesPostgresKilledUnderLoad(t *testing.T) {
	pg := parttest.NewPostgres(t)
	db := sqldbtest.Open(t, sqldb.Config{Driver: sqldb.Postgres, DSN: pg.Database()})
	b := newBare(t, db, 0)
	sent := uint64(0)
	push := func(n int) {
		for range n {
			b.push()
			sent++
		}
	}
	for range 3 {
		push(50)
		pg.Kill()
		push(50)
		parttest.Await(t, "trouble", func() bool {
			if b.ingest.Trouble() != "" {
				return true
			}
			push(1) // a child of the killed server may have taken all of them
			return false
		})
		pg.Start()
		b.awaitReceipt(t, sent)
	}
	if end, err := db.LogEnd(t.Context()); err != nil || end != int64(sent) {
		t.Errorf("log ends at %d of %d, %v", end, sent, err)
	}
}
