package project

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/ingest"
)

// Dater tells when the readings of a batch were taken. A batch of a boot without a clock is dated by the first anchor
// of that boot whose clock was set by the network or by a battery-backed clock; a clock restored from a file dates
// nothing. The first anchor counts for ever, so that the log gives the same times whenever it is projected.
type Dater struct {
	store Anchors

	mu    sync.Mutex
	known map[bootKey]bootDate
}

type bootKey struct{ gateway, boot string }

// bootDate is when a boot began; ok is false where it was asked for and there is no anchor yet.
type bootDate struct {
	began time.Time
	ok    bool
}

// maxBoots bounds the memory of a Dater.
const maxBoots = 100_000

// NewDater returns a Dater on a store.
func NewDater(store Anchors) *Dater { return &Dater{store: store, known: map[bootKey]bootDate{}} }

// Learn keeps the anchor of r, where it has one that dates: then something may be parked for its boot.
func (d *Dater) Learn(ctx context.Context, r *ingest.Record) (anchored bool, err error) {
	b := r.Batch
	if b.Anchor == nil || (b.Clock != measure.Synced && b.Clock != measure.RTC) {
		return false, nil
	}
	k := bootKey{b.Gateway, b.Boot}
	if got, asked := d.get(k); asked && got.ok {
		return true, nil
	}
	a, err := d.store.SaveAnchor(ctx, Anchor{Gateway: b.Gateway, Boot: b.Boot, Uptime: b.Anchor.Uptime, Wall: b.Anchor.Wall, Position: r.Position})
	if err != nil {
		return false, fmt.Errorf("anchor of gateway %s: %w", b.Gateway, err)
	}
	d.put(k, bootDate{began: a.Wall.Add(-a.Uptime), ok: true})
	return true, nil
}

// Began returns when the boot of b began; ok is false where nothing says so yet.
func (d *Dater) Began(ctx context.Context, b *wire.Batch) (began time.Time, ok bool, err error) {
	k := bootKey{b.Gateway, b.Boot}
	if got, asked := d.get(k); asked {
		return got.began, got.ok, nil
	}
	a, ok, err := d.store.AnchorOf(ctx, b.Gateway, b.Boot)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("anchor of gateway %s: %w", b.Gateway, err)
	}
	got := bootDate{ok: ok}
	if ok {
		got.began = a.Wall.Add(-a.Uptime)
	}
	d.put(k, got)
	return got.began, ok, nil
}

func (d *Dater) get(k bootKey) (bootDate, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	got, asked := d.known[k]
	return got, asked
}

func (d *Dater) put(k bootKey, b bootDate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) >= maxBoots {
		clear(d.known)
	}
	if d.known[k].ok {
		return // an anchor is never unlearnt
	}
	d.known[k] = b
}

// timeOf dates one reading of a batch whose boot began at began, which only an unsynced reading needs.
func timeOf(at measure.Instant, began time.Time) time.Time {
	if at.Clock == measure.Unsynced {
		return began.Add(at.Uptime).UTC().Truncate(time.Millisecond)
	}
	return at.Wall
}
