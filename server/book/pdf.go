package book

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-pdf/fpdf"
	"github.com/skip2/go-qrcode"
	"golang.org/x/text/unicode/norm"

	"aovuon/server/typeface"
)

// The sheet: A4 across, millimetres and points.
const (
	sheetW, sheetH       = 297.0, 210.0
	side                 = 12.0
	bodyTop, bodyBottom  = 22.0, 196.0
	bodyW                = sheetW - 2*side
	cellSize, smallSize  = 8.0, 6.5
	lineH, padX, padY    = 3.5, 1.1, 0.7
	qrSide               = 30.0
	fontName             = "lib"
	strikeAt, strikeThin = 0.9, 0.18 // above the baseline; thickness
)

// paper writes one book.
type paper struct {
	f *fpdf.Fpdf
	b Book
	y float64 // where the next thing stands
}

// WritePDF writes a book as PDF, A4 across. The bytes are the same for the same book.
func WritePDF(out io.Writer, b Book) error {
	f := fpdf.New("L", "mm", "A4", "")
	f.SetCreationDate(b.At)
	f.SetModificationDate(b.At)
	f.SetCatalogSort(true)
	f.SetProducer("AoVuon", true)
	f.SetTitle(plain(b.Title+" – "+b.Cycle), true)
	f.SetAuthor(plain(b.Coop), true)
	f.SetLang(b.Lang)
	f.AddUTF8FontFromBytes(fontName, "", typeface.Regular())
	f.AddUTF8FontFromBytes(fontName, "B", typeface.Bold())
	f.SetMargins(side, bodyTop, side)
	f.SetAutoPageBreak(false, 0)
	f.AliasNbPages("{nb}")
	p := &paper{f: f, b: b}
	f.SetHeaderFunc(p.header)
	f.SetFooterFunc(p.footer)
	p.page()
	p.title()
	for _, c := range b.Chapters {
		p.chapter(c)
	}
	p.sign()
	if err := f.Output(out); err != nil {
		return fmt.Errorf("book: pdf: %w", err)
	}
	return nil
}

func (p *paper) page() { p.f.AddPage(); p.y = bodyTop }

// room starts a page where there is not so much left of this one.
func (p *paper) room(h float64) {
	if p.y+h > bodyBottom {
		p.page()
	}
}

func (p *paper) font(style string, size float64) { p.f.SetFont(fontName, style, size) }

// text writes one line, its baseline at y.
func (p *paper) text(x, y float64, s string) { p.f.Text(x, y, plain(s)) }

// right writes one line that ends at x.
func (p *paper) right(x, y float64, s string) { p.text(x-p.f.GetStringWidth(plain(s)), y, s) }

func (p *paper) header() {
	p.font("B", 9)
	p.text(side, 10, p.b.Coop)
	p.right(sheetW-side, 10, p.b.Title)
	p.font("", 8)
	p.text(side, 14.5, p.b.Place+" ("+p.b.Code+") · "+p.b.Cycle)
	p.right(sheetW-side, 14.5, p.b.Period)
	if p.b.Demo != "" {
		p.f.SetTextColor(160, 0, 0)
		p.font("B", 7)
		p.text(side, 18, p.b.Demo)
		p.f.SetTextColor(0, 0, 0)
	}
	p.f.SetLineWidth(0.3)
	p.f.Line(side, 19, sheetW-side, 19)
}

func (p *paper) footer() {
	p.f.SetLineWidth(0.2)
	p.f.Line(side, 199, sheetW-side, 199)
	p.font("", 7)
	p.text(side, 203, p.b.Printed)
	p.right(sheetW-side, 203, fill(p.b.Page, fmt.Sprint(p.f.PageNo()), "{nb}"))
	if p.b.Ledger != nil {
		p.font("", 6)
		p.text(side, 206.5, p.b.Ledger.Short)
	}
}

// title is the head of the first page, with the ledger's head and its code.
func (p *paper) title() {
	p.font("B", 17)
	p.y += 4
	for _, l := range p.wrap(p.b.Title, bodyW) {
		p.text(side, p.y+2, l)
		p.y += 8
	}
	p.font("", 10)
	if p.b.Norm != "" {
		p.text(side, p.y, p.b.Norm)
		p.y += 5
	}
	l := p.b.Ledger
	if l == nil {
		return
	}
	top, w := p.y, bodyW
	p.y += 4
	if l.URL != "" && p.qr(l.URL, sheetW-side-qrSide-2, top+2) {
		w -= qrSide + 6
	}
	p.font("B", 9)
	p.text(side+3, p.y+1, l.Title)
	p.y += 5
	for _, x := range l.Lines {
		p.fact(side+3, w-6, 45, x)
	}
	p.font("", 7.5)
	p.y += 1.5
	for _, s := range p.wrap(l.Hint, w-6) {
		p.text(side+3, p.y+2, s)
		p.y += 3.4
	}
	p.y = max(p.y, top+qrSide+2) + 2
	p.f.SetLineWidth(0.2)
	p.f.Rect(side, top, bodyW, p.y-top, "D")
	p.y += 4
}

// qr draws the code of an address; false where it cannot be one.
func (p *paper) qr(url string, x, y float64) bool {
	code, err := qrcode.New(url, qrcode.Medium)
	if err != nil {
		return false
	}
	code.DisableBorder = true
	bits := code.Bitmap()
	side := qrSide / float64(len(bits))
	p.f.SetFillColor(0, 0, 0)
	for row, line := range bits {
		for from := 0; from < len(line); from++ {
			to := from
			for to < len(line) && line[to] {
				to++
			}
			if to > from {
				p.f.Rect(x+float64(from)*side, y+float64(row)*side, float64(to-from)*side, side, "F")
				from = to
			}
		}
	}
	return true
}

// fact writes a label and what stands behind it.
func (p *paper) fact(x, w, label float64, f Fact) {
	p.font("", 8.5)
	lines := p.wrap(f.Value, w-label)
	p.room(4.2 * float64(min(len(lines), 10)))
	p.font("B", 8.5)
	names := p.wrap(f.Label, label-2)
	for i := range max(len(lines), len(names)) {
		p.room(4.2)
		if i < len(names) {
			p.font("B", 8.5)
			p.text(x, p.y+3, names[i])
		}
		if i < len(lines) {
			p.font("", 8.5)
			p.text(x+label, p.y+3, lines[i])
		}
		p.y += 4.2
	}
}

func (p *paper) chapter(c Chapter) {
	p.room(26)
	p.y += 3
	p.f.SetFillColor(225, 235, 228)
	p.f.Rect(side, p.y, bodyW, 6.5, "F")
	p.font("B", 11)
	p.text(side+2, p.y+4.7, c.Title)
	p.f.Bookmark(plain(c.Title), 0, p.y)
	p.y += 8.5
	for _, f := range c.Facts {
		p.fact(side+2, bodyW-4, 55, f)
	}
	for _, t := range c.Tables {
		p.table(t)
	}
	for _, n := range c.Notes {
		p.note(n)
	}
	if c.Empty != "" {
		p.note(c.Empty)
	}
}

func (p *paper) note(s string) {
	p.font("", 8.5)
	for _, l := range p.wrap(s, bodyW-4) {
		p.room(4.2)
		p.font("", 8.5)
		p.text(side+2, p.y+3, l)
		p.y += 4.2
	}
}

// sign draws the lines to sign on, on one page.
func (p *paper) sign() {
	p.room(46)
	p.y += 8
	w := bodyW / float64(max(1, len(p.b.Sign)))
	for i, s := range p.b.Sign {
		x := side + float64(i)*w
		p.font("B", 9)
		p.text(x+2, p.y, s)
		p.font("", 7.5)
		p.text(x+2, p.y+4, p.b.SignHint)
		p.f.SetLineWidth(0.2)
		p.f.Line(x+2, p.y+30, x+w-8, p.y+30)
	}
	p.y += 34
}

// fill fills the %s of a text.
func fill(s string, args ...string) string {
	for _, a := range args {
		s = strings.Replace(s, "%s", a, 1)
	}
	return s
}

// plain makes a text one the font can write: letters put together as most phones send them, and what is in no font of a book by its number.
func plain(s string) string {
	s = norm.NFC.String(s)
	if !strings.ContainsFunc(s, foreign) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if foreign(r) {
			fmt.Fprintf(&b, "[U+%04X]", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// foreign reports whether a letter is none of Latin, Greek, Cyrillic, punctuation, signs of units, arrows or mathematics.
func foreign(r rune) bool {
	return r >= 0x0590 && r < 0x1E00 || r > 0x22FF && r != 0x25CF && r != 0xFB01 && r != 0xFB02
}
