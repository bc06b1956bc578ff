package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/web/chart"
)

// evening is a night of which the first ten hours were measured, with a hole, and the rest is foretold.
func evening(end float64) chart.Night {
	from := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	at := func(h float64) time.Time { return from.Add(time.Duration(h * float64(time.Hour))) }
	n := chart.Night{
		Chart: chart.Chart{
			ID: "night", Title: "Ôxy <Ao 1>", Desc: "đã đo & dự báo", From: from, To: at(20), Every: time.Hour, Number: number, NoData: "không có số liệu", MinSpan: 2,
			Limits: []chart.Line{{Value: 4, Label: "bật quạt 4,0"}}, Ticks: []chart.Tick{{At: from, Label: "12:00"}, {At: at(12), Label: "00:00"}},
		},
		Now: at(10), Mark: at(13), Label: "bật quạt 01:00", Aired: []chart.Period{{From: at(1), To: at(2)}},
	}
	for h := range 10 {
		if h == 4 || h == 5 {
			continue
		}
		v := 9 - 0.3*float64(h)
		n.Steps = append(n.Steps, chart.Step{Start: at(float64(h)), Min: v, Mean: v, Max: v})
	}
	for i := range 9 {
		mid := 6 + (end-6)*float64(i)/8
		n.Ahead = append(n.Ahead, chart.Ahead{At: at(10 + float64(i)), Low: mid - 0.1*float64(i), Mid: mid, High: mid + 0.1*float64(i)})
	}
	return n
}

func TestNight_Golden(t *testing.T) {
	early := evening(3)
	early.Ahead, early.Mark = nil, time.Time{}
	for name, n := range map[string]chart.Night{"night": evening(3), "night-early": early} {
		got := n.SVG()
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

// What is still to come is no gap, and oxygen below nothing ends at the foot of the drawing.
func TestNight_TheFutureIsNoGap(t *testing.T) {
	svg := evening(-3).SVG()
	if n := strings.Count(svg, `class="gap"`); n != 1 {
		t.Errorf("%d gaps, want that of two hours in the evening", n)
	}
	if strings.Contains(svg, `>-`) || strings.Contains(svg, `>−`) {
		t.Error("a concentration below nothing on the axis")
	}
	for _, class := range []string{"aired", "sure", "fore", "at", "todo", "lim"} {
		if !strings.Contains(svg, `class="`+class+`"`) {
			t.Errorf("no %s", class)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
