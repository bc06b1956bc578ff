package book

import "strings"

// line is one line of a cell on paper.
type line struct {
	text   string
	struck bool
	small  bool
	bold   bool
}

// grid is a table on paper: how wide its columns are, and its head.
type grid struct {
	widths []float64
	head   [][]line
	right  []bool
}

// table writes a table; its head stands again on every page.
func (p *paper) table(t Table) {
	g := p.grid(t)
	p.room(24)
	p.y++
	if t.Title != "" {
		p.font("B", 9.5)
		p.text(side, p.y+3.5, t.Title)
		p.y += 5
	}
	if t.Source != "" {
		p.font("", 7)
		p.f.SetTextColor(80, 80, 80)
		for _, l := range p.wrap(t.Source, bodyW) {
			p.text(side, p.y+2.5, l)
			p.y += 3.2
		}
		p.f.SetTextColor(0, 0, 0)
	}
	p.y++
	p.tableHead(g)
	for _, r := range t.Rows {
		if r.Gap != "" {
			p.spanning(g, r.Gap, true)
			continue
		}
		p.row(g, r)
		for _, c := range r.Changes {
			p.spanning(g, "• "+c, false)
		}
	}
	p.y += 2
}

func (p *paper) tableHead(g grid) {
	p.f.SetFillColor(238, 238, 238)
	p.cells(g, g.head, height(g.head), true)
}

// height is that of the tallest cell.
func height(cells [][]line) float64 {
	n := 1
	for _, c := range cells {
		n = max(n, len(c))
	}
	return float64(n)*lineH + 2*padY
}

// row writes a row; one that is taller than a page goes on on the next.
func (p *paper) row(g grid, r Row) {
	cells := make([][]line, len(g.widths))
	for i, c := range r.Cells {
		cells[i] = p.cellLines(c, r, g.widths[i]-2*padX, i == 0)
	}
	for {
		h := height(cells)
		if p.y+h > bodyBottom {
			whole := bodyBottom - bodyTop - height(g.head)
			if h <= whole || p.y+6*lineH > bodyBottom {
				p.page()
				p.tableHead(g)
			}
		}
		fits := int((bodyBottom - p.y - 2*padY) / lineH)
		now, later, more := split(cells, fits)
		p.cells(g, now, height(now), false)
		if !more {
			return
		}
		cells = later
	}
}

// split takes the first n lines of every cell.
func split(cells [][]line, n int) (now, later [][]line, more bool) {
	now, later = make([][]line, len(cells)), make([][]line, len(cells))
	for i, c := range cells {
		k := min(len(c), max(n, 1))
		now[i], later[i] = c[:k], c[k:]
		more = more || len(later[i]) > 0
	}
	return now, later, more
}

// cellLines are the lines of a cell: what stood there before, struck through; what stands there; when it came late.
func (p *paper) cellLines(c Cell, r Row, w float64, first bool) []line {
	var out []line
	style := ""
	if r.Strong {
		style = "B"
	}
	p.font(style, cellSize)
	for _, was := range c.Was {
		for _, l := range p.wrap(was, w) {
			out = append(out, line{text: l, struck: true})
		}
	}
	for _, l := range p.wrap(c.Text, w) {
		out = append(out, line{text: l, struck: r.Voided, bold: r.Strong})
	}
	if first {
		p.font("", smallSize)
		for _, s := range r.Late {
			for _, l := range p.wrap(s, w) {
				out = append(out, line{text: l, small: true})
			}
		}
	}
	return out
}

// cells draws one row of cells at y.
func (p *paper) cells(g grid, cells [][]line, h float64, head bool) {
	x := side
	p.f.SetLineWidth(0.12)
	for i, c := range cells {
		mode := "D"
		if head {
			mode = "FD"
		}
		p.f.Rect(x, p.y, g.widths[i], h, mode)
		for n, l := range c {
			p.line(g, i, x, p.y+padY+float64(n)*lineH+2.7, l, head)
		}
		x += g.widths[i]
	}
	p.y += h
}

func (p *paper) line(g grid, i int, x, y float64, l line, head bool) {
	style, size := "", cellSize
	if head || l.bold {
		style = "B"
	}
	if l.small {
		size = smallSize
	}
	p.font(style, size)
	if l.struck {
		p.f.SetTextColor(110, 110, 110)
	}
	width := p.f.GetStringWidth(plain(l.text))
	at := x + padX
	if g.right[i] && !head && !l.small {
		at = x + g.widths[i] - padX - width
	}
	p.text(at, y, l.text)
	if l.struck {
		p.f.SetLineWidth(strikeThin)
		p.f.Line(at, y-strikeAt, at+width, y-strikeAt)
		p.f.SetLineWidth(0.12)
		p.f.SetTextColor(0, 0, 0)
	}
}

// spanning writes a line over all columns: a gap, or what was changed.
func (p *paper) spanning(g grid, s string, gap bool) {
	style := ""
	if gap {
		style = "B"
	}
	p.font(style, cellSize-0.5)
	for i, l := range p.wrap(s, bodyW-4) {
		if p.y+lineH+2*padY > bodyBottom {
			p.page()
			p.tableHead(g)
		}
		p.font(style, cellSize-0.5)
		mode := "D"
		if gap {
			p.f.SetFillColor(255, 236, 200)
			mode = "FD"
		}
		p.f.SetLineWidth(0.12)
		p.f.Rect(side, p.y, bodyW, lineH+2*padY, mode)
		indent := 2.0
		if i > 0 {
			indent = 4
		}
		p.text(side+indent, p.y+padY+2.7, l)
		p.y += lineH + 2*padY
	}
}

// grid finds how wide columns are: as wide as their longest word, and the rest shared out by how much more they would need to stand on one line.
func (p *paper) grid(t Table) grid {
	n := len(t.Columns)
	least, most := make([]float64, n), make([]float64, n)
	g := grid{widths: make([]float64, n), head: make([][]line, n), right: make([]bool, n)}
	measure := func(i int, s string) {
		most[i] = max(most[i], p.f.GetStringWidth(plain(s))+2*padX+0.3)
		for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == '\n' }) {
			least[i] = max(least[i], p.f.GetStringWidth(plain(w))+2*padX+0.3)
		}
	}
	p.font("B", cellSize)
	for i, c := range t.Columns {
		g.right[i] = c.Right
		measure(i, c.Title)
		measure(i, unitLine(c))
	}
	for _, r := range t.Rows {
		for i, c := range r.Cells {
			measure(i, c.Text)
			for _, was := range c.Was {
				measure(i, was)
			}
		}
	}
	share(g.widths, least, most)
	p.font("B", cellSize)
	for i, c := range t.Columns {
		for _, l := range p.wrap(c.Title, g.widths[i]-2*padX) {
			g.head[i] = append(g.head[i], line{text: l})
		}
		if u := unitLine(c); u != "" {
			g.head[i] = append(g.head[i], line{text: u})
		}
	}
	return g
}

func unitLine(c Column) string {
	if c.Unit == "" {
		return ""
	}
	return "(" + c.Unit + ")"
}

// mostWord is how much of the sheet a single word may ask for, before it is broken.
const mostWord = bodyW / 4

// share shares the width of the sheet out.
func share(widths, least, most []float64) {
	sum, more := 0.0, 0.0
	for i := range widths {
		least[i] = min(least[i], mostWord)
		most[i] = min(max(most[i], least[i]), bodyW)
		sum, more = sum+least[i], more+most[i]-least[i]
	}
	left := bodyW - sum
	for i := range widths {
		switch {
		case left <= 0:
			widths[i] = least[i] * bodyW / sum
		case more <= left: // everything stands on one line: what is left over is shared by width
			widths[i] = most[i] + (left-more)*most[i]/(sum+more)
		default:
			widths[i] = least[i] + left*(most[i]-least[i])/more
		}
	}
}

// wrap breaks a text into lines no wider than w in the font that is set: at spaces, and within words that are wider.
func (p *paper) wrap(s string, w float64) []string {
	var out []string
	for para := range strings.SplitSeq(plain(s), "\n") {
		now := ""
		for word := range strings.FieldsFuncSeq(para, func(r rune) bool { return r == ' ' || r == '\t' || r == '\r' }) {
			next := word
			if now != "" {
				next = now + " " + word
			}
			if p.f.GetStringWidth(next) <= w {
				now = next
				continue
			}
			if now != "" {
				out = append(out, now)
			}
			for now = word; p.f.GetStringWidth(now) > w && len([]rune(now)) > 1; {
				head := p.fit(now, w)
				out, now = append(out, head), now[len(head):]
			}
		}
		if now != "" {
			out = append(out, now)
		}
	}
	return out
}

// fit returns the longest beginning of a word that is no wider than w, at least one letter.
func (p *paper) fit(word string, w float64) string {
	r := []rune(word)
	n := 1
	for n < len(r) && p.f.GetStringWidth(string(r[:n+1])) <= w {
		n++
	}
	return string(r[:n])
}
