// Package form says what people fill in: the fields of a diary entry or of a record of the farm, and what each may hold.
//
// What a person wrote in a form, a phone sent as JSON or a table has in a row comes in, with the Fields it answers; checked Values go out,
// or the Problems, a field each. Pages draw their forms from the same Fields. The package knows no page, no table and no diary.
package form

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Type is what a field holds.
type Type string

// The types, with what Values hold of them.
const (
	Text   Type = "text"   // a line; string
	Long   Type = "long"   // several lines; string
	Number Type = "number" // float64
	Date   Type = "date"   // a day at the co-op; string, YYYY-MM-DD
	Moment Type = "moment" // a time; string, RFC 3339
	Choice Type = "choice" // one of Options; string
	Ref    Type = "ref"    // id of a record of the kind Of; string
	Flag   Type = "flag"   // yes or no; bool
)

// Field is one thing that people are asked.
type Field struct {
	Key      string   // [a-z0-9_]; its words are field.KEY
	Type     Type     //
	Of       string   // Ref: the kind of record
	Options  []string // Choice: their words are option.KEY.OPTION
	Unit     string   // Number: as it is printed: kg, m², mg/L
	Min, Max float64  // Number: bounds, both part of it; Max 0: none
	Whole    bool     // Number: no fraction
	Required bool     //
	Repeat   bool     // Text, Choice, Ref: any number of them; []string
	File     bool     // Text: SHA-256 of a photo that is kept, in small hexadecimal
	Private  bool     // never on a page of strangers
	Quick    bool     // asked first: what nobody leaves out. The others are behind "more"
	Kept     bool     // the last answer stands in the next form
}

// Most characters a Text, and a Long, may have.
const (
	mostText = 200
	mostLong = 4000
	// mostRepeat bounds how many values one field may have.
	mostRepeat = 100
)

// Values are the answers, by the fields' keys; what is not answered is not there.
type Values map[string]any

// Text returns a string answer, "" where there is none.
func (v Values) Text(key string) string { s, _ := v[key].(string); return s }

// Number returns a number; ok is false where there is none.
func (v Values) Number(key string) (n float64, ok bool) { n, ok = v[key].(float64); return n, ok }

// Flag returns a yes.
func (v Values) Flag(key string) bool { b, _ := v[key].(bool); return b }

// List returns the values of a field that may have several; a single one is a list of one.
func (v Values) List(key string) []string {
	switch x := v[key].(type) {
	case []string:
		return x
	case string:
		return []string{x}
	}
	return nil
}

// Day returns a date at midnight of the zone; the zero time where there is none.
func (v Values) Day(key string, zone *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, v.Text(key), zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Code says what is wrong with an answer; its words are problem.form.CODE.
type Code string

// What may be wrong.
const (
	Missing  Code = "missing"  // required, and not answered
	NoNumber Code = "number"   // not a number as people write it here
	NotWhole Code = "whole"    // a fraction where none can be
	TooSmall Code = "small"    // below Bound
	TooLarge Code = "large"    // above Bound
	NoDate   Code = "date"     // no day that there is
	NoMoment Code = "moment"   // no time that there is
	NoOption Code = "option"   // not one of the choices
	NoRecord Code = "ref"      // no record of that id
	NoFlag   Code = "flag"     // neither yes nor no
	TooLong  Code = "long"     // more than Bound characters
	TooMany  Code = "many"     // more than Bound values
	BadText  Code = "text"     // characters that no page shows
	Unknown  Code = "unknown"  // no such field
	Taken    Code = "taken"    // another record has this name already
	Conflict Code = "conflict" // does not go with another answer
	BadPoint Code = "point"    // no degrees north and east
	NoGTIN   Code = "gtin"     // not 14 digits with a check digit that is right, as GS1 gives them out
)

// Problem is one thing that is wrong with what was filled in.
type Problem struct {
	Key   string  `json:"key"`
	Code  Code    `json:"code"`
	Given string  `json:"given,omitempty"` // what was written, cut
	Bound float64 `json:"bound,omitempty"` // of TooSmall, TooLarge, TooLong, TooMany
}

// String is for logs; people read problem.form.CODE.
func (p Problem) String() string { return fmt.Sprintf("form: %s: %s (%q)", p.Key, p.Code, p.Given) }

// Problems are all that is wrong at once.
type Problems []Problem

// InvalidError is the error of values that cannot be taken.
type InvalidError struct{ Problems Problems }

// Error implements error.
func (e *InvalidError) Error() string {
	all := make([]string, len(e.Problems))
	for i, one := range e.Problems {
		all[i] = one.String()
	}
	return strings.Join(all, "; ")
}

// Exists reports whether there is a record of a kind and id.
type Exists func(kind, id string) bool

// Check returns the values of fields as a phone sent them in JSON, in the types of Values, and what is wrong with them. exists may be nil:
// then references are not looked up.
func Check(fields []Field, sent map[string]any, exists Exists) (Values, Problems) {
	out, bad := Values{}, Problems(nil)
	for key, v := range sent {
		if !slices.ContainsFunc(fields, func(f Field) bool { return f.Key == key }) && v != nil {
			bad = append(bad, Problem{Key: cut(key), Code: Unknown})
		}
	}
	slices.SortFunc(bad, func(a, b Problem) int { return strings.Compare(a.Key, b.Key) })
	for _, f := range fields {
		v, err := f.check(sent[f.Key], exists)
		switch {
		case err != nil:
			bad = append(bad, *err)
		case v != nil:
			out[f.Key] = v
		case f.Required:
			bad = append(bad, Problem{Key: f.Key, Code: Missing})
		}
	}
	return out, bad
}

// check returns a value in its type; nil: not answered.
func (f Field) check(v any, exists Exists) (any, *Problem) {
	if v == nil {
		return nil, nil //nolint:nilnil // not answered is no problem
	}
	if f.Repeat {
		return f.checkList(v, exists)
	}
	switch f.Type {
	case Number:
		n, ok := v.(float64)
		if !ok {
			return nil, f.problem(NoNumber, v)
		}
		return f.number(n)
	case Flag:
		b, ok := v.(bool)
		if !ok {
			return nil, f.problem(NoFlag, v)
		}
		return b, nil
	case Text, Long, Date, Moment, Choice, Ref:
		s, ok := v.(string)
		if !ok {
			return nil, f.problem(BadText, v)
		}
		return f.text(s, exists)
	}
	return nil, f.problem(Unknown, v)
}

func (f Field) checkList(v any, exists Exists) (any, *Problem) {
	var raw []any
	switch x := v.(type) {
	case []any:
		raw = x
	case []string:
		for _, s := range x {
			raw = append(raw, s)
		}
	default:
		raw = []any{v}
	}
	if len(raw) > mostRepeat {
		return nil, &Problem{Key: f.Key, Code: TooMany, Bound: mostRepeat}
	}
	var out []string
	for _, one := range raw {
		s, ok := one.(string)
		if !ok {
			return nil, f.problem(BadText, one)
		}
		t, bad := f.text(s, exists)
		if bad != nil {
			return nil, bad
		}
		if t != nil && !slices.Contains(out, t.(string)) {
			out = append(out, t.(string))
		}
	}
	if len(out) == 0 {
		return nil, nil //nolint:nilnil // not answered
	}
	return out, nil
}

func (f Field) number(n float64) (any, *Problem) {
	p := Problem{Key: f.Key, Given: fmt.Sprint(n)}
	switch {
	case math.IsNaN(n) || math.IsInf(n, 0):
		p.Code = NoNumber
	case f.Whole && n != math.Trunc(n):
		p.Code = NotWhole
	case n < f.Min:
		p.Code, p.Bound = TooSmall, f.Min
	case f.Max != 0 && n > f.Max:
		p.Code, p.Bound = TooLarge, f.Max
	default:
		return n, nil
	}
	return nil, &p
}

func (f Field) text(s string, exists Exists) (any, *Problem) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil //nolint:nilnil // not answered
	}
	most := mostText
	if f.Type == Long {
		most = mostLong
	}
	if n := utf8.RuneCountInString(s); n > most {
		return nil, &Problem{Key: f.Key, Code: TooLong, Given: cut(s), Bound: float64(most)}
	}
	odd := func(r rune) bool {
		return !unicode.IsPrint(r) && (f.Type != Long || !strings.ContainsRune("\n\r\t", r))
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return nil, f.problem(BadText, s)
	}
	if f.File && (len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "") {
		return nil, f.problem(BadText, s)
	}
	switch f.Type {
	case Date:
		if t, err := time.Parse(time.DateOnly, s); err != nil || t.Year() < 1900 || t.Year() > 2200 {
			return nil, f.problem(NoDate, s)
		}
	case Moment:
		if t, err := time.Parse(time.RFC3339, s); err != nil || t.Year() < 1900 || t.Year() > 2200 {
			return nil, f.problem(NoMoment, s)
		}
	case Choice:
		if !slices.Contains(f.Options, s) {
			return nil, f.problem(NoOption, s)
		}
	case Ref:
		if exists != nil && !exists(f.Of, s) {
			return nil, f.problem(NoRecord, s)
		}
	case Text, Long, Number, Flag:
	}
	return s, nil
}

func (f Field) problem(code Code, given any) *Problem {
	return &Problem{Key: f.Key, Code: code, Given: cut(fmt.Sprint(given))}
}

// cut bounds what is said back of what somebody wrote.
func cut(s string) string {
	r := []rune(strings.ToValidUTF8(s, "�"))
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return string(r)
}

// Read returns the values of JSON as it is kept: in the types of Values.
func Read(raw []byte) (Values, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	var out Values
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("form: values: %w", err)
	}
	for k, v := range out {
		list, ok := v.([]any)
		if !ok {
			continue
		}
		all := make([]string, 0, len(list))
		for _, one := range list {
			s, ok := one.(string)
			if !ok {
				return nil, fmt.Errorf("form: values: %s: a list of something that is no text", k)
			}
			all = append(all, s)
		}
		out[k] = all
	}
	return out, nil
}
