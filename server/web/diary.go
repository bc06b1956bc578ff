package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
)

// Book is the diary on record, and the farm's register it speaks of; sqldb.DB is one.
type Book interface {
	// RegisterRevision changes whenever Records would.
	RegisterRevision(ctx context.Context) (string, error)
	Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error)
	Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
	Event(ctx context.Context, id string) (diary.Event, bool, error)
}

// Writer is who sends entries.
type Writer struct {
	Actor, Device string
	Own           func(place string) bool // may write there; "" is the co-op as a whole
	Role          account.Role
}

// Desk takes entries in; each is answered by itself.
type Desk interface {
	Take(ctx context.Context, by Writer, sent []diary.Sent) ([]diary.Outcome, error)
}

// diaryRoutes are where the diary is written and read, on pages and by the phones' outbox.
func (s *Server) diaryRoutes() []route {
	if s.o.Book == nil || s.o.Desk == nil || s.o.Accounts == nil {
		return nil
	}
	keep, read := needs(account.KeepDiary), needs(account.ReadBook)
	program := guard{action: account.KeepDiary, script: true}
	return []route{
		{"GET /p/{code}/log/{kind}", keep, s.page(s.logPage)},
		{"POST /p/{code}/log/{kind}", keep, s.upload(s.log)},
		{"GET /log/{kind}", keep, s.page(s.logPage)},
		{"POST /log/{kind}", keep, s.upload(s.log)},
		{"GET /diary", read, s.page(s.diaryPage)},
		{"GET /diary/{id}", read, s.page(s.entryPage)},
		{"GET /diary/{id}/correct", keep, s.page(s.correctPage)},
		{"POST /diary/{id}/correct", keep, s.upload(s.correct)},
		{"GET /diary/{id}/void", keep, s.page(s.correctPage)},
		{"POST /diary/{id}/void", keep, s.upload(s.correct)},
		{"POST /diary/{id}/undo", keep, s.form(s.undo)},
		{"GET /diary/{id}/media/{sum}", read, s.entryMedia},
		{"GET /outbox", everybody(), s.page(s.outboxPage)},
		{"POST /api/diary", program, s.apiDiary},
		{"PUT /api/media/{sum}", program, s.apiMedia},
		{"GET /api/me/farm", program, s.apiMyFarm},
	}
}

// mayWrite reports whether the visitor may write at a place; "": of the co-op as a whole, which is for those who see all of it.
func (s *Server) mayWrite(ctx context.Context, place string) bool {
	v := visitor(ctx)
	if v == nil || !s.may(ctx, account.KeepDiary) {
		return false
	}
	return s.may(ctx, account.SeeAllPlaces) || place != "" && slices.Contains(v.Account.Places, place)
}

// writer is the visitor as the desk knows people.
func (s *Server) writer(r *http.Request) Writer {
	v := visitor(r.Context())
	w := Writer{Actor: v.Account.ID, Role: v.Account.Role, Own: func(place string) bool { return s.mayWrite(r.Context(), place) }}
	if d := s.cookie(r, deviceCookie); d != "" && len(d) <= 100 {
		w.Device = "d-" + hex.EncodeToString(account.HashToken(d))[:12] // of a secret that is drawn by chance: it says nothing of the phone
	}
	return w
}

// newEventID draws the id of an entry that is written on a page.
func (s *Server) newEventID() (string, error) {
	return diary.NewID(s.o.Now(), ulid.Monotonic(rand.Reader, 0))
}

// register is the farm's register as one page needs it.
type register map[farm.RecordKind][]farm.Record

// registerNow returns the register on record, read again when it changed.
func (s *Server) registerNow(ctx context.Context) (register, string, error) {
	rev, err := s.o.Book.RegisterRevision(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("web: register: %w", err)
	}
	s.mu.Lock()
	reg, known := s.register, s.registerRev == rev
	s.mu.Unlock()
	if reg != nil && known {
		return reg, rev, nil
	}
	reg = register{}
	for _, k := range farm.RecordKinds() {
		if reg[k], err = s.o.Book.Records(ctx, k); err != nil {
			return nil, "", fmt.Errorf("web: register: %w", err)
		}
	}
	s.mu.Lock()
	s.register, s.registerRev = reg, rev
	s.mu.Unlock()
	return reg, rev, nil
}

// landAndRegister are the farm and its register as they stand: most pages of people who work here speak of both.
func (s *Server) landAndRegister(ctx context.Context) (*farm.Farm, register, error) {
	f, err := s.farmNow(ctx)
	if err != nil {
		return nil, nil, err
	}
	reg, _, err := s.registerNow(ctx)
	return f, reg, err
}

// record returns a record of the register.
func (g register) record(kind farm.RecordKind, id string) (farm.Record, bool) {
	i := slices.IndexFunc(g[kind], func(r farm.Record) bool { return r.ID == id })
	if i < 0 {
		return farm.Record{}, false
	}
	return g[kind][i], true
}

// openCycles are the seasons of a place that a day lies in, the newest first.
func (g register) openCycles(place string, now time.Time) []farm.Record {
	var out []farm.Record
	for _, c := range g[farm.Cycle] {
		if !c.Retired && c.Stands(place, now) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b farm.Record) int {
		return -cmpText(a.Values.Text("begin"), b.Values.Text("begin"))
	})
	return out
}

// offered gives fields of a kind of event what they may refer to.
func (g register) offered(w *words, f *farm.Farm, event string) refs {
	return func(kind string) []optionView {
		if kind == farm.RefPlace {
			return placeOptions(w, f)
		}
		list := g[farm.RecordKind(kind)]
		if types := diary.InputTypes(event); kind == string(farm.Input) && len(types) > 0 {
			list = slices.DeleteFunc(slices.Clone(list), func(r farm.Record) bool { return !slices.Contains(types, r.Values.Text("type")) })
		}
		opts := recordOptions(list)
		if kind == string(farm.Input) {
			markBanned(w, event, list, opts)
		}
		return opts
	}
}

// exists reports whether there is what a field refers to.
func (g register) exists(f *farm.Farm) func(kind, id string) bool {
	return func(kind, id string) bool {
		if kind == farm.RefPlace {
			_, ok := f.Place(id)
			return ok
		}
		_, ok := g.record(farm.RecordKind(kind), id)
		return ok
	}
}

func cmpText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
