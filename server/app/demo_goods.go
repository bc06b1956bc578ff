package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// demoWho is who packs and ships in the demo: a pseudonym of nobody.
const demoWho = "u-kythuat"

// demoGoods does with the demo's lots what is done after a harvest, through the desk that pages use. Orders that were taken before are not taken
// again.
type demoGoods struct {
	ctx  context.Context //nolint:containedctx // of one command
	db   *sqldb.DB
	desk *flow.Desk
	day  time.Time // midnight of yesterday
	n    int       // orders
}

func keepDemoGoods(ctx context.Context, e *env, c Config, db *sqldb.DB, season bool) (int, error) {
	desk := flow.New(db, db, c.goods(), rand.Reader, e.now, slog.New(slog.DiscardHandler))
	g := &demoGoods{ctx: ctx, db: db, desk: desk, day: farm.Midnight(e.now()).AddDate(0, 0, -1)}
	steps := []func() error{g.fish}
	if season {
		steps = append(steps, g.sheets, g.potato)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return g.n, fmt.Errorf("demo: goods: %w", err)
		}
	}
	return g.n, nil
}

// at returns a time of yesterday.
func (g *demoGoods) at(hour float64) time.Time {
	return g.day.Add(time.Duration(hour * float64(time.Hour)))
}

// take takes an order under an id that is drawn from its name, so that it is taken once.
func (g *demoGoods) take(name string, order trace.Goods) (trace.Goods, error) {
	seed := sha256.Sum256([]byte("aovuon demo goods " + name))
	id, err := diary.NewID(order.At, ulid.Monotonic(bytes.NewReader(seed[:]), 0))
	if err != nil {
		return trace.Goods{}, err
	}
	order.ID = id
	out, err := g.desk.Take(g.ctx, flow.Who{Actor: demoWho, Role: account.Technician}, order)
	if err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	g.n++
	return out, nil
}

// lot finds the demo's lot whose code begins with a text and that was harvested last.
func (g *demoGoods) lot(code string) (ref trace.Ref, ok bool, err error) {
	lots, err := g.db.Lots(g.ctx)
	for _, l := range lots {
		if len(l.Code) >= len(code) && l.Code[:len(code)] == code && l.State != trace.Held && l.State != trace.Void {
			return l.Link().Ref(), true, err
		}
	}
	return trace.Ref{}, false, err
}

// way packs a lot, releases it, and fills boxes; so many of them are shipped to the school's kitchen where there is one.
func (g *demoGoods) way(name string, lot trace.Ref, hour float64, packs int, net float64, days, boxes, each, shipped int) error {
	pack := trace.Goods{Kind: trace.Pack, At: g.at(hour), In: []trace.Part{{Ref: lot}}, Out: []trace.Part{{Ref: lot, Count: packs}}, NetG: net, Best: g.day.AddDate(0, 0, days)}
	if _, err := g.take(name+" pack", pack); err != nil {
		return err
	}
	if _, err := g.take(name+" release", trace.Goods{Kind: trace.Issue, At: g.at(hour + 0.5), In: []trace.Part{{Ref: lot}}}); err != nil {
		return err
	}
	var away []trace.Part
	for n := range boxes {
		box, err := g.take(fmt.Sprintf("%s box %d", name, n+1), trace.Goods{Kind: trace.FillBox, At: g.at(hour + 1), In: []trace.Part{{Ref: lot, Count: each}}})
		if err != nil {
			return err
		}
		if n < shipped {
			away = append(away, trace.Part{Ref: box.Out[0].Ref})
		}
	}
	_, err := g.take(name+" ship", trace.Goods{Kind: trace.Ship, At: g.at(hour + 2), In: away, Buyer: "demo-bep", Document: "PX-MH-" + name, Vehicle: "Xe minh họa"})
	return err
}

// fish packs what was not sold at the pond. Without the season's register there is nobody to ship to.
func (g *demoGoods) fish() error {
	lot, ok, err := g.lot("AO1-")
	if err != nil || !ok {
		return err
	}
	if _, there, err := g.db.Record(g.ctx, farm.Buyer, "demo-bep"); err != nil || !there {
		if err == nil {
			_, err = g.take("fish release", trace.Goods{Kind: trace.Issue, At: g.at(8.5), In: []trace.Part{{Ref: lot}}})
		}
		return err
	}
	return g.way("fish", lot, 8, 200, 1000, 3, 8, 20, 5)
}

// sheets makes bánh đa of rice that was bought.
func (g *demoGoods) sheets() error {
	rice, okR, errR := g.product("demo-gao")
	made, okM, errM := g.product("demo-banh-da")
	if errR != nil || errM != nil || !okR || !okM {
		return errors.Join(errR, errM)
	}
	day := g.day.Format("060102")
	got, err := g.take("rice", trace.Goods{
		Kind: trace.Receive, At: g.at(6), Supplier: "Đại lý gạo minh họa", Document: "HD-MH-07", In: []trace.Part{{Ref: trace.Ref{Kind: trace.RefSupply, ID: "gao-te/MH-2611"}}},
		Out: []trace.Part{{Ref: trace.Link{GTIN: rice.GTIN, Lot: "GAO-" + day}.Ref(), KG: 300}},
	})
	if err != nil {
		return err
	}
	batch, err := g.take("sheets", trace.Goods{
		Kind: trace.Transform, Step: trace.StepProcess, At: g.at(16), In: []trace.Part{{Ref: got.Out[0].Ref, KG: 120}},
		Out: []trace.Part{{Ref: trace.Link{GTIN: made.GTIN, Lot: "BD-" + day}.Ref(), KG: 104}},
	})
	if err != nil {
		return err
	}
	return g.way("banhda", batch.Out[0].Ref, 17, 200, 500, 180, 5, 40, 3)
}

// potato grades what was not sold from the field.
func (g *demoGoods) potato() error {
	lot, ok, err := g.lot("KHOAI1-")
	if err != nil || !ok {
		return err
	}
	link, _ := lot.Link()
	graded, err := g.take("potato grade", trace.Goods{
		Kind: trace.Transform, Step: trace.StepGrade, At: g.at(9), In: []trace.Part{{Ref: lot, KG: 1500}},
		Out: []trace.Part{{Ref: trace.Ref{Kind: trace.RefLot, ID: link.GTIN + "/"}, KG: 1100, Grade: "1"}, {Ref: trace.Ref{Kind: trace.RefLot, ID: link.GTIN + "/"}, KG: 360, Grade: "2"}},
	})
	if err != nil {
		return err
	}
	return g.way("khoai", graded.Out[0].Ref, 10, 100, 5000, 60, 5, 20, 2)
}

func (g *demoGoods) product(record string) (trace.Product, bool, error) {
	list, err := g.db.Products(g.ctx)
	for _, p := range list {
		if p.Record == record {
			return p, true, err
		}
	}
	return trace.Product{}, false, err
}
