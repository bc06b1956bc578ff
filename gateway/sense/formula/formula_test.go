package formula_test

import (
	"errors"
	"math"
	"testing"

	"aovuon/gateway/sense/formula"
)

// golden is one check value, and how near it the formula must come: half a unit of its last digit.
type golden struct {
	name      string
	got       float64
	err       error
	want, tol float64
}

func row(name string, want, tol float64, got float64, err error) golden {
	return golden{name: name, got: got, err: err, want: want, tol: tol}
}

func checkGolden(t *testing.T, rows []golden) {
	t.Helper()
	for _, r := range rows {
		if r.err != nil || math.Abs(r.got-r.want) > r.tol*1.0001 {
			t.Errorf("%s: %.6g, %v; want %g", r.name, r.got, r.err, r.want)
		}
	}
}

func TestOxygenSaturation_GoldenValues(t *testing.T) {
	var rows []golden
	for _, c := range []struct{ celsius, salinity, hPa, want float64 }{
		{0, 0, 1013.25, 14.621},
		{10, 0, 1013.25, 11.288},
		{15, 0, 1013.25, 10.084},
		{20, 0, 1013.25, 9.092},
		{25, 0, 1013.25, 8.263},
		{28, 0, 1013.25, 7.828},
		{30, 0, 1013.25, 7.559},
		{32, 0, 1013.25, 7.305},
		{35, 0, 1013.25, 6.949},
		{25, 35, 1013.25, 6.772},
		{28, 15, 1013.25, 7.201},
		{30, 5, 1013.25, 7.354},
		{25, 0, 0.9 * 1013.25, 7.411},
		{20, 0, 0.7894737 * 1013.25, 7.134},
	} {
		got, err := formula.OxygenSaturation(c.celsius, c.salinity, c.hPa)
		rows = append(rows, row("saturation", c.want, 0.0005, got, err))
	}
	got, err := formula.OxygenPercent(4.1315, 25, 0, 1013.25)
	rows = append(rows, row("half saturated", 50, 0.01, got, err))
	got, err = formula.OxygenPercent(0, 25, 0, 1013.25)
	rows = append(rows, row("no oxygen", 0, 0, got, err))
	checkGolden(t, rows)
}

// Two other fits of the same solubility, written here and used nowhere else, must not be far away.
func TestOxygenSaturation_AgreesWithIndependentFormulas(t *testing.T) {
	const milligrams = 1.42905 // of a millilitre of oxygen
	weiss := func(celsius, s float64) float64 {
		h := (celsius + 273.15) / 100
		return milligrams * math.Exp(-173.4292+249.6339/h+143.3483*math.Log(h)-21.8492*h+s*(-0.033096+0.014259*h-0.0017*h*h))
	}
	garcia := func(celsius, s float64) float64 {
		x := math.Log((298.15 - celsius) / (273.15 + celsius))
		return milligrams * math.Exp(2.00907+3.22014*x+4.05010*x*x+4.94457*x*x*x-0.256847*math.Pow(x, 4)+3.88767*math.Pow(x, 5)+
			s*(-6.24523e-3-7.37614e-3*x-1.03410e-2*x*x-8.17083e-3*x*x*x)-4.88682e-7*s*s)
	}
	checkGolden(t, []golden{
		row("Weiss, published", 6.950*milligrams, 0.001, weiss(10, 20), nil),
		row("Garcia and Gordon", 6.7708, 0.0001, garcia(25, 35), nil),
	})
	for celsius := 0.0; celsius <= 40; celsius += 2.5 {
		for _, s := range []float64{0, 5, 15, 35} {
			got, err := formula.OxygenSaturation(celsius, s, 1013.25)
			if err != nil || math.Abs(got-garcia(celsius, s)) > 0.005 || math.Abs(got-weiss(celsius, s)) > 0.06 {
				t.Errorf("%g °C, %g ‰: %.4f, %v; Garcia and Gordon %.4f, Weiss %.4f", celsius, s, got, err, garcia(celsius, s), weiss(celsius, s))
			}
		}
	}
}

func TestSalinity_GoldenValues(t *testing.T) {
	var rows []golden
	for _, c := range []struct{ us, celsius, dbar, want float64 }{
		{42_914, 15, 0, 35.000},
		{1.2 * 42_914, 20, 2000, 37.246},
		{0.65 * 42_914, 5, 1500, 27.995},
		{10_000, 25, 0, 5.627},
		{4_000, 30, 0, 1.905},
		{1_413, 25, 0, 0.706},
		{53_087, 25, 0, 35.017},
		{53_065, 25, 0, 35.000},
	} {
		got, err := formula.Salinity(c.us, c.celsius, c.dbar)
		rows = append(rows, row("salinity", c.want, 0.0005, got, err))
	}
	checkGolden(t, rows)
}

func TestConductivity_GoldenValues(t *testing.T) {
	a, errA := formula.ConductivityAt25(1000, 30, 0.02)
	b, errB := formula.ConductivityAt25(1000, 30, 0.0191)
	c, errC := formula.ConductivityAt(1413, 20, 0.0191)
	checkGolden(t, []golden{
		row("2.0 %", 909.1, 0.05, a, errA),
		row("1.91 %", 912.8, 0.05, b, errB),
		row("the maker's 1278 µS/cm at 20 °C", 1278, 1, c, errC),
	})
}

func TestAmmonia_GoldenValues(t *testing.T) {
	var rows []golden
	for _, c := range []struct{ ph, celsius, percent, tol float64 }{
		{8, 10, 1.822, 0.0005},
		{8, 20, 3.807, 0.0005},
		{8, 25, 5.366, 0.0005},
		{8, 28, 6.538, 0.0005},
		{8, 30, 7.432, 0.0005},
		{7, 25, 0.564, 0.0005},
		{8.5, 30, 20.25, 0.005},
		{9, 30, 44.53, 0.005},
		{9.7314, 10, 50, 0.005}, // at its pKa it is half
	} {
		f, err := formula.AmmoniaFraction(c.ph, c.celsius)
		rows = append(rows, row("fraction", c.percent, c.tol, 100*f, err))
	}
	n, err := formula.UnionisedAmmonia(2, 8, 25)
	checkGolden(t, append(rows, row("2 mg/L TAN", 0.10732, 0.00001, n, err)))
}

func TestElectrode_GoldenValues(t *testing.T) {
	var rows []golden
	for _, c := range []struct{ celsius, want float64 }{
		{0, 54.199}, {10, 56.183}, {20, 58.167}, {25, 59.159}, {30, 60.151}, {40, 62.136},
	} {
		got, err := formula.NernstSlope(c.celsius)
		rows = append(rows, row("slope", c.want, 0.0005, got, err))
	}
	for _, c := range []struct{ mv, iso, slope, celsius, want float64 }{
		{177.478, 0, 1, 25, 4.000},
		{177.478, 0, 1, 10, 3.841},
		{177.478, 0, 1, 40, 4.144},
		{1500, 1500, 0.97, 10, 7}, // what scaling the whole voltage gets wrong by 0.45
		{1500, 1500, 0.97, 40, 7},
		{1677.478, 1500, 1, 25, 4.000},
		{1500 + 0.5*177.478, 1500, 0.5, 25, 4.000},
	} {
		got, err := formula.PH(c.mv, c.iso, c.slope, c.celsius)
		rows = append(rows, row("pH", c.want, 0.0005, got, err))
	}
	checkGolden(t, rows)
}

func TestAirAndSoil_GoldenValues(t *testing.T) {
	var rows []golden
	for _, c := range []struct{ e, want float64 }{{3, 2.98}, {5, 7.98}, {10, 18.83}, {20, 34.54}, {30, 44.41}, {40, 51.02}} {
		got, err := formula.SoilWater(c.e)
		rows = append(rows, row("Topp", c.want, 0.005, got, err))
	}
	for _, c := range []struct{ celsius, want, tol float64 }{
		{15, 1.705, 0.0005}, {24.5, 3.075, 0.0005}, {25, 3.1678, 0.00005}, {30, 4.2431, 0.00005},
	} {
		got, err := formula.SaturationVapourPressure(c.celsius)
		rows = append(rows, row("FAO-56", c.want, c.tol, got, err))
	}
	for _, c := range []struct{ celsius, rh, deficit, dew float64 }{
		{30, 80, 0.8486, 26.169}, {25, 50, 1.5839, 13.852}, {20, 65, 0.8184, 13.217},
	} {
		d, err := formula.VapourPressureDeficit(c.celsius, c.rh)
		rows = append(rows, row("deficit", c.deficit, 0.00005, d, err))
		p, err := formula.DewPoint(c.celsius, c.rh)
		rows = append(rows, row("dew point", c.dew, 0.0005, p, err))
	}
	checkGolden(t, rows)
}

// Every formula refuses what is just beyond each of its limits, and what is no number.
func TestFormulas_RefuseWhatTheyAreNotValidFor(t *testing.T) {
	type function = func(...float64) (float64, error)
	three := func(f func(a, b, c float64) (float64, error)) function {
		return func(a ...float64) (float64, error) { return f(a[0], a[1], a[2]) }
	}
	two := func(f func(a, b float64) (float64, error)) function {
		return func(a ...float64) (float64, error) { return f(a[0], a[1]) }
	}
	one := func(f func(a float64) (float64, error)) function {
		return func(a ...float64) (float64, error) { return f(a[0]) }
	}
	for name, tc := range map[string]struct {
		f      function
		fine   []float64
		limits [][2]float64
	}{
		"oxygen":       {three(formula.OxygenSaturation), []float64{25, 0, 1000}, [][2]float64{{0, 40}, {0, 40}, {500, 1100}}},
		"conductivity": {three(formula.ConductivityAt25), []float64{500, 25, 0.02}, [][2]float64{{0, 1e6}, {0, 50}, {0, 0.035}}},
		"inverse":      {three(formula.ConductivityAt), []float64{500, 25, 0.02}, [][2]float64{{0, 1e6}, {0, 50}, {0, 0.035}}},
		"salinity":     {three(formula.Salinity), []float64{500, 25, 0}, [][2]float64{{3, 1e6}, {-2, 35}, {0, 10_000}}},
		"ammonia":      {three(formula.UnionisedAmmonia), []float64{1, 8, 25}, [][2]float64{{0, 1000}, {0, 14}, {0, 50}}},
		"fraction":     {two(formula.AmmoniaFraction), []float64{8, 25}, [][2]float64{{0, 14}, {0, 50}}},
		"slope":        {one(formula.NernstSlope), []float64{25}, [][2]float64{{0, 100}}},
		"vapour":       {one(formula.SaturationVapourPressure), []float64{25}, [][2]float64{{-20, 85}}},
		"deficit":      {two(formula.VapourPressureDeficit), []float64{25, 60}, [][2]float64{{-20, 85}, {0, 100}}},
		"dew point":    {two(formula.DewPoint), []float64{25, 60}, [][2]float64{{-45, 60}, {1, 100}}},
		"soil":         {one(formula.SoilWater), []float64{20}, [][2]float64{{2, 60}}},
		"pH":           {func(a ...float64) (float64, error) { return formula.PH(a[0], 0, a[1], a[2]) }, []float64{0, 1, 25}, [][2]float64{{-5000, 5000}, {0.5, 1.2}, {0, 100}}},
		"percent":      {func(a ...float64) (float64, error) { return formula.OxygenPercent(a[0], a[1], 0, 1013) }, []float64{5, 25}, [][2]float64{{0, 100}, {0, 40}}},
	} {
		for i, l := range tc.limits {
			with := func(v float64) error {
				args := append([]float64(nil), tc.fine...)
				args[i] = v
				got, err := tc.f(args...)
				if math.IsNaN(got) || math.IsInf(got, 0) {
					t.Errorf("%s(%v) = %v", name, args, got)
				}
				return err
			}
			for k, v := range l {
				if err := with(v); err != nil && (name != "salinity" || i > 0 || k == 0) { // the result is limited, too
					t.Errorf("%s: argument %d of %g, its limit: %v", name, i, v, err)
				}
			}
			eps := 1e-7 * (1 + math.Abs(l[1]-l[0]))
			for _, v := range []float64{l[0] - eps, l[1] + eps, math.NaN(), math.Inf(1), math.Inf(-1)} {
				err := with(v)
				if _, ok := errors.AsType[*formula.OutsideError](err); !ok {
					t.Errorf("%s: argument %d of %g: %v; want an OutsideError", name, i, v, err)
				}
			}
		}
	}
}

func TestSalinity_IsBoundedItself(t *testing.T) {
	if got, err := formula.Salinity(62_000, 25, 0); err != nil || got > 42 {
		t.Errorf("%g, %v", got, err)
	}
	if got, err := formula.Salinity(63_000, 25, 0); err == nil {
		t.Errorf("brine of %g", got)
	}
}

func TestOutsideError_SaysWhatWasWrong(t *testing.T) {
	_, err := formula.OxygenSaturation(41, 0, 1000)
	if got := err.Error(); got != "oxygen saturation: temperature 41 °C is outside 0 to 40" {
		t.Error(got)
	}
}
