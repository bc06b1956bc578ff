package soil

import (
	"math"
	"testing"
	"time"

	"aovuon/server/farm"
)

func near(t *testing.T, what string, got, want, by float64) {
	t.Helper()
	if !(math.Abs(got-want) <= by) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The table of triggers of the project's reference, from the middles of FAO-56 table 19.
func TestTrigger_OfEverySoilAndCrop(t *testing.T) {
	potato, _ := cropNamed("crop", "Solanum tuberosum")
	herb, _ := cropNamed("herb", "đinh lăng")
	for texture, want := range map[string][6]float64{ // potato, herb; potato TAW, RAW; herb TAW, RAW
		"sandy_loam":      {18.8, 19.4, 60, 21.0, 48, 14.4},
		"loam":            {20.45, 21.1, 65, 22.75, 52, 15.6},
		"silt_loam":       {24.1, 24.8, 70, 24.5, 56, 16.8},
		"silty_clay_loam": {28.95, 29.6, 65, 22.75, 52, 15.6},
		"clay":            {31.1, 31.8, 70, 24.5, 56, 16.8},
	} {
		h, ok := farm.Texture(texture)
		if !ok {
			t.Fatal(texture)
		}
		for i, c := range []Crop{potato, herb} {
			taw := Available(h, c.Roots)
			near(t, texture+" trigger of "+c.Key, Trigger(h, c.P), want[i], 1e-9)
			near(t, texture+" TAW of "+c.Key, taw, want[2+2*i], 1e-9)
			near(t, texture+" RAW of "+c.Key, c.P*taw, want[3+2*i], 1e-9)
			near(t, texture+" depletion at the trigger", Depletion(h, Trigger(h, c.P), c.Roots), c.P*taw, 1e-9)
			near(t, texture+" stress at the trigger", Stress(h, Trigger(h, c.P), c.P), 1, 1e-9)
			near(t, texture+" stress at half", Stress(h, dryAt(h, 0.5, c.P), c.P), 0.5, 1e-9)
			near(t, texture+" stress when it wilts", Stress(h, h.WiltingPoint-1, c.P), 0, 0)
			near(t, texture+" depletion above", Depletion(h, h.FieldCapacity+3, c.Roots), 0, 0)
		}
	}
}

func TestDepletable_FollowsTheWeather(t *testing.T) {
	for _, tc := range []struct{ p, etc, want float64 }{
		{0.35, 2, 0.47},
		{0.35, 3, 0.43},
		{0.35, 5, 0.35},
		{0.35, 8, 0.23},
		{0.30, 2, 0.42},
		{0.30, 3, 0.38},
		{0.30, 5, 0.30},
		{0.30, 8, 0.18},
		{0.30, 12, 0.1}, // clamped
		{0.65, 0, 0.8},
	} {
		near(t, "p", Depletable(tc.p, tc.etc), tc.want, 1e-9)
	}
}

// FAO-56: example 8 (20° south, 3 September), example 18 (Uccle, 6 July, all measured), example 20 (Lyon in July, temperature alone, dew
// at the minimum) and what equation 52 gives for it.
func TestReference_TheExamplesOfFAO56(t *testing.T) {
	near(t, "example 8, Ra", Extraterrestrial(-20, 246), 32.2, 0.05)
	near(t, "example 18, Ra", Extraterrestrial(50.8, 187), 41.09, 0.05)
	uccle := AirDay{Min: 12.3, Max: 21.5, Vapour: 1.409, Humid: true}
	near(t, "example 18, ETo", penman(uccle, 22.07, 30.90, 2.078, 100.1), 3.88, 0.02)
	lyon := AirDay{Day: time.Date(2025, 7, 15, 0, 0, 0, 0, farm.Time()), Min: 14.8, Max: 26.6, Vapour: Saturation(14.8), Humid: true}
	above := Extraterrestrial(45.72, 196)
	near(t, "example 20, Ra", above, 40.6, 0.1)
	near(t, "example 20, ETo", penman(lyon, 0.16*math.Sqrt(11.8)*above, (0.75+2e-5*200)*above, 2, 98.96), 4.56, 0.03)
	mm, method := lyon.Reference(45.72)
	if near(t, "the same as we reckon it", mm, 4.56, 0.06); method != PenmanMonteith {
		t.Errorf("by %s", method)
	}
	lyon.Humid = false
	mm, method = lyon.Reference(45.72)
	if near(t, "without humidity", mm, 5.03, 0.03); method != Hargreaves {
		t.Errorf("by %s", method)
	}
}

func TestReference_IsNeverBelowNothing(t *testing.T) {
	for _, d := range []AirDay{{Min: 20, Max: 20}, {Min: 20, Max: 20, Humid: true, Vapour: Saturation(20)}, {Min: 3, Max: 4, Humid: true, Vapour: Saturation(4)}, {Min: -25, Max: -20}} {
		d.Day = time.Date(2026, 1, 5, 0, 0, 0, 0, farm.Time())
		if mm, _ := d.Reference(20.77); !(mm >= 0) {
			t.Errorf("%+v: %v", d, mm)
		}
	}
}

func TestCropNamed(t *testing.T) {
	for _, tc := range []struct {
		branch string
		names  []string
		want   string
	}{
		{"crop", []string{"", "khoai tây"}, "potato"},
		{"crop", []string{"Solanum tuberosum", ""}, "potato"},
		{"crop", []string{"", "Khoai tây Marabel"}, "potato"},
		{"crop", []string{"", "khoai lang"}, "sweet_potato"},
		{"crop", []string{"", "Cà chua bi"}, "tomato"},
		{"crop", []string{"Oryza sativa"}, "rice"},
		{"crop", []string{"lúa nếp"}, "rice"},
		{"crop", []string{"su hào"}, "vegetable"},
		{"herb", []string{"Polyscias fruticosa", "đinh lăng"}, "herb"},
		{"fish", []string{"cá chép"}, ""},
		{"", []string{"lúaxyz"}, ""},
	} {
		c, ok := cropNamed(tc.branch, tc.names...)
		if c.Key != tc.want || ok != (tc.want != "") {
			t.Errorf("%s %v: %q", tc.branch, tc.names, c.Key)
		}
	}
	for _, c := range crops() {
		near(t, c.Key+": stages", c.Stages[0]+c.Stages[1]+c.Stages[2]+c.Stages[3], 1, 1e-9)
	}
}

// The lines of FAO-56 figure 34 over a potato of 115 days, its stages 25, 30, 30 and 30 days.
func TestSeason_CoefficientAndRoots(t *testing.T) {
	potato, _ := cropNamed("crop", "khoai tây")
	planted := time.Date(2026, 11, 1, 0, 0, 0, 0, farm.Time())
	s := Season{Crop: potato, Planted: planted, Harvest: planted.AddDate(0, 0, 115)}
	for day, want := range map[int][2]float64{
		-3: {0.5, 0.15}, 0: {0.5, 0.15}, 25: {0.5, 0.15 + 0.35*25.0/55}, 40: {0.825, 0.15 + 0.35*40.0/55}, 55: {1.15, 0.5}, 85: {1.15, 0.5}, 100: {0.95, 0.5}, 115: {0.75, 0.5}, 200: {0.75, 0.5},
	} {
		at := planted.AddDate(0, 0, day)
		near(t, "Kc", s.Coefficient(at), want[0], 1e-9)
		near(t, "roots", s.Depth(at), want[1], 1e-9)
	}
	for day, want := range map[int]bool{100: false, 101: true, 114: true} {
		if got := s.stopped(planted.AddDate(0, 0, day).Add(9 * time.Hour)); got != want {
			t.Errorf("day %d: stopped %t", day, got)
		}
	}
	herb, _ := cropNamed("herb", "đinh lăng")
	p := Season{Crop: herb, Perennial: true}
	if _, ends := p.Left(planted); ends || p.stopped(planted) || p.Coefficient(planted) != 1.1 || p.Depth(planted) != 0.4 {
		t.Errorf("a perennial: %+v", p)
	}
}
