package web

import (
	"slices"
	"strconv"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/sheet"
)

// RecordTable returns how the records of a kind are written into tables in a language, and the words beside the table. Heads and answers
// in the other language are read all the same.
func RecordTable(kind farm.RecordKind, lang string) (sheet.Table, sheet.Words, error) {
	w, err := loadWords(lang)
	if err != nil {
		return sheet.Table{}, sheet.Words{}, err
	}
	other := English
	if lang == English {
		other = Vietnamese
	}
	o, err := loadWords(other)
	if err != nil {
		return sheet.Table{}, sheet.Words{}, err
	}
	t, words := recordTable(w, o, kind)
	return t, words, nil
}

// SheetProblem says what is wrong with a cell.
func SheetProblem(p form.Problem, lang string) (string, error) {
	w, err := loadWords(lang)
	if err != nil {
		return "", err
	}
	return w.sheetProblem(p), nil
}

// SheetFileProblem says why a file cannot be read.
func SheetFileProblem(e *sheet.FileError, lang string) (string, error) {
	w, err := loadWords(lang)
	if err != nil {
		return "", err
	}
	return w.sheetFile(e), nil
}

// tableFields are the fields of a kind of records, or of places.
func tableFields(kind farm.RecordKind) []form.Field {
	if kind == farm.PlaceTable {
		return farm.PlaceFields()
	}
	return kind.Fields()
}

// kindMany is what many records of a kind are called, or places.
func (w *words) kindMany(kind farm.RecordKind) string {
	if kind == farm.PlaceTable {
		return w.t("places.title")
	}
	return w.t("record." + string(kind) + ".many")
}

func recordTable(w, other *words, kind farm.RecordKind) (sheet.Table, sheet.Words) {
	t := sheet.Table{Kind: kind, Yes: w.t("form.yes"), No: w.t("form.no")}
	for _, f := range tableFields(kind) {
		c := sheet.Column{Field: f, Title: columnTitle(w, f), Also: []string{w.t("field." + f.Key), columnTitle(other, f), other.t("field." + f.Key)}, Help: columnHelp(w, f)}
		for _, option := range f.Options {
			if c.Options == nil {
				c.Options = map[string][]string{}
			}
			key := "option." + f.Key + "." + option
			c.Options[option] = []string{w.t(key), other.t(key)}
		}
		t.Columns = append(t.Columns, c)
	}
	if kind != farm.PlaceTable { // a place is never out of use: lots came from it
		t.Columns = append(t.Columns,
			sheet.Column{Field: form.Field{Key: sheet.Retired, Type: form.Flag}, Title: w.t("sheet.retired"), Also: []string{other.t("sheet.retired")}, Help: w.t("sheet.retired.help")})
	}
	t.Columns = append(t.Columns,
		sheet.Column{Field: form.Field{Key: sheet.ID, Type: form.Text}, Title: w.t("sheet.id"), Also: []string{other.t("sheet.id")}, Help: w.t("sheet.id.help")},
	)
	return t, sheet.Words{
		Table: sheetName(w.kindMany(kind)), Help: w.t("sheet.help"),
		Intro: []string{w.t("sheet.intro.head"), w.t("sheet.intro.row"), w.t("sheet.intro.empty")},
		Head:  w.t("sheet.column"), Must: w.t("sheet.must"), What: w.t("sheet.what"), Answers: w.t("sheet.answers"),
	}
}

// sheetName is a text as the name of a sheet: at most 31 characters, and none of those that Excel refuses.
func sheetName(s string) string {
	r := []rune(strings.NewReplacer(":", "", "/", "-", `\`, "-", "?", "", "*", "", "[", "", "]", "", "'", "").Replace(s))
	return string(r[:min(len(r), 31)])
}

func columnTitle(w *words, f form.Field) string {
	title := w.t("field." + f.Key)
	if unit := w.unitOf(f); unit != "" {
		title += " (" + unit + ")"
	}
	return title
}

func columnHelp(w *words, f form.Field) string {
	var out []string
	switch f.Type {
	case form.Number:
		out = append(out, w.t("sheet.help.number"))
	case form.Date, form.Moment:
		out = append(out, w.t("sheet.help.date"))
	case form.Choice:
		out = append(out, w.t("sheet.help.choice"))
	case form.Flag:
		out = append(out, w.t("sheet.help.flag", w.t("form.yes"), w.t("form.no")))
	case form.Ref:
		switch f.Of {
		case farm.RefZone:
			out = append(out, w.t("sheet.help.zone"))
		case farm.RefProfile:
			out = append(out, w.t("sheet.help.profile"))
		case farm.RefPlace:
			out = append(out, w.t("sheet.help.place"))
		default:
			out = append(out, w.t("sheet.help.ref", w.t("record."+f.Of+".many")))
		}
	case form.Text, form.Long:
		out = append(out, w.t("sheet.help.text"))
	}
	if f.Repeat {
		out = append(out, w.t("sheet.help.repeat"))
	}
	return strings.Join(out, " ")
}

// sheetProblem says what is wrong with a cell.
func (w *words) sheetProblem(p form.Problem) string {
	if !slices.Contains(sheet.Codes(), p.Code) {
		return w.problem(p)
	}
	return w.t("problem.sheet."+string(p.Code), strconv.FormatFloat(p.Bound, 'f', -1, 64))
}

// sheetFile says why a file cannot be read, and how to mend it.
func (w *words) sheetFile(e *sheet.FileError) string {
	n := e.Bound
	if e.Code == sheet.BadCSV {
		n = e.Line
	}
	return w.t("problem.sheet.file."+string(e.Code), w.count(int64(n)))
}
