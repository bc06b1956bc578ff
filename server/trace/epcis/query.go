package epcis

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/trace/digitallink"
)

// Query is what GET /events asks for: the parameters of the SimpleEventQuery (EPCIS 2.0, 8.2.7.1), several values of one divided by |.
type Query struct {
	From, To time.Time // of eventTime; zero: open
	PerPage  int
	Newest   bool // first
	filters  []filter
	after    *position
}

// filter is one parameter: an event passes if it has one of the values.
type filter struct {
	name   string
	values []string
	has    func(Event) []string
}

// QueryError is the error of a parameter that cannot be taken.
type QueryError struct{ Param, Given, Why string }

func (e *QueryError) Error() string {
	return fmt.Sprintf("epcis: %s=%.80s: %s", e.Param, e.Given, e.Why)
}

// How many events a page has.
const (
	defaultPage = 30
	mostPage    = 1000
)

// ParseQuery reads the parameters. What is not known is refused, as the standard asks: an answer to another question helps nobody.
func ParseQuery(v url.Values) (Query, error) {
	q := Query{PerPage: defaultPage}
	for _, name := range slices.Sorted(mapsKeys(v)) {
		value := v.Get(name)
		wrong := func(why string) error { return &QueryError{name, value, why} }
		if len(v[name]) != 1 || value == "" {
			return q, wrong("want one value; several are divided by |")
		}
		var err error
		switch name {
		case "GE_eventTime":
			q.From, err = time.Parse(time.RFC3339, value)
		case "LT_eventTime":
			q.To, err = time.Parse(time.RFC3339, value)
		case "perPage":
			if q.PerPage, err = strconv.Atoi(value); err == nil && (q.PerPage < 1 || q.PerPage > mostPage) {
				return q, wrong(fmt.Sprintf("want 1 to %d", mostPage))
			}
		case "orderBy":
			if value != "eventTime" {
				return q, wrong("events are in the order of eventTime only")
			}
		case "orderDirection":
			if value != "ASC" && value != "DESC" {
				return q, wrong("want ASC or DESC")
			}
			q.Newest = value == "DESC"
		case "nextPageToken":
			if q.after, err = parsePosition(value); err != nil {
				return q, wrong("no token that this server gave: begin again without it")
			}
		default:
			f, ok := filterOf(name)
			if !ok {
				return q, wrong("no parameter that is known here")
			}
			for word := range strings.SplitSeq(value, "|") {
				f.values = append(f.values, spelling(name, word))
			}
			q.filters = append(q.filters, f)
		}
		if err != nil {
			return q, wrong("malformed: a time is written as 2026-10-18T05:00:00Z")
		}
	}
	return q, nil
}

func mapsKeys(v url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range v {
			if !yield(k) {
				return
			}
		}
	}
}

// filterOf returns the filter of a parameter.
func filterOf(name string) (filter, bool) {
	epcs := func(lists ...func(Event) []string) func(Event) []string {
		return func(e Event) (out []string) {
			for _, l := range lists {
				out = append(out, l(e)...)
			}
			return out
		}
	}
	classes := func(lists ...func(Event) []Quantity) func(Event) []string {
		return func(e Event) (out []string) {
			for _, l := range lists {
				for _, q := range l(e) {
					out = append(out, q.Class)
				}
			}
			return out
		}
	}
	list := func(e Event) []string { return e.EPCs }
	children := func(e Event) []string { return e.Children }
	parent := func(e Event) []string { return []string{e.Parent} }
	in, out := func(e Event) []string { return e.InEPCs }, func(e Event) []string { return e.OutEPCs }
	quantity, childCounts := func(e Event) []Quantity { return e.Quantities }, func(e Event) []Quantity { return e.ChildCounts }
	inClass, outClass := func(e Event) []Quantity { return e.In }, func(e Event) []Quantity { return e.Out }
	has := map[string]func(Event) []string{
		"eventType":               func(e Event) []string { return []string{string(e.Type)} },
		"EQ_action":               func(e Event) []string { return []string{e.Action} },
		"EQ_bizStep":              func(e Event) []string { return []string{steps().uri(e.Step)} },
		"EQ_disposition":          func(e Event) []string { return []string{disposed().uri(e.Disposition)} },
		"EQ_eventID":              func(e Event) []string { return []string{e.ID} },
		"EQ_readPoint":            func(e Event) []string { return whereOf(e.ReadPoint) },
		"EQ_bizLocation":          func(e Event) []string { return whereOf(e.Location) },
		"EQ_transformationID":     func(e Event) []string { return []string{e.TransformID} },
		"MATCH_epc":               epcs(list, children),
		"MATCH_parentID":          parent,
		"MATCH_inputEPC":          epcs(list, children, in),
		"MATCH_outputEPC":         epcs(list, children, out),
		"MATCH_anyEPC":            epcs(list, children, parent, in, out),
		"MATCH_epcClass":          classes(quantity, childCounts),
		"MATCH_inputEPCClass":     classes(quantity, childCounts, inClass),
		"MATCH_outputEPCClass":    classes(quantity, childCounts, outClass),
		"MATCH_anyEPCClass":       classes(quantity, childCounts, inClass, outClass),
		"EXISTS_errorDeclaration": func(e Event) []string { return []string{strconv.FormatBool(e.Error != nil)} },
		"EQ_errorReason": func(e Event) []string {
			if e.Error == nil {
				return nil
			}
			return []string{reasons().uri(e.Error.Reason)}
		},
		"EQ_bizTransaction": func(e Event) (out []string) {
			for _, t := range e.Transactions {
				out = append(out, t.ID)
			}
			return out
		},
	}[name]
	return filter{name: name, has: has}, has != nil
}

func whereOf(w *Where) []string {
	if w == nil {
		return nil
	}
	return []string{w.ID}
}

// spelling brings a value into the spelling that events are compared in.
func spelling(name, value string) string {
	switch name {
	case "EQ_bizStep":
		return steps().uri(value)
	case "EQ_disposition":
		return disposed().uri(value)
	case "EQ_errorReason":
		return reasons().uri(value)
	case "eventType", "EQ_action", "EQ_eventID", "EXISTS_errorDeclaration":
		return value
	}
	return key(value)
}

// key is the spelling in which names are compared: canonical, whole.
func key(uri string) string {
	l, err := digitallink.Parse(uri)
	if strings.HasPrefix(uri, "urn:epc:") {
		l, err = digitallink.FromURN(uri)
	}
	if err != nil {
		return uri
	}
	return l.Canonical()
}

// matches reports whether an event has one of the values. MATCH of an EPC class also takes the pattern of a GTIN: all its lots.
func (f filter) matches(e Event) bool {
	return slices.ContainsFunc(f.has(e), func(have string) bool {
		if strings.HasPrefix(f.name, "MATCH_") || strings.HasSuffix(f.name, "Point") || strings.HasSuffix(f.name, "Location") || f.name == "EQ_bizTransaction" {
			have = key(have)
		}
		return slices.ContainsFunc(f.values, func(want string) bool {
			return have == want || strings.HasSuffix(f.name, "Class") && strings.HasPrefix(have, want+"/10/")
		})
	})
}

// Match reports whether an event is asked for.
func (q Query) Match(e Event) bool {
	if !q.From.IsZero() && e.Time.Before(q.From) || !q.To.IsZero() && !e.Time.Before(q.To) {
		return false
	}
	return !slices.ContainsFunc(q.filters, func(f filter) bool { return !f.matches(e) })
}

// position is where a page ended.
type position struct {
	at time.Time
	id string
}

func (p position) token() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.at.UnixMilli(), 10) + " " + p.id))
}

func parsePosition(s string) (*position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, err
	}
	ms, id, _ := strings.Cut(string(raw), " ")
	n, err := strconv.ParseInt(ms, 10, 64)
	return &position{time.UnixMilli(n), id}, err
}

// Page returns the events of one page, and the token of the next; "" after the last. A token holds while events come and go: it names the event
// that the page ended with.
func (q Query) Page(events []Event) (page []Event, next string) {
	found := slices.DeleteFunc(slices.Clone(events), func(e Event) bool { return !q.Match(e) })
	order := func(at time.Time, id string, b Event) int {
		c := cmp.Or(at.Truncate(time.Millisecond).Compare(b.Time.Truncate(time.Millisecond)), cmp.Compare(id, b.ID))
		if q.Newest {
			return -c
		}
		return c
	}
	slices.SortStableFunc(found, func(a, b Event) int { return order(a.Time.Time, a.ID, b) })
	if q.after != nil {
		found = slices.DeleteFunc(found, func(e Event) bool { return order(q.after.at, q.after.id, e) >= 0 })
	}
	if len(found) <= q.PerPage {
		return found, ""
	}
	last := found[q.PerPage-1]
	return found[:q.PerPage], position{last.Time.Time, last.ID}.token()
}
