package web_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/parttest"
	"aovuon/server/trace"
	"aovuon/server/web"
)

// printOf is the address of a print of the demo's lot.
func (w *town) printOf(path string, more ...string) string {
	q := url.Values{"link": {w.demo.Lot.Link().Path()}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return path + "?" + q.Encode()
}

// codesOf reads every code of a file.
func codesOf(t *testing.T, name string, body []byte) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, body, 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(name, ".pdf") {
		picture := strings.TrimSuffix(file, ".pdf")
		if out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "pdftoppm"), "-r", "200", "-gray", "-png", "-singlefile", file, picture).CombinedOutput(); err != nil {
			t.Fatalf("pdftoppm: %v %s", err, out)
		}
		file = picture + ".png"
	}
	out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "zbarimg"), "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("%s: zbarimg reads nothing: %v", name, err)
	}
	return strings.Fields(string(out))
}

func TestPrint_FilesSayTheLotsAddress(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	want := "https://tx.example.vn" + w.demo.Lot.Link().Path()
	pdf := w.as(account.Technician, http.MethodGet, w.printOf("/labels/sheet.pdf", "sheet", "L7164", "start", "12", "n", "1"), nil, nil)
	if pdf.status != http.StatusOK || pdf.header.Get("Content-Type") != "application/pdf" || !strings.Contains(pdf.header.Get("Content-Disposition"), "nhan-") {
		t.Fatalf("%d %v", pdf.status, pdf.header)
	}
	if got := codesOf(t, "sheet.pdf", pdf.body); len(got) != 1 || got[0] != want {
		t.Errorf("the sheet reads %q, want %q", got, want)
	}
	png := w.as(account.Technician, http.MethodGet, w.printOf("/labels/roll.png", "kg", "1,5", "best", "2026-12-31"), nil, nil)
	if got := codesOf(t, "roll.png", png.body); len(got) != 1 || got[0] != want {
		t.Errorf("the roll reads %q, want %q", got, want)
	}
	for printer, begin := range map[string]string{"zpl": "^XA", "tspl": "SIZE 50 mm,30 mm\r\n", "escpos": "\x1b@"} {
		if got := w.as(account.Technician, http.MethodGet, w.printOf("/labels/roll", "printer", printer), nil, nil); !bytes.HasPrefix(got.body, []byte(begin)) {
			t.Errorf("%s: %d %.40q", printer, got.status, got.body)
		}
	}
	board := w.as(account.Technician, http.MethodGet, "/labels/boards.pdf?place="+own, nil, nil)
	if got := codesOf(t, "board.pdf", board.body); len(got) != 1 || got[0] != "https://tx.example.vn/p/"+own {
		t.Errorf("the board reads %q", got)
	}
	if got := w.as(account.Technician, http.MethodGet, w.printOf("/labels/calibration.pdf"), nil, nil); !bytes.HasPrefix(got.body, []byte("%PDF")) {
		t.Errorf("calibration: %d %.60q", got.status, got.body)
	}
}

// What somebody typed wrong is told in words, and what was typed stays in the form.
func TestPrint_FaultsAreToldAndNothingIsLost(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for _, c := range []struct {
		more   []string
		status int
		want   string
	}{
		{nil, 200, "1 tờ"},
		{[]string{"start", "22"}, 200, "Tờ này chỉ có tem số 1 đến số 21."},
		{[]string{"start", "x", "kg", "2,5"}, 422, "Ô «Bắt đầu từ tem số» ghi chưa đúng"},
		{[]string{"n", "10001"}, 200, "Mỗi lần in từ 1 đến 10000 tem."},
		{[]string{"n", "0"}, 200, "Mỗi lần in từ 1 đến 10000 tem."},
		{[]string{"n", "22"}, 200, "2 tờ"},
		{[]string{"x", "-8"}, 200, "Dịch theo x quá nhiều"},
		{[]string{"kg", "-1"}, 422, "Ô «Khối lượng mỗi gói» ghi chưa đúng"},
		{[]string{"best", "mai"}, 422, "Hạn dùng"},
		{[]string{"sheet", "own", "own", "w=63,5"}, 422, "Khổ giấy ghi chưa đúng ở «h=»"},
		{[]string{"sheet", "own", "own", "w=63,5 h=38,1 nx=4 ny=7 left=7,25 top=15,15"}, 422, "vượt ra ngoài tờ A4 51,25 mm"},
		{[]string{"w", "20", "h", "20"}, 200, "quá nhỏ với máy in 203 dpi"},
		{[]string{"w", "120"}, 200, "Tem rộng hơn cuộn giấy: nhiều nhất 110 mm."},
		{[]string{"link", "/01/09521234010036/10/NOPE"}, 404, "Không có lô này."},
		{[]string{"link", "nonsense"}, 404, "Không có lô này."},
	} {
		got := w.as(account.Technician, http.MethodGet, w.printOf("/labels/lot", c.more...), nil, nil)
		if got.status != c.status || !strings.Contains(string(got.body), c.want) {
			t.Errorf("%v: %d, want %d and %q", c.more, got.status, c.status, c.want)
		}
		for i := 0; c.status != 404 && i+1 < len(c.more); i += 2 {
			if c.more[i] != "sheet" && c.more[i] != "n" && !strings.Contains(string(got.body), `value="`+c.more[i+1]+`"`) {
				t.Errorf("%v: %s is lost", c.more, c.more[i])
			}
		}
	}
	if got := w.as(account.Technician, http.MethodGet, w.printOf("/labels/sheet.pdf", "start", "22"), nil, nil); got.status != 422 || !strings.Contains(string(got.body), "tem số 1 đến số 21") {
		t.Errorf("file: %d %.200s", got.status, got.body)
	}
}

func TestPrint_ACodeReadOutFindsItsLot(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	short, err := w.demo.Lot.Link().Short()
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]string{
		strings.ToLower(web.SpokenCode(short)): w.demo.Lot.Code,
		short[:8] + "?":                        "đọc sai hoặc gõ sai",
		own:                                    "Không có lô nào mang mã",
		"":                                     web.SpokenCode(short),
	} {
		if got := w.as(account.Technician, http.MethodGet, "/labels?code="+url.QueryEscape(code), nil, nil); !strings.Contains(string(got.body), want) {
			t.Errorf("%q: %d, no %q", code, got.status, want)
		}
	}
}

func TestLotLabel_SaysWhatIsKnownAndIsRefusedForWhatIsHeld(t *testing.T) {
	d := trace.Dossier{
		Product: trace.Product{Name: farm.Text{VI: "Cá rô phi", EN: "Tilapia"}},
		Lot:     trace.Lot{GTIN: "09521234010036", Code: "AO1-261125", State: trace.Harvested, Harvested: time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)},
	}
	coop := farm.Coop{Name: farm.Text{VI: "HTX Phú Khê"}}
	for kg, want := range map[float64]string{0: "", 1.5: "Khối lượng: 1,5\u00a0kg", 0.25: "Khối lượng: 250\u00a0g", 10: "Khối lượng: 10\u00a0kg", 0.0005: "Khối lượng: 0,5\u00a0g"} {
		c, err := web.LotLabel("https://tx.example.vn/", coop, d, web.LabelAsk{KG: kg})
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, l := range c.Lines {
			lines = append(lines, l.Text)
		}
		all := strings.Join(lines, "|")
		if c.URL != "https://tx.example.vn/01/09521234010036/10/AO1-261125" || !strings.Contains(all, "Lô: AO1-261125|Thu hoạch: 25/11/2026") ||
			strings.Contains(all, "Khối lượng") != (want != "") || !strings.Contains(all, want) {
			t.Errorf("%v kg: %s %s", kg, c.URL, all)
		}
	}
	for _, state := range []trace.State{trace.Held, trace.Recalled, trace.Void} {
		d.Lot.State = state
		if _, err := web.LotLabel("https://tx.example.vn", coop, d, web.LabelAsk{}); err == nil {
			t.Errorf("a lot that is %s has a label", state)
		}
	}
	if len(label.Templates()) == 0 {
		t.Error("no sheets")
	}
}

func TestBrowser_Print(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Technician)
	for name, path := range map[string]string{"labels": "/labels", "labels-lot": w.printOf("/labels/lot", "start", "5", "kg", "1,5"), "labels-small": w.printOf("/labels/lot", "w", "20", "h", "20")} {
		for _, shade := range []string{"light", "dark"} {
			for screen, view := range map[string]step{"phone": phone(), "desk": desk()} {
				b.do(name, view, scheme(shade))
				visit(b, view, w.srv.URL+path)
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", name, shade, screen, complaints)
				}
				if wide := ask1(b, name, evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s: wider than the screen", name, screen)
				}
				if shade == "light" {
					shoot(b, name+"-"+screen)
				}
			}
		}
	}
}
