package epcis

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/digitallink"
)

// Supply is a lot that others made, as their document tells of it.
type Supply struct {
	Ref      trace.Ref `json:"ref"`      // by which goods are received of it
	Class    string    `json:"epcClass"` // with the lot
	GTIN     string    `json:"gtin,omitempty"`
	Lot      string    `json:"lot"`
	Quantity float64   `json:"quantity,omitempty"` // 0: not said
	Unit     string    `json:"uom,omitempty"`      // UN/ECE Recommendation 20; "": things
	From     string    `json:"from,omitempty"`     // who sent it, a URI
	At       time.Time `json:"at"`
	Event    string    `json:"eventID"`
}

// KG is the mass of the supply; ok is false where the document says none.
func (s Supply) KG() (kg float64, ok bool) {
	factor := map[string]float64{"KGM": 1, "GRM": 0.001, "TNE": 1000}[s.Unit]
	return s.Quantity * factor, s.Quantity*factor > 0
}

// Supplies lists the lots that a document sends: those that its newest shipping events name; where it tells of no shipping, those that were made
// and not used up in it. Events that were declared wrong do not count.
func Supplies(events []Event) []Supply {
	sent, made, used := map[string]Supply{}, map[string]Supply{}, map[string]bool{}
	for _, e := range events {
		if e.Error != nil {
			continue
		}
		for _, q := range e.In {
			used[key(q.Class)] = true
		}
		step, _ := steps().bare(steps().uri(e.Step))
		switch {
		case e.Type == Object && slices.Contains([]string{"shipping", "departing", "consigning"}, step), e.Type == Transaction && e.Action == Add:
			newest(sent, e, e.Quantities)
		case e.Type == Object && e.Action == Add:
			newest(made, e, e.Quantities)
		case e.Type == Transformation:
			newest(made, e, e.Out)
		}
	}
	if len(sent) == 0 {
		for class := range used {
			delete(made, class)
		}
		sent = made
	}
	var out []Supply
	for _, s := range sent {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Supply) int { return cmp.Compare(a.Class, b.Class) })
	return out
}

// newest keeps of each lot what the newest event says.
func newest(all map[string]Supply, e Event, list []Quantity) {
	for _, q := range list {
		s, ok := supplyOf(q.Class)
		if have, known := all[s.Class]; !ok || known && have.At.After(e.Time.Time) {
			continue
		}
		s.At, s.Event, s.Unit = e.Time.UTC(), e.ID, q.Unit
		if q.Quantity != nil {
			s.Quantity = *q.Quantity
		}
		for _, p := range e.Sources {
			s.From = key(p.ID)
		}
		all[s.Class] = s
	}
}

// supplyOf names a lot by the class that its maker gave it; ok is false for a class without a lot.
func supplyOf(class string) (Supply, bool) {
	class = key(class)
	l, err := digitallink.Parse(class)
	if err != nil { // a name of the maker's own: the lot is its end
		at := strings.LastIndex(class, "/")
		if at < 0 || at+1 == len(class) || !strings.Contains(class[:at], "://") {
			return Supply{}, false
		}
		return Supply{Ref: trace.Ref{Kind: trace.RefSupply, ID: class}, Class: class, Lot: class[at+1:]}, len(class) <= mostSupply
	}
	s := Supply{Class: class, Lot: l.Qualifier("10")}
	if l.Key.AI != "01" || s.Lot == "" {
		return s, false
	}
	s.GTIN = l.Key.Value
	s.Ref = trace.Ref{Kind: trace.RefSupply, ID: digitallink.Root + "/01/" + s.GTIN + "/" + s.Lot}
	return s, true
}

// mostSupply bounds the name of a supply: that of a Ref.
const mostSupply = 300
