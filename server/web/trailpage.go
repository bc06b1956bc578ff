package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/privacy"
)

// Trail is who changed what, with before and after; see sqldb.DB.
type Trail interface {
	Trail(ctx context.Context, before int64, limit int, actor string) ([]ledger.Said, error)
}

// trailShown is how many changes a page lists.
const trailShown = 30

type trailView struct {
	frame
	Rows  []trailLine
	Older string // link; empty: there is nothing older
	Who   string // whose changes; empty: everybody's
}

type trailLine struct {
	N       int64
	At      time.Time
	Actor   string
	Who     string // the name, while the account is there
	Kind    string
	Subject string
	What    string
	Before  string
	After   string
	Erased  bool
}

// trailPage lists who changed what. Names come from the accounts, so they are gone when a person's data is; the ledger knows pseudonyms.
func (s *Server) trailPage(r *http.Request, w *words) (answer, error) {
	q := r.URL.Query()
	before, err := strconv.ParseInt(q.Get("before"), 10, 64)
	if q.Get("before") != "" && (err != nil || before < 1) {
		return s.missing(r, w, "missing.page", "")
	}
	v := trailView{Who: q.Get("who")}
	if len(v.Who) > 40 {
		return s.missing(r, w, "missing.page", "")
	}
	list, err := s.o.Trail.Trail(r.Context(), before, trailShown+1, v.Who)
	if err != nil {
		return answer{}, err
	}
	people, err := s.o.Accounts.People.Accounts(r.Context())
	if err != nil {
		return answer{}, err
	}
	names := map[string]string{ledger.Server: w.t("actor.server"), ledger.Operator: w.t("actor.operator")}
	for _, a := range people {
		names[a.ID] = a.Name
	}
	if len(list) > trailShown {
		list = list[:trailShown]
		v.Older = inLanguage("/trail?before="+strconv.FormatInt(list[trailShown-1].N, 10)+whoQuery(v.Who), w.lang)
	}
	for _, e := range list {
		v.Rows = append(v.Rows, trailRow(w, e, names))
	}
	return s.draw(r, w, "trail.html", "trail", w.t("trail.title"), func(f frame) any { v.frame = f; return v })
}

func whoQuery(who string) string {
	if who == "" {
		return ""
	}
	return "&who=" + who
}

// changeBody is how bodies of kinds account and change say both sides themselves.
type changeBody struct {
	What   string          `json:"what"`
	Of     string          `json:"of"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

func trailRow(w *words, e ledger.Said, names map[string]string) trailLine {
	l := trailLine{
		N: e.N, At: e.Leaf.Time, Actor: e.Leaf.Actor, Who: names[e.Leaf.Actor], Kind: w.t("leaf." + string(e.Leaf.Kind)), Subject: e.Leaf.Subject, Erased: e.Body == nil,
	}
	if name := names[l.Subject]; name != "" {
		l.Subject = name + " (" + l.Subject + ")"
	}
	if e.Leaf.Kind != ledger.AccountChanged && e.Leaf.Kind != ledger.Changed {
		l.Before, l.After = indented(rough(e.Before)), indented(rough(e.Body))
		return l
	}
	var b changeBody
	if err := json.Unmarshal(e.Body, &b); err != nil {
		l.After = indented(e.Body)
		return l
	}
	if l.What = b.What; w.has("what." + b.What) {
		l.What = w.t("what." + b.What)
	}
	if b.Of != "" {
		l.What += " " + b.Of
	}
	l.Before, l.After = indented(b.Before), indented(b.After)
	return l
}

// rough returns the body of an entry with the place where the phone was as everybody may know it. Other bodies come back as they are.
func rough(raw []byte) []byte {
	var entry map[string]json.RawMessage
	var body map[string]json.RawMessage
	var at struct {
		Degrees []float64 `json:"exact"` // north, east
		Acc     float64   `json:"acc"`
	}
	if json.Unmarshal(raw, &entry) != nil || json.Unmarshal(entry["body"], &body) != nil || json.Unmarshal(body["position"], &at) != nil || len(at.Degrees) != 2 {
		return raw
	}
	delete(body, "position")
	if p, err := privacy.NewPoint(at.Degrees[0], at.Degrees[1]); err == nil {
		shown, errP := json.Marshal(diary.Position{Point: p, Acc: at.Acc})
		if errP == nil {
			body["position"] = shown
		}
	}
	inner, err := json.Marshal(body)
	if err != nil {
		return nil
	}
	entry["body"] = inner
	out, err := json.Marshal(entry)
	if err != nil {
		return nil
	}
	return out
}

// maxShown bounds how much of a body a page shows.
const maxShown = 20_000

func indented(raw []byte) string {
	var b bytes.Buffer
	if len(raw) == 0 || json.Indent(&b, raw, "", " ") != nil {
		return string(raw)
	}
	if s := b.String(); len(s) > maxShown {
		return s[:maxShown] + "\n…"
	}
	return b.String()
}
