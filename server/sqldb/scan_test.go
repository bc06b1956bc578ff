package sqldb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
)

// packed is a database with the demo lot and some packs of it.
func packed(t testing.TB, db *sqldb.DB, states ...trace.ItemState) []trace.Item {
	t.Helper()
	f, d := demoFarm(t)
	d.Lot.State = trace.Released
	for _, err := range []error{db.SaveFarm(t.Context(), f, byAt(noon)), db.SaveProduct(t.Context(), d.Product, byAt(noon)), db.SaveLot(t.Context(), d.Lot, byAt(noon))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	kept := flow.Kept{Goods: trace.Goods{ID: "01KB0000000000000000000001", Kind: trace.Pack, At: noon, Made: noon, Actor: "a-test"}}
	for i, s := range states {
		kept.Items = append(kept.Items, trace.Item{
			Serial: fmt.Sprintf("%013d", i), GTIN: d.Lot.GTIN, Lot: d.Lot.Code, Run: kept.Goods.ID, N: i + 1, NetG: 500, State: s, Changed: noon,
		})
	}
	err := db.Move(t.Context(), byAt(noon), func(context.Context, flow.Shelf) (flow.Kept, error) { return kept, nil })
	if err != nil {
		t.Fatal(err)
	}
	return kept.Items
}

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

const phone = "Mozilla/5.0 (Linux; Android 14) Zalo/1.0"

// noted runs a service over what note sends it, and ends it.
func noted(t *testing.T, db scan.Store, c *clock, note func(*scan.Service)) {
	t.Helper()
	regions, err := scan.ParseRegions(strings.NewReader("network,province\n203.0.113.0/25,01\n198.51.100.0/24,79\n2001:db8::/32,33\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := scan.New(scan.Options{
		Store: db, Limits: scan.Defaults(), Regions: regions, Own: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Keep: scan.Keep,
		Random: zeros{}, Now: c.now, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	note(s)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestScans_AreNotedCountedOnceAndTold(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		items := packed(t, db, trace.ItemShipped, trace.ItemActivated)
		code, other, c := items[0].Link().Path(), items[1].Link().Path(), &clock{at: noon}
		at := func(code, addr, agent string) scan.Scanned {
			return scan.Scanned{Code: code, Addr: addr, Agent: agent, At: c.now()}
		}
		noted(t, db, c, func(s *scan.Service) {
			if f := s.Scanned(t.Context(), at(code, "203.0.113.7", phone)); f.Count != 0 || !f.First.IsZero() {
				t.Errorf("before the first scan: %+v", f)
			}
			c.add(time.Minute)
			s.Note(at(code, "203.0.113.7", phone)) // again, the same
			s.Note(at(code, "203.0.113.7", "Googlebot/2.1"))
			s.Note(at(code, "192.0.2.9", phone)) // the co-op's own
			s.Note(at("/01/09521234010036/10/NO-LOT/21/0000000000009", "203.0.113.7", phone))
			s.Note(at(code, "8.8.8.8", phone))
			c.add(time.Hour)
			s.Note(at(code, "203.0.113.7", phone)) // later, the same browser
			s.Note(at(other, "2001:db8:1::/64", phone))
		})
		sum, ok, err := db.ScanSummary(t.Context(), code)
		want := scan.Summary{
			Code: code, Subject: scan.Subject{Kind: scan.OfItem, GTIN: items[0].GTIN, Lot: items[0].Lot}, First: noon, Province: "01", Last: noon.Add(61 * time.Minute), Count: 3, Clients: 2,
		}
		if d := cmp.Diff(want, sum); !ok || err != nil || d != "" {
			t.Error(ok, err, d)
		}
		if f := sum.Facts(); f.Province != "Hà Nội" || f.Count != 3 || f.Unusual != nil {
			t.Errorf("%+v", f)
		}
		days, err := db.ScanDays(t.Context(), noon)
		if d := cmp.Diff(map[string]scan.Day{"2026-11-24": {Scans: 4, Again: 1, Robots: 1, Own: 1, Unknown: 1}}, days); err != nil || d != "" {
			t.Error(err, d)
		}
		provinces, err := db.ScanProvinces(t.Context(), noon)
		if d := cmp.Diff(map[string]int{"01": 2, "": 1, "33": 1}, provinces); err != nil || d != "" {
			t.Error(err, d)
		}
		rows, err := db.ScanRows(t.Context(), other, 10)
		if err != nil || len(rows) != 1 || rows[0].State != trace.ItemActivated || rows[0].Client == (scan.Client{}) {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

func TestScans_WhatAReaderSaysOfWhereTheyAre(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		code, c := packed(t, db, trace.ItemShipped)[0].Link().Path(), &clock{at: noon}
		one := scan.Scanned{Code: code, Addr: "8.8.8.8", Agent: phone, At: noon}
		noted(t, db, c, func(s *scan.Service) {
			s.Note(one)
			later := one
			later.At = noon.Add(2 * time.Minute)
			s.Say(later, "33")
			s.Say(later, "77") // no province
		})
		rows, err := db.ScanRows(t.Context(), code, 10)
		if err != nil || len(rows) != 1 || rows[0].Province != "33" || !rows[0].Said {
			t.Errorf("%+v, %v", rows, err)
		}
		if sum, _, err := db.ScanSummary(t.Context(), code); err != nil || sum.Province != "33" || sum.Count != 1 {
			t.Errorf("%+v, %v", sum, err)
		}
	})
}

func TestScans_ACopiedLabelIsFoundAndDecidedOn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		items := packed(t, db, trace.ItemShipped, trace.ItemPrinted, trace.ItemVoid)
		code, c := items[0].Link().Path(), &clock{at: noon}
		scans := func(code string, from, to int) {
			noted(t, db, c, func(s *scan.Service) {
				for i := from; i < to; i++ {
					c.add(3 * time.Hour)
					s.Note(scan.Scanned{Code: code, Addr: fmt.Sprintf("198.18.0.%d", i), Agent: phone, At: c.now()})
				}
			})
		}
		scans(code, 0, 9)
		if list, err := db.Suspects(t.Context(), 10); err != nil || len(list) != 0 {
			t.Fatalf("%+v, %v", list, err)
		}
		scans(code, 9, 12)
		list, err := db.Suspects(t.Context(), 10)
		if err != nil || len(list) != 1 || len(list[0].Found) != 1 || list[0].Found[0].Rule != scan.ManyClients || list[0].Found[0].N != 12 || list[0].Found[0].Limit != 10 {
			t.Fatalf("%+v, %v", list, err)
		}
		if d := cmp.Diff([]string{"clients"}, list[0].Facts().Unusual); d != "" {
			t.Error(d)
		}
		if err := db.Decide(t.Context(), scan.Decision{ID: "01KB0000000000000000000002", Code: "/01/x", Verdict: scan.InOrder}, byAt(c.now())); !errors.Is(err, scan.ErrNoScans) {
			t.Errorf("a code nobody scanned: %v", err)
		}
		x := scan.Decision{ID: "01KB0000000000000000000003", Code: code, Verdict: scan.InOrder, Note: "hội chợ"}
		if err := db.Decide(t.Context(), x, byAt(c.now())); err != nil {
			t.Fatal(err)
		}
		s, ok, err := db.Suspect(t.Context(), code)
		if err != nil || !ok || len(s.Found) != 0 || len(s.Unusual) != 0 || s.Decision.Note != "hội chợ" || !slices.Equal(s.Decision.Rules, []scan.Rule{scan.ManyClients}) {
			t.Errorf("%+v, %t, %v", s, ok, err)
		}
		scans(code, 20, 29) // what was found in order counts no more
		if s, _, err := db.Suspect(t.Context(), code); err != nil || len(s.Unusual) != 0 {
			t.Errorf("%+v, %v", s, err)
		}
		scans(code, 30, 32)
		x.ID, x.Verdict = "01KB0000000000000000000004", scan.Copied
		if err := db.Decide(t.Context(), x, byAt(c.now())); err != nil {
			t.Fatal(err)
		}
		if s, _, err := db.Suspect(t.Context(), code); err != nil || len(s.Found) != 1 || len(s.Unusual) != 1 || s.Decision.Verdict != scan.Copied {
			t.Errorf("%+v, %v", s, err)
		}
		if all, err := db.ScanDecisions(t.Context(), code); err != nil || len(all) != 2 {
			t.Errorf("%+v, %v", all, err)
		}
		for i, rule := range map[int]scan.Rule{1: scan.NotActive, 2: scan.Voided} {
			scans(items[i].Link().Path(), 0, 2)
			if s, _, err := db.Suspect(t.Context(), items[i].Link().Path()); err != nil || len(s.Found) != 1 || s.Found[0].Rule != rule {
				t.Errorf("%s: %+v, %v", rule, s, err)
			}
		}
	})
}

func TestScans_WhoLooksAtEverythingSaysNothing(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		c := &clock{at: noon}
		noted(t, db, c, func(s *scan.Service) {
			for i := range 30 {
				c.add(time.Second)
				s.Note(scan.Scanned{Code: fmt.Sprintf("/01/09521234010036/10/AO1-261125/21/A%d", i), Addr: "8.8.4.4", Agent: phone, At: c.now()})
			}
		})
		list, err := db.Sweeps(t.Context(), noon, 10)
		if err != nil || len(list) != 1 || list[0].Codes != 30 || list[0].Unknown != 30 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestScans_OldOnesAreForgotten(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		code, c := packed(t, db, trace.ItemShipped)[0].Link().Path(), &clock{at: noon}
		noted(t, db, c, func(s *scan.Service) {
			for i := range 5 {
				s.Note(scan.Scanned{Code: code, Addr: fmt.Sprintf("8.8.8.%d", i), Agent: phone, At: noon.Add(time.Duration(i) * time.Hour)})
			}
		})
		for _, step := range []struct {
			before time.Time
			most   int
			gone   int64
		}{{noon.Add(90 * time.Minute), 100, 2}, {noon, 1, 2}, {noon, 1, 0}} {
			if n, err := db.ForgetScans(t.Context(), step.before, step.most); err != nil || n != step.gone {
				t.Errorf("%+v: %d, %v", step, n, err)
			}
		}
		if sum, ok, err := db.ScanSummary(t.Context(), code); err != nil || !ok || sum.Count != 5 || !sum.First.Equal(noon) {
			t.Errorf("%+v, %v", sum, err)
		}
	})
}

func TestShops_SellOnceAndAfterAReturn(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx, it := t.Context(), packed(t, db, trace.ItemShipped)[0]
		shop := scan.Shop{ID: "s-one", Name: "Cửa hàng Hạnh"}
		if err := db.AddShop(ctx, shop, "ABC", byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if got, err := db.ShopOf(ctx, "ABC"); err != nil || got.ID != "s-one" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := db.ShopOf(ctx, "ABD"); !errors.Is(err, scan.ErrNoShop) {
			t.Error(err)
		}
		for i, want := range []bool{true, false} {
			if first, err := db.Sell(ctx, scan.Sale{Serial: it.Serial, At: noon.Add(time.Duration(i+1) * time.Hour), Shop: "s-one"}); err != nil || first != want {
				t.Errorf("%d: %t, %v", i, first, err)
			}
		}
		subjects, err := db.Subjects(ctx, []string{it.Link().Path(), "/01/x", "/00/123"})
		want := map[string]scan.Subject{it.Link().Path(): {Kind: scan.OfItem, GTIN: it.GTIN, Lot: it.Lot, State: trace.ItemSold, Sold: noon.Add(time.Hour)}}
		if d := cmp.Diff(want, subjects); err != nil || d != "" {
			t.Error(err, d)
		}
		if got, ok, err := db.Item(ctx, it.Serial); err != nil || !ok || got.State != trace.ItemSold || !got.Changed.Equal(noon.Add(time.Hour)) {
			t.Errorf("%+v, %v", got, err)
		}
		it.State, it.Changed = trace.ItemActivated, noon.Add(2*time.Hour) // it came back
		back := flow.Kept{Goods: trace.Goods{ID: "01KB0000000000000000000009", Kind: trace.Return, At: it.Changed, Made: it.Changed, Actor: "a-test"}, Items: []trace.Item{it}}
		if err := db.Move(ctx, byAt(it.Changed), func(context.Context, flow.Shelf) (flow.Kept, error) { return back, nil }); err != nil {
			t.Fatal(err)
		}
		if subjects, err = db.Subjects(ctx, []string{it.Link().Path()}); err != nil || subjects[it.Link().Path()].State != trace.ItemActivated {
			t.Errorf("%+v, %v", subjects, err)
		}
		if got, ok, err := db.Item(ctx, it.Serial); err != nil || !ok || got.State != trace.ItemActivated {
			t.Errorf("%+v, %v", got, err)
		}
		if first, err := db.Sell(ctx, scan.Sale{Serial: it.Serial, At: noon.Add(3 * time.Hour), Shop: "s-one"}); err != nil || !first {
			t.Errorf("sold again: %t, %v", first, err)
		}
		if err := db.RevokeShop(ctx, "s-one", byAt(noon.Add(4*time.Hour))); err != nil {
			t.Fatal(err)
		}
		if _, err := db.ShopOf(ctx, "ABC"); !errors.Is(err, scan.ErrNoShop) {
			t.Error(err)
		}
		if list, err := db.Shops(ctx); err != nil || len(list) != 1 || list[0].Sold != 1 || list[0].Revoked.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		if err := db.RevokeShop(ctx, "s-one", byAt(noon)); !errors.Is(err, scan.ErrNoShop) {
			t.Error(err)
		}
	})
}

func TestReports_AreAnsweredAndClosed(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		r := scan.Report{ID: "01KB0000000000000000000007", Code: "/01/x", What: "label", Where: "chợ Sặt", Note: "nhãn mờ", Contact: "0900 000 000", At: noon}
		if err := db.AddReport(ctx, r); err != nil {
			t.Fatal(err)
		}
		if err := db.AnswerReport(ctx, r.ID, "đã gọi lại", false, byAt(noon.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		open, err := db.Reports(ctx, false, 10)
		want := []scan.Handled{{Report: r, Answer: "đã gọi lại", Answered: noon.Add(time.Hour), By: byAt(noon).Actor}}
		if d := cmp.Diff(want, open); err != nil || d != "" {
			t.Error(err, d)
		}
		if err := db.AnswerReport(ctx, r.ID, "xong", true, byAt(noon.Add(2*time.Hour))); err != nil {
			t.Fatal(err)
		}
		closed, err := db.Reports(ctx, true, 10)
		if err != nil || len(closed) != 1 || closed[0].Contact != "" || closed[0].Done.IsZero() {
			t.Errorf("%+v, %v", closed, err)
		}
		if err := db.AnswerReport(ctx, r.ID, "?", true, byAt(noon)); !errors.Is(err, scan.ErrNoReport) {
			t.Error(err)
		}
	})
}

// slowStore answers nothing until it is let.
type slowStore struct {
	scan.Store
	block chan struct{}
}

func (s slowStore) ScanSummary(ctx context.Context, _ string) (scan.Summary, bool, error) {
	<-ctx.Done()
	return scan.Summary{}, false, ctx.Err()
}

func (s slowStore) Subjects(ctx context.Context, _ []string) (map[string]scan.Subject, error) {
	select {
	case <-s.block:
		return nil, errors.New("no database")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s slowStore) ForgetScans(context.Context, time.Time, int) (int64, error) { return 0, nil }

// A page gets its answer whatever the database does, and what is held meanwhile is bounded.
func TestScans_APageNeverWaitsForADatabaseThatIsGone(t *testing.T) {
	store := slowStore{block: make(chan struct{})}
	c := &clock{at: noon}
	noted(t, store, c, func(s *scan.Service) {
		if f := s.Scanned(t.Context(), scan.Scanned{Code: "/01/x", Addr: "8.8.8.8", Agent: phone, At: noon}); f.Count != 0 || !f.Unknown {
			t.Errorf("%+v", f)
		}
		for i := range 50_000 {
			s.Note(scan.Scanned{Code: fmt.Sprint("/01/", rand.N(10_000)), Addr: fmt.Sprint("8.8.8.", i%256), Agent: phone, At: noon})
		}
		close(store.block)
	})
}
