// Package boards reads what the boxes of the field are made of, and draws how they are wired.
//
// A folder with bom.csv (what is bought) and pins.csv (what is connected) comes in; a Board goes out, what is wrong with it (Check), and
// a drawing of it (Draw). README.md says what stands in the files. Files holds them, with the guides and drawings: the server shows them under its help.
package boards

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Files are the boxes' folders and the sample of a gateway's configuration.
//
//go:embed gateway.yaml */guide.*.md */wiring.svg */bom.csv */pins.csv
var Files embed.FS

// GuideFile is the file of a box's guide in a language, vi or en.
func GuideFile(name, lang string) string { return path.Join(name, "guide."+lang+".md") }

// DrawingFile is the file of a box's drawing.
func DrawingFile(name string) string { return path.Join(name, "wiring.svg") }

// Kinds of parts.
const (
	Module     = "module"     // a circuit board, a computer: each pin takes one wire
	Terminal   = "terminal"   // a terminal block: each pin takes up to four wires, and joins them
	Probe      = "probe"      // what hangs in the water or in the soil, on its own cable
	Mains      = "mains"      // carries 230 V: an electrician's
	Consumable = "consumable" // not wired
)

// Part is one line of bom.csv.
type Part struct {
	Ref      string // as pins.csv names it; of consumables, too
	VI, EN   string // what it is
	Quantity int
	Kind     string
	Class    string    // where it is bought, one of Classes
	Price    int       // of all of them, VND, an estimate
	Priced   time.Time // day of the estimate
	Address  string    // how the gateway finds it: "i2c 0x61", "1-wire", "rs485 5", "gpio 17"; empty: it does not
	Column   int       // of the drawing, from 1; 0: not drawn
}

// Wire is one line of pins.csv: one conductor.
type Wire struct {
	From, FromPin string
	To, ToPin     string
	Colour        string
	Area          string // mm²
	Note          string // "vi · en"
}

// NoteIn is the note in a language, vi or en; one without halves is the same in both.
func (w Wire) NoteIn(lang string) string {
	vi, en, both := strings.Cut(w.Note, " · ")
	if both && lang == "en" {
		return en
	}
	return vi
}

// Board is one box.
type Board struct {
	Name  string
	Parts []Part
	Wires []Wire
}

// Classes are where parts are bought.
func Classes() []string {
	return []string{
		"electronics", // a shop for electronics in Viet Nam, or its page
		"electrical",  // a shop for electrical supplies
		"hardware",    // a shop for tools, pipes, boxes
		"maker",       // the maker or its importer: weeks
		"laboratory",  // buffers and other chemicals
	}
}

// Load reads the board of a folder.
func Load(files fs.FS, name string) (Board, error) {
	b := Board{Name: name}
	rows, err := table(files, path.Join(name, "bom.csv"), []string{"ref", "vi", "en", "quantity", "kind", "class", "price_estimate_vnd", "estimated_on", "address", "column"})
	if err != nil {
		return b, err
	}
	for i, r := range rows {
		p := Part{Ref: r[0], VI: r[1], EN: r[2], Kind: r[4], Class: r[5], Address: r[8]}
		var errs [4]error
		p.Quantity, errs[0] = strconv.Atoi(r[3])
		p.Price, errs[1] = strconv.Atoi(r[6])
		p.Priced, errs[2] = time.Parse(time.DateOnly, r[7])
		p.Column, errs[3] = strconv.Atoi(r[9])
		if err := errors.Join(errs[:]...); err != nil {
			return b, fmt.Errorf("boards: %s/bom.csv line %d: %w", name, i+2, err)
		}
		b.Parts = append(b.Parts, p)
	}
	rows, err = table(files, path.Join(name, "pins.csv"), []string{"from", "from_pin", "to", "to_pin", "colour", "mm2", "note"})
	if err != nil {
		return b, err
	}
	for _, r := range rows {
		b.Wires = append(b.Wires, Wire{r[0], r[1], r[2], r[3], r[4], r[5], r[6]})
	}
	return b, nil
}

// table reads a CSV file with exactly these columns; lines of # are comments.
func table(files fs.FS, name string, columns []string) (rows [][]string, err error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("boards: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := csv.NewReader(f)
	r.Comment, r.FieldsPerRecord = '#', len(columns)
	rows, err = r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("boards: %s: %w", name, err)
	}
	if len(rows) < 2 || !slices.Equal(rows[0], columns) {
		return nil, fmt.Errorf("boards: %s: the first line must be %s, and lines must follow", name, strings.Join(columns, ","))
	}
	return rows[1:], nil
}

// NameIn is what the part is in a language, vi or en.
func (p Part) NameIn(lang string) string {
	if lang == "en" {
		return p.EN
	}
	return p.VI
}

// Part returns the part of that name; ok is false where there is none.
func (b Board) Part(ref string) (p Part, ok bool) {
	i := slices.IndexFunc(b.Parts, func(p Part) bool { return p.Ref == ref })
	if i < 0 {
		return Part{}, false
	}
	return b.Parts[i], true
}

// Price is what the whole board costs, VND, an estimate.
func (b Board) Price() (sum int) {
	for _, p := range b.Parts {
		sum += p.Price
	}
	return sum
}
