package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/kin"
	"aovuon/server/trace/recall"
)

func (s *Server) recallPage(r *http.Request, w *words) (answer, error) {
	return s.recallForm(r, w, "")
}

func (s *Server) recallForm(r *http.Request, w *words, wrong string) (answer, error) {
	ctx := r.Context()
	n, err := s.namer(ctx, w)
	if err != nil {
		return answer{}, err
	}
	v := recallView{Begun: strconv.FormatInt(s.o.Now().UnixMilli(), 10), Wrong: wrong, Do: s.may(ctx, account.ReleaseLot)}
	if err := s.offer(ctx, n, &v); err != nil {
		return answer{}, err
	}
	list, err := s.o.Recall.Recalls(ctx)
	if err != nil {
		return answer{}, err
	}
	v.Open, v.Over = n.rows(list)
	res, err := s.draw(r, w, "recall.html", "recall", w.t("recall.title"), func(fr frame) any { v.frame = fr; return v })
	if wrong != "" {
		res.status = http.StatusUnprocessableEntity
	}
	return res, err
}

// foundView is what a recall would touch, before it is one.
type foundView struct {
	frame
	touchedPart
	What   string
	ID     string
	Begun  string
	Hidden [][2]string
	Unsure string // uses of which nobody wrote the lot down
	With   string // where they are taken along
	Took   string
	Wrong  string
	Reason string
	Any    bool
	Do     bool
	Again  bool // each of its lots is recalled already
	Why    []string
}

func (s *Server) recallFound(r *http.Request, w *words) (answer, error) {
	return s.foundForm(r, w, foundView{Begun: r.URL.Query().Get("begun")})
}

func (s *Server) foundForm(r *http.Request, w *words, v foundView) (answer, error) {
	ctx := r.Context()
	n, err := s.namer(ctx, w)
	if err != nil {
		return answer{}, err
	}
	if err := r.ParseForm(); err != nil {
		return s.recallForm(r, w, w.t("recall.wrong"))
	}
	ask, ok := askOf(n, r.Form)
	if !ok {
		return s.recallForm(r, w, w.t("recall.wrong"))
	}
	f, err := s.o.Recall.Find(ctx, ask)
	if errors.Is(err, recall.ErrTime) {
		return s.recallForm(r, w, w.t("recall.period"))
	}
	if err != nil {
		return answer{}, err
	}
	v.touchedPart = n.found(f, s.may(ctx, account.EditFarm))
	v.Why = reasons()
	v.What, v.Hidden, v.Took, v.Do = n.asked(ask), askFields(ask), w.seconds(f.Took), s.may(ctx, account.ReleaseLot)
	v.Any = len(f.Lots) > 0 || len(f.Deliveries) > 0
	v.Again = len(f.Lots) > 0 && !slices.ContainsFunc(f.Lots, func(l recall.Lot) bool { return l.State != trace.Recalled })
	if f.Unsure > 0 {
		v.Unsure = w.amount("recall.unsure", int64(f.Unsure))
		v.With = "/recall/found?" + withUnsure(r).Encode()
	}
	if v.Begun == "" {
		v.Begun = strconv.FormatInt(s.o.Now().UnixMilli(), 10)
	}
	if v.ID, err = s.newEventID(); err != nil {
		return answer{}, err
	}
	res, err := s.draw(r, w, "recallfound.html", "recall", w.t("recall.found.title"), func(fr frame) any { v.frame = fr; return v })
	if v.Wrong != "" {
		res.status = http.StatusUnprocessableEntity
	}
	return res, err
}

// reasons are those that a recall has most often; "other" is told in words.
func reasons() []string {
	return []string{"unsafe", "residue", "authority", "complaint", "label", "other"}
}

// reasonOf is the reason that a form gives, in Vietnamese: it is kept.
func (s *Server) reasonOf(r *http.Request) string {
	vi := s.e.words[Vietnamese]
	told := strings.TrimSpace(r.PostForm.Get("told"))
	why := r.PostForm.Get("why")
	key := "recall.reason." + why
	if !slices.Contains(reasons(), why) || why == "other" {
		return told
	}
	if told == "" {
		return vi.t(key)
	}
	return vi.t(key) + ": " + told
}

func (s *Server) recallStart(r *http.Request, w *words) (answer, error) {
	n, err := s.namer(r.Context(), w)
	if err != nil {
		return answer{}, err
	}
	v := foundView{Begun: r.PostForm.Get("begun"), Reason: r.PostForm.Get("told")}
	ask, ok := askOf(n, r.PostForm)
	if !ok {
		return s.recallForm(r, w, w.t("recall.wrong"))
	}
	do := r.PostForm.Get("do")
	if do != "recall" && do != "drill" { // a real recall is never what an order means that does not say which it is
		v.Wrong = w.t("recall.which")
		return s.foundForm(r, w, v)
	}
	o := recall.Order{ID: r.PostForm.Get("id"), Ask: ask, Reason: s.reasonOf(r), Drill: do == "drill", Begun: begunAt(r.PostForm, s.o.Now())}
	_, _, err = s.o.Recall.Start(r.Context(), s.mover(r), o)
	if refused, is := errors.AsType[*flow.RefusedError](err); is {
		v.Wrong = w.t("problem.goods." + string(refused.Code))
		return s.foundForm(r, w, v)
	}
	for key, is := range map[string]error{"recall.why": recall.ErrReason, "recall.none": recall.ErrNone, "goods.unreadable": recall.ErrID} {
		if errors.Is(err, is) {
			v.Wrong = w.t(key)
			return s.foundForm(r, w, v)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage("/recall/"+o.ID, w.lang)}, nil
}

// recallOneView is a recall or a drill: whom to call, what was found, how long it took.
type recallOneView struct {
	frame
	touchedPart
	Rec         recall.Record
	What        string
	Head        string
	Begun, Done string
	Total, Took string
	Ended       string
	Who         string
	Do          bool
	Hidden      [][2]string // of an order that brings it to its end, or takes along what was found since
	ID          string
	New         string // what was found since
	Wrong       string
}

func (s *Server) recallOne(r *http.Request, w *words) (answer, error) { return s.oneForm(r, w, "") }

func (s *Server) oneForm(r *http.Request, w *words, wrong string) (answer, error) {
	ctx := r.Context()
	rec, ok, err := s.o.Recall.Recall(ctx, r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.recall", "")
	}
	n, err := s.namer(ctx, w)
	if err != nil {
		return answer{}, err
	}
	f, since, err := s.foundOf(r, rec)
	if err != nil {
		return answer{}, err
	}
	v := recallOneView{
		touchedPart: n.found(f, s.may(ctx, account.EditFarm)), Rec: rec, What: n.asked(rec.Ask), Wrong: wrong, Do: s.may(ctx, account.ReleaseLot), Who: n.t.who(rec.Actor),
		Begun: w.dateTime(rec.Begun), Took: w.seconds(time.Duration(rec.FoundMS) * time.Millisecond), Hidden: askFields(rec.Ask), Head: "recall.head",
	}
	if rec.Drill {
		v.Head = "recall.head.drill"
	}
	if !rec.Open() {
		v.Head += ".over"
	}
	v.Head = w.t(v.Head)
	if !rec.Marked.IsZero() {
		v.Done, v.Total = w.dateTime(rec.Marked), w.seconds(rec.Marked.Sub(rec.Begun))
	}
	if !rec.Open() {
		v.Ended = w.dateTime(rec.Ended)
	}
	if v.ID = rec.ID; since > 0 && rec.Open() && !rec.Drill && !rec.Marked.IsZero() {
		v.New = w.amount("recall.since", int64(since))
		if v.ID, err = s.newEventID(); err != nil {
			return answer{}, err
		}
	}
	res, err := s.draw(r, w, "recallone.html", "recall", v.Head, func(fr frame) any { v.frame = fr; return v })
	if wrong != "" {
		res.status = http.StatusUnprocessableEntity
	}
	return res, err
}

// foundOf finds what a recall is about as it stands now, and how many lots there are that it did not find then. What it began with may have been
// erased: then its lots are what is left of it.
func (s *Server) foundOf(r *http.Request, rec recall.Record) (f recall.Found, since int, err error) {
	f, err = s.o.Recall.Find(r.Context(), rec.Ask)
	if errors.Is(err, recall.ErrNothing) {
		var starts []kin.Start
		for _, l := range rec.Links() {
			starts = append(starts, kin.From(l.Ref())...)
		}
		f, err = recall.Downstream(r.Context(), s.o.Recall, starts)
	}
	return f, rec.Since(f), err
}

func (s *Server) recallEnd(r *http.Request, w *words) (answer, error) {
	_, err := s.o.Recall.End(r.Context(), s.mover(r), r.PathValue("id"), strings.TrimSpace(r.PostForm.Get("reason")))
	if refused, is := errors.AsType[*flow.RefusedError](err); is {
		return s.oneForm(r, w, w.t("problem.goods."+string(refused.Code)))
	}
	for key, is := range map[string]error{"recall.why": recall.ErrReason, "recall.over": recall.ErrEnded} {
		if errors.Is(err, is) {
			return s.oneForm(r, w, w.t(key))
		}
	}
	if err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage("/recall/"+r.PathValue("id"), w.lang)}, nil
}
