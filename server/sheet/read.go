package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aovuon/server/form"
)

// cell is a cell of a file.
type cell struct {
	text    string
	number  bool // text is a number as programs write it
	failed  bool // text is an error of Excel's
	unsaved bool // a formula whose result the program that wrote the file did not keep

	from1904 bool // a number that is a day is counted from 1904, as Macs did
}

func (c cell) empty() bool { return strings.TrimSpace(c.text) == "" && !c.unsaved }

// gridRow is a line of a file.
type gridRow struct {
	line  int
	cells []cell
}

// Read reads a file: XLSX (its first sheet), or CSV in UTF-8 separated by semicolons, commas or tabs. The first line that is not empty is the
// head. The error wraps a *FileError where the file is at fault; what is wrong with single cells is in the rows, that of the head in
// a row of its own.
func (t Table) Read(raw []byte) ([]Row, error) {
	grid, err := readGrid(raw)
	if err != nil {
		return nil, err
	}
	if len(grid) == 0 {
		return nil, &FileError{Code: Empty}
	}
	head, rows := grid[0], grid[1:]
	if len(rows) > MostRows {
		return nil, &FileError{Code: TooLong, Bound: MostRows}
	}
	columns, top, err := t.head(head, rows)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 && len(top.Bad) == 0 {
		return nil, &FileError{Code: NoRows}
	}
	var out []Row
	if len(top.Bad) > 0 {
		out = append(out, top)
	}
	for _, g := range rows {
		out = append(out, t.row(g, columns))
	}
	return out, nil
}

func readGrid(raw []byte) ([]gridRow, error) {
	switch {
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, &FileError{Code: Empty}
	case len(raw) > MostBytes:
		return nil, &FileError{Code: TooBig, Bound: MostBytes}
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		return readXLSX(raw)
	case bytes.HasPrefix(raw, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")): // compound file: .xls, or an XLSX under a password
		if bytes.Contains(raw, []byte("E\x00n\x00c\x00r\x00y\x00p\x00t\x00i\x00o\x00n\x00I\x00n\x00f\x00o\x00")) {
			return nil, &FileError{Code: Locked}
		}
		return nil, &FileError{Code: OldExcel}
	}
	return readCSV(raw)
}

func readCSV(raw []byte) ([]gridRow, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return nil, &FileError{Code: NotUTF8}
	}
	comma, skip := separator(raw)
	r := csv.NewReader(bytes.NewReader(raw[skip:]))
	r.Comma, r.FieldsPerRecord = comma, -1
	first := bytes.Count(raw[:skip], []byte("\n"))
	var out []gridRow
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, &FileError{Code: BadCSV, Line: first + bad.StartLine}
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		row := gridRow{line: first + line}
		for _, f := range fields {
			row.cells = append(row.cells, cell{text: f})
		}
		if out, err = add(out, row); err != nil {
			return nil, err
		}
	}
}

// add appends a row that has something in it, within the limits.
func add(out []gridRow, row gridRow) ([]gridRow, error) {
	last := -1
	for i, c := range row.cells {
		if !c.empty() {
			last = i
		}
	}
	switch {
	case last < 0:
		return out, nil
	case last >= MostColumns:
		return nil, &FileError{Code: TooWide, Bound: MostColumns}
	case len(out) > MostRows:
		return nil, &FileError{Code: TooLong, Bound: MostRows}
	}
	row.cells = row.cells[:last+1]
	return append(out, row), nil
}

// separator finds what stands between the cells: what Excel's own line "sep=;" says, or what is most in the first line outside quotes.
func separator(raw []byte) (comma rune, skip int) {
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	if said, ok := strings.CutPrefix(strings.ToLower(strings.TrimRight(string(first), "\r")), "sep="); ok && len(said) == 1 && strings.Contains(";,\t", said) {
		return rune(said[0]), min(len(first)+1, len(raw))
	}
	counts, quoted := map[rune]int{}, false
	for _, r := range string(raw) {
		if r == '"' {
			quoted = !quoted
		}
		if r == '\n' && !quoted && len(counts) > 0 {
			break
		}
		if !quoted && strings.ContainsRune(";,\t", r) {
			counts[r]++
		}
	}
	comma = ';'
	for _, r := range ",\t" {
		if counts[r] > counts[comma] {
			comma = r
		}
	}
	return comma, 0
}

// head finds the columns of the file, nil where there is none of the table's. top has what is wrong with them.
func (t Table) head(head gridRow, rows []gridRow) (columns []*Column, top Row, err error) {
	names, top := map[string]*Column{}, Row{Line: head.line}
	for i := range t.Columns {
		c := &t.Columns[i]
		for _, n := range append([]string{c.Key, c.Title}, c.Also...) {
			if _, taken := names[plain(n)]; !taken {
				names[plain(n)] = c
			}
		}
	}
	seen := map[string]bool{}
	for i, h := range head.cells {
		title := strings.TrimSpace(h.text)
		c := names[plain(title)]
		switch {
		case c == nil && title == "" && !filled(rows, i):
		case c == nil:
			if title == "" {
				title = letter(i)
			}
			top.Bad = append(top.Bad, Problem{head.line, brief(title), form.Problem{Code: NoColumn, Given: brief(title)}})
		case seen[c.Key]:
			top.Bad = append(top.Bad, Problem{head.line, brief(title), form.Problem{Key: c.Key, Code: SameHead, Given: brief(title)}})
			c = nil
		default:
			seen[c.Key] = true
		}
		columns = append(columns, c)
	}
	for i := len(head.cells); i < MostColumns; i++ {
		if filled(rows, i) {
			top.Bad = append(top.Bad, Problem{head.line, letter(i), form.Problem{Code: NoColumn, Given: letter(i)}})
		}
	}
	if len(seen) == 0 {
		return nil, top, &FileError{Code: NoHead, Line: head.line}
	}
	return columns, top, nil
}

// filled reports whether a column has anything below its head.
func filled(rows []gridRow, i int) bool {
	for _, r := range rows {
		if i < len(r.cells) && !r.cells[i].empty() {
			return true
		}
	}
	return false
}

// letter is the name of a column in Excel.
func letter(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s = letter(i/26-1) + s
	}
	return s
}

// brief bounds what is said back of what a file has.
func brief(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "�")); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

func (t Table) row(g gridRow, columns []*Column) Row {
	row := Row{Line: g.line, Cells: map[string]string{}}
	for i, c := range columns {
		if c == nil {
			continue
		}
		row.Cells[c.Key] = ""
		if i >= len(g.cells) {
			continue
		}
		bad := func(code form.Code, bound float64) {
			row.Bad = append(row.Bad, Problem{g.line, c.Title, form.Problem{Key: c.Key, Code: code, Given: brief(g.cells[i].text), Bound: bound}})
		}
		switch x := g.cells[i]; {
		case x.failed:
			bad(CellError, 0)
		case x.unsaved && strings.TrimSpace(x.text) == "":
			bad(NotSaved, 0)
		case utf8.RuneCountInString(x.text) > mostCell:
			bad(CellLong, mostCell)
		default:
			row.Cells[c.Key] = strings.TrimSpace(x.as(c.Type))
		}
	}
	return row
}

// as is the text of a cell as people would have typed it: programs keep dates as days since 1900 and decimals with a point.
func (c cell) as(kind form.Type) string {
	if !c.number {
		return lines(unguard(c.text))
	}
	n, err := strconv.ParseFloat(c.text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) || math.Abs(n) > 1e15 {
		return c.text
	}
	if c.from1904 && (kind == form.Date || kind == form.Moment) {
		n += 1462
	}
	if day := days(n); kind == form.Date && !day.IsZero() {
		return day.Format(time.DateOnly)
	} else if kind == form.Moment && !day.IsZero() {
		return day.Format("2006-01-02 15:04")
	}
	s := strconv.FormatFloat(n, 'f', -1, 64)
	if kind == form.Number {
		return strings.Replace(s, ".", ",", 1)
	}
	return s
}

// days is a time as workbooks count it, in days since 30/12/1899. What lies before 1950 is no day but a number that somebody wrote, such as a
// year: the zero time.
func days(n float64) time.Time {
	const from, to = 18264, 109575 // 01/01/1950, 01/01/2200
	if n < from || n >= to {
		return time.Time{}
	}
	whole, part := math.Modf(n)
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(whole)).Add(time.Duration(math.Round(part*24*60)) * time.Minute)
}
