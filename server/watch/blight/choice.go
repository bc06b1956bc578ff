package blight

import (
	"slices"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// Choice is a product of the register that could be sprayed today, and what would come of it.
type Choice struct {
	Input   farm.Record
	Harvest gate.Harvest   // when the season might be harvested then
	Found   []gate.Finding // what the gates would hold against it
	Left    float64        // in the stock, by the diary, in its unit; negative: the stock does not balance
}

// whatIf is the id of the spray that nobody made.
const whatIf = "what-if"

// Chooser tries sprays on the gates. It is made of a case that holds the whole diary: what is left of a product is the co-op's.
type Chooser struct {
	c     gate.Case
	stock diary.Inventory
}

// NewChooser returns a Chooser over a case of the whole co-op.
func NewChooser(c gate.Case) Chooser {
	return Chooser{c, diary.Stock(c.Entries, c.Records)}
}

// at is the case of one plot: what was done there, or came in.
func (x Chooser) at(place, cycle string) gate.Case {
	c := x.c
	c.Place, c.Cycle, c.Entries = place, cycle, nil
	for _, e := range x.c.Entries {
		if e.Place == place || e.Kind == diary.Receipt {
			c.Entries = append(c.Entries, e)
		}
	}
	return c
}

// Choices returns what the gates say of spraying each product against late blight on a plot now: what may be harvested soonest after it first,
// what has waiting days that nobody entered last.
func (x Chooser) Choices(place, cycle string) []Choice {
	c := x.at(place, cycle)
	var out []Choice
	for _, in := range c.Records {
		if in.Kind != farm.Input || in.Retired || in.Values.Text("type") != farm.Pesticide {
			continue
		}
		if counts, _ := Protects(in, ""); !counts {
			continue
		}
		one := Choice{Input: in}
		one.Left, _ = x.stock.Total(in.ID)
		e := diary.Event{ID: whatIf, Kind: diary.Spraying, Place: place, Cycle: cycle, Values: form.Values{diary.KeyInput: in.ID, diary.KeyAmount: 0.0}, Occurred: c.Now, Recorded: c.Now, Synced: c.Now}
		tried := c
		tried.Entries = append(slices.Clone(c.Entries), diary.Entry{Event: e, First: e, History: []diary.Event{e}})
		v := gate.Judge(tried)
		one.Harvest, _ = v.Harvest(place, cycle)
		for _, f := range v.Findings {
			if f.Cause == whatIf && f.Rule != gate.PreHarvest {
				f.Cause = ""
				one.Found = append(one.Found, f)
			}
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b Choice) int {
		if a.Harvest.Unknown != b.Harvest.Unknown {
			if a.Harvest.Unknown {
				return 1
			}
			return -1
		}
		return a.Harvest.From.Compare(b.Harvest.From)
	})
	return out
}
