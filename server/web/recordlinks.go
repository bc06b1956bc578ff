package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/plan"
)

// hanging is one list of what hangs on a record: the contracts of a buyer, the ponds of a household, what was delivered.
type hanging struct {
	Title, Sum string
	Lines      []hangLine
	More       string // how many there are beside these
}

type hangLine struct {
	Href, Text, Sub string
	Bad             string // what is not as it was agreed
}

// mostHanging is how many lines one list has.
const mostHanging = 30

// hangs are the lists of a record on record.
func (s *Server) hangs(r *http.Request, w *words, t teller, rec farm.Record) (out []hanging, err error) {
	ctx := r.Context()
	if rec.ID == "" {
		return nil, nil
	}
	if rec.Kind == farm.Household {
		land, seasons := landOf(w, t, rec)
		out = append(out, land, seasons)
	}
	if rec.Kind == farm.Buyer || rec.Kind == farm.Contract {
		p, _, _, err := s.planAsked(r)
		if err != nil {
			return nil, err
		}
		out = append(out, promised(w, rec, p.Contracts))
		sold, err := s.soldTo(ctx, w, t, rec)
		if err != nil {
			return nil, err
		}
		out = append(out, sold)
	}
	if s.may(ctx, account.SeeRegister) {
		out = append(out, mentions(w, t, rec)...)
	}
	for i := range out {
		if n := len(out[i].Lines); n > mostHanging {
			out[i].Lines, out[i].More = out[i].Lines[:mostHanging], w.t("record.hang.more", w.count(int64(n-mostHanging)))
		}
	}
	return slices.DeleteFunc(out, func(h hanging) bool { return len(h.Lines) == 0 }), nil
}

// landOf are the places that a household works, and their seasons, the newest first.
func landOf(w *words, t teller, rec farm.Record) (land, seasons hanging) {
	land, seasons = hanging{Title: w.t("places.title")}, hanging{Title: w.t("record.cycle.many")}
	var area float64
	for _, p := range t.farm.Places {
		if home, ok := farm.HouseholdOf(p, t.reg[farm.Household]); !ok || home.ID != rec.ID {
			continue
		}
		line := hangLine{Href: "/places/" + p.Code, Text: p.Title.In(w.lang), Sub: p.Holds.In(w.lang)}
		if p.AreaM2 > 0 {
			line.Sub += " · " + w.num(p.AreaM2, 0) + nbsp + "m²"
		}
		area += p.AreaM2
		land.Lines = append(land.Lines, line)
		for _, c := range t.reg[farm.Cycle] {
			if c.Values.Text("place") == p.Code {
				seasons.Lines = append(seasons.Lines, hangLine{Href: "/book/" + c.ID, Text: c.Name(), Sub: p.Title.In(w.lang) + " · " + w.t("places.mount.from", w.date(c.Values.Day("begin", w.zone)))})
			}
		}
	}
	land.Sum = w.t("record.hang.land", w.num(area/1e4, 2)+nbsp+"ha")
	return land, seasons
}

// ownHousehold is the household that works the visitor's own places, as the register has it: to be read, and put right at the co-op's office.
func (s *Server) ownHousehold(r *http.Request, w *words) (answer, error) {
	f, reg, err := s.landAndRegister(r.Context())
	if err != nil {
		return answer{}, err
	}
	for _, p := range f.Places {
		if home, ok := farm.HouseholdOf(p, reg[farm.Household]); ok && slices.Contains(visitor(r.Context()).Account.Places, p.Code) {
			return s.recordForm(r, w, home, nil, recordView{Own: true})
		}
	}
	return s.missing(r, w, "missing.household", "")
}

// promised are contracts, with what was delivered of each.
func promised(w *words, rec farm.Record, all []plan.Contract) hanging {
	h := hanging{Title: w.t("record.contract.many")}
	for _, c := range all {
		if c.Record.ID != rec.ID && c.Record.Values.Text("buyer") != rec.ID {
			continue
		}
		l := contractOf(w, c)
		line := hangLine{Href: "/farm/contract/" + l.ID, Text: l.Number, Sub: w.t("plan.delivered") + " " + l.Delivered + " / " + l.Promised + " · " + w.t("plan.until", l.Last)}
		if l.Product != "" {
			line.Text += " · " + l.Product
		}
		if l.Floor != "" {
			line.Sub += " · " + w.t("field.floor_price") + " " + l.Floor
		}
		if l.Missing != "" {
			line.Sub += " · " + w.t("plan.missing", l.Missing)
		}
		if l.Overdue {
			line.Bad = w.t("plan.overdue")
		}
		h.Lines = append(h.Lines, line)
	}
	return h
}

// soldTo are the sales to a buyer or under a contract, the newest first, and their sums.
func (s *Server) soldTo(ctx context.Context, w *words, t teller, rec farm.Record) (hanging, error) {
	h := hanging{Title: w.t("record.hang.sold")}
	events, err := s.o.Book.Events(ctx, diary.Query{Kinds: []string{diary.Sale}})
	if err != nil {
		return h, err
	}
	var kilos, value, unpriced float64
	for _, e := range slices.Backward(diary.Entries(events)) {
		if e.Kind != diary.Sale || e.Voided || e.Values.Text(string(rec.Kind)) != rec.ID {
			continue
		}
		kg, _ := e.Values.Number(diary.KeyKG)
		price, priced := e.Values.Number("price")
		line := hangLine{Href: "/diary/" + e.First.ID, Text: w.date(e.At()) + " · " + w.kilos(kg)}
		if p, ok := t.farm.Place(e.Place); ok {
			line.Sub = p.Title.In(w.lang)
		}
		kilos += kg
		if priced {
			line.Text += " × " + w.num(price, 0) + nbsp + "đ/kg = " + w.money(kg*price)
			value += kg * price
		} else {
			line.Bad, unpriced = w.t("plan.unpriced"), unpriced+kg
		}
		if c, ok := t.reg.record(farm.Contract, e.Values.Text("contract")); ok {
			line.Sub = strings.TrimPrefix(line.Sub+" · "+c.Name(), " · ")
			if floor, ok := c.Values.Number("floor_price"); ok && priced && price < floor {
				line.Bad = w.t("plan.below") + " " + w.num(floor, 0) + nbsp + "đ/kg"
			}
		}
		h.Lines = append(h.Lines, line)
	}
	h.Sum = w.kilos(kilos)
	if value > 0 {
		h.Sum += " · " + w.money(value)
	}
	if unpriced > 0 {
		h.Sum += " · " + w.t("plan.unpriced") + " " + w.kilos(unpriced)
	}
	return h, nil
}

// mentions are the other records that name a record, a list for each kind; what a list of its own tells is left out.
func mentions(w *words, t teller, rec farm.Record) (out []hanging) {
	for _, kind := range farm.RecordKinds() {
		if rec.Kind == farm.Buyer && kind == farm.Contract {
			continue
		}
		h := hanging{Title: w.t("record." + string(kind) + ".many")}
		for _, other := range t.reg[kind] {
			if !other.Retired && names(other, rec) {
				h.Lines = append(h.Lines, hangLine{Href: "/farm/" + string(kind) + "/" + other.ID, Text: other.Name(), Sub: strings.Join(summary(t, other), " · ")})
			}
		}
		out = append(out, h)
	}
	return out
}

// names reports whether a record refers to another.
func names(other, rec farm.Record) bool {
	return slices.ContainsFunc(other.Kind.Fields(), func(f form.Field) bool {
		return f.Type == form.Ref && f.Of == string(rec.Kind) && slices.Contains(other.Values.List(f.Key), rec.ID)
	})
}
