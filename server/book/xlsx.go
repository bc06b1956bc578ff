package book

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"aovuon/server/farm"
)

// WriteXLSX writes a book as a workbook: a sheet for each chapter, numbers and dates as such. What people wrote is text to every program that
// opens it, also where it begins like a formula. The bytes are the same for the same book.
func WriteXLSX(out io.Writer, b Book) (err error) {
	f := excelize.NewFile()
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = fmt.Errorf("book: xlsx: %w", cerr)
		}
	}()
	s := &sheets{f: f, b: b}
	if err := s.write(); err != nil {
		return fmt.Errorf("book: xlsx: %w", err)
	}
	stamp := b.At.UTC().Format(time.RFC3339)
	if err := f.SetDocProps(&excelize.DocProperties{Title: b.Title, Creator: b.Coop, Created: stamp, Modified: stamp, Language: b.Lang}); err != nil {
		return fmt.Errorf("book: xlsx: %w", err)
	}
	if _, err := f.WriteTo(out); err != nil {
		return fmt.Errorf("book: xlsx: %w", err)
	}
	return nil
}

// sheets writes the sheets of one workbook.
type sheets struct {
	f *excelize.File
	b Book

	title, head, text, number, day, moment, struck, gap, old int // styles
}

func (s *sheets) write() error {
	if err := s.styles(); err != nil {
		return err
	}
	first := true
	for i, c := range s.b.Chapters {
		name := s.name(i+1, c.Title)
		if first {
			if err := s.f.SetSheetName("Sheet1", name); err != nil {
				return err
			}
		} else if _, err := s.f.NewSheet(name); err != nil {
			return err
		}
		if err := s.chapter(name, c, first); err != nil {
			return err
		}
		first = false
	}
	return nil
}

// name makes the name of a sheet: at most 31 letters, none of those that programs refuse; the number makes each the only one.
func (s *sheets) name(n int, title string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return ' '
		}
		return r
	}, title)
	name := fmt.Sprintf("%d. %s", n, clean)
	for utf8.RuneCountInString(name) > 31 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return strings.TrimSpace(name)
}

func (s *sheets) styles() (err error) {
	border := []excelize.Border{{Type: "left", Color: "999999", Style: 1}, {Type: "right", Color: "999999", Style: 1}, {Type: "top", Color: "999999", Style: 1}, {Type: "bottom", Color: "999999", Style: 1}}
	wrap := &excelize.Alignment{WrapText: true, Vertical: "top"}
	day, moment := "dd/mm/yyyy", "dd/mm/yyyy hh:mm"
	for _, x := range []struct {
		to *int
		st excelize.Style
	}{
		{&s.title, excelize.Style{Font: &excelize.Font{Bold: true, Size: 13}}},
		{&s.head, excelize.Style{Font: &excelize.Font{Bold: true}, Border: border, Alignment: wrap, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E1EBE4"}}}},
		{&s.text, excelize.Style{Border: border, Alignment: wrap, NumFmt: 49}},
		{&s.number, excelize.Style{Border: border, Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&s.day, excelize.Style{Border: border, Alignment: &excelize.Alignment{Vertical: "top"}, CustomNumFmt: &day}},
		{&s.moment, excelize.Style{Border: border, Alignment: &excelize.Alignment{Vertical: "top"}, CustomNumFmt: &moment}},
		{&s.struck, excelize.Style{Border: border, Alignment: wrap, NumFmt: 49, Font: &excelize.Font{Strike: true, Color: "666666"}}},
		{&s.gap, excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFECC8"}}}},
		{&s.old, excelize.Style{Font: &excelize.Font{Italic: true}, Alignment: wrap, NumFmt: 49}},
	} {
		if *x.to, err = s.f.NewStyle(&x.st); err != nil {
			return err
		}
	}
	return nil
}

// put sets one cell.
func (s *sheets) put(sheet string, col, row int, v any, style int) error {
	at, err := excelize.CoordinatesToCellName(col, row)
	if err != nil {
		return err
	}
	switch x := v.(type) {
	case string:
		err = s.f.SetCellStr(sheet, at, clip(x)) // a shared string: never a formula
	default:
		err = s.f.SetCellValue(sheet, at, x)
	}
	if err != nil {
		return err
	}
	return s.f.SetCellStyle(sheet, at, at, style)
}

// clip bounds a text by what a cell holds.
func clip(s string) string {
	if utf8.RuneCountInString(s) <= excelize.TotalCellChars {
		return s
	}
	return string([]rune(s)[:excelize.TotalCellChars])
}

func (s *sheets) chapter(sheet string, c Chapter, first bool) error {
	row := 1
	line := func(text string, style int) error {
		defer func() { row++ }()
		return s.put(sheet, 1, row, text, style)
	}
	if first {
		for _, t := range s.cover() {
			if err := line(t, s.title); err != nil {
				return err
			}
		}
	}
	if err := line(c.Title, s.title); err != nil {
		return err
	}
	facts := c.Facts
	if first && s.b.Ledger != nil {
		facts = append(append([]Fact{}, facts...), s.b.Ledger.Lines...)
	}
	for _, x := range facts {
		if err := s.put(sheet, 1, row, x.Label, s.head); err != nil {
			return err
		}
		if err := s.put(sheet, 2, row, x.Value, s.text); err != nil {
			return err
		}
		row++
	}
	for _, t := range c.Tables {
		next, err := s.table(sheet, row+1, t)
		if err != nil {
			return err
		}
		row = next
	}
	for _, n := range append(append([]string{}, c.Notes...), c.Empty) {
		if n == "" {
			continue
		}
		if err := line(n, s.old); err != nil {
			return err
		}
	}
	return s.f.SetColWidth(sheet, "A", "P", 18)
}

// cover is what the first sheet begins with.
func (s *sheets) cover() []string {
	var out []string
	for _, t := range []string{s.b.Title, s.b.Norm, s.b.Coop, s.b.Place + " (" + s.b.Code + ") · " + s.b.Cycle, s.b.Period, s.b.Printed, s.b.Demo} {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// table writes a table from a row on, and returns the row after it.
func (s *sheets) table(sheet string, row int, t Table) (int, error) {
	for _, x := range []string{t.Title, t.Source} {
		if x == "" {
			continue
		}
		if err := s.put(sheet, 1, row, x, s.old); err != nil {
			return row, err
		}
		row++
	}
	extra := s.extras(t)
	for i, c := range t.Columns {
		if err := s.put(sheet, i+1, row, strings.TrimSpace(c.Title+" "+unitLine(c)), s.head); err != nil {
			return row, err
		}
	}
	for i, x := range extra {
		if err := s.put(sheet, len(t.Columns)+1+i, row, x.title, s.head); err != nil {
			return row, err
		}
	}
	row++
	for _, r := range t.Rows {
		if err := s.row(sheet, row, len(t.Columns), r, extra); err != nil {
			return row, err
		}
		row++
	}
	return row, nil
}

// extra is a column beside those of the table: what the paper says between its lines.
type extra struct {
	title string
	value func(Row) any
}

func (s *sheets) extras(t Table) []extra {
	w := s.b.Words
	all := []extra{
		{w.Written, func(r Row) any { return r.Written }},
		{w.Received, func(r Row) any { return r.Received }},
		{w.Voided, func(r Row) any {
			if r.Voided {
				return w.Yes
			}
			return ""
		}},
		{w.Change, func(r Row) any {
			var was []string
			for i, c := range r.Cells {
				if len(c.Was) > 0 {
					was = append(was, t.Columns[i].Title+": "+strings.Join(c.Was, " → "))
				}
			}
			return strings.Join(append(was, r.Changes...), "\n")
		}},
		{w.Entry, func(r Row) any { return r.Entry }},
	}
	var out []extra
	for _, x := range all {
		for _, r := range t.Rows {
			if v := x.value(r); v != "" && v != (time.Time{}) {
				out = append(out, x)
				break
			}
		}
	}
	return out
}

func (s *sheets) row(sheet string, row, cols int, r Row, extra []extra) error {
	if r.Gap != "" {
		return s.put(sheet, 1, row, r.Gap, s.gap)
	}
	for i, c := range r.Cells {
		v, style := s.value(c)
		if r.Voided {
			style = s.struck
			if c.Is != Number {
				v = c.Text
			}
		}
		if err := s.put(sheet, i+1, row, v, style); err != nil {
			return err
		}
	}
	for i, x := range extra {
		v, style := x.value(r), s.text
		if at, ok := v.(time.Time); ok {
			if v = any(""); !at.IsZero() {
				v, style = local(at), s.moment
			}
		}
		if err := s.put(sheet, cols+1+i, row, v, style); err != nil {
			return err
		}
	}
	return nil
}

// value is a cell as programs calculate with it.
func (s *sheets) value(c Cell) (v any, style int) {
	switch c.Is {
	case Number:
		return c.Number, s.number
	case Day:
		return local(c.Time), s.day
	case Moment:
		return local(c.Time), s.moment
	case Text:
	}
	return c.Text, s.text
}

// local is a time as workbooks know it: of no zone, as the clock at the co-op shows it.
func local(t time.Time) time.Time {
	t = t.In(farm.Time())
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}
