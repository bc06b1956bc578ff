package boards

import (
	"fmt"
	"html"
	"io"
	"maps"
	"slices"
	"strings"
)

// Measures of a drawing, in units of the viewBox. On A4 across a unit is a seventh to a fifth of a millimetre: letters of 14 are 2 to 3 mm high.
const (
	rowHigh  = 24
	headHigh = 48
	boxGap   = 24
	trackGap = 13
	margin   = 20
	titleTop = 70
	leastBox = 120
)

// box is a part as it is drawn.
type box struct {
	part        Part
	x, y, wide  int
	left, right []string // pins, from above
}

// least is how wide the texts of a box are, in about the width that most typefaces give them.
func (b box) least() int {
	wide := max(leastBox, 9*len([]rune(b.part.VI))+20, 7*len([]rune(label(b.part)))+20)
	if b.part.Kind == Mains {
		wide += 20
	}
	for i := range max(len(b.left), len(b.right)) {
		n := 0
		if i < len(b.left) {
			n += len([]rune(b.left[i]))
		}
		if i < len(b.right) {
			n += len([]rune(b.right[i])) + 2
		}
		wide = max(wide, 8*n+24)
	}
	return wide
}

func (b box) high() int { return headHigh + rowHigh*max(len(b.left), len(b.right)) + 8 }

// at is where the wire of a pin meets the box; pins on the right stand half a row lower, so that wires of both sides never lie on each other.
func (b box) at(pin string, right bool) (x, y int) {
	pins, x, low := b.left, b.x, 0
	if right {
		pins, x, low = b.right, b.x+b.wide, rowHigh/3
	}
	return x, b.y + headHigh + rowHigh*slices.Index(pins, pin) + rowHigh/2 - 3 + low
}

// layout puts the parts into their columns, in the order of bom.csv, with their pins in the order of pins.csv.
func (b Board) layout() (boxes map[string]*box, wide, high int) {
	boxes, tracks, tops, wides := map[string]*box{}, map[int]int{}, map[int]int{}, map[int]int{}
	columns := 0
	for _, p := range b.Parts {
		if p.Column > 0 {
			boxes[p.Ref] = &box{part: p}
			columns = max(columns, p.Column)
		}
	}
	for _, w := range b.Wires {
		from, to := boxes[w.From], boxes[w.To]
		if !slices.Contains(from.right, w.FromPin) {
			from.right = append(from.right, w.FromPin)
		}
		if !slices.Contains(to.left, w.ToPin) {
			to.left = append(to.left, w.ToPin)
		}
		tracks[from.part.Column]++
	}
	for _, x := range boxes {
		wides[x.part.Column] = max(wides[x.part.Column], x.least())
	}
	lefts := map[int]int{1: margin}
	for c := 2; c <= columns; c++ {
		lefts[c] = lefts[c-1] + wides[c-1] + trackGap*(tracks[c-1]+3)
	}
	for _, p := range b.Parts {
		x := boxes[p.Ref]
		if x == nil {
			continue
		}
		x.x, x.y, x.wide = lefts[p.Column], titleTop+tops[p.Column], wides[p.Column]
		tops[p.Column] += (x.high() + boxGap + rowHigh - 1) / rowHigh * rowHigh // all pins on one grid: those of the left never at the height of those of the right
		high = max(high, x.y+x.high())
	}
	return boxes, lefts[columns] + wides[columns] + margin, high
}

// Draw writes the wiring as SVG: parts as boxes with their pins, each conductor with its number, and below the list of conductors with
// colour and area, so that a print without colours says everything. Vietnamese first, English below it.
func (b Board) Draw(out io.Writer) error {
	title := titles[b.Name]
	boxes, wide, high := b.layout()
	wide = max(wide, 1000)
	var s strings.Builder
	rows := (len(b.Wires) + 1) / 2
	total := high + 40 + rowHigh*(rows+1) + margin
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="Noto Sans, DejaVu Sans, Arial, sans-serif" font-size="14" role="img" lang="vi">`+"\n", wide, total)
	fmt.Fprintf(&s, `<title>%s</title><rect width="%d" height="%d" fill="#fff"/>`+"\n", html.EscapeString(title[0]), wide, total)
	fmt.Fprintf(&s, `<text x="%d" y="32" font-size="22" font-weight="bold">%s</text><text x="%d" y="54" fill="#444">%s</text>`+"\n",
		margin, html.EscapeString(title[0]), margin, html.EscapeString(title[1]))
	for _, p := range b.Parts {
		if x := boxes[p.Ref]; x != nil {
			drawBox(&s, x)
		}
	}
	b.drawWires(&s, boxes)
	b.drawList(&s, high+40, wide)
	s.WriteString("</svg>\n")
	if _, err := io.WriteString(out, s.String()); err != nil {
		return fmt.Errorf("boards: draw %s: %w", b.Name, err)
	}
	return nil
}

func drawBox(s *strings.Builder, x *box) {
	line, dash := "#222", ""
	switch x.part.Kind {
	case Mains:
		line = "#b00020"
	case Probe:
		dash = ` stroke-dasharray="7 4"`
	}
	fmt.Fprintf(s, `<rect x="%d" y="%d" width="%d" height="%d" rx="6" fill="#fff" stroke="%s" stroke-width="2"%s/>`+"\n", x.x, x.y, x.wide, x.high(), line, dash)
	name := x.part.VI
	if x.part.Kind == Mains {
		name = "⚡ " + name
	}
	fmt.Fprintf(s, `<text x="%d" y="%d" font-weight="bold">%s</text><text x="%d" y="%d" font-size="12" fill="#444">%s</text>`+"\n",
		x.x+10, x.y+18, html.EscapeString(name), x.x+10, x.y+34, html.EscapeString(label(x.part)))
	for _, pin := range x.left {
		_, y := x.at(pin, false)
		fmt.Fprintf(s, `<text x="%d" y="%d">%s</text>`+"\n", x.x+10, y+4, html.EscapeString(pin))
	}
	for _, pin := range x.right {
		_, y := x.at(pin, true)
		fmt.Fprintf(s, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", x.x+x.wide-10, y+4, html.EscapeString(pin))
	}
}

// label is the second line of a box: what the list of conductors calls it, its English name, its address.
func label(p Part) string {
	text := p.Ref + " · " + p.EN
	if p.Address != "" {
		text += " · " + p.Address
	}
	return text
}

// clip shortens a text that would run out of its box.
func clip(text string, most int) string {
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most-1]) + "…"
}

// drawWires draws each conductor on a track of its own in the gap between two columns.
func (b Board) drawWires(s *strings.Builder, boxes map[string]*box) {
	next := map[int]int{}
	for i, w := range b.Wires {
		from, to := boxes[w.From], boxes[w.To]
		x1, y1 := from.at(w.FromPin, true)
		x2, y2 := to.at(w.ToPin, false)
		next[from.part.Column]++
		x := x1 + trackGap*(next[from.part.Column]+1)
		if up := min(y1, y2) + 5; up < max(y1, y2)-5 { // a gap in what it crosses
			fmt.Fprintf(s, `<path d="M%d %dV%d" stroke="#fff" stroke-width="7"/>`+"\n", x, up, max(y1, y2)-5)
		}
		fmt.Fprintf(s, `<path d="M%d %dH%dV%dH%d" fill="none" stroke="%s" stroke-width="2.5"/>`+"\n", x1, y1, x, y2, x2, inks[w.Colour])
		fmt.Fprintf(s, `<rect x="%d" y="%d" width="20" height="14" fill="#fff"/><text x="%d" y="%d" font-size="11" text-anchor="middle" font-weight="bold">%d</text>`+"\n",
			x2-24, y2-7, x2-14, y2+4, i+1)
	}
}

// drawList writes the conductors as a table of two columns.
func (b Board) drawList(s *strings.Builder, top, wide int) {
	half := (len(b.Wires) + 1) / 2
	fmt.Fprintf(s, `<text x="%d" y="%d" font-weight="bold">Dây nối · Conductors</text>`+"\n", margin, top)
	for i, w := range b.Wires {
		x, y := margin+(wide-2*margin)/2*(i/half), top+rowHigh*(1+i%half)
		text := fmt.Sprintf("%d. %s %s → %s %s · %s %s mm²", i+1, w.From, w.FromPin, w.To, w.ToPin, colours[w.Colour], strings.Replace(w.Area, ".", ",", 1))
		if w.Note != "" {
			text += " · " + w.Note
		}
		fmt.Fprintf(s, `<text x="%d" y="%d" font-size="13">%s</text>`+"\n", x, y, html.EscapeString(clip(text, (wide-2*margin)/2/7)))
	}
}

// Names are the boards of this folder.
func Names() []string { return []string{"gateway-box", "pond-box", "soil-box", "aerator", "siren"} }

// titles are the headings of the drawings.
//
//nolint:gochecknoglobals // a table
var titles = map[string][2]string{
	"gateway-box": {"Hộp trung tâm", "Gateway box"},
	"pond-box":    {"Hộp đo ao", "Pond box"},
	"soil-box":    {"Hộp đo đất", "Soil box"},
	"aerator":     {"Điều khiển quạt nước, có đo dòng", "Aerator relay with current sensing"},
	"siren":       {"Còi báo động", "Siren"},
}

// inks and colours are how a conductor is drawn, and named.
//
//nolint:gochecknoglobals // tables
var (
	inks = map[string]string{
		"red": "#c00", "black": "#111", "blue": "#06c", "yellow": "#a80", "green": "#080", "white": "#888", "orange": "#d60", "brown": "#740", "grey": "#666", "green-yellow": "#5a0", "purple": "#80c",
	}
	colours = map[string]string{
		"red": "đỏ", "black": "đen", "blue": "xanh dương", "yellow": "vàng", "green": "xanh lá", "white": "trắng", "orange": "cam", "brown": "nâu", "grey": "xám", "green-yellow": "vàng-xanh (đất)", "purple": "tím",
	}
)

// ColourVI is a colour of a conductor in Vietnamese.
func ColourVI(colour string) string { return colours[colour] }

// Colours are those that a conductor may have.
func Colours() []string {
	return slices.Sorted(maps.Keys(inks))
}
