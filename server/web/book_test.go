package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	takes "aovuon/server/diary/desk"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/media"
	"aovuon/server/sqldb"
	"aovuon/server/web"
)

// townBook is the diary of a co-op: the real desk, register and shelf, on its database. Its desk can be made to fail.
type townBook struct {
	*sqldb.DB
	shelf *media.Shelf
	t     testing.TB
	desk  *takes.Desk

	mu    sync.Mutex
	takes int   // how often entries were brought
	fails error // of the next takes
}

func newTownBook(t testing.TB, db *sqldb.DB, f *farm.Farm) *townBook {
	t.Helper()
	by := ledger.By{Actor: ledger.Operator, At: now()}
	if err := db.SaveFarm(t.Context(), f, by); err != nil {
		t.Fatal(err)
	}
	r := func(kind farm.RecordKind, id string, v form.Values) farm.Record {
		return farm.Record{Kind: kind, ID: id, Values: v}
	}
	b := &townBook{DB: db, shelf: media.New(t.TempDir(), db), t: t}
	b.desk = takes.New(db, db, takes.Rules(func(_ context.Context, c gate.Case) (gate.Verdict, error) {
		c.Settings = gate.Defaults()
		return gate.Judge(c), nil
	}), b.now, slog.New(slog.DiscardHandler))
	for _, rec := range []farm.Record{
		r(farm.Product, "prd0000001", form.Values{"name": "Cá rô phi tươi", "branch": "fish"}),
		r(farm.Cycle, "cyc0000001", form.Values{"name": "Rô phi thu 2026", "place": own, "branch": "fish", "species": "cá rô phi", "season": "vụ thu 2026", "begin": "2026-09-01", "product": "prd0000001"}),
		r(farm.Cycle, "cyc0000002", form.Values{"name": "Chép 2026", "place": foreign, "branch": "fish", "species": "cá chép", "season": "2026", "begin": "2026-03-01"}),
		r(farm.Input, "inp0000001", form.Values{"name": "Cám cá 30 % đạm", "type": "feed", "unit": "kg"}),
		r(farm.Input, "inp0000002", form.Values{"name": "Oxytetracyclin 20 %", "type": "drug", "unit": "g", "actives": []string{"oxytetracycline"}, "withdrawal_days": 21.0}),
		r(farm.Input, "inp0000003", form.Values{"name": "Vôi bột", "type": "lime", "unit": "kg"}),
		r(farm.Buyer, "buy0000001", form.Values{"name": "Công ty Thực phẩm Hải Dương", "phone": "0912345678"}),
	} {
		if _, err := db.SaveRecord(t.Context(), rec, by); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// now is the pages' clock, which goes on a little with every take: no two entries come at once.
func (b *townBook) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now().Add(time.Duration(b.takes) * 10 * time.Millisecond)
}

// Take implements web.Desk.
func (b *townBook) Take(ctx context.Context, by web.Writer, sent []diary.Sent) ([]diary.Outcome, error) {
	b.mu.Lock()
	b.takes++
	err := b.fails
	b.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return b.desk.Take(ctx, takes.Who{Actor: by.Actor, Device: by.Device, Own: by.Own, Role: by.Role}, sent)
}

// taken is how often entries were brought.
func (b *townBook) taken() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.takes
}

// failing has the desk fail, or not any more.
func (b *townBook) failing(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails = err
}

// put puts events on record past the desk.
func (b *townBook) put(events ...diary.Event) {
	b.t.Helper()
	for _, e := range events {
		if _, err := b.AddEvent(b.t.Context(), e, ledger.By{Actor: ledger.Operator, At: now()}); err != nil {
			b.t.Fatal(err)
		}
	}
}

// kept is what the database holds of a kind; "": everything.
func (b *townBook) kept(kind string) []diary.Event {
	b.t.Helper()
	out, err := b.Events(b.t.Context(), diary.Query{})
	if err != nil {
		b.t.Fatal(err)
	}
	return slices.DeleteFunc(out, func(e diary.Event) bool { return kind != "" && e.Kind != kind })
}

func webWriter(actor string) web.Writer {
	return web.Writer{Actor: actor, Role: account.Admin, Own: func(string) bool { return true }}
}

func sumOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// jpegOf is a small photo.
func jpegOf(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
