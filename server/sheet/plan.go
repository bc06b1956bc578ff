package sheet

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// Named is something that a cell may name: a record of another kind, or a place.
type Named struct {
	ID      string
	Names   []string // what people call it
	Retired bool     // named by its name only where nothing else is called so
}

// NamedRecords are records as cells name them.
func NamedRecords(list []farm.Record) []Named {
	out := make([]Named, 0, len(list))
	for _, r := range list {
		n := Named{ID: r.ID, Names: []string{r.Name()}, Retired: r.Retired}
		if code := r.Values.Text("code"); code != "" { // households of one name are told apart by it
			n.Names = append(n.Names, code)
		}
		out = append(out, n)
	}
	return out
}

// NamedPlaces are places as cells name them: by their titles, or by their boards.
func NamedPlaces(f *farm.Farm) []Named {
	out := make([]Named, 0, len(f.Places))
	for _, p := range f.Places {
		out = append(out, Named{ID: p.Code, Names: []string{p.Title.VI, p.Title.EN, p.Name}})
	}
	return out
}

// Ground is what rows are read against.
type Ground struct {
	Existing []farm.Record             // all of the table's kind
	Named    func(kind string) []Named // what a field of that kind may refer to; farm.RefPlace, too
	Zone     *time.Location
	// Check returns the values of a record in their types, or what is wrong with them; nil: by the rules of the farm's register.
	Check func(farm.Record, form.Exists) (form.Values, form.Problems)
}

// Change is a record that a plan adds or changes.
type Change struct {
	Row    int
	Before farm.Record // Revision 0: there is none
	Record farm.Record // as it is to be saved
	Keys   []string    // what changes, in the order of the columns; Retired may be among them
}

// Plan is what a file would do to the register.
type Plan struct {
	New, Changed []Change
	Same         int // rows that say what is on record already
	Rows         int
	Problems     []Problem // by row
}

// Records are what is to be saved, in the order of their rows: the order matters where a row takes a code that another row gives up.
func (p Plan) Records() []farm.Record {
	all := slices.Concat(p.New, p.Changed)
	slices.SortFunc(all, func(a, b Change) int { return a.Row - b.Row })
	out := make([]farm.Record, len(all))
	for i, c := range all {
		out[i] = c.Record
	}
	return out
}

// Plan says what rows would do. A row is about the record of its id or, without one, about the record that has the same name, code or number;
// otherwise it is a new one. A column that the file does not have changes nothing; an empty cell takes the answer out.
func (t Table) Plan(rows []Row, g Ground) Plan {
	p := planner{t: t, g: g, now: slices.Clone(g.Existing), about: map[string]int{}}
	for _, row := range rows {
		if row.Cells == nil { // the head
			p.out.Problems = append(p.out.Problems, row.Bad...)
			continue
		}
		p.out.Rows++
		p.row(row)
	}
	return p.out
}

// planner makes a plan row by row, as the register would save them one after another.
type planner struct {
	t     Table
	g     Ground
	now   []farm.Record  // the register after the rows so far
	about map[string]int // which row was about a record: by id, or by what it is called
	out   Plan
}

func (p *planner) row(row Row) {
	bad := slices.Clone(row.Bad)
	say := func(q form.Problem) {
		if !slices.ContainsFunc(bad, func(o Problem) bool { return o.Key == q.Key }) { // one problem a cell: the first is what is wrong with it
			bad = append(bad, Problem{row.Line, p.t.title(q.Key), q})
		}
	}
	sent, wrong := p.values(row)
	for _, q := range wrong {
		say(q)
	}
	before, there, q := p.record(row, sent)
	if q != nil {
		say(*q)
	}
	rec := farm.Record{Kind: p.t.Kind, ID: before.ID, Revision: before.Revision, Retired: before.Retired, Values: form.Values{}}
	maps.Copy(rec.Values, before.Values)
	for _, c := range p.t.Columns {
		if _, in := row.Cells[c.Key]; !in || c.Key == ID || c.Key == Retired {
			continue
		}
		if v, answered := sent[c.Key]; !answered {
			delete(rec.Values, c.Key)
		} else if !same(rec.Values[c.Key], v) {
			rec.Values[c.Key] = v
		}
	}
	if on, in := sent[Retired].(bool); in || has(row, Retired) {
		rec.Retired = on
	}
	key := "id " + rec.ID
	if !there {
		key = "name " + called(p.t.Kind, rec.Values)
	}
	if earlier := p.about[key]; earlier > 0 && q == nil {
		say(form.Problem{Key: p.nameKey(row), Code: Twice, Bound: float64(earlier)})
	} else if key != "name " {
		p.about[key] = row.Line
	}
	values, more := p.check(rec)
	for _, q := range more {
		say(q)
	}
	if len(bad) > 0 {
		p.out.Problems = append(p.out.Problems, bad...)
		return
	}
	rec.Values = values
	p.keep(row.Line, before, rec, there)
}

// keep puts a row that is right into the plan.
func (p *planner) keep(line int, before, rec farm.Record, there bool) {
	c := Change{Row: line, Before: before, Record: rec}
	for _, col := range p.t.Columns {
		if !reflect.DeepEqual(before.Values[col.Key], rec.Values[col.Key]) || col.Key == Retired && before.Retired != rec.Retired {
			c.Keys = append(c.Keys, col.Key)
		}
	}
	switch i := slices.IndexFunc(p.now, func(r farm.Record) bool { return there && r.ID == rec.ID }); {
	case !there:
		p.out.New = append(p.out.New, c)
		p.now = append(p.now, rec)
	case len(c.Keys) == 0:
		p.out.Same++
	default:
		p.out.Changed = append(p.out.Changed, c)
		p.now[i] = rec
	}
}

func (p *planner) check(rec farm.Record) (form.Values, form.Problems) {
	if p.g.Check != nil {
		return p.g.Check(rec, p.register().Exists)
	}
	return p.register().Check(rec)
}

// register is what the values of a row are checked against.
func (p *planner) register() farm.Register {
	return farm.Register{
		Exists: func(kind, id string) bool {
			return slices.ContainsFunc(p.g.Named(kind), func(n Named) bool { return n.ID == id })
		},
		Others: func(farm.RecordKind) []farm.Record { return p.now },
	}
}

// values reads the cells of a row in the types of their fields; those that are empty are not among them.
func (p *planner) values(row Row) (form.Values, form.Problems) {
	var fields []form.Field
	var bad form.Problems
	texts := map[string][]string{}
	for _, c := range p.t.Columns {
		text, in := row.Cells[c.Key]
		if !in || c.Key == ID {
			continue
		}
		f := c.Field
		f.Required = false // of the whole record, with what is on record: Check says so
		fields = append(fields, f)
		list := []string{text}
		if f.Repeat {
			list = split(text)
		}
		for _, one := range list {
			if one = strings.TrimSpace(one); one == "" {
				continue
			}
			said, q := p.said(c, one)
			if q != nil {
				bad = append(bad, *q)
				continue
			}
			texts[c.Key] = append(texts[c.Key], said)
		}
	}
	values, more := form.Written(fields, func(key string) []string { return texts[key] }, p.g.Zone, nil)
	return values, append(bad, more...)
}

// said is a text in the words that form knows: an option by its key, a record by its id, a flag by yes or no.
func (p *planner) said(c Column, text string) (string, *form.Problem) {
	switch c.Type { //nolint:exhaustive // the others are read as they stand
	case form.Choice:
		for _, option := range c.Field.Options {
			if text == option || slices.Contains(c.Options[option], text) {
				return option, nil
			}
		}
		for _, option := range c.Field.Options {
			if plain(text) == plain(option) || slices.ContainsFunc(c.Options[option], func(w string) bool { return plain(w) == plain(text) }) {
				return option, nil
			}
		}
		return "", &form.Problem{Key: c.Key, Code: form.NoOption, Given: brief(text)}
	case form.Ref:
		switch ids := find(p.g.Named(c.Of), text); len(ids) {
		case 0:
			return "", &form.Problem{Key: c.Key, Code: form.NoRecord, Given: brief(text)}
		case 1:
			return ids[0], nil
		}
		return "", &form.Problem{Key: c.Key, Code: Ambiguous, Given: brief(text)}
	case form.Flag:
		switch {
		case plain(text) == plain(p.t.Yes):
			return "yes", nil
		case plain(text) == plain(p.t.No):
			return "no", nil
		}
	}
	return text, nil
}

// find returns the ids of what a text names: the one with that id; else those called exactly so; else those called so but for capitals; else
// but for capitals and marks. What is retired is named only where nothing else is.
func find(all []Named, text string) []string {
	text = exact(text)
	for _, n := range all {
		if n.ID == text {
			return []string{n.ID}
		}
	}
	for _, same := range []func(string) bool{
		func(name string) bool { return exact(name) == text },
		func(name string) bool { return strings.EqualFold(exact(name), text) },
		func(name string) bool { return plain(name) != "" && plain(name) == plain(text) },
	} {
		for _, retired := range []bool{false, true} {
			var ids []string
			for _, n := range all {
				if n.Retired == retired && slices.ContainsFunc(n.Names, same) {
					ids = append(ids, n.ID)
				}
			}
			if len(ids) > 0 {
				return ids
			}
		}
	}
	return nil
}

// same reports whether a cell says what is on record but for what files do not carry: which ends lines have, and more than the 15 digits
// that spreadsheets keep of a number.
func same(was, is any) bool {
	switch x := is.(type) {
	case string:
		s, ok := was.(string)
		return ok && lines(s) == x
	case float64:
		n, ok := was.(float64)
		return ok && math.Abs(n-x) <= 1e-14*math.Abs(n)
	}
	return false
}

func has(row Row, key string) bool { _, in := row.Cells[key]; return in }

// nameKey is the column that a row is known by.
func (p *planner) nameKey(row Row) string {
	if row.Cells[ID] != "" {
		return ID
	}
	return known(p.t.Kind)[0][0]
}
