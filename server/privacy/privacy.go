// Package privacy says what may be shown of a person, and to whom.
//
// People on record, what they agreed to, and their requests come in; what a page may show, when an answer is due, and a file with
// everything about one person go out. The table of Fields is the one place that says what is shown to whom: pages take what they show of
// people from Show, which reads the table, and /privacy prints it. The package holds rules only: no SQL, no HTTP.
package privacy

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Person is somebody the co-op keeps data about.
type Person struct {
	ID        string    `json:"id"` // pseudonym, see NewID: the one name the ledger knows
	Name      string    `json:"name"`
	Phone     string    `json:"phone,omitempty"`
	Photo     string    `json:"photo,omitempty"` // what the co-op's own file of the picture is called; shown to nobody
	Household string    `json:"household,omitempty"`
	Places    []string  `json:"places,omitempty"`  // codes of the places that are theirs
	Account   string    `json:"account,omitempty"` // pseudonym of the account they sign in with; empty: none that is known
	Created   time.Time `json:"created"`
	Erased    time.Time `json:"erased,omitzero"` // zero: not erased
}

// ErrNoPerson says that nobody of that pseudonym is on record, or that they were erased.
var ErrNoPerson = errors.New("no such person on record")

// ErrNotConsentable says that a field is not one that people agree to.
var ErrNotConsentable = errors.New("not a field that people agree to")

// idLen is how many characters a pseudonym has behind "p-": 50 bits.
const idLen = 10

// NewID draws a pseudonym from a source of random bytes: p- and ten characters that tell nothing.
func NewID(random io.Reader) (string, error) {
	const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	var b [idLen]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("privacy: new pseudonym: %w", err)
	}
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return "p-" + string(b[:]), nil
}

// Check reports what is wrong with what was entered of a person.
func (p Person) Check() error {
	if strings.TrimSpace(p.Name) == "" {
		return errors.New("privacy: a person without a name: give one with --name")
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{{"name", p.Name, 120}, {"phone", p.Phone, 40}, {"photo", p.Photo, 200}, {"household", p.Household, 200}} {
		if len(f.value) > f.most || !utf8.ValidString(f.value) || strings.ContainsFunc(f.value, unicode.IsControl) {
			return fmt.Errorf("privacy: %s: want one line of text of at most %d bytes", f.name, f.most)
		}
	}
	if strings.ContainsFunc(p.Phone, func(r rune) bool { return !strings.ContainsRune("0123456789+ ().-", r) }) {
		return fmt.Errorf("privacy: phone %q: want digits, spaces and +", p.Phone)
	}
	return nil
}

// Consent says that a person agreed that a field is shown, until it was withdrawn. Silence is none.
type Consent struct {
	Person    string    `json:"person"`
	Field     string    `json:"field"` // of Fields
	To        Audience  `json:"to"`
	Text      string    `json:"text"` // version of the text that was agreed to
	Given     time.Time `json:"given"`
	Withdrawn time.Time `json:"withdrawn,omitzero"` // zero: it holds
}

// Holds reports whether the consent is in force.
func (c Consent) Holds() bool { return c.Withdrawn.IsZero() }

// Shown is what a page may show of a person.
type Shown struct {
	Place                  string // of which place
	Name, Household, Phone string // empty: not shown
}

// Show returns what an audience may see of a person, and whether that is anything at all: the fields of the table for which a consent
// holds, and no others.
func Show(p Person, consents []Consent, to Audience) (s Shown, shown bool) {
	if !p.Erased.IsZero() {
		return Shown{}, false
	}
	value := map[string]struct{ from, into *string }{
		PersonName: {&p.Name, &s.Name}, PersonHousehold: {&p.Household, &s.Household}, PersonPhone: {&p.Phone, &s.Phone},
	}
	for _, f := range Fields() {
		v, known := value[f.ID]
		if !known || !f.Consent || f.To != to {
			continue
		}
		agreed := slices.ContainsFunc(consents, func(c Consent) bool {
			return c.Person == p.ID && c.Field == f.ID && c.To == to && c.Holds()
		})
		if agreed && *v.from != "" {
			*v.into, shown = *v.from, true
		}
	}
	return s, shown
}
