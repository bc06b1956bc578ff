package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// readXLSX reads the first sheet of a workbook. It reads row by row and builds no grid: a cell in the last corner of a sheet costs as much
// as one in the first, and what a file unpacks into is bounded before it is unpacked.
func readXLSX(raw []byte) ([]gridRow, error) {
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, &FileError{Code: BadXLSX}
	}
	b := book{parts: map[string]*zip.File{}}
	var size uint64
	for _, f := range z.File {
		size += min(f.UncompressedSize64, mostUnzip+1)
		b.parts[strings.TrimPrefix(f.Name, "/")] = f
	}
	if size > mostUnzip || len(z.File) > mostParts {
		return nil, &FileError{Code: TooBig, Bound: MostBytes}
	}
	if b.parts["xl/workbook.xml"] == nil {
		return nil, &FileError{Code: OtherZip}
	}
	grid, err := b.read()
	if _, ours := errors.AsType[*FileError](err); err != nil && !ours {
		return nil, fmt.Errorf("%w (%w)", &FileError{Code: BadXLSX}, err)
	}
	return grid, err
}

// book is an XLSX file that is being read.
type book struct {
	parts    map[string]*zip.File
	shared   []string
	from1904 bool // days are counted from 1904, as Macs did
}

func (b *book) read() ([]gridRow, error) {
	var wb struct {
		Pr struct {
			Date1904 string `xml:"date1904,attr"`
		} `xml:"workbookPr"`
		Sheets []struct {
			ID string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
			// ISO/IEC 29500 Strict, which Excel can save as well.
			Strict string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := b.decode("xl/workbook.xml", &wb); err != nil {
		return nil, err
	}
	b.from1904 = wb.Pr.Date1904 == "1" || wb.Pr.Date1904 == "true"
	var rels struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := b.decode("xl/_rels/workbook.xml.rels", &rels); err != nil {
		return nil, err
	}
	if len(wb.Sheets) == 0 {
		return nil, errors.New("no sheets")
	}
	if b.parts["xl/sharedStrings.xml"] != nil {
		if err := b.strings(); err != nil {
			return nil, err
		}
	}
	for _, r := range rels.All {
		if r.ID == wb.Sheets[0].ID+wb.Sheets[0].Strict {
			if whole, ok := strings.CutPrefix(r.Target, "/"); ok {
				return b.sheet(whole)
			}
			return b.sheet(path.Join("xl", r.Target))
		}
	}
	return nil, errors.New("the first sheet is not in the file")
}

func (b *book) open(name string) (io.ReadCloser, error) {
	f := b.parts[name]
	if f == nil {
		return nil, fmt.Errorf("no %s", name)
	}
	return f.Open()
}

func (b *book) decode(name string, into any) (err error) {
	r, err := b.open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return decoder(r).Decode(into)
}

// strings reads the texts that cells name by number, one by one: as a list of structs they would take ten times their size.
func (b *book) strings() (err error) {
	r, err := b.open("xl/sharedStrings.xml")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	d := decoder(r)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if x, ok := token.(xml.StartElement); ok && x.Name.Local == "si" {
			var text richText
			if err := d.DecodeElement(&text, &x); err != nil {
				return err
			}
			b.shared = append(b.shared, text.String())
		}
	}
}

// decoder reads XML within the limits of a part.
func decoder(r io.Reader) *xml.Decoder {
	return xml.NewDecoder(&markReader{r: io.LimitReader(r, mostUnzip)})
}

// markReader ends at more than mostMarks tags and attributes. Each is a few bytes that pack into nearly nothing and a hundred in memory: the
// size of a part alone bounds nothing.
type markReader struct {
	r io.Reader
	n int
}

func (m *markReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if m.n += bytes.Count(p[:n], []byte("<")) + bytes.Count(p[:n], []byte("=")); m.n > mostMarks {
		return 0, &FileError{Code: TooBig, Bound: MostBytes}
	}
	return n, err
}

// richText is a text of runs; how it is to be pronounced is no part of it.
type richText struct {
	T    []string `xml:"t"`
	Runs []struct {
		T []string `xml:"t"`
	} `xml:"r"`
}

func (t richText) String() string {
	all := t.T
	for _, r := range t.Runs {
		all = append(all, r.T...)
	}
	return unescape(strings.Join(all, ""))
}

// unescape undoes how workbooks write what XML cannot hold: _x000D_.
func unescape(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	return regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`).ReplaceAllStringFunc(s, func(m string) string {
		n, err := strconv.ParseUint(m[2:6], 16, 16)
		if err != nil {
			return m
		}
		return string(rune(n))
	})
}

// escape writes a text that looks like such a mark so that it is read as it stands.
func escape(s string) string {
	return regexp.MustCompile(`_(x[0-9A-Fa-f]{4}_)`).ReplaceAllString(s, "_x005F_$1")
}

type xmlCell struct {
	Ref     string    `xml:"r,attr"`
	Type    string    `xml:"t,attr"`
	V       string    `xml:"v"`
	Formula *struct{} `xml:"f"`
	Inline  richText  `xml:"is"`
}

// sheet reads the rows of a sheet that have something in them.
func (b *book) sheet(name string) (out []gridRow, err error) {
	r, err := b.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	d := decoder(r)
	row := gridRow{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch x := token.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "row":
				row = gridRow{line: row.line + 1}
				for _, a := range x.Attr {
					if n, err := strconv.Atoi(a.Value); a.Name.Local == "r" && err == nil && n > 0 {
						row.line = n
					}
				}
			case "c":
				var c xmlCell
				if err := d.DecodeElement(&c, &x); err != nil {
					return nil, err
				}
				if err := b.put(&row, c); err != nil {
					return nil, err
				}
			}
		case xml.EndElement:
			switch x.Name.Local {
			case "row":
				if out, err = add(out, row); err != nil {
					return nil, err
				}
			case "sheetData":
				return out, nil
			}
		}
	}
}

// put places a cell in its row. Empty cells far out are only formatted ones, and are not kept.
func (b *book) put(row *gridRow, x xmlCell) error {
	c := b.cell(x)
	if c.empty() {
		if x.Ref == "" {
			row.cells = append(row.cells, cell{})
		}
		return nil
	}
	at := len(row.cells)
	if x.Ref != "" {
		at = column(x.Ref)
	}
	if at < 0 || at >= MostColumns || len(row.cells) > MostColumns {
		return &FileError{Code: TooWide, Line: row.line, Bound: MostColumns}
	}
	for len(row.cells) <= at {
		row.cells = append(row.cells, cell{})
	}
	row.cells[at] = c
	return nil
}

// column is the number of the column of a reference such as AB12, from 0; negative where there is none.
func column(ref string) int {
	n := 0
	for _, r := range ref {
		if r < 'A' || r > 'Z' {
			break
		}
		if n = n*26 + int(r-'A') + 1; n > 1<<16 {
			return -1
		}
	}
	return n - 1
}

func (b *book) cell(x xmlCell) cell {
	c := cell{text: x.V, unsaved: x.Formula != nil && x.V == "" && x.Type != "str"}
	switch x.Type {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(x.V))
		if err != nil || i < 0 || i >= len(b.shared) {
			return cell{text: "#" + x.V, failed: true}
		}
		c.text = b.shared[i]
	case "inlineStr":
		c.text = x.Inline.String()
	case "str":
		c.text = unescape(x.V)
	case "e":
		c.failed = true
	case "b", "d":
		if day, _, ok := strings.Cut(x.V, "T"); x.Type == "d" && ok {
			c.text = day
		}
	default:
		c.number, c.from1904 = x.V != "", b.from1904
	}
	return c
}
