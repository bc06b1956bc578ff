package chart

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"aovuon/server/typeface"
)

// Picture is a chart with what must stand beside it when it is sent away from its page.
type Picture struct {
	Chart
	Heading string
	Lines   []string // below the heading: where, when, what it says
	Foot    string   // whose it is, and when it was drawn
}

// The picture's units are those of the drawing; a unit is scale pixels.
const (
	scale             = 3
	margin            = 10.0
	headSize, rowSize = 16.0, 12.0
	headRow, row      = 22.0, 17.0
)

// PNG writes the picture: 1080 pixels wide, on white. A character that the typeface lacks is drawn as its empty box.
func (p Picture) PNG(w io.Writer) error {
	b, err := newBrush()
	if err != nil {
		return err
	}
	heading := b.wrap(p.Heading, headSize, true)
	var lines []string
	for _, l := range p.Lines {
		lines = append(lines, b.wrap(l, rowSize, false)...)
	}
	foot := b.wrap(p.Foot, rowSize, false)
	d := newDrawing(p.Chart, b)
	above := margin + headRow*float64(len(heading)) + row*float64(len(lines)) + margin/2
	b.paper(above + d.total() + margin + row*float64(len(foot)) + margin/2)
	y := margin
	for _, l := range heading {
		b.words(l, margin, y+headSize, headSize, "heading")
		y += headRow
	}
	for _, l := range lines {
		b.words(l, margin, y+rowSize, rowSize, "words")
		y += row
	}
	b.down = above
	d.draw()
	b.down = 0
	y = above + d.total() + margin
	for _, l := range foot {
		b.words(l, margin, y+rowSize, rowSize, "ax")
		y += row
	}
	if b.err != nil {
		return fmt.Errorf("chart: picture: %w", b.err)
	}
	enc := png.Encoder{CompressionLevel: png.BestSpeed} // a third less time; the picture goes over a telephone once
	if err := enc.Encode(w, b.sheet); err != nil {
		return fmt.Errorf("chart: picture: %w", err)
	}
	return nil
}

// paper lays out an empty sheet.
func (b *brush) paper(height float64) {
	b.sheet = image.NewNRGBA(image.Rect(0, 0, int(width*scale), int(height*scale+0.5)))
	draw.Draw(b.sheet, b.sheet.Bounds(), image.White, image.Point{}, draw.Src)
}

// face returns a face of the typeface at a size in units.
func (b *brush) face(bold bool) *typeface.Face {
	if bold {
		return b.bold
	}
	return b.plain
}

// wrap breaks a text into lines that fit the picture.
func (b *brush) wrap(text string, size float64, bold bool) (lines []string) {
	f := b.face(bold)
	plain, _ := f.Plain(text)
	line := ""
	for word := range strings.FieldsSeq(plain) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && f.Width(longer)*size > width-2*margin {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// words draws a line of text with its baseline at y.
func (b *brush) words(s string, x, y, size float64, class string) {
	style := b.look(class)
	b.glyphs(s, x, y, size, style.bold, style.fill)
}

func (b *brush) glyphs(s string, x, y, size float64, bold bool, c color.Color) {
	face, err := b.face(bold).Raster(fixed.Int26_6(size * scale * 64))
	if err != nil {
		b.err = err
		return
	}
	d := font.Drawer{Dst: b.sheet, Src: image.NewUniform(c), Face: face, Dot: fixed.Point26_6{X: fixed.Int26_6(x * scale * 64), Y: fixed.Int26_6((y + b.down) * scale * 64)}}
	d.DrawString(s)
}
