package book

import (
	"fmt"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
)

// fact adds a line where there is something to say.
func (c *Chapter) fact(label, value string) {
	if value != "" {
		c.Facts = append(c.Facts, Fact{label, value})
	}
}

// general says whose place it is, where, and what lives there.
func (m *maker) general(c *Chapter) {
	t, lang := m.w.T, m.w.Lang()
	c.fact(t("book.coop"), m.Farm.Coop.Name.In(lang))
	zone, _ := m.Farm.Zone(m.place.Zone)
	rows := zone.Addresses
	if len(rows) == 0 {
		rows = m.Farm.Coop.Addresses
	}
	then, had := farm.AddressAt(rows, m.begin)
	if had {
		c.fact(t("book.address"), then.Text.In(lang))
	}
	if now, ok := farm.AddressAt(rows, m.Now); ok && (!had || now.Text != then.Text) {
		c.fact(t("book.address.now"), now.Text.In(lang))
	}
	c.fact(t("diary.place"), fmt.Sprintf("%s (%s)", m.place.Title.In(lang), m.place.Code))
	c.fact(t("book.zone"), zone.Name.In(lang))
	if h, ok := farm.HouseholdOf(m.place, m.Records); ok {
		c.fact(t("book.household"), h.Values.Text("code"))
	}
	area, ok := m.cycle.Values.Number("area_m2")
	if !ok {
		area = m.place.AreaM2
	}
	if area > 0 {
		c.fact(t("field.area_m2"), m.number(area, "m²"))
	}
	c.fact(t("book.soil"), m.place.Soil.In(lang))
	c.fact(t("book.water"), m.place.Water.In(lang))
	c.fact(t("log.cycle"), m.cycle.Name())
	c.fact(t("book.season"), m.cycle.Values.Text("season"))
	c.fact(t("field.species"), m.cycle.Values.Text("species"))
	c.fact(t("book.scientific"), m.place.Species)
	c.fact(t("field.variety"), m.cycle.Values.Text("variety"))
	c.fact(t("book.begin"), m.day(m.begin))
	if !m.end.IsZero() {
		c.fact(t("book.end"), m.day(m.end.AddDate(0, 0, -1)))
	}
	c.fact(t("book.norm"), m.norm())
	if m.Standard.scheme() != "" && !slices.ContainsFunc(m.certs(), func(r farm.Record) bool { return r.Values.Text("scheme") == m.Standard.scheme() }) {
		c.Notes = append(c.Notes, t("book.uncertified"))
	}
}

// certs returns the certificates whose scope has the season's product and place at any time of the season.
func (m *maker) certs() []farm.Record {
	product := m.cycle.Values.Text("product")
	return slices.DeleteFunc(m.kind(farm.Certificate), func(r farm.Record) bool {
		places := r.Values.List("places")
		from, to := r.Values.Day("from", m.zone), r.Values.Day("to", m.zone)
		return r.Retired || !slices.Contains(r.Values.List("products"), product) || len(places) > 0 && !slices.Contains(places, m.place.Code) ||
			!from.IsZero() && from.After(m.until) || !to.IsZero() && to.AddDate(0, 0, 1).Before(m.begin)
	})
}

func (m *maker) certificates(c *Chapter) {
	t := m.w.T
	table := Table{Source: t("book.source.register"), Columns: []Column{
		{Title: t("book.scheme")}, {Title: t("book.norm"), Wide: true}, {Title: t("book.number")}, {Title: t("book.issuer"), Wide: true}, {Title: t("book.from")}, {Title: t("book.to")}, {Title: t("book.state")},
	}}
	for _, r := range m.certs() {
		from, to := r.Values.Day("from", m.zone), r.Values.Day("to", m.zone)
		state := "valid"
		switch {
		case m.Now.Before(from):
			state = "early"
		case !m.Now.Before(to.AddDate(0, 0, 1)):
			state = "over"
		}
		table.Rows = append(table.Rows, Row{Cells: []Cell{
			{Text: t("option.scheme." + r.Values.Text("scheme"))},
			{Text: edition(r)},
			{Text: r.Values.Text("number")},
			{Text: r.Values.Text("issuer")},
			m.dayCell(from), m.dayCell(to),
			{Text: t("book.cert." + state)},
		}})
	}
	if len(table.Rows) > 0 {
		c.Tables = append(c.Tables, table)
	}
}

// inputs lists what was used in the season with what its label says, the stock of its lots, and where they came from.
func (m *maker) inputs(c *Chapter) {
	t := m.w.T
	type use struct{ input, unit string }
	sums := map[use]float64{}
	var uses []use
	var ids []string
	for _, e := range m.entries {
		n, ok := e.Values.Number(diary.KeyAmount)
		id := e.Values.Text(diary.KeyInput)
		if !ok || e.Voided || id == "" || e.Kind == diary.StockTake {
			continue
		}
		n, unit := m.amount(e.Event, n)
		u := use{id, unit}
		if _, had := sums[u]; !had {
			uses = append(uses, u)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		sums[u] += n
	}
	if len(uses) == 0 {
		return
	}
	table := Table{Title: t("book.inputs.used"), Source: t("book.source.label"), Columns: []Column{
		{Title: t("field.input"), Wide: true},
		{Title: t("book.type")},
		{Title: t("field.actives"), Wide: true},
		{Title: t("field.registration_no")},
		{Title: t("book.maker"), Wide: true},
		{Title: t("field.organic_listed")},
		{Title: t("book.inputs.amount"), Right: true},
		{Title: t("book.unit")},
	}}
	for _, u := range uses {
		r, _ := m.record(farm.Input, u.input)
		table.Rows = append(table.Rows, Row{Cells: []Cell{
			{Text: r.Name()},
			{Text: m.option("type", r.Values.Text("type"))},
			{Text: joined(r.Values.List("actives"))},
			{Text: r.Values.Text("registration_no")},
			{Text: r.Values.Text("maker")},
			{Text: m.listed(r)},
			m.sum(sums[u]),
			{Text: m.option("unit", u.unit)},
		}})
	}
	c.Tables = append(c.Tables, table)
	if s := m.stock(ids); len(s.Rows) > 0 {
		c.Tables = append(c.Tables, s)
	}
	if s := m.received(ids); len(s.Rows) > 0 {
		c.Tables = append(c.Tables, s)
	}
}

// amount is how much an entry used, in the unit of its input; kg of feed that is counted in bags stay kg.
func (m *maker) amount(e diary.Event, n float64) (amount float64, unit string) {
	r, _ := m.input(e)
	unit = r.Values.Text("unit")
	k, _ := diary.KindOf(e.Kind)
	f, _ := k.Field(diary.KeyAmount)
	if f.Unit == "" {
		return n, unit
	}
	if amount, ok := diary.InUnit(n, f.Unit, unit); ok {
		return amount, unit
	}
	return n, f.Unit
}

func (m *maker) option(key, v string) string {
	if v == "" {
		return ""
	}
	return m.w.T("option." + key + "." + v)
}

// listed says whether an input is on the organic standard's list; what nobody said is not said.
func (m *maker) listed(r farm.Record) string {
	on, ok := r.Values["organic_listed"].(bool)
	if !ok {
		return ""
	}
	return m.w.T(map[bool]string{true: "form.yes", false: "form.no"}[on])
}

// sum is the cell of something that was added up: what adding costs is rounded off.
func (m *maker) sum(n float64) Cell {
	n = rounded(n)
	return Cell{Text: m.w.Number(n), Is: Number, Number: n}
}

func (m *maker) stock(ids []string) Table {
	t := m.w.T
	s := Table{Title: t("book.stock"), Source: t("book.source.stock"), Columns: []Column{
		{Title: t("field.input"), Wide: true},
		{Title: t("field.lot")},
		{Title: t("field.expiry")},
		{Title: t("book.stock.in"), Right: true},
		{Title: t("book.stock.out"), Right: true},
		{Title: t("book.stock.count"), Right: true},
		{Title: t("book.stock.left"), Right: true},
		{Title: t("book.unit")},
		{Title: t("book.state")},
	}}
	for _, b := range m.Stock.Balances {
		if !slices.Contains(ids, b.Input) {
			continue
		}
		r, _ := m.record(farm.Input, b.Input)
		expiry, state := Cell{}, ""
		if d, err := time.ParseInLocation(time.DateOnly, b.Expiry, m.zone); err == nil {
			if expiry = m.dayCell(d); !m.Now.Before(d.AddDate(0, 0, 1)) && b.Amount > 0 {
				state = t("book.stock.expired")
			}
		}
		if b.Short() {
			state = t("book.stock.short")
		}
		s.Rows = append(s.Rows, Row{Cells: []Cell{
			{Text: r.Name()}, {Text: orDash(b.Lot)}, expiry, m.sum(b.Received), m.sum(b.Used), m.sum(b.Counted), m.sum(b.Amount), {Text: m.option("unit", b.Unit)}, {Text: state},
		}})
	}
	return s
}

// received is the table of receipts of the inputs that were used.
func (m *maker) received(ids []string) Table {
	k, _ := diary.KindOf(diary.Receipt)
	list := slices.DeleteFunc(slices.Clone(m.Receipts), func(e diary.Entry) bool {
		return !slices.Contains(ids, e.Values.Text(diary.KeyInput)) || !e.At().Before(m.until)
	})
	if len(list) == 0 {
		return Table{}
	}
	return m.table(k, list)
}

// months adds the feed up by month, and says what the fish grew on.
func (m *maker) months(c *Chapter) {
	t := m.w.T
	c.Notes = append(c.Notes, m.unwritten(diary.Feeding)...)
	table := Table{Title: t("book.feed.months"), Source: t("book.source.sum"), Columns: []Column{{Title: t("book.month")}, {Title: t("book.feed.kg"), Unit: "kg", Right: true}, {Title: t("book.feed.times"), Right: true}}}
	total, times := 0.0, 0
	sums, counts, order := map[string]float64{}, map[string]int{}, []string{}
	for _, e := range m.of(diary.Feeding) {
		n, ok := e.Values.Number(diary.KeyAmount)
		if e.Voided || !ok {
			continue
		}
		month := e.At().In(m.zone).Format("01/2006")
		if !slices.Contains(order, month) {
			order = append(order, month)
		}
		sums[month], counts[month], total, times = sums[month]+n, counts[month]+1, total+n, times+1
	}
	if times == 0 {
		return
	}
	for _, month := range order {
		table.Rows = append(table.Rows, Row{Cells: []Cell{{Text: month}, m.sum(sums[month]), m.sum(float64(counts[month]))}})
	}
	table.Rows = append(table.Rows, Row{Strong: true, Cells: []Cell{{Text: t("book.total")}, m.sum(total), m.sum(float64(times))}})
	c.Tables = append(c.Tables, table)
}
