package intake

import (
	"fmt"
	"maps"
	"slices"

	"aovuon/gateway/measure"
)

// linear turns a number of one unit into another: n·scale + offset.
type linear struct{ scale, offset float64 }

// dimensions are the units we know, by what they measure, each with what makes it the first of its row's base. Names are those of RFC 8428 section
// 12.1 and RFC 8798, and as devices write them.
func dimensions() []map[string]linear {
	return []map[string]linear{
		{"°C": {1, 0}, "Cel": {1, 0}, "C": {1, 0}, "K": {1, -273.15}, "degF": {5. / 9, -160. / 9}, "°F": {5. / 9, -160. / 9}, "F": {5. / 9, -160. / 9}},
		{"%": {1, 0}, "%RH": {1, 0}, "/": {100, 0}, "/100": {1, 0}, "/1000": {0.1, 0}},
		{"hPa": {1, 0}, "Pa": {0.01, 0}, "kPa": {10, 0}, "mbar": {1, 0}, "bar": {1000, 0}, "mmHg": {1.33322387415, 0}, "inHg": {33.8638866667, 0}, "psi": {68.947572932, 0}},
		{"mg/L": {1, 0}, "mg/l": {1, 0}, "ppm": {1, 0}, "g/l": {1000, 0}, "g/L": {1000, 0}, "ug/l": {0.001, 0}, "µg/L": {0.001, 0}, "kg/m3": {1000, 0}},
		{"mS/cm": {1, 0}, "S/m": {10, 0}, "µS/cm": {0.001, 0}, "uS/cm": {0.001, 0}, "dS/m": {1, 0}, "mS/m": {0.01, 0}},
		{"m": {1, 0}, "cm": {0.01, 0}, "mm": {0.001, 0}, "km": {1000, 0}},
		{"V": {1, 0}, "mV": {0.001, 0}},
		{"A": {1, 0}, "mA": {0.001, 0}},
		{"s": {1, 0}, "ms": {0.001, 0}, "min": {60, 0}, "h": {3600, 0}},
		{"MB": {1, 0}, "B": {1e-6, 0}, "kB": {1e-3, 0}, "GB": {1e3, 0}, "MiB": {1.048576, 0}, "GiB": {1073.741824, 0}},
	}
}

// dimensionless are the quantities that are a bare number, with the words that devices put there.
func dimensionless() map[measure.Quantity][]string {
	return map[measure.Quantity][]string{measure.PH: {"pH"}, measure.SoilPH: {"pH"}, measure.Salinity: {"g/kg", "ppt", "PSU", "/1000"}, measure.Turbidity: {"FNU", "FTU"}}
}

// toQuantity says how a number in a unit becomes one of a quantity.
func toQuantity(unit string, q measure.Quantity) (linear, error) {
	info, _ := q.Info()
	if unit == "" || unit == info.Unit || slices.Contains(dimensionless()[q], unit) {
		return linear{1, 0}, nil
	}
	for _, d := range dimensions() {
		from, ok := d[unit]
		to, same := d[info.Unit]
		if ok && same { // n·from.scale + from.offset is in the base; solved for the quantity's
			return linear{from.scale / to.scale, (from.offset - to.offset) / to.scale}, nil
		}
	}
	return linear{}, fmt.Errorf("unit %q is none of %s, which is in %q", unit, q, info.Unit)
}

// Units lists the units that a mapping may name for a quantity, beside its own.
func Units(q measure.Quantity) []string {
	info, _ := q.Info()
	out := slices.Clone(dimensionless()[q])
	for _, d := range dimensions() {
		if _, ok := d[info.Unit]; ok {
			out = append(out, slices.Sorted(maps.Keys(d))...)
		}
	}
	return slices.DeleteFunc(out, func(u string) bool { return u == info.Unit })
}
