// Package portal puts together what a lot must be able to say for the national traceability portal, and says what is missing.
//
// The story of a lot (epcis.Source) and what the co-op says of itself come in; a Record goes out: the ten fields of Circular 02/2024/TT-BKHCN, the
// fields of the product passport of Decree 37/2026/NĐ-CP, Article 32, and the stages. WriteZip writes it as a bundle to hand in. No connector is
// here: no interface of the portal is published. No SQL, no HTTP.
package portal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
)

// Law is where a field is asked for.
type Law string

// The laws.
const (
	Circular02 Law = "tt02" // Circular 02/2024/TT-BKHCN, the ten minimum data fields
	Decree37   Law = "nd37" // Decree 37/2026/NĐ-CP, Article 32, the minimum of a product passport
)

// Laws lists every law.
func Laws() []Law { return []Law{Circular02, Decree37} }

// State says whether a field is told.
type State string

// The states of a field.
const (
	Told    State = "told"
	Missing State = "missing" // the law asks for it, and nobody entered it
	NotAny  State = "none"    // the law asks for it if there is any, and there is none on record
)

// States lists every state.
func States() []State { return []State{Told, Missing, NotAny} }

// Field is one of the fields that a law asks for.
type Field struct {
	Law    Law
	N      int // its number in the law
	Values []string
	State  State
	IfAny  bool // the law asks for it if there is any
}

// Key is the key of its words.
func (f Field) Key() string { return fmt.Sprintf("portal.%s.%d", f.Law, f.N) }

// Keys lists the keys of all fields.
func Keys() (out []string) {
	for law, n := range map[Law]int{Circular02: 10, Decree37: 7} {
		for i := range n {
			out = append(out, Field{Law: law, N: i + 1}.Key())
		}
	}
	slices.Sort(out)
	return out
}

// Stage is a stage of production or trade: what, where, when (field 5 of the circular).
type Stage struct {
	Kind     string   // which tracking event: farm:cte
	Products []string // trace codes, as URIs
	Place    string   // trace code, as URI; empty: not said
	At       time.Time
	Event    string // id of the EPCIS event
}

// Source is what a Record is made from.
type Source struct {
	Story   epcis.Source // what strangers may know
	Lot     trace.Link
	Product farm.Record // of the register; the zero record: it was imported
	Picture string      // address of the product's picture; empty: there is none
	GLN     string      // of the co-op; empty: it has none
	Address string      // what stands in the code of the label
	Items   int         // with serials of their own
	// T returns the words of a key in the language of the bundle, its %s filled in.
	T func(key string, args ...string) string
}

// Record is what a lot says.
type Record struct {
	Lot    trace.Lot
	Name   string // of the product
	Demo   bool
	Fields []Field
	Stages []Stage
	Story  []epcis.Event
}

// Missing counts the fields that the laws ask for and nobody entered.
func (r Record) Missing() (n int) {
	for _, f := range r.Fields {
		if f.State == Missing {
			n++
		}
	}
	return n
}

// Make puts a Record together. What is not on record is missing; nothing is made up.
func Make(s Source) (Record, error) {
	at := slices.IndexFunc(s.Story.Dossiers, func(d trace.Dossier) bool { return d.Lot.Link() == s.Lot })
	if at < 0 {
		return Record{}, fmt.Errorf("portal: lot %s: %w", s.Lot.Path(), trace.ErrUnknown)
	}
	d := s.Story.Dossiers[at]
	r := Record{Lot: d.Lot, Name: d.Product.Name.VI, Demo: d.Lot.Demo || s.Story.Farm.Coop.Demo, Story: epcis.Export(s.Story)}
	r.Stages = stages(r.Story)
	m := maker{s, d}
	r.Fields = append(m.circular(r.Stages), m.decree(r.Stages)...)
	return r, nil
}

func stages(events []epcis.Event) (out []Stage) {
	for _, e := range events {
		kind, _ := e.Ext["farm:cte"].(string)
		if e.Error != nil || e.Type == epcis.Association || kind == "" {
			continue
		}
		st := Stage{Kind: kind, At: e.Time.Time, Event: e.ID}
		if e.ReadPoint != nil {
			st.Place = e.ReadPoint.ID
		}
		for _, list := range [][]epcis.Quantity{e.Out, e.Quantities, e.ChildCounts} {
			for _, q := range list {
				if !slices.Contains(st.Products, q.Class) {
					st.Products = append(st.Products, q.Class)
				}
			}
		}
		out = append(out, st)
	}
	return out
}

type maker struct {
	Source
	d trace.Dossier
}

// field makes a field of those values that are there.
func field(law Law, n int, ifAny bool, values ...string) Field {
	f := Field{Law: law, N: n, IfAny: ifAny, State: Told}
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			f.Values = append(f.Values, v)
		}
	}
	switch {
	case len(f.Values) > 0:
	case ifAny:
		f.State = NotAny
	default:
		f.State = Missing
	}
	return f
}

// circular makes the ten fields of Circular 02/2024.
func (m maker) circular(stages []Stage) []Field {
	serials := ""
	if m.Items > 0 {
		serials = m.T("portal.v.items", strconv.Itoa(m.Items))
	}
	return []Field{
		field(Circular02, 1, false, m.d.Product.Name.VI),
		field(Circular02, 2, false, m.Picture),
		field(Circular02, 3, false, m.Story.Farm.Coop.Name.VI),
		field(Circular02, 4, false, m.coopAddress()),
		field(Circular02, 5, false, m.told(stages)),
		field(Circular02, 6, false, m.made()),
		field(Circular02, 7, false, m.Address),
		field(Circular02, 8, true, m.Product.Values.Text("brand"), serials),
		field(Circular02, 9, true, m.shelf()...),
		field(Circular02, 10, false, m.standards()...),
	}
}

// decree makes the fields of the product passport.
func (m maker) decree(stages []Stage) []Field {
	gtin := m.Lot.GTIN
	if farm.Internal(gtin) { // a number of the co-op's own is no GTIN
		gtin = ""
	}
	named := field(Decree37, 1, false, m.d.Product.Name.VI, gtin)
	maker := field(Decree37, 2, false, m.Story.Farm.Coop.Name.VI, m.coopAddress(), m.GLN)
	if gtin == "" {
		named.State = Missing
	}
	if m.GLN == "" || m.coopAddress() == "" {
		maker.State = Missing
	}
	var certificates []string
	for _, c := range m.d.Certificates {
		if !c.Demo {
			certificates = append(certificates, strings.Join(nonEmpty(c.Scheme, c.Standard, c.Number, c.Issuer, days(c.From, c.LastDay())), ", "))
		}
	}
	warning := ""
	if m.d.Lot.State == trace.Recalled {
		warning = m.T("portal.v.recalled")
	}
	return []Field{
		named, maker,
		field(Decree37, 3, false, m.origin()),
		field(Decree37, 4, false, m.Address, m.told(stages)),
		field(Decree37, 5, true, certificates...),
		field(Decree37, 6, false, append([]string{m.made()}, m.best()...)...),
		field(Decree37, 7, true, warning),
	}
}

func nonEmpty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// told counts the stages.
func (m maker) told(stages []Stage) string {
	if len(stages) == 0 {
		return ""
	}
	return m.T("portal.v.stages", strconv.Itoa(len(stages)))
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(farm.Time()).Format("02/01/2006")
}

func days(from, to time.Time) string {
	return strings.Join(slices.Compact(nonEmpty(day(from), day(to))), " – ")
}

// made is the time of production.
func (m maker) made() string {
	l := m.d.Lot
	if l.Harvested.IsZero() {
		return ""
	}
	return days(l.Stocked, l.Harvested)
}

// when is the day as of which addresses are told.
func (m maker) when() time.Time { return m.d.Lot.Harvested }

func (m maker) coopAddress() string {
	a, ok := farm.AddressAt(m.Story.Farm.Coop.Addresses, m.when())
	if !ok {
		return ""
	}
	return a.Text.VI
}

// origin is where the lot grew, or was made.
func (m maker) origin() string {
	var out []string
	for _, code := range m.d.Lot.Places {
		p, ok := m.Story.Farm.Place(code)
		if !ok {
			continue
		}
		rows := m.Story.Farm.Coop.Addresses
		if z, ok := m.Story.Farm.Zone(p.Zone); ok && len(z.Addresses) > 0 {
			rows = z.Addresses
		}
		if a, ok := farm.AddressAt(rows, m.when()); ok && !slices.Contains(out, a.Text.VI) {
			out = append(out, a.Text.VI)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return strings.Join(append(out, m.T("portal.v.country")), ", ")
}

// shelf is how long the product keeps, and until when its packs do.
func (m maker) shelf() []string {
	var out []string
	if n, ok := m.Product.Values.Number("shelf_days"); ok && n > 0 {
		out = append(out, m.T("portal.v.days", strconv.FormatFloat(n, 'f', -1, 64)))
	}
	return append(out, m.best()...)
}

// best are the best-before days of the lot's packs.
func (m maker) best() (out []string) {
	var all []time.Time
	for _, g := range m.Story.Goods {
		if g.Kind == trace.Pack && !g.Best.IsZero() && slices.ContainsFunc(g.In, func(p trace.Part) bool { return p.Ref == m.Lot.Ref() }) {
			all = append(all, g.Best)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	for _, t := range all {
		if s := m.T("portal.v.best", day(t)); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// standards are those the product is made by: of certificates that cover the lot, and the one its record names.
func (m maker) standards() []string {
	var out []string
	for _, c := range m.d.Certificates {
		if s := cmp.Or(c.Standard, c.Scheme); !c.Demo && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if s := m.Product.Values.Text("standard"); s != "" && !slices.Contains(out, s) {
		out = append(out, s)
	}
	return out
}
