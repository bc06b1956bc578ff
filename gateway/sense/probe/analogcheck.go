package probe

import (
	"fmt"
	"math"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

func (c *checker) checkAnalog(a *Analog) {
	if _, ok := a.Quantity.Info(); !ok {
		c.say("analog.quantity", "write one of "+quantityNames(), "unknown quantity %q", a.Quantity)
	}
	c.need("analog.supply", a.Supply, "write the supply its curve holds for, such as: 5 V")
	if !(a.Gain() >= 0.1 && a.Gain() <= 100) {
		c.say("analog.divider", "write the volts of the probe for one volt at the input: 1.5 with 10 kΩ over 20 kΩ", "divider %g", a.Divider)
	}
	if !(a.ValidFrom >= 0 && a.ValidFrom < a.ValidTo && a.ValidTo <= 60) {
		c.say("analog.valid_from", "write valid_from and valid_to: the volts of the probe its conversion holds for", "from %g to %g V is no range", a.ValidFrom, a.ValidTo)
	}
	if a.ShortedBelow < 0 || a.AbsentBelow < 0 || a.ShortedBelow > a.ValidFrom || a.AbsentBelow > a.ValidFrom {
		c.say("analog.valid_from", "let shorted_below and absent_below lie below valid_from", "values and faults overlap")
	}
	if a.Min == nil || a.Max == nil || !(*a.Min < *a.Max) {
		c.say("analog", "write min and max, in the quantity's unit", "the value has no range")
	}
	c.checkConversion(a)
	if len(a.Golden) == 0 {
		c.say("analog", "add golden: volts and the value they must give", "no golden volts")
	}
	if len(c.bad) > 0 {
		return
	}
	for i := range a.Golden {
		c.checkVolts(fmt.Sprintf("analog.golden[%d]", i), a, &a.Golden[i])
	}
}

func (c *checker) checkConversion(a *Analog) {
	n := 0
	for _, has := range []bool{a.PH != nil, a.Conductivity != nil, a.Oxygen != nil, len(a.Curve) > 0, len(a.Line) > 0} {
		if has {
			n++
		}
	}
	if n != 1 {
		c.say("analog", "write exactly one of ph, conductivity, oxygen, curve and line", "%d conversions", n)
		return
	}
	switch {
	case a.PH != nil && !(a.PH.IsoVolts > 0 && a.PH.Gain != 0):
		c.say("analog.ph", "write iso_volts above 0 and a gain", "iso_volts %g, gain %g", a.PH.IsoVolts, a.PH.Gain)
	case a.Conductivity != nil && !(a.Conductivity.PerVolt > 0 && a.Conductivity.HighAbove > a.Conductivity.LowBelow):
		c.say("analog.conductivity", "write per_volt above 0, and high_above above low_below", "this is no cell")
	case a.Oxygen != nil && len(a.Oxygen.Saturated) != 2:
		c.say("analog.oxygen", "write saturated: the volts in saturated water at two temperatures", "%d points", len(a.Oxygen.Saturated))
	case a.Oxygen != nil:
		if err := a.CheckPoints(a.Oxygen.Saturated); err != nil {
			c.say("analog.oxygen.saturated", "correct the points", "%v", err)
		}
	case len(a.Line) > 0 && (len(a.Line) != 2 || a.Line[0].Volts == a.Line[1].Volts):
		c.say("analog.line", "write two points with different volts", "this is no line")
	case len(a.Curve) == 1:
		c.say("analog.curve", "write at least two coefficients, lowest first", "a curve that is the same at all volts")
	}
}

// water is what a golden pair says of it.
func (f *VoltsFrame) water() Water {
	w := StandardWater()
	if f.Celsius != nil {
		w.Celsius = *f.Celsius
	}
	if f.Pressure != 0 {
		w.HPa = f.Pressure
	}
	w.Salinity = f.Salinity
	return w
}

// checkVolts converts golden volts, compares, and finds the volts again.
func (c *checker) checkVolts(at string, a *Analog, f *VoltsFrame) {
	c.need(at+".name", f.Name, "say what the pair shows")
	c.checkOrigin(at, f.Origin)
	if err := a.CheckPoints(f.Points); err != nil {
		c.say(at+".points", "correct the points", "%v", err)
		return
	}
	convert, err := a.converter(f.Points)
	var s sense.Sample
	if err == nil {
		w := f.water()
		s, err = a.sample(f.Volts, convert, len(f.Points) > 0, &w)
	}
	if err != nil {
		c.say(at, "correct the volts, the points or the water", "%v", err)
		return
	}
	info, _ := a.Quantity.Info()
	if math.Abs(s.Value-f.Value) > 0.5000001*math.Pow10(-max(info.Decimals, 3)) && math.Abs(s.Value-f.Value) > 5e-5*math.Abs(f.Value) {
		c.say(at+".value", fmt.Sprintf("write %s if that is what the probe meant; else look at the conversion", number(s.Value)), "%g V give %s, not %s", f.Volts, number(s.Value), number(f.Value))
		return
	}
	want := f.Grade
	if want == "" {
		want = measure.Uncalibrated.String()
		if len(f.Points) > 0 && a.Indicative == "" {
			want = measure.Good.String()
		}
	}
	if s.Quality.String() != want {
		c.say(at, "write quality: "+s.Quality.String()+" if that is right; else look at valid_from, valid_to, min and max", "the value is %s, not %s", s.Quality, want)
		return
	}
	if s.Quality != measure.OutOfRange {
		c.checkVoltsBack(at, a, f, convert, s.Value)
	}
}

// checkVoltsBack finds volts for the value and converts them again: the simulator must be able to.
func (c *checker) checkVoltsBack(at string, a *Analog, f *VoltsFrame, convert converter, value float64) {
	volts, err := a.Volts(value, f.Points, f.water())
	if err == nil {
		var again float64
		again, err = convert(volts, f.water())
		if err == nil && math.Abs(again-value) > 1e-6*math.Max(1, math.Abs(value)) {
			err = fmt.Errorf("%g V come out, which give %g", volts, again)
		}
	}
	if err != nil {
		c.say(at, "look at valid_from and valid_to: the simulator looks for the volts between them", "converted back: %v", err)
	}
}
