package advice_test

import (
	"math"
	"testing"

	"aovuon/server/watch/advice"
)

// Reference §1.4, every cell: % un-ionised.
func TestUnionised_Golden(t *testing.T) {
	phs := []float64{6.5, 7, 7.5, 8, 8.5, 9, 9.5}
	for celsius, row := range map[float64][]float64{
		15: {9.5641, 0.0862, 0.2721, 0.8553, 2.656, 7.942, 21.43, 46.31},
		20: {9.4025, 0.1250, 0.3942, 1.236, 3.807, 11.12, 28.36, 55.59},
		25: {9.2464, 0.1790, 0.5639, 1.762, 5.366, 15.21, 36.19, 64.20},
		28: {9.1552, 0.2207, 0.6947, 2.164, 6.538, 18.12, 41.16, 68.87},
		30: {9.0954, 0.2532, 0.7965, 2.476, 7.432, 20.25, 44.53, 71.74},
	} {
		if got := advice.PKa(celsius); math.Abs(got-row[0]) > 0.00006 {
			t.Errorf("pKa at %g °C is %.5f, want %.4f", celsius, got, row[0])
		}
		for i, want := range row[1:] {
			if got := 100 * advice.Unionised(phs[i], celsius); math.Abs(got-want) > want*0.0006 {
				t.Errorf("%g °C, pH %g: %.4f %%, want %g", celsius, phs[i], got, want)
			}
		}
	}
	// The TAN that gives so much NH3, on the same basis.
	for _, x := range []struct{ nh3, celsius, ph, tan float64 }{
		{0.1, 20, 7, 25.37},
		{0.1, 20, 7.5, 8.090},
		{0.1, 20, 8, 2.627},
		{0.1, 20, 8.5, 0.899},
		{0.1, 20, 9, 0.353},
		{0.1, 25, 7, 17.74},
		{0.1, 25, 7.5, 5.677},
		{0.1, 25, 8, 1.864},
		{0.1, 25, 8.5, 0.658},
		{0.1, 25, 9, 0.276},
		{0.1, 30, 7, 12.56},
		{0.1, 30, 7.5, 4.039},
		{0.1, 30, 8, 1.346},
		{0.1, 30, 8.5, 0.494},
		{0.1, 30, 9, 0.225},
		{0.3, 25, 7, 53.21},
		{0.3, 25, 7.5, 17.03},
		{0.3, 25, 8, 5.591},
		{0.3, 25, 8.5, 1.973},
		{0.3, 25, 9, 0.829},
	} {
		if got := x.nh3 / advice.Unionised(x.ph, x.celsius); math.Abs(got-x.tan) > x.tan*0.002 {
			t.Errorf("%+v: TAN %g", x, got)
		}
	}
	if math.Abs(advice.PerNitrogen-1.216) > 0.0005 {
		t.Errorf("a mg of N is %g mg of NH3", advice.PerNitrogen)
	}
}
