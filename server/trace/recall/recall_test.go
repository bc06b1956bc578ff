package recall_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/recall"
)

// morning is 07:00 in Viet Nam.
var morning = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

const fish = "09521234010036"

// rig is a co-op on a real database: a pond with a season, feed, buyers, and the three desks.
type rig struct {
	*testing.T
	db     *sqldb.DB
	diary  *desk.Desk
	goods  *flow.Desk
	recall *recall.Desk
	now    time.Time
	n      int
	pond   string
}

var (
	lan   = desk.Who{Actor: "u-lan", Role: account.Technician, Own: func(string) bool { return true }}
	mover = flow.Who{Actor: "u-minh", Role: account.Admin}
)

func newRig(t *testing.T, db *sqldb.DB) *rig {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, db: db, now: morning}
	if drawn, err := db.DrawEdges(t.Context()); err != nil || !drawn {
		t.Fatal(drawn, err)
	}
	for _, p := range f.Places {
		if p.Name == "ao1" {
			r.pond = p.Code
		}
	}
	by := ledger.By{Actor: ledger.Operator, At: morning}
	if err := db.SaveFarm(t.Context(), f, by); err != nil {
		t.Fatal(err)
	}
	_, err = db.SaveRecords(t.Context(), []farm.Record{
		{Kind: farm.Product, ID: "rophi", Values: form.Values{"name": "Cá rô phi", "branch": "fish", "gtin": fish}},
		{Kind: farm.Cycle, ID: "vu-thu", Values: form.Values{"name": "Rô phi vụ thu", "place": r.pond, "branch": "fish", "product": "rophi", "species": "cá rô phi", "season": "2026", "begin": "2026-07-01"}},
		{Kind: farm.Input, ID: "cam", Values: form.Values{"name": "Cám 30", "type": "feed", "unit": "kg"}},
		{Kind: farm.Buyer, ID: "cho", Values: form.Values{"name": "Chợ Phú Khê", "buyer_type": "market", "phone": "0912345678"}},
		{Kind: farm.Buyer, ID: "bep", Values: form.Values{"name": "Bếp ăn trường học", "buyer_type": "school"}},
	}, by)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { r.now = r.now.Add(time.Second); return r.now }
	log := slog.New(slog.DiscardHandler)
	r.diary = desk.New(db, db, desk.Rules(func(_ context.Context, c gate.Case) (gate.Verdict, error) {
		c.Settings = gate.Defaults()
		return gate.Judge(c), nil
	}), now, log)
	r.goods = flow.New(db, db, flow.Defaults(), rand.Reader, now, log)
	r.recall = recall.New(db, db, r.goods, now)
	return r
}

func each(t *testing.T, f func(r *rig)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := newRig(t, db)
		f(r)
		r.drawn()
	})
}

// drawn checks that the edges that were drawn bit by bit are those that the whole book stands for, before and after all are drawn anew.
func (r *rig) drawn() {
	r.Helper()
	defer func() {
		if err := r.db.RedrawEdges(r.Context()); err != nil {
			r.Fatal(err)
		}
		if faults, err := r.db.EdgeFaults(r.Context(), 9); err != nil || len(faults) > 0 {
			r.Errorf("drawn anew: %q %v", faults, err)
		}
	}()
	if faults, err := r.db.EdgeFaults(r.Context(), 9); err != nil || len(faults) > 0 {
		r.Errorf("edges: %q %v", faults, err)
	}
}

func (r *rig) id() string {
	r.n++
	var id ulid.ULID
	if err := errors.Join(id.SetTime(uint64(morning.UnixMilli())), id.SetEntropy(fmt.Appendf(nil, "%010d", r.n))); err != nil {
		r.Fatal(err)
	}
	return id.String()
}

// wrote has an entry come in that was done a number of days from morning, and returns its id.
func (r *rig) wrote(kind string, day int, v form.Values) string { return r.corrected("", kind, day, v) }

func (r *rig) corrected(old, kind string, day int, v form.Values) string {
	r.Helper()
	at := morning.AddDate(0, 0, day)
	e := diary.Event{ID: r.id(), Kind: kind, Place: r.pond, Values: v, Occurred: at, Recorded: at, Corrects: old}
	out, err := r.diary.Take(r.Context(), lan, []diary.Sent{{SentAt: r.now, Event: e}})
	if err != nil || out[0].State != diary.Kept {
		r.Fatalf("%s: %+v %v", kind, out, err)
	}
	return e.ID
}

func (r *rig) fed(day int, lot string) string {
	r.Helper()
	v := form.Values{"input": "cam", "amount": 100.0}
	if lot != "" {
		v["lot"] = lot
	}
	return r.wrote(diary.Feeding, day, v)
}

func (r *rig) harvested(day int, code string, kg float64) trace.Ref {
	r.Helper()
	r.wrote(diary.Harvest, day, form.Values{"kg": kg, "lot_code": code})
	return trace.Link{GTIN: fish, Lot: code}.Ref()
}

func (r *rig) moved(g trace.Goods) trace.Goods {
	r.Helper()
	out, err := r.goods.Take(r.Context(), mover, g)
	if err != nil {
		r.Fatalf("%s %s: %v", g.Kind, g.Step, err)
	}
	return out
}

func (r *rig) released(lots ...trace.Ref) {
	r.Helper()
	for _, l := range lots {
		r.moved(trace.Goods{Kind: trace.Issue, In: []trace.Part{{Ref: l}}})
	}
}

// told is what a search finds, in short: lots, deliveries as "buyer what kg".
func (r *rig) told(a recall.Ask) (lots, to []string) {
	r.Helper()
	f, err := r.recall.Find(r.Context(), a)
	if err != nil {
		r.Fatal(err)
	}
	for _, l := range f.Lots {
		lots = append(lots, l.Link.Lot)
	}
	slices.Sort(lots)
	for _, d := range f.Deliveries {
		s := fmt.Sprintf("%s %s %g", d.Buyer, d.What.Kind, d.KG)
		if d.Count > 0 {
			s += fmt.Sprintf(" %d", d.Count)
		}
		if d.Back {
			s += " back"
		}
		to = append(to, s)
	}
	return lots, to
}

func (r *rig) want(a recall.Ask, lots, to []string) {
	r.Helper()
	gotLots, gotTo := r.told(a)
	if !slices.Equal(gotLots, lots) || !slices.Equal(gotTo, to) {
		r.Errorf("%+v:\n got %q %q\nwant %q %q", a, gotLots, gotTo, lots, to)
	}
}

func (r *rig) state(ref trace.Ref, want trace.State) {
	r.Helper()
	link, _ := ref.Link()
	l, err := r.db.Lot(r.Context(), link)
	if err != nil || l.State != want {
		r.Errorf("%s is %s, want %s, %v", ref.ID, l.State, want, err)
	}
}

// A phone that had no signal tells after the harvest, and after all was sold, of the bad feed before it.
func TestStory_LateEntryWithABadFeedLot(t *testing.T) {
	each(t, func(r *rig) {
		r.fed(-20, "F1")
		lot := r.harvested(-1, "AO1-A", 100)
		r.released(lot)
		r.moved(trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: lot, KG: 60}}, Buyer: "cho", Document: "PX-1"})
		bad := recall.Ask{Input: "cam", Maker: "HONG"}
		r.want(bad, nil, nil)
		late := r.fed(-5, "HONG")
		r.want(bad, []string{"AO1-A"}, []string{"cho lot 60"})
		r.corrected(late, diary.Feeding, -5, form.Values{"input": "cam", "amount": 100.0, "lot": "F1"})
		r.want(bad, nil, nil)
	})
}

// What was harvested before the bad feed was fed is not recalled; a use of which nobody wrote the lot down is told, and may be taken along.
func TestStory_PartialHarvestBeforeTheBadFeed(t *testing.T) {
	each(t, func(r *rig) {
		r.harvested(-9, "AO1-TRUOC", 40)
		r.fed(-7, "HONG")
		r.harvested(-3, "AO1-SAU", 60)
		r.fed(-2, "")
		r.wrote(diary.Sale, -8, form.Values{"buyer": "bep", "kg": 40.0, "lot_code": "AO1-TRUOC"})
		r.wrote(diary.Sale, -2, form.Values{"buyer": "cho", "kg": 20.0, "lot_code": "AO1-SAU"})
		r.want(recall.Ask{Input: "cam", Maker: "HONG"}, []string{"AO1-SAU"}, []string{"cho lot 20"})
		r.want(recall.Ask{Place: r.pond, From: morning.AddDate(0, 0, -10), To: morning}, []string{"AO1-SAU", "AO1-TRUOC"}, []string{"bep lot 40", "cho lot 20"})
		f, err := r.recall.Find(r.Context(), recall.Ask{Input: "cam", Maker: "F9"})
		if err != nil || f.Unsure != 1 || len(f.Lots) != 0 {
			r.Errorf("unsure: %+v %v", f, err)
		}
		r.harvested(-1, "AO1-CUOI", 10)
		r.want(recall.Ask{Input: "cam", Maker: "F9", Unsure: true}, []string{"AO1-CUOI"}, nil)
	})
}

// A lot is split, a part is merged with a lot that was never fed that feed, packed, boxed and shipped; some comes back; an event is amended.
func TestStory_MergedSplitReturnedAmended(t *testing.T) {
	each(t, func(r *rig) {
		clean := r.harvested(-9, "AO1-SACH", 50)
		r.fed(-7, "HONG")
		lot := r.harvested(-3, "AO1-BAN", 100)
		split := r.moved(trace.Goods{Kind: trace.Transform, Step: trace.StepSplit, In: []trace.Part{{Ref: lot, KG: 30}}, Out: []trace.Part{{Ref: trace.Link{GTIN: fish, Lot: "AO1-TACH"}.Ref(), KG: 30}}}).Out[0].Ref
		merge := r.moved(trace.Goods{Kind: trace.Transform, Step: trace.StepMerge, In: []trace.Part{{Ref: split, KG: 30}, {Ref: clean, KG: 20}}, Out: []trace.Part{{Ref: trace.Link{GTIN: fish, Lot: "AO1-GOP"}.Ref(), KG: 50}}}).Out[0].Ref
		r.moved(trace.Goods{Kind: trace.Pack, In: []trace.Part{{Ref: merge, Count: 20}}, NetG: 500})
		box := r.moved(trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: merge, Count: 12}}}).Out[0].Ref
		r.released(lot, clean, split, merge)
		r.moved(trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: box}}, Buyer: "cho", Document: "PX-2"})
		items := r.moved(trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: merge, Count: 3}}, Buyer: "bep"}).In[0].Items
		r.moved(trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: clean, KG: 5}}, Buyer: "bep"})
		wrong := r.moved(trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: lot, KG: 7}}, Buyer: "bep"})
		r.moved(trace.Goods{Kind: trace.Return, In: []trace.Part{{Ref: merge, Items: items[:1]}}, Buyer: "bep", Reason: "dập"})
		r.moved(trace.Goods{Kind: trace.Amend, Voids: wrong.ID, Reason: "ghi nhầm"})
		bad := recall.Ask{Input: "cam", Maker: "HONG"}
		r.want(bad, []string{"AO1-BAN", "AO1-GOP", "AO1-TACH"}, []string{"bep lot 0 3", "bep lot 0 1 back", "cho box 0"})
		f, err := r.recall.Find(r.Context(), bad)
		if err != nil || f.Items != 20 || f.Out != 14 || !slices.Equal(f.Boxes, []string{box.ID}) {
			r.Errorf("%+v %v", f, err)
		}
		r.drill(bad, lot, split, merge)
		r.forReal(bad, clean, lot, split, merge)
	})
}

// shown is what the public page of a lot is drawn from: its state, and the revision by which drawn pages are kept.
func (r *rig) shown(ref trace.Ref) (trace.State, string) {
	r.Helper()
	link, _ := ref.Link()
	d, err := r.db.Dossier(r.Context(), link)
	if err != nil {
		r.Fatal(err)
	}
	rev, err := r.db.LotRevision(r.Context(), link)
	if err != nil {
		r.Fatal(err)
	}
	return d.Lot.State, rev
}

// drill changes nothing, and leaves a record.
func (r *rig) drill(bad recall.Ask, lots ...trace.Ref) {
	r.Helper()
	rec, _, err := r.recall.Start(r.Context(), mover, recall.Order{ID: r.id(), Ask: bad, Reason: "tập", Drill: true, Begun: r.now})
	if err != nil || rec.Marked.IsZero() || !rec.Marked.After(rec.Begun) || len(rec.Lots) != 3 || rec.Buyers != 2 || rec.Boxes != 1 {
		r.Fatalf("drill: %+v %v", rec, err)
	}
	for _, l := range lots {
		link, _ := l.Link()
		if got, err := r.db.Lot(r.Context(), link); err != nil || got.State == trace.Recalled {
			r.Errorf("a drill recalled %s: %v", l.ID, err)
		}
	}
	done, err := r.recall.End(r.Context(), mover, rec.ID, "xong")
	if err != nil || done.Open() {
		r.Errorf("%+v %v", done, err)
	}
	if _, err := r.recall.End(r.Context(), mover, rec.ID, "xong"); !errors.Is(err, recall.ErrEnded) {
		r.Errorf("ended twice: %v", err)
	}
}

// forReal marks every lot, twice is once, a second recall keeps its lots, and the end gives back the states.
func (r *rig) forReal(bad recall.Ask, clean trace.Ref, lots ...trace.Ref) {
	r.Helper()
	order := recall.Order{ID: r.id(), Ask: bad, Reason: "cám có chất cấm"}
	_, drawn := r.shown(lots[0])
	rec, f, err := r.recall.Start(r.Context(), mover, order)
	if err != nil || len(rec.Lots) != 3 {
		r.Fatalf("recall: %+v %v", rec, err)
	}
	for i, l := range lots {
		r.state(l, trace.Recalled)
		if f.Lots[i].State != trace.Recalled {
			r.Errorf("the list says %s", f.Lots[i].State)
		}
	}
	state, now := r.shown(lots[0])
	if state != trace.Recalled || now == drawn {
		r.Errorf("the public page is %s, kept as %s and %s", state, drawn, now)
	}
	if again, _, err := r.recall.Start(r.Context(), mover, order); err != nil || !again.Marked.Equal(rec.Marked) {
		r.Errorf("again: %+v %v", again, err)
	}
	order.Ask.Maker = "F1"
	if _, _, err := r.recall.Start(r.Context(), mover, order); !errors.Is(err, recall.ErrID) {
		r.Errorf("the same id for another recall: %v", err)
	}
	cleanLink, _ := clean.Link()
	other, _, err := r.recall.Start(r.Context(), mover, recall.Order{ID: r.id(), Ask: recall.Ask{Lot: cleanLink}, Reason: "khách báo"})
	if err != nil || len(other.Lots) != 2 {
		r.Fatalf("the other: %+v %v", other, err)
	}
	if _, err := r.recall.End(r.Context(), mover, rec.ID, "xong"); err != nil {
		r.Fatal(err)
	}
	r.state(lots[0], trace.Harvested)
	if _, ended := r.shown(lots[0]); ended == now {
		r.Error("pages drawn while it was recalled are kept")
	}
	r.state(lots[2], trace.Recalled) // it was merged with the clean one, which another recall holds
	r.state(clean, trace.Recalled)
	if _, err := r.recall.End(r.Context(), mover, other.ID, "xong"); err != nil {
		r.Fatal(err)
	}
	r.state(lots[2], trace.Harvested) // whoever sells it again releases it again
	list, err := r.db.Recalls(r.Context())
	if err != nil || len(list) != 3 || list[0].ID != other.ID || list[1].Reason != "cám có chất cấm" || list[1].Ask != bad || list[1].Open() || !list[2].Drill {
		r.Errorf("records: %+v %v", list, err)
	}
}

func TestStart_RefusesWhatIsNoRecall(t *testing.T) {
	each(t, func(r *rig) {
		lot := trace.Link{GTIN: fish, Lot: "KHONG-CO"}
		for want, o := range map[error]recall.Order{
			recall.ErrID:      {ID: "x", Ask: recall.Ask{Lot: lot}, Reason: "a"},
			recall.ErrReason:  {ID: r.id(), Ask: recall.Ask{Lot: lot}},
			recall.ErrNone:    {ID: r.id(), Ask: recall.Ask{Lot: lot}, Reason: "a"},
			recall.ErrTime:    {ID: r.id(), Ask: recall.Ask{Place: r.pond, From: morning, To: morning.Add(-time.Hour)}, Reason: "a"},
			recall.ErrNothing: {ID: r.id(), Reason: "a"},
		} {
			if _, _, err := r.recall.Start(r.Context(), mover, o); !errors.Is(err, want) {
				r.Errorf("%v, want %v", err, want)
			}
		}
		if list, err := r.db.Recalls(r.Context()); err != nil || len(list) != 0 {
			r.Errorf("%v %v", list, err)
		}
	})
}
