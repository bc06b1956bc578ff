package web

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// fieldView is one field of a form, ready to be drawn by templates/fields.html.
type fieldView struct {
	form.Field
	Label   string
	Value   string       // as people write it; of a field with several values those that are no options, a line each
	On      bool         // Flag: yes; its other answers are "no" and none
	Off     bool         // Flag: no
	Options []optionView // Choice and Ref
	Many    []string     // Repeat of Text: what is there, and empty ones to add to
	Photos  []photoView  // File: those that are kept
	Help    string       // how it is written; "" where that is plain
	Problem string
}

// emptyRows are how many further values a form takes at once.
const emptyRows = 3

// mostChips is how many answers are shown all at once, to tap on.
const mostChips = 5

// Chips reports whether the answers of a choice are shown all at once.
func (v fieldView) Chips() bool {
	return v.Type == form.Choice && !v.Repeat && len(v.Options) <= mostChips
}

// Answered reports whether one of the options is chosen.
func (v fieldView) Answered() bool {
	return slices.ContainsFunc(v.Options, func(o optionView) bool { return o.Chosen })
}

// photoView is a photo that a field names.
type photoView struct {
	Sum, Label string
	Href       string // "": it cannot be shown
}

// HasFiles reports whether photos are asked for: then the form must be sent as multipart.
func (p fieldsPart) HasFiles() bool {
	return slices.ContainsFunc(p.all(), func(v fieldView) bool { return v.File })
}

// Wrong are the fields that have a problem, for the summary above the form.
func (p fieldsPart) Wrong() []fieldView {
	return slices.DeleteFunc(p.all(), func(v fieldView) bool { return v.Problem == "" })
}

func (p fieldsPart) all() []fieldView { return slices.Concat(p.Quick, p.More) }

// optionView is one answer of a field.
type optionView struct {
	Value, Label string
	Chosen       bool
}

// fieldsPart are the fields of a form: those asked at once, and those behind "more".
type fieldsPart struct {
	Quick, More []fieldView
	MoreOpen    bool // one of them is answered, or wrong
}

// refs gives what a field may refer to: the records of a kind that are offered, or the places.
type refs func(kind string) []optionView

// asWritten returns values, and beside them as text what could not be read as a value, so that the form shows all that was written.
func asWritten(fields []form.Field, values form.Values, get func(key string) []string) form.Values {
	out := form.Values{}
	maps.Copy(out, values)
	for _, f := range fields {
		all := slices.DeleteFunc(slices.Clone(get(f.Key)), func(s string) bool { return strings.TrimSpace(s) == "" })
		if _, read := out[f.Key]; read || len(all) == 0 {
			continue
		}
		if f.Repeat {
			out[f.Key] = all
			continue
		}
		out[f.Key] = all[0]
	}
	return out
}

// fieldsView makes the fields of a form: values are what is answered (see asWritten), problems what was wrong with it.
func fieldsView(w *words, fields []form.Field, values form.Values, problems form.Problems, offered refs) fieldsPart {
	var out fieldsPart
	for _, f := range fields {
		v := fieldView{Field: f, Label: w.t("field." + f.Key)}
		v.Unit = w.unitOf(f)
		if key := "field." + f.Key + ".help"; w.has(key) {
			v.Help = w.t(key)
		}
		v.fill(w, values, offered)
		if i := slices.IndexFunc(problems, func(p form.Problem) bool { return p.Key == f.Key }); i >= 0 {
			v.Problem = w.problem(problems[i])
			if v.Value == "" && f.Type != form.Choice && f.Type != form.Ref && f.Type != form.Flag && !f.Repeat {
				v.Value = problems[i].Given
			}
		}
		if f.Quick || f.Required {
			out.Quick = append(out.Quick, v)
			continue
		}
		out.MoreOpen = out.MoreOpen || v.Problem != ""
		out.More = append(out.More, v)
	}
	return out
}

func (v *fieldView) fill(w *words, values form.Values, offered refs) {
	have := values.List(v.Key)
	switch v.Type {
	case form.Number:
		if n, ok := values.Number(v.Key); ok {
			v.Value = w.plainNumber(n)
		} else {
			v.Value = values.Text(v.Key)
		}
	case form.Date, form.Text, form.Long:
		v.Value = values.Text(v.Key)
	case form.Moment:
		if t, err := time.Parse(time.RFC3339, values.Text(v.Key)); err == nil {
			v.Value = t.In(w.zone).Format("2006-01-02T15:04")
		} else {
			v.Value = values.Text(v.Key)
		}
	case form.Flag:
		if on, ok := values[v.Key].(bool); ok {
			v.On, v.Off = on, !on
		}
	case form.Choice:
		for _, o := range v.Field.Options {
			v.Options = append(v.Options, optionView{o, w.t("option." + v.Key + "." + o), slices.Contains(have, o)})
		}
	case form.Ref:
		all := slices.Clone(offered(v.Of))
		for i := range all {
			all[i].Chosen = slices.Contains(have, all[i].Value)
		}
		for _, id := range have { // what is no longer offered stays what it was
			if !slices.ContainsFunc(all, func(o optionView) bool { return o.Value == id }) {
				all = append(all, optionView{id, id, true})
			}
		}
		v.Options = all
	}
	switch {
	case v.File:
		for i, sum := range have {
			v.Photos = append(v.Photos, photoView{Sum: sum, Label: w.t("form.photo.n", w.count(int64(i+1)))})
		}
	case v.Repeat && v.Type == form.Text:
		v.Many = append(slices.Clone(have), make([]string, emptyRows)...)
	}
}

// plainNumber writes a number as it is typed: with the language's decimal sign, without separators of thousands.
func (w *words) plainNumber(n float64) string {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	if w.lang == English {
		return s
	}
	return strings.Replace(s, ".", ",", 1)
}

// unitOf is the unit of a field as people write it.
func (w *words) unitOf(f form.Field) string {
	if key := "unit." + f.Unit; w.has(key) {
		return w.t(key)
	}
	return f.Unit
}

// problem says what is wrong with an answer.
func (w *words) problem(p form.Problem) string {
	switch p.Code { //nolint:exhaustive // the others have no bound
	case form.TooSmall, form.TooLarge, form.TooLong, form.TooMany:
		return w.t("problem.form."+string(p.Code), w.plainNumber(p.Bound))
	}
	return w.t("problem.form." + string(p.Code))
}

// placeOptions are the places of a farm, as a field offers them.
func placeOptions(w *words, f *farm.Farm) []optionView {
	out := make([]optionView, 0, len(f.Places))
	for _, p := range f.Places {
		out = append(out, optionView{Value: p.Code, Label: p.Title.In(w.lang)})
	}
	return out
}

// recordOptions are records as a field offers them: not those that are retired.
func recordOptions(list []farm.Record) []optionView {
	out := make([]optionView, 0, len(list))
	for _, r := range list {
		if !r.Retired {
			out = append(out, optionView{Value: r.ID, Label: r.Name()})
		}
	}
	return out
}
