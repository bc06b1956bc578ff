// Package label makes what is printed: QR codes, labels and boards. An address and words come in; a code as PNG, SVG or
// lines for a terminal, sheets of labels and boards as PDF, previews, and the bytes that label printers take go out.
//
// The code of New is of level M (15 % may be lost; see NewPrinted for paper), with the quiet zone of 4 modules that ISO/IEC 18004 and GS1 ask for. The URL
// keeps its case: QR codes with upper-case schemes are shorter, but several phones open them as text.
package label

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"github.com/skip2/go-qrcode"
)

// maxURL bounds a URL: a label of 20 mm holds no more.
const maxURL = 200

// Code is a QR code.
type Code struct {
	url     string
	modules [][]bool // true is dark; with quiet zone
	level   byte     // of error correction: 'M', 'Q' or 'H'
}

// New makes the code of an absolute http or https URL.
func New(url string) (*Code, error) {
	if err := checkURL(url); err != nil {
		return nil, err
	}
	return NewText(url)
}

func checkURL(url string) error {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return fmt.Errorf("label: %.60q is no web address: want https:// or http:// in small letters", url)
	}
	if len(url) > maxURL {
		return fmt.Errorf("label: address of %d characters: want at most %d", len(url), maxURL)
	}
	return nil
}

// maxText bounds a text that is shown on a screen, where modules may be many.
const maxText = 600

// NewText makes the code of any short text, such as the secret a phone's app takes.
func NewText(text string) (*Code, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("label: text of %d bytes: want at most %d", len(text), maxText)
	}
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("label: %w", err)
	}
	return &Code{url: text, modules: q.Bitmap(), level: 'M'}, nil
}

// URL returns what the code says.
func (c *Code) URL() string { return c.url }

// Size returns the number of modules of a side, with the quiet zone.
func (c *Code) Size() int { return len(c.modules) }

// PNG returns the code as a black and white PNG, a module being scale pixels wide: 8 for screens; for printers as many
// dots as make 0.396 mm or more (GS1's least module at the point of sale): 4 at 203 dpi, 5 at 300 dpi.
func (c *Code) PNG(scale int) ([]byte, error) {
	if scale < 1 || scale > 64 {
		return nil, errors.New("label: want 1 to 64 pixels a module")
	}
	side := c.Size() * scale
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x, row := 0, c.modules[y/scale]; x < side; x++ {
			if row[x/scale] {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("label: %w", err)
	}
	return b.Bytes(), nil
}

// SVG returns the code as an SVG of one path, a module being one unit: crisp at every size, also in print. title is what
// screen readers say.
func (c *Code) SVG(title string) []byte {
	var b bytes.Buffer
	n := strconv.Itoa(c.Size())
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + n + ` ` + n + `" role="img" shape-rendering="crispEdges"><title>`)
	b.WriteString(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(title))
	b.WriteString(`</title><path fill="#fff" d="M0 0h` + n + `v` + n + `H0z"/><path fill="#000" d="`)
	b.WriteString(c.path())
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}

// path draws the dark modules, a run of them at a time, as the d of an SVG path.
func (c *Code) path() string {
	var b strings.Builder
	for y, row := range c.modules {
		for x := 0; x < len(row); {
			run := 0
			for x+run < len(row) && row[x+run] {
				run++
			}
			if run == 0 {
				x++
				continue
			}
			r := strconv.Itoa(run)
			b.WriteString("M" + strconv.Itoa(x) + " " + strconv.Itoa(y) + "h" + r + "v1h-" + r + "z")
			x += run
		}
	}
	return b.String()
}

// Terminal returns the code as lines of half blocks, two rows of modules a line. With ansi it sets black on white itself;
// without, it draws the light modules, which scans on a dark terminal.
func (c *Code) Terminal(ansi bool) string {
	const both, upper, lower, none = "█", "▀", "▄", " "
	var b strings.Builder
	for y := 0; y < c.Size(); y += 2 {
		if ansi {
			b.WriteString("\x1b[38;5;231;48;5;16m")
		}
		for x := range c.Size() {
			top, bottom := !c.modules[y][x], y+1 == c.Size() || !c.modules[y+1][x]
			switch {
			case top && bottom:
				b.WriteString(both)
			case top:
				b.WriteString(upper)
			case bottom:
				b.WriteString(lower)
			default:
				b.WriteString(none)
			}
		}
		if ansi {
			b.WriteString("\x1b[0m")
		}
		b.WriteString("\n")
	}
	return b.String()
}
