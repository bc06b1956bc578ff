// Package digitallink reads and writes GS1 Digital Link URIs (URI Syntax 1.3 and later: numeric keys only) for every
// primary key of GS1.
//
// A path or URI that somebody scanned or sent comes in, and a Link goes out, or the exact fault of it: nothing is guessed. EPC URNs
// are turned into Links, too. The package knows no lot, no page and no database; what the numbers name is for others.
//
// The rules are those of GS1's syntax dictionary (github.com/gs1/gs1-syntax-dictionary); a test compares them with it. Values are checked
// for length, characters, check digits, and dates; lists of countries, currencies and the like are not carried here.
package digitallink

import (
	"strconv"
	"strings"
)

// Fault says which part of a path is malformed, and how. The texts that people read stand in the pages' locales, under the value of Fault.
type Fault string

// The faults of a path.
const (
	BadLength    Fault = "length"     // longer than any Digital Link of ours can be
	BadEncoding  Fault = "encoding"   // a percent sign without two hexadecimal digits, or bytes that are no characters
	BadGTIN      Fault = "gtin"       // not 14 digits
	BadCheck     Fault = "check"      // check digit of the number
	BadNumber    Fault = "number"     // what follows the key is not of the key's form
	BadKey       Fault = "key"        // a key that does not stand there
	BadOrder     Fault = "order"      // qualifiers in the wrong order
	Duplicate    Fault = "duplicate"  // a key twice
	NoValue      Fault = "empty"      // a key without value
	BadSlash     Fault = "slash"      // trailing slash or empty segment
	BadCharacter Fault = "character"  // a character outside GS1's set 82
	BadValueLen  Fault = "value"      // more characters than the key takes
	BadQuery     Fault = "query"      // a GS1 attribute after ? that may not stand there, or not so
	LateSegment  Fault = "incomplete" // a path that ends after a key
	BadShort     Fault = "short"      // a short code whose length or check character is wrong
)

// Faults lists every fault.
func Faults() []Fault {
	return []Fault{
		BadLength, BadEncoding, BadGTIN, BadCheck, BadNumber, BadKey, BadOrder, Duplicate, NoValue, BadSlash, BadCharacter, BadValueLen, BadQuery,
		LateSegment, BadShort,
	}
}

// MalformedError is the error of a text that is no Digital Link.
type MalformedError struct {
	Fault Fault
	Part  string // of the text, as it was written, at most 40 characters
}

func (e *MalformedError) Error() string {
	return "trace: malformed Digital Link: " + string(e.Fault) + ": " + strconv.QuoteToASCII(e.Part)
}

func malformed(f Fault, part string) error {
	for i := range part {
		if i >= 40 {
			part = part[:i]
			break
		}
	}
	return &MalformedError{Fault: f, Part: strings.ToValidUTF8(part, "�")}
}

// Element is an application identifier with its value.
type Element struct{ AI, Value string }

// Link is a Digital Link: a primary key, its qualifiers in the order of the path, and attributes.
type Link struct {
	Key        Element
	Qualifiers []Element
	Attributes []Element // of the query, in the order they were written
}

// Qualifier returns the value of a qualifier; "" where it has none.
func (l Link) Qualifier(ai string) string {
	for _, q := range l.Qualifiers {
		if q.AI == ai {
			return q.Value
		}
	}
	return ""
}

// Attribute returns the value of an attribute; "" where it has none.
func (l Link) Attribute(ai string) string {
	for _, a := range l.Attributes {
		if a.AI == ai {
			return a.Value
		}
	}
	return ""
}
