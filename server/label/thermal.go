package label

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// Language is what a label printer understands.
type Language string

// The languages of label printers.
const (
	ZPL    Language = "zpl"    // Zebra and many others
	TSPL   Language = "tspl"   // TSC, Xprinter, Godex, and others
	ESCPOS Language = "escpos" // receipt printers
)

// Languages lists the languages.
func Languages() []Language { return []Language{ZPL, TSPL, ESCPOS} }

// Bounds of a thermal print.
const (
	maxCopies = 1000
	maxGap    = 20.0 // mm
	maxRoll   = 110.0
	bandRows  = 255 // rows of one ESC/POS picture: small printers hold no more
)

// Thermal is how a label printer is driven.
type Thermal struct {
	Language Language
	Gap      float64 // mm between labels on the roll; 0: the roll has none
	Copies   int
}

// Encode writes a label as the bytes a printer is sent.
func (t Thermal) Encode(b *Bitmap) ([]byte, error) {
	if t.Copies < 1 || t.Copies > maxCopies {
		return nil, refuse(BadPrinter, fmt.Sprintf("%d copies: want 1 to %d", t.Copies, maxCopies), t.Copies)
	}
	if !(t.Gap >= 0 && t.Gap <= maxGap) {
		return nil, refuse(BadPrinter, fmt.Sprintf("gap of %v mm: want 0 to %v", t.Gap, maxGap), t.Gap)
	}
	if b.Size.W > maxRoll {
		return nil, refuse(BadRoll, fmt.Sprintf("%s mm is wider than a roll: want at most %v mm", b.Size, maxRoll), maxRoll)
	}
	switch t.Language {
	case ZPL:
		return t.zpl(b), nil
	case TSPL:
		return t.tspl(b), nil
	case ESCPOS:
		return t.escpos(b), nil
	}
	return nil, refuse(BadPrinter, fmt.Sprintf("printer language %q: want zpl, tspl or escpos", t.Language), string(t.Language))
}

// zpl sends the dots as one graphic field in hexadecimal; 1 is black.
func (t Thermal) zpl(b *Bitmap) []byte {
	tracking := "^MNY"
	if t.Gap == 0 {
		tracking = "^MNN"
	}
	return fmt.Appendf(nil, "^XA%s^PW%d^LL%d^LH0,0^FO0,0^GFA,%d,%d,%d,%s^FS^PQ%d^XZ\n",
		tracking, b.Width, b.Height, len(b.Bits), len(b.Bits), b.Stride(), strings.ToUpper(hex.EncodeToString(b.Bits)), t.Copies)
}

// tspl sends the dots as they are; here 0 is black, so the bits behind a row's end are 1.
func (t Thermal) tspl(b *Bitmap) []byte {
	out := fmt.Appendf(nil, "SIZE %s mm,%s mm\r\nGAP %s mm,0 mm\r\nDIRECTION 1\r\nREFERENCE 0,0\r\nCLS\r\nBITMAP 0,0,%d,%d,0,",
		num(b.Size.W), num(b.Size.H), num(t.Gap), b.Stride(), b.Height)
	for _, x := range b.Bits {
		out = append(out, ^x)
	}
	return fmt.Appendf(out, "\r\nPRINT 1,%d\r\n", t.Copies)
}

// escpos sends the dots in bands, and then moves on: to the next label where there is a gap (GS FF), by three lines where
// there is none.
func (t Thermal) escpos(b *Bitmap) []byte {
	var one bytes.Buffer
	for y := 0; y < b.Height; y += bandRows {
		rows, s := min(bandRows, b.Height-y), b.Stride()
		one.Write([]byte{0x1d, 'v', '0', 0, byte(s), byte(s >> 8), byte(rows), byte(rows >> 8)}) // GS v 0, normal size
		one.Write(b.Bits[y*s : (y+rows)*s])
	}
	if t.Gap > 0 {
		one.Write([]byte{0x1d, 0x0c})
	} else {
		one.Write([]byte{0x1b, 'd', 3})
	}
	return append([]byte{0x1b, '@'}, bytes.Repeat(one.Bytes(), t.Copies)...)
}
