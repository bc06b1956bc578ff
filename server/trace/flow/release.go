package flow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// Said is a leaf of the ledger that a release names.
type Said struct {
	Kind    ledger.Kind `json:"kind"`
	Subject string      `json:"subject"`
	Leaf    int64       `json:"leaf"` // its number
	Hash    []byte      `json:"hash"` // RFC 6962 hash of the leaf, base64 in JSON
}

// Told is the evidence of one quantity at one place in short.
type Told struct {
	Place    string           `json:"place"`
	Quantity measure.Quantity `json:"quantity"`
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	N        int              `json:"n"`
	Unsigned int              `json:"unsigned,omitempty"` // of n, those of devices that cannot sign
	Min      float64          `json:"min"`
	Mean     float64          `json:"mean"`
	Max      float64          `json:"max"`
	Covered  float64          `json:"covered"` // share of the time, 0 to 1
	Within   float64          `json:"within"`  // of the covered time, within the limits; 0 where there are none
	Limits   int              `json:"limits"`  // how many
}

// Release is what the ledger says of a lot that was released for sale: what it stood on. Nothing of a person is in it, and no buyer.
type Release struct {
	Lot      string             `json:"lot"`   // path of its Digital Link
	Event    string             `json:"event"` // the goods event that released it
	At       time.Time          `json:"at"`
	Events   []Said             `json:"events"` // newest leaf of every event of its diary and of its goods
	Lots     []Said             `json:"lots"`   // its own leaf, and those of the lots it is made of
	Seal     *Said              `json:"seal"`   // of its evidence; null: it was not sealed yet, Evidence is as weighed then
	Evidence []Told             `json:"evidence"`
	Position int64              `json:"position"` // in the batch log: up to there the batches behind the evidence go
	Chains   []ledger.ChainHead `json:"chains"`
	Account  Account            `json:"account"`
}

// Tell returns evidence in short.
func Tell(rows []trace.Evidence) []Told {
	out := make([]Told, 0, len(rows))
	for _, e := range rows {
		t := Told{
			Place: e.Place, Quantity: e.Quantity, From: e.From.UTC(), To: e.To.UTC(), N: e.N, Unsigned: e.Unsigned, Min: e.Min, Mean: e.Mean, Max: e.Max, Covered: e.Share(), Limits: len(e.Limits),
		}
		if len(e.Limits) > 0 {
			t.Within = e.ShareWithin()
		}
		out = append(out, t)
	}
	return out
}

// Check says what of a release does not agree with itself: sums, masses, order. seal is the seal it names, nil where it is not at hand.
func (r Release) Check(seal *trace.Seal) (faults []string) {
	find := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	in, out, packed := sum(r.Account.In), sum(r.Account.Out), sum(r.Account.Packed)
	for _, s := range []struct {
		what string
		want int64
		told float64
	}{{"in", in, r.Account.InKG}, {"out", out, r.Account.OutKG}, {"packed", packed, r.Account.PackedKG}, {"remaining", in - out - packed, r.Account.RemainingKG}} {
		if milligrams(s.told) != s.want {
			find("its account says %g kg %s, its lines come to %g", s.told, s.what, kilograms(s.want))
		}
	}
	if in-out-packed < 0 {
		find("more left the lot, or is packed of it, than came in")
	}
	seen := map[string]bool{}
	for _, e := range slices.Concat(r.Events, r.Lots) {
		k := string(e.Kind) + " " + e.Subject
		if seen[k] {
			find("it names %s twice", k)
		}
		seen[k] = true
	}
	if seal == nil {
		return faults
	}
	told, errT := json.Marshal(r.Evidence)
	want, errW := json.Marshal(Tell(seal.Evidence))
	switch {
	case errT != nil || errW != nil:
		find("its evidence cannot be read: %v", errors.Join(errT, errW))
	case string(told) != string(want):
		find("its evidence is not that of the seal it names")
	case r.Position != seal.Position:
		find("its batches go up to %d, those of the seal up to %d", r.Position, seal.Position)
	}
	return faults
}

// Proofs reads what a release stands on.
type Proofs interface {
	// Leaves returns the newest leaves of a kind about some subjects.
	Leaves(ctx context.Context, kind ledger.Kind, subjects []string) ([]Said, error)
	// Entries returns the ids of the diary's events of a lot: of its season, of the entries it is made of, and of those that tell of its code.
	Entries(ctx context.Context, l trace.Lot) ([]string, error)
	// Seal returns the newest seal of a lot; nil: there is none.
	Seal(ctx context.Context, l trace.Link) (*trace.Seal, error)
	// Weighed returns the evidence of a lot as it was weighed last.
	Weighed(ctx context.Context, l trace.Link) ([]trace.Evidence, error)
	// Heads returns the end of the batch log and how far every chain had come there.
	Heads(ctx context.Context) (position int64, chains []ledger.ChainHead, err error)
}

// sealing draws up what the ledger says of a lot that is released by this order.
func (t *taking) sealing(ctx context.Context, ref trace.Ref, l *lotNow) (r Release, err error) {
	link, _ := ref.Link()
	r = Release{Lot: link.Path(), Event: t.g.ID, At: t.g.Made, Account: l.account.Public()}
	events, err := t.shelf.GoodsOf(ctx, ref)
	if err != nil {
		return r, err
	}
	lots, ids := []string{link.Path()}, make([]string, 0, len(events))
	for _, g := range events {
		ids = append(ids, g.ID)
		for _, p := range g.In {
			if in, ok := p.Ref.Link(); ok && g.Kind == trace.Transform && !slices.Contains(lots, in.Path()) {
				lots = append(lots, in.Path())
			}
		}
	}
	entries, err := t.shelf.Entries(ctx, l.Lot)
	if err != nil {
		return r, err
	}
	for _, want := range []struct {
		kind     ledger.Kind
		subjects []string
		into     *[]Said
	}{{ledger.EntryKept, entries, &r.Events}, {ledger.GoodsMoved, ids, &r.Events}, {ledger.LotSaved, lots, &r.Lots}} {
		list, err := t.shelf.Leaves(ctx, want.kind, want.subjects)
		if err != nil {
			return r, err
		}
		*want.into = append(*want.into, list...)
	}
	slices.SortFunc(r.Events, func(a, b Said) int { return cmp.Compare(a.Leaf, b.Leaf) })
	return r, t.evidence(ctx, link, &r)
}

// evidence adds what was measured, as it was sealed last.
func (t *taking) evidence(ctx context.Context, l trace.Link, r *Release) error {
	seal, err := t.shelf.Seal(ctx, l)
	if err != nil {
		return err
	}
	if seal == nil {
		rows, err := t.shelf.Weighed(ctx, l)
		if err != nil {
			return err
		}
		r.Evidence = Tell(rows)
		r.Position, r.Chains, err = t.shelf.Heads(ctx)
		return err
	}
	r.Evidence, r.Position, r.Chains = Tell(seal.Evidence), seal.Position, seal.Chains
	said, err := t.shelf.Leaves(ctx, ledger.LotSealed, []string{l.Path()})
	if err != nil || len(said) == 0 {
		return errors.Join(fmt.Errorf("flow: no leaf of the seal of %s", l.Path()), err)
	}
	r.Seal = &said[0]
	return nil
}

// Public returns the account without who bought.
func (a Account) Public() Account {
	strip := func(lines []Line) []Line {
		out := slices.Clone(lines)
		for i := range out {
			if k := out[i].Ref.Kind; k != trace.RefLot && k != trace.RefBox {
				out[i].Ref = trace.Ref{}
			}
		}
		return out
	}
	a.In, a.Out, a.Packed = strip(a.In), strip(a.Out), strip(a.Packed)
	return a
}
