package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/form"
)

func hexSum(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// entryAsked returns the entry an address names by the id of its first event or of any other; ok is false where the visitor may not read it.
func (s *Server) entryAsked(r *http.Request) (e diary.Entry, ok bool, err error) {
	id := strings.ToUpper(r.PathValue("id"))
	if !diary.ValidID(id) {
		return e, false, nil
	}
	ev, ok, err := s.o.Book.Event(r.Context(), id)
	if err != nil || !ok || !s.mayReadPlace(r.Context(), ev.Place) {
		return e, false, err
	}
	kinds := []string{ev.Kind} // with all that corrects them
	if ev.Kind == diary.Void {
		kinds = nil
	}
	q := diary.Query{Kinds: kinds}
	if ev.Place != "" {
		q.Places = []string{ev.Place}
	}
	events, err := s.o.Book.Events(r.Context(), q)
	if err != nil {
		return e, false, err
	}
	for _, e := range diary.Entries(events) {
		if slices.ContainsFunc(e.History, func(h diary.Event) bool { return h.ID == id }) {
			return e, true, nil
		}
	}
	return e, false, nil
}

type entryView struct {
	frame
	Line    entryLine
	Answers []answerLine
	History []eventLine
	Cycle   string
	Lots    []lotView // that it opened
	May     bool      // the visitor may correct it
	Undo    string    // id of the event that takes it back at once; empty: it is too late for that, a reason is asked for
}

type answerLine struct{ Label, Value string }

// eventLine is one event of an entry: as it was written, and what it changed.
type eventLine struct {
	Label            string
	Who              string
	Occurred, Synced time.Time
	Recorded         time.Time
	Skew             time.Duration
	Device           string
	Reason           string // of a void
	Changes          []changeLine
}

type changeLine struct{ Label, Before, After string }

// undoFor is how long after it came an entry is taken back without being asked why.
const undoFor = 10 * time.Minute

// entryPage is one entry, with everything that was ever written of it.
func (s *Server) entryPage(r *http.Request, w *words) (answer, error) {
	e, ok, err := s.entryAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.entry", "")
	}
	f, reg, err := s.landAndRegister(r.Context())
	if err != nil {
		return answer{}, err
	}
	t, err := s.teller(r.Context(), w, f, reg)
	if err != nil {
		return answer{}, err
	}
	v := entryView{Line: t.line(e), May: s.mayWrite(r.Context(), e.Place) && !e.Voided && e.Kind != "release"}
	k, _ := diary.KindOf(e.Kind)
	for _, fd := range k.Fields {
		if a := t.answer(fd, e.Values); a != "" {
			v.Answers = append(v.Answers, answerLine{w.t("field." + fd.Key), a})
		}
	}
	if c, ok := reg.record("cycle", e.Cycle); ok {
		v.Cycle = c.Name()
	}
	if v.Lots, err = s.lotsShown(r.Context(), w, f, t, e.Place, lotsOf(e)); err != nil {
		return answer{}, err
	}
	for i, h := range e.History {
		before := diary.Event{}
		if i > 0 {
			before = e.History[i-1]
		}
		v.History = append(v.History, t.event(k, before, h, i == 0))
	}
	if me := visitor(r.Context()); v.May && e.First.Actor == me.Account.ID && !e.Corrected() && s.o.Now().Sub(e.First.Synced) < undoFor {
		if v.Undo, err = s.newEventID(); err != nil {
			return answer{}, err
		}
	}
	return s.draw(r, w, "entry.html", "diary", v.Line.Label+" · "+w.dateTime(v.Line.At), func(fr frame) any { v.frame = fr; return v })
}

// event puts one event of an entry into words, with what it changed of the one before it.
func (t teller) event(k diary.Kind, before, e diary.Event, first bool) eventLine {
	l := eventLine{Label: t.w.t("entry.first"), Who: t.who(e.Actor), Occurred: e.At(), Recorded: e.Recorded, Synced: e.Synced, Skew: e.Skew.Abs(), Device: e.Device}
	if e.Kind == diary.Void {
		l.Label, l.Reason = t.w.t("entry.voided"), e.Values.Text("reason")
		return l
	}
	if first {
		return l
	}
	l.Label = t.w.t("entry.corrected")
	add := func(label, a, b string) {
		if a != b {
			l.Changes = append(l.Changes, changeLine{label, dash(a), dash(b)})
		}
	}
	for _, f := range k.Fields {
		add(t.w.t("field."+f.Key), t.answer(f, before.Values), t.answer(f, e.Values))
	}
	add(t.w.t("log.note"), before.Note, e.Note)
	add(t.w.t("log.when"), t.w.dateTime(before.At()), t.w.dateTime(e.At()))
	add(t.w.t("log.photos"), t.w.count(int64(len(before.Media))), t.w.count(int64(len(e.Media))))
	return l
}

func dash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// correctAsk returns the entry that is to be corrected or taken back, and the form to do it with.
func (s *Server) correctAsk(r *http.Request, w *words) (a logAsked, v logView, e diary.Entry, ok bool, err error) {
	e, ok, err = s.entryAsked(r)
	if err != nil || !ok || e.Voided || e.Kind == diary.Release || !s.mayWrite(r.Context(), e.Place) {
		return a, v, e, false, err
	}
	if a.farm, err = s.farmNow(r.Context()); err != nil {
		return a, v, e, false, err
	}
	if a.reg, _, err = s.registerNow(r.Context()); err != nil {
		return a, v, e, false, err
	}
	a.place, _ = a.farm.Place(e.Place)
	name := e.Kind
	if strings.HasSuffix(r.URL.Path, "/void") {
		name = diary.Void
	}
	if a.kind, ok = diary.KindOf(name); !ok {
		return a, v, e, false, nil
	}
	t, err := s.teller(r.Context(), w, a.farm, a.reg)
	v.Corrects, v.Cycle, v.Old = e.History[len(e.History)-1].ID, e.Cycle, t.line(e)
	if name == diary.Void {
		v.Old.Media = nil
	}
	return a, v, e, err == nil, err
}

// correctPage is the form that corrects an entry, filled with what it says now; or the one that takes it back.
func (s *Server) correctPage(r *http.Request, w *words) (answer, error) {
	a, v, e, ok, err := s.correctAsk(r, w)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.entry", "")
	}
	values := e.Values
	if a.kind.Name == diary.Void {
		values = form.Values{}
	} else {
		v.Note, v.Occurred = e.Note, e.At().In(w.zone).Format("2006-01-02T15:04")
	}
	return s.logForm(r, w, a, v, values, nil)
}

func (s *Server) correct(r *http.Request, w *words) (answer, error) {
	a, v, _, ok, err := s.correctAsk(r, w)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.entry", "")
	}
	if c := r.PostForm.Get("corrects"); diary.ValidID(c) { // what the form was filled from: another correction meanwhile is told, not overwritten
		v.Corrects = c
	}
	return s.keepEntry(r, w, a, v)
}

// undo takes an entry back right after it was written.
func (s *Server) undo(r *http.Request, w *words) (answer, error) {
	e, ok, err := s.entryAsked(r)
	if err != nil {
		return answer{}, err
	}
	id := r.PostForm.Get("id")
	if !ok || !s.mayWrite(r.Context(), e.Place) || !diary.ValidID(id) {
		return s.missing(r, w, "missing.entry", "")
	}
	back := "/diary/" + url.PathEscape(e.First.ID)
	now := s.o.Now()
	if visitor(r.Context()).Account.ID != e.First.Actor || now.Sub(e.First.Synced) >= undoFor {
		return answer{to: inLanguage(back+"/void", w.lang)}, nil
	}
	ev := diary.Event{
		ID: id, Kind: diary.Void, Place: e.Place, Cycle: e.Cycle, Values: form.Values{"reason": w.t("kept.reason")}, Corrects: e.First.ID, Occurred: now, Recorded: now,
	}
	if _, err := s.o.Desk.Take(r.Context(), s.writer(r), []diary.Sent{{Event: ev, SentAt: now}}); err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage(back, w.lang)}, nil
}
