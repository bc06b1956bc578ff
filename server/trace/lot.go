// Package trace says what a label stands for: products, harvest lots, certificates, GS1 Digital Link paths and the water
// evidence of a lot.
//
// A path that somebody scanned comes in and a Link goes out, or the exact fault of the path. The places and dates of a
// lot and the readings of that time come in, and Evidence goes out. The package holds rules and ports only: no SQL, no
// HTTP.
package trace

import (
	"errors"
	"slices"
	"time"

	"aovuon/server/farm"
)

// ErrUnknown is returned for a well-formed link that nobody issued.
var ErrUnknown = errors.New("trace: unknown code")

// Product is what is sold.
type Product struct {
	GTIN string // 14 digits with check digit
	Name farm.Text
	// Record is the id of the product in the farm's register; empty: it was imported. The number of one without a GTIN is farm.Internal.
	Record string `json:",omitempty"`
}

// State says how far a lot has come.
type State string

// The states of a lot.
const (
	Growing   State = "growing"
	Harvested State = "harvested"
	Held      State = "held"     // it may not be sold: no label is issued until a second person lets it go
	Released  State = "released" // it may be labelled and sold: it was looked at as a whole, and is sealed
	Shipped   State = "shipped"  // all of it has left
	Recalled  State = "recalled"
	Closed    State = "closed" // nothing is done with it any more
	Void      State = "void"   // its harvest was taken back: there is no such lot
)

// Lot is what was harvested together.
type Lot struct {
	GTIN, Code string // AI 01 and AI 10
	Places     []string
	Species    farm.Text // what people call it
	Scientific string
	Stocked    time.Time // when fish was stocked or the crop was planted
	Harvested  time.Time // zero while Growing
	KG         float64   // harvested
	State      State
	Demo       bool // nothing was grown: the page says so

	// Of a lot that the diary opened: its season, a record's id, and the first events of the entries it is made of.
	Cycle    string   `json:",omitempty"`
	Harvests []string `json:",omitempty"`
	// Barred are schemes that must not be named of it, whatever certificates there are: what was used on it does not allow that.
	Barred []string `json:",omitempty"`
}

// Sellable reports whether a label may be issued for the lot, and claims be made of it.
func (l Lot) Sellable() bool {
	switch l.State {
	case Growing, Harvested, Released, Shipped, Recalled, Closed:
		return true
	case Held, Void:
	}
	return false
}

// Link returns the Digital Link of the whole lot.
func (l Lot) Link() Link { return Link{GTIN: l.GTIN, Lot: l.Code} }

// Span returns the time the lot spent at its places, up to now while it is growing.
func (l Lot) Span(now time.Time) (from, to time.Time) {
	to = l.Harvested
	if to.IsZero() || to.After(now) {
		to = now
	}
	if to.Before(l.Stocked) {
		to = l.Stocked
	}
	return l.Stocked, to
}

// Certificate is a certificate the co-op holds, for a product, at a place, for a time. Nothing may be called certified
// except by a Certificate that Covers it.
type Certificate struct {
	ID       string
	Scheme   string // VietGAP
	Standard string // TCVN 13528-1:2022
	Number   string
	Issuer   string
	GTIN     string
	Place    string    // code; empty: wherever it is made
	From, To time.Time // To is 00:00 of the day after the last, which is part of it
	Demo     bool      // made up: the page says that it is worth nothing
}

// LastDay returns 00:00 of the last day of the certificate: the day that people and papers write.
func (c Certificate) LastDay() time.Time { return c.To.AddDate(0, 0, -1) }

// Scope returns what the certificate covers, its product by GTIN.
func (c Certificate) Scope() farm.CertificateScope {
	s := farm.CertificateScope{ID: c.ID, Scheme: c.Scheme, Products: []string{c.GTIN}, From: c.From, To: c.To, Demo: c.Demo}
	if c.Place != "" {
		s.Places = []string{c.Place}
	}
	return s
}

// CertificatesOf returns those certificates that cover every place of a lot on the day it was harvested (farm.Covering), and whose scheme the
// lot may be called by. A growing lot is covered by none: it was not harvested on any day.
func CertificatesOf(l Lot, all []Certificate) []Certificate {
	if l.Harvested.IsZero() || len(l.Places) == 0 {
		return nil
	}
	scopes := make([]farm.CertificateScope, len(all))
	for i, c := range all {
		scopes[i] = c.Scope()
	}
	covering := farm.Covering(scopes, l.GTIN, l.Places, l.Harvested)
	var out []Certificate
	for _, c := range all {
		if !slices.Contains(l.Barred, c.Scheme) && slices.ContainsFunc(covering, func(s farm.CertificateScope) bool { return s.ID == c.ID }) {
			out = append(out, c)
		}
	}
	return out
}

// Dossier is all that the page of a label is drawn from.
type Dossier struct {
	Lot          Lot
	Product      Product
	Certificates []Certificate // those that cover the lot
	Evidence     []Evidence
	Weighed      time.Time // when Evidence was computed; zero: not yet
	Seal         *Sealed   // nil: not sealed yet
}
