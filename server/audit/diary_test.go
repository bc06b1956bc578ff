package audit_test

import (
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/media"
	"aovuon/server/trace"
)

// diary puts on record a product without a GTIN, a season, a certificate whose scope was made smaller, entries with photos, a lot that was held
// and let go, and entries of somebody who was erased.
func (b *book) diary(place string, do func(error)) {
	ctx := b.t.Context()
	save := func(k farm.RecordKind, id string, rev int64, v form.Values) {
		_, err := b.db.SaveRecord(ctx, farm.Record{Kind: k, ID: id, Revision: rev, Values: v}, by(b.now))
		do(err)
	}
	save(farm.Product, "khoai", 0, form.Values{"name": "Khoai tây", "branch": "crop"})
	save(farm.Product, "rophi", 0, form.Values{"name": "Cá rô phi", "branch": "fish"})
	save(farm.Cycle, "vu-dong", 0, form.Values{"name": "Khoai đông", "place": place, "branch": "crop", "product": "khoai", "species": "khoai tây", "season": "2026", "begin": "2026-10-01"})
	scope := form.Values{
		"scheme": "vietgap", "standard": "TCVN 11892-1", "edition": "2017", "number": "VG-1", "issuer": "QUACERT", "products": []string{"khoai", "rophi"}, "places": []string{place},
		"from": "2026-01-01", "to": "2027-12-31",
	}
	save(farm.Certificate, "vg", 0, scope)
	scope["products"] = []string{"khoai"}
	save(farm.Certificate, "vg", 1, scope)
	do(b.db.AddAccount(ctx, account.Account{ID: "u-DDDDDDDD", Login: "hai", Name: "Phạm Thị Hai", Role: account.Farmer, Made: b.now}, nil, by(b.now)))
	for i, who := range []string{"u-BBBBBBBB", "u-DDDDDDDD"} {
		hash := []string{"aa", "bb"}[i]
		do(b.db.AddMedia(ctx, media.Item{SHA256: hash, Kept: "kept of " + hash, Type: "image/jpeg", Size: 1000}, ledger.By{Actor: who, At: b.now}))
		e := diary.Event{
			ID: []string{"01KAV5N2A00000000000000001", "01KAV5N2A00000000000000002"}[i], Kind: diary.Harvest, Place: place, Cycle: "vu-dong", Values: form.Values{"kg": 500.0, "lot_code": "B2"},
			Note: "của tôi", Media: []diary.Media{{SHA256: hash, Type: "image/jpeg"}}, Actor: who, Device: "d-1", Occurred: b.now, Recorded: b.now, Synced: b.now,
		}
		_, err := b.db.AddEvent(ctx, e, by(b.now))
		do(err)
	}
	list, err := b.db.Products(ctx)
	do(err)
	lot := desk.Standing{Lot: trace.Lot{
		GTIN: farm.InternalNumber(1), Code: "B2", Places: []string{place}, Stocked: b.now, Harvested: b.now, KG: 500, State: trace.Held, Cycle: "vu-dong",
		Harvests: []string{"01KAV5N2A00000000000000001"}, Barred: []string{"Hữu cơ"},
	}}
	if len(list) < 3 || list[0].GTIN != lot.Lot.GTIN || list[0].Record != "khoai" {
		b.t.Fatalf("products: %+v", list)
	}
	lot.Hold = &desk.Hold{Held: b.now, By: "u-BBBBBBBB", Causes: []desk.Cause{{Rule: "phi", Event: "01KAV5N2A00000000000000009", Clears: b.now.Add(time.Hour)}}}
	_, err = b.db.Keep(ctx, desk.Keeping{Lots: []desk.Change{{Now: lot}}}, by(b.now))
	do(err)
	now := lot
	h := *lot.Hold
	h.Released, h.ReleasedBy, h.Release = b.now.Add(time.Minute), "u-AAAAAAAA", "01KAV5N2A00000000000000003"
	now.Hold, now.Lot.State = &h, trace.Harvested
	_, err = b.db.Keep(ctx, desk.Keeping{Lots: []desk.Change{{Was: &lot, Now: now}}}, by(b.now.Add(time.Minute)))
	do(err)
	do(b.db.EraseAccount(ctx, "u-DDDDDDDD", by(b.now.Add(time.Hour))))
}
