package book

import (
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// Source is what a book is made from.
type Source struct {
	Farm         *farm.Farm
	Records      []farm.Record // of every kind
	Events       []diary.Event // of the place, and of the co-op as a whole where the reader may see them
	Stock        diary.Inventory
	Receipts     []diary.Entry // of inputs, wherever they came in
	Cycle        string        // id of a record
	Standard     Standard
	Measured     []Measured
	Calibrations []Calibration
	Findings     []Finding
	Lots         []Lot
	// Who says who wrote something, in the words its reader may see.
	Who    func(actor string) string
	Now    time.Time
	Ledger *Head
}

// Measured is what one probe says about a stretch of time.
type Measured struct {
	Quantity       string // its words
	Unit           string
	Sensor         string
	From, To       time.Time
	N, Faults      int // readings that are values, and readings without
	Min, Mean, Max float64
	Decimals       int
	Unsigned       bool // its device cannot sign
}

// Calibration is one calibration of a probe.
type Calibration struct {
	Sensor, Quantity string
	At               time.Time // zero: of a time nobody knows
	Who              string
	Verdict          string // in words
	Due              time.Time
}

// Finding is what a gate found, in words.
type Finding struct {
	Text   string
	Level  string // in words
	Entry  string // id of the entry that causes it; "": none
	Clears time.Time
}

// Lot is what became of a harvest.
type Lot struct {
	Code, State string
	KG          float64
	Harvested   time.Time
	Reason      string // of one that is or was held
	Released    string // when, by whom, why; "": it was not
}

// Head is the newest signed head of the ledger.
type Head struct {
	Log  string
	Size int64
	Root string    // base64
	At   time.Time // zero: not said
	URL  string    // a page where it is checked
}

// Words are one language, as pages have it.
type Words interface {
	Lang() string
	// T returns the text of a key, its %s filled in.
	T(key string, args ...string) string
	// Number writes a number with no more decimals than it has.
	Number(n float64) string
	Unit(f form.Field) string
}
