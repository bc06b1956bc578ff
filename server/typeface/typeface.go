// Package typeface holds the one typeface that is embedded in what AoVườn prints, and measures with it. Text comes in;
// widths, glyphs and the font files go out, so that a label is laid out alike for paper and for the dots of a printer.
//
// It is Liberation Sans (SIL Open Font License 1.1): it has every Vietnamese letter, and the widths of Arial.
package typeface

import (
	"fmt"
	"strings"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/norm"
)

// Name is what the typeface is called where it is found on a machine, best first.
const Name = "Liberation Sans, Arial, Helvetica, sans-serif"

// Regular returns the font file of the upright face.
func Regular() []byte { return liberationsansregular.TTF }

// Bold returns the font file of the bold face.
func Bold() []byte { return liberationsansbold.TTF }

// Face is one weight. It remembers widths, so it is for one goroutine at a time.
type Face struct {
	font   *sfnt.Font
	buf    sfnt.Buffer
	widths map[rune]float64
	drawn  map[int]font.Face
}

// New reads a font file.
func New(ttf []byte) (*Face, error) {
	f, err := opentype.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("typeface: %w", err)
	}
	return &Face{font: f, widths: map[rune]float64{}, drawn: map[int]font.Face{}}, nil
}

// Plain brings text into the form the fonts know (composed letters, single blanks) and returns the first character that
// they lack, or 0. Vietnamese written by some phones and Macs comes decomposed: ê and its tone apart.
func (f *Face) Plain(text string) (plain string, lacks rune) {
	plain = strings.Join(strings.Fields(norm.NFC.String(text)), " ")
	for _, r := range plain {
		if i, err := f.font.GlyphIndex(&f.buf, r); err != nil || i == 0 {
			return plain, r
		}
	}
	return plain, 0
}

// Width returns the width of a text as a multiple of the em. Pairs are not kerned: neither PDF nor bitmaps do it.
func (f *Face) Width(text string) float64 {
	sum := 0.0
	for _, r := range text {
		w, ok := f.widths[r]
		if !ok {
			w = f.advance(r)
			f.widths[r] = w
		}
		sum += w
	}
	return sum
}

func (f *Face) advance(r rune) float64 {
	const em = 1 << 11 // the font's own units
	i, err := f.font.GlyphIndex(&f.buf, r)
	if err != nil {
		return 1
	}
	a, err := f.font.GlyphAdvance(&f.buf, i, fixed.I(em), font.HintingNone)
	if err != nil {
		return 1
	}
	return float64(a) / 64 / em
}

// Raster returns the face at a size in 64ths of a pixel, for drawing glyph by glyph.
func (f *Face) Raster(em fixed.Int26_6) (font.Face, error) {
	if d, ok := f.drawn[int(em)]; ok {
		return d, nil
	}
	d, err := opentype.NewFace(f.font, &opentype.FaceOptions{Size: float64(em) / 64, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("typeface: %w", err)
	}
	f.drawn[int(em)] = d
	return d, nil
}
