package flow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// pondBook is the diary of the rig's pond, with a season of tilapia and a drug of 28 days.
type pondBook struct {
	*rig
	desk *desk.Desk
	n    int
}

func newPondBook(r *rig) *pondBook {
	r.Helper()
	_, err := r.db.SaveRecords(r.Context(), []farm.Record{
		{Kind: farm.Cycle, ID: "vu-thu", Values: form.Values{"name": "Rô phi vụ thu", "place": r.pond, "branch": "fish", "product": "rophi", "species": "cá rô phi", "season": "2026", "begin": "2026-07-01"}},
		{Kind: farm.Input, ID: "oxytet", Values: form.Values{"name": "Oxytetracycline", "type": "drug", "unit": "kg", "withdrawal_days": 28.0}},
	}, ledger.By{Actor: ledger.Operator, At: morning})
	if err != nil {
		r.Fatal(err)
	}
	judge := desk.Rules(func(_ context.Context, c gate.Case) (gate.Verdict, error) {
		c.Settings = gate.Defaults()
		return gate.Judge(c), nil
	})
	return &pondBook{rig: r, desk: desk.New(r.db, r.db, judge, func() time.Time { return r.now }, slog.New(slog.DiscardHandler))}
}

// write has somebody write an entry that has to be taken.
func (b *pondBook) write(who flow.Who, kind string, day int, corrects string, v form.Values) string {
	b.Helper()
	b.n++
	b.now = b.now.Add(time.Minute)
	var id ulid.ULID
	if err := errors.Join(id.SetTime(uint64(morning.UnixMilli())), id.SetEntropy(fmt.Appendf(nil, "%010d", b.n))); err != nil {
		b.Fatal(err)
	}
	at := morning.AddDate(0, 0, day)
	s := diary.Sent{SentAt: b.now, Event: diary.Event{ID: id.String(), Kind: kind, Place: b.pond, Corrects: corrects, Values: v, Occurred: at, Recorded: at}}
	out, err := b.desk.Take(b.Context(), desk.Who{Actor: who.Actor, Role: who.Role, Own: func(string) bool { return true }}, []diary.Sent{s})
	if err != nil || out[0].State != diary.Kept {
		b.Fatalf("%s: %+v %v", kind, out, err)
	}
	return s.ID
}

func lotOf(gtin, code string) trace.Ref { return trace.Link{GTIN: gtin, Lot: code}.Ref() }

// TestDiarySales counts what the diary tells to have left a lot.
func TestDiarySales(t *testing.T) {
	each(t, func(r *rig) {
		b := newPondBook(r)
		b.write(lan, diary.Harvest, -1, "", form.Values{"kg": 500.0, "lot_code": "A%1_\"x"})
		lot := lotOf(fish, "A%1_\"x")
		b.write(lan, diary.Harvest, -1, "", form.Values{"kg": 50.0, "lot_code": "AB1C"})
		sale := b.write(lan, diary.Sale, 0, "", form.Values{"buyer": "bep", "kg": 300.0, "lot_code": "A%1_\"x"})
		r.remaining(lot, 200)
		r.remaining(lotOf(fish, "AB1C"), 50)
		r.refused(lan, trace.Goods{Kind: trace.Pack, In: part(lot, 201), Out: []trace.Part{{Count: 1}}, NetG: 500}, flow.TooMuch)
		r.take(lan, trace.Goods{Kind: trace.Pack, In: part(lot, 200), Out: []trace.Part{{Count: 1}}, NetG: 500})
		sale = b.write(lan, diary.Sale, 0, sale, form.Values{"buyer": "bep", "kg": 310.0, "lot_code": "A%1_\"x"})
		r.remaining(lot, -10)
		if a := r.account(lot); !a.Over() || len(a.Out) != 1 || a.Out[0].Ref != (trace.Ref{Kind: trace.RefBuyer, ID: "bep"}) {
			r.Errorf("account %+v", a)
		}
		r.refused(minh, trace.Goods{Kind: trace.Issue, In: part(lot, 0)}, flow.TooMuch)
		b.write(lan, diary.Void, 0, sale, form.Values{"reason": "không bán"})
		r.remaining(lot, 300)
		// Nothing was sold, so nothing comes back.
		r.refused(lan, trace.Goods{Kind: trace.Return, In: part(lot, 1), Buyer: "bep", Reason: "x"}, flow.TooMuchBack)
	})
}

// TestDiaryHoldsReleased is a treatment that was written down after the lot was released.
func TestDiaryHoldsReleased(t *testing.T) {
	onFile(t, func(r *rig) {
		b := newPondBook(r)
		b.write(lan, diary.Harvest, -1, "", form.Values{"kg": 500.0, "lot_code": "A1"})
		lot := lotOf(fish, "A1")
		release := trace.Goods{Kind: trace.Issue, In: part(lot, 0)}
		r.take(minh, release)
		b.write(lan, diary.Feeding, 0, "", form.Values{"input": "oxytet", "amount": 1.0}) // has nothing to say of it
		r.state(lot, trace.Released)
		b.write(lan, diary.Treatment, -5, "", form.Values{"input": "oxytet", "amount": 1.0, "reason": "đốm đỏ"})
		r.state(lot, trace.Held)
		r.refused(lan, trace.Goods{Kind: trace.Ship, In: part(lot, 1), Buyer: "bep"}, flow.Gated)
		r.refused(minh, trace.Goods{Kind: trace.LetGo, In: part(lot, 0), Reason: "x"}, flow.Gated)

		// Somebody holds it for another reason: the diary's release does not let that go.
		hold := r.take(lan, trace.Goods{Kind: trace.Hold, In: part(lot, 0), Reason: "khách báo"})
		let := b.write(minh, diary.Release, 0, "", form.Values{"lot_code": "A1", "reason": "phân tích đạt"})
		r.state(lot, trace.Held)
		r.take(minh, trace.Goods{Kind: trace.LetGo, In: part(lot, 0), Reason: "đã xem"})
		r.state(lot, trace.Harvested)
		r.take(minh, trace.Goods{Kind: trace.Amend, Voids: hold.ID, Reason: "nhầm lô"}) // what was released before the diary held it is not released again
		r.state(lot, trace.Harvested)
		r.now = r.now.Add(time.Hour)
		r.take(minh, release)
		b.write(minh, diary.Void, 0, let, form.Values{"reason": "nhầm phiếu"})
		r.state(lot, trace.Held)
	})
}

// TestHarvestTakenBack is a harvest that was not, of which goods were packed.
func TestHarvestTakenBack(t *testing.T) {
	onFile(t, func(r *rig) {
		b := newPondBook(r)
		one := b.write(lan, diary.Harvest, -1, "", form.Values{"kg": 100.0, "lot_code": "A1"})
		two := b.write(lan, diary.Harvest, -1, "", form.Values{"kg": 100.0, "lot_code": "A2"})
		a1, a2 := lotOf(fish, "A1"), lotOf(fish, "A2")
		run := r.pack(a1, 10)
		r.take(minh, trace.Goods{Kind: trace.Issue, In: part(a1, 0)})
		b.write(lan, diary.Void, 0, one, form.Values{"reason": "ghi nhầm ao"})
		b.write(lan, diary.Void, 0, two, form.Values{"reason": "ghi nhầm ao"})
		r.state(a1, trace.Harvested)
		r.state(a2, trace.Void)
		r.remaining(a1, -5)
		r.items(run.ID, trace.ItemActivated)
	})
}

// TestBatchOfHeldRice holds what the diary made of a lot that was bought, after that lot is held.
func TestBatchOfHeldRice(t *testing.T) {
	each(t, func(r *rig) {
		b := newPondBook(r)
		rice := r.take(lan, trace.Goods{Kind: trace.Receive, Supplier: "Đại lý gạo", Out: part(trace.Ref{Kind: trace.RefLot, ID: sheets + "/GAO-1"}, 60)}).Out[0].Ref
		f, err := r.db.Farm(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		f.Places = append(f.Places, farm.Place{Code: "2Q6TYDXWF", Name: "lo1", Kind: farm.Shed, Title: farm.Text{VI: "Lò 1"}})
		if err := r.db.SaveFarm(r.Context(), f, ledger.By{Actor: ledger.Operator, At: morning}); err != nil {
			r.Fatal(err)
		}
		_, err = r.db.SaveRecords(r.Context(), []farm.Record{
			{Kind: farm.Cycle, ID: "me", Values: form.Values{"name": "Bánh đa", "place": "2Q6TYDXWF", "branch": "process", "product": "banhda", "species": "bánh đa", "season": "2026", "begin": "2026-07-01"}},
		}, ledger.By{Actor: ledger.Operator, At: morning})
		if err != nil {
			r.Fatal(err)
		}
		b.pond = "2Q6TYDXWF"
		b.write(lan, diary.Batch, 0, "", form.Values{"inputs": []string{"GAO-1", "GAO-CU"}, "in_kg": 60.0, "lot_code": "BD-1", "out_kg": 70.0})
		made := lotOf(sheets, "BD-1")
		if bad := r.refused(minh, trace.Goods{Kind: trace.Issue, In: part(made, 0)}, flow.BadYield); len(bad) != 3 || bad[0].KG != 60 || bad[1].KG != 69 || bad[2].KG != 70 {
			r.Errorf("lines %+v", bad)
		}
		b.write(lan, diary.Batch, 0, "", form.Values{"inputs": []string{"GAO-1"}, "in_kg": 20.0, "lot_code": "BD-2", "out_kg": 18.0})
		made = lotOf(sheets, "BD-2")
		r.remaining(rice, 10) // a half of the first batch, and the second
		r.take(minh, trace.Goods{Kind: trace.Issue, In: part(made, 0)})
		r.take(lan, trace.Goods{Kind: trace.Hold, In: part(rice, 0), Reason: "mốc"})
		if n, err := r.desk.Follow(r.Context()); n != 1 || err != nil {
			r.Fatalf("%d lots follow, %v", n, err)
		}
		r.state(made, trace.Held)
	})
}

// TestBeforeTheHarvest refuses what would have been done before there was anything.
func TestBeforeTheHarvest(t *testing.T) {
	onFile(t, func(r *rig) {
		r.refused(lan, trace.Goods{Kind: trace.Pack, At: morning.AddDate(0, 0, -2), In: part(r.lot, 0), Out: []trace.Part{{Count: 1}}, NetG: 500}, flow.BadTime)
		r.refused(lan, trace.Goods{Kind: trace.Pack, At: r.now.Add(time.Hour), In: part(r.lot, 0), Out: []trace.Part{{Count: 1}}, NetG: 500}, flow.BadTime)
	})
}
