package label

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"

	"aovuon/server/typeface"
)

// MaxLabels bounds a print job: 200 sheets of the largest labels, an evening of a printer.
const MaxLabels = 10000

// Sheets is a print on A4 sheets of labels.
type Sheets struct {
	Template       Template
	Start          int     // the first label that is still on the first sheet, from 1
	NudgeX, NudgeY float64 // mm to the right and down
	Title          string  // of the document
	At             time.Time
	// Progress, if there, is told after every label.
	Progress func(done, all int)
}

const fontName = "label"

// WriteSheets writes labels as PDF. The bytes are the same for the same labels, template and time.
func (p *Press) WriteSheets(ctx context.Context, out io.Writer, s Sheets, labels []Content) error {
	t, err := s.template(len(labels))
	if err != nil {
		return err
	}
	f := document("P", s.Title, s.At)
	series, err := p.Series(t.Label, SheetDPI, labels)
	if err != nil {
		return err
	}
	for i, c := range labels {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("label: stopped at label %d of %d: %w", i+1, len(labels), err)
		}
		l, err := series.Lay(c)
		if err != nil {
			return fmt.Errorf("label %d of %d: %w", i+1, len(labels), err)
		}
		slot := (s.Start - 1 + i) % t.Slots()
		if i == 0 || slot == 0 {
			f.AddPage()
		}
		x, y := t.At(slot)
		drawLabel(f, l, x, y)
		if s.Progress != nil {
			s.Progress(i+1, len(labels))
		}
	}
	return finish(f, out)
}

// Check says what of a print is wrong, whatever its labels are.
func (s Sheets) Check() error {
	_, err := s.template(1)
	return err
}

func (s Sheets) template(n int) (Template, error) {
	if err := s.Template.Check(); err != nil {
		return Template{}, err
	}
	switch {
	case n == 0:
		return Template{}, refuse(BadNumber, "no label to print: want 1 or more", MaxLabels)
	case n > MaxLabels:
		return Template{}, refuse(BadNumber, fmt.Sprintf("%d labels in one print: want at most %d; print the rest in another", n, MaxLabels), MaxLabels)
	case s.Start < 1 || s.Start > s.Template.Slots():
		return Template{}, refuse(BadStart, fmt.Sprintf("start at label %d: the sheet has 1 to %d", s.Start, s.Template.Slots()), s.Template.Slots())
	}
	return s.Template.Nudged(s.NudgeX, s.NudgeY)
}

// Pages returns how many sheets n labels take.
func (s Sheets) Pages(n int) int {
	return (s.Start - 1 + n + s.Template.Slots() - 1) / s.Template.Slots()
}

func document(way, title string, at time.Time) *fpdf.Fpdf {
	f := fpdf.New(way, "mm", "A4", "")
	f.SetCreationDate(at)
	f.SetModificationDate(at)
	f.SetCatalogSort(true)
	f.SetProducer("AoVuon", true)
	f.SetTitle(title, true)
	f.SetLang("vi")
	f.AddUTF8FontFromBytes(fontName, "", typeface.Regular())
	f.AddUTF8FontFromBytes(fontName, "B", typeface.Bold())
	f.SetMargins(0, 0, 0)
	f.SetAutoPageBreak(false, 0)
	return f
}

func finish(f *fpdf.Fpdf, out io.Writer) error {
	if err := f.Output(out); err != nil {
		return fmt.Errorf("label: pdf: %w", err)
	}
	return nil
}

const pointsPerMM = 72 / mmPerInch

// drawLabel puts a label on the page.
func drawLabel(f *fpdf.Fpdf, l Layout, x, y float64) {
	drawCode(f, l.Code, x+l.X, y+l.Y, l.Module*float64(l.Code.Size()))
	for _, t := range l.Texts {
		drawText(f, t, x, y)
	}
}

func drawText(f *fpdf.Fpdf, t Text, x, y float64) {
	style := ""
	if t.Bold {
		style = "B"
	}
	f.SetFont(fontName, style, t.Em*pointsPerMM)
	f.Text(x+t.X, y+t.Y, t.Text)
}

// drawCode draws a code as an image of one bit a module: a printer makes whole dots of it and no seams between rows, which
// rectangles would have.
func drawCode(f *fpdf.Fpdf, c *Code, x, y, side float64) {
	_, height := f.GetPageSize()
	n := c.Size()
	rows := make([]byte, 0, n*((n+7)/8))
	for _, row := range c.modules {
		rows = append(rows, packRow(row)...)
	}
	s := side * pointsPerMM
	f.RawWriteStr(fmt.Sprintf("q %.4f 0 0 %.4f %.4f %.4f cm BI /W %d /H %d /BPC 1 /CS /G /D [1 0] /F /AHx ID %s> EI Q",
		s, s, x*pointsPerMM, (height-y-side)*pointsPerMM, n, n, strings.ToUpper(hex.EncodeToString(rows))))
}

// packRow packs dots into bytes, the leftmost highest.
func packRow(row []bool) []byte {
	out := make([]byte, (len(row)+7)/8)
	for x, dark := range row {
		if dark {
			out[x/8] |= 0x80 >> (x % 8)
		}
	}
	return out
}
