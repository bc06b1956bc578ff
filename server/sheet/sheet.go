// Package sheet takes the farm's register in and out as tables, as people keep them in Excel.
//
// A file, CSV or XLSX, and the Table of a kind of records come in; rows go out, each with the number its reader sees in Excel. Rows and the
// register as it stands make a Plan: what is new, what changes from what into what, and every problem by row and column. Nothing is kept
// here: whoever shows a plan saves its Records, all or none. Records go out as the same table, CSV or XLSX, so that what was written
// out and read in again changes nothing.
package sheet

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// What a file may have. Each is far above what a co-op needs, and far below what a small server cannot bear.
const (
	MostBytes   = 1 << 20  // of a file
	MostRows    = 1000     // below the head
	MostColumns = 100      //
	mostUnzip   = 24 << 20 // bytes of all that an XLSX holds
	mostMarks   = 1 << 21  // tags and attributes of a part of it: twice those of a table that is full
	mostParts   = 200      // files within an XLSX
	mostCell    = 5000     // characters of a cell
)

// The columns that every table has beside the fields of its kind.
const (
	ID      = "id"      // of the record; empty: a new one, or the one that it is by its name
	Retired = "retired" // no longer in use
)

// What may be wrong with a row, beside what a form finds; words are problem.sheet.CODE.
const (
	Ambiguous form.Code = "ambiguous" // several records have the name Given
	NoSuchID  form.Code = "noid"      // no record has the id Given
	Twice     form.Code = "twice"     // an earlier row, Bound, is about the same record
	NoColumn  form.Code = "column"    // the head Given is none of the table's
	SameHead  form.Code = "head"      // two columns of that head
	CellError form.Code = "cell"      // an error of Excel's: #REF!, #N/A
	NotSaved  form.Code = "formula"   // a formula whose result is not in the file
	CellLong  form.Code = "celllong"  // more than Bound characters
)

// Table says how the records of a kind are written into columns.
type Table struct {
	Kind    farm.RecordKind
	Columns []Column
	Yes, No string // how a flag is written; form.Written reads it
}

// Column is one column of a table.
type Column struct {
	form.Field
	Title   string              // how its head is written
	Also    []string            // other heads it is known by, beside the key
	Options map[string][]string // the words of an option; the first is written, all are read
	Help    string              // what belongs there, for the sheet that explains
}

// Row is a line of a file below its head.
type Row struct {
	Line  int               // as Excel counts
	Cells map[string]string // by key; a column that the file does not have is not there
	Bad   []Problem         // what could not be read at all
}

// Problem is what is wrong with a cell of a row; Row 1 is the head.
type Problem struct {
	Row    int
	Column string // its head
	form.Problem
}

// FileCode says why a file cannot be read; its words are problem.sheet.file.CODE.
type FileCode string

// Why a file cannot be read.
const (
	Empty    FileCode = "empty"    // nothing in it
	TooBig   FileCode = "big"      // more than MostBytes, or an XLSX that unpacks into far more
	NotUTF8  FileCode = "utf8"     // a CSV in an old encoding
	OldExcel FileCode = "xls"      // .xls
	OtherZip FileCode = "zip"      // a ZIP that is no XLSX: .ods, .docx
	BadXLSX  FileCode = "xlsx"     // an XLSX that is broken
	BadCSV   FileCode = "csv"      // a quotation mark that does not end, at Line
	TooLong  FileCode = "rows"     // more than MostRows
	TooWide  FileCode = "columns"  // more than MostColumns
	NoHead   FileCode = "nohead"   // the first line names no column of the table
	NoRows   FileCode = "norows"   // a head, and nothing below
	Locked   FileCode = "password" // an XLSX with a password
)

// FileCodes returns every code.
func FileCodes() []FileCode {
	return []FileCode{Empty, TooBig, NotUTF8, OldExcel, OtherZip, BadXLSX, BadCSV, TooLong, TooWide, NoHead, NoRows, Locked}
}

// Codes returns every code of a row that a form does not have.
func Codes() []form.Code {
	return []form.Code{Ambiguous, NoSuchID, Twice, NoColumn, SameHead, CellError, NotSaved, CellLong}
}

// FileError says why a file cannot be read.
type FileError struct {
	Code  FileCode
	Line  int // where, as Excel counts; 0: of the whole file
	Bound int // the limit that is passed
}

// Error implements error.
func (e *FileError) Error() string {
	s := "sheet: " + string(e.Code)
	if e.Line > 0 {
		s += fmt.Sprintf(" in line %d", e.Line)
	}
	if e.Bound > 0 {
		s += fmt.Sprintf(": at most %d", e.Bound)
	}
	return s
}

// Column returns the column of a key.
func (t Table) Column(key string) (Column, bool) {
	for _, c := range t.Columns {
		if c.Key == key {
			return c, true
		}
	}
	return Column{}, false
}

// title is the head of a key, as the table writes it.
func (t Table) title(key string) string {
	if c, ok := t.Column(key); ok {
		return c.Title
	}
	return key
}

// plain is how heads, options and names are compared: small letters and digits alone, without the marks of Vietnamese.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'đ' || r == 'Đ':
			return 'd'
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(s))
}

// exact is how names are compared first: as they are written, whatever the form of their marks.
func exact(s string) string { return norm.NFC.String(strings.TrimSpace(s)) }

// split takes the several values of a cell apart: ";" stands between them; "\;" and "\\" are a semicolon and a backslash.
func split(s string) []string {
	var out []string
	var one strings.Builder
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '\\' && i+1 < len(runes) && (runes[i+1] == ';' || runes[i+1] == '\\'):
			i++
			one.WriteRune(runes[i])
		case r == ';':
			out = append(out, one.String())
			one.Reset()
		default:
			one.WriteRune(r)
		}
	}
	return append(out, one.String())
}

// join is the reverse of split.
func join(values []string) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = strings.NewReplacer(`\`, `\\`, ";", `\;`).Replace(v)
	}
	return strings.Join(all, "; ")
}

// guards are what a cell must not begin with in a program that would take it for a formula, and the mark that keeps it from that.
const guards = "=+-@\t\r'"

// guard marks a text that begins like a formula with an apostrophe, as Excel does; unguard takes the mark off.
func guard(s string) string {
	if s != "" && strings.ContainsRune(guards, rune(s[0])) {
		return "'" + s
	}
	return s
}

func unguard(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune(guards, rune(s[1])) {
		return s[1:]
	}
	return s
}

// lines writes the ends of lines in one way: CSV, XML and browsers each have their own.
func lines(s string) string { return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s) }
