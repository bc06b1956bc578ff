package flow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// stamp gives the event its id and its time: later than that of every event before it, so that they have one order.
func (t *taking) stamp(ctx context.Context) error {
	last, err := t.shelf.Latest(ctx)
	if err != nil {
		return err
	}
	t.g.Made, t.g.Actor = t.clock, t.who.Actor
	if !t.g.Made.After(last) {
		t.g.Made = last.Add(time.Millisecond)
	}
	if t.g.ID == "" {
		if t.g.ID, err = diary.NewID(t.g.Made, ulid.Monotonic(t.random, 0)); err != nil {
			return err
		}
	}
	if t.g.Place == "" {
		return nil
	}
	p, ok := t.farm.Place(t.g.Place)
	if !ok {
		return refuse(BadPlace, about(trace.Ref{Kind: trace.RefPlace, ID: t.g.Place}, ""))
	}
	t.g.Place = p.Code
	return nil
}

// fetch reads the lots, items and boxes that the order names, and puts items under their lots.
func (t *taking) fetch(ctx context.Context) error {
	if t.g.Kind == trace.Amend {
		return nil // what it takes back is read first
	}
	if t.g.Buyer != "" && !t.buyers[t.g.Buyer] {
		return refuse(BadBuyer, about(trace.Ref{Kind: trace.RefBuyer, ID: t.g.Buyer}, ""))
	}
	var err error
	if t.g.In, err = t.gather(ctx, t.g.In); err != nil {
		return err
	}
	switch t.g.Kind {
	case trace.EmptyBox:
		t.g.Out, err = t.gather(ctx, t.g.Out)
	case trace.FillBox:
		if len(t.g.Out) > 0 && t.g.Out[0].Ref.ID != "" {
			err = t.open(ctx, t.g.Out[0].Ref.ID)
		}
	case trace.Transform, trace.Pack, trace.Ship, trace.Receive, trace.Return, trace.Destroy, trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall,
		trace.Close, trace.Reopen, trace.Amend:
	}
	return err
}

// gather reads what some parts name. Items that are named by themselves come to stand under their lots, one part for each lot, and counts
// become serials.
func (t *taking) gather(ctx context.Context, parts []trace.Part) ([]trace.Part, error) {
	var out []trace.Part
	var loners []string
	for _, p := range parts {
		switch p.Ref.Kind {
		case trace.RefItem:
			loners = append(loners, p.Ref.ID)
			continue
		case trace.RefBox:
			if err := t.open(ctx, p.Ref.ID); err != nil {
				return nil, err
			}
		case trace.RefLot:
			if _, err := t.lot(ctx, p.Ref); err != nil {
				return nil, err
			}
			if err := t.serials(ctx, &p); err != nil {
				return nil, err
			}
		case trace.RefSupply, trace.RefSeason, trace.RefPlace, trace.RefBuyer:
		}
		out = append(out, p)
	}
	found, err := t.items(ctx, loners)
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		lot := i.Link().Ref()
		at := slices.IndexFunc(out, func(p trace.Part) bool { return p.Ref == lot && len(p.Items) > 0 })
		if at < 0 {
			at = len(out)
			out = append(out, trace.Part{Ref: lot})
		}
		out[at].Items = append(out[at].Items, i.Serial)
		out[at].Count = len(out[at].Items)
	}
	return out, t.once(out)
}

// once checks that nothing is named twice.
func (t *taking) once(parts []trace.Part) error {
	seen := map[trace.Ref]bool{}
	for _, p := range parts {
		if p.Ref.Kind == trace.RefBox || p.Ref.Kind == trace.RefLot && len(p.Items) == 0 {
			if seen[p.Ref] {
				return refuse(BadParts, about(p.Ref, "twice"))
			}
			seen[p.Ref] = true
		}
		for _, s := range p.Items {
			r := trace.Ref{Kind: trace.RefItem, ID: s}
			if seen[r] {
				return refuse(BadParts, about(r, "twice"))
			}
			seen[r] = true
		}
	}
	return nil
}

// serials fills in which items of a lot a part is about.
func (t *taking) serials(ctx context.Context, p *trace.Part) error {
	link, _ := p.Ref.Link()
	if len(p.Items) > 0 {
		found, err := t.items(ctx, p.Items)
		if err != nil {
			return err
		}
		for _, i := range found {
			if i.Link().Ref() != p.Ref {
				return refuse(NoItem, about(trace.Ref{Kind: trace.RefItem, ID: i.Serial}, "lot"), about(i.Link().Ref(), ""))
			}
		}
		p.Count = len(p.Items)
		return nil
	}
	counted := t.g.Kind == trace.FillBox || t.g.Kind == trace.Ship || t.g.Kind == trace.Destroy
	if p.Count == 0 || !counted {
		return nil
	}
	free, err := t.shelf.Free(ctx, link, p.Count)
	if err != nil {
		return err
	}
	if len(free) < p.Count {
		return refuse(BadItem, Line{Kind: LineThing, Ref: p.Ref, Count: len(free), State: string(trace.ItemActivated)}, Line{Kind: LineAsked, Ref: p.Ref, Count: p.Count})
	}
	t.stock.addItems(free...)
	for _, i := range free {
		p.Items = append(p.Items, i.Serial)
	}
	return nil
}

// items reads items; each has to be there.
func (t *taking) items(ctx context.Context, serials []string) ([]trace.Item, error) {
	if len(serials) == 0 {
		return nil, nil
	}
	found, err := t.shelf.Items(ctx, serials)
	if err != nil {
		return nil, err
	}
	by := map[string]trace.Item{}
	for _, i := range found {
		by[i.Serial] = i
	}
	out := make([]trace.Item, 0, len(serials))
	for _, s := range serials {
		i, ok := by[s]
		if !ok {
			return nil, refuse(NoItem, about(trace.Ref{Kind: trace.RefItem, ID: s}, ""))
		}
		if _, err := t.lot(ctx, i.Link().Ref()); err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	t.stock.addItems(out...)
	return out, nil
}

// open reads a box with all that is in it, and the lots of that.
func (t *taking) open(ctx context.Context, sscc string) error {
	boxes, items, err := t.shelf.Inside(ctx, sscc)
	if err != nil {
		return err
	}
	if len(boxes) == 0 {
		return refuse(NoBox, about(boxRef(sscc), ""))
	}
	t.stock.addBoxes(boxes...)
	t.stock.addItems(items...)
	seen := map[trace.Ref]bool{}
	for _, i := range items {
		seen[i.Link().Ref()] = true
	}
	for _, b := range boxes {
		for _, p := range b.Parts {
			seen[p.Ref] = true
		}
	}
	for _, ref := range sortedRefs(seen) {
		if _, err := t.lot(ctx, ref); err != nil {
			return err
		}
	}
	return nil
}

// lot reads a lot with its account.
func (t *taking) lot(ctx context.Context, ref trace.Ref) (*lotNow, error) {
	if l := t.lots[ref]; l != nil {
		return l, nil
	}
	link, ok := ref.Link()
	if !ok {
		return nil, refuse(NoLot, about(ref, ""))
	}
	now, err := t.shelf.Lot(ctx, link)
	if errors.Is(err, trace.ErrUnknown) {
		return nil, refuse(NoLot, about(ref, ""))
	}
	if err != nil {
		return nil, err
	}
	l := &lotNow{LotNow: now, was: now.Lot}
	if l.account, err = accountOf(ctx, t.shelf, link); err != nil {
		return nil, err
	}
	t.lots[ref] = l
	return l, nil
}

// labelsOf says what everybody is told of a run of serials.
func labelsOf(l trace.Link, run string, items []trace.Item) *Labels {
	return &Labels{Lot: l.Path(), Run: run, Count: len(items), SHA256: HashSerials(items)}
}

// HashSerials returns the SHA-256 of serials in their order, each with a line feed after it, in hexadecimal.
func HashSerials(items []trace.Item) string {
	var text bytes.Buffer
	for _, i := range items {
		text.WriteString(i.Serial + "\n")
	}
	sum := sha256.Sum256(text.Bytes())
	return hex.EncodeToString(sum[:])
}

// branch returns the branch of a product; empty where the register does not say.
func (t *taking) branch(gtin string) farm.Branch { return t.branches[gtin] }
