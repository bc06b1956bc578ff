package plan

import (
	"cmp"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// Contract is a promise and what was delivered of it, in whatever year.
type Contract struct {
	Record      farm.Record
	Buyer       string
	Product     string
	PromisedKG  float64
	DeliveredKG float64
	Floor       float64 // VND a kg; 0: none was agreed
	BelowKG     float64 // delivered for less than the floor
	UnpricedKG  float64 // delivered, and nobody wrote down for how much
	OutsideKG   float64 // delivered before it began or after it ended
	Overdue     bool    // it ended, and not all was delivered
	Last        time.Time
}

// Missing returns what is not delivered yet.
func (c Contract) Missing() float64 { return max(0, c.PromisedKG-c.DeliveredKG) }

func (r *reckoner) promises() (out []Contract) {
	names := map[string]string{}
	for _, rec := range r.Records {
		names[rec.ID] = rec.Name()
	}
	for _, rec := range r.contracts {
		v := rec.Values
		c := Contract{Record: rec, Buyer: names[v.Text("buyer")], Product: names[v.Text("product")], Last: v.Day("to", farm.Time())}
		c.PromisedKG, _ = v.Number("quantity_kg")
		c.Floor, _ = v.Number("floor_price")
		for _, e := range r.Entries {
			if e.Kind == diary.Sale && !e.Voided && e.Values.Text("contract") == rec.ID {
				c.deliver(e)
			}
		}
		c.Overdue = !c.Last.IsZero() && !r.Now.Before(c.Last.AddDate(0, 0, 1)) && c.Missing() > 0
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Contract) int { return cmp.Or(a.Last.Compare(b.Last), cmp.Compare(a.Record.ID, b.Record.ID)) })
	return out
}

func (c *Contract) deliver(e diary.Entry) {
	kg, _ := e.Values.Number(diary.KeyKG)
	c.DeliveredKG += kg
	day := e.At().In(farm.Time()).Format(time.DateOnly)
	if v := c.Record.Values; day < v.Text("from") || day > v.Text("to") {
		c.OutsideKG += kg
	}
	price, priced := e.Values.Number("price")
	switch {
	case !priced:
		c.UnpricedKG += kg
	case price < c.Floor:
		c.BelowKG += kg
	}
}
