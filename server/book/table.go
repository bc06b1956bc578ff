package book

import (
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// column is one column of a table of entries: a field of the kind, or something that follows from the entry.
type column struct {
	Column
	field form.Field
	made  func(diary.Event) Cell // nil: the field
}

// cell writes what a column says of an event.
func (m *maker) cell(c column, e diary.Event) Cell {
	if c.made != nil {
		return c.made(e)
	}
	out := Cell{Text: m.answer(c.field, e.Values)}
	switch c.field.Type {
	case form.Number:
		if n, ok := e.Values.Number(c.field.Key); ok {
			out.Is, out.Number = Number, n
		}
	case form.Date:
		if d := e.Values.Day(c.field.Key, m.zone); !d.IsZero() {
			out.Is, out.Time = Day, d
		}
	case form.Moment:
		if at, err := time.Parse(time.RFC3339, e.Values.Text(c.field.Key)); err == nil {
			out.Is, out.Time = Moment, at
		}
	case form.Text, form.Long, form.Choice, form.Ref, form.Flag:
	}
	return out
}

// columns returns the columns of a kind: when, what its fields ask, what the input's label says, who, and a note. A field that is neither
// asked first nor answered by any of the entries has none; prices are not part of a record book.
func (m *maker) columns(k diary.Kind, list []diary.Entry) []column {
	t := m.w.T
	out := []column{{Column: Column{Title: t("book.when")}, made: func(e diary.Event) Cell { return Cell{Text: m.moment(e.At()), Is: Moment, Time: e.At()} }}}
	for _, f := range k.Fields {
		if priced(f) || !f.Required && !f.Quick && !answered(f.Key, list) {
			continue
		}
		title := t("field." + f.Key)
		if f.Key == diary.KeyAmount && (k.Name == diary.Receipt || k.Name == diary.StockTake) {
			title = t("book.amount." + k.Name)
		}
		c := column{Column: Column{Title: title, Unit: m.w.Unit(f), Wide: f.Type == form.Text || f.Type == form.Ref || f.Type == form.Long, Right: f.Type == form.Number}, field: f}
		out = append(out, c)
		switch f.Key {
		case diary.KeyInput:
			out = append(out, m.label(k)...)
		case diary.KeyAmount:
			if f.Unit == "" {
				out = append(out, column{Column: Column{Title: t("book.unit")}, made: m.unitOf})
			}
		}
	}
	if k.Name == diary.Treatment || k.Name == diary.Spraying {
		out = append(out, m.waiting()...)
	}
	out = append(out, column{Column: Column{Title: t("book.who")}, made: func(e diary.Event) Cell { return Cell{Text: m.Who(e.Actor)} }})
	if slices.ContainsFunc(list, func(e diary.Entry) bool {
		return slices.ContainsFunc(e.History, func(h diary.Event) bool { return h.Note != "" && h.Kind != diary.Void })
	}) {
		out = append(out, column{Column: Column{Title: t("book.note"), Wide: true}, made: func(e diary.Event) Cell { return Cell{Text: e.Note} }})
	}
	return out
}

// priced reports whether a field is a price, which is nobody's business but the buyer's.
func priced(f form.Field) bool { return f.Private && f.Type == form.Number }

func answered(key string, list []diary.Entry) bool {
	return slices.ContainsFunc(list, func(e diary.Entry) bool {
		return slices.ContainsFunc(e.History, func(h diary.Event) bool { return h.Values[key] != nil })
	})
}

func (m *maker) input(e diary.Event) (farm.Record, bool) {
	return m.record(farm.Input, e.Values.Text(diary.KeyInput))
}

func (m *maker) unitOf(e diary.Event) Cell {
	r, ok := m.input(e)
	if !ok {
		return Cell{}
	}
	return Cell{Text: m.w.T("option.unit." + r.Values.Text("unit"))}
}

// label are the columns of what stands on the label of a drug or a pesticide.
func (m *maker) label(k diary.Kind) []column {
	if k.Name != diary.Treatment && k.Name != diary.Spraying {
		return nil
	}
	text := func(key string) func(diary.Event) Cell {
		return func(e diary.Event) Cell {
			r, ok := m.input(e)
			if !ok {
				return Cell{}
			}
			return Cell{Text: joined(r.Values.List(key))}
		}
	}
	return []column{
		{Column: Column{Title: m.w.T("field.actives"), Wide: true}, made: text("actives")},
		{Column: Column{Title: m.w.T("field.registration_no")}, made: text("registration_no")},
	}
}

// waiting are the columns of the days to wait, and of the first day on which a harvest is possible again.
func (m *maker) waiting() []column {
	key := m.waitKey()
	return []column{
		{Column: Column{Title: m.w.T("field." + key), Unit: m.w.T("unit.d"), Right: true}, made: func(e diary.Event) Cell {
			w, ok := m.wait(e)
			if !ok {
				return Cell{Text: m.w.T("book.wait.unknown")}
			}
			return Cell{Text: m.w.Number(w.days), Is: Number, Number: w.days}
		}},
		{Column: Column{Title: m.w.T("book.wait.from")}, made: func(e diary.Event) Cell {
			w, ok := m.wait(e)
			if !ok {
				return Cell{}
			}
			return Cell{Text: m.day(w.from), Is: Day, Time: w.from}
		}},
	}
}

// table makes the table of a kind.
func (m *maker) table(k diary.Kind, list []diary.Entry) Table {
	t := Table{Title: m.w.T("diary." + k.Name), Source: m.w.T("book.source.person")}
	if k.Name == diary.WaterTest {
		t.Source = m.w.T("book.source.test")
	}
	cols := m.columns(k, list)
	for _, c := range cols {
		t.Columns = append(t.Columns, c.Column)
	}
	gaps := m.gaps(k.Name, list)
	for _, e := range list {
		for len(gaps) > 0 && !gaps[0].to.After(e.At()) {
			t.Rows, gaps = append(t.Rows, m.gapRow(gaps[0])), gaps[1:]
		}
		t.Rows = append(t.Rows, m.row(k, cols, e))
	}
	for _, g := range gaps {
		t.Rows = append(t.Rows, m.gapRow(g))
	}
	return t
}

func (m *maker) row(k diary.Kind, cols []column, e diary.Entry) Row {
	r := Row{Entry: e.First.ID, Voided: e.Voided}
	for _, c := range cols {
		cell := m.cell(c, e.Event)
		for _, h := range e.History {
			if h.Kind == diary.Void {
				continue
			}
			if was := m.cell(c, h).Text; was != "" && was != cell.Text && !slices.Contains(cell.Was, was) {
				cell.Was = append(cell.Was, was)
			}
		}
		r.Cells = append(r.Cells, cell)
	}
	m.late(&r, e)
	for i, h := range e.History[1:] {
		r.Changes = append(r.Changes, m.changed(k, e.History[i], h))
	}
	return r
}

// late says when an entry was written and received, where that was not the day it was done.
func (m *maker) late(r *Row, e diary.Entry) {
	done, f := e.At(), e.First
	if written := f.Recorded.Add(f.Skew); !m.sameDay(written, done) {
		r.Written = written
		r.Late = append(r.Late, m.w.T("book.written", m.moment(written)))
	}
	if !m.sameDay(f.Synced, f.Recorded.Add(f.Skew)) {
		r.Received = f.Synced
		r.Late = append(r.Late, m.w.T("book.received", m.moment(f.Synced)))
	}
}

func (m *maker) sameDay(a, b time.Time) bool { return m.day(a) == m.day(b) }

// changed says what one event of an entry changed of the one before it: what, when, who and why. Of a price, only that it changed.
func (m *maker) changed(k diary.Kind, before, e diary.Event) string {
	t := m.w.T
	if e.Kind == diary.Void {
		return t("book.change.void", m.moment(e.Synced), m.Who(e.Actor), orDash(e.Values.Text("reason")))
	}
	var what []string
	add := func(label, a, b string) {
		if a != b {
			what = append(what, t("book.change.field", label, orDash(a), orDash(b)))
		}
	}
	for _, f := range k.Fields {
		was, is := m.answer(f, before.Values), m.answer(f, e.Values)
		if !priced(f) {
			add(t("field."+f.Key), was, is)
		} else if was != is {
			what = append(what, t("field."+f.Key))
		}
	}
	add(t("book.when"), m.moment(before.At()), m.moment(e.At()))
	if len(before.Media) != len(e.Media) {
		add(t("log.photos"), m.w.Number(float64(len(before.Media))), m.w.Number(float64(len(e.Media))))
	}
	why := ""
	if e.Note != before.Note {
		why = e.Note
	}
	return t("book.change", m.moment(e.Synced), m.Who(e.Actor), orDash(joined(what)), orDash(why))
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}
