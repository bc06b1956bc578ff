package trace

import (
	"strings"

	"aovuon/server/farm"
	"aovuon/server/trace/digitallink"
)

// Link is a GS1 Digital Link to a product, a lot of it or an item of the lot: the path
// /01/<GTIN>[/22/<variant>][/10/<lot>][/21/<serial>]. Links to other things are read by digitallink.
type Link struct {
	GTIN    string // AI 01
	Variant string // AI 22
	Lot     string // AI 10
	Serial  string // AI 21
}

// Fault says which part of a scanned path is malformed, and how.
type Fault = digitallink.Fault

// MalformedError is the error of a path that is no Digital Link.
type MalformedError = digitallink.MalformedError

// The faults of a path that pages speak of by name.
const (
	BadLength    = digitallink.BadLength
	BadEncoding  = digitallink.BadEncoding
	BadGTIN      = digitallink.BadGTIN
	BadCheck     = digitallink.BadCheck
	BadKey       = digitallink.BadKey
	BadOrder     = digitallink.BadOrder
	Duplicate    = digitallink.Duplicate
	NoValue      = digitallink.NoValue
	BadSlash     = digitallink.BadSlash
	BadCharacter = digitallink.BadCharacter
	BadValueLen  = digitallink.BadValueLen
	BadQuery     = digitallink.BadQuery
	LateSegment  = digitallink.LateSegment
	BadShort     = digitallink.BadShort
)

// Faults lists every fault.
func Faults() []Fault { return digitallink.Faults() }

// ParseLink reads the escaped path and the raw query of a scanned URL of a product, lot or item. It guesses nothing: what is not exactly a
// Digital Link of these is a *MalformedError. Fragments are for the browser and no part of either.
func ParseLink(escapedPath, rawQuery string) (Link, error) {
	d, err := digitallink.ParsePath(escapedPath, rawQuery)
	if err != nil {
		return Link{}, err
	}
	l, ok := LinkOf(d)
	if !ok {
		return Link{}, &MalformedError{Fault: BadKey, Part: d.Key.AI}
	}
	return l, nil
}

// LinkOf returns the product, lot or item that a Digital Link names; ok is false for one that names something else.
func LinkOf(d digitallink.Link) (l Link, ok bool) {
	l = Link{GTIN: d.Key.Value, Variant: d.Qualifier("22"), Lot: d.Qualifier("10"), Serial: d.Qualifier("21")}
	return l, d.Key.AI == "01" && d.Qualifier("235") == ""
}

// Path returns the canonical path of the link; ParseLink reads it back.
func (l Link) Path() string {
	var b strings.Builder
	b.WriteString("/01/" + l.GTIN)
	for _, q := range []struct{ key, value string }{{"22", l.Variant}, {"10", l.Lot}, {"21", l.Serial}} {
		if q.value != "" {
			b.WriteString("/" + q.key + "/" + digitallink.Escape(q.value))
		}
	}
	return b.String()
}

// CheckDigit returns the GS1 check digit of a string of digits.
func CheckDigit(digits string) byte { return farm.CheckDigit(digits) }
