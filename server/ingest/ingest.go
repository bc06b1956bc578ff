package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"aovuon/gateway/wire"
)

// Broker is where messages come from and receipts go to.
type Broker interface {
	// Receive calls f for every message of every gateway, one at a time, in the order the broker has of each gateway,
	// until ctx ends or the broker is lost for good. f may block: that is how the queue pushes back. done is called once
	// the message is dealt with; it may be called from any goroutine and does not block. The payload is f's to keep.
	Receive(ctx context.Context, f func(gateway, leaf string, payload []byte, done func())) error
	// Send publishes to one gateway, at most once.
	Send(gateway, leaf string, payload []byte) error
}

// Options are what an Ingest is made of.
type Options struct {
	Broker    Broker
	Log       Log
	Registry  *Registry
	Notebook  *Notebook
	Signer    note.Signer // of the receipts: the server's key
	Metrics   *Metrics
	Now       func() time.Time
	Logger    *slog.Logger
	Online    func(gateway string) // told when a gateway says that it is there; must not block; may be nil
	Committed func([]Record)       // told of every commit, in order, before its receipts go out; must not block; may be nil
	Traced    Traced               // told where each batch spent its time; may be nil

	MaxWaiting  int64         // bytes received and not yet committed; 0: 48 MiB
	GroupWait   time.Duration // how long a commit waits for company; 0: 3 ms
	GroupLimit  int           // batches in a commit; 0: 1,000
	WorkerCount int           // 0: GOMAXPROCS
	// Hold is how long a batch waits for the one before it, which a broker that deals out messages may have given to another process.
	// 0: not at all; where there is one process none can be on its way.
	Hold time.Duration
}

// Ingest verifies, commits and receipts. Make it with New, run it with Run.
type Ingest struct {
	Options
	room     *semaphore.Weighted // bytes that may still come in
	workers  []chan message
	verified chan *item
	receipts *receipts
	seed     maphash.Seed
	trouble  atomic.Pointer[trouble]
	said     sync.Map // gateway → the state it said last
}

// message is what a worker gets.
type message struct {
	gateway, leaf string
	payload       []byte
	received      time.Time
	done          func()
}

// item is a verified batch that waits for its commit.
type item struct {
	message
	batch   *wire.Batch
	row     Row
	verdict verdict
	opening time.Time // when it was looked at, and
	opened  time.Time // was found good; zero where nobody asks (Traced)
}

// New checks the options and fills in the defaults.
func New(o Options) *Ingest {
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 48 << 20
	}
	if o.GroupWait == 0 {
		o.GroupWait = 3 * time.Millisecond
	}
	if o.GroupLimit == 0 {
		o.GroupLimit = 1000
	}
	if o.WorkerCount == 0 {
		o.WorkerCount = runtime.GOMAXPROCS(0)
	}
	n := &Ingest{
		Options: o, room: semaphore.NewWeighted(o.MaxWaiting), verified: make(chan *item, o.GroupLimit), seed: maphash.MakeSeed(),
		receipts: &receipts{
			send: o.Broker.Send, signer: o.Signer, now: o.Now, metrics: o.Metrics, log: o.Logger, traced: o.Traced,
			upto: map[Chain]uint64{}, wake: make(chan struct{}, 1),
		},
	}
	for range o.WorkerCount {
		n.workers = append(n.workers, make(chan message, 256))
	}
	return n
}

// trouble is why commits fail, and since when.
type trouble struct {
	text  string
	since time.Time
}

// Trouble says why commits fail at the moment, empty while they do not.
func (n *Ingest) Trouble() string {
	if t := n.trouble.Load(); t != nil {
		return t.text
	}
	return ""
}

// Stuck says since when commits fail, zero while they do not.
func (n *Ingest) Stuck() time.Time {
	if t := n.trouble.Load(); t != nil {
		return t.since
	}
	return time.Time{}
}

// Run works until ctx ends or the broker is lost for good. What was received and not committed then is not lost: no
// receipt went out, so its gateway still has it.
func (n *Ingest) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range n.workers {
		g.Go(func() error { return n.verify(ctx, w) })
	}
	g.Go(func() error { return n.commitAll(ctx) })
	g.Go(func() error { return n.receipts.run(ctx) })
	g.Go(func() error {
		err := n.Broker.Receive(ctx, func(gateway, leaf string, payload []byte, done func()) { n.take(ctx, gateway, leaf, payload, done) })
		if err != nil {
			return fmt.Errorf("ingest: %w", err)
		}
		if ctx.Err() == nil {
			return errors.New("ingest: the broker ended")
		}
		return nil
	})
	return g.Wait()
}

// take hands a message to the worker of its gateway, so that the order of each gateway is kept. It waits while the
// queue is full.
func (n *Ingest) take(ctx context.Context, gateway, leaf string, payload []byte, done func()) {
	m := message{gateway, leaf, payload, n.Now(), done}
	switch {
	case leaf != wire.LeafBatch && leaf != wire.LeafStatus:
		n.note(m, Foreign, "a "+leaf+" message is not a gateway's to send")
		m.done()
		return
	case len(payload) > wire.MaxBatchBytes:
		n.note(m, TooLarge, fmt.Sprintf("%d bytes, at most %d", len(payload), wire.MaxBatchBytes))
		m.done()
		return
	}
	if n.room.Acquire(ctx, m.weight()) != nil {
		return // ctx ended
	}
	n.Metrics.waiting.Add(float64(m.weight()))
	w := n.workers[maphash.String(n.seed, gateway)%uint64(len(n.workers))]
	select {
	case w <- m:
	case <-ctx.Done():
	}
}

// weight is what m holds of the room: its bytes, and something for what is made of them.
func (m *message) weight() int64 { return int64(2*len(m.payload) + 512) }

// settle ends a message's stay.
func (n *Ingest) settle(m message) {
	n.room.Release(m.weight())
	n.Metrics.waiting.Sub(float64(m.weight()))
	m.done()
}

// note quarantines a message.
func (n *Ingest) note(m message, why Reason, detail string) {
	n.Notebook.Refuse(Refusal{
		Gateway: m.gateway, Reason: why, Detail: detail, Received: m.received, Size: int64(len(m.payload)), Sample: m.payload,
	})
}
