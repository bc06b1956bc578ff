package locator_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"aovuon/server/privacy"
	"aovuon/server/web/locator"
)

func rough(t *testing.T, at ...[2]float64) (out []privacy.Rough) {
	t.Helper()
	for _, a := range at {
		r, ok := privacy.Roughen(a[0], a[1])
		if !ok {
			t.Fatal(a)
		}
		out = append(out, r)
	}
	return out
}

func TestSVG_MarksTheCellAndNothingNearer(t *testing.T) {
	m := locator.Map{ID: "m", Title: "Nơi <nuôi>", Desc: "Ao 1", Scale: "mỗi ô khoảng 1 km", Here: rough(t, [2]float64{20.769, 106.238}), Others: rough(t, [2]float64{20.7719, 106.242}, [2]float64{20.9, 107})}
	svg := m.SVG()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("no XML: %v", err)
		}
	}
	for _, want := range []string{"Nơi &lt;nuôi&gt;", "Hoàng Sa", "Trường Sa", "mỗi ô khoảng 1 km", `class="mine" d="M270.4 62.4h27.2v27.2h-27.2z"`, `class="coops" d="M297.6 35.2`} {
		if !strings.Contains(svg, want) {
			t.Errorf("has no %q in\n%s", want, svg)
		}
	}
	// Whoever moves within the cell is drawn the same.
	m.Here = rough(t, [2]float64{20.7601, 106.2399})
	if m.SVG() != svg {
		t.Error("the drawing tells where in the cell it is")
	}
	if (locator.Map{}).SVG() != "" {
		t.Error("something is drawn of nowhere")
	}
}
