package week_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/firmware-sim/week"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

const seed = 952

func begin() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.FixedZone("+07", 7*3600)) }

func newWorld(t *testing.T, actions ...world.Action) *world.World {
	t.Helper()
	w, err := world.New(world.Options{Seed: seed, Begin: begin(), Actions: actions, Places: []world.Place{
		{ID: "ao1", Kind: world.Pond}, {ID: "khoai1", Kind: world.Plot, Crop: "herb"}, {ID: "say1", Kind: world.Room},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func draw(t *testing.T, w *world.World, place, lang string) string {
	t.Helper()
	svg, err := week.Draw(week.Options{World: w, Seed: seed, Place: place, From: begin().AddDate(0, 0, 2), Days: 7, Lang: lang})
	if err != nil {
		t.Fatal(err)
	}
	return string(svg)
}

// texts are the texts of an SVG, which must be well-formed XML.
func texts(t *testing.T, svg string) (list []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	inside := false
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return list
		case err != nil:
			t.Fatalf("no well-formed XML: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			inside = x.Name.Local == "text"
		case xml.CharData:
			if inside {
				list = append(list, string(x))
			}
		case xml.EndElement:
			inside = false
		}
	}
}

func TestDraw_HasWhatPeopleLookFor(t *testing.T) {
	w := newWorld(t, world.Action{At: begin().AddDate(0, 0, 3), Kind: world.Rainfall, Amount: 60, For: 6 * time.Hour},
		world.Action{At: begin().AddDate(0, 0, 4), Place: "khoai1", Kind: world.Irrigate, Amount: 20, For: 2 * time.Hour})
	for place, want := range map[string][]string{
		"ao1":    {"ao1, từ 03/07/2026 đến 09/07/2026", "03/07", "09/07", "Nhiệt độ", "lớp nước trên (°C)", "lớp nước đáy (mg/L)", "bão hòa (mg/L)", "pH", "tổng amoniac (TAN) (mg/L)", "độ đục (NTU)", "mưa mỗi giờ (mm)", "nắng đo được (W/m²)", "7,5"},
		"khoai1": {"tưới mỗi giờ (mm)", "sâu 5 cm (%)", "sâu 80 cm (%)", "sức chứa ẩm đồng ruộng", "độ ẩm (%)", "ẩm từ 90 %", "sâu 20 cm (µS/cm)"},
		"say1":   {"trong nhà sấy (°C)", "ẩm của hàng (%)", "khối lượng hàng (kg)"},
	} {
		svg := draw(t, w, place, "vi")
		have := texts(t, svg)
		for _, text := range want {
			if !slices.Contains(have, text) {
				t.Errorf("%s: no %q among %q", place, text, have)
			}
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: something is nowhere", place)
		}
		if n := strings.Count(svg, `class="night"`); n < 7*8/2 {
			t.Errorf("%s: %d nights", place, n)
		}
		inside(t, place, svg)
	}
}

// inside checks that curves stay in their pictures, and that the drawing has room for all.
func inside(t *testing.T, place, svg string) {
	t.Helper()
	frames := regexp.MustCompile(`class="frame" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"`).FindAllStringSubmatch(svg, -1)
	groups := strings.Split(svg, "<g>")[1:]
	if len(frames) != len(groups) {
		t.Fatalf("%s: %d pictures, %d frames", place, len(groups), len(frames))
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for i, f := range frames {
		x, y, width, high := number(f[1]), number(f[2]), number(f[3]), number(f[4])
		for _, line := range regexp.MustCompile(`points="([^"]*)"`).FindAllStringSubmatch(groups[i], -1) {
			for p := range strings.FieldsSeq(line[1]) {
				px, py, _ := strings.Cut(p, ",")
				if px, py := number(px), number(py); px < x-0.1 || px > x+width+0.1 || py < y-0.1 || py > y+high+0.1 {
					t.Fatalf("%s: picture %d: a curve is at %g, %g", place, i, px, py)
				}
			}
		}
	}
}

// The bars of a rain and of an irrigation are as much water as was given.
func TestDraw_BarsAreTheWater(t *testing.T) {
	w := newWorld(t, world.Action{At: begin().AddDate(0, 0, 4), Place: "khoai1", Kind: world.Irrigate, Amount: 20, For: 2 * time.Hour})
	sum := 0.0
	for at := begin().AddDate(0, 0, 4).Add(-time.Hour); at.Before(begin().AddDate(0, 0, 4).Add(4 * time.Hour)); at = at.Add(5 * time.Minute) {
		v, err := w.Value("khoai1", world.Irrigation, at.Add(150*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		sum += v / 12
	}
	if sum < 18.5 || sum > 21.5 {
		t.Errorf("%.2f mm, of 20", sum)
	}
}

// An empty room has no moisture of goods: its curve has gaps.
func TestDraw_NothingIsNotDrawn(t *testing.T) {
	svg := draw(t, newWorld(t), "say1", "vi")
	if n := strings.Count(svg, `class="line g" points`); n < 5 || n > 7 {
		t.Errorf("the moisture of goods has %d stretches; they are loaded six times a week", n)
	}
}

// The layers that are drawn are those of the same pond: the probe's own depth gives what its probe says.
func TestDraw_LayersAreOfTheSameWorld(t *testing.T) {
	one, err := world.New(world.Options{Seed: seed, Begin: begin(), Places: []world.Place{{ID: "ao1", Kind: world.Pond, Probe: 0.5}}})
	if err != nil {
		t.Fatal(err)
	}
	at := begin().AddDate(0, 0, 5)
	a, err1 := one.Value("ao1", measure.DissolvedOxygen, at)
	b, err2 := newWorld(t).Value("ao1", measure.DissolvedOxygen, at)
	if err := errors.Join(err1, err2); err != nil || a != b {
		t.Errorf("%g and %g, %v", a, b, err)
	}
	if first, again := draw(t, newWorld(t), "ao1", "vi"), draw(t, newWorld(t), "ao1", "vi"); first != again {
		t.Error("the same week is drawn in two ways")
	}
}

func TestDraw_RefusesWhatCannotBe(t *testing.T) {
	w := newWorld(t)
	good := week.Options{World: w, Seed: seed, Place: "ao1", From: begin(), Days: 7, Lang: "vi"}
	for mend, change := range map[string]func(*week.Options){
		"want one of ao1": func(o *week.Options) { o.Place = "ao9" }, "want 1 to 31": func(o *week.Options) { o.Days = 32 },
		"earlier begin": func(o *week.Options) { o.From = begin().AddDate(0, 0, -1) }, "want one of [vi en]": func(o *week.Options) { o.Lang = "fr" },
	} {
		o := good
		change(&o)
		if _, err := week.Draw(o); err == nil || !strings.Contains(err.Error(), mend) {
			t.Errorf("want %q: %v", mend, err)
		}
	}
}

// Both languages have the same keys, each of them is drawn, and nothing is drawn that has no words.
func TestLocales_HaveTheSameKeysAndEachIsUsed(t *testing.T) {
	keys := map[string][]string{}
	for _, lang := range []string{"vi", "en"} {
		raw, err := os.ReadFile("locales/" + lang + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]string
		if err := yaml.Unmarshal(raw, &all); err != nil {
			t.Fatal(err)
		}
		for k := range all {
			keys[lang] = append(keys[lang], k)
		}
		slices.Sort(keys[lang])
	}
	if !slices.Equal(keys["vi"], keys["en"]) {
		t.Errorf("%q\n%q", keys["vi"], keys["en"])
	}
	var code bytes.Buffer
	for _, file := range []string{"week.go", "panels.go", "svg.go"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(raw)
	}
	for _, k := range keys["vi"] {
		short := k
		for _, prefix := range []string{"panel.", "curve.", "mark."} {
			short = strings.TrimPrefix(short, prefix)
		}
		if !strings.Contains(code.String(), `"`+short+`"`) {
			t.Errorf("nothing draws %s", k)
		}
	}
	for _, place := range []string{"ao1", "khoai1", "say1"} {
		for _, text := range texts(t, draw(t, newWorld(t), place, "en")) {
			if strings.HasPrefix(text, "curve.") || strings.HasPrefix(text, "panel.") || strings.HasPrefix(text, "mark.") {
				t.Errorf("%s has no words", text)
			}
		}
	}
}
