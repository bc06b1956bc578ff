package web

import (
	"errors"
	"net/http"
	"strings"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// amendView asks why an event is said not to have happened.
type amendView struct {
	frame
	Line    goodsLine
	ID      string
	Back    string
	Lot     string // path of the lot that the visitor came from
	Reason  string
	Problem string
	Sums    []accountLine
}

// amendPage shows the event, and asks why.
func (s *Server) amendPage(r *http.Request, w *words) (answer, error) {
	return s.amendForm(r, w, amendView{Lot: r.URL.Query().Get("lot")})
}

func (s *Server) amendForm(r *http.Request, w *words, v amendView) (answer, error) {
	ctx := r.Context()
	link, err := trace.ParseLink(v.Lot, "")
	if err != nil {
		return s.missing(r, w, "missing.form", "")
	}
	events, err := s.lotGoods(ctx, link)
	if err != nil {
		return answer{}, err
	}
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return answer{}, err
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return answer{}, err
	}
	for _, line := range s.goodsLines(ctx, t, link, events) {
		if line.ID == r.PathValue("id") && line.Undo != "" {
			v.Line = line
		}
	}
	if v.Line.ID == "" {
		return s.missing(r, w, "missing.form", "")
	}
	if v.ID == "" {
		if v.ID, err = s.newEventID(); err != nil {
			return answer{}, err
		}
	}
	v.Back = lotHref(link)
	res, err := s.draw(r, w, "amend.html", "lots", w.t("goods.void"), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		res.status = http.StatusUnprocessableEntity
	}
	return res, err
}

// amend says that an event did not happen.
func (s *Server) amend(r *http.Request, w *words) (answer, error) {
	v := amendView{ID: r.PostForm.Get("id"), Lot: r.PostForm.Get("lot"), Reason: strings.TrimSpace(r.PostForm.Get("reason"))}
	if !diary.ValidID(v.ID) {
		v.ID, v.Problem = "", w.t("goods.unreadable")
		return s.amendForm(r, w, v)
	}
	link, err := trace.ParseLink(v.Lot, "")
	if err != nil {
		return s.missing(r, w, "missing.form", "")
	}
	_, err = s.o.Goods.Take(r.Context(), s.mover(r), trace.Goods{ID: v.ID, Kind: trace.Amend, Voids: r.PathValue("id"), Reason: v.Reason})
	if refused, is := errors.AsType[*flow.RefusedError](err); is {
		f, reg, err := s.landAndRegister(r.Context())
		if err != nil {
			return answer{}, err
		}
		v.Problem, v.Sums = w.t("problem.goods."+string(refused.Code)), teller{w: w, farm: f, reg: reg}.refusal(refused)
		return s.amendForm(r, w, v)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage(lotHref(link)+"?kept=void", w.lang)}, nil
}

// boxView is a box, and what is in it.
type boxView struct {
	frame
	Box     boxRow
	Filled  string
	Parts   []string
	In      string // the box that it stands in
	Events  []goodsLine
	ID      string
	Unbox   bool // it may be emptied
	Problem string
}

func (s *Server) boxPage(r *http.Request, w *words) (answer, error) {
	return s.boxForm(r, w, boxView{})
}

func (s *Server) boxForm(r *http.Request, w *words, v boxView) (answer, error) {
	ctx := r.Context()
	b, ok, err := s.o.Goods.Box(ctx, r.PathValue("sscc"))
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.box", "")
	}
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return answer{}, err
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return answer{}, err
	}
	events, err := s.o.Goods.GoodsOf(ctx, trace.Ref{Kind: trace.RefBox, ID: b.SSCC})
	if err != nil {
		return answer{}, err
	}
	v.Box, v.In, v.Filled = newBoxRow(w, b), b.In, w.dateTime(b.Filled)
	for _, p := range b.Parts {
		v.Parts = append(v.Parts, t.partsTold(trace.Ref{}, trace.Goods{In: []trace.Part{p}}))
	}
	v.Events = s.goodsLines(ctx, t, trace.Link{}, events)
	for i := range v.Events {
		v.Events[i].Undo = ""
	}
	v.Unbox = b.State == trace.ItemActivated && len(b.Parts) > 0 && s.may(ctx, account.EditFarm)
	if v.ID, err = s.newEventID(); err != nil {
		return answer{}, err
	}
	res, err := s.draw(r, w, "box.html", "lots", w.t("goods.thing.box", b.SSCC), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		res.status = http.StatusUnprocessableEntity
	}
	return res, err
}

// unbox takes everything out of a box.
func (s *Server) unbox(r *http.Request, w *words) (answer, error) {
	id := r.PostForm.Get("id")
	if !diary.ValidID(id) {
		return s.boxForm(r, w, boxView{Problem: w.t("goods.unreadable")})
	}
	box := trace.Ref{Kind: trace.RefBox, ID: r.PathValue("sscc")}
	_, err := s.o.Goods.Take(r.Context(), s.mover(r), trace.Goods{ID: id, Kind: trace.EmptyBox, In: []trace.Part{{Ref: box}}})
	if refused, is := errors.AsType[*flow.RefusedError](err); is {
		return s.boxForm(r, w, boxView{Problem: w.t("problem.goods." + string(refused.Code))})
	}
	if err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage("/boxes/"+box.ID, w.lang)}, nil
}
