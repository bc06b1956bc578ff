package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aovuon/gateway/measure"
	"aovuon/server/intake"
)

// MaxFile bounds a file, bytes.
const MaxFile = 256 << 20

// Problem is one row that is wrong.
type Problem struct {
	Line   int
	Column string
	Text   string // what is wrong and what is wanted
}

// String writes the problem without the file's name.
func (p Problem) String() string {
	if p.Column == "" {
		return fmt.Sprintf("%d: %s", p.Line, p.Text)
	}
	return fmt.Sprintf("%d: %s: %s", p.Line, p.Column, p.Text)
}

// Result is what a file comes to. Readings are whole and in the order of the file, also where there are problems.
type Result struct {
	Readings []measure.Reading
	Rows     int
	Absent   int // cells without a value
	Ignored  int // rows or columns of no interest
	Twice    int // values that stand in the file twice, alike
	Problems []Problem
	Columns  []string // headings that the map does not name
}

type channel struct {
	sensor   string
	quantity measure.Quantity
	ms       int64
}

// reader is one reading of a file.
type reader struct {
	*Map
	out  Result
	now  time.Time
	head []string
	at   map[string]int // heading → column
	seen map[channel]seenAt
}

type seenAt struct {
	value float64
	line  int
}

// Read reads a file. now is when it is: a file has no measurements of a time to come. The error is of the file as a whole; what is wrong with rows is in
// the result.
func (m *Map) Read(raw []byte, now time.Time) (Result, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	switch {
	case len(raw) > MaxFile:
		return Result{}, fmt.Errorf("%d MB: at most %d: cut it into years", len(raw)>>20, MaxFile>>20)
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}) || !utf8.Valid(raw):
		return Result{}, errors.New("not UTF-8: save it as CSV UTF-8")
	}
	body, err := after(raw, m.Header-1)
	if err != nil {
		return Result{}, err
	}
	m.punctuation(body)
	r := &reader{Map: m, now: now, at: map[string]int{}, seen: map[channel]seenAt{}}
	c := csv.NewReader(bytes.NewReader(body))
	c.Comma, c.FieldsPerRecord, c.ReuseRecord = m.comma, -1, true
	head, err := c.Read()
	if err != nil {
		return Result{}, fmt.Errorf("line %d: no headings: %w", m.Header, err)
	}
	if err := r.headings(slices.Clone(head)); err != nil {
		return Result{}, err
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return r.out, nil
		}
		if perr, ok := errors.AsType[*csv.ParseError](err); ok {
			r.problem(perr.StartLine+m.Header-1, "", unread(perr, m.Header-1))
			continue
		}
		if err != nil {
			return Result{}, err
		}
		line, _ := c.FieldPos(0)
		r.row(row, line+m.Header-1)
	}
}

// unread says of a row that is no CSV how far it went: an open quotation mark takes the lines behind it along.
func unread(p *csv.ParseError, before int) string {
	return fmt.Sprintf("%v: nothing of lines %d to %d is read: mend the quotation mark", p.Err, p.StartLine+before, p.Line+before)
}

// after leaves out the first n lines.
func after(raw []byte, n int) ([]byte, error) {
	for range n {
		i := bytes.IndexByte(raw, '\n')
		if i < 0 {
			return nil, fmt.Errorf("fewer than %d lines, and header says that the headings stand after them", n)
		}
		raw = raw[i+1:]
	}
	return raw, nil
}

// punctuation is what the map leaves open: the delimiter that the headings have most of, and the decimal mark that goes with it.
func (m *Map) punctuation(body []byte) {
	line, _, _ := bytes.Cut(body, []byte("\n"))
	m.comma = ','
	for _, d := range []rune{';', '\t'} {
		if bytes.Count(line, []byte(string(d))) > bytes.Count(line, []byte(string(m.comma))) {
			m.comma = d
		}
	}
	if m.Delimiter != "" {
		m.comma = rune(m.Delimiter[0])
	}
	m.point = '.'
	if m.Decimal == "," || m.Decimal == "" && m.comma == ';' {
		m.point = ','
	}
}

// headings finds the columns.
func (r *reader) headings(head []string) error {
	for i, h := range head {
		h = strings.TrimSpace(h)
		head[i] = h
		if _, twice := r.at[h]; twice && h != "" {
			return fmt.Errorf("line %d: the heading %q stands there twice", r.Header, h)
		}
		r.at[h] = i
	}
	r.head = head
	want := append([]string{r.Time.Column}, r.Name...)
	for _, h := range []string{r.Time.Clock, r.Value} {
		if h != "" {
			want = append(want, h)
		}
	}
	if r.Value == "" {
		for name := range r.Series {
			want = append(want, name)
		}
		slices.Sort(want[1:])
	}
	for _, h := range want {
		if _, ok := r.at[h]; !ok {
			return fmt.Errorf("line %d: no column %q: there are %q; is the delimiter %q?", r.Header, h, head, string(r.comma))
		}
	}
	for _, h := range head {
		if !slices.Contains(want, h) && h != "" {
			r.out.Columns = append(r.out.Columns, h)
		}
	}
	return nil
}

func (r *reader) problem(line int, column, text string) {
	r.out.Problems = append(r.out.Problems, Problem{line, column, text})
}

func (r *reader) cell(row []string, heading string) string {
	i := r.at[heading]
	if i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// row reads one row.
func (r *reader) row(row []string, line int) {
	if !slices.ContainsFunc(row, func(c string) bool { return strings.TrimSpace(c) != "" }) {
		return
	}
	r.out.Rows++
	if len(row) > len(r.head) {
		r.problem(line, "", fmt.Sprintf("%d cells, and %d headings: a decimal comma between commas?", len(row), len(r.head)))
		return
	}
	said := r.cell(row, r.Time.Column)
	if r.Time.Clock != "" {
		said += " " + r.cell(row, r.Time.Clock)
	}
	at, err := r.when(said)
	if err != nil {
		r.problem(line, r.Time.Column, err.Error())
		return
	}
	if r.Value == "" {
		for _, h := range r.head {
			if u, ok := r.Series[h]; ok {
				r.value(u, h, r.cell(row, h), at, line)
			}
		}
		return
	}
	parts := make([]string, len(r.Name))
	for i, h := range r.Name {
		parts[i] = r.cell(row, h)
	}
	name := strings.Join(parts, "/")
	u, ok := r.Series[name]
	switch {
	case ok:
		r.value(u, r.Value, r.cell(row, r.Value), at, line)
	case slices.Contains(r.Ignore, name):
		r.out.Ignored++
	default:
		r.problem(line, strings.Join(r.Name, "/"), fmt.Sprintf("%q: name it under series, or under ignore", name))
	}
}

// when reads a time.
func (r *reader) when(said string) (at time.Time, err error) {
	switch r.Time.Format {
	case formUnix, formUnixMS:
		n, err := strconv.ParseFloat(said, 64)
		if err != nil || math.IsNaN(n) || n < 0 || n > 4e12 {
			return at, fmt.Errorf("%q: want seconds or milliseconds since 1970", said)
		}
		if r.Time.Format == formUnix {
			n *= 1000
		}
		at = time.UnixMilli(int64(math.Round(n)))
	default:
		ok := false
		for _, l := range r.layouts {
			if at, err = time.ParseInLocation(l, said, r.zone); err == nil {
				ok = true
				break
			}
		}
		if !ok {
			return at, fmt.Errorf("%q: want a time as %s", said, r.Time.Format)
		}
	}
	at = at.UTC().Truncate(time.Millisecond)
	switch {
	case at.After(r.now):
		return at, fmt.Errorf("%q is a time to come: are day and month in the order of %q?", said, r.Time.Format)
	case at.Year() < 1990:
		return at, fmt.Errorf("%q is before 1990", said)
	}
	return at, nil
}

// value reads one cell.
func (r *reader) value(u intake.Use, column, said string, at time.Time, line int) {
	if said == "" || slices.Contains(r.Absent, said) {
		r.out.Absent++
		return
	}
	n, err := r.number(said)
	if err != nil {
		r.problem(line, column, err.Error())
		return
	}
	reading, err := u.Reading(n, "", at)
	if err != nil {
		r.problem(line, column, err.Error())
		return
	}
	c := channel{reading.Sensor, reading.Quantity, at.UnixMilli()}
	if before, twice := r.seen[c]; twice {
		if before.value != reading.Value {
			r.problem(line, column, fmt.Sprintf("%s: line %d has another value of the same time", said, before.line))
			return
		}
		r.out.Twice++
		return
	}
	r.seen[c] = seenAt{reading.Value, line}
	r.out.Readings = append(r.out.Readings, reading)
}

// number reads a number with the file's decimal mark. Marks between thousands are refused: 7.500 could be 7500 or 7.5.
func (r *reader) number(said string) (float64, error) {
	other := byte('.')
	if r.point == '.' {
		other = ','
	}
	wrong := func() (float64, error) {
		return 0, fmt.Errorf("%q: want a number with %q before decimals, nothing between thousands, and no unit; texts for no value go under absent", said, string(r.point))
	}
	if strings.IndexByte(said, other) >= 0 || strings.ContainsAny(said, "xX_pPiInN") {
		return wrong()
	}
	n, err := strconv.ParseFloat(strings.Replace(said, string(r.point), ".", 1), 64)
	if err != nil {
		return wrong()
	}
	return n, nil
}
