package flow_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// morning is 07:00 in Viet Nam.
var morning = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

const (
	fish   = "09521234010036"
	potato = "09521234010012"
	sheets = "09521234010029" // bánh đa
)

var (
	lan  = flow.Who{Actor: "u-lan", Role: account.Technician}
	minh = flow.Who{Actor: "u-minh", Role: account.Admin}
)

// rig is a desk on a real database with the demo's farm, three products, a buyer, and a lot of 100 kg of fish.
type rig struct {
	*testing.T
	db   *sqldb.DB
	desk *flow.Desk
	now  time.Time
	lot  trace.Ref
	pond string
}

func newRig(t *testing.T, db *sqldb.DB) *rig {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, db: db, now: morning}
	pond, _ := f.Place("ao1")
	for _, p := range f.Places {
		if p.Name == "ao1" {
			pond = p
		}
	}
	r.pond = pond.Code
	by := ledger.By{Actor: ledger.Operator, At: morning}
	if err := db.SaveFarm(t.Context(), f, by); err != nil {
		t.Fatal(err)
	}
	_, err = db.SaveRecords(t.Context(), []farm.Record{
		{Kind: farm.Product, ID: "rophi", Values: form.Values{"name": "Cá rô phi", "branch": "fish", "gtin": fish}},
		{Kind: farm.Product, ID: "khoai", Values: form.Values{"name": "Khoai tây", "branch": "crop", "gtin": potato}},
		{Kind: farm.Product, ID: "banhda", Values: form.Values{"name": "Bánh đa", "branch": "process", "gtin": sheets}},
		{Kind: farm.Buyer, ID: "bep", Values: form.Values{"name": "Bếp ăn trường học", "buyer_type": "school"}},
		{Kind: farm.Buyer, ID: "cho", Values: form.Values{"name": "Chợ đầu mối", "buyer_type": "trader"}},
	}, by)
	if err != nil {
		t.Fatal(err)
	}
	r.lot = r.harvest(fish, "AO1-261124", 100)
	r.desk = flow.New(db, db, flow.Defaults(), rand.Reader, func() time.Time { return r.now }, slog.New(slog.DiscardHandler))
	return r
}

// harvest puts a lot on record.
func (r *rig) harvest(gtin, code string, kg float64) trace.Ref {
	r.Helper()
	l := trace.Lot{GTIN: gtin, Code: code, Places: []string{r.pond}, Stocked: morning.AddDate(0, -4, 0), Harvested: morning.AddDate(0, 0, -1), KG: kg, State: trace.Harvested}
	if err := r.db.SaveLot(r.Context(), l, ledger.By{Actor: ledger.Operator, At: morning}); err != nil {
		r.Fatal(err)
	}
	return l.Link().Ref()
}

// take takes an order that has to be taken.
func (r *rig) take(who flow.Who, g trace.Goods) trace.Goods {
	r.Helper()
	r.now = r.now.Add(time.Minute)
	out, err := r.desk.Take(r.Context(), who, g)
	if err != nil {
		r.Fatalf("%s %s: %v", g.Kind, g.Step, err)
	}
	return out
}

// refused takes an order that has to be refused, and returns the lines that say why.
func (r *rig) refused(who flow.Who, g trace.Goods, code flow.Code) []flow.Line {
	r.Helper()
	r.now = r.now.Add(time.Minute)
	_, err := r.desk.Take(r.Context(), who, g)
	bad, ok := errors.AsType[*flow.RefusedError](err)
	if !ok || bad.Code != code {
		r.Fatalf("%s %s: %v, want it refused: %s", g.Kind, g.Step, err, code)
	}
	return bad.Lines
}

func (r *rig) account(ref trace.Ref) flow.Account {
	r.Helper()
	l, _ := ref.Link()
	a, err := r.desk.Account(r.Context(), l)
	if err != nil {
		r.Fatal(err)
	}
	return a
}

func (r *rig) remaining(ref trace.Ref, want float64) {
	r.Helper()
	if a := r.account(ref); a.RemainingKG != want {
		r.Errorf("%s: %g kg remain, want %g: %+v", ref.ID, a.RemainingKG, want, a)
	}
}

func (r *rig) state(ref trace.Ref, want trace.State) {
	r.Helper()
	l, _ := ref.Link()
	s, err := r.db.DiaryLot(r.Context(), l)
	if err != nil {
		r.Fatal(err)
	}
	if s.Lot.State != want {
		r.Errorf("lot %s is %s, want %s", ref.ID, s.Lot.State, want)
	}
}

func (r *rig) items(run string, want trace.ItemState) []trace.Item {
	r.Helper()
	list, err := r.db.Items(r.Context(), run)
	if err != nil {
		r.Fatal(err)
	}
	for _, i := range list {
		if i.State != want {
			r.Fatalf("item %d is %s, want %s", i.N, i.State, want)
		}
	}
	return list
}

// pack packs a lot into items of 500 g.
func (r *rig) pack(lot trace.Ref, count int) trace.Goods {
	r.Helper()
	return r.take(lan, trace.Goods{Kind: trace.Pack, In: []trace.Part{{Ref: lot}}, Out: []trace.Part{{Ref: lot, Count: count}}, NetG: 500, Best: morning.AddDate(0, 6, 0)})
}

func part(ref trace.Ref, kg float64) []trace.Part { return []trace.Part{{Ref: ref, KG: kg}} }

// onFile runs f on SQLite alone: rules that no database answers.
func onFile(t *testing.T, f func(r *rig)) {
	t.Helper()
	f(newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t))))
}

func each(t *testing.T, f func(r *rig)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { f(newRig(t, db)) })
}
