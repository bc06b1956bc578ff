package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// deedView is the form of a deed, with why it was refused.
type deedView struct {
	frame
	Deed, What string
	Lot        trace.Lot
	Name       string // of the product
	Back       string
	ID         string
	Fields     fieldsPart
	Problem    string
	Sums       []accountLine // the arithmetic of a refusal
	Left       string        // what remains of the lot
	Checks     []deedCheck   // of a release
	Grave      bool
}

// deedCheck is one thing that is looked at before a lot is released.
type deedCheck struct {
	Level level
	Text  string
	Href  string
}

// deedAsked is what the address of a form asks for.
type deedAsked struct {
	deed deed
	lot  trace.Lot
	farm *farm.Farm
	reg  register
	t    teller
	lots []trace.Lot // that may be merged with it
	held []trace.Box
}

// deedAsk reads an address; ok is false where there is no such form.
func (s *Server) deedAsk(r *http.Request, w *words) (a deedAsked, ok bool, err error) {
	name := r.PathValue("deed")
	if name == "" {
		name = "receive"
	}
	if a.deed, ok = deedCalled(name); !ok || a.deed.lot != (r.PathValue("gtin") != "") {
		return a, false, nil
	}
	if a.deed.needs() != account.EditFarm && !s.may(r.Context(), a.deed.needs()) {
		return a, false, nil
	}
	if a.deed.lot {
		if a.lot, ok, err = s.lotAsked(r); err != nil || !ok {
			return a, false, err
		}
	}
	if a.farm, a.reg, err = s.landAndRegister(r.Context()); err != nil {
		return a, false, err
	}
	if a.t, err = s.teller(r.Context(), w, a.farm, a.reg); err != nil {
		return a, false, err
	}
	err = s.deedOffers(r, &a)
	return a, err == nil, err
}

// deedOffers adds what a form lets choose from.
func (s *Server) deedOffers(r *http.Request, a *deedAsked) error {
	switch a.deed.name {
	case "merge":
		all, err := s.o.Goods.Lots(r.Context())
		if err != nil {
			return err
		}
		for _, l := range all {
			if l.GTIN == a.lot.GTIN && l.Code != a.lot.Code && (l.State == trace.Harvested || l.State == trace.Released) {
				a.lots = append(a.lots, l)
			}
		}
	case "ship", "return":
		boxes, err := s.o.Goods.BoxesOf(r.Context(), a.lot.Link())
		if err != nil {
			return err
		}
		here := map[string]trace.ItemState{"ship": trace.ItemActivated, "return": trace.ItemShipped}[a.deed.name]
		a.held = slices.DeleteFunc(boxes, func(b trace.Box) bool { return b.State != here || b.In != "" })
	}
	return nil
}

// fields are what the form asks: of boxes only where there are some.
func (a deedAsked) fields() []form.Field {
	return slices.DeleteFunc(a.deed.fields(), func(f form.Field) bool { return f.Of == refBoxes && len(a.held) == 0 })
}

// offered is what fields that refer to something let choose from.
func (a deedAsked) offered(w *words) refs {
	return func(kind string) []optionView {
		var out []optionView
		switch kind {
		case refLots:
			for _, l := range a.lots {
				out = append(out, optionView{Value: l.Link().Ref().String(), Label: l.Code + " · " + w.mass(l.KG)})
			}
			return out
		case refBoxes:
			for _, b := range a.held {
				row := newBoxRow(w, b)
				out = append(out, optionView{Value: b.SSCC, Label: row.Code + " · " + row.What})
			}
			return out
		case refSold:
			kind = string(farm.Buyer)
		}
		return a.reg.offered(w, a.farm, "")(kind)
	}
}

// exists reports whether there is what a field refers to.
func (a deedAsked) exists(w *words) func(kind, id string) bool {
	return func(kind, id string) bool {
		return slices.ContainsFunc(a.offered(w)(kind), func(o optionView) bool { return o.Value == id })
	}
}

func (s *Server) deedPage(r *http.Request, w *words) (answer, error) {
	a, ok, err := s.deedAsk(r, w)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.form", "")
	}
	values := form.Values{}
	if a.deed.name == "pack" || a.deed.name == "issue" {
		if day := a.bestBefore(); !day.IsZero() {
			values[keyBest] = day.In(w.zone).Format(time.DateOnly)
		}
	}
	return s.deedForm(r, w, a, deedView{}, values, nil)
}

// bestBefore is the last day of what is packed today, by the product's shelf life; zero where that is not known.
func (a deedAsked) bestBefore() time.Time {
	for _, p := range a.reg[farm.Product] {
		days, ok := p.Values.Number("shelf_days")
		if ok && days > 0 && a.product(p) == a.lot.GTIN && !a.lot.Harvested.IsZero() {
			return a.lot.Harvested.AddDate(0, 0, int(days))
		}
	}
	return time.Time{}
}

// product is the number that a record of a product has on labels; "" where it has none of its own yet.
func (a deedAsked) product(rec farm.Record) string { return rec.Values.Text("gtin") }

func (s *Server) deedForm(r *http.Request, w *words, a deedAsked, v deedView, values form.Values, problems form.Problems) (answer, error) {
	v.Deed, v.What, v.Lot, v.Back = a.deed.name, w.t("goods."+a.deed.name+".what"), a.lot, "/lots"
	v.Grave = slices.Contains([]string{"destroy", "hold", "close"}, a.deed.name)
	v.Fields = fieldsView(w, a.fields(), values, problems, a.offered(w))
	if v.ID == "" {
		var err error
		if v.ID, err = s.newEventID(); err != nil {
			return answer{}, err
		}
	}
	if v.Problem == "" && len(problems) > 0 {
		v.Problem = w.t("goods.wrong")
	}
	title := w.t("goods." + a.deed.name)
	if a.deed.lot {
		v.Back = lotHref(a.lot.Link())
		title += " · " + a.lot.Code
		names, err := s.productNames(r.Context(), w)
		if err != nil {
			return answer{}, err
		}
		v.Name = names[a.lot.GTIN]
		acc, err := s.o.Goods.Account(r.Context(), a.lot.Link())
		if err != nil {
			return answer{}, err
		}
		v.Left = w.mass(acc.RemainingKG)
		if a.deed.name == "release" {
			if v.Checks, err = s.releaseChecks(r.Context(), a, acc); err != nil {
				return answer{}, err
			}
		}
	}
	res, err := s.draw(r, w, "deed.html", "lots", title, func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		res.status = http.StatusUnprocessableEntity
	}
	return res, err
}

// takeDeed does what a form says. What is refused is drawn again with why, the arithmetic, and all that was written.
func (s *Server) takeDeed(r *http.Request, w *words) (answer, error) {
	a, ok, err := s.deedAsk(r, w)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.form", "")
	}
	get := func(key string) []string { return r.PostForm[key] }
	fields := a.fields()
	values, problems := form.Written(fields, get, w.zone, a.exists(w))
	v := deedView{ID: r.PostForm.Get("id")}
	if !diary.ValidID(v.ID) {
		v.ID, v.Problem = "", w.t("goods.unreadable")
	}
	if len(problems) > 0 || v.Problem != "" {
		return s.deedForm(r, w, a, v, asWritten(fields, values, get), problems)
	}
	orders, err := s.orders(r, a, v.ID, values)
	if err == nil {
		who := s.mover(r)
		for i, o := range orders {
			if _, err = s.o.Goods.Take(r.Context(), who, o); err != nil && i > 0 {
				v.ID = "" // those before it are done: what is asked for now is another order
			}
			if err != nil {
				break
			}
		}
	}
	if refused, is := errors.AsType[*flow.RefusedError](err); is {
		v.Problem, v.Sums = w.t("problem.goods."+string(refused.Code)), a.t.refusal(refused)
		return s.deedForm(r, w, a, v, values, nil)
	}
	if invalid, is := errors.AsType[*form.InvalidError](err); is {
		return s.deedForm(r, w, a, v, values, invalid.Problems)
	}
	if err != nil {
		return answer{}, err
	}
	to := "/lots"
	if a.deed.lot {
		to = lotHref(a.lot.Link()) + "?kept=" + a.deed.name
	}
	return answer{to: inLanguage(to, w.lang)}, nil
}

// mover is who moves goods on a page.
func (s *Server) mover(r *http.Request) flow.Who {
	v := visitor(r.Context())
	return flow.Who{Actor: s.o.Accounts.By(v).Actor, Role: v.Role()}
}

// refusal tells the arithmetic of a refusal.
func (t teller) refusal(e *flow.RefusedError) (out []accountLine) {
	for _, l := range e.Lines {
		line := t.accountLine(l)
		switch {
		case l.KG != 0 || l.Kind != flow.LineThing:
			line.KG = t.w.mass(l.KG)
		case l.State != "":
			if key := "lot.state." + l.State; t.w.has(key) {
				line.KG = t.w.t(key)
			} else if key := "lot.item." + l.State; t.w.has(key) {
				line.KG = t.w.t(key)
			}
		}
		if l.Factor > 0 {
			line.Text += " · × " + t.w.figure(l.Factor)
		}
		out = append(out, line)
	}
	return out
}

// needs is the right that a deed needs.
func (d deed) needs() account.Action {
	if d.kind == trace.Issue || d.kind == trace.LetGo {
		return account.ReleaseLot
	}
	return account.EditFarm
}

// lines splits what was pasted into a field of serials.
func serials(values []string) (out []string) {
	for _, v := range values {
		for _, s := range strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\t' }) {
			out = append(out, strings.ToUpper(s))
		}
	}
	return out
}
