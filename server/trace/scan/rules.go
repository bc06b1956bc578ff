package scan

import (
	"cmp"
	"math"
	"slices"
	"time"

	"aovuon/server/trace"
)

// Rule names what is unusual about the scans of a code. The texts that people read stand in the pages' locales, under its value.
type Rule string

// The rules.
const (
	ManyClients Rule = "clients"  // more browsers than look at one thing
	Travel      Rule = "travel"   // in two provinces, sooner than anything gets from one to the other
	Burst       Rule = "burst"    // many browsers within an hour
	AfterSold   Rule = "sold"     // many browsers, long after it was sold
	NotActive   Rule = "inactive" // its label is on nothing yet
	Voided      Rule = "voided"   // its label was destroyed
	LotRate     Rule = "rate"     // a lot's code is looked at more than the lot has packs
)

// Rules lists every rule.
func Rules() []Rule { return []Rule{ManyClients, Travel, Burst, AfterSold, NotActive, Voided, LotRate} }

// Finding is one rule that the scans of a code break.
type Finding struct {
	Rule  Rule          `json:"rule"`
	N     int           `json:"n"`               // browsers; of Travel: journeys
	Limit int           `json:"limit,omitempty"` // from so many on
	Units int           `json:"units,omitempty"` // of LotRate
	From  string        `json:"from,omitempty"`  // of Travel: codes of provinces
	To    string        `json:"to,omitempty"`
	Took  time.Duration `json:"took,omitempty"` // of Travel: nanoseconds between both
	At    time.Time     `json:"at"`             // of the scan that broke it
}

// Limits are from when on something is unusual. README.md says how they were chosen.
type Limits struct {
	Clients    int           // distinct browsers within Window
	Window     time.Duration //
	Burst      int           // distinct browsers within an hour
	Travel     int           // impossible journeys: one alone may be a link that was sent to somebody far away
	SoldGrace  time.Duration // so long after it was sold its buyer still looks
	Sold       int           // distinct browsers after that
	Inactive   int           // distinct browsers of a label that is on nothing, or was destroyed: one may be the printer's own
	PerUnit    float64       // distinct browsers for each pack of a lot
	LotAtLeast int           // fewer than so many are nothing unusual, whatever the lot
}

// Defaults are the limits chosen from simulated traffic; see README.md.
func Defaults() Limits {
	return Limits{Clients: 10, Window: 30 * 24 * time.Hour, Burst: 8, Travel: 2, SoldGrace: 3 * 24 * time.Hour, Sold: 6, Inactive: 2, PerUnit: 2.5, LotAtLeast: 30}
}

// Kind says what a code is of.
type Kind string

// The kinds of codes.
const (
	OfItem Kind = "item"
	OfLot  Kind = "lot"
	OfBox  Kind = "box"
)

// Subject is what a code stands for, as it is on record. The zero Subject: nobody issued the code.
type Subject struct {
	Kind      Kind
	GTIN, Lot string // of a box: of the first thing in it
	State     trace.ItemState
	Sold      time.Time // zero: nobody said so
	Units     int       // packs of a lot; without, its kilograms. 0: not known
}

// Row is one scan as it is kept.
type Row struct {
	Code     string
	At       time.Time
	Client   Client
	Province string // code; empty: not known
	Said     bool   // the reader named the province; otherwise the address did
	State    trace.ItemState
}

// Judge returns the rules that the scans of a code break, in the order of Rules. rows are those of its newest scans, in any order; all is how
// many browsers looked at it in all; cleared is until when somebody of the co-op has found everything in order, and is not looked at.
func (l Limits) Judge(s Subject, rows []Row, all int, cleared, now time.Time) []Finding {
	since := now.Add(-l.Window)
	if cleared.After(since) {
		since = cleared
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !r.At.After(since) })
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(a.At.Compare(b.At), slices.Compare(a.Client[:], b.Client[:])) })
	var out []Finding
	add := func(f Finding) {
		if f.N > 0 {
			out = append(out, f)
		}
	}
	if s.Kind == OfLot {
		if cleared.IsZero() {
			add(l.lotRate(s, rows, all))
		} else { // what was found in order is not counted again
			add(l.lotRate(s, rows, count(rows)))
		}
		return out
	}
	add(reached(ManyClients, rows, l.Clients))
	add(l.travel(rows))
	add(l.burst(rows))
	if !s.Sold.IsZero() {
		late := slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return !r.At.After(s.Sold.Add(l.SoldGrace)) })
		add(reached(AfterSold, late, l.Sold))
	}
	for state, rule := range map[trace.ItemState]Rule{trace.ItemPrinted: NotActive, trace.ItemVoid: Voided} {
		if s.State == state {
			add(reached(rule, slices.DeleteFunc(slices.Clone(rows), func(r Row) bool { return r.State != state }), l.Inactive))
		}
	}
	return out
}

// reached finds a rule of so many distinct browsers. rows are in time order.
func reached(rule Rule, rows []Row, limit int) Finding {
	n := count(rows)
	if n < limit || n == 0 {
		return Finding{}
	}
	return Finding{Rule: rule, N: n, Limit: limit, At: rows[len(rows)-1].At}
}

// count returns how many browsers there are.
func count(rows []Row) int {
	seen := make(map[Client]bool, len(rows))
	for _, r := range rows {
		seen[r.Client] = true
	}
	return len(seen)
}

// travel finds scans by two browsers that were farther apart than anything gets in that time. Only provinces count that are known; a scan
// is compared with those of the day before it, beyond which everything gets everywhere.
func (l Limits) travel(rows []Row) (f Finding) {
	for i, r := range rows {
		for j := i - 1; j >= 0 && r.At.Sub(rows[j].At) < 24*time.Hour; j-- {
			took := r.At.Sub(rows[j].At)
			if rows[j].Client != r.Client && took < Least(rows[j].Province, r.Province) {
				f = Finding{Rule: Travel, N: f.N + 1, Limit: l.Travel, From: rows[j].Province, To: r.Province, Took: took, At: r.At}
				break
			}
		}
	}
	if f.N < l.Travel {
		return Finding{}
	}
	return f
}

// burst finds the hour with the most browsers.
func (l Limits) burst(rows []Row) (f Finding) {
	from := 0
	for i, r := range rows {
		for r.At.Sub(rows[from].At) >= time.Hour {
			from++
		}
		if i-from+1 < l.Burst {
			continue
		}
		if n := count(rows[from : i+1]); n >= l.Burst && n > f.N {
			f = Finding{Rule: Burst, N: n, Limit: l.Burst, At: r.At}
		}
	}
	return f
}

// lotRate finds more browsers than the packs of a lot explain.
func (l Limits) lotRate(s Subject, rows []Row, all int) Finding {
	if s.Units <= 0 || len(rows) == 0 {
		return Finding{}
	}
	limit := max(l.LotAtLeast, int(math.Ceil(l.PerUnit*float64(s.Units))))
	if all < limit {
		return Finding{}
	}
	return Finding{Rule: LotRate, N: all, Limit: limit, Units: s.Units, At: rows[len(rows)-1].At}
}
