package audit_test

import (
	"crypto/rand"
	"log/slog"
	"maps"
	mrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/audit"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// goods packs the demo's lot, puts it into boxes and boxes into boxes, releases and ships it, and takes something back.
func (b *book) goods(do func(error)) {
	ctx := b.t.Context()
	_, err := b.db.SaveRecord(ctx, farm.Record{Kind: farm.Buyer, ID: "bep", Values: form.Values{"name": "Bếp ăn trường học", "buyer_type": "school"}}, by(b.now))
	do(err)
	clock := b.now
	d := flow.New(b.db, b.db, flow.Defaults(), rand.Reader, func() time.Time { return clock }, slog.New(slog.DiscardHandler))
	take := func(g trace.Goods) trace.Goods {
		clock = clock.Add(time.Minute)
		out, err := d.Take(ctx, flow.Who{Actor: "u-AAAAAAAA", Role: account.Admin}, g)
		do(err)
		return out
	}
	lot := b.demo.Lot.Link().Ref()
	take(trace.Goods{Kind: trace.Pack, In: []trace.Part{{Ref: lot}}, Out: []trace.Part{{Count: 12}}, NetG: 1000, Best: clock.AddDate(0, 0, 3)})
	small := take(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: lot, Count: 5}}})
	big := take(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: small.Out[0].Ref}, {Ref: lot, KG: 20}}})
	wrong := take(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: lot, Count: 2}}})
	take(trace.Goods{Kind: trace.Amend, Voids: wrong.ID, Reason: "ghi nhầm"})
	take(trace.Goods{Kind: trace.Destroy, In: []trace.Part{{Ref: lot, Count: 1}}, Reason: "dập"})
	take(trace.Goods{Kind: trace.Issue, In: []trace.Part{{Ref: lot}}})
	take(trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: big.Out[0].Ref}}, Buyer: "bep", Note: "giao ở cổng sau"})
}

// goodsBook is a book with goods, signed.
func goodsBook(t *testing.T) *book {
	t.Helper()
	b := newBook(t)
	b.goods(func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	})
	b.sign()
	return b
}

func TestAudit_GoodsAreDoneAgain(t *testing.T) {
	b := goodsBook(t)
	r, err := b.audit(audit.Options{})
	if err != nil || !r.Sound() || r.Goods != 8 || r.Items != 12 || r.Releases != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	// What no single cell tells: a serial that was exchanged everywhere, with the events that name it.
	e := sqldbtest.NewEditor(t, b.config)
	undo := e.Exec(`UPDATE item SET serial = '0000000000000' WHERE n = 12`)
	r, err = b.audit(audit.Options{})
	if err != nil || r.Sound() || !strings.Contains(r.Findings[0].What, "the serials are not those") {
		t.Errorf("an exchanged serial: %+v, %v", r.Findings, err)
	}
	undo()
	if r, err = b.audit(audit.Options{}); err != nil || !r.Sound() {
		t.Errorf("after it was undone: %+v, %v", r, err)
	}
}

// TestAudit_AReleaseThatDoesNotAddUpIsFound enters releases that name other leaves, or tell of more than there was.
func TestAudit_AReleaseThatDoesNotAddUpIsFound(t *testing.T) {
	b := goodsBook(t)
	path := b.demo.Lot.Link().Path()
	for _, body := range []string{
		`{"lot":"` + path + `","event":"01KAAAAAAAAAAAAAAAAAAAAAAB","events":[{"kind":"entry","subject":"x","leaf":3,"hash":"AAAA"}],"account":{"in":[{"kind":"harvest","kg":10}],"in_kg":10,"out_kg":0,"packed_kg":0,"remaining_kg":11}}`,
	} {
		if _, err := b.db.Enter(t.Context(), ledger.Entry{Kind: ledger.LotReleased, Subject: path, Body: []byte(body), By: by(b.now.Add(time.Hour))}); err != nil {
			t.Fatal(err)
		}
		b.sign()
		r, err := b.audit(audit.Options{})
		if err != nil || len(r.Findings) != 3 {
			t.Errorf("%d findings: %+v, %v", len(r.Findings), r.Findings, err)
		}
	}
}

// TestBundle_TellsOfTheRelease checks the release in a bundle: no file of it can be missing, none can be changed.
func TestBundle_TellsOfTheRelease(t *testing.T) {
	b := goodsBook(t)
	raw := b.bundle()
	r, err := check(t, raw, b.policy)
	if err != nil || len(r.Findings) > 0 || r.Release == nil || r.Serials != 12 || r.Release.Account.PackedKG != 32 || r.Release.Seal == nil || len(r.Release.Evidence) == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	good := files(raw)
	rnd, n := mrand.New(mrand.NewPCG(3, 5)), 0
	for name := range good {
		if !strings.HasPrefix(name, "release") && !strings.HasPrefix(name, "labels") {
			continue
		}
		n++
		less := maps.Clone(good)
		delete(less, name)
		if _, err := check(t, pack(t, less), b.policy); err == nil {
			t.Errorf("without %s it was believed", name)
		}
		for range 4 {
			text := []byte(good[name])
			text[rnd.IntN(len(text))] ^= 1 << rnd.IntN(8)
			bad := maps.Clone(good)
			bad[name] = string(text)
			if rep, err := check(t, pack(t, bad), b.policy); err == nil && len(rep.Findings) == 0 {
				t.Errorf("%s was changed: believed", name)
			}
		}
	}
	if n != 6 {
		t.Errorf("%d files tell of the release and its serials, want 6", n)
	}
}
