package flow_test

import (
	"testing"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// TestWayOut takes a lot the whole way: packed, boxed, boxed again, released, shipped.
func TestWayOut(t *testing.T) {
	each(t, func(r *rig) {
		run := r.pack(r.lot, 100)
		items := r.items(run.ID, trace.ItemActivated)
		if len(items) != 100 || items[41].N != 42 || items[41].NetG != 500 || !flow.ValidSerial(items[41].Serial) {
			r.Fatalf("items: %+v", items[41])
		}
		r.remaining(r.lot, 50)

		box := r.take(lan, trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: r.lot, Count: 60}}})
		sscc := box.Out[0].Ref
		if sscc.ID != "004000000000000015" || !flow.ValidSSCC(sscc.ID) || !farm.InternalSSCC(sscc.ID) {
			r.Fatalf("box %s", sscc)
		}
		big := r.take(lan, trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: sscc}, {Ref: r.lot, KG: 50}, {Ref: r.lot, Items: []string{items[99].Serial}}}})
		r.remaining(r.lot, 0)
		got, ok, err := r.db.Box(r.Context(), big.Out[0].Ref.ID)
		if err != nil || !ok || len(got.Parts) != 3 {
			r.Fatalf("box: %+v %v %v", got, ok, err)
		}

		ship := trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: big.Out[0].Ref}}, Buyer: "bep", Document: "PX-01"}
		r.refused(lan, ship, flow.BadState)
		r.take(minh, trace.Goods{Kind: trace.Issue, In: part(r.lot, 0)})
		r.state(r.lot, trace.Released)
		r.refused(lan, trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: sscc}}, Buyer: "bep"}, flow.BadBox)
		r.take(lan, ship)
		r.state(r.lot, trace.Released)
		i, ok, err := r.db.Item(r.Context(), items[0].Serial)
		if err != nil || !ok || i.State != trace.ItemShipped || i.Box != sscc.ID {
			r.Fatalf("item: %+v %v %v", i, ok, err)
		}
		r.take(lan, trace.Goods{Kind: trace.Ship, In: []trace.Part{{Ref: r.lot, Count: 39}}, Buyer: "bep"})
		r.state(r.lot, trace.Shipped)
		r.items(run.ID, trace.ItemShipped)

		// What went to one buyer, in a box within a box or by itself, is returned by nobody else.
		for _, thing := range []trace.Ref{{Kind: trace.RefItem, ID: items[0].Serial}, {Kind: trace.RefItem, ID: items[len(items)-1].Serial}, sscc, big.Out[0].Ref} {
			r.refused(lan, trace.Goods{Kind: trace.Return, In: []trace.Part{{Ref: thing}}, Buyer: "cho", Reason: "dập"}, flow.WrongBuyer)
		}
		r.take(lan, trace.Goods{Kind: trace.Return, In: []trace.Part{{Ref: trace.Ref{Kind: trace.RefItem, ID: items[0].Serial}}}, Buyer: "bep", Reason: "dập"})
		r.state(r.lot, trace.Released)
		r.refused(lan, trace.Goods{Kind: trace.Return, In: part(r.lot, 1), Buyer: "bep", Reason: "dập"}, flow.TooMuchBack)
		events, err := r.db.GoodsOf(r.Context(), trace.Ref{Kind: trace.RefItem, ID: items[0].Serial})
		if err != nil || len(events) != 3 {
			r.Errorf("events of an item: %+v %v", events, err)
		}
	})
}
