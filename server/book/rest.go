package book

import (
	"math"
	"slices"
	"strconv"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// rounded takes off what adding up fractions costs, beyond a milligram of a kilogram.
func rounded(n float64) float64 { return math.Round(n*1e6) / 1e6 }

// measured is what probes say, beside what people measured.
func (m *maker) measured(c *Chapter) {
	c.Notes = append(c.Notes, m.unwritten(diary.WaterTest)...)
	if len(m.Measured) == 0 {
		return
	}
	t := m.w.T
	table := Table{Title: t("book.measured"), Source: t("book.source.probe"), Columns: []Column{
		{Title: t("book.from")},
		{Title: t("book.to")},
		{Title: t("book.quantity"), Wide: true},
		{Title: t("book.sensor")},
		{Title: t("book.unit")},
		{Title: t("book.min"), Right: true},
		{Title: t("book.mean"), Right: true},
		{Title: t("book.max"), Right: true},
		{Title: t("book.readings"), Right: true},
		{Title: t("book.faults"), Right: true},
	}}
	for _, x := range m.Measured {
		value := func(v float64) Cell {
			if x.N == 0 {
				return Cell{Text: "—"}
			}
			p := math.Pow10(x.Decimals)
			v = math.Round(v*p) / p
			return Cell{Text: m.w.Number(v), Is: Number, Number: v}
		}
		sensor := x.Sensor
		if x.Unsigned {
			sensor += " (" + t("unsigned") + ")"
		}
		table.Rows = append(table.Rows, Row{Cells: []Cell{
			m.dayCell(x.From), m.dayCell(x.To.Add(-time.Second)),
			{Text: x.Quantity},
			{Text: sensor},
			{Text: x.Unit},
			value(x.Min), value(x.Mean), value(x.Max),
			m.sum(float64(x.N)), m.sum(float64(x.Faults)),
		}})
	}
	c.Tables = append(c.Tables, table)
}

// lots says what became of what was harvested.
func (m *maker) lots(c *Chapter) {
	if len(m.Lots) == 0 {
		return
	}
	t := m.w.T
	table := Table{Title: t("book.lots"), Source: t("book.source.lots"), Columns: []Column{
		{Title: t("field.lot_code")}, {Title: t("book.harvested")}, {Title: t("field.kg"), Unit: "kg", Right: true}, {Title: t("book.state")}, {Title: t("book.lot.reason"), Wide: true}, {Title: t("book.lot.released"), Wide: true},
	}}
	for _, l := range m.Lots {
		at := Cell{}
		if !l.Harvested.IsZero() {
			at = Cell{Text: m.moment(l.Harvested), Is: Moment, Time: l.Harvested}
		}
		table.Rows = append(table.Rows, Row{Cells: []Cell{{Text: l.Code}, at, m.sum(l.KG), {Text: l.State}, {Text: l.Reason}, {Text: l.Released}}})
	}
	c.Tables = append(c.Tables, table)
}

// organicBlock is how long after a use of what is not listed nothing may be called organic: TCVN 11041.
const organicBlock = 36

// organic says when the conversion began, and which inputs are listed.
func (m *maker) organic(c *Chapter) {
	t := m.w.T
	from := m.cycle.Values.Day("conversion_from", m.zone)
	if from.IsZero() {
		c.Notes = append(c.Notes, t("book.organic.none"))
	} else {
		key, months := "book.organic.annual", 12
		if m.cycle.Values.Flag("perennial") {
			key, months = "book.organic.perennial", 18
		}
		c.fact(t("book.organic.from"), m.day(from))
		c.fact(t(key), m.day(from.AddDate(0, months, 0)))
	}
	table := Table{Title: t("book.organic.inputs"), Source: t("book.organic.rule"), Columns: []Column{
		{Title: t("book.when")}, {Title: t("field.input"), Wide: true}, {Title: t("field.organic_listed")}, {Title: t("book.organic.until")},
	}}
	for _, e := range m.entries {
		r, ok := m.input(e.Event)
		if !ok || e.Voided || e.Kind == diary.StockTake {
			continue
		}
		row := Row{Entry: e.First.ID, Cells: []Cell{m.dayCell(farm.MidnightIn(e.At(), m.zone)), {Text: r.Name()}, {Text: orDash(m.listed(r))}, {}}}
		if on, said := r.Values["organic_listed"].(bool); said && !on {
			row.Cells[3] = m.dayCell(farm.MidnightIn(e.At(), m.zone).AddDate(0, organicBlock, 0))
		}
		table.Rows = append(table.Rows, row)
	}
	if len(table.Rows) > 0 {
		c.Tables = append(c.Tables, table)
	}
}

func (m *maker) calibrations(c *Chapter) {
	if len(m.Calibrations) == 0 {
		return
	}
	t := m.w.T
	table := Table{Title: t("book.calibrations"), Source: t("book.source.calibration"), Columns: []Column{
		{Title: t("book.when")}, {Title: t("book.sensor")}, {Title: t("book.quantity"), Wide: true}, {Title: t("book.who")}, {Title: t("book.verdict")}, {Title: t("book.due")},
	}}
	for _, x := range m.Calibrations {
		at, due := Cell{Text: "—"}, Cell{}
		if !x.At.IsZero() {
			at = Cell{Text: m.moment(x.At), Is: Moment, Time: x.At}
		}
		if !x.Due.IsZero() {
			due = m.dayCell(x.Due)
		}
		table.Rows = append(table.Rows, Row{Cells: []Cell{at, {Text: x.Sensor}, {Text: x.Quantity}, {Text: x.Who}, {Text: x.Verdict}, due}})
	}
	c.Tables = append(c.Tables, table)
}

// findings are what the gates say of the season as the book is made.
func (m *maker) findings(c *Chapter) {
	if len(m.Findings) == 0 {
		return
	}
	t := m.w.T
	table := Table{Source: t("book.source.gate"), Columns: []Column{{Title: t("book.level")}, {Title: t("book.finding"), Wide: true}, {Title: t("book.clears")}}}
	for _, f := range m.Findings {
		clears := Cell{Text: "—"}
		if !f.Clears.IsZero() {
			clears = m.dayCell(f.Clears)
		}
		table.Rows = append(table.Rows, Row{Entry: f.Entry, Cells: []Cell{{Text: f.Level}, {Text: f.Text}, clears}})
	}
	c.Tables = append(c.Tables, table)
}

// changes lists every correction and every entry that was taken back, beside the tables that show them where they are.
func (m *maker) changes(c *Chapter) {
	t := m.w.T
	table := Table{Source: t("book.source.changes"), Columns: []Column{{Title: t("book.when")}, {Title: t("diary.kind")}, {Title: t("book.change.head"), Wide: true}, {Title: t("book.entry")}}}
	late := 0
	for _, e := range m.entries {
		k, ok := diary.KindOf(e.Kind)
		if !ok {
			continue
		}
		for i, h := range e.History[1:] {
			table.Rows = append(table.Rows, Row{Entry: e.First.ID, Cells: []Cell{
				{Text: m.moment(e.First.At()), Is: Moment, Time: e.First.At()}, {Text: t("diary." + e.Kind)}, {Text: m.changed(k, e.History[i], h)}, {Text: e.First.ID},
			}})
		}
		if !m.sameDay(e.First.Recorded.Add(e.First.Skew), e.First.At()) {
			late++
		}
	}
	if len(table.Rows) > 0 {
		c.Tables = append(c.Tables, table)
	}
	if late > 0 {
		c.Notes = append(c.Notes, t("book.late.count", strconv.Itoa(late)))
	}
}

// sources says who wrote the entries and how many, and where values come from.
func (m *maker) sources(c *Chapter) {
	t := m.w.T
	counts, order := map[string]int{}, []string{}
	for _, e := range m.entries {
		who := m.Who(e.First.Actor)
		if !slices.Contains(order, who) {
			order = append(order, who)
		}
		counts[who]++
	}
	table := Table{Title: t("book.writers"), Columns: []Column{{Title: t("book.who"), Wide: true}, {Title: t("book.entries"), Right: true}}}
	for _, who := range order {
		table.Rows = append(table.Rows, Row{Cells: []Cell{{Text: who}, m.sum(float64(counts[who]))}})
	}
	if len(order) > 0 {
		c.Tables = append(c.Tables, table)
	}
	c.Notes = append(c.Notes, t("book.sources.entries"))
	unsigned := func(x Measured) bool { return x.Unsigned }
	if len(m.Measured) == 0 || slices.ContainsFunc(m.Measured, func(x Measured) bool { return !x.Unsigned }) {
		c.Notes = append(c.Notes, t("book.sources.probes"))
	}
	if slices.ContainsFunc(m.Measured, unsigned) {
		c.Notes = append(c.Notes, t("book.sources.unsigned"))
	}
}
