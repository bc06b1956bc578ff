package label

import (
	"math"

	"aovuon/server/typeface"
)

// Rules of a label, in mm. An em of 1.75 mm has small letters 0.9 mm high, the least that rules of food labels allow on
// small packs.
const (
	margin     = 1.0 // of text
	codeMargin = 0.5 // of the code, whose quiet zone is white already
	leastEm    = 1.75
	easyEm     = 2.3 // 6.5 points: read without effort
	leastDots  = 16  // of an em: below it the marks over Vietnamese letters run together
	leading    = 1.28
	ascent     = 1.04 // above the baseline, with two marks on a capital
	nameSize   = 1.25 // of the em
	nameLines  = 3
	lineLines  = 2
)

// ems are the sizes of text that are tried, in mm; the least is put last by the resolution.
func ems(perMM float64) []float64 {
	least := max(leastEm, leastDots/perMM)
	out := []float64{}
	for _, e := range []float64{5, 4.4, 3.8, 3.3, 2.9, 2.6, 2.3, 2.1, 1.9} {
		if e > least {
			out = append(out, e)
		}
	}
	return append(out, least)
}

// Text is a piece of text where it stands: X and Y of its baseline's start, and its em, in mm from the upper left corner.
type Text struct {
	X, Y, Em float64
	Width    float64 // mm
	Bold     bool
	Text     string
}

// Layout is a label as it will be printed, in mm from its upper left corner.
type Layout struct {
	Size   Size
	Code   *Code
	X, Y   float64 // of the code's quiet zone
	Module float64 // side
	Texts  []Text
	Cut    bool // the name ends in "…"
	Left   int  // lines that were left out
	how    arranged
}

// Press lays labels out and prints them. It is for one goroutine at a time.
type Press struct{ regular, bold *typeface.Face }

// NewPress loads the typeface.
func NewPress() (*Press, error) {
	r, err := typeface.New(typeface.Regular())
	if err != nil {
		return nil, err
	}
	b, err := typeface.New(typeface.Bold())
	if err != nil {
		return nil, err
	}
	return &Press{r, b}, nil
}

func (p *Press) face(bold bool) *typeface.Face {
	if bold {
		return p.bold
	}
	return p.regular
}

// Lay lays a label out for a printer. What does not fit shrinks, wraps, is left out or cut, in this order: smaller text,
// to 2.3 mm; a smaller code, from 20 mm to 15 mm; smaller text; a code down to GS1's least; lines that are no Must; the end of the name. What still does
// not fit is a *TooSmallError: nothing is printed that cannot be read.
func (p *Press) Lay(c Content, size Size, dpi int) (Layout, error) {
	s, err := p.Series(size, dpi, nil)
	if err != nil {
		return Layout{}, err
	}
	return s.Lay(c)
}

func (p *Press) tooSmall(r ready, size Size, dpi int, perMM float64) error {
	least, _ := moduleDots(perMM)
	e := &TooSmallError{Size: size, DPI: dpi, Code: float64(r.code.Size()*least) / perMM, Needs: p.needs(r, size, perMM)}
	for _, finer := range []int{300, 600} {
		if _, ok := p.lay(r, size, float64(finer)/mmPerInch); ok && finer > dpi {
			e.Finer = finer
			break
		}
	}
	return e
}

// needs returns the smallest label that works: of the same shape, or else higher, or else wider; zero where none is within A4.
func (p *Press) needs(r ready, size Size, perMM float64) Size {
	grow := func(w, h float64) Size {
		for k := 1.02; size.W*(1+w*(k-1)) <= sheetW && size.H*(1+h*(k-1)) <= sheetH; k += 0.02 {
			bigger := Size{math.Ceil(size.W * (1 + w*(k-1))), math.Ceil(size.H * (1 + h*(k-1)))}
			if _, ok := p.lay(r, bigger, perMM); ok {
				return bigger
			}
		}
		return Size{}
	}
	for _, d := range []Size{{1, 1}, {0, 1}, {1, 0}} {
		if s := grow(d.W, d.H); s.W > 0 {
			return s
		}
	}
	return Size{}
}

// lay tries the ways a label can look, the best first.
func (p *Press) lay(r ready, size Size, perMM float64) (Layout, bool) {
	for lines := len(r.line); ; lines-- {
		kept, ok := keep(r.line, lines)
		if ok {
			if l, ok := p.arrange(r, kept, size, perMM, false); ok {
				l.Left = len(r.line) - len(kept)
				return l, true
			}
		}
		if lines == 0 {
			break
		}
	}
	kept := musts(r.line)
	l, ok := p.arrange(r, kept, size, perMM, true)
	l.Left = len(r.line) - len(kept)
	return l, ok
}

// keep drops lines from the end, those that may be dropped, until n are left; it reports whether that was possible.
func keep(lines []Line, n int) ([]Line, bool) {
	out := append([]Line(nil), lines...)
	for i := len(out) - 1; i >= 0 && len(out) > n; i-- {
		if !out[i].Must {
			out = append(out[:i], out[i+1:]...)
		}
	}
	return out, len(out) == n
}

func musts(lines []Line) []Line {
	var out []Line
	for _, l := range lines {
		if l.Must {
			out = append(out, l)
		}
	}
	return out
}

// arrange puts the code above the text of a label that is higher than wide, else beside it, and the other way round where
// that does not fit.
func (p *Press) arrange(r ready, lines []Line, size Size, perMM float64, cut bool) (Layout, bool) {
	ways := [][]bool{{false, true}} // above?
	if size.H > size.W {
		ways = [][]bool{{true}, {false}}
	}
	for _, way := range ways {
		if l, ok := p.shrink(r, lines, Layout{Size: size, Code: r.code}, perMM, way, cut); ok {
			return l, true
		}
	}
	return Layout{}, false
}

// shrink tries sizes of text and code.
func (p *Press) shrink(r ready, lines []Line, l Layout, perMM float64, way []bool, cut bool) (Layout, bool) {
	least, most := moduleDots(perMM)
	sizes := ems(perMM)
	if cut { // the name is cut only where nothing can be smaller any more
		sizes, most = sizes[len(sizes)-1:], least
	}
	for _, pass := range []struct{ side, em float64 }{{roomy, easyEm}, {practical, 0}, {0, 0}} {
		lowest := max(least, int(math.Ceil(pass.side/float64(r.code.Size())*perMM)))
		for _, em := range sizes {
			for dots := most; dots >= lowest && em >= pass.em; dots-- {
				for _, above := range way {
					l.Module = float64(dots) / perMM
					if p.fill(&l, r.name, lines, em, above, cut) {
						l.how = arranged{em: em, dots: dots, above: above}
						return l, true
					}
				}
			}
		}
	}
	return l, false
}

// fill sets the texts of one arrangement; it reports whether they fit.
func (p *Press) fill(l *Layout, name string, lines []Line, em float64, above, cut bool) bool {
	side := l.Module * float64(l.Code.Size())
	area, across := Size{l.Size.W - codeMargin - side - margin, l.Size.H - 2*margin}, l.Size.H
	if above {
		area, across = Size{l.Size.W - 2*margin, l.Size.H - codeMargin - side - margin}, l.Size.W
	}
	if side+2*codeMargin > across+1e-9 || area.W <= 0 || area.H <= 0 {
		return false
	}
	texts, height, ok := p.block(name, lines, em, area, cut)
	if !ok {
		return false
	}
	x, y := codeMargin+side, (l.Size.H-height)/2
	l.X, l.Y = codeMargin, (l.Size.H-side)/2
	if above {
		x, y = margin, codeMargin+side+(area.H-height)/2
		l.X, l.Y = (l.Size.W-side)/2, codeMargin
	}
	for i := range texts {
		texts[i].X += x
		texts[i].Y += y
		if above {
			texts[i].X += (area.W - texts[i].Width) / 2
		}
	}
	l.Texts = texts
	l.Cut = len(texts) > 0 && cut
	return true
}

// block wraps the name and the lines into an area; it reports whether they fit.
func (p *Press) block(name string, lines []Line, em float64, area Size, cut bool) (texts []Text, height float64, ok bool) {
	y := 0.0
	add := func(rows []string, size float64, bold bool) {
		for _, row := range rows {
			texts = append(texts, Text{Y: y + ascent*size, Em: size, Width: p.face(bold).Width(row) * size, Bold: bold, Text: row})
			y += leading * size
		}
	}
	var body [][]string
	rest := 0.0
	for _, l := range lines {
		rows := wrap(p.face(l.Bold), l.Text, area.W/em, l.Must)
		if rows == nil || len(rows) > lineLines {
			return nil, 0, false
		}
		body = append(body, rows)
		rest += leading * em * float64(len(rows))
	}
	big := nameSize * em
	if cut {
		big = em
	}
	rows := balanced(p.bold, name, area.W/big, cut)
	room := min(nameLines, int((area.H-rest)/(leading*big)+1e-9))
	if rows == nil || room < 1 || len(rows) > room && !cut {
		return nil, 0, false
	}
	if len(rows) > room {
		rows = shorten(p.bold, rows[:room], area.W/big)
	}
	add(rows, big, true)
	for i, l := range lines {
		add(body[i], em, l.Bold)
	}
	return texts, y, y <= area.H+1e-9
}
