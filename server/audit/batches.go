package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// chain is what is known of one gateway's chain of an epoch.
type chain struct {
	head   ingest.Head
	last   *wire.Batch // the one before
	broken bool
}

// readBatches checks every batch: signed by its gateway's enrolled key, next in its chain; and draws the good ones into the workshop's
// history, in the order of the log.
func (a *auditor) readBatches(ctx context.Context, w *workshop) error {
	rings, chains := a.gatewayKeys(), map[ingest.Chain]*chain{}
	a.report.Unsigned = unsigned(rings)
	marks := a.chainMarks()
	for n := int64(0); ; n++ {
		list, err := a.src.Batches(ctx, n)
		if errors.Is(err, ErrAbsent) {
			break
		}
		if errors.Is(err, ErrClosed) {
			a.report.note("the gateways' batches are not shown: signatures, chains and evidence were not checked")
			a.closed = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("audit: batches %d: %w", n, err)
		}
		var rows []sealed
		for i, raw := range list {
			if b := a.checkBatch(fmt.Sprintf("batch %d", n*tileWidth+int64(i)+1), raw, rings, chains, marks); b != nil {
				rows = append(rows, sealed{position: n*tileWidth + int64(i) + 1, batch: b})
			}
		}
		if a.enough() {
			return nil
		}
		if w.db == nil {
			if err := w.open(ctx, a.newestFarm()); err != nil {
				return err
			}
		}
		if err := a.draw(ctx, w, rows); err != nil {
			return err
		}
		if len(list) < tileWidth {
			break
		}
	}
	a.report.Chains = len(chains)
	for c, m := range marks {
		for seq := range m {
			a.report.find(fmt.Sprintf("chain %s %s", c.Gateway, c.Epoch), "the ledger says that it had come to batch %d: that is not there", seq)
		}
	}
	return nil
}

// sealed is a checked batch and where it stands in the log.
type sealed struct {
	position int64
	batch    *wire.Batch
}

// draw draws batches into the history, and computes the evidence of each seal when the log has come to where it was sealed.
func (a *auditor) draw(ctx context.Context, w *workshop, rows []sealed) error {
	for len(rows) > 0 {
		n := len(rows)
		if len(a.seals) > 0 {
			n = 0
			for n < len(rows) && rows[n].position <= a.seals[0].Position {
				n++
			}
		}
		if err := w.take(ctx, rows[:n]); err != nil {
			return err
		}
		if rows = rows[n:]; len(rows) == 0 {
			return nil
		}
		if err := a.checkSeal(ctx, w, a.seals[0]); err != nil {
			return err
		}
		a.seals = a.seals[1:]
	}
	return nil
}

// chainMarks are the chain heads that the ledger recorded: hash by sequence number. checkBatch removes those it meets.
func (a *auditor) chainMarks() map[ingest.Chain]map[uint64]wire.Hash {
	marks := map[ingest.Chain]map[uint64]wire.Hash{}
	add := func(n int64, heads []ledger.ChainHead) {
		for _, h := range heads {
			c := ingest.Chain{Gateway: h.Gateway, Epoch: h.Epoch}
			if marks[c] == nil {
				marks[c] = map[uint64]wire.Hash{}
			}
			var hash wire.Hash
			if copy(hash[:], h.Hash) != len(hash) || len(h.Hash) != len(hash) {
				a.report.find(fmt.Sprintf("leaf %d", n), "the hash of %s %s %d has %d bytes", h.Gateway, h.Epoch, h.Seq, len(h.Hash))
				continue
			}
			if old, ok := marks[c][h.Seq]; ok && old != hash {
				a.report.find(fmt.Sprintf("leaf %d", n), "chain %s %s: batch %d had another hash before", h.Gateway, h.Epoch, h.Seq)
			}
			marks[c][h.Seq] = hash
		}
	}
	for n, l := range a.tree.leaves {
		body := a.tree.bodies[int64(n)]
		if body == nil {
			continue
		}
		switch l.Kind { //nolint:exhaustive // these two hold chain heads
		case ledger.ChainHeads:
			var heads []ledger.ChainHead
			if err := json.Unmarshal(body, &heads); err != nil {
				a.report.find(fmt.Sprintf("leaf %d", n), "chain heads: %v", err)
			}
			add(int64(n), heads)
		case ledger.LotSealed:
			var s struct {
				Chains []ledger.ChainHead `json:"chains"`
			}
			if err := json.Unmarshal(body, &s); err != nil {
				a.report.find(fmt.Sprintf("leaf %d", n), "seal: %v", err)
			}
			add(int64(n), s.Chains)
		}
	}
	return marks
}

// checkBatch returns the batch if it may be counted.
func (a *auditor) checkBatch(where string, raw []byte, rings map[string]*keyring, chains map[ingest.Chain]*chain, marks map[ingest.Chain]map[uint64]wire.Hash) *wire.Batch {
	b, err := wire.OpenUnverified(raw)
	if err != nil {
		a.report.find(where, "%v", err)
		return nil
	}
	where = fmt.Sprintf("%s (%s %s %d)", where, b.Gateway, b.Epoch, b.Seq)
	ring, ok := rings[b.Gateway]
	if !ok {
		a.report.find(where, "the ledger knows no key of gateway %s", b.Gateway)
		return nil
	}
	opened, err := ring.open(raw)
	if err != nil {
		a.report.find(where, "%v; what stands there is %s", err, about(b))
		return nil
	}
	b = opened
	c := ingest.Chain{Gateway: b.Gateway, Epoch: b.Epoch}
	if chains[c] == nil {
		chains[c] = &chain{}
	}
	at, hash := chains[c], wire.HashOf(raw)
	if b.Seq != at.head.Seq+1 || b.Prev != at.head.Hash {
		if !at.broken {
			a.report.find(where, "is not the next after batch %d of its chain: one was taken out, put in or changed, between %s and %s", at.head.Seq, about(at.last), about(b))
		}
		at.broken = true
	}
	at.head, at.last = ingest.Head{Seq: b.Seq, Hash: hash}, b
	if want, ok := marks[c][b.Seq]; ok {
		if want != hash {
			a.report.find(where, "is not the batch that the ledger recorded: %s", about(b))
		}
		delete(marks[c], b.Seq)
	}
	a.report.Batches++
	a.report.Readings += int64(len(b.Readings))
	if ring.kind != "" {
		a.report.UnsignedReadings += int64(len(b.Readings))
	}
	for _, g := range b.Gaps {
		a.report.Gaps = append(a.report.Gaps, Gap{Gateway: b.Gateway, Reason: string(g.Reason), From: instant(g.From), To: instant(g.To), Lost: g.Lost})
	}
	return b
}

// aboutMost is how many sensors a finding names.
const aboutMost = 5

// about says what a batch holds: which sensors, of which days at the co-op.
func about(b *wire.Batch) string {
	if b == nil {
		return "nothing before it"
	}
	var sensors, days []string
	for _, r := range b.Readings {
		day := "a day that its boot's clock did not know"
		if !r.Time.Wall.IsZero() {
			day = r.Time.Wall.In(farm.Time()).Format(time.DateOnly)
		}
		if !slices.Contains(sensors, r.Sensor) {
			sensors = append(sensors, r.Sensor)
		}
		if !slices.Contains(days, day) {
			days = append(days, day)
		}
	}
	if len(sensors) == 0 {
		return "no reading"
	}
	if more := len(sensors) - aboutMost; more > 0 {
		sensors = append(sensors[:aboutMost], fmt.Sprintf("%d more", more))
	}
	if more := len(days) - aboutMost; more > 0 {
		days = append(days[:aboutMost], fmt.Sprintf("%d more days", more))
	}
	return strings.Join(sensors, ", ") + " of " + strings.Join(days, ", ")
}

// seal is the newest seal of a lot.
type seal struct {
	trace.Seal
	leaf int64
}

// newestSeals reads the newest seal of every lot, in the order of the log positions they were made at.
func (a *auditor) newestSeals(context.Context) error {
	for k, n := range a.tree.newest {
		if k.kind != ledger.LotSealed {
			continue
		}
		s := seal{leaf: n}
		if err := a.read(n, &s.Seal); err != nil {
			a.report.note("seal of lot %s (leaf %d): not computed again: %v", k.subject, n, err)
			continue
		}
		a.seals = append(a.seals, s)
	}
	slices.SortFunc(a.seals, func(x, y seal) int { return cmp.Or(cmp.Compare(x.Position, y.Position), cmp.Compare(x.leaf, y.leaf)) })
	return nil
}
