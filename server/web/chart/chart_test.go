package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"aovuon/server/web/chart"
)

var update = flag.Bool("update", false, "write the golden drawings anew")

func number(v float64) string {
	return strings.Replace(strconv.FormatFloat(v, 'f', 1, 64), ".", ",", 1)
}

func day() chart.Chart {
	from := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	c := chart.Chart{
		ID: "do", Title: "Ôxy hòa tan <Ao 1>", Desc: "Thấp nhất 3,1 & cao nhất 8,9 mg/L", From: from, To: from.Add(24 * time.Hour), Every: time.Hour,
		Number: number, NoData: "không có số liệu", MinSpan: 1,
		Limits: []chart.Line{{Value: 4, Label: "4,0 TCVN"}, {Value: 30, Above: true, Label: "30"}},
	}
	for h := range 24 {
		if h >= 8 && h < 16 || h == 20 {
			continue
		}
		v := 6 - 3*math.Cos(float64(h-4)*math.Pi/12)
		c.Steps = append(c.Steps, chart.Step{Start: from.Add(time.Duration(h) * time.Hour), Min: v - 0.4, Mean: v, Max: v + 0.4})
	}
	for h := 0; h <= 24; h += 6 {
		at := from.Add(time.Duration(h) * time.Hour)
		c.Ticks = append(c.Ticks, chart.Tick{At: at, Label: at.Format("15:04")})
	}
	return c
}

func TestSVG_Golden(t *testing.T) {
	empty := day()
	empty.Steps = nil
	one := day()
	one.Steps = one.Steps[3:4]
	for name, c := range map[string]chart.Chart{"day": day(), "empty": empty, "one": one, "rich": rich(), "several": several()} {
		got := c.SVG()
		file := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSVG_GapsAreGaps(t *testing.T) {
	svg := day().SVG()
	if got := strings.Count(svg, `class="line"`); got != 3 {
		t.Errorf("%d lines, want 3: the line must break where values are missing", got)
	}
	if got := strings.Count(svg, `class="gap"`); got != 2 {
		t.Errorf("%d gaps, want 2", got)
	}
	if strings.Count(svg, "không có số liệu") != 1 {
		t.Error("the wide gap says nothing, or the narrow one says too much")
	}
}

func TestSVG_LimitsAreDrawnWhenTheyCanBeSeen(t *testing.T) {
	if svg := day().SVG(); strings.Count(svg, `class="lim"`) != 1 || strings.Count(svg, `class="out"`) != 1 {
		t.Error("want the limit 4 drawn and the limit 30, far from every value, left out")
	}
}

// Whatever comes in, what goes out is XML within the drawing, with no style attribute.
func TestSVG_IsAlwaysWellFormed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := day()
		c.Steps = nil
		at := c.From
		for range rapid.IntRange(0, 40).Draw(t, "n") {
			at = at.Add(time.Duration(rapid.IntRange(1, 5).Draw(t, "skip")) * c.Every)
			v := rapid.Float64Range(-1e5, 1e5).Draw(t, "v")
			c.Steps = append(c.Steps, chart.Step{Start: at, Min: v, Mean: v + 1, Max: v + 2})
		}
		c.Title = rapid.String().Draw(t, "title")
		c.Title = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0xfffe || r == 0xffff {
				return -1
			}
			return r
		}, c.Title)
		svg := c.SVG()
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") || strings.Contains(svg, "style=") {
			t.Fatal(svg)
		}
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatalf("%v\n%s", err, svg)
			}
		}
	})
}

func TestSpark_BreaksAtGaps(t *testing.T) {
	c := day()
	s := chart.Spark(c.From, c.To, c.Every, c.Steps, 1)
	if strings.Count(s, "M") != 3 || !strings.Contains(s, `aria-hidden="true"`) {
		t.Error(s)
	}
	if chart.Spark(c.From, c.To, c.Every, c.Steps[:1], 1) != "" {
		t.Error("a line of one point")
	}
}

// rich is a drawing with everything: several limits, lanes of every kind.
func rich() chart.Chart {
	c := day()
	c.Limits = []chart.Line{{Value: 4, Label: "ngưỡng 4,0"}, {Value: 3, Crit: true, Label: "ngưỡng 3,0"}}
	at := func(h, m int) time.Time { return c.From.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) }
	c.Lanes = []chart.Lane{
		{Label: "Báo động: 2 lần", Bars: []chart.Bar{{From: at(3, 0), To: at(5, 10), Share: 1, Class: "danger"}, {From: at(20, 0), To: at(20, 1), Share: 0.6, Class: "warned"}, {From: at(22, 0), To: at(40, 0), Share: .6, Class: "lost"}}},
		{Label: "Quạt nước: chạy 4 giờ 30 phút", Bars: []chart.Bar{{From: at(2, 0), To: at(3, 0), Share: .5, Class: "run"}, {From: at(3, 0), To: at(7, 0), Share: 1, Class: "run"}, {From: at(-3, 0), To: at(-2, 0), Share: 1, Class: "run"}}},
		{Label: "Nhật ký: 5 việc", Marks: []chart.Mark{{At: at(6, 30), Small: true}, {At: at(9, 0), Text: "1"}, {At: at(9, 20), Text: "2"}, {At: at(17, 30), Small: true}, {At: at(23, 59), Text: "3"}, {At: at(50, 0), Text: "4"}}},
	}
	return c
}

// several compares three ponds.
func several() chart.Chart {
	c := day()
	for i, letter := range []string{"A", "B", "C"} {
		steps := slices.Clone(c.Steps)
		for k := range steps {
			steps[k].Mean += float64(i) - 0.6*float64(i*i)
		}
		c.Courses = append(c.Courses, chart.Course{Letter: letter, Steps: steps})
	}
	c.Steps = nil
	return c
}

func TestPNG_IsThePictureOfTheDrawing(t *testing.T) {
	for name, c := range map[string]chart.Chart{"rich": rich(), "several": several(), "empty": {Number: number}} {
		p := chart.Picture{
			Chart: c, Heading: "Ôxy hòa tan (mg/L) · Ao 1", Lines: []string{"Từ 23/11/2026 00:00 đến 24/11/2026 00:00", c.Desc + strings.Repeat(" từ rất dài", 12)},
			Foot: "HTX Phú Khê · vẽ lúc 24/11/2026 07:40",
		}
		var b bytes.Buffer
		if err := p.PNG(&b); err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("AOVUON_SCREENSHOTS"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, "chart-"+name+".png"), b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		img, err := png.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		if w := img.Bounds().Dx(); w != 1080 {
			t.Errorf("%s: %d pixels wide, want 1080", name, w)
		}
		if name != "rich" {
			continue
		}
		seen := map[color.NRGBA]bool{}
		for y := 0; y < img.Bounds().Dy(); y += 2 {
			for x := range 1080 {
				seen[color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)] = true
			}
		}
		for what, want := range map[string]color.NRGBA{
			"line": {0x0b, 0x5f, 0x86, 0xff}, "limit": {0x8d, 0x0f, 0x1c, 0xff}, "diary": {0x07, 0x54, 0x3d, 0xff}, "warning": {0x6b, 0x3a, 0, 0xff},
		} {
			if !seen[want] {
				t.Errorf("nothing is drawn of the %s", what)
			}
		}
	}
}
