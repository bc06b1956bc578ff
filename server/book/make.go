package book

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// The errors of making a book.
var (
	// ErrNoCycle says that there is no such season, or none at a place that is known.
	ErrNoCycle = errors.New("book: no such season")
	// ErrStandard says that a standard is not one of Of(cycle).
	ErrStandard = errors.New("book: no book of this standard for this season")
)

// maker makes one book.
type maker struct {
	Source
	w          Words
	zone       *time.Location
	cycle      farm.Record
	place      farm.Place
	begin, end time.Time // of the season: [begin, end); end zero: it goes on
	until      time.Time // how far the book goes
	entries    []diary.Entry
	book       *Book
}

// Make makes the book of a season. It is the same for the same source and words.
func Make(src Source, w Words) (Book, error) {
	m := &maker{Source: src, w: w, zone: farm.Time()}
	var ok bool
	if m.cycle, ok = m.record(farm.Cycle, src.Cycle); !ok {
		return Book{}, fmt.Errorf("%w: %.40q", ErrNoCycle, src.Cycle)
	}
	if m.place, ok = src.Farm.Place(m.cycle.Values.Text("place")); !ok {
		return Book{}, fmt.Errorf("%w: %s is at a place that the farm does not have", ErrNoCycle, m.cycle.ID)
	}
	if !slices.Contains(Of(m.cycle), src.Standard) {
		return Book{}, fmt.Errorf("%w: %.40q; there are %v", ErrStandard, src.Standard, Of(m.cycle))
	}
	m.span()
	m.pick()
	b := m.head()
	m.book = &b
	for _, p := range parts(src.Standard) {
		if c, said := m.chapter(p); said || !p.quiet {
			b.Chapters = append(b.Chapters, c)
		}
	}
	return b, nil
}

func (m *maker) record(kind farm.RecordKind, id string) (farm.Record, bool) {
	i := slices.IndexFunc(m.Records, func(r farm.Record) bool { return r.Kind == kind && r.ID == id })
	if i < 0 {
		return farm.Record{}, false
	}
	return m.Records[i], true
}

func (m *maker) kind(kind farm.RecordKind) []farm.Record {
	return slices.DeleteFunc(slices.Clone(m.Records), func(r farm.Record) bool { return r.Kind != kind })
}

func (m *maker) span() {
	m.begin = m.cycle.Values.Day("begin", m.zone)
	m.until = m.Now
	if end := m.cycle.Values.Day("end", m.zone); !end.IsZero() {
		m.end = end.AddDate(0, 0, 1)
		if m.end.Before(m.until) {
			m.until = m.end
		}
	}
}

// pick takes the entries that belong to the season: those that name it; those of the place without a season, and of the co-op as a whole,
// that were done within it.
func (m *maker) pick() {
	for _, e := range diary.Entries(m.Events) {
		if e.Place != "" && e.Place != m.place.Code || e.Kind == diary.Receipt || e.Kind == diary.StockTake && e.Place == "" {
			continue
		}
		within := !e.At().Before(m.begin) && (m.end.IsZero() || e.At().Before(m.end))
		if e.Cycle == m.cycle.ID || e.Cycle == "" && within {
			m.entries = append(m.entries, e)
		}
	}
}

// of returns the entries of kinds.
func (m *maker) of(kinds ...string) []diary.Entry {
	var out []diary.Entry
	for _, e := range m.entries {
		if slices.Contains(kinds, e.Kind) {
			out = append(out, e)
		}
	}
	return out
}

func (m *maker) head() Book {
	w, t := m.w, m.w.T
	b := Book{
		Lang: w.Lang(), Standard: m.Standard, Title: t("book.standard." + string(m.Standard)), Norm: m.norm(), Coop: m.Farm.Coop.Name.In(w.Lang()),
		Place: m.place.Title.In(w.Lang()), Code: m.place.Code, Cycle: m.cycle.Name(), ID: m.cycle.ID, Printed: t("book.printed", m.moment(m.Now)), At: m.Now, Page: t("book.page"),
		Sign: []string{t("book.sign.keeper"), t("book.sign.technician"), t("book.sign.coop"), t("book.sign.auditor")}, SignHint: t("book.sign.hint"),
		Words: Legend{
			Yes: t("form.yes"), No: t("form.no"), Entry: t("book.entry"), Written: t("book.written.head"), Received: t("book.received.head"), Change: t("book.change.head"),
			Contents: t("book.contents"), Value: t("book.value"), Voided: t("book.voided"),
		},
	}
	if m.Farm.Coop.Demo {
		b.Demo = t("demo.banner")
	}
	b.Period = t("book.period.open", m.day(m.begin), m.day(m.Now))
	if !m.end.IsZero() {
		b.Period = t("book.period", m.day(m.begin), m.day(m.end.AddDate(0, 0, -1)))
	}
	if h := m.Ledger; h != nil {
		b.Ledger = m.ledger(*h)
	}
	return b
}

// norm is the standard with its edition: as the certificate of this season has it, else as the project knows it.
func (m *maker) norm() string {
	for _, c := range m.certs() {
		if c.Values.Text("scheme") == m.Standard.scheme() && m.Standard.scheme() != "" {
			return edition(c)
		}
	}
	if p, ok := m.record(farm.Product, m.cycle.Values.Text("product")); ok && m.Standard == Processing {
		return p.Values.Text("standard")
	}
	return m.Standard.Norm()
}

// edition writes a certificate's standard with its edition, once.
func edition(c farm.Record) string {
	s, e := c.Values.Text("standard"), c.Values.Text("edition")
	if e == "" || strings.Contains(s, e) {
		return s
	}
	return s + ":" + e
}

func (m *maker) ledger(h Head) *Ledger {
	t := m.w.T
	l := &Ledger{Title: t("book.ledger"), URL: h.URL, Hint: t("book.ledger.hint")}
	l.Lines = []Fact{{t("book.ledger.log"), h.Log}, {t("book.ledger.size"), fmt.Sprint(h.Size)}, {t("book.ledger.root"), h.Root}}
	if !h.At.IsZero() {
		l.Lines = append(l.Lines, Fact{t("book.ledger.at"), m.moment(h.At)})
	}
	if h.URL != "" {
		l.Lines = append(l.Lines, Fact{t("book.ledger.url"), h.URL})
	}
	l.Short = t("book.ledger.short", fmt.Sprint(h.Size), h.Root)
	return l
}

// chapter makes one chapter; said is false where there is nothing in it.
func (m *maker) chapter(p part) (c Chapter, said bool) {
	c = Chapter{Key: p.key, Title: m.w.T("book.chapter." + p.key)}
	for _, kind := range p.kinds {
		k, ok := diary.KindOf(kind)
		if list := m.of(kind); ok && len(list) > 0 {
			c.Tables = append(c.Tables, m.table(k, list))
		}
	}
	if p.make != nil {
		p.make(m, &c)
	}
	said = len(c.Facts)+len(c.Tables)+len(c.Notes) > 0
	if !said {
		c.Empty = m.w.T("book.nothing")
	}
	return c, said
}

func (m *maker) day(t time.Time) string    { return t.In(m.zone).Format("02/01/2006") }
func (m *maker) moment(t time.Time) string { return t.In(m.zone).Format("02/01/2006 15:04") }

// number writes a number with its unit, on one line.
func (m *maker) number(n float64, unit string) string {
	if unit == "" {
		return m.w.Number(n)
	}
	return m.w.Number(n) + nbsp + unit
}

// nbsp is a space at which no line is broken.
const nbsp = "\u00a0"

// answer writes one answer of a form; "" where there is none.
func (m *maker) answer(f form.Field, v form.Values) string {
	switch f.Type {
	case form.Number:
		if n, ok := v.Number(f.Key); ok {
			return m.w.Number(n)
		}
	case form.Flag:
		if on, ok := v[f.Key].(bool); ok {
			return m.w.T(map[bool]string{true: "form.yes", false: "form.no"}[on])
		}
	case form.Date:
		if d := v.Day(f.Key, m.zone); !d.IsZero() {
			return m.day(d)
		}
	case form.Moment:
		if at, err := time.Parse(time.RFC3339, v.Text(f.Key)); err == nil {
			return m.moment(at)
		}
	case form.Choice, form.Ref, form.Text, form.Long:
		var all []string
		for _, one := range v.List(f.Key) {
			all = append(all, m.named(f, one))
		}
		return strings.Join(all, ", ")
	}
	return ""
}

// named puts a choice or a reference into words.
func (m *maker) named(f form.Field, v string) string {
	switch {
	case f.Type == form.Choice && slices.Contains(f.Options, v):
		return m.w.T("option." + f.Key + "." + v)
	case f.Type == form.Ref && f.Of == farm.RefPlace:
		if p, ok := m.Farm.Place(v); ok {
			return p.Title.In(m.w.Lang())
		}
	case f.Type == form.Ref:
		if r, ok := m.record(farm.RecordKind(f.Of), v); ok {
			return r.Name()
		}
	}
	return v
}
