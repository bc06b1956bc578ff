package privacy

import (
	_ "embed"
	"fmt"
	"strings"
)

// TextVersion is the version of the text that people agree to today. A text is never changed under its version: a new one gets the next.
const TextVersion = "1"

//go:embed texts/consent-1.vi.txt
var consentVI string

//go:embed texts/consent-1.en.txt
var consentEN string

// Text returns the text of today's version in a language: Vietnamese unless English is asked for.
func Text(lang string) string {
	if lang == "en" {
		return consentEN
	}
	return consentVI
}

// Paragraphs returns the paragraphs of Text.
func Paragraphs(lang string) []string { return strings.Split(strings.TrimSpace(Text(lang)), "\n\n") }

// fieldOf returns a field that people agree to, by its id or the part behind "person.".
func fieldOf(name string) (Field, error) {
	for _, id := range []string{name, "person." + name} {
		if f, ok := FieldOf(id); ok && f.Consent {
			return f, nil
		}
	}
	return Field{}, fmt.Errorf("privacy: %q: %w: %s", name, ErrNotConsentable, strings.Join(Consentable(), ", "))
}

// NewConsent is the consent that a person gives to a field now, by today's text. The error wraps ErrNotConsentable.
func NewConsent(person, field string) (Consent, error) {
	f, err := fieldOf(field)
	if err != nil {
		return Consent{}, err
	}
	return Consent{Person: person, Field: f.ID, To: f.To, Text: TextVersion}, nil
}
