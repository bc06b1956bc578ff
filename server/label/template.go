package label

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A4, in mm.
const sheetW, sheetH = 210.0, 297.0

// Bounds of a label, in mm, and of the labels on a sheet.
const (
	minSide, maxSide = 10.0, 300.0
	maxAcross        = 50
	slack            = 0.01 // of sums of decimal fractions
)

func (s Size) check() error {
	if !(s.W >= minSide && s.W <= maxSide && s.H >= minSide && s.H <= maxSide) { // NaN, too
		return refuse(BadSize, fmt.Sprintf("%s mm: want %v to %v mm a side", s, minSide, maxSide), s, minSide, maxSide)
	}
	return nil
}

// Template says where the labels of an A4 sheet are, in mm.
type Template struct {
	Name      string // empty: the user's own
	Label     Size
	NX, NY    int     // across and down
	Left, Top float64 // of the first label
	DX, DY    float64 // from one label to the next
}

// Templates returns the sheets that are known by their maker's number.
func Templates() []Template {
	return []Template{
		{"L7160", Size{63.5, 38.1}, 3, 7, 7.25, 15.15, 66.0, 38.1},
		{"L7163", Size{99.1, 38.1}, 2, 7, 4.65, 15.15, 101.6, 38.1},
		{"L7651", Size{38.1, 21.2}, 5, 13, 4.75, 10.7, 40.6, 21.2},
		{"L7164", Size{63.5, 72}, 3, 4, 7.25, 4.5, 66.0, 72.0},
	}
}

// Slots returns how many labels a sheet has.
func (t Template) Slots() int { return t.NX * t.NY }

// At returns the upper left corner of a label, counted from 0 across and then down.
func (t Template) At(slot int) (x, y float64) {
	return t.Left + float64(slot%t.NX)*t.DX, t.Top + float64(slot/t.NX)*t.DY
}

// Check says what of a template does not fit A4, and by how much.
func (t Template) Check() error {
	if err := t.Label.check(); err != nil {
		return err
	}
	if t.NX < 1 || t.NY < 1 || t.NX > maxAcross || t.NY > maxAcross {
		return refuse(BadCount, fmt.Sprintf("sheet of %d×%d labels: want 1 to %d each way", t.NX, t.NY, maxAcross), maxAcross)
	}
	return errors.Join(
		along("left", "dx", "w", t.Left, t.DX, t.Label.W, sheetW, t.NX),
		along("top", "dy", "h", t.Top, t.DY, t.Label.H, sheetH, t.NY))
}

// along checks one direction of a sheet.
func along(edge, step, side string, start, pitch, label, sheet float64, n int) error {
	switch end := start + float64(n-1)*pitch + label; {
	case math.IsNaN(end) || math.IsInf(end, 0) || start < -slack:
		return refuse(Outside, fmt.Sprintf("sheet: %s %v mm: want 0 or more", edge, start), edge)
	case n > 1 && pitch < label-slack:
		return refuse(Overlap, fmt.Sprintf("sheet: labels overlap: %s %v mm is less than %s %v mm", step, pitch, side, label), step, side)
	case n > 1 && pitch > sheet:
		return refuse(TooFar, fmt.Sprintf("sheet: %s %v mm is more than the %v mm of A4", step, pitch, sheet), pitch-sheet)
	case end > sheet+slack:
		return refuse(TooFar, fmt.Sprintf("sheet: %d labels end at %s mm, A4 at %v mm: %s mm too much (%s, %s, %s)", n, num(end), sheet, num(end-sheet), edge, step, side), end-sheet)
	}
	return nil
}

// Nudged moves the whole print, for printers that draw paper in askew. A label that would leave the sheet is refused.
func (t Template) Nudged(x, y float64) (Template, error) {
	w, h := float64(t.NX-1)*t.DX+t.Label.W, float64(t.NY-1)*t.DY+t.Label.H
	for _, d := range []struct {
		name               string
		by, start, len, of float64
	}{{"x", x, t.Left, w, sheetW}, {"y", y, t.Top, h, sheetH}} {
		if least, most := -d.start, d.of-d.start-d.len; !(d.by >= least-slack && d.by <= most+slack) {
			return Template{}, refuse(BadNudge, fmt.Sprintf("nudge %s by %v mm: the labels leave the sheet; want %s to %s mm", d.name, d.by, num(least), num(most)), d.name, least, most)
		}
	}
	t.Left, t.Top = max(0, t.Left+x), max(0, t.Top+y)
	return t, nil
}

// String writes a template as ParseTemplate reads it.
func (t Template) String() string {
	if t.Name != "" {
		return t.Name
	}
	v := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	return fmt.Sprintf("w=%s h=%s nx=%d ny=%d left=%s top=%s dx=%s dy=%s",
		v(t.Label.W), v(t.Label.H), t.NX, t.NY, v(t.Left), v(t.Top), v(t.DX), v(t.DY))
}

// maxTemplate bounds what ParseTemplate reads.
const maxTemplate = 200

// ParseTemplate reads a maker's number or a sheet of one's own: "w=63.5 h=38.1 nx=3 ny=7 left=7.25 top=15.15 dx=66 dy=38.1", in
// any order, with blanks or semicolons between and a decimal point or comma. Without dx or dy labels touch.
func ParseTemplate(s string) (Template, error) {
	if len(s) > maxTemplate {
		return Template{}, refuse(BadSheet, fmt.Sprintf("sheet of %d characters: want at most %d", len(s), maxTemplate), fmt.Sprintf("%.40s…", s))
	}
	var names []string
	for _, t := range Templates() {
		if strings.EqualFold(strings.TrimSpace(s), t.Name) {
			return t, nil
		}
		names = append(names, t.Name)
	}
	t := Template{DX: math.NaN(), DY: math.NaN()}
	seen := map[string]bool{}
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ';' || r == '\t' || r == '\n' }) {
		key, value, ok := strings.Cut(strings.TrimSuffix(f, ","), "=")
		key = strings.ToLower(key)
		if !ok || seen[key] || !t.set(key, strings.Replace(value, ",", ".", 1)) {
			return Template{}, refuse(BadSheet, fmt.Sprintf("sheet: %.40q: want %s, or each once of w=, h=, nx=, ny=, left=, top=, dx=, dy= and a number (mm; nx and ny are counts)", f, strings.Join(names, ", ")), fmt.Sprintf("%.40s", f))
		}
		seen[key] = true
	}
	for _, key := range []string{"w", "h", "nx", "ny", "left", "top"} {
		if !seen[key] {
			return Template{}, refuse(BadSheet, fmt.Sprintf("sheet: %.60q says nothing of %s: want %s, or w, h, nx, ny, left, top and, where labels do not touch, dx, dy", s, key, strings.Join(names, ", ")), key+"=")
		}
	}
	if !seen["dx"] {
		t.DX = t.Label.W
	}
	if !seen["dy"] {
		t.DY = t.Label.H
	}
	return t, t.Check()
}

func (t *Template) set(key, value string) bool {
	if into := map[string]*int{"nx": &t.NX, "ny": &t.NY}[key]; into != nil {
		n, err := strconv.Atoi(value)
		*into = n
		return err == nil
	}
	into := map[string]*float64{"w": &t.Label.W, "h": &t.Label.H, "left": &t.Left, "top": &t.Top, "dx": &t.DX, "dy": &t.DY}[key]
	if into == nil {
		return false
	}
	f, err := strconv.ParseFloat(value, 64)
	*into = f
	return err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}
