package book

import (
	"time"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
)

// wait is how long nothing may be harvested after one use of a drug or a pesticide.
type wait struct {
	last, from time.Time // the last day of use; the first day a harvest is possible
	days       float64
}

// waitKey is the field of an input that has the days: a withdrawal for fish, a pre-harvest interval for what grows.
func (m *maker) waitKey() string {
	if m.place.Kind == farm.Pond {
		return "withdrawal_days"
	}
	return "phi_days"
}

// wait reckons it by the rule of diary/gate: day 0 is the last day of use, the days of the label are those after it, and a harvest is possible
// from the day after them; none to wait asks for nothing. ok is false where nobody entered the days.
func (m *maker) wait(e diary.Event) (w wait, ok bool) {
	r, known := m.input(e)
	if !known {
		return w, false
	}
	if w.days, ok = r.Values.Number(m.waitKey()); !ok {
		return w, false
	}
	w.last = farm.MidnightIn(e.At(), m.zone)
	if end := e.Values.Day(diary.KeyEnd, m.zone); end.After(w.last) {
		w.last = end
	}
	w.from = gate.AllowedFrom(w.last, int(w.days))
	return w, true
}

// waits returns the entries that make a harvest of the season wait: drugs, pesticides and whatever else has waiting days on its label, of the
// season, and those before it that still reach into it.
func (m *maker) waits() []diary.Entry {
	var out []diary.Entry
	for _, e := range diary.Entries(m.Events) {
		if e.Place != m.place.Code || e.Voided || !m.end.IsZero() && !e.At().Before(m.end) {
			continue
		}
		w, known := m.wait(e.Event)
		asks := e.Kind == diary.Treatment || e.Kind == diary.Spraying
		if (known && w.days > 0 || asks) && (!e.At().Before(m.begin) || known && w.from.After(m.begin)) {
			out = append(out, e)
		}
	}
	return out
}

// earliest shows how the earliest day of harvest is reckoned: a line for every use, and the latest of them.
func (m *maker) earliest(c *Chapter) {
	t := m.w.T
	table := Table{Title: t("book.wait"), Source: t("book.wait.rule"), Columns: []Column{
		{Title: t("field.input"), Wide: true}, {Title: t("field.actives"), Wide: true}, {Title: t("book.wait.last")}, {Title: t("book.wait.days"), Unit: t("unit.d"), Right: true}, {Title: t("book.wait.from")},
	}}
	var latest time.Time
	unknown := false
	for _, e := range m.waits() {
		r, _ := m.input(e.Event)
		w, ok := m.wait(e.Event)
		row := Row{Entry: e.First.ID, Cells: []Cell{{Text: r.Name()}, {Text: joined(r.Values.List("actives"))}}}
		if !ok {
			unknown = true
			row.Cells = append(row.Cells, m.dayCell(farm.MidnightIn(e.At(), m.zone)), Cell{Text: t("book.wait.unknown")}, Cell{Text: "?"})
		} else {
			row.Cells = append(row.Cells, m.dayCell(w.last), Cell{Text: m.w.Number(w.days), Is: Number, Number: w.days}, m.dayCell(w.from))
			if w.from.After(latest) {
				latest = w.from
			}
		}
		table.Rows = append(table.Rows, row)
	}
	if len(table.Rows) == 0 {
		return
	}
	c.Tables = append(c.Tables, table)
	if !latest.IsZero() {
		state := t("book.wait.over")
		if m.Now.Before(latest) {
			state = t("book.wait.running")
		}
		c.Notes = append(c.Notes, t("book.wait.result", m.day(latest), state))
	}
	if unknown {
		c.Notes = append(c.Notes, t("book.wait.missing"))
	}
	if farm.Branch(m.cycle.Values.Text("branch")) == farm.Fish {
		if dd, ok := m.cycle.Values.Number("degree_days"); ok {
			c.Notes = append(c.Notes, t("book.wait.degree", m.w.Number(dd)))
		}
	}
}

func (m *maker) dayCell(t time.Time) Cell { return Cell{Text: m.day(t), Is: Day, Time: t} }
