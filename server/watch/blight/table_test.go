package blight_test

import (
	"fmt"
	"strings"
	"testing"

	"aovuon/server/watch/blight"
)

// bands are printed tables: of each row the units by ranges of hours; "a-b=u".
func bands(t *testing.T, text string) (units [25]int) {
	t.Helper()
	for part := range strings.FieldsSeq(text) {
		var a, b, u int
		if _, err := fmt.Sscanf(part, "%d-%d=%d", &a, &b, &u); err != nil {
			t.Fatal(part, err)
		}
		for h := a; h <= b; h++ {
			units[h] = u
		}
	}
	return units
}

// Every cell of the printed tables of blight units, at the ends and in the middle of its temperatures.
func TestUnits_EveryCell(t *testing.T) {
	rows := []struct {
		classes string
		temps   []float64
		cells   string
	}{
		{"s", []float64{22.6, 25, 27.5}, "7-9=1 10-12=2 13-15=3 16-18=4 19-24=5"},
		{"s", []float64{12.6, 18, 22.5}, "7-9=5 10-12=6 13-24=7"},
		{"s", []float64{7.6, 10, 12.5}, "7-7=1 8-9=2 10-10=3 11-12=4 13-15=5 16-24=6"},
		{"s", []float64{2.6, 5, 7.5}, "10-12=1 13-15=2 16-18=3 19-24=4"},
		{"ms", []float64{22.6, 25, 27.5}, "10-18=1 19-24=2"},
		{"ms", []float64{12.6, 18, 22.5}, "7-7=1 8-8=2 9-9=3 10-10=4 11-12=5 13-24=6"},
		{"ms", []float64{7.6, 10, 12.5}, "7-9=1 10-12=2 13-15=3 16-18=4 19-24=5"},
		{"ms", []float64{2.6, 5, 7.5}, "13-24=1"},
		{"mr r hr", []float64{22.6, 25, 27.5}, "16-24=1"},
		{"mr r hr", []float64{12.6, 18, 22.5}, "7-7=1 8-8=2 9-9=3 10-12=4 13-24=5"},
		{"mr r hr", []float64{7.6, 10, 12.5}, "10-12=1 13-15=2 16-24=3"},
		{"mr r hr", []float64{2.6, 5, 7.5}, "19-24=1"},
		{"s ms mr r hr", []float64{-3, 0, 2.4, 2.5, 27.6, 35}, "0-24=0"},
	}
	cells := 0
	for _, row := range rows {
		want := bands(t, row.cells)
		for class := range strings.FieldsSeq(row.classes) {
			for _, temp := range row.temps {
				for h := range 25 {
					cells++
					if got := blight.Class(class).Units(h, temp); got != want[h] {
						t.Errorf("%s, %g °C, %d h: %d, want %d", class, temp, h, got, want[h])
					}
				}
			}
		}
	}
	t.Logf("%d cells", cells)
}

// A temperature on a limit belongs to the colder row; there are no holes between the rows, as integer bins have them (7 < T < 8).
func TestUnits_TemperatureOnALimit(t *testing.T) {
	for _, tt := range []struct {
		class blight.Class
		run   int
		temp  float64
		want  int
	}{
		{"s", 10, 2.5, 0},
		{"s", 10, 2.500001, 1},
		{"s", 10, 7.5, 1},
		{"s", 10, 7.500001, 3},
		{"s", 10, 12.5, 3},
		{"s", 10, 12.500001, 6},
		{"s", 10, 22.5, 6},
		{"s", 10, 22.500001, 2},
		{"s", 10, 27.5, 2},
		{"s", 10, 27.500001, 0},
		{"s", 10, 7.4999999999, 1},
		{"s", 10, 7.50000000001, 1}, // the noise of a mean is no temperature
		{"s", 16, 25, 4},
		{"ms", 14, 10, 3},
		{"ms", 15, 10, 3},
		{"r", 15, 25, 0},
		{"r", 16, 25, 1},  // what public programs get wrong
		{"s", 10, 8.5, 3}, // BlightUnitsTable.csv prints 4
	} {
		if got := tt.class.Units(tt.run, tt.temp); got != tt.want {
			t.Errorf("%s, %d h, %g °C: %d, want %d", tt.class, tt.run, tt.temp, got, tt.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for i, c := range blight.Classes() {
		bu, fu := c.Limits()
		if bu != 30+5*i || fu != 15+5*i {
			t.Errorf("%s: %d, %d", c, bu, fu)
		}
	}
	if c, said := blight.ClassOf(""); c != "ms" || said {
		t.Error(c, said)
	}
	if c, said := blight.ClassOf("hr"); c != "hr" || !said {
		t.Error(c, said)
	}
	if c, said := blight.ClassOf("very"); c != "ms" || said {
		t.Error(c, said)
	}
}

// Every cell of the table of fungicide units: for every age, both ends of every band.
func TestFungicideUnits_EveryCell(t *testing.T) {
	type cell struct {
		from, to float64
		want     int
	}
	for _, row := range []struct {
		from, to int
		cells    []cell
	}{
		{1, 1, []cell{{0, 0.99, 1}, {1, 1.45, 4}, {1.46, 3.45, 5}, {3.46, 6, 6}, {6.01, 500, 7}}},
		{2, 2, []cell{{0, 0.99, 1}, {1, 1.45, 3}, {1.46, 4.45, 4}, {4.46, 8, 5}, {8.01, 500, 6}}},
		{3, 3, []cell{{0, 0.99, 1}, {1, 2.45, 3}, {2.46, 5, 4}, {5.01, 500, 5}}},
		{4, 5, []cell{{0, 0.99, 1}, {1, 2.45, 3}, {2.46, 8, 4}, {8.01, 500, 5}}},
		{6, 9, []cell{{0, 0.99, 1}, {1, 4, 3}, {4.01, 500, 4}}},
		{10, 14, []cell{{0, 0.99, 1}, {1, 1.45, 2}, {1.46, 8, 3}, {8.01, 500, 4}}},
		{15, 60, []cell{{0, 0.99, 1}, {1, 8, 2}, {8.01, 500, 3}}},
		{-1, 0, []cell{{0, 500, 0}}},
	} {
		for days := row.from; days <= row.to; days++ {
			for _, c := range row.cells {
				for _, mm := range []float64{c.from, (c.from + c.to) / 2, c.to} {
					if got := blight.FungicideUnits(days, mm); got != c.want {
						t.Errorf("%d days, %g mm: %d, want %d", days, mm, got, c.want)
					}
				}
			}
		}
	}
	for _, tt := range []struct {
		days int
		mm   float64
		want int
	}{
		{1, 0.5, 1},
		{1, 1.0, 4},
		{1, 1.5, 5},
		{1, 3.5, 6},
		{1, 6.1, 7},
		{2, 4.4, 4},
		{2, 4.5, 5},
		{3, 2.4, 3},
		{3, 2.5, 4},
		{3, 5.1, 5},
		{5, 8.0, 4},
		{5, 8.1, 5},
		{9, 4.0, 3},
		{9, 4.1, 4},
		{14, 1.5, 3},
		{14, 8.1, 4},
		{15, 8.0, 2},
		{15, 8.1, 3},
		{1, 0, 1},
		{9, 0, 1},
		{20, 0, 1},
	} {
		if got := blight.FungicideUnits(tt.days, tt.mm); got != tt.want {
			t.Errorf("%d days, %g mm: %d, want %d", tt.days, tt.mm, got, tt.want)
		}
	}
}

// Every cell of Wallin's table, at both ends of every band of temperature, and what lies in the gaps the printed bands leave.
func TestDSV_EveryCell(t *testing.T) {
	for _, row := range []struct {
		temps []float64
		cells string
	}{
		{[]float64{-5, 0, 7.1, 7.14}, "0-24=0"},
		{[]float64{7.15, 7.2, 9, 11.6, 11.64}, "0-15=0 16-18=1 19-21=2 22-24=3"},
		{[]float64{11.65, 11.7, 13, 15.0, 15.04}, "0-12=0 13-15=1 16-18=2 19-21=3 22-24=4"},
		{[]float64{15.05, 15.1, 20, 26.6, 26.64}, "0-9=0 10-12=1 13-15=2 16-18=3 19-24=4"},
		{[]float64{26.65, 26.7, 40}, "0-24=0"},
	} {
		want := bands(t, row.cells)
		for _, temp := range row.temps {
			for h := range 25 {
				if got := blight.DSV(temp, h); got != want[h] {
					t.Errorf("%g °C, %d h: %d, want %d", temp, h, got, want[h])
				}
			}
		}
	}
	for _, tt := range []struct {
		temp  float64
		hours int
		want  int
	}{
		{7.1, 24, 0},
		{7.2, 15, 0},
		{7.2, 16, 1},
		{11.6, 22, 3},
		{11.7, 13, 1},
		{11.7, 22, 4},
		{15.0, 19, 3},
		{15.1, 9, 0},
		{15.1, 10, 1},
		{20, 18, 3},
		{26.6, 19, 4},
		{26.7, 24, 0},
	} {
		if got := blight.DSV(tt.temp, tt.hours); got != tt.want {
			t.Errorf("%g °C, %d h: %d, want %d", tt.temp, tt.hours, got, tt.want)
		}
	}
}

func TestUWRisk(t *testing.T) {
	for _, tt := range []struct {
		fortnight, total int
		want             blight.Risk
	}{
		{0, 0, "none"},
		{0, 29, "none"},
		{1, 1, "low"},
		{2, 29, "low"},
		{3, 3, "moderate"},
		{0, 30, "moderate"},
		{13, 30, "moderate"},
		{14, 29, "moderate"},
		{14, 30, "high"},
		{20, 99, "high"},
		{21, 29, "moderate"},
		{21, 30, "very_high"},
		{40, 90, "very_high"},
	} {
		if got := blight.UWRisk(tt.fortnight, tt.total); got != tt.want {
			t.Errorf("%d, %d: %s, want %s", tt.fortnight, tt.total, got, tt.want)
		}
	}
}

func TestMetos_EveryCell(t *testing.T) {
	want := map[bool][]int{false: {-1, -1, -1, -1, 0, 1, 1, 2, 2, 2}, true: {-1, -1, -1, 0, 1, 2, 2, 2, 2, 2}} // by DSV 0, 1, 2 …
	for rain := range 8 {
		for dsv := range 10 {
			if got := blight.Metos(rain, dsv); int(got) != want[rain >= 5][dsv] {
				t.Errorf("%d rain days, DSV %d: %d", rain, dsv, got)
			}
		}
	}
	if got := blight.Metos(7, 28); got != blight.FiveDay {
		t.Error(got)
	}
}

func TestRainFavourable(t *testing.T) {
	for _, tt := range []struct {
		mean5, rain10, lowest float64
		want                  bool
	}{
		{25.4, 30, 7.2, true}, {25.5, 30, 10, false}, {20, 29.9, 10, false}, {20, 30, 7.1, false}, {25.49999999999, 30, 10, false},
	} {
		if got := blight.RainFavourable(tt.mean5, tt.rain10, tt.lowest); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// The boundary fixtures of Hutton and Smith.
func TestHuttonAndSmithDays(t *testing.T) {
	for _, tt := range []struct {
		lowest        float64
		humid         int
		hutton, smith bool
	}{
		{10.0, 6, true, false},
		{15.0, 5, false, false},
		{9.9, 8, false, false},
		{4.0, 20, false, false},
		{15, 0, false, false},
		{10.0, 11, true, true},
		{10, 10, true, false},
		{9.99, 24, false, false},
		{9.99999999999, 6, true, false},
	} {
		if got := blight.HuttonDay(tt.lowest, tt.humid); got != tt.hutton {
			t.Errorf("Hutton %+v: %v", tt, got)
		}
		if got := blight.SmithDay(tt.lowest, tt.humid); got != tt.smith {
			t.Errorf("Smith %+v: %v", tt, got)
		}
	}
	for _, tt := range [][3]blight.Tri{
		{blight.Yes, blight.Yes, blight.Yes},
		{blight.Yes, blight.No, blight.No},
		{blight.No, blight.Yes, blight.No},
		{blight.No, blight.No, blight.No},
		{blight.Yes, blight.Unknown, blight.Unknown},
		{blight.Unknown, blight.Yes, blight.Unknown},
		{blight.No, blight.Unknown, blight.No},
		{blight.Unknown, blight.No, blight.No},
		{blight.Unknown, blight.Unknown, blight.Unknown},
	} {
		if got := blight.InARow(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%v: %v", tt, got)
		}
	}
}

func TestSprayDue(t *testing.T) {
	known := func(n int) blight.Span { return blight.Span{Lo: n, Hi: n} }
	for _, tt := range []struct {
		class  blight.Class
		first  bool
		days   int
		bu, fu blight.Span
		want   blight.Tri
	}{
		{"ms", true, 0, known(34), known(0), blight.No},
		{"ms", true, 0, known(35), known(0), blight.Yes},
		{"ms", true, 0, known(0), known(99), blight.No},
		{"ms", false, 5, known(99), known(99), blight.No},
		{"ms", false, 6, known(35), known(0), blight.Yes},
		{"ms", false, 6, known(34), known(19), blight.No},
		{"ms", false, 6, known(0), known(20), blight.Yes},
		{"s", false, 6, known(30), known(0), blight.Yes},
		{"hr", false, 6, known(49), known(34), blight.No},
		{"hr", false, 6, known(50), known(0), blight.Yes},
		{"hr", false, 6, known(0), known(35), blight.Yes},
		{"ms", true, 0, blight.Span{Lo: 30, Hi: 36}, known(0), blight.Unknown},
		{"ms", false, 7, known(3), blight.Span{Lo: 7, Hi: 28}, blight.Unknown},
		{"ms", false, 7, known(35), blight.Span{Lo: 7, Hi: 28}, blight.Yes},
		{"ms", false, 4, blight.Span{Hi: 36}, blight.Span{Hi: 36}, blight.No},
	} {
		if got := blight.SprayDue(tt.class, tt.first, tt.days, tt.bu, tt.fu); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
