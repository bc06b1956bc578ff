// Package farm says what there is to measure and where: the co-op, its ponds and plots, which probe hangs where since
// when, and which limits hold there.
//
// A farm file (YAML, see demo.yaml) comes in; one checked Farm goes out, which server/sqldb keeps and the pages, the
// history projection and the lots read. The package holds rules only: no SQL, no HTTP.
package farm

import (
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// Text is a text people read, in the languages of the pages.
type Text struct {
	VI string `yaml:"vi"`
	EN string `yaml:"en"`
}

// In returns the text in a language; Vietnamese where there is no other.
func (t Text) In(lang string) string {
	if lang == "en" && t.EN != "" {
		return t.EN
	}
	return t.VI
}

// Farm is one co-op as its farm file describes it.
type Farm struct {
	Coop   Coop
	Zones  []Zone
	Places []Place
	Mounts []Mount
	Limits []Limit

	// Unsigned are the sources on record that cannot sign, by the name that stands for their gateway: what they sent is the server's word. It is
	// of the register of gateways and no part of what a farm is saved as.
	Unsigned []string `json:"-"`
}

// Signs reports whether the readings of a gateway are signed where they were measured.
func (f *Farm) Signs(gateway string) bool { return !slices.Contains(f.Unsigned, gateway) }

// Coop is the co-op.
type Coop struct {
	Name      Text
	Demo      bool // every page says that the data is made up
	Addresses []Address
}

// Zone is a part of the farm with a name and an address of its own.
type Zone struct {
	ID        string // [a-z0-9-]
	Name      Text
	Addresses []Address
}

// Address holds from ValidFrom until ValidTo, which is no longer part of it; a zero time is open. Communes and provinces
// are renamed and merged, so an address is always asked for at a time.
type Address struct {
	Text               Text
	ValidFrom, ValidTo time.Time
}

// AddressAt returns the address that was valid at t; ok is false when none was.
func AddressAt(rows []Address, t time.Time) (a Address, ok bool) {
	for _, a := range rows {
		if within(t, a.ValidFrom, a.ValidTo) {
			return a, true
		}
	}
	return Address{}, false
}

// within reports whether from <= t < to, where zero bounds are open.
func within(t, from, to time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

// Kind is what a place is.
type Kind string

// The kinds of places.
const (
	Pond Kind = "pond"
	Plot Kind = "plot"
	Shed Kind = "shed"
)

// Kinds lists every kind, in the order pages show them.
func Kinds() []Kind { return []Kind{Pond, Plot, Shed} }

// Place is a pond, a plot or a shed.
type Place struct {
	Code    string // on its board, see NewCode; the place of a history.Series
	Name    string // short name within the co-op: ao1
	Kind    Kind
	Title   Text
	Zone    string // id of its Zone
	AreaM2  float64
	Holds   Text   // what lives or grows there
	Species string // scientific name; may be empty
	Profile string // the limits that hold there; may be empty

	Soil  Text `json:"Soil,omitzero"`  // what it is made of: pha cát, thịt nặng; may be empty
	Water Text `json:"Water,omitzero"` // where its water is from; may be empty

	Ground Ground `json:"Ground,omitzero"` // how much water its soil holds; of plots

	// Who works it and where exactly it lies is nobody's business: no public leaf and no JSON has it.
	Household string  `json:"-"` // id or code of the household's Record, see HouseholdOf; may be empty
	Outline   Outline `json:"-"` // none: it was not surveyed
}

// Mount says that a sensor hung at a place from From until To; zero times are open.
type Mount struct {
	Gateway, Sensor string
	Place           string // code
	Measures        []measure.Quantity
	From, To        time.Time
}

// Holds reports whether the mount held at t.
func (m Mount) Holds(t time.Time) bool { return within(t, m.From, m.To) }

// Level says how bad it is to be beyond a limit.
type Level string

// The levels, mildest first.
const (
	Warn Level = "warn" // outside what the standard asks for
	Crit Level = "crit" // fish or crop are in danger
)

// HouseholdOf returns the household that works a place: the one whose id or, in farm files that people write, whose code stands there.
func HouseholdOf(p Place, households []Record) (Record, bool) {
	if p.Household == "" {
		return Record{}, false
	}
	for _, key := range []func(Record) string{func(r Record) string { return r.ID }, func(r Record) string { return r.Values.Text("code") }} {
		for _, r := range households {
			if r.Kind == Household && key(r) == p.Household {
				return r, true
			}
		}
	}
	return Record{}, false
}

// Place returns the place with a code.
func (f *Farm) Place(code string) (Place, bool) {
	for _, p := range f.Places {
		if p.Code == code {
			return p, true
		}
	}
	return Place{}, false
}

// Zone returns the zone with an id.
func (f *Farm) Zone(id string) (Zone, bool) {
	for _, z := range f.Zones {
		if z.ID == id {
			return z, true
		}
	}
	return Zone{}, false
}

// PlaceOf returns the code of the place where a sensor hung at t; ok is false when the register does not know.
func (f *Farm) PlaceOf(gateway, sensor string, t time.Time) (code string, ok bool) {
	for _, m := range f.Mounts {
		if m.Gateway == gateway && m.Sensor == sensor && m.Holds(t) {
			return m.Place, true
		}
	}
	return "", false
}

// MountsAt returns the mounts at a place that held at any time from from to to, oldest first.
func (f *Farm) MountsAt(place string, from, to time.Time) []Mount {
	var out []Mount
	for _, m := range f.Mounts {
		if m.Place == place && (m.From.IsZero() || m.From.Before(to)) && (m.To.IsZero() || m.To.After(from)) {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b Mount) int { return a.From.Compare(b.From) })
	return out
}

// zoneName: the co-op's dates and days are those of Viet Nam.
const zoneName = "Asia/Ho_Chi_Minh"

// Time returns the co-op's time zone, read once: pages ask for it with every time they show. Viet Nam has kept UTC+7 without summer time since 1975,
// which stands in where the machine has no zone database.
func Time() *time.Location { return coopTime() }

//nolint:gochecknoglobals // written once, and what it holds is never changed: a zone that every page asks for is not handed through all of them
var coopTime = sync.OnceValue(func() *time.Location {
	if z, err := time.LoadLocation(zoneName); err == nil {
		return z
	}
	return time.FixedZone(zoneName, 7*60*60)
})

// Midnight returns when the day of a time began at the co-op, in its time.
func Midnight(t time.Time) time.Time { return MidnightIn(t, Time()) }

// MidnightIn is Midnight for whom counts days in a zone that was handed in.
func MidnightIn(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}
