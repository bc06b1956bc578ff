// Package plan reckons what a commune's plan asks of its co-op: area by model and crop, yield, the value produced on a hectare, households
// of three hectares and more, and what was promised to whom.
//
// The farm, its register and the diary come in; sums go out, with what they are made of and what is missing in them. A price that nobody
// wrote down is never guessed: what was sold without one is told apart. No SQL, no HTTP.
package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// squareMetres in a hectare.
const squareMetres = 10_000

// LargeHa is how much land makes a large household, by the plan.
const LargeHa = 3

// Case is what a plan is reckoned from.
type Case struct {
	Farm    *farm.Farm
	Records []farm.Record // of every kind
	Entries []diary.Entry
	Year    int  // seasons that begin in it, by the co-op's time, and perennials that stand in it
	Floor   bool // what was sold under a contract without a price counts at its floor price, and is told apart
	Now     time.Time
}

// Sum is what some seasons came to.
type Sum struct {
	Places      int     // that they lay on, each counted once
	Ha          float64 // of those places
	HarvestedKG float64
	HarvestedHa float64 // of the places that something was harvested from: what still stands is no low yield
	SoldKG      float64
	Value       float64 // VND, of what was sold with a price, and FloorValue
	FloorValue  float64 // of Value: reckoned at a floor price
	UnpricedKG  float64 // sold, and nobody wrote down for how much
}

// TonsPerHa returns the yield of the land that was harvested; ok is false while there is none.
func (s Sum) TonsPerHa() (float64, bool) {
	return s.HarvestedKG / 1000 / s.HarvestedHa, s.HarvestedHa > 0 && s.HarvestedKG > 0
}

// ValuePerHa returns VND a hectare; ok is false without land or without any price.
func (s Sum) ValuePerHa() (float64, bool) { return s.Value / s.Ha, s.Ha > 0 && s.Value > 0 }

// Row is the sum of a branch, a crop of it, a season, or a household.
type Row struct {
	Branch farm.Branch
	Name   string // species, season, or the household's code; "": all of the branch
	Sum
}

// Plan is what a year came to.
type Plan struct {
	Years      []int // there are seasons of, the newest first
	All        Sum
	Branches   []Row
	Crops      []Row
	Seasons    []Row
	Households []Household // the largest first
	Targets    []Target
	Contracts  []Contract
	Astray     Sum // sold or harvested, and no season can be named
}

// Household is how much land a household works, and what came of it.
type Household struct {
	ID, Code, Name string
	Sum
}

// Large reports whether it is one of those that the plan counts.
func (h Household) Large() bool { return h.Ha >= LargeHa }

// Target is one number the plan asks for.
type Target struct {
	Record farm.Record
	Want   float64
	Have   float64
	Known  bool // Have could be reckoned
	Of     Sum  // that Have is reckoned from, where it is no count of households
}

// Share returns how much of the target is reached.
func (t Target) Share() float64 {
	if !t.Known || t.Want <= 0 {
		return 0
	}
	return t.Have / t.Want
}

// The measures of targets.
const (
	AreaHa     = "area_ha"
	ValueHa    = "value_ha" // VND
	LargeCount = "large_households"
	Tons       = "tons_ha"
)

// gather holds sums while they are made.
type gather struct {
	sum       map[string]*Sum
	places    map[string]areas // by key
	harvested map[string]areas
}

// areas are the largest a season had at each place: a place counts once, however many seasons it had.
type areas map[string]float64

// take counts a place and returns by how much the land grew, and whether the place is a new one.
func (a areas) take(place string, ha float64) (more float64, fresh bool) {
	before, known := a[place]
	a[place] = max(before, ha)
	return a[place] - before, !known
}

func newGather() gather { return gather{map[string]*Sum{}, map[string]areas{}, map[string]areas{}} }

func (g gather) of(key string) *Sum {
	if g.sum[key] == nil {
		g.sum[key], g.places[key], g.harvested[key] = &Sum{}, areas{}, areas{}
	}
	return g.sum[key]
}

func (g gather) land(key, place string, ha float64) {
	s := g.of(key)
	more, fresh := g.places[key].take(place, ha)
	s.Ha += more
	if fresh {
		s.Places++
	}
}

func (g gather) harvest(key, place string, ha, kg float64) {
	s := g.of(key)
	more, _ := g.harvested[key].take(place, ha)
	s.HarvestedHa += more
	s.HarvestedKG += kg
}

// Reckon returns the plan of a year.
func Reckon(c Case) Plan {
	r := reckoner{Case: c, by: newGather(), households: map[string]string{}}
	r.index()
	r.seasons()
	for _, e := range c.Entries {
		if !e.Voided {
			r.entry(e)
		}
	}
	return r.plan()
}

type reckoner struct {
	Case
	by         gather
	cycles     []farm.Record     // of the year
	all        []farm.Record     // of every year
	households map[string]string // place -> id of its household
	astray     Sum
	contracts  []farm.Record
	years      []int
}

// Keys of sums.
func branchKey(b string) string        { return "b/" + b }
func cropKey(b, species string) string { return "c/" + b + "/" + strings.ToLower(species) }
func seasonKey(season string) string   { return "s/" + season }
func householdKey(id string) string    { return "h/" + id }

// span returns the years that a season counts in: the one it begins in; a perennial, every year it stands.
func (r *reckoner) span(c farm.Record) (first, last int) {
	first = c.Values.Day("begin", farm.Time()).Year()
	if !c.Values.Flag("perennial") {
		return first, first
	}
	end := c.Values.Day("end", farm.Time())
	if end.IsZero() {
		end = r.Now.In(farm.Time())
	}
	return first, max(first, end.Year())
}

func (r *reckoner) index() {
	var households []farm.Record
	for _, rec := range r.Records {
		switch rec.Kind { //nolint:exhaustive // the others have no part in it
		case farm.Household:
			households = append(households, rec)
		case farm.Contract:
			r.contracts = append(r.contracts, rec)
		case farm.Cycle:
			r.all = append(r.all, rec)
			first, last := r.span(rec)
			for y := first; y <= last; y++ {
				if !slices.Contains(r.years, y) {
					r.years = append(r.years, y)
				}
			}
			if first <= r.Year && r.Year <= last {
				r.cycles = append(r.cycles, rec)
			}
		}
	}
	for _, p := range r.Farm.Places {
		if h, ok := farm.HouseholdOf(p, households); ok {
			r.households[p.Code] = h.ID
		}
	}
	slices.SortFunc(r.years, func(a, b int) int { return cmp.Compare(b, a) })
}

// keys are the sums that a season counts in.
func (r *reckoner) keys(c farm.Record) []string {
	v := c.Values
	out := []string{"all", branchKey(v.Text("branch")), cropKey(v.Text("branch"), v.Text("species")), seasonKey(v.Text("season"))}
	if h := r.households[v.Text("place")]; h != "" {
		out = append(out, householdKey(h))
	}
	return out
}

func (r *reckoner) seasons() {
	for _, c := range r.cycles {
		for _, key := range r.keys(c) {
			r.by.land(key, c.Values.Text("place"), r.hectares(c))
		}
	}
}

// hectares are those of a season: as the register says, else all of its place.
func (r *reckoner) hectares(c farm.Record) float64 {
	m2, ok := c.Values.Number("area_m2")
	if p, known := r.Farm.Place(c.Values.Text("place")); !ok && known {
		m2 = p.AreaM2
	}
	return m2 / squareMetres
}

// cycleOf returns the season of an entry: the one it names, or the only one its place had that day. found is false where nobody can tell;
// ours, where it is one of another year.
func (r *reckoner) cycleOf(e diary.Entry) (c farm.Record, ours, found bool) {
	var fit []farm.Record
	for _, c := range r.all {
		if e.Cycle == c.ID {
			fit = []farm.Record{c}
			break
		}
		if e.Cycle == "" && c.Stands(e.Place, e.At()) {
			fit = append(fit, c)
		}
	}
	if len(fit) != 1 {
		return c, e.At().In(farm.Time()).Year() == r.Year, false
	}
	if fit[0].Values.Flag("perennial") { // its years are told apart by the day alone
		return fit[0], e.At().In(farm.Time()).Year() == r.Year, true
	}
	first, _ := r.span(fit[0])
	return fit[0], first == r.Year, true
}

func (r *reckoner) entry(e diary.Entry) {
	if e.Kind != diary.Harvest && e.Kind != diary.Sale {
		return
	}
	kg, ok := e.Values.Number(diary.KeyKG)
	if !ok {
		return
	}
	c, ours, found := r.cycleOf(e)
	if !ours {
		return
	}
	if e.Kind == diary.Harvest {
		if !found {
			r.astray.HarvestedKG += kg
			return
		}
		for _, key := range r.keys(c) {
			r.by.harvest(key, c.Values.Text("place"), r.hectares(c), kg)
		}
		return
	}
	price, priced, floor := r.price(e)
	if !found {
		r.astray.sold(kg, price, priced, floor)
		return
	}
	for _, key := range r.keys(c) {
		r.by.of(key).sold(kg, price, priced, floor)
	}
}

// price is what a sale brought a kilogram, in VND; floor: nobody wrote it down, and the contract's floor price stands in.
func (r *reckoner) price(e diary.Entry) (price float64, priced, floor bool) {
	if price, priced = e.Values.Number("price"); priced || !r.Floor {
		return price, priced, false
	}
	i := slices.IndexFunc(r.contracts, func(k farm.Record) bool { return k.ID == e.Values.Text("contract") })
	if i < 0 {
		return 0, false, false
	}
	price, priced = r.contracts[i].Values.Number("floor_price")
	return price, priced, priced
}

func (s *Sum) sold(kg, price float64, priced, floor bool) {
	s.SoldKG += kg
	if !priced {
		s.UnpricedKG += kg
		return
	}
	s.Value += kg * price
	if floor {
		s.FloorValue += kg * price
	}
}

func (r *reckoner) plan() Plan {
	p := Plan{Years: r.years, All: *r.by.of("all"), Astray: r.astray}
	for _, b := range farm.Branches() {
		if s := r.by.sum[branchKey(string(b))]; s != nil {
			p.Branches = append(p.Branches, Row{Branch: b, Sum: *s})
		}
	}
	for _, c := range r.cycles {
		v := c.Values
		b := farm.Branch(v.Text("branch"))
		if !slices.ContainsFunc(p.Crops, func(o Row) bool { return o.Branch == b && strings.EqualFold(o.Name, v.Text("species")) }) {
			p.Crops = append(p.Crops, Row{b, v.Text("species"), *r.by.of(cropKey(string(b), v.Text("species")))})
		}
		if !slices.ContainsFunc(p.Seasons, func(o Row) bool { return o.Name == v.Text("season") }) {
			p.Seasons = append(p.Seasons, Row{Name: v.Text("season"), Sum: *r.by.of(seasonKey(v.Text("season")))})
		}
	}
	order := farm.Branches()
	slices.SortStableFunc(p.Crops, func(a, b Row) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Branch), slices.Index(order, b.Branch)), -cmp.Compare(a.Ha, b.Ha), cmp.Compare(a.Name, b.Name))
	})
	slices.SortFunc(p.Seasons, func(a, b Row) int { return cmp.Compare(a.Name, b.Name) })
	p.Households = r.largest()
	p.Contracts = r.promises()
	for _, rec := range r.Records {
		if rec.Kind == farm.Target && !rec.Retired {
			p.Targets = append(p.Targets, r.target(rec, p))
		}
	}
	return p
}

// largest are the households by the land they work: of the places on record, or what the register says where that is more.
func (r *reckoner) largest() (out []Household) {
	for _, rec := range r.Records {
		if rec.Kind != farm.Household || rec.Retired {
			continue
		}
		h := Household{ID: rec.ID, Code: rec.Values.Text("code"), Name: rec.Name()}
		if s := r.by.sum[householdKey(rec.ID)]; s != nil {
			h.Sum = *s
		}
		land := 0.0
		for _, p := range r.Farm.Places {
			if r.households[p.Code] == rec.ID {
				land += p.AreaM2
			}
		}
		said, _ := rec.Values.Number("area_m2")
		h.Ha = max(land, said) / squareMetres
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Household) int { return cmp.Or(-cmp.Compare(a.Ha, b.Ha), cmp.Compare(a.Code, b.Code)) })
	return out
}

func (r *reckoner) target(rec farm.Record, p Plan) Target {
	v := rec.Values
	t := Target{Record: rec}
	t.Want, _ = v.Number("want")
	s := &p.All
	if b := v.Text("branch"); b != "" {
		key := branchKey(b)
		if species := v.Text("species"); species != "" {
			key = cropKey(b, species)
		}
		if s = r.by.sum[key]; s == nil {
			s = &Sum{}
		}
	}
	t.Of = *s
	switch v.Text("target_of") {
	case AreaHa:
		t.Have, t.Known = s.Ha, true
	case ValueHa:
		t.Have, t.Known = s.ValuePerHa()
	case Tons:
		t.Have, t.Known = s.TonsPerHa()
	case LargeCount:
		t.Known = true
		for _, h := range p.Households {
			if h.Large() {
				t.Have++
			}
		}
	}
	return t
}
