package farm_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aovuon/server/farm"
	"aovuon/server/privacy"
)

// at returns a point that lies x metres east and y metres north of a corner of the demo's first pond, on the sphere the package reckons with.
func at(t interface{ Fatal(...any) }, x, y float64) privacy.Point {
	const lat, lon, perDegree = 20.769, 106.238, 6371008.8 * math.Pi / 180
	p, err := privacy.NewPoint(lat+y/perDegree, lon+x/(perDegree*math.Cos(lat*math.Pi/180)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func box(t interface{ Fatal(...any) }, x0, y0, x1, y1 float64) farm.Outline {
	return farm.Outline{at(t, x0, y0), at(t, x1, y0), at(t, x1, y1), at(t, x0, y1)}
}

func TestOutline_AreaAndDistance(t *testing.T) {
	pond := box(t, 0, 0, 60, 70)
	if got := pond.AreaM2(); math.Abs(got-4200) > 1 {
		t.Errorf("area %v", got)
	}
	for name, c := range map[string]struct {
		other farm.Outline
		want  float64
	}{
		"beside":              {box(t, 100, 10, 120, 20), 40},
		"across a corner":     {box(t, 90, 110, 120, 120), 50}, // 30 east, 40 north
		"touching":            {box(t, 60, 0, 80, 10), 0},
		"within":              {box(t, 10, 10, 20, 20), 0},
		"around":              {box(t, -10, -10, 200, 200), 0},
		"crossing":            {box(t, -10, 30, 100, 40), 0}, // no corner of either lies in the other
		"itself":              {pond, 0},
		"a corner at an edge": {farm.Outline{at(t, 80, 35), at(t, 120, 0), at(t, 120, 70)}, 20},
	} {
		for _, turned := range []bool{false, true} {
			a, b := pond, c.other
			if turned {
				a, b = b, a
			}
			if got, ok := a.DistanceM(b); !ok || math.Abs(got-c.want) > 0.1 {
				t.Errorf("%s (turned %v): %v, %v, want %v", name, turned, got, ok, c.want)
			}
		}
	}
	if _, ok := pond.DistanceM(nil); ok {
		t.Error("a distance to nowhere")
	}
	if _, ok := farm.Outline(nil).DistanceM(pond); ok {
		t.Error("a distance from nowhere")
	}
}

func TestOutline_DistanceIsTheSameBothWays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) farm.Outline {
			x, y := rapid.Float64Range(-500, 500).Draw(t, name+"x"), rapid.Float64Range(-500, 500).Draw(t, name+"y")
			return box(t, x, y, x+rapid.Float64Range(1, 300).Draw(t, name+"w"), y+rapid.Float64Range(1, 300).Draw(t, name+"h"))
		}
		a, b := draw("a"), draw("b")
		ab, _ := a.DistanceM(b)
		ba, _ := b.DistanceM(a)
		if math.Abs(ab-ba) > 0.2 {
			t.Fatalf("%v one way, %v the other", ab, ba)
		}
	})
}

func TestDemo_ItsOutlinesEncloseItsAreas(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range f.Places {
		if got := p.Outline.AreaM2(); math.Abs(got-p.AreaM2) > 0.03*p.AreaM2 {
			t.Errorf("%s: %v m² within, %v said", p.Name, got, p.AreaM2)
		}
		for _, q := range f.Places[:i] {
			if m, ok := p.Outline.DistanceM(q.Outline); !ok || m < 1 {
				t.Errorf("%s and %s are %v m apart", p.Name, q.Name, m)
			}
		}
	}
	ao4, _ := f.Place("E8SG6VC0T")
	khoai1, _ := f.Place("WW08G83KH")
	if m, _ := ao4.Outline.DistanceM(khoai1.Outline); math.Abs(m-44) > 1 {
		t.Errorf("ao4 and khoai1 are %v m apart", m)
	}
}

func TestHouseholdOf_ByIDThenByCode(t *testing.T) {
	rows := []farm.Record{
		{Kind: farm.Household, ID: "a", Values: map[string]any{"code": "HO-01"}},
		{Kind: farm.Household, ID: "HO-02", Values: map[string]any{"code": "x"}},
		{Kind: farm.Household, ID: "c", Values: map[string]any{"code": "HO-02"}},
	}
	for key, want := range map[string]string{"HO-01": "a", "HO-02": "HO-02", "c": "c", "": "", "HO-9": ""} {
		if got, ok := farm.HouseholdOf(farm.Place{Household: key}, rows); got.ID != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", key, got.ID, ok)
		}
	}
}

func TestParse_SaysWhatIsNoOutline(t *testing.T) {
	with := func(extra string) string {
		return strings.Replace(smallest, "    limits: p\n", "    limits: p\n"+extra, 1)
	}
	good := with("    area_m2: 4200\n    soil: { vi: đất thịt, en: loam }\n    household: HO-01\n" +
		"    outline: [[20.769000, 106.238000], [20.768916, 106.238570], [20.769537, 106.238675], [20.769622, 106.238105]]\n")
	f, err := farm.Parse("farm.yaml", []byte(good))
	if err != nil || len(f.Places[0].Outline) != 4 || f.Places[0].Household != "HO-01" || f.Places[0].Soil.EN != "loam" {
		t.Fatalf("%+v, %v", f, err)
	}
	for extra, want := range map[string]string{
		"    outline: [[20.769, 106.238], [20.77, 106.238]]\n":                                                       "farm.yaml:13: places[0].outline: 2 corners: want 3 to 200",
		"    outline: [[106.238, 20.769], [106.239, 20.769], [106.239, 20.77]]\n":                                    "no point on the Earth: want degrees north from -90 to 90 and degrees east from -180 to 180; north comes first",
		"    outline: [[20.769, 106.238], [20.77], [20.77, 106.239]]\n":                                              "places[0].outline[1]: want two numbers",
		"    outline: [[20.769, 106.238], [20.769, 107.238], [20.77, 106.239]]\n":                                    "a corner lies 104 km from the first one",
		"    outline: [[20.769, 106.238], [20.77, 106.239], [20.77, 106.238], [20.769, 106.239]]\n":                  "the edge crosses itself",
		"    outline: [[20.769, 106.238], [20.769, 106.239], [20.77, 106.239], [20.769, 106.238]]\n":                 "has a corner twice",
		"    area_m2: 42\n    outline: [[20.769, 106.238], [20.769, 106.239], [20.77, 106.239], [20.77, 106.238]]\n": "m², but area_m2 says 42: correct one of them",
		"    soil: { vi: đất }\n": "places[0].soil: want a text in both languages",
	} {
		if _, err := farm.Parse("farm.yaml", []byte(with(extra))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v\nwant %s", extra, err, want)
		}
	}
}
