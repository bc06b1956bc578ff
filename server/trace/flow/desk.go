package flow

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// Desk takes orders. It is safe for concurrent use.
type Desk struct {
	book   Book
	store  Store
	terms  Terms
	random io.Reader
	now    func() time.Time
	log    *slog.Logger
}

// New makes a desk. random is where serials are drawn from.
func New(book Book, store Store, terms Terms, random io.Reader, now func() time.Time, log *slog.Logger) *Desk {
	return &Desk{book: book, store: store, terms: terms, random: random, now: now, log: log}
}

// Take takes an order and returns the event that was kept, with what was filled in: id, times, serials that were chosen, numbers of new lots
// and boxes. The serials of a Pack are not in it: the store's Items lists them. An order whose id is that of an event that says the same is
// answered with that. A RefusedError says what is wrong; any other error is the server's.
func (d *Desk) Take(ctx context.Context, who Who, order trace.Goods) (trace.Goods, error) {
	t := &taking{Desk: d, who: who, clock: d.now().UTC().Truncate(time.Millisecond), stock: newStock(), lots: map[trace.Ref]*lotNow{}}
	t.g = tidy(order)
	if err := t.check(); err != nil {
		return trace.Goods{}, err
	}
	if err := t.read(ctx); err != nil {
		return trace.Goods{}, fmt.Errorf("flow: %w", err)
	}
	var out trace.Goods
	err := d.store.Move(ctx, ledger.By{Actor: who.Actor, At: t.clock}, func(ctx context.Context, s Shelf) (Kept, error) {
		t.shelf = s
		old, there, err := t.known(ctx)
		if err != nil || there {
			out = old
			return Kept{}, err
		}
		k, err := t.decide(ctx)
		out = k.Goods
		return k, err
	})
	if err != nil {
		return trace.Goods{}, fmt.Errorf("flow: %s: %w", order.Kind, err)
	}
	d.log.Info("goods", slog.String("kind", string(out.Kind)), slog.String("event", out.ID))
	return out, nil
}

// Account draws up the mass account of a lot. The error wraps trace.ErrUnknown.
func (d *Desk) Account(ctx context.Context, l trace.Link) (a Account, err error) {
	t := &taking{Desk: d}
	if err := t.read(ctx); err != nil {
		return Account{}, fmt.Errorf("flow: account of lot %s: %w", l.Lot, err)
	}
	err = d.store.Look(ctx, func(ctx context.Context, s Shelf) (err error) {
		t.shelf = s
		now, err := s.Lot(ctx, l)
		if err != nil {
			return err
		}
		if a, err = accountOf(ctx, s, l); err != nil {
			return err
		}
		a.Bound, _, err = t.bounds(ctx, now.Lot, a.made())
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("flow: account of lot %s: %w", l.Lot, err)
	}
	return a, nil
}

func accountOf(ctx context.Context, s Shelf, l trace.Link) (Account, error) {
	now, err := s.Lot(ctx, l)
	if err != nil {
		return Account{}, err
	}
	events, err := s.GoodsOf(ctx, l.Ref())
	if err != nil {
		return Account{}, err
	}
	uses, err := s.Uses(ctx, l.Lot)
	if err != nil {
		return Account{}, err
	}
	a := Reckon(now.Lot, events, uses)
	a.Items, _, err = s.Counts(ctx, l)
	return a, err
}

// needs is the right that an order of a kind needs.
func needs(kind trace.GoodsKind) account.Action {
	switch kind {
	case trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall:
		return account.ReleaseLot
	case trace.Transform, trace.Pack, trace.FillBox, trace.EmptyBox, trace.Ship, trace.Receive, trace.Return, trace.Destroy, trace.Hold, trace.Close, trace.Reopen, trace.Amend:
	}
	return account.EditFarm
}

// taking is one order on its way in.
type taking struct {
	*Desk
	who      Who
	clock    time.Time
	g        trace.Goods
	shelf    Shelf
	farm     *farm.Farm
	products []trace.Product
	branches map[string]farm.Branch // of products, by GTIN
	buyers   map[string]bool        // by id of the record
	stock    *stock
	lots     map[trace.Ref]*lotNow
	fresh    []trace.Lot // that come out
	releases []Release
}

// lotNow is a lot that an order touches.
type lotNow struct {
	LotNow
	was     trace.Lot
	account Account
	taken   int64 // milligrams that this order takes of it
	given   int64 // and gives back
}

// read reads what orders are checked against.
func (t *taking) read(ctx context.Context) (err error) {
	if t.farm, err = t.book.Farm(ctx); err != nil {
		return err
	}
	if t.products, err = t.book.Products(ctx); err != nil {
		return err
	}
	records, err := t.book.Records(ctx, farm.Product)
	if err != nil {
		return err
	}
	t.branches = map[string]farm.Branch{}
	for _, p := range t.products {
		for _, r := range records {
			if r.ID == p.Record {
				t.branches[p.GTIN] = farm.Branch(r.Values.Text("branch"))
			}
		}
	}
	buyers, err := t.book.Records(ctx, farm.Buyer)
	t.buyers = map[string]bool{}
	for _, r := range buyers {
		t.buyers[r.ID] = !r.Retired
	}
	return err
}

// known answers an order that came before.
func (t *taking) known(ctx context.Context) (trace.Goods, bool, error) {
	if t.g.ID == "" {
		return trace.Goods{}, false, nil
	}
	old, there, err := t.shelf.Event(ctx, t.g.ID)
	if err != nil || !there {
		return old, false, err
	}
	if !sameOrder(old, t.g, t.who.Actor) {
		return old, false, refuse(Reused)
	}
	return old, true, nil
}

// decide checks the order against what is on record, and says what is kept.
func (t *taking) decide(ctx context.Context) (Kept, error) {
	if err := t.stamp(ctx); err != nil {
		return Kept{}, err
	}
	if err := t.fetch(ctx); err != nil {
		return Kept{}, err
	}
	if err := t.after(); err != nil {
		return Kept{}, err
	}
	if err := t.one(ctx); err != nil {
		return Kept{}, err
	}
	k := Kept{Goods: t.g, Items: t.stock.changedItems(), Boxes: t.stock.changedBoxes(), Lots: t.fresh, Releases: t.releases}
	for _, ref := range sortedRefs(t.lots) {
		l := t.lots[ref]
		if l.Lot.State != l.was.State {
			k.Lots = append(k.Lots, l.Lot)
		}
	}
	if t.g.Kind == trace.Pack && t.g.Step != trace.StepActivate && t.g.Step != trace.StepPlain {
		link, _ := t.g.In[0].Ref.Link()
		k.Labels = labelsOf(link, t.g.ID, k.Items)
	}
	return k, nil
}

// one does what the kind of the order says.
func (t *taking) one(ctx context.Context) error {
	switch t.g.Kind {
	case trace.Transform:
		return t.transform(ctx)
	case trace.Receive:
		return t.receive(ctx)
	case trace.Pack:
		return t.pack()
	case trace.FillBox:
		return t.fill(ctx)
	case trace.EmptyBox:
		return t.empty()
	case trace.Ship:
		return t.ship(ctx)
	case trace.Return:
		return t.giveBack(ctx)
	case trace.Destroy:
		return t.destroy(ctx)
	case trace.Hold, trace.LetGo, trace.Issue, trace.Recall, trace.EndRecall, trace.Close, trace.Reopen:
		return t.state(ctx)
	case trace.Amend:
		return t.amend(ctx)
	}
	return refuse(BadKind)
}
