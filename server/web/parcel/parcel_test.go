package parcel_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"aovuon/server/web/parcel"
)

func metres(m float64) string { return fmt.Sprint(m, " m") }

func square(lat, lon, side float64) [][2]float64 {
	return [][2]float64{{lat, lon}, {lat, lon + side}, {lat - side, lon + side}, {lat - side, lon}}
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v: %s", err, svg)
		}
	}
}

func TestMap_DrawsPlacesNorthUpToScale(t *testing.T) {
	m := parcel.Map{ID: "m", Title: "Khu ao", Desc: "2 ao", Metres: metres, North: "Bắc", Shapes: []parcel.Shape{
		{Corners: square(20.770, 106.238, 0.001), State: "danger", Label: "Ao 1", Title: `Ao 1: "nguy" <hiểm>`, Href: "/places/A?x=1&y=2"},
		{Corners: square(20.770, 106.240, 0.001), State: "fine", Label: "Ao 2", Title: "Ao 2: ổn", Href: "/places/B"},
		{State: "lost", Label: "Ao 3", Title: "Ao 3", Href: "/places/C"}, // never surveyed
	}}
	svg := m.SVG()
	wellFormed(t, svg)
	// Three thousandths of a degree east are 311.9 m at this latitude, over 340 units: 1.090 units a metre. A thousandth north is 111.2 m.
	for _, want := range []string{
		`viewBox="0 0 360 167.2"`, `class="parcel danger" d="M10 10L123.3 10L123.3 131.2L10 131.2z"`, `class="parcel fine" d="M236.7 10L350 10`,
		`href="/places/A?x=1&amp;y=2" aria-label="Ao 1: &#34;nguy&#34; &lt;hiểm&gt;"`, `href="#i-danger"`, `>Ao 1</text>`, `>50 m</text>`, `>Bắc</text>`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s in %s", want, svg)
		}
	}
	if strings.Contains(svg, "/places/C") {
		t.Error("a place is drawn that nobody surveyed")
	}
}

func TestMap_NothingToDraw(t *testing.T) {
	for _, m := range []parcel.Map{{}, {Metres: metres, Shapes: []parcel.Shape{{Corners: [][2]float64{{20, 106}, {20, 107}}}}}} {
		if got := m.SVG(); got != "" {
			t.Errorf("drew %s", got)
		}
	}
}

// A small place has no words that would lie over its neighbours, and a place alone does not fill the drawing.
func TestMap_RoomForWords(t *testing.T) {
	shapes := []parcel.Shape{{Corners: square(20.77, 106.2, 0.0001), State: "fine", Label: "Ao nhỏ", Title: "Ao nhỏ", Href: "/a"}}
	alone := parcel.Map{ID: "m", Metres: metres, Shapes: shapes}.SVG()
	if !strings.Contains(alone, ">Ao nhỏ</text>") || !strings.Contains(alone, `d="M150.5`) {
		t.Errorf("alone: %s", alone)
	}
	far := append(shapes, parcel.Shape{Corners: square(20.79, 106.22, 0.003), State: "fine", Label: "Ao lớn", Title: "Ao lớn", Href: "/b"})
	if svg := (parcel.Map{ID: "m", Metres: metres, Shapes: far}).SVG(); strings.Contains(svg, ">Ao nhỏ</text>") || strings.Count(svg, "<use") != 1 || !strings.Contains(svg, `aria-label="Ao nhỏ"`) {
		t.Errorf("beside a large one: %s", svg)
	}
}

func FuzzMap(f *testing.F) {
	f.Add(20.77, 106.2, 0.0, 0.0, "Ao")
	f.Add(90.0, 180.0, -90.0, -180.0, "<")
	f.Fuzz(func(t *testing.T, lat, lon, a, b float64, label string) {
		for _, v := range []float64{lat, lon, a, b} {
			if !(v >= -180 && v <= 180) {
				t.Skip()
			}
		}
		m := parcel.Map{ID: "m", Metres: metres, Shapes: []parcel.Shape{{Corners: [][2]float64{{lat, lon}, {a, lon}, {lat, b}}, State: "fine", Label: label, Title: label, Href: label}}}
		if svg := m.SVG(); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Error(svg)
		}
	})
}
