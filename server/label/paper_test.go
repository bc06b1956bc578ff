package label_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aovuon/server/label"
	"aovuon/server/parttest"
)

// pages turns a PDF into pictures as a printer of a resolution would.
func pages(t *testing.T, pdf []byte, dpi int) []image.Image {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "x.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), parttest.Tool(t, "pdftoppm"), "-r", fmt.Sprint(dpi), "-gray", "-png", file, filepath.Join(dir, "p"))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("pdftoppm: %v %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "p-*.png"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var out []image.Image
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, img)
	}
	return out
}

// cut saves a part of a page, in mm.
func cut(t *testing.T, name string, page image.Image, dpi int, x, y float64, s label.Size) string {
	t.Helper()
	px := func(mm float64) int { return int(math.Round(mm * float64(dpi) / 25.4)) }
	part := image.NewGray(image.Rect(0, 0, px(s.W), px(s.H)))
	draw.Draw(part, part.Bounds(), page, image.Pt(px(x), px(y)), draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, part); err != nil {
		t.Fatal(err)
	}
	return save(t, name, b.Bytes())
}

func sheets(t *testing.T, s label.Sheets, labels []label.Content) []byte {
	t.Helper()
	s.At, s.Title = printed, "Nhãn"
	var b bytes.Buffer
	if err := press(t).WriteSheets(t.Context(), &b, s, labels); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// scanSheets prints labels and reads each back from its slot.
func scanSheets(t *testing.T, s label.Sheets, labels []label.Content, dpi int) {
	t.Helper()
	all := pages(t, sheets(t, s, labels), dpi)
	if len(all) != s.Pages(len(labels)) {
		t.Fatalf("%d pages, want %d", len(all), s.Pages(len(labels)))
	}
	nudged, err := s.Template.Nudged(s.NudgeX, s.NudgeY)
	if err != nil {
		t.Fatal(err)
	}
	var files, want []string
	for i, c := range labels {
		slot := s.Start - 1 + i
		x, y := nudged.At(slot % nudged.Slots())
		files = append(files, cut(t, fmt.Sprintf("slot-%d-at-%d.png", slot+1, dpi), all[slot/nudged.Slots()], dpi, x, y, nudged.Label))
		want = append(want, c.URL)
	}
	compare(t, files, want)
}

// Every slot of every sheet is read back: as an office printer prints it, and as one of 203 dpi would.
func TestSheets_EverySlotScans(t *testing.T) {
	for _, tpl := range label.Templates() {
		t.Run(tpl.Name, func(t *testing.T) {
			var labels []label.Content
			for i := range tpl.Slots() {
				labels = append(labels, item(i))
			}
			for _, dpi := range []int{300, 203} {
				scanSheets(t, label.Sheets{Template: tpl, Start: 1}, labels, dpi)
			}
		})
	}
}

// The first slot alone, the last, one that goes on to a second page, a nudge to each edge of the sheet, the longest texts,
// a sheet of one label as large as A4, and a sheet of one's own.
func TestSheets_ExtremesScan(t *testing.T) {
	known := label.Templates()
	parse := func(s string) label.Template {
		tpl, err := label.ParseTemplate(s)
		if err != nil {
			t.Fatal(err)
		}
		return tpl
	}
	one, two := []label.Content{longest()}, []label.Content{item(1), item(2)}
	for name, c := range map[string]struct {
		s      label.Sheets
		labels []label.Content
	}{
		"first":       {label.Sheets{Template: known[0], Start: 1}, one},
		"last":        {label.Sheets{Template: known[0], Start: 21}, one},
		"turns over":  {label.Sheets{Template: known[2], Start: 65}, two},
		"upper left":  {label.Sheets{Template: known[1], Start: 1, NudgeX: -4.65, NudgeY: -15.15}, one},
		"lower right": {label.Sheets{Template: known[3], Start: 12, NudgeX: 7.25, NudgeY: 4.5}, one},
		"whole A4":    {label.Sheets{Template: parse("w=210 h=297 nx=1 ny=1 left=0 top=0"), Start: 1}, one},
		"own":         {label.Sheets{Template: parse("w=52,5 h=29,7 nx=4 ny=10 left=0 top=0"), Start: 39}, two},
	} {
		t.Run(name, func(t *testing.T) {
			for _, dpi := range []int{300, 203} {
				scanSheets(t, c.s, c.labels, dpi)
			}
		})
	}
}

func TestSheets_TheSameLabelsAreTheSameBytes(t *testing.T) {
	labels := []label.Content{item(1), longest(), item(2)}
	s := label.Sheets{Template: label.Templates()[0], Start: 3}
	if !bytes.Equal(sheets(t, s, labels), sheets(t, s, labels)) {
		t.Error("two prints differ")
	}
}

// Labels of one print look alike, though letters of their codes are not equally wide; one that does not fit so is laid out anew.
func TestSeries_LabelsLookAlike(t *testing.T) {
	p := press(t)
	var labels []label.Content
	for i, code := range []string{"111-1J1-J11-1J1-11", "31E-K1E-3TW-XCK-2P", "MWM-WQW-MWQ-WMW-QM", "111-1J1-J11-1J1-11"} {
		labels = append(labels, item(i))
		labels[i].Lines[4].Text = code
	}
	s, err := p.Series(label.Size{W: 63.5, H: 38.1}, 600, labels)
	if err != nil {
		t.Fatal(err)
	}
	var first label.Layout
	for i, c := range labels {
		code := c.Lines[4].Text
		l, err := s.Lay(c)
		if err != nil {
			t.Fatal(err)
		}
		checkLayout(t, code, l, c)
		if i == 0 {
			first = l
		}
		if l.Module != first.Module || l.X != first.X || l.Texts[0].Em != first.Texts[0].Em {
			t.Errorf("%s: module of %v at %v, name of %v; the first label's are %v at %v and %v", code, l.Module, l.X, l.Texts[0].Em, first.Module, first.X, first.Texts[0].Em)
		}
	}
	l, err := s.Lay(longest())
	if err != nil {
		t.Fatal(err)
	}
	checkLayout(t, "longest", l, longest())
	if _, err := p.Series(label.Size{W: 1, H: 1}, 600, nil); err == nil {
		t.Error("a label of 1 mm passed")
	}
}

func TestSheets_TellProgressAndStop(t *testing.T) {
	labels := []label.Content{item(1), item(2), item(3)}
	ctx, stop := context.WithCancel(t.Context())
	var told []int
	s := label.Sheets{Template: label.Templates()[0], Start: 1, At: printed, Progress: func(done, all int) {
		told = append(told, done, all)
		if done == 2 {
			stop()
		}
	}}
	var b bytes.Buffer
	if err := press(t).WriteSheets(ctx, &b, s, labels); !errors.Is(err, context.Canceled) || b.Len() > 0 {
		t.Errorf("%v and %d bytes, want to be stopped with none", err, b.Len())
	}
	if !slices.Equal(told, []int{1, 3, 2, 3}) {
		t.Errorf("told %v", told)
	}
}

func TestSheets_RefuseWhatDoesNotFit(t *testing.T) {
	good := label.Sheets{Template: label.Templates()[0], Start: 1, At: printed}
	for name, change := range map[string]func(*label.Sheets) int{
		"start 0":   func(s *label.Sheets) int { s.Start = 0; return 1 },
		"start 22":  func(s *label.Sheets) int { s.Start = 22; return 1 },
		"nudge":     func(s *label.Sheets) int { s.NudgeX = -7.3; return 1 },
		"nudge NaN": func(s *label.Sheets) int { s.NudgeY = math.NaN(); return 1 },
		"none":      func(*label.Sheets) int { return 0 },
		"too many":  func(*label.Sheets) int { return label.MaxLabels + 1 },
		"template":  func(s *label.Sheets) int { s.Template.DX = 10; return 1 },
	} {
		s := good
		n := change(&s)
		var b bytes.Buffer
		if err := press(t).WriteSheets(t.Context(), &b, s, slices.Repeat([]label.Content{item(1)}, n)); err == nil || b.Len() > 0 {
			t.Errorf("%s passed", name)
		}
	}
}

func TestParseTemplate_FaultsSayWhatAndHow(t *testing.T) {
	const own = "w=63.5 h=38.1 nx=3 ny=7 left=7.25 top=15.15 dx=66 dy=38.1"
	if got, err := label.ParseTemplate("l7160"); err != nil || got != label.Templates()[0] {
		t.Errorf("%+v, %v", got, err)
	}
	comma := strings.NewReplacer(".", ",", " ", "; ").Replace(own)
	for _, s := range []string{own, comma, strings.ReplaceAll(own, " ", ", ")} {
		got, err := label.ParseTemplate(s)
		want := label.Templates()[0]
		want.Name = ""
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{
		"L9999":      "L7160",
		"w=63.5":     "says nothing of h",
		own + " w=1": "once",
		own + " z=1": `"z=1"`,
		strings.Replace(own, "dx=66", "dx=NaN", 1):      "number",
		strings.Replace(own, "dx=66", "dx=60", 1):       "overlap",
		strings.Replace(own, "dx=66", "dx=75", 1):       "10.75 mm too much",
		strings.Replace(own, "top=15.15", "top=35", 1):  "4.7 mm too much",
		strings.Replace(own, "left=7.25", "left=-1", 1): "0 or more",
		strings.Replace(own, "nx=3", "nx=0", 1):         "1 to 50",
		strings.Replace(own, "w=63.5", "w=5", 1):        "10 to 300 mm a side",
		strings.Repeat("w=1 ", 60):                      "at most 200",
	} {
		if _, err := label.ParseTemplate(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want it to say %q", s, err, want)
		}
	}
}

// What is taken fits A4, and reads back as itself.
func FuzzParseTemplate(f *testing.F) {
	for _, t := range label.Templates() {
		f.Add(t.Name)
		t.Name = ""
		f.Add(t.String())
	}
	f.Add("w=1e308 h=38,1; nx=3 ny=7 left=-0 top=1 dx=Inf")
	f.Fuzz(func(t *testing.T, s string) {
		tpl, err := label.ParseTemplate(s)
		if err != nil {
			return
		}
		if again, err := label.ParseTemplate(tpl.String()); err != nil || again != tpl {
			t.Errorf("%q: %+v reads back as %+v, %v", s, tpl, again, err)
		}
		x, y := tpl.At(tpl.Slots() - 1)
		if x+tpl.Label.W > 210.02 || y+tpl.Label.H > 297.02 || tpl.Left < -0.011 || tpl.Top < -0.011 {
			t.Errorf("%q leaves the sheet: %+v", s, tpl)
		}
	})
}

func board() label.Board {
	return label.Board{
		URL: "https://tx.chilangbac.vn/p/7K3PNX9DX", Name: "Ao 3 – Đồng Trước", Code: "7K3P-NX9D-X",
		Hint: "Quét bằng máy ảnh điện thoại", Coop: "HTX Nông nghiệp Phú Khê",
	}
}

func TestBoards_ScanAndSayTheName(t *testing.T) {
	long := board()
	long.Name = "Vườn thuốc nam của bà Nguyễn Thị Quỳnh Phượng ở thôn Trường Khoái giáp mương Đồng Xuyên"
	boards := []label.Board{board(), long}
	var b bytes.Buffer
	if err := press(t).WriteBoards(t.Context(), &b, "Biển ao", printed, boards); err != nil {
		t.Fatal(err)
	}
	for _, dpi := range []int{100, 203} {
		all := pages(t, b.Bytes(), dpi)
		if len(all) != 2 {
			t.Fatalf("%d pages, want 2", len(all))
		}
		for i, page := range all {
			file := cut(t, fmt.Sprintf("board-%d-at-%d.png", i, dpi), page, dpi, 0, 0, label.Size{W: 210, H: 297})
			compare(t, []string{file}, []string{boards[i].URL})
		}
	}
	file := save(t, "b.pdf", b.Bytes())
	text, err := exec.CommandContext(t.Context(), parttest.Tool(t, "pdftotext"), "-layout", file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Ao 3", "Đồng", "Trước", "7K3P-NX9D-X", "Quét bằng máy ảnh điện thoại", "Phượng"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
}

func TestBoards_KeepTheirRules(t *testing.T) {
	l, err := press(t).LayBoard(board())
	if err != nil {
		t.Fatal(err)
	}
	if side := l.Module * float64(l.Code.Size()-8); side < 40 || l.Code.Level() < 'Q' && l.Code.Level() != 'H' {
		t.Errorf("code of %v mm, level %c: want 40 mm and Q", side, l.Code.Level())
	}
	for name, change := range map[string]func(*label.Board){
		"no name":   func(b *label.Board) { b.Name = "" },
		"long name": func(b *label.Board) { b.Name = strings.Repeat("Đồng Trước ", 18) },
		"long coop": func(b *label.Board) { b.Coop = strings.Repeat("M", 119) },
		"url":       func(b *label.Board) { b.URL = "HTTP://A" },
	} {
		b := board()
		change(&b)
		if _, err := press(t).LayBoard(b); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestCalibration_IsOnePageWithEveryLabel(t *testing.T) {
	for _, tpl := range label.Templates() {
		var b bytes.Buffer
		w := label.CalibrationWords{Title: "Trang căn chỉnh", How: []string{"In ở 100 %.", "Soi lên tờ nhãn."}}
		if err := press(t).WriteCalibration(&b, label.Sheets{Template: tpl, Start: 1, At: printed}, w); err != nil {
			t.Fatal(err)
		}
		if all := pages(t, b.Bytes(), 60); len(all) != 1 {
			t.Errorf("%s: %d pages", tpl.Name, len(all))
		}
	}
}

// BenchmarkSheets_1000 prints 1,000 serials.
func BenchmarkSheets_1000(b *testing.B) {
	labels := make([]label.Content, 1000)
	for i := range labels {
		labels[i] = item(i)
	}
	p := press(b)
	for b.Loop() {
		var out bytes.Buffer
		if err := p.WriteSheets(b.Context(), &out, label.Sheets{Template: label.Templates()[0], Start: 1, At: printed}, labels); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(out.Len()), "bytes")
	}
}
