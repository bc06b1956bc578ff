package farm

import (
	"slices"
	"time"
)

// CertificateScope is what a certificate covers: products × places × days. It is the one thing that says whether a scheme's name may stand
// beside a product: on a label, in a book, on a page.
type CertificateScope struct {
	ID       string
	Scheme   string   // vietgap, organic, gacp, ocop …
	Products []string // by whatever names whoever asks: ids of records, GTINs
	Places   []string // codes; none: wherever it is made
	From, To time.Time
	Demo     bool // made up: covers only together with others that are
}

// ScopeOf returns the scope of a record of a certificate: From is 00:00 of its first day, To 00:00 of the day after its last, which is part
// of it.
func ScopeOf(r Record) CertificateScope {
	s := CertificateScope{
		ID: r.ID, Scheme: r.Values.Text("scheme"), Products: r.Values.List("products"), Places: r.Values.List("places"), From: r.Values.Day("from", Time()), To: r.Values.Day("to", Time()),
	}
	if !s.To.IsZero() {
		s.To = s.To.AddDate(0, 0, 1)
	}
	return s
}

// Covers reports whether the scope holds a product from a place at t. One without a last day covers nothing; one without a first day began long ago.
func (c CertificateScope) Covers(product, place string, t time.Time) bool {
	return slices.Contains(c.Products, product) && (len(c.Places) == 0 || slices.Contains(c.Places, place)) && !t.Before(c.From) && t.Before(c.To)
}

// Covering returns those scopes that cover a product at t, and that together with others of their scheme cover every one of places: one
// certified pond does not certify fish from two. From no place at all only scopes that name none cover it.
func Covering(all []CertificateScope, product string, places []string, t time.Time) []CertificateScope {
	var out []CertificateScope
	for _, c := range all {
		if part := coversAny(c, product, places, t); part && everywhere(all, c, product, places, t) {
			out = append(out, c)
		}
	}
	return out
}

func coversAny(c CertificateScope, product string, places []string, t time.Time) bool {
	if len(places) == 0 {
		return len(c.Places) == 0 && c.Covers(product, "", t)
	}
	return slices.ContainsFunc(places, func(p string) bool { return c.Covers(product, p, t) })
}

// everywhere reports whether scopes of c's scheme, as real as c, cover every place.
func everywhere(all []CertificateScope, c CertificateScope, product string, places []string, t time.Time) bool {
	for _, place := range places {
		if !slices.ContainsFunc(all, func(o CertificateScope) bool {
			return o.Scheme == c.Scheme && o.Demo == c.Demo && o.Covers(product, place, t)
		}) {
			return false
		}
	}
	return true
}
