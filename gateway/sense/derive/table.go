package derive

import (
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/formula"
)

// Formula is one kind of derived channel.
type Formula struct {
	Name  string           // as configurations write it
	Gives measure.Quantity //
	// Takes are the inputs, the main one first. The value is computed whenever that one has a new reading.
	Takes   []Input
	compute func(v []float64) (float64, error) // of the values in the order of Takes
	// other is computed when the sensor named for the last input measures otherQuantity instead.
	otherQuantity measure.Quantity
	other         func(v []float64) (float64, error)
}

// Input is one of the values a formula takes.
type Input struct {
	Quantity measure.Quantity
	Optional bool    // it may be left out;
	Fallback float64 // then this is assumed
	Entered  bool    // a person measures it now and then: a number of it has a date
}

// Accepts lists the quantities a sensor named for input i may measure, the first being preferred.
func (f Formula) Accepts(i int) []measure.Quantity {
	if f.other != nil && i == len(f.Takes)-1 {
		return []measure.Quantity{f.Takes[i].Quantity, f.otherQuantity}
	}
	return []measure.Quantity{f.Takes[i].Quantity}
}

// of returns what computes from these quantities.
func (f Formula) of(last measure.Quantity) func(v []float64) (float64, error) {
	if f.other != nil && last == f.otherQuantity {
		return f.other
	}
	return f.compute
}

// Formulas lists every kind of derived channel.
func Formulas() []Formula {
	return []Formula{
		{
			Name: "oxygen-saturation", Gives: measure.OxygenSaturation,
			Takes: []Input{
				{Quantity: measure.DissolvedOxygen},
				{Quantity: measure.WaterTemperature},
				{Quantity: measure.Salinity, Optional: true},
				{Quantity: measure.AirPressure, Optional: true, Fallback: 1013.25},
			},
			compute: func(v []float64) (float64, error) { return formula.OxygenPercent(v[0], v[1], v[2], v[3]) },
		},
		{
			Name: "unionised-ammonia", Gives: measure.UnionisedAmmonia,
			Takes: []Input{
				{Quantity: measure.PH}, {Quantity: measure.WaterTemperature}, {Quantity: measure.TotalAmmonia, Entered: true},
			},
			compute:       func(v []float64) (float64, error) { return formula.UnionisedAmmonia(v[2], v[0], v[1]) },
			otherQuantity: measure.Ammonium,
			other:         func(v []float64) (float64, error) { return besideAmmonium(v[2], v[0], v[1]) },
		},
		{
			Name: "salinity", Gives: measure.Salinity,
			Takes:   []Input{{Quantity: measure.Conductivity}},
			compute: func(v []float64) (float64, error) { return formula.Salinity(v[0], 25, 0) }, // conductivities are those at 25 °C
		},
		{
			Name: "dew-point", Gives: measure.DewPoint,
			Takes:   []Input{{Quantity: measure.RelativeHumidity}, {Quantity: measure.AirTemperature}},
			compute: func(v []float64) (float64, error) { return formula.DewPoint(v[1], v[0]) },
		},
		{
			Name: "vapour-pressure-deficit", Gives: measure.VapourDeficit,
			Takes:   []Input{{Quantity: measure.RelativeHumidity}, {Quantity: measure.AirTemperature}},
			compute: func(v []float64) (float64, error) { return formula.VapourPressureDeficit(v[1], v[0]) },
		},
		{
			Name: "soil-water", Gives: measure.SoilMoisture,
			Takes:   []Input{{Quantity: measure.SoilPermittivity}},
			compute: func(v []float64) (float64, error) { return formula.SoilWater(v[0]) },
		},
	}
}

// besideAmmonium is the NH3-N in mg/L beside nh4 mg/L of NH4-N, as an ion-selective probe gives it: f/(1−f) of it, with the
// fraction f of the total that is un-ionised.
func besideAmmonium(nh4, ph, celsius float64) (float64, error) {
	f, err := formula.AmmoniaFraction(ph, celsius)
	if err != nil {
		return 0, err
	}
	return formula.UnionisedAmmonia(nh4/(1-f), ph, celsius) // with the limits of a total ammonia
}

// Lookup finds a formula by its name.
func Lookup(name string) (Formula, bool) {
	for _, f := range Formulas() {
		if f.Name == name {
			return f, true
		}
	}
	return Formula{}, false
}

// Names lists the formulas.
func Names() []string {
	var names []string
	for _, f := range Formulas() {
		names = append(names, f.Name)
	}
	return names
}
