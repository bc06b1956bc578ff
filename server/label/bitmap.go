package label

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
)

// Bitmap is a label as dots. It is what every printer language gets: printers' own fonts lack Vietnamese letters, and
// their own codes other levels and quiet zones.
type Bitmap struct {
	Size          Size // mm
	DPI           int
	Width, Height int    // dots
	Bits          []byte // rows of Stride bytes, the leftmost dot highest; 1 is black
}

// Stride returns the bytes of a row.
func (b *Bitmap) Stride() int { return (b.Width + 7) / 8 }

// Dark reports whether a dot is black.
func (b *Bitmap) Dark(x, y int) bool { return b.Bits[y*b.Stride()+x/8]&(0x80>>(x%8)) != 0 }

func (b *Bitmap) set(x, y int) {
	if x >= 0 && y >= 0 && x < b.Width && y < b.Height {
		b.Bits[y*b.Stride()+x/8] |= 0x80 >> (x % 8)
	}
}

// Raster lays a label out for a printer and turns it into dots.
func (p *Press) Raster(c Content, size Size, dpi int) (*Bitmap, error) {
	l, err := p.Lay(c, size, dpi)
	if err != nil {
		return nil, err
	}
	return p.Dots(l, dpi)
}

// Dots turns a layout into dots. Modules are whole dots.
func (p *Press) Dots(l Layout, dpi int) (*Bitmap, error) {
	perMM, err := dotsPerMM(dpi)
	if err != nil {
		return nil, err
	}
	b := &Bitmap{Size: l.Size, DPI: dpi, Width: int(l.Size.W*perMM + 1e-9), Height: int(l.Size.H*perMM + 1e-9)}
	b.Bits = make([]byte, b.Stride()*b.Height)
	dots := int(math.Round(l.Module * perMM))
	side := dots * l.Code.Size()
	x0, y0 := min(int(math.Round(l.X*perMM)), b.Width-side), min(int(math.Round(l.Y*perMM)), b.Height-side)
	if dots < 1 || x0 < 0 || y0 < 0 {
		return nil, fmt.Errorf("label: the code does not fit %s mm at %d dpi", l.Size, dpi)
	}
	for y := range side {
		for x := range side {
			if l.Code.modules[y/dots][x/dots] {
				b.set(x0+x, y0+y)
			}
		}
	}
	for _, t := range l.Texts {
		if err := p.write(b, t, perMM); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// write sets a text, glyph by glyph; a dot is black where more than half of it is covered.
func (p *Press) write(b *Bitmap, t Text, perMM float64) error {
	face := p.face(t.Bold)
	raster, err := face.Raster(fixed.Int26_6(math.Round(t.Em * perMM * 64)))
	if err != nil {
		return err
	}
	grey := image.NewAlpha(image.Rect(0, 0, b.Width, b.Height))
	d := font.Drawer{Dst: grey, Src: image.Opaque, Face: raster}
	x, y := t.X*perMM, math.Round(t.Y*perMM)
	for _, r := range t.Text {
		d.Dot = fixed.Point26_6{X: fixed.Int26_6(math.Round(x * 64)), Y: fixed.I(int(y))}
		d.DrawString(string(r))
		x += face.Width(string(r)) * t.Em * perMM
	}
	top, bottom := max(0, int(y-2*t.Em*perMM)), min(b.Height, int(y+t.Em*perMM))
	for y := top; y < bottom; y++ {
		for x := range b.Width {
			if grey.AlphaAt(x, y).A > 127 {
				b.set(x, y)
			}
		}
	}
	return nil
}

// PNG returns the dots as a picture, with white of so many dots around them: what comes out of the printer.
func (b *Bitmap) PNG(around int) ([]byte, error) {
	img := image.NewPaletted(image.Rect(0, 0, b.Width+2*around, b.Height+2*around), color.Palette{color.White, color.Black})
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for y := range b.Height {
		for x := range b.Width {
			if b.Dark(x, y) {
				img.SetColorIndex(x+around, y+around, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, img); err != nil {
		return nil, fmt.Errorf("label: %w", err)
	}
	return out.Bytes(), nil
}
