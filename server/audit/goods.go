package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// store is a source that shows all there is of goods: who has the machine.
type store interface {
	Goods(ctx context.Context) (flow.Books, error)
}

// checkReleases checks what the ledger says of lots that were released, as far as strangers can: that each leaf a release names is that leaf,
// and that its account adds up; and that every run of serials belongs to an event.
func (a *auditor) checkReleases(context.Context) error {
	for n, l := range a.tree.leaves {
		body, ok := a.tree.bodies[int64(n)]
		switch {
		case !ok:
		case l.Kind == ledger.LotReleased:
			a.checkRelease(int64(n), l, body)
		case l.Kind == ledger.LabelsIssued:
			a.checkLabels(int64(n), l, body)
		}
	}
	return nil
}

func (a *auditor) checkRelease(n int64, l ledger.Leaf, body []byte) {
	where := fmt.Sprintf("release of %s, leaf %d", l.Subject, n)
	var r flow.Release
	if err := json.Unmarshal(body, &r); err != nil {
		a.report.find(where, "cannot be read: %v", err)
		return
	}
	a.report.Releases++
	if r.Lot != l.Subject {
		a.report.find(where, "speaks of %s", r.Lot)
	}
	if _, ok := a.tree.newest[key{ledger.GoodsMoved, r.Event}]; !ok {
		a.report.find(where, "the ledger does not speak of event %s that released it", r.Event)
	}
	named := slices.Concat(r.Events, r.Lots)
	var seal *trace.Seal
	if r.Seal != nil {
		named = append(named, *r.Seal)
		if raw, ok := a.tree.bodies[r.Seal.Leaf]; ok {
			seal = &trace.Seal{}
			if err := json.Unmarshal(raw, seal); err != nil {
				a.report.find(where, "leaf %d is no seal: %v", r.Seal.Leaf, err)
				seal = nil
			}
		}
	}
	for _, s := range named {
		if s.Leaf < 0 || s.Leaf >= n {
			a.report.find(where, "names leaf %d, which is none before it", s.Leaf)
			continue
		}
		said := a.tree.leaves[s.Leaf]
		if hash := said.Hash(); said.Kind != s.Kind || said.Subject != s.Subject || !bytes.Equal(hash[:], s.Hash) {
			a.report.find(where, "leaf %d is not the %s of %s that it names", s.Leaf, s.Kind, s.Subject)
		}
	}
	for _, fault := range r.Check(seal) {
		a.report.find(where, "%s", fault)
	}
}

func (a *auditor) checkLabels(n int64, l ledger.Leaf, body []byte) {
	where := fmt.Sprintf("labels of %s, leaf %d", l.Subject, n)
	var said flow.Labels
	if err := json.Unmarshal(body, &said); err != nil {
		a.report.find(where, "cannot be read: %v", err)
		return
	}
	if said.Run != l.Subject {
		a.report.find(where, "speaks of %s", said.Run)
	}
	if _, ok := a.tree.newest[key{ledger.GoodsMoved, said.Run}]; !ok {
		a.report.find(where, "the ledger does not speak of the event that issued them")
	}
}

// replayGoods goes through every event of goods again and compares items, boxes and serials with what comes of it.
func (a *auditor) replayGoods(ctx context.Context) error {
	src, ok := a.src.(store)
	if !ok {
		return nil
	}
	b, err := src.Goods(ctx)
	if err != nil {
		return fmt.Errorf("audit: goods: %w", err)
	}
	a.report.Goods, a.report.Items = len(b.Events), len(b.Items)
	for _, f := range b.Faults() {
		a.report.find(f.Where, "%s", f.What)
	}
	runs := map[string][]trace.Item{}
	for _, i := range b.Items {
		runs[i.Run] = append(runs[i.Run], i)
	}
	for _, g := range b.Events {
		list := runs[g.ID]
		n, said := a.tree.newest[key{ledger.LabelsIssued, g.ID}]
		switch body, read := a.tree.bodies[n]; {
		case !said && len(list) == 0:
		case !said:
			a.report.find("labels of "+g.ID, "the ledger does not speak of them")
		case !read:
			a.report.note("labels of %s: the body of leaf %d was erased, or is not what was recorded", g.ID, n)
		default:
			var l flow.Labels
			link := trace.Link{}
			if len(list) > 0 {
				link = trace.Link{GTIN: list[0].GTIN, Lot: list[0].Lot}
			}
			if json.Unmarshal(body, &l) != nil || l.Count != len(list) || l.SHA256 != flow.HashSerials(list) || l.Lot != link.Path() {
				a.report.find("labels of "+g.ID, "the serials are not those that leaf %d speaks of", n)
			}
		}
	}
	return nil
}
