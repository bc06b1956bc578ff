package trace

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"aovuon/server/farm"
	"aovuon/server/ledger"
)

// Seal is the evidence of a harvested lot as it is entered in the ledger, with the batches it is made of: whoever has those, the farm and the
// lot as the ledger tells them, comes to the same.
type Seal struct {
	Lot      string             `json:"lot"`      // path of its Digital Link
	Weighed  time.Time          `json:"weighed"`  // when the evidence was computed
	Position int64              `json:"position"` // in the batch log: the batches up to here are in the evidence
	Chains   []ledger.ChainHead `json:"chains"`   // of the gateways that measured, there
	Evidence []Evidence         `json:"evidence"`
}

// Sealed says where the newest seal of a lot stands in the ledger.
type Sealed struct {
	Leaf int64
	At   time.Time // when it was entered
}

// Seals enters seals.
type Seals interface {
	// Heads returns the end of the batch log and how far every chain had come there.
	Heads(ctx context.Context) (position int64, chains []ledger.ChainHead, err error)
	// LastSeal returns the newest seal of a lot; nil where it has none.
	LastSeal(ctx context.Context, l Link) (*Seal, error)
	SaveSeal(ctx context.Context, s Seal, by ledger.By) error
}

// sealing is what a worker remembers of a lot between two weighings, to know which batches its evidence is made of.
type sealing struct {
	asked       bool // the ledger was asked for the newest seal
	sealed      []Evidence
	weighed     []Evidence // the evidence of the last weighing
	weighedOnce bool       // there was a last weighing
	hasSeal     bool       // there is a seal
	position    int64      // end of the log after that weighing
	chains      []ledger.ChainHead
}

// seal enters the evidence of a harvested lot once it has come to rest. The batches behind it are known by weighing twice: what is the
// same before the log's end was looked at, and after the history had been drawn up to there, is made of the batches up to there.
func (w *Worker) seal(ctx context.Context, f *farm.Farm, l Lot, rows []Evidence, t *sealing) error {
	now := w.now()
	if l.State == Growing || l.Harvested.IsZero() || now.Before(l.Harvested) {
		return nil
	}
	if !t.asked {
		last, err := w.seals.LastSeal(ctx, l.Link())
		if err != nil {
			return err
		}
		if last != nil {
			t.sealed, t.hasSeal = last.Evidence, true
		}
		t.asked = true
	}
	resting, errA := SameEvidence(t.weighed, rows)
	sealed, errB := SameEvidence(t.sealed, rows)
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	resting, sealed = resting && t.weighedOnce, sealed && t.hasSeal
	drawn, err := w.store.Drawn(ctx)
	if err != nil {
		return err
	}
	if resting && !sealed && drawn >= t.position {
		s := Seal{Lot: l.Link().Path(), Weighed: now.UTC(), Position: t.position, Chains: chainsOf(f, l, t.chains), Evidence: rows}
		if err := w.seals.SaveSeal(ctx, s, ledger.By{Actor: ledger.Server, At: now}); err != nil {
			return err
		}
		t.sealed, t.hasSeal = rows, true
		w.log.Info("evidence sealed", slog.String("lot", l.Code), slog.Int("quantities", len(rows)))
	}
	if !resting || drawn >= t.position {
		t.weighed, t.weighedOnce = rows, true
		t.position, t.chains, err = w.seals.Heads(ctx)
	}
	return err
}

// chainsOf leaves the chains of gateways that measured at the lot's places.
func chainsOf(f *farm.Farm, l Lot, all []ledger.ChainHead) []ledger.ChainHead {
	var gateways []string
	for _, place := range l.Places {
		for _, m := range f.MountsAt(place, l.Stocked, l.Harvested) {
			gateways = append(gateways, m.Gateway)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(h ledger.ChainHead) bool { return !slices.Contains(gateways, h.Gateway) })
}
