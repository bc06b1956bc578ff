package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// Words are what the sheet beside the table says.
type Words struct {
	Table, Help               string   // names of the sheets
	Intro                     []string // what the sheet of explanations begins with
	Head, Must, What, Answers string   // its columns
}

// without returns the table without the fields that are nobody's business but the co-op's.
func (t Table) without(private bool) Table {
	if private {
		t.Columns = slices.DeleteFunc(slices.Clone(t.Columns), func(c Column) bool { return c.Private })
	}
	return t
}

// Public returns the table without private fields: for those who may read the register and not write it.
func (t Table) Public() Table { return t.without(true) }

// WriteCSV writes records as CSV in UTF-8 with a mark by which Excel knows it, separated by semicolons as Excel expects it where decimals have
// a comma. A text that begins like a formula is marked so that no program runs it; Read takes the mark off.
func (t Table) WriteCSV(out io.Writer, list []farm.Record, named func(kind string) []Named) error {
	var b bytes.Buffer
	b.WriteString("\xef\xbb\xbf")
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = ';', true
	line := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		line[i] = c.Title
	}
	if err := w.Write(line); err != nil {
		return fmt.Errorf("sheet: csv: %w", err)
	}
	for _, r := range list {
		for i, c := range t.Columns {
			line[i] = ""
			switch x := t.value(c, r, named).(type) {
			case float64:
				line[i] = strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), ".", ",", 1)
			case time.Time:
				line[i] = x.Format("02/01/2006")
			case string:
				line[i] = guard(x)
			}
		}
		if err := w.Write(line); err != nil {
			return fmt.Errorf("sheet: csv: %w", err)
		}
	}
	if w.Flush(); w.Error() != nil {
		return fmt.Errorf("sheet: csv: %w", w.Error())
	}
	if _, err := out.Write(b.Bytes()); err != nil {
		return fmt.Errorf("sheet: csv: %w", err)
	}
	return nil
}

// value is the answer of a record as a cell has it: float64, time.Time of a day, string; nil: none.
func (t Table) value(c Column, r farm.Record, named func(kind string) []Named) any {
	switch c.Key {
	case ID:
		return r.ID
	case Retired:
		if r.Retired {
			return t.Yes
		}
		return nil
	}
	v, answered := r.Values[c.Key]
	if !answered {
		return nil
	}
	switch x := v.(type) {
	case float64:
		return x
	case bool:
		if x {
			return t.Yes
		}
		return t.No
	case string:
		if c.Repeat {
			return join([]string{t.word(c, x, named)})
		}
		if day, err := time.Parse(time.DateOnly, x); err == nil && c.Type == form.Date {
			return day
		}
		return t.word(c, x, named)
	case []string:
		all := make([]string, len(x))
		for i, one := range x {
			all[i] = t.word(c, one, named)
		}
		return join(all)
	}
	return nil
}

// word is what a cell calls an option or a record: its name, or its id where the name would be read as another one.
func (t Table) word(c Column, s string, named func(kind string) []Named) string {
	switch {
	case c.Type == form.Choice && len(c.Options[s]) > 0:
		return c.Options[s][0]
	case c.Type == form.Ref:
		all := named(c.Of)
		for _, n := range all {
			if n.ID != s || len(n.Names) == 0 {
				continue
			}
			if ids := find(all, n.Names[0]); len(ids) == 1 && ids[0] == s {
				return n.Names[0]
			}
		}
	}
	return lines(s)
}

// Text is an answer of a record as its cell would show it: for pages that say what changes.
func (t Table) Text(key string, r farm.Record, named func(kind string) []Named) string {
	c, ok := t.Column(key)
	if !ok {
		return ""
	}
	switch x := t.value(c, r, named).(type) {
	case float64:
		return strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), ".", ",", 1)
	case time.Time:
		return x.Format("02/01/2006")
	case string:
		return x
	}
	return ""
}

// WriteXLSX writes records as a workbook: numbers and days as such, texts as nothing but text, and a second sheet that explains the columns.
// Without records it is the template.
func (t Table) WriteXLSX(out io.Writer, w Words, list []farm.Record, named func(kind string) []Named) (err error) {
	x := workbook{f: excelize.NewFile(), t: t, w: w}
	defer func() { err = errors.Join(err, x.f.Close()) }()
	if err := x.write(list, named); err != nil {
		return fmt.Errorf("sheet: xlsx: %w", err)
	}
	if _, err := x.f.WriteTo(out); err != nil {
		return fmt.Errorf("sheet: xlsx: %w", err)
	}
	return nil
}

type workbook struct {
	f *excelize.File
	t Table
	w Words

	head, text, number, day, wrap int // styles
}

func (x *workbook) styles() (err error) {
	day, top := "dd/mm/yyyy", &excelize.Alignment{Vertical: "top"}
	for _, s := range []struct {
		to *int
		st excelize.Style
	}{
		{&x.head, excelize.Style{Font: &excelize.Font{Bold: true}, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E1EBE4"}}}},
		{&x.text, excelize.Style{NumFmt: 49, Alignment: top}},
		{&x.number, excelize.Style{Alignment: top}},
		{&x.day, excelize.Style{CustomNumFmt: &day, Alignment: top}},
		{&x.wrap, excelize.Style{NumFmt: 49, Alignment: &excelize.Alignment{WrapText: true, Vertical: "top"}}},
	} {
		if *s.to, err = x.f.NewStyle(&s.st); err != nil {
			return err
		}
	}
	return nil
}

func (x *workbook) write(list []farm.Record, named func(kind string) []Named) error {
	if err := x.styles(); err != nil {
		return err
	}
	if err := x.f.SetSheetName("Sheet1", x.w.Table); err != nil {
		return err
	}
	for i, c := range x.t.Columns {
		letter, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		style := map[form.Type]int{form.Number: x.number, form.Date: x.day}[c.Type]
		if style == 0 {
			style = x.text
		}
		err = errors.Join(x.f.SetColStyle(x.w.Table, letter, style), x.f.SetColWidth(x.w.Table, letter, letter, 20), x.put(x.w.Table, i+1, 1, c.Title, x.head))
		for j, r := range list {
			if v := x.t.value(c, r, named); v != nil {
				err = errors.Join(err, x.put(x.w.Table, i+1, j+2, v, style))
			}
		}
		if err != nil {
			return err
		}
	}
	pane := excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}
	return errors.Join(x.f.SetPanes(x.w.Table, &pane), x.explain())
}

func (x *workbook) put(sheet string, col, row int, v any, style int) error {
	at, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		return err
	}
	switch s := v.(type) {
	case string:
		if strings.HasPrefix(s, "'") { // Read takes one off
			s = guard(s)
		}
		err = x.f.SetCellStr(sheet, at, escape(s)) // a shared string: never a formula
	default:
		err = x.f.SetCellValue(sheet, at, v)
	}
	return errors.Join(err, x.f.SetCellStyle(sheet, at, at, style))
}

// explain writes the sheet that says what belongs into each column.
func (x *workbook) explain() error {
	if _, err := x.f.NewSheet(x.w.Help); err != nil {
		return err
	}
	err := errors.Join(x.f.SetColWidth(x.w.Help, "A", "A", 30), x.f.SetColWidth(x.w.Help, "B", "B", 10), x.f.SetColWidth(x.w.Help, "C", "D", 50))
	row := 1
	for _, s := range x.w.Intro {
		err = errors.Join(err, x.put(x.w.Help, 1, row, s, x.text))
		row++
	}
	row++
	for i, s := range []string{x.w.Head, x.w.Must, x.w.What, x.w.Answers} {
		err = errors.Join(err, x.put(x.w.Help, i+1, row, s, x.head))
	}
	for _, c := range x.t.Columns {
		row++
		must, answers := "", []string{}
		if c.Required {
			must = "×"
		}
		for _, o := range c.Field.Options {
			answers = append(answers, c.Options[o][0])
		}
		for i, s := range []string{c.Title, must, c.Help, strings.Join(answers, "; ")} {
			err = errors.Join(err, x.put(x.w.Help, i+1, row, s, x.wrap))
		}
	}
	return err
}
