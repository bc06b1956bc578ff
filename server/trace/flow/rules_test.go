package flow_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// TestMassIsKept refuses what there is not enough of, with the arithmetic.
func TestMassIsKept(t *testing.T) {
	onFile(t, func(r *rig) {
		bad := r.refused(lan, trace.Goods{Kind: trace.Pack, In: part(r.lot, 0), Out: []trace.Part{{Count: 201}}, NetG: 500}, flow.TooMuch)
		want := []flow.Line{
			{Kind: flow.LineIn, Ref: r.lot, KG: 100},
			{Kind: flow.LineOut, Ref: r.lot},
			{Kind: flow.LinePack, Ref: r.lot},
			{Kind: flow.LineRemaining, Ref: r.lot, KG: 100},
			{Kind: flow.LineAsked, Ref: r.lot, KG: 100.5},
		}
		if !slices.Equal(bad, want) {
			r.Errorf("lines %+v", bad)
		}
		// Labels for more than was packed.
		r.refused(lan, trace.Goods{Kind: trace.Pack, In: part(r.lot, 10), Out: []trace.Part{{Count: 21}}, NetG: 500}, flow.TooMuch)
		r.take(lan, trace.Goods{Kind: trace.Pack, In: part(r.lot, 90), Out: []trace.Part{{Count: 180}}, NetG: 499.5})
		r.remaining(r.lot, 10)
		r.refused(lan, trace.Goods{Kind: trace.FillBox, In: part(r.lot, 10.001)}, flow.TooMuch)
		r.refused(lan, trace.Goods{Kind: trace.Destroy, In: part(r.lot, 11), Reason: "hỏng"}, flow.TooMuch)
		r.take(lan, trace.Goods{Kind: trace.Destroy, In: part(r.lot, 4), Reason: "hỏng"})
		r.take(minh, trace.Goods{Kind: trace.Issue, In: part(r.lot, 0)})
		r.refused(lan, trace.Goods{Kind: trace.Ship, In: part(r.lot, 7), Buyer: "bep"}, flow.TooMuch)
		r.take(lan, trace.Goods{Kind: trace.Ship, In: part(r.lot, 6), Buyer: "bep"})
		r.remaining(r.lot, 0)
	})
}

// TestBestBefore may be the day of packing, and no day before it.
func TestBestBefore(t *testing.T) {
	onFile(t, func(r *rig) {
		day := time.Date(2026, 11, 25, 0, 0, 0, 0, farm.Time())
		order := trace.Goods{Kind: trace.Pack, At: day.Add(7 * time.Hour), In: part(r.lot, 1), Out: []trace.Part{{Count: 2}}, NetG: 500, Best: day.AddDate(0, 0, -1)}
		r.refused(lan, order, flow.BadBest)
		order.Best = day
		r.take(lan, order)
	})
}

// TestYields refuses what cannot have come out.
func TestYields(t *testing.T) {
	onFile(t, func(r *rig) {
		rice := r.take(lan, trace.Goods{Kind: trace.Receive, Supplier: "Đại lý gạo", Out: []trace.Part{{Ref: trace.Ref{Kind: trace.RefLot, ID: sheets + "/GAO-1"}, KG: 60}}}).Out[0].Ref
		batch := func(kg float64) trace.Goods {
			return trace.Goods{Kind: trace.Transform, Step: trace.StepProcess, In: part(rice, 60), Out: part(trace.Ref{Kind: trace.RefLot, ID: sheets + "/"}, kg)}
		}
		bad := r.refused(lan, batch(69.001), flow.BadYield)
		if n := len(bad); n != 3 || bad[1].KG != 69 || bad[1].Factor != 1.15 || bad[2].KG != 69.001 {
			r.Errorf("lines %+v", bad)
		}
		made := r.take(lan, batch(52)).Out[0].Ref
		if made.ID != sheets+"/LO-261125" {
			r.Errorf("the new lot is %s", made.ID)
		}
		r.remaining(rice, 0)
		r.remaining(made, 52)

		split := trace.Goods{Kind: trace.Transform, Step: trace.StepSplit, In: part(r.lot, 100), Out: []trace.Part{
			{Ref: trace.Ref{Kind: trace.RefLot, ID: fish + "/"}, KG: 60}, {Ref: trace.Ref{Kind: trace.RefLot, ID: fish + "/"}, KG: 40.001},
		}}
		r.refused(lan, split, flow.BadYield)
		split.Out[1].KG = 40
		out := r.take(lan, split).Out
		if out[0].Ref.ID != fish+"/AO1-261124-B" || out[1].Ref.ID != fish+"/AO1-261124-C" {
			r.Errorf("split into %s and %s", out[0].Ref, out[1].Ref)
		}
		link, _ := out[0].Ref.Link()
		lot, err := r.db.DiaryLot(r.Context(), link)
		if err != nil || len(lot.Lot.Places) != 1 || lot.Lot.Harvested != morning.AddDate(0, 0, -1) {
			r.Errorf("the new lot: %+v %v", lot, err)
		}
		r.refused(lan, trace.Goods{Kind: trace.Transform, Step: trace.StepMerge, In: []trace.Part{{Ref: out[0].Ref, KG: 60}, {Ref: made, KG: 1}}, Out: part(trace.Ref{Kind: trace.RefLot, ID: fish + "/"}, 61)}, flow.BadParts)
		merged := r.take(lan, trace.Goods{Kind: trace.Transform, Step: trace.StepMerge, In: []trace.Part{{Ref: out[0].Ref, KG: 60}, {Ref: out[1].Ref, KG: 40}}, Out: part(trace.Ref{Kind: trace.RefLot, ID: fish + "/GOP-1"}, 100)})
		r.remaining(merged.Out[0].Ref, 100)
		r.refused(lan, trace.Goods{Kind: trace.Receive, Supplier: "x", Out: part(trace.Ref{Kind: trace.RefLot, ID: fish + "/GOP-1"}, 1)}, flow.BadCode)
	})
}

// TestGrown refuses to release more than can have grown on the place.
func TestGrown(t *testing.T) {
	onFile(t, func(r *rig) {
		big := r.harvest(fish, "AO1-NHIEU", 4200*6+1)
		bad := r.refused(minh, trace.Goods{Kind: trace.Issue, In: part(big, 0)}, flow.BadYield)
		if len(bad) != 2 || bad[0].KG != 25200 || bad[0].Factor != 6 || bad[1].KG != 25201 {
			r.Errorf("lines %+v", bad)
		}
		if a := r.account(big); !slices.Equal(a.Bound, bad) {
			r.Errorf("bound %+v", a.Bound)
		}
		r.take(minh, trace.Goods{Kind: trace.Issue, In: part(r.harvest(fish, "AO1-VUA", 4200*6), 0)})
	})
}

// TestHolds holds, lets go by a second person, and follows what a lot is made of.
func TestHolds(t *testing.T) {
	onFile(t, func(r *rig) {
		hold := trace.Goods{Kind: trace.Hold, In: part(r.lot, 0), Reason: "chờ kết quả phân tích"}
		r.take(lan, hold)
		r.state(r.lot, trace.Held)
		r.refused(lan, trace.Goods{Kind: trace.Pack, In: part(r.lot, 0), Out: []trace.Part{{Count: 1}}, NetG: 500}, flow.BadState)
		r.refused(lan, trace.Goods{Kind: trace.LetGo, In: part(r.lot, 0), Reason: "đạt"}, flow.Second)
		r.take(minh, trace.Goods{Kind: trace.LetGo, In: part(r.lot, 0), Reason: "đạt"})
		r.state(r.lot, trace.Harvested)

		out := r.take(lan, trace.Goods{Kind: trace.Transform, Step: trace.StepGrade, In: part(r.lot, 50), Out: part(trace.Ref{Kind: trace.RefLot, ID: fish + "/"}, 50)}).Out[0].Ref
		again := r.take(lan, trace.Goods{Kind: trace.Transform, Step: trace.StepGrade, In: part(out, 50), Out: part(trace.Ref{Kind: trace.RefLot, ID: fish + "/"}, 50)}).Out[0].Ref
		for _, ref := range []trace.Ref{r.lot, out, again} {
			r.take(minh, trace.Goods{Kind: trace.Issue, In: part(ref, 0)})
		}
		r.take(lan, hold)
		if n, err := r.desk.Follow(r.Context()); n != 2 || err != nil {
			r.Fatalf("%d lots follow, %v", n, err)
		}
		r.state(again, trace.Held)
		events, err := r.db.GoodsOf(r.Context(), again)
		if last := events[len(events)-1]; err != nil || last.Step != trace.StepUpstream || last.Actor != ledger.Server || "09521234010036/"+last.Reason != out.ID {
			r.Errorf("held by %+v, %v", last, err)
		}
		if n, err := r.desk.Follow(r.Context()); n != 0 || err != nil {
			r.Fatalf("%d lots follow again, %v", n, err)
		}
		r.take(minh, trace.Goods{Kind: trace.LetGo, In: part(out, 0), Reason: "đạt"})
		bad := r.refused(minh, trace.Goods{Kind: trace.Issue, In: part(out, 0)}, flow.Upstream)
		if len(bad) != 2 || bad[0].Ref != r.lot {
			r.Errorf("lines %+v", bad)
		}
	})
}

// TestRights asks for the right to each order.
func TestRights(t *testing.T) {
	onFile(t, func(r *rig) {
		for _, role := range []account.Role{account.Farmer, account.Inspector, account.Public} {
			for _, kind := range trace.GoodsKinds() {
				r.refused(flow.Who{Actor: "u-x", Role: role}, trace.Goods{Kind: kind, In: part(r.lot, 1)}, flow.NoRight)
			}
		}
	})
}

// TestRecall marks lots, and lets them go back to where they were.
func TestRecall(t *testing.T) {
	onFile(t, func(r *rig) {
		r.take(minh, trace.Goods{Kind: trace.Issue, In: part(r.lot, 0)})
		recall := trace.Goods{Kind: trace.Recall, In: part(r.lot, 0), Reason: "nghi tồn dư"}
		drill := recall
		drill.Drill = true
		r.take(minh, drill)
		r.state(r.lot, trace.Released)
		event := r.take(minh, recall)
		r.state(r.lot, trace.Recalled)
		r.refused(lan, trace.Goods{Kind: trace.Ship, In: part(r.lot, 1), Buyer: "bep"}, flow.BadState)
		r.take(minh, trace.Goods{Kind: trace.Amend, Voids: event.ID, Reason: "bấm nhầm"})
		r.state(r.lot, trace.Released)
		r.refused(minh, trace.Goods{Kind: trace.Amend, Voids: event.ID, Reason: "bấm nhầm"}, flow.NoEvent)
		r.take(minh, recall)
		r.take(minh, trace.Goods{Kind: trace.EndRecall, In: part(r.lot, 0), Reason: "đã phân tích, đạt"})
		r.state(r.lot, trace.Harvested)
		r.take(lan, trace.Goods{Kind: trace.Close, In: part(r.lot, 0)})
		r.state(r.lot, trace.Closed)
		r.take(lan, trace.Goods{Kind: trace.Reopen, In: part(r.lot, 0), Reason: "còn hàng"})
		r.state(r.lot, trace.Harvested)
	})
}

// TestAmends takes events back, the newest first, and ends where it began.
func TestAmends(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack(r.lot, 40)
		void := func(id string) trace.Goods { return trace.Goods{Kind: trace.Amend, Voids: id, Reason: "ghi nhầm"} }
		box := r.take(lan, trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: r.lot, Count: 30}, {Ref: r.lot, KG: 5}}})
		release := r.take(minh, trace.Goods{Kind: trace.Issue, In: part(r.lot, 0)})
		ship := r.take(lan, trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: box.Out[0].Ref}}, Buyer: "bep"})
		labels := r.take(lan, trace.Goods{Kind: trace.Destroy, Step: trace.StepLabels, In: []trace.Part{{Ref: r.lot, Count: 10}}, Reason: "tem ướt"})
		r.remaining(r.lot, 80)

		r.refused(lan, void(run.ID), flow.Later)
		r.refused(lan, void(box.ID), flow.Later)
		r.refused(minh, void(release.ID), flow.Later)
		r.take(lan, void(labels.ID))
		r.remaining(r.lot, 75)
		r.take(lan, void(ship.ID))
		r.items(run.ID, trace.ItemActivated)
		r.take(minh, void(release.ID))
		r.state(r.lot, trace.Harvested)
		r.take(lan, void(box.ID))
		if b, ok, err := r.db.Box(r.Context(), box.Out[0].Ref.ID); err != nil || !ok || b.State != trace.ItemVoid || len(b.Parts) != 0 {
			r.Errorf("box: %+v %v", b, err)
		}
		r.take(lan, void(run.ID))
		r.items(run.ID, trace.ItemVoid)
		r.remaining(r.lot, 100)

		made := r.take(lan, trace.Goods{Kind: trace.Transform, Step: trace.StepSplit, In: part(r.lot, 30), Out: part(trace.Ref{Kind: trace.RefLot, ID: fish + "/"}, 30)})
		used := r.pack(made.Out[0].Ref, 1)
		r.refused(lan, void(made.ID), flow.Later)
		r.take(lan, void(used.ID))
		r.take(lan, void(made.ID))
		r.state(made.Out[0].Ref, trace.Void)
		r.remaining(r.lot, 100)
	})
}

// TestTwice answers an order that is sent again with the event that was kept.
func TestTwice(t *testing.T) {
	onFile(t, func(r *rig) {
		order := trace.Goods{ID: "01KAAAAAAAAAAAAAAAAAAAAAAB", Kind: trace.Pack, In: part(r.lot, 0), Out: []trace.Part{{Count: 10}}, NetG: 500}
		one, two := r.take(lan, order), r.take(lan, order)
		if a, b := jsonOf(r, one), jsonOf(r, two); a != b {
			r.Errorf("%s, then %s", a, b)
		}
		r.remaining(r.lot, 95)
		order.NetG = 600
		r.refused(lan, order, flow.Reused)
	})
}

func jsonOf(r *rig, v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		r.Fatal(err)
	}
	return string(raw)
}

// TestPrintedFirst issues labels ahead of the packing, and activates them.
func TestPrintedFirst(t *testing.T) {
	each(t, func(r *rig) {
		run := r.take(lan, trace.Goods{Kind: trace.Pack, Step: trace.StepIssue, In: part(r.lot, 0), Out: []trace.Part{{Count: 10}}, NetG: 500})
		items := r.items(run.ID, trace.ItemPrinted)
		r.refused(lan, trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: trace.Ref{Kind: trace.RefItem, ID: items[0].Serial}}}}, flow.BadItem)
		var serials []string
		for _, i := range items[:9] {
			serials = append(serials, i.Serial)
		}
		r.take(lan, trace.Goods{Kind: trace.Pack, Step: trace.StepActivate, In: []trace.Part{{Ref: r.lot, Items: serials}}})
		r.take(lan, trace.Goods{Kind: trace.Destroy, Step: trace.StepLabels, In: []trace.Part{{Ref: trace.Ref{Kind: trace.RefItem, ID: items[9].Serial}}}, Reason: "tem rách"})
		r.remaining(r.lot, 95.5)
		counts, err := r.db.ItemCounts(r.Context(), trace.Link{GTIN: fish, Lot: "AO1-261124"})
		if err != nil || counts[trace.ItemActivated] != 9 || counts[trace.ItemVoid] != 1 {
			r.Errorf("counts %v %v", counts, err)
		}
	})
}

// TestRelease is the seal of a lot: its events, and the account without who bought.
func TestRelease(t *testing.T) {
	each(t, func(r *rig) {
		r.pack(r.lot, 40)
		r.take(minh, trace.Goods{Kind: trace.Issue, In: part(r.lot, 0)})
		path := trace.Link{GTIN: fish, Lot: "AO1-261124"}.Path()
		list, err := r.db.LedgerFind(r.Context(), path, ledger.LotReleased)
		if err != nil || len(list) != 1 {
			r.Fatalf("leaves %v %v", list, err)
		}
		_, body, err := r.db.LedgerBody(r.Context(), list[0])
		if err != nil {
			r.Fatal(err)
		}
		var said flow.Release
		if err := json.Unmarshal(body, &said); err != nil {
			r.Fatal(err)
		}
		if faults := said.Check(nil); len(faults) > 0 || len(said.Events) != 1 || said.Account.RemainingKG != 80 || said.Lot != path || !said.At.After(morning.Add(time.Minute)) {
			r.Errorf("%v: %s", faults, body)
		}
		said.Account.Packed[0].KG = 120
		if faults := said.Check(nil); len(faults) != 3 {
			r.Errorf("a mass that was changed: %q", faults)
		}
	})
}

// TestErase takes out what names somebody, and nothing of what was done.
func TestErase(t *testing.T) {
	g := trace.Goods{Kind: trace.Receive, Actor: "u-lan", Supplier: "Nguyễn Văn Tám", Vehicle: "xe anh Nguyễn Văn Tám", Reason: "bình thường", Note: "chị Lan nhận", Out: part(trace.Ref{Kind: trace.RefLot, ID: "x/y"}, 3)}
	want := g
	want.Supplier, want.Vehicle = "", ""
	if got, took := flow.Erase(g, false, []string{"Nguyễn Văn Tám"}); !took || got.Supplier != "" || got.Vehicle != "" || got.Reason != want.Reason || got.Note != want.Note || len(got.Out) != 1 {
		t.Errorf("%+v", got)
	}
	if got, took := flow.Erase(g, true, nil); !took || got.Note != "" || got.Supplier == "" {
		t.Errorf("%+v", got)
	}
	if _, took := flow.Erase(g, false, []string{"Tám"}); took {
		t.Error("a name of one word was found in a longer text")
	}
}

// TestErasure reaches what orders say of a person who asked to be forgotten; the events still come to the same.
func TestErasure(t *testing.T) {
	onFile(t, func(r *rig) {
		by := ledger.By{Actor: ledger.Operator, At: r.now}
		if err := r.db.AddPerson(r.Context(), privacy.Person{ID: "p-1", Name: "Nguyễn Văn Tám"}, by); err != nil {
			r.Fatal(err)
		}
		got := r.take(lan, trace.Goods{Kind: trace.Receive, Supplier: "Nguyễn Văn Tám", Out: part(trace.Ref{Kind: trace.RefLot, ID: sheets + "/GAO-1"}, 60)})
		r.pack(got.Out[0].Ref, 5)
		if err := r.db.ErasePerson(r.Context(), "p-1", by); err != nil {
			r.Fatal(err)
		}
		kept, ok, err := r.db.GoodsEvent(r.Context(), got.ID)
		if err != nil || !ok || kept.Supplier != "" || kept.Out[0].KG != 60 {
			r.Errorf("%+v %v", kept, err)
		}
		books, err := r.db.GoodsBooks(r.Context())
		if err != nil || len(books.Events) != 2 || len(books.Faults()) > 0 {
			r.Errorf("%v %v", books.Faults(), err)
		}
		for _, n := range find(r, got.ID) {
			_, body, err := r.db.LedgerBody(r.Context(), n)
			if err != nil || bytes.Contains(body, []byte("Tám")) {
				r.Errorf("leaf %d still says %s (%v)", n, body, err)
			}
		}
	})
}

func find(r *rig, subject string) []int64 {
	list, err := r.db.LedgerFind(r.Context(), subject, "")
	if err != nil || len(list) == 0 {
		r.Fatalf("leaves of %s: %v %v", subject, list, err)
	}
	return list
}
