package label

import (
	"io"
	"strconv"

	"github.com/go-pdf/fpdf"
)

// CalibrationWords are the texts of a calibration page, wrapped by the page.
type CalibrationWords struct {
	Title string
	// How says, a paragraph each, what to do with the page; the first labels of the sheet have them.
	How []string
}

// WriteCalibration writes one page with the outline of every label, its number, and a cross of millimetres on the first
// and last of them: printed on plain paper and held against a sheet of labels in front of a lamp, it says the nudge.
func (p *Press) WriteCalibration(out io.Writer, s Sheets, w CalibrationWords) error {
	t, err := s.template(1)
	if err != nil {
		return err
	}
	f := document("P", w.Title, s.At)
	f.AddPage()
	f.SetDrawColor(0, 0, 0)
	f.SetLineWidth(0.15)
	for slot := range t.Slots() {
		x, y := t.At(slot)
		f.Rect(x, y, t.Label.W, t.Label.H, "D")
		drawText(f, Text{X: 1.2, Y: 3.6, Em: 3, Bold: true, Text: strconv.Itoa(slot + 1)}, x, y)
	}
	for _, slot := range []int{0, t.Slots() - 1} {
		x, y := t.At(slot)
		cross(f, x+t.Label.W/2, y+t.Label.H/2, min(t.Label.W, t.Label.H)/2-1)
	}
	ruler(f)
	return p.explain(f, out, t, w)
}

// cross draws two axes with a stroke each millimetre and a longer one each five.
func cross(f *fpdf.Fpdf, x, y, reach float64) {
	f.Line(x-reach, y, x+reach, y)
	f.Line(x, y-reach, x, y+reach)
	for i := 1; float64(i) <= reach; i++ {
		d, half := float64(i), 0.6
		if i%5 == 0 {
			half = 1.3
		}
		for _, s := range []float64{-d, d} {
			f.Line(x+s, y-half, x+s, y+half)
			f.Line(x-half, y+s, x+half, y+s)
		}
	}
}

// ruler draws 100 mm at the left edge: measured with a ruler it says whether the printer scales.
func ruler(f *fpdf.Fpdf) {
	const x, y, long = 3.0, 98.5, 100.0
	f.Line(x, y, x, y+long)
	for i := 0; i <= 10; i++ {
		half := 0.8
		if i%5 == 0 {
			half = 1.6
		}
		f.Line(x-half, y+float64(i)*10, x+half, y+float64(i)*10)
	}
}

// explain writes the words on a white card in the middle of the page.
func (p *Press) explain(f *fpdf.Fpdf, out io.Writer, t Template, w CalibrationWords) error {
	const width, em, pad = 120.0, 4.0, 5.0
	rows := []Text{}
	y := pad
	add := func(text string, size float64, bold bool) error {
		text, err := plain(p.face(bold), "text", text, 600)
		if err != nil {
			return err
		}
		for _, row := range wrap(p.face(bold), text, (width-2*pad)/size, true) {
			rows = append(rows, Text{X: pad, Y: y + ascent*size, Em: size, Bold: bold, Text: row})
			y += leading * size
		}
		y += size * 0.5
		return nil
	}
	if err := add(w.Title, em*1.3, true); err != nil {
		return err
	}
	if err := add(t.String(), em*0.8, false); err != nil {
		return err
	}
	for _, h := range w.How {
		if err := add(h, em, false); err != nil {
			return err
		}
	}
	x0, y0 := (sheetW-width)/2, (sheetH-y-pad)/2
	f.SetFillColor(255, 255, 255)
	f.Rect(x0, y0, width, y+pad, "FD")
	for _, r := range rows {
		drawText(f, r, x0, y0)
	}
	return finish(f, out)
}
