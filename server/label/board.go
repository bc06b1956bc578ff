package label

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Board is the A4 board of a place: laminated or printed on plastic, it hangs in sun and rain.
type Board struct {
	URL  string
	Name string // of the place, large
	Code string // as a person reads it out
	Hint string // "quét bằng máy ảnh điện thoại"
	Coop string
}

// A board, in mm. A code is read from ten times its side.
const (
	boardMargin = 15.0
	boardCode   = 120.0
	boardLeast  = 40.0
	boardName   = 26.0
	nameLeast   = 9.0
	codeEm      = 15.0
	hintEm      = 8.5
)

// WriteBoards writes a page for each board as PDF.
func (p *Press) WriteBoards(ctx context.Context, out io.Writer, title string, at time.Time, boards []Board) error {
	if len(boards) == 0 || len(boards) > MaxLabels {
		return fmt.Errorf("label: %d boards: want 1 to %d", len(boards), MaxLabels)
	}
	f := document("P", title, at)
	for i, b := range boards {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("label: stopped at board %d of %d: %w", i+1, len(boards), err)
		}
		l, err := p.LayBoard(b)
		if err != nil {
			return fmt.Errorf("label: board %d of %d: %w", i+1, len(boards), err)
		}
		f.AddPage()
		drawLabel(f, l, 0, 0)
	}
	return finish(f, out)
}

// LayBoard lays a board out: the name in one to three lines as large as they go, the code, and what to do with it.
func (p *Press) LayBoard(b Board) (Layout, error) {
	code, err := NewPrinted(b.URL, Outdoors)
	if err != nil {
		return Layout{}, err
	}
	l := Layout{Size: Size{sheetW, sheetH}, Code: code}
	const width = sheetW - 2*boardMargin
	name, err := plain(p.bold, "name", b.Name, maxName)
	if err != nil {
		return Layout{}, err
	}
	if name == "" {
		return Layout{}, refuse(NoName, "the board "+b.URL+" has no name on it")
	}
	y := boardMargin
	for em := boardName; ; em-- {
		rows := balanced(p.bold, name, width/em, em <= nameLeast)
		if rows == nil || len(rows) > nameLines || leading*em*float64(len(rows)) > 75 {
			if em > nameLeast {
				continue
			}
			return Layout{}, refuse(TooLong, fmt.Sprintf("the name %.60q is too long for a board: want at most %d lines of %v mm", name, nameLines, nameLeast), name)
		}
		y = p.centre(&l, rows, em, y, true)
		break
	}
	l.Module = boardCode / float64(code.Size())
	l.X, l.Y = (sheetW-boardCode)/2, max(y+4, 92)
	y = l.Y + boardCode + 2
	for _, t := range []struct {
		text string
		em   float64
		bold bool
	}{{b.Code, codeEm, true}, {b.Hint, hintEm, false}, {b.Coop, hintEm * 0.75, false}} {
		text, err := plain(p.face(t.bold), "text", t.text, maxLine)
		if err != nil {
			return Layout{}, err
		}
		if text == "" {
			continue
		}
		for ; p.face(t.bold).Width(text)*t.em > width; t.em *= 0.95 {
			if t.em < 4 {
				return Layout{}, refuse(TooLong, fmt.Sprintf("%.60q is too long for a board", text), text)
			}
		}
		y = p.centre(&l, []string{text}, t.em, y, t.bold)
	}
	return l, nil
}

// centre sets rows in the middle from y down, and returns where they end.
func (p *Press) centre(l *Layout, rows []string, em, y float64, bold bool) float64 {
	for _, row := range rows {
		width := p.face(bold).Width(row) * em
		l.Texts = append(l.Texts, Text{X: (l.Size.W - width) / 2, Y: y + ascent*em, Em: em, Width: width, Bold: bold, Text: row})
		y += leading * em
	}
	return y
}
