package label_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/server/label"
	"aovuon/server/parttest"
)

var printed = time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)

func press(t testing.TB) *label.Press {
	t.Helper()
	p, err := label.NewPress()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// item is the label of one item of a lot.
func item(i int) label.Content {
	return label.Content{
		URL:  fmt.Sprintf("https://tx.chilangbac.vn/01/09521234010036/10/CA-260412-03/21/7K3QPX9D%05d", i),
		Name: "Cá trắm cỏ tươi Phú Khê",
		Lines: []label.Line{
			{Text: "Lô: CA-260412-03", Must: true},
			{Text: "Thu hoạch: 12/04/2026"},
			{Text: "Khối lượng: 1,5 kg"},
			{Text: "HTX Nông nghiệp Phú Khê"},
			{Text: "7K3Q-PX9D-M", Bold: true, Must: true},
			{Text: "(đọc qua điện thoại)"},
		},
	}
}

// longest is as long as lots, serials and names may be: 20 characters each, GS1's most.
func longest() label.Content {
	c := item(0)
	c.URL = "https://truyxuat.htxchilangbac.com.vn/01/09521234010036/10/ABCDEFGHIJ0123456789/21/0123456789ABCDEFGHIJ"
	c.Name = "Bánh đa nem làng nghề truyền thống Phú Khê làm từ gạo tẻ Khang Dân vụ mùa phơi nắng tự nhiên không chất bảo quản"
	c.Lines[0].Text = "Lô: ABCDEFGHIJ0123456789"
	c.Lines[4].Text = "0123-4567-89AB-CDEF-GHIJ"
	return c
}

// compare reads pictures of one code each with zbar, and says which does not say what it should.
func compare(t *testing.T, files, want []string) {
	t.Helper()
	args := append([]string{"--quiet", "--xml", "--nodbus", "-Sdisable", "-Sqrcode.enable"}, files...)
	out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "zbarimg"), args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 4) { // 4: one has no code
		t.Fatal(err)
	}
	var said struct {
		Source []struct {
			Href string   `xml:"href,attr"`
			Data []string `xml:"index>symbol>data"`
		} `xml:"source"`
	}
	if err := xml.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range said.Source {
		got[s.Href] = strings.Join(s.Data, "\n")
	}
	for i, f := range files {
		if got[f] != want[i] {
			t.Errorf("%s reads %q, want %q", filepath.Base(f), got[f], want[i])
		}
	}
}

func TestNewPrinted_ChoosesTheLevelByRule(t *testing.T) {
	for _, c := range []struct {
		url   string
		where label.Where
		level byte
		size  int
	}{
		{"https://htx.vn/A1B2C3D", label.Indoors, 'M', 25 + 8}, // Q would be 29
		{"https://htx.vn/A1B2C3D", label.Outdoors, 'H', 29 + 8},
		{"https://tx.chilangbac.vn/t/7K3QPX9D", label.Indoors, 'M', 29 + 8},
		{"https://tx.chilangbac.vn/t/7K3QPX9D", label.Outdoors, 'Q', 33 + 8},
		{"https://tx.chilangbac.vn/01/09521234010036/10/CA-260412-03", label.Outdoors, 'Q', 37 + 8},
	} {
		code, err := label.NewPrinted(c.url, c.where)
		if err != nil {
			t.Fatal(err)
		}
		if code.Level() != c.level || code.Size() != c.size {
			t.Errorf("%s: level %c of %d modules, want %c of %d", c.url, code.Level(), code.Size(), c.level, c.size)
		}
	}
}

// The table of sizes: 41 modules with the quiet zone are 16.24 mm at GS1's least; 20.5 mm at 203 dpi (4 dots), 17.4 at 300.
func TestSide_IsWholeDotsAndNeverBelowGS1sLeast(t *testing.T) {
	code, err := label.NewPrinted("https://tx.chilangbac.vn/01/09521234010036/10/CA-260412-03", label.Indoors)
	if err != nil {
		t.Fatal(err)
	}
	for dpi, want := range map[int]string{203: "20.50", 300: "17.36", 600: "17.36"} {
		if got, err := code.Side(dpi); err != nil || fmt.Sprintf("%.2f", got) != want {
			t.Errorf("%d dpi: %.2f mm, %v; want %s", dpi, got, err, want)
		}
	}
	if _, err := code.Side(72); err == nil {
		t.Error("a screen passed as a printer")
	}
}

// A label that is too small is refused, and what the refusal advises works.
func TestLay_RefusesWhatCannotBeRead_AndItsAdviceWorks(t *testing.T) {
	p := press(t)
	for _, size := range []label.Size{{W: 20, H: 15}, {W: 30, H: 20}, {W: 25, H: 25}, {W: 100, H: 12}} {
		for _, dpi := range []int{203, 300} {
			_, err := p.Lay(longest(), size, dpi)
			small, ok := errors.AsType[*label.TooSmallError](err)
			if !ok {
				t.Errorf("%s at %d dpi: %v, want too small", size, dpi, err)
				continue
			}
			if small.Needs.W == 0 {
				t.Errorf("%v: advises no size", err)
			} else if _, err := p.Lay(longest(), small.Needs, dpi); err != nil {
				t.Errorf("advised size: %v", err)
			}
			if small.Finer > 0 {
				if _, err := p.Lay(longest(), size, small.Finer); err != nil {
					t.Errorf("advised resolution: %v", err)
				}
			}
		}
	}
	_, err := p.Lay(item(1), label.Size{W: 38.1, H: 21.2}, 203)
	if small, ok := errors.AsType[*label.TooSmallError](err); !ok || small.Finer != 300 {
		t.Errorf("%v, want the advice to print at 300 dpi", err)
	}
}

// What is laid out stands on the label, clear of the code, in letters that can be read, and every Must is there whole.
func TestLay_KeepsItsRules(t *testing.T) {
	p := press(t)
	var sizes []label.Size
	for _, t := range label.Templates() {
		sizes = append(sizes, t.Label)
	}
	for _, size := range append(sizes, rolls()...) {
		for _, dpi := range []int{203, 300, 600} {
			for name, c := range map[string]label.Content{"item": item(1), "longest": longest()} {
				l, err := p.Lay(c, size, dpi)
				if _, ok := errors.AsType[*label.TooSmallError](err); ok && (dpi < 600 || name == "longest" && size.H < 22) {
					continue
				}
				if err != nil {
					t.Errorf("%s %s at %d dpi: %v", name, size, dpi, err)
					continue
				}
				checkLayout(t, fmt.Sprintf("%s %s at %d dpi", name, size, dpi), l, c)
			}
		}
	}
}

func checkLayout(t *testing.T, name string, l label.Layout, c label.Content) {
	t.Helper()
	side := l.Module * float64(l.Code.Size())
	if l.Module < label.MinModule || l.X < 0 || l.Y < 0 || l.X+side > l.Size.W || l.Y+side > l.Size.H {
		t.Errorf("%s: code of %v mm modules at %v, %v with side %v", name, l.Module, l.X, l.Y, side)
	}
	all := ""
	for _, x := range l.Texts {
		all += x.Text
		if x.Em < 1.75 || x.X+x.Width > l.Size.W || x.Y > l.Size.H || x.Y-0.7*x.Em < 0 || x.X < 0 {
			t.Errorf("%s: %+v", name, x)
		}
		if x.X < l.X+side-1e-9 && x.Y-x.Em < l.Y+side-1e-9 && x.Y > l.Y {
			t.Errorf("%s: %q is on the code", name, x.Text)
		}
	}
	for _, line := range c.Lines {
		if whole := strings.ReplaceAll(all, " ", ""); line.Must && !strings.Contains(whole, strings.ReplaceAll(line.Text, " ", "")) {
			t.Errorf("%s: lacks %q: %s", name, line.Text, all)
		}
	}
	if l.Cut != strings.Contains(all, "…") {
		t.Errorf("%s: cut is %v: %s", name, l.Cut, all)
	}
}

func TestLay_RefusesWhatIsNoLabel(t *testing.T) {
	p := press(t)
	for name, change := range map[string]func(*label.Content){
		"no name": func(c *label.Content) { c.Name = "  " },
		"glyph":   func(c *label.Content) { c.Name = "cá 鱼" },
		"url":     func(c *label.Content) { c.URL = "HTTPS://X.VN/A" },
		"name":    func(c *label.Content) { c.Name = strings.Repeat("cá ", 100) },
		"line":    func(c *label.Content) { c.Lines[0].Text = strings.Repeat("x", 121) },
		"lines":   func(c *label.Content) { c.Lines = make([]label.Line, 13) },
	} {
		c := item(1)
		change(&c)
		if _, err := p.Lay(c, label.Size{W: 60, H: 40}, 300); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestPreview_IsWellFormed(t *testing.T) {
	p := press(t)
	c := item(1)
	c.Name = `Cá <b>&"`
	l, err := p.Lay(c, label.Size{W: 60, H: 40}, 300)
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := p.Preview(label.Sheets{Template: label.Templates()[0], Start: 5}, []label.Content{c, item(2)}, "Tờ <1>")
	if err != nil {
		t.Fatal(err)
	}
	for _, svg := range [][]byte{l.SVG(c.Name), sheet} {
		if err := xml.Unmarshal(svg, new(struct{})); err != nil || bytes.Contains(svg, []byte("<b>")) {
			t.Errorf("%v: %.400s", err, svg)
		}
	}
	if n := bytes.Count(sheet, []byte("<rect")); n != 21 || bytes.Count(sheet, []byte("#ddd")) != 4 {
		t.Errorf("%d labels, %d used: want 21 and 4", n, bytes.Count(sheet, []byte("#ddd")))
	}
}

func save(t *testing.T, name string, b []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
