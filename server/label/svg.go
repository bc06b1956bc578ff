package label

import (
	"bytes"
	"fmt"
	"html"
	"strconv"

	"aovuon/server/typeface"
)

// SVG returns a layout as SVG, a unit being a millimetre. Its texts are text: where the typeface is not there, another
// is drawn and made as wide.
func (l Layout) SVG(title string) []byte {
	var b bytes.Buffer
	head(&b, l.Size, title)
	l.body(&b, 0, 0)
	b.WriteString(`</svg>`)
	return b.Bytes()
}

func head(b *bytes.Buffer, size Size, title string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" role="img" font-family="%s"><title>%s</title><path fill="#fff" d="M0 0H%[1]sV%[2]sH0z"/>`,
		num(size.W), num(size.H), typeface.Name, html.EscapeString(title))
}

// body draws the code and the texts at a place.
func (l Layout) body(b *bytes.Buffer, x, y float64) {
	fmt.Fprintf(b, `<g transform="translate(%s %s) scale(%s)" shape-rendering="crispEdges"><path fill="#000" d="%s"/></g>`,
		num(x+l.X), num(y+l.Y), strconv.FormatFloat(l.Module, 'f', 4, 64), l.Code.path())
	for _, t := range l.Texts {
		weight := ""
		if t.Bold {
			weight = ` font-weight="bold"`
		}
		fmt.Fprintf(b, `<text x="%s" y="%s" font-size="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>%s</text>`, num(x+t.X), num(y+t.Y), num(t.Em), num(t.Width), weight, html.EscapeString(t.Text))
	}
}

// Preview returns the first sheet of a print of all these labels as SVG: what is printed, and the outlines of all labels, those already used
// hatched grey.
func (p *Press) Preview(s Sheets, labels []Content, title string) ([]byte, error) {
	t, err := s.template(len(labels))
	if err != nil {
		return nil, err
	}
	series, err := p.Series(t.Label, SheetDPI, labels)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	head(&b, Size{sheetW, sheetH}, title)
	for slot := range t.Slots() {
		x, y := t.At(slot)
		fill := "none"
		if slot < s.Start-1 {
			fill = "#ddd"
		}
		fmt.Fprintf(&b, `<rect x="%s" y="%s" width="%s" height="%s" rx="1" fill="%s" stroke="#999" stroke-width="0.2"/>`,
			num(x), num(y), num(t.Label.W), num(t.Label.H), fill)
		i := slot - s.Start + 1
		if i < 0 || i >= len(labels) {
			continue
		}
		l, err := series.Lay(labels[i])
		if err != nil {
			return nil, fmt.Errorf("label %d of %d: %w", i+1, len(labels), err)
		}
		l.body(&b, x, y)
	}
	b.WriteString(`</svg>`)
	return b.Bytes(), nil
}
