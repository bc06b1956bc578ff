package fleet

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tally counts what the gateways and their links do.
type tally struct {
	late time.Duration // a live batch whose receipt takes longer is late

	asked, backlog                        atomic.Int64 // live batches whose time came; batches of the backlog
	made, madeReadings                    atomic.Int64
	receipts, liveReceipts                atomic.Int64 // batches of any kind; live ones
	backlogLeft                           atomic.Int64
	published, pubacked, repeated         atomic.Int64
	withheld, reordered, dropped, churned atomic.Int64
	epochs                                atomic.Int64
	lates                                 atomic.Int64
	backlogDone                           atomic.Pointer[time.Time]

	mu     sync.Mutex
	waits  *hdrhistogram.Histogram // of live batches, intended time to receipt, µs
	failed func(error)             // ends the run
}

// longest is the longest wait the histogram holds; longer ones count as that long.
const longest = 7 * 24 * time.Hour

// newTally makes a tally. Three significant digits: a percentile is off by at most 0.1 %.
func newTally(late time.Duration, failed func(error)) *tally {
	return &tally{late: late, waits: hdrhistogram.New(1, longest.Microseconds(), 3), failed: failed}
}

func (t *tally) fail(err error) { t.failed(err) }

func (t *tally) produced(s sealed) {
	t.made.Add(1)
	t.madeReadings.Add(int64(s.readings))
}

// receipted counts a batch whose receipt came. Its wait begins when it was meant to be sent, whether or not it could be: a
// server that stands still makes every batch late that was due meanwhile.
func (t *tally) receipted(s sealed, now time.Time) {
	t.receipts.Add(1)
	switch s.kind {
	case carried:
		return
	case backlog:
		if t.backlogLeft.Add(-1) == 0 {
			t.backlogDone.Store(&now)
		}
		return
	case live:
	}
	t.liveReceipts.Add(1)
	wait := now.Sub(s.due)
	if wait > t.late {
		t.lates.Add(1)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.waits.RecordValue(min(max(wait, time.Microsecond), longest).Microseconds()); err != nil {
		t.failed(err)
	}
}

// Latency is what the waits come to, in milliseconds.
type Latency struct {
	N    int64   `json:"n"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

func (t *tally) latency() Latency {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := func(q float64) float64 { return float64(t.waits.ValueAtQuantile(q)) / 1000 }
	return Latency{
		N: t.waits.TotalCount(), Mean: t.waits.Mean() / 1000, P50: at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: float64(t.waits.Max()) / 1000,
	}
}
