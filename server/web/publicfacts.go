package web

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/privacy"
	"aovuon/server/trace"
	"aovuon/server/web/locator"
)

// publicFacts is all that everybody may know of a lot, in the words of one language: the page of the lot, of each of its items, and of a box
// they are in are drawn from it.
type publicFacts struct {
	publicFrame
	trace.Dossier
	Kind     farm.Kind // of the place it is from
	Places   []labelPlace
	Days     int64 // from stocking to harvest
	OneDay   bool  // it began on the day it was done
	SameName bool  // the product is called as the species is
	Photo    string
	Map      template.HTML
	Covered  string // how much of the time was measured
	Pending  bool   // nothing was weighed yet
	Measured bool   // there is at least one value
	Charts   []lifeChart
	Columns  []evidenceColumn
	Limits   []string
	Gaps     []gapLine
	MoreGaps int64
	Gateways string          // that signed
	Told     string          // sources that cannot sign
	People   []privacy.Shown // what they agreed to, of those who raised or grew it
	Kept     bool            // the diary was looked at
	Journey  []stage
	Parents  []parent
	Treated  []treated
	Entries  int64 // of the diary, about this lot
	Who      []sayer
	Internal bool // the product has no GTIN: its number is the co-op's own
	QR       template.HTML
	URL      string
	Bundle   string // address of the lot's evidence bundle; empty: not for everybody

	words *words
	labs  []string // results of laboratories, as the diary names them
	made  bool     // of other lots, or by others: it was neither stocked nor planted here
}

// received is the kind of a lot that others made.
const received farm.Kind = "received"

type labelPlace struct {
	farm.Place
	Zone    string
	Address string // when the lot was harvested
	Today   string // the same place's address now, where it has another
}

// parent is a lot that this one was made of.
type parent struct{ Code, Name, Href string }

// sayer is who says a part of what stands on the page: probe, person or laboratory.
type sayer struct{ Mark, Who, What string }

// newPublicFacts gathers what farm and dossier say.
func newPublicFacts(w *words, f *farm.Farm, d trace.Dossier, now time.Time) *publicFacts {
	p := &publicFacts{Dossier: d, Kind: farm.Shed, words: w}
	from, to := d.Lot.Span(now)
	p.Days = int64(to.Sub(from).Round(24*time.Hour) / (24 * time.Hour))
	var gateways, told []string
	for _, code := range d.Lot.Places {
		place, ok := f.Place(code)
		if !ok {
			continue
		}
		p.Places = append(p.Places, placeShown(w, f, place, to, now))
		for _, m := range f.MountsAt(code, from, to) {
			list := &gateways
			if !f.Signs(m.Gateway) {
				list = &told
			}
			if !slices.Contains(*list, m.Gateway) {
				*list = append(*list, m.Gateway)
			}
		}
	}
	if len(p.Places) > 0 {
		p.Kind = p.Places[0].Kind
	}
	p.OneDay = farm.Midnight(d.Lot.Stocked).Equal(farm.Midnight(d.Lot.Harvested))
	p.SameName = fold(d.Lot.Species.In(w.lang)) == fold(d.Product.Name.In(w.lang))
	p.Gateways, p.Told = strings.Join(gateways, ", "), strings.Join(told, ", ")
	return p
}

// placeShown is a place with its address as it was at a time, and as it is now.
func placeShown(w *words, f *farm.Farm, place farm.Place, at, now time.Time) labelPlace {
	l := labelPlace{Place: place}
	z, ok := f.Zone(place.Zone)
	if !ok {
		return l
	}
	l.Zone = z.Name.In(w.lang)
	rows := z.Addresses
	if len(rows) == 0 {
		rows = f.Coop.Addresses
	}
	if a, ok := farm.AddressAt(rows, at); ok {
		l.Address = a.Text.In(w.lang)
	}
	if a, ok := farm.AddressAt(rows, now); ok && a.Text.In(w.lang) != l.Address {
		l.Today = a.Text.In(w.lang)
	}
	return l
}

// say returns a text in the words of what the place is: fish is stocked, a crop is planted, noodles are made.
func (p *publicFacts) say(key string, args ...string) string {
	if of := key + "." + string(p.Kind); p.words.has(of) {
		return p.words.t(of, args...)
	}
	return p.words.t(key, args...)
}

// Say is say for templates.
func (p *publicFacts) Say(key string) string { return p.say(key) }

// lotMap draws where places lie, as exactly as strangers may know.
func lotMap(w *words, f *farm.Farm, places []labelPlace) template.HTML {
	m := locator.Map{ID: "map", Title: w.t("map.title"), Scale: w.t("map.scale")}
	var said []string
	for _, l := range places {
		m.Here = append(m.Here, roughly(l.Place)...)
		said = append(said, l.Title.In(w.lang)+", "+l.Address)
	}
	m.Desc = w.t("map.desc", strings.Join(said, "; "))
	for _, place := range f.Places {
		m.Others = append(m.Others, roughly(place)...)
	}
	return safeHTML([]byte(m.SVG()))
}

// roughly returns the cell of a place's first corner; none where it was not surveyed.
func roughly(p farm.Place) []privacy.Rough {
	if len(p.Outline) == 0 {
		return nil
	}
	return []privacy.Rough{p.Outline[0].Rough()}
}

// safeHTML is what our own drawings wrote: they escape what they are given.
func safeHTML(b []byte) template.HTML { return template.HTML(b) }

// says lists who says what on the page.
func (p *publicFacts) says(w *words) {
	var signed, unsigned int64
	for _, e := range p.Evidence {
		signed, unsigned = signed+int64(e.N-e.Unsigned), unsigned+int64(e.Unsigned)
	}
	if signed > 0 {
		p.Who = append(p.Who, sayer{"probe", w.t("who.probe"), w.t("who.probe.what", p.Gateways, w.count(signed))})
	}
	if unsigned > 0 {
		p.Who = append(p.Who, sayer{"unsigned", w.t("who.unsigned"), w.t("who.unsigned.what", p.Told, w.count(unsigned))})
	}
	if p.Kept {
		p.Who = append(p.Who, sayer{"person", w.t("who.person"), w.t("who.person.what", w.count(p.Entries))})
	}
	var issuers []string
	for _, c := range p.Certificates {
		if !c.Demo && !slices.Contains(issuers, c.Issuer) {
			issuers = append(issuers, c.Issuer)
		}
	}
	what := w.t("who.lab.none")
	if len(issuers)+len(p.labs) > 0 {
		what = ""
	}
	if len(issuers) > 0 {
		what = w.t("who.lab.what", strings.Join(issuers, ", ")) + " "
	}
	if len(p.labs) > 0 {
		what += w.t("who.lab.tests", strings.Join(p.labs, ", "))
	}
	p.Who = append(p.Who, sayer{"lab", w.t("who.lab"), what})
}
