package printjob_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/printjob"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// morning is 07:00 in Viet Nam.
var morning = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)

var (
	lan  = flow.Who{Actor: "u-lan", Role: account.Technician}
	minh = flow.Who{Actor: "u-minh", Role: account.Admin}
	nga  = flow.Who{Actor: "u-nga", Role: account.Farmer}
)

const fish = "09521234010036"

// rig is a desk of goods and one of prints on a real database, with a lot of 100 kg of fish.
type rig struct {
	*testing.T
	db    *sqldb.DB
	goods *flow.Desk
	desk  *printjob.Desk
	now   time.Time
	lot   trace.Ref
}

func each(t *testing.T, f func(r *rig)) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) { f(newRig(t, db)) })
}

func newRig(t *testing.T, db *sqldb.DB) *rig {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, db: db, now: morning}
	by := ledger.By{Actor: ledger.Operator, At: morning}
	if err := db.SaveFarm(t.Context(), f, by); err != nil {
		t.Fatal(err)
	}
	_, err = db.SaveRecords(t.Context(), []farm.Record{
		{Kind: farm.Product, ID: "rophi", Values: form.Values{"name": "Cá rô phi", "branch": "fish", "gtin": fish}},
		{Kind: farm.Buyer, ID: "bep", Values: form.Values{"name": "Bếp ăn trường học", "buyer_type": "school"}},
	}, by)
	if err != nil {
		t.Fatal(err)
	}
	l := trace.Lot{GTIN: fish, Code: "AO1-261124", Places: []string{f.Places[0].Code}, Stocked: morning.AddDate(0, -4, 0), Harvested: morning.AddDate(0, 0, -1), KG: 100, State: trace.Harvested}
	if err := db.SaveLot(t.Context(), l, by); err != nil {
		t.Fatal(err)
	}
	r.lot = l.Link().Ref()
	clock := func() time.Time { return r.now }
	r.goods = flow.New(db, db, flow.Defaults(), rand.Reader, clock, slog.New(slog.DiscardHandler))
	r.desk = printjob.New(db, rand.Reader, clock, slog.New(slog.DiscardHandler))
	return r
}

func (r *rig) move(who flow.Who, g trace.Goods) trace.Goods {
	r.Helper()
	r.now = r.now.Add(time.Minute)
	out, err := r.goods.Take(r.Context(), who, g)
	if err != nil {
		r.Fatalf("%s: %v", g.Kind, err)
	}
	return out
}

// pack packs items of 500 g.
func (r *rig) pack(step string, count int) string {
	r.Helper()
	return r.move(lan, trace.Goods{Kind: trace.Pack, Step: step, In: []trace.Part{{Ref: r.lot}}, Out: []trace.Part{{Ref: r.lot, Count: count}}, NetG: 500}).ID
}

func (r *rig) release() {
	r.Helper()
	r.move(minh, trace.Goods{Kind: trace.Issue, In: []trace.Part{{Ref: r.lot}}})
}

func sheet() printjob.Paper { return printjob.Paper{Sheet: "L7160", Start: 1} }

// print takes a print that has to be taken.
func (r *rig) print(o printjob.Order) printjob.Job {
	r.Helper()
	r.now = r.now.Add(time.Minute)
	j, err := r.desk.Take(r.Context(), lan, o)
	if err != nil {
		r.Fatalf("%+v: %v", o, err)
	}
	return j
}

// lines are why a print is refused.
type lines []printjob.Line

// refused takes a print that has to be refused.
func (r *rig) refused(who flow.Who, o printjob.Order, code printjob.Code) lines {
	r.Helper()
	_, err := r.desk.Take(r.Context(), who, o)
	bad, ok := errors.AsType[*printjob.RefusedError](err)
	if !ok || bad.Code != code {
		r.Fatalf("%+v: %v, want it refused: %s", o, err, code)
	}
	return bad.Lines
}

func (r *rig) run(id string) printjob.Run {
	r.Helper()
	l, _ := r.lot.Link()
	of, err := r.desk.Lot(r.Context(), l)
	if err != nil {
		r.Fatal(err)
	}
	for _, run := range of.Runs {
		if run.ID == id {
			return run
		}
	}
	r.Fatalf("no run %s", id)
	return printjob.Run{}
}
