// Package book makes the record books that an auditor asks for: of one season of one place, by one standard.
//
// What is on record comes in as a Source: the farm, its register, the events of the diary, the stock of inputs, what probes measured, their
// calibrations and what the gates found. A Book goes out: chapters in the order an auditor reads them, with tables whose columns are the
// fields of the diary's kinds, every text in the words of one language. WritePDF and WriteXLSX put it on paper and into a workbook; pages
// draw it from the same structure. Nothing is left out: what was corrected shows what stood there before, what was taken back stands struck
// through, and time without an entry is said. README.md holds the decisions. No SQL, no HTTP.
package book

import (
	"time"

	"aovuon/server/farm"
)

// Standard is what a book is kept for. Its words are book.standard.STANDARD.
type Standard string

// The standards. Which edition of it holds is data: it stands in the certificate.
const (
	VietGAPFish Standard = "vietgap-fish" // TCVN 13528-1
	VietGAPCrop Standard = "vietgap-crop" // TCVN 11892-1
	GACP        Standard = "gacp"         // Circular 19/2019/TT-BYT
	Organic     Standard = "organic"      // TCVN 11041
	Processing  Standard = "processing"   // what is made: no standard of its own, the batches as they were
)

// Standards returns every standard.
func Standards() []Standard { return []Standard{VietGAPFish, VietGAPCrop, GACP, Organic, Processing} }

// Norm is the name of the text behind the standard, with the edition the reference of this project knows; "": none. A certificate on record
// that names another edition wins.
func (s Standard) Norm() string {
	switch s {
	case VietGAPFish:
		return "TCVN 13528-1:2022"
	case VietGAPCrop:
		return "TCVN 11892-1"
	case GACP:
		return "Thông tư 19/2019/TT-BYT"
	case Organic:
		return "TCVN 11041"
	case Processing:
	}
	return ""
}

// scheme is what certificates of the standard say; "": none.
func (s Standard) scheme() string {
	switch s {
	case VietGAPFish, VietGAPCrop:
		return "vietgap"
	case GACP:
		return "gacp"
	case Organic:
		return "organic"
	case Processing:
	}
	return ""
}

// Of returns the standards that a book of a season can be made by, the likeliest first.
func Of(cycle farm.Record) []Standard {
	var out []Standard
	switch farm.Branch(cycle.Values.Text("branch")) {
	case farm.Fish:
		out = []Standard{VietGAPFish}
	case farm.Crop:
		out = []Standard{VietGAPCrop}
	case farm.Herb:
		out = []Standard{GACP, VietGAPCrop}
	case farm.Process:
		out = []Standard{Processing}
	}
	switch {
	case cycle.Values.Text("way") == "organic":
		return append([]Standard{Organic}, out...)
	case cycle.Values.Text("conversion_from") != "":
		return append(out, Organic)
	}
	return out
}

// Book is one record book.
type Book struct {
	Lang     string
	Standard Standard
	Title    string // SỔ NHẬT KÝ …
	Norm     string // the standard with its edition
	Coop     string
	Place    string
	Cycle    string
	ID       string // of the cycle
	Code     string // of the place
	Period   string
	Demo     string // said on every page of made-up data; "": it is real
	Printed  string
	At       time.Time // when it was made
	Page     string    // "Trang %s/%s"
	Chapters []Chapter
	Ledger   *Ledger // nil: nothing was signed yet
	Sign     []string
	SignHint string
	Words    Legend
}

// Legend are the words of what every sheet and page shares.
type Legend struct {
	Yes, No                          string
	Entry, Written, Received, Change string
	Contents, Value, Voided          string
}

// Ledger is the head of the ledger when the book was made: what the book can be held against.
type Ledger struct {
	Title string
	Lines []Fact
	URL   string // where it can be checked; "": nowhere
	Hint  string
	Short string // for the foot of every page
}

// Chapter is one part of a book. One that says nothing says so in Empty.
type Chapter struct {
	Key    string // a stable name: the anchor on pages
	Title  string
	Facts  []Fact
	Tables []Table
	Notes  []string
	Empty  string
}

// Fact is one line of what is said once.
type Fact struct{ Label, Value string }

// Table is one table of a chapter.
type Table struct {
	Title   string
	Columns []Column
	Rows    []Row
	Source  string // where the values come from
}

// Column is one column.
type Column struct {
	Title string
	Unit  string // under the title; "": none
	Wide  bool   // long texts stand in it
	Right bool   // numbers
}

// Row is one row: an entry, or a gap.
type Row struct {
	Cells    []Cell
	Entry    string    // id of the entry's first event; "": of no entry
	Written  time.Time // when it was written down; zero: on the day it was done
	Received time.Time // when the server took it; zero: on the day it was written
	Late     []string  // the same in words
	Voided   bool
	Changes  []string // who changed what when, why
	Gap      string   // no entry: time without one
	Strong   bool     // a sum
}

// Type is what a cell holds beside its text.
type Type int

// The types.
const (
	Text Type = iota
	Number
	Day
	Moment
)

// Cell is one cell.
type Cell struct {
	Text   string
	Is     Type
	Number float64
	Time   time.Time
	Was    []string // what stood there before, oldest first
}
