package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// receipts signs and sends receipts behind the commits. At most one waits per chain, the one that covers most: a
// gateway that sends faster than receipts are signed gets fewer of them, not later ones.
type receipts struct {
	send    func(gateway, leaf string, payload []byte) error
	signer  note.Signer
	now     func() time.Time
	metrics *Metrics
	log     *slog.Logger
	traced  Traced // may be nil

	mu    sync.Mutex
	upto  map[Chain]uint64
	order []Chain // those in upto, first come first served
	wake  chan struct{}
}

// add takes what each chain's receipt may cover now.
func (r *receipts) add(upto map[Chain]uint64) {
	if len(upto) == 0 {
		return
	}
	r.mu.Lock()
	for c, n := range upto {
		if old, waiting := r.upto[c]; !waiting {
			r.order = append(r.order, c)
		} else if old > n {
			continue
		}
		r.upto[c] = n
	}
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run sends until ctx ends.
func (r *receipts) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		}
		for {
			c, upto, ok := r.next()
			if !ok || ctx.Err() != nil {
				break
			}
			r.sendOne(c, upto)
		}
	}
}

// length is how many receipts wait.
func (r *receipts) length() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.order)
}

func (r *receipts) next() (c Chain, upto uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.order) == 0 {
		r.order = nil
		return c, 0, false
	}
	c = r.order[0]
	r.order = r.order[1:]
	upto = r.upto[c]
	delete(r.upto, c)
	return c, upto, true
}

// sendOne sends one receipt. One that cannot be sent is not tried again: the gateway sends its batches again and gets
// the next.
func (r *receipts) sendOne(c Chain, upto uint64) {
	begin := r.now()
	sealed, err := wire.SealReceipt(wire.Receipt{Gateway: c.Gateway, Epoch: c.Epoch, Upto: upto, Time: begin}, r.signer)
	if err == nil {
		err = r.send(c.Gateway, wire.LeafReceipt, sealed)
	}
	if err != nil {
		r.metrics.receipts.WithLabelValues("failed").Inc()
		r.log.Debug("receipt not sent", slog.String("gateway", c.Gateway), slog.Uint64("seq", upto), slog.Any("err", err))
		return
	}
	r.metrics.receipts.WithLabelValues("sent").Inc()
	if r.traced != nil {
		r.traced.Receipted(c, upto, begin, r.now())
	}
}
