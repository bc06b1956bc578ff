package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
	"aovuon/server/media"
	"aovuon/server/sqldb"
	"aovuon/server/web"
)

// memoryBook is a diary in memory, with the rules of the real one, beside the real register.
type memoryBook struct {
	*sqldb.DB
	farm *farm.Farm
	now  func() time.Time

	mu      sync.Mutex
	records []farm.Record
	events  []diary.Event
	media   map[string][]byte
	takes   int   // how often entries were brought
	fails   error // of the next takes
}

func newMemoryBook(t testing.TB, db *sqldb.DB, f *farm.Farm) *memoryBook {
	t.Helper()
	by := ledger.By{Actor: ledger.Operator, At: now()}
	if err := db.SaveFarm(t.Context(), f, by); err != nil {
		t.Fatal(err)
	}
	r := func(kind farm.RecordKind, id string, v form.Values) farm.Record {
		return farm.Record{Kind: kind, ID: id, Values: v}
	}
	b := &memoryBook{DB: db, farm: f, now: now, media: map[string][]byte{}}
	for _, rec := range []farm.Record{
		r(farm.Product, "prd0000001", form.Values{"name": "Cá rô phi tươi", "branch": "fish"}),
		r(farm.Cycle, "cyc0000001", form.Values{"name": "Rô phi thu 2026", "place": own, "branch": "fish", "species": "cá rô phi", "season": "vụ thu 2026", "begin": "2026-09-01", "product": "prd0000001"}),
		r(farm.Cycle, "cyc0000002", form.Values{"name": "Chép 2026", "place": foreign, "branch": "fish", "species": "cá chép", "season": "2026", "begin": "2026-03-01"}),
		r(farm.Input, "inp0000001", form.Values{"name": "Cám cá 30 % đạm", "type": "feed", "unit": "kg"}),
		r(farm.Input, "inp0000002", form.Values{"name": "Oxytetracyclin 20 %", "type": "drug", "unit": "g", "actives": []string{"oxytetracycline"}, "withdrawal_days": 21.0}),
		r(farm.Input, "inp0000003", form.Values{"name": "Vôi bột", "type": "lime", "unit": "kg"}),
		r(farm.Buyer, "buy0000001", form.Values{"name": "Công ty Thực phẩm Hải Dương", "phone": "0912345678"}),
	} {
		kept, err := db.SaveRecord(t.Context(), rec, by)
		if err != nil {
			t.Fatal(err)
		}
		b.records = append(b.records, kept)
	}
	return b
}

func (b *memoryBook) Events(_ context.Context, q diary.Query) ([]diary.Event, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []diary.Event
	for _, e := range b.events {
		if (len(q.Places) == 0 || slices.Contains(q.Places, e.Place)) && (len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind)) && (q.Cycle == "" || q.Cycle == e.Cycle) &&
			(q.From.IsZero() || !e.At().Before(q.From)) && (q.To.IsZero() || e.At().Before(q.To)) {
			out = append(out, e)
		}
	}
	if q.Newest > 0 && len(out) > q.Newest {
		out = out[len(out)-q.Newest:]
	}
	return out, nil
}

func (b *memoryBook) Event(_ context.Context, id string) (diary.Event, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.event(id)
}

func (b *memoryBook) event(id string) (diary.Event, bool, error) {
	i := slices.IndexFunc(b.events, func(e diary.Event) bool { return e.ID == id })
	if i < 0 {
		return diary.Event{}, false, nil
	}
	return b.events[i], true, nil
}

// kept returns what is kept of a kind; "": everything.
func (b *memoryBook) kept(kind string) []diary.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.events), func(e diary.Event) bool { return kind != "" && e.Kind != kind })
}

func (b *memoryBook) Keep(_ context.Context, raw []byte, _ ledger.By) (diary.Media, error) {
	m := diary.Media{Type: "image/jpeg"}
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
	case bytes.HasPrefix(raw, []byte("\x1a\x45\xdf\xa3")):
		m.Type = "audio/webm"
	default:
		return m, media.ErrKind
	}
	sum := sha256.Sum256(raw)
	m.SHA256 = hex.EncodeToString(sum[:])
	b.mu.Lock()
	defer b.mu.Unlock()
	b.media[m.SHA256] = bytes.Clone(raw)
	return m, nil
}

func (b *memoryBook) Media(_ context.Context, sum string) (diary.Media, []byte, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	raw, ok := b.media[sum]
	return diary.Media{SHA256: sum, Type: "image/jpeg"}, raw, ok, nil
}

func (b *memoryBook) Take(_ context.Context, by web.Writer, sent []diary.Sent) ([]diary.Outcome, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.takes++
	if b.fails != nil {
		return nil, b.fails
	}
	var out []diary.Outcome
	for _, s := range sent {
		out = append(out, b.take(by, s))
	}
	return out, nil
}

func (b *memoryBook) take(by web.Writer, s diary.Sent) diary.Outcome {
	e := s.Event
	e.Actor, e.Device, e.Synced = by.Actor, by.Device, b.now()
	if skew := b.now().Sub(s.SentAt); skew.Abs() > diary.MaxSkew {
		e.Skew = skew
	}
	refused := func(code string, p form.Problems) diary.Outcome {
		return diary.Outcome{ID: e.ID, State: diary.Refused, Code: code, Problems: p}
	}
	g := diary.Ground{
		Farm: b.farm, Own: by.Own, Now: b.now(), Media: func(sum string) bool { _, ok := b.media[sum]; return ok },
		Event: func(id string) (diary.Event, bool) { e, ok, _ := b.event(id); return e, ok }, //nolint:errcheck // it never fails
		Record: func(kind farm.RecordKind, id string) (farm.Record, bool) {
			i := slices.IndexFunc(b.records, func(r farm.Record) bool { return r.Kind == kind && r.ID == id })
			if i < 0 {
				return farm.Record{}, false
			}
			return b.records[i], true
		},
	}
	checked, err := g.Check(e)
	if old, there, _ := b.event(e.ID); err == nil && there { //nolint:errcheck // it never fails
		if old.Same(checked) {
			return diary.Outcome{ID: e.ID, State: diary.Known}
		}
		return refused("reused", nil)
	}
	if invalid, ok := errors.AsType[*form.InvalidError](err); ok {
		return refused("fields", invalid.Problems)
	}
	for code, known := range map[string]error{
		"id": diary.ErrID, "kind": diary.ErrKind, "place": diary.ErrPlace, "cycle": diary.ErrCycle, "future": diary.ErrFuture, "old": diary.ErrOld, "media": diary.ErrMedia,
		"note": diary.ErrNote, "corrects": diary.ErrCorrects,
	} {
		if errors.Is(err, known) {
			return refused(code, nil)
		}
	}
	if err != nil {
		return refused("shape", nil)
	}
	if e.Corrects != "" && slices.ContainsFunc(b.events, func(o diary.Event) bool { return o.Corrects == e.Corrects }) {
		return refused("corrects", nil)
	}
	b.events = append(b.events, checked)
	return diary.Outcome{ID: e.ID, State: diary.Kept}
}

func webWriter(actor string) web.Writer {
	return web.Writer{Actor: actor, Own: func(string) bool { return true }}
}

func sumOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
