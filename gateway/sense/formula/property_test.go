package formula_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"aovuon/gateway/sense/formula"
)

func draw(t *rapid.T, name string, low, high float64) float64 {
	return rapid.Float64Range(low, high).Draw(t, name)
}

// must fails when a formula refuses what it says it is valid for.
func must(t *rapid.T) func(v float64, err error) float64 {
	return func(v float64, err error) float64 {
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("%v, %v", v, err)
		}
		return v
	}
}

func TestProperty_OxygenFallsWithWarmthAndSaltAndRisesWithPressure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ok := must(t)
		c, s, p := draw(t, "celsius", 0, 39), draw(t, "salinity", 0, 39), draw(t, "pressure", 500, 1090)
		here := ok(formula.OxygenSaturation(c, s, p))
		for name, other := range map[string]float64{
			"warmer":  ok(formula.OxygenSaturation(c+1, s, p)),
			"saltier": ok(formula.OxygenSaturation(c, s+1, p)),
			"higher":  ok(formula.OxygenSaturation(c, s, p-min(10, p-500))),
		} {
			if other > here || other <= 0 {
				t.Errorf("%s: %g, here %g", name, other, here)
			}
		}
		if pct := ok(formula.OxygenPercent(here, c, s, p)); math.Abs(pct-100) > 1e-9 {
			t.Errorf("saturated water is at %g %%", pct)
		}
	})
}

func TestProperty_ConductivityAndItsInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ok := must(t)
		ec, c, a := draw(t, "ec", 0, 1e5), draw(t, "celsius", 0, 50), draw(t, "coefficient", 0, 0.035)
		at := ok(formula.ConductivityAt(ec, c, a))
		if back := ok(formula.ConductivityAt25(at, c, a)); math.Abs(back-ec) > 1e-9*(1+ec) {
			t.Errorf("%g becomes %g and comes back as %g", ec, at, back)
		}
		if (c > 25) != (at > ec) && a > 0.001 && math.Abs(c-25) > 0.01 && ec > 1 {
			t.Errorf("%g µS/cm at 25 °C is %g at %g °C", ec, at, c)
		}
	})
}

func TestProperty_SalinityRisesWithConductivity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ok := must(t)
		ec, c := draw(t, "ec", 3, 30_000), draw(t, "celsius", -2, 35)
		a, b := ok(formula.Salinity(ec, c, 0)), ok(formula.Salinity(ec+10, c, 0))
		if a < 0 || b <= a {
			t.Errorf("%g µS/cm: %g; 10 more: %g", ec, a, b)
		}
	})
}

func TestProperty_AmmoniaRisesWithPHAndWarmth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ok := must(t)
		tan, ph, c := draw(t, "tan", 0.01, 50), draw(t, "ph", 4, 11), draw(t, "celsius", 0, 49)
		here := ok(formula.UnionisedAmmonia(tan, ph, c))
		if here <= 0 || here >= tan {
			t.Errorf("%g of %g is un-ionised", here, tan)
		}
		if ok(formula.UnionisedAmmonia(tan, ph+0.1, c)) <= here || ok(formula.UnionisedAmmonia(tan, ph, c+1)) <= here {
			t.Error("it does not rise")
		}
	})
}

func TestProperty_PHAndItsVoltage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ok := must(t)
		ph, c := draw(t, "ph", 0, 14), draw(t, "celsius", 0, 100)
		iso, slope := draw(t, "iso", -100, 2500), draw(t, "slope", 0.5, 1.2)
		mv := iso - (ph-7)*slope*ok(formula.NernstSlope(c))
		if back := ok(formula.PH(mv, iso, slope, c)); math.Abs(back-ph) > 1e-9 {
			t.Errorf("pH %g gives %g mV, which is read as %g", ph, mv, back)
		}
	})
}

func TestProperty_DewPointIsWhereTheVapourIsSaturated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ok := must(t)
		c, rh := draw(t, "celsius", 0, 50), draw(t, "rh", 20, 100)
		dew := ok(formula.DewPoint(c, rh))
		if dew > c+1e-9 {
			t.Errorf("dew point %g above the air's %g", dew, c)
		}
		if dew < -10 { // the two fits part by more than a per cent where nobody grows anything
			return
		}
		held := ok(formula.SaturationVapourPressure(c)) - ok(formula.VapourPressureDeficit(c, rh))
		if full := ok(formula.SaturationVapourPressure(dew)); math.Abs(full/held-1) > 0.01 { // two fits of one curve
			t.Errorf("air holds %g kPa, at its dew point %g", held, full)
		}
	})
}

func TestProperty_SoilWaterRisesWithPermittivity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ok := must(t)
		e := draw(t, "epsilon", 2, 59)
		if a, b := ok(formula.SoilWater(e)), ok(formula.SoilWater(e+1)); a < 0 || b <= a || b > 100 {
			t.Errorf("permittivity %g: %g %%; one more: %g %%", e, a, b)
		}
	})
}
