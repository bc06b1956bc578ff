package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/kin"
	"aovuon/server/trace/recall"
)

// touchedPart is what a recall found: whom to call, and which lots, packs and boxes.
type touchedPart struct {
	Counts []string
	Left   string // how many packs are out of the house
	Calls  []callRow
	Lots   []foundLot
	Boxes  []boxLink
}

// callRow is a buyer to call.
type callRow struct {
	Name, Contact, Address string
	Phone, Tel             string // as it is written, and as a phone dials it; empty: nobody knows, or it is not for this visitor
	Hidden                 bool   // there is one, for others
	Enter                  string // where the number is written, for those who may
	Got                    []gotRow
}

// gotRow is one delivery.
type gotRow struct {
	What, Amount, When, Document string
	Back                         bool
}

// foundLot is a lot that is touched.
type foundLot struct {
	Href, Name, State, Items string
	Level                    level
}

type boxLink struct{ Href, Code string }

// found puts what was found into words. private shows phone numbers, and where they are written.
func (n namer) found(f recall.Found, private bool) (v touchedPart) {
	w := n.t.w
	v.Counts = counts(w, len(f.Lots), f.Items, len(f.Boxes), len(f.Buyers()))
	if f.Out > 0 {
		v.Left = w.amount("recall.left", int64(f.Out))
	}
	for _, id := range f.Buyers() {
		v.Calls = append(v.Calls, n.call(id, f.Deliveries, private))
	}
	slices.SortStableFunc(v.Calls, func(a, b callRow) int { return strings.Compare(fold(a.Name), fold(b.Name)) })
	for _, l := range f.Lots {
		total := 0
		for _, c := range l.Items {
			total += c
		}
		row := foundLot{Href: lotHref(l.Link), Name: n.name(l.Link.Ref()), State: w.t("lot.state." + string(l.State)), Level: lotLevel(l.State)}
		if total > 0 {
			row.Items = w.t("lot.count", w.count(int64(total)))
		}
		v.Lots = append(v.Lots, row)
	}
	for _, sscc := range f.Boxes {
		v.Boxes = append(v.Boxes, boxLink{"/boxes/" + url.PathEscape(sscc), sscc})
	}
	return v
}

func (n namer) call(id string, all []kin.Delivery, private bool) callRow {
	c := callRow{Name: n.record(farm.Buyer, id)}
	if rec, ok := n.t.reg.record(farm.Buyer, id); ok {
		c.Address = rec.Values.Text("address")
		if phone := rec.Values.Text("phone"); private {
			c.Phone, c.Tel, c.Contact = phone, telOf(phone), rec.Values.Text("contact")
			c.Enter = "/farm/" + string(farm.Buyer) + "/" + url.PathEscape(id) + "#at-phone"
		} else {
			c.Hidden = phone != ""
		}
	}
	for _, d := range all {
		if d.Buyer == id {
			c.Got = append(c.Got, n.got(d))
		}
	}
	return c
}

func (n namer) got(d kin.Delivery) gotRow {
	w := n.t.w
	row := gotRow{What: n.name(d.What), Amount: strings.Join(amountOf(w, d.KG, d.Count), ", "), When: w.date(d.At), Document: d.Document, Back: d.Back}
	switch {
	case d.What.Kind == trace.RefSeason || d.What.Kind == trace.RefPlace:
		row.What = w.t("recall.nolot", row.What)
	case len(d.Holds) > 0:
		box := row.What
		var lots, amounts []string
		for _, c := range d.Holds {
			lots = append(lots, n.name(c.Lot))
			amounts = append(amounts, strings.Join(both(w, c.KG, c.Count), " + "))
		}
		row.What, row.Amount = strings.Join(lots, ", ")+" · "+box, strings.Join(amounts, ", ")
	}
	return row
}

// both writes how many items and how much loose.
func both(w *words, kg float64, items int) (out []string) {
	if items > 0 {
		out = amountOf(w, 0, items)
	}
	return append(out, amountOf(w, kg, 0)...)
}

// sums are the items and the loose mass of a delivery.
func sums(d kin.Delivery) (kg float64, items int) {
	kg, items = d.KG, d.Count
	for _, c := range d.Holds {
		kg, items = kg+c.KG, items+c.Count
	}
	return kg, items
}

// telOf keeps of a phone number what a phone dials.
func telOf(phone string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, phone)
}

// withUnsure is what was asked, with the uses of which nobody wrote the lot down.
func withUnsure(r *http.Request) url.Values {
	q := url.Values{}
	for _, key := range []string{"supply", "begun", "lang"} {
		if v := r.Form.Get(key); v != "" {
			q.Set(key, v)
		}
	}
	q.Set("unsure", "1")
	return q
}
