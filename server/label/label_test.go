package label_test

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aovuon/server/label"
	"aovuon/server/parttest"
)

// The addresses a co-op prints: a short one, the demo's, the longest path of a Digital Link, and one with characters that
// must stay as they are.
func urls() []string {
	return []string{
		"https://htx.vn/p/7K3PNX9DX",
		"http://localhost:8080/01/09521234010036/10/AO1-261123",
		"https://truyxuat.htxchilangbac.com.vn/01/09521234010036/10/CA-260412-03-ABCDEFG/21/7K3QPX9D4M2WHABCDEFG",
		"https://tx.example.vn/01/09521234010036/10/A%2FB%2Bc?lang=en",
	}
}

// scan reads a picture with zbar and returns what it says.
func scan(t *testing.T, picture []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "qr.png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "zbarimg"), "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("zbarimg reads nothing: %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func TestPNG_ScansToTheExactURL(t *testing.T) {
	for _, u := range urls() {
		c, err := label.New(u)
		if err != nil {
			t.Fatal(err)
		}
		for _, scale := range []int{3, 8} {
			p, err := c.PNG(scale)
			if err != nil {
				t.Fatal(err)
			}
			if got := scan(t, p); got != u {
				t.Errorf("scale %d: scanned %q, want %q", scale, got, u)
			}
		}
	}
}

// What Chromium draws of the SVG, much larger than its own size, scans too.
func TestSVG_RenderedScansToTheExactURL(t *testing.T) {
	chromium := parttest.Chromium(t)
	for _, u := range urls() {
		c, err := label.New(u)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		page := `<!doctype html><body style="margin:0;background:#fff"><div style="width:333px">` + string(c.SVG(u)) + `</div>`
		if err := os.WriteFile(filepath.Join(dir, "qr.html"), []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		shot := filepath.Join(dir, "shot.png")
		args := append(parttest.ChromiumFlags(t), "--hide-scrollbars", "--window-size=400,400", "--screenshot="+shot, "file://"+dir+"/qr.html")
		if out, err := exec.CommandContext(t.Context(), chromium, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		p, err := os.ReadFile(shot)
		if err != nil {
			t.Fatal(err)
		}
		if got := scan(t, p); got != u {
			t.Errorf("scanned %q, want %q", got, u)
		}
	}
}

// The terminal's half blocks, painted as a dark terminal would, scan as well.
func TestTerminal_ScansToTheExactURL(t *testing.T) {
	for _, u := range urls() {
		c, err := label.New(u)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(c.Terminal(false), "\n"), "\n")
		const cell = 4
		img := image.NewGray(image.Rect(0, 0, c.Size()*cell, len(lines)*2*cell))
		for y, line := range lines {
			for x, r := range []rune(line) {
				for half, lit := range []bool{r == '█' || r == '▀', r == '█' || r == '▄'} {
					for i := range cell * cell {
						if lit {
							img.SetGray(x*cell+i%cell, (2*y+half)*cell+i/cell, color.Gray{Y: 255})
						}
					}
				}
			}
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if got := scan(t, b.Bytes()); got != u {
			t.Errorf("scanned %q, want %q", got, u)
		}
		if plain := strings.NewReplacer("\x1b[38;5;231;48;5;16m", "", "\x1b[0m", "").Replace(c.Terminal(true)); plain != c.Terminal(false) {
			t.Error("colours change the code")
		}
	}
}

func TestSVG_IsOnePathAndSafe(t *testing.T) {
	c, err := label.New(urls()[1])
	if err != nil {
		t.Fatal(err)
	}
	svg := c.SVG(`</title><script>alert(1)</script>&`)
	if err := xml.Unmarshal(svg, new(struct{})); err != nil {
		t.Errorf("no XML: %v", err)
	}
	if s := string(svg); strings.Contains(s, "<script") || strings.Contains(s, "<image") || strings.Count(s, "<path") != 2 || strings.Contains(s, "style=") {
		t.Errorf("%.300s", svg)
	}
}

func TestCode_HasAQuietZoneAndGS1sSize(t *testing.T) {
	c, err := label.New("https://tx.chilangbac.vn/01/09521234010036/10/CA-260412-03") // 58 characters at M: version 4
	if err != nil {
		t.Fatal(err)
	}
	if c.Size() != 33+8 {
		t.Errorf("%d modules a side, want 33 and a quiet zone of 4", c.Size())
	}
}

func TestNew_RefusesWhatNoPhoneOpens(t *testing.T) {
	for _, u := range []string{"", "HTTPS://HTX.VN/A", "ftp://x", "javascript:alert(1)", "https://x/" + strings.Repeat("a", 300)} {
		if _, err := label.New(u); err == nil {
			t.Errorf("%.30q passed", u)
		}
	}
	c, err := label.New("https://htx.vn/a")
	if err != nil {
		t.Fatal(err)
	}
	for _, scale := range []int{-1, 0, 65} {
		if _, err := c.PNG(scale); err == nil {
			t.Errorf("scale %d passed", scale)
		}
	}
}
