package diary

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
)

// Balance is what the book says is left of one maker's lot of an input. Amounts are in the input's unit; a negative one is a mismatch: more was
// used than came in.
type Balance struct {
	Input  string // id of the record
	Lot    string // the maker's, as it was written first; "": entries that name none
	Expiry string // last day, YYYY-MM-DD; "": none is known
	Unit   string // of Input

	Received, Used float64
	Counted        float64 // what stock counts put right, up or down
	Amount         float64 // Received − Used + Counted
	LastUse        string  // id of the newest entry that took from it
}

// Short reports whether more was used than there was.
func (b Balance) Short() bool { return short(b.Amount, b.Received+b.Used) }

// short allows for what adding up fractions costs.
func short(amount, of float64) bool { return amount < -1e-9*max(1, of) }

// StockProblem is an entry that the balance cannot take in.
type StockProblem struct {
	Entry string // id
	Input string
	Code  string // the words stock.CODE: unit, input
}

// The codes of stock problems.
const (
	StockUnit  = "unit"  // its unit does not go over into the input's: kg of what is counted in bags
	StockInput = "input" // there is no such input
)

// Inventory is the stock of inputs as the entries tell it.
type Inventory struct {
	Balances []Balance // by input, expiry and lot; those without an expiry last
	Problems []StockProblem
}

// Total returns what is left of an input over all its lots.
func (v Inventory) Total(input string) (amount float64, isShort bool) {
	moved := 0.0
	for _, b := range v.Balances {
		if b.Input == input {
			amount += b.Amount
			moved += b.Received + b.Used
		}
	}
	return amount, short(amount, moved)
}

// Expiry returns the latest last day of a maker's lot of an input; "" where none is on record.
func (v Inventory) Expiry(input, lot string) string {
	last := ""
	for _, b := range v.Balances {
		if b.Input == input && sameLot(b.Lot, lot) && b.Lot != "" {
			last = max(last, b.Expiry)
		}
	}
	return last
}

// Stock returns what is left of every input: what came in (stock_in), what entries used, and what stock counts put right, in the order it was
// done. Voided entries count for nothing, corrected ones as they stand now; the order they are given in does not matter.
//
// A use that names no lot stands on a line of its own, without a lot: nobody knows which bag it came from. A use of a lot with several expiry
// days takes from the earliest. A count of a lot sets that lot, a count without a lot the whole input.
func Stock(entries []Entry, inputs []farm.Record) Inventory {
	units := map[string]string{}
	for _, r := range inputs {
		if r.Kind == farm.Input {
			units[r.ID] = r.Values.Text("unit")
		}
	}
	s := stocktaking{lines: map[string][]*Balance{}, units: map[string]string{}}
	for _, e := range inOrder(entries) {
		s.take(e, units)
	}
	for _, lines := range s.lines {
		for _, b := range lines {
			s.out.Balances = append(s.out.Balances, *b)
		}
	}
	slices.SortFunc(s.out.Balances, func(a, b Balance) int {
		return cmp.Or(cmp.Compare(a.Input, b.Input), compareExpiry(a.Expiry, b.Expiry), cmp.Compare(a.Lot, b.Lot))
	})
	return s.out
}

// inOrder returns the entries that count and move stock, by when they were done. What came in on a day was there that day, whenever somebody
// got round to writing it down.
func inOrder(entries []Entry) []Entry {
	zone := farm.Time()
	type moved struct {
		Entry
		at time.Time
	}
	all := make([]moved, 0, len(entries))
	for _, e := range entries {
		if _, ok := e.Values.Number(KeyAmount); !ok || e.Voided || e.Values.Text(KeyInput) == "" {
			continue
		}
		m := moved{e, e.At()}
		if e.Kind == Receipt {
			m.at = farm.MidnightIn(m.at, zone)
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b moved) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.First.ID, b.First.ID)) })
	out := make([]Entry, len(all))
	for i, m := range all {
		out[i] = m.Entry
	}
	return out
}

func compareExpiry(a, b string) int {
	if (a == "") != (b == "") {
		return cmp.Compare(b, a) // none is the last
	}
	return cmp.Compare(a, b)
}

type stocktaking struct {
	lines map[string][]*Balance // by input
	units map[string]string     // of the amounts of a kind, once asked for; "": the input's
	out   Inventory
}

func (s *stocktaking) take(e Entry, units map[string]string) {
	input := e.Values.Text(KeyInput)
	unit, known := units[input]
	if !known {
		s.out.Problems = append(s.out.Problems, StockProblem{e.First.ID, input, StockInput})
		return
	}
	amount, _ := e.Values.Number(KeyAmount)
	amount, ok := InUnit(amount, cmp.Or(s.unitOf(e.Kind), unit), unit)
	if !ok {
		s.out.Problems = append(s.out.Problems, StockProblem{e.First.ID, input, StockUnit})
		return
	}
	lot := e.Values.Text(KeyLot)
	switch e.Kind {
	case Receipt:
		b := s.line(input, lot, e.Values.Text(KeyExpiry), unit, true)
		b.Received += amount
		b.Amount += amount
	case StockTake:
		s.count(input, lot, unit, amount)
	default:
		s.use(s.line(input, lot, "", unit, false), lot, amount, e.First.ID)
	}
}

// use takes an amount from a line; what the line has not is taken from the lot's others, and the rest stands against it.
func (s *stocktaking) use(b *Balance, lot string, amount float64, entry string) {
	left := amount
	if lot != "" {
		rest := slices.Clone(s.lines[b.Input])
		slices.SortStableFunc(rest, func(x, y *Balance) int { return compareExpiry(x.Expiry, y.Expiry) })
		for _, o := range rest {
			if !sameLot(o.Lot, lot) || o.Amount <= 0 {
				continue
			}
			part := math.Min(left, o.Amount)
			o.Used, o.Amount, o.LastUse = o.Used+part, o.Amount-part, entry
			if left -= part; left <= 0 {
				return
			}
			b = o
		}
	}
	b.Used, b.Amount, b.LastUse = b.Used+left, b.Amount-left, entry
}

// count sets a lot, or the whole input, to what was counted.
func (s *stocktaking) count(input, lot, unit string, counted float64) {
	now := 0.0
	for _, b := range s.lines[input] {
		if lot == "" || sameLot(b.Lot, lot) {
			now += b.Amount
		}
	}
	b := s.line(input, lot, "", unit, false)
	b.Counted += counted - now
	b.Amount += counted - now
}

// line returns the line of a lot, a new one if there is none. With exact it is that of the expiry day, too; a line whose expiry nobody said
// becomes it.
func (s *stocktaking) line(input, lot, expiry, unit string, exact bool) *Balance {
	for _, b := range s.lines[input] {
		if !sameLot(b.Lot, lot) {
			continue
		}
		if exact && lot != "" && b.Expiry == "" {
			b.Expiry = expiry
		}
		if !exact || b.Expiry == expiry {
			return b
		}
	}
	b := &Balance{Input: input, Lot: lot, Expiry: expiry, Unit: unit}
	s.lines[input] = append(s.lines[input], b)
	return b
}

// sameLot reports whether two people mean the same lot: capitals and blanks around do not matter.
func sameLot(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

// unitOf is the unit of the amounts of a kind; "": the input's.
func (s *stocktaking) unitOf(kind string) string {
	unit, known := s.units[kind]
	if !known {
		k, _ := KindOf(kind)
		f, _ := k.Field(KeyAmount)
		unit = f.Unit
		s.units[kind] = unit
	}
	return unit
}

// InUnit turns an amount of one unit into another; ok is false where one cannot be turned into the other.
func InUnit(v float64, from, to string) (float64, bool) {
	if from == to {
		return v, true
	}
	mass := map[string]float64{"g": 1, "kg": 1e3, "t": 1e6}
	volume := map[string]float64{"ml": 1, "l": 1e3}
	for _, table := range []map[string]float64{mass, volume} {
		if a, b := table[from], table[to]; a > 0 && b > 0 {
			return v * a / b, true
		}
	}
	return 0, false
}
