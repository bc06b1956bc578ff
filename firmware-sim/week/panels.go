package week

import (
	"math"
	"time"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// panel is one picture: curves and bars over the same days, with an axis on the left and perhaps one on the right.
type panel struct {
	title       string // key of the words
	left, right axis
	shade       []band // what is marked, with its key below
	shadeKey    string
}

// axis is a scale and what is drawn by it.
type axis struct {
	unit   string
	curves []curve
	bars   []bars
	marks  []mark
	zero   bool    // the scale begins at 0
	most   float64 // where the scale ends though a round one would go on; 0: nowhere
	least  float64 // the least span of the scale, so that noise does not look like weather
}

type curve struct {
	key, tone string // of the words; class of the drawing
	v         []float64
}

// bars are sums of hours.
type bars struct {
	key, tone string
	v         []float64
}

// mark is a line across, with its text.
type mark struct {
	key string
	v   float64
}

func (s *sheet) pond() []panel {
	at := []measure.Quantity{measure.WaterTemperature, measure.DissolvedOxygen, measure.PH}
	up, low := s.deep(s.place.Depth/4, at...), s.deep(0.8*s.place.Depth, at...)
	full := s.each(func(t time.Time) (float64, error) {
		var v [3]float64
		for i, q := range []measure.Quantity{measure.WaterTemperature, measure.Salinity, measure.AirPressure} {
			var err error
			if v[i], err = s.o.World.Value(s.place.ID, q, t); err != nil {
				return 0, err
			}
		}
		return world.Saturation(v[0], v[1], v[2]/1013.25), nil
	})
	return []panel{
		{title: "temperature", left: axis{unit: "°C", least: 5, curves: []curve{
			{"air", "a", s.value(measure.AirTemperature)}, {"upper", "b", up[0]}, {"lower", "c", low[0]},
		}}},
		{title: "oxygen", left: axis{unit: "mg/L", zero: true, least: 8, marks: []mark{{"limit.oxygen", 4}, {"gasping", 1}}, curves: []curve{
			{"saturation", "d", full}, {"upper", "b", up[1]}, {"lower", "c", low[1]},
		}}},
		{title: "ph", left: axis{least: 1.5, marks: []mark{{"limit.ph", 9}}, curves: []curve{{"upper", "b", up[2]}, {"lower", "c", low[2]}}}},
		{
			title: "ammonia",
			left:  axis{unit: "mg/L", zero: true, least: 0.5, curves: []curve{{"tan", "b", s.value(measure.TotalAmmonia)}}},
			right: axis{unit: "mg/L", zero: true, least: 0.05, curves: []curve{{"nh3", "a", s.value(measure.UnionisedAmmonia)}}},
		},
		{
			title: "water",
			left:  axis{unit: "NTU", zero: true, least: 40, curves: []curve{{"turbidity", "e", s.value(measure.Turbidity)}}},
			right: axis{unit: "cm", least: 10, curves: []curve{{"level", "b", s.value(measure.WaterLevel)}}},
		},
		s.rainWind(),
		s.sunshine(),
	}
}

func (s *sheet) rainWind() panel {
	return panel{
		title: "rainwind",
		left:  axis{unit: "mm", zero: true, least: 5, bars: []bars{{"rain", "b", s.rain()}}},
		right: axis{unit: "m/s", zero: true, least: 5, curves: []curve{{"wind", "e", s.sky(func(k world.Sky) float64 { return k.Wind })}}},
	}
}

func (s *sheet) sunshine() panel {
	return panel{title: "sun", left: axis{unit: "W/m²", zero: true, least: 1000, curves: []curve{
		{"clear", "d", s.sky(func(k world.Sky) float64 { return k.Clear })}, {"sun", "a", s.sky(func(k world.Sky) float64 { return k.Sun })},
	}}}
}

// depths are those of a plot's curves, m: one in every layer of its water.
func depths() [4]float64 { return [4]float64{0.05, 0.2, 0.45, 0.8} }

func (s *sheet) plot() []panel {
	keys, tones := [4]string{"depth.5", "depth.20", "depth.45", "depth.80"}, [4]string{"a", "e", "b", "c"}
	var moist, warm, salt []curve
	for i, d := range depths() {
		v := s.deep(d, measure.SoilMoisture, measure.SoilTemperature, measure.SoilConductivity)
		moist = append(moist, curve{keys[i], tones[i], v[0]})
		warm = append(warm, curve{keys[i], tones[i], v[1]})
		salt = append(salt, curve{keys[i], tones[i], v[2]})
	}
	humid := s.value(measure.RelativeHumidity)
	irrigation := s.hourly(func(t time.Time) (float64, error) { return s.o.World.Value(s.place.ID, world.Irrigation, t) })
	return []panel{
		{
			title: "waterings",
			left:  axis{unit: "mm", zero: true, least: 5, bars: []bars{{"rain", "b", s.rain()}, {"irrigation", "g", irrigation}}},
		},
		{title: "moisture", left: axis{unit: "%", least: 20, curves: moist, marks: []mark{
			{"fc", 100 * s.place.Soil.FieldCapacity}, {"wp", 100 * s.place.Soil.WiltingPoint},
		}}},
		{title: "soilwarm", left: axis{unit: "°C", least: 6, curves: append([]curve{{"air", "d", s.value(measure.AirTemperature)}}, warm...)}},
		{title: "salt", left: axis{unit: "µS/cm", zero: true, least: 200, curves: salt}},
		{
			title: "humid", shade: bands(humid, 90), shadeKey: "humid.shade",
			left:  axis{unit: "%", most: 100, least: 40, curves: []curve{{"humidity", "b", humid}}, marks: []mark{{"limit.humid", 90}}},
			right: axis{unit: "°C", least: 10, curves: []curve{{"air", "a", s.value(measure.AirTemperature)}}},
		},
		s.sunshine(),
	}
}

func (s *sheet) room() []panel {
	moisture, mass := s.value(world.GoodsMoisture), s.value(world.GoodsMass)
	for i, kg := range mass { // the world remembers the goods that were there last; nobody sees those
		if kg < 0.1 {
			moisture[i] = math.NaN()
		}
	}
	return []panel{
		{title: "temperature", left: axis{unit: "°C", least: 10, curves: []curve{
			{"inside", "a", s.value(measure.AirTemperature)}, {"outside", "b", s.sky(func(k world.Sky) float64 { return k.Air })},
		}}},
		{title: "humidity", left: axis{unit: "%", zero: true, most: 100, least: 100, curves: []curve{
			{"inside", "a", s.value(measure.RelativeHumidity)}, {"outside", "b", s.sky(func(k world.Sky) float64 { return k.Humidity })},
		}}},
		{
			title: "goods",
			left:  axis{unit: "%", zero: true, least: 50, curves: []curve{{"goods.moisture", "g", moisture}}, marks: []mark{{"limit.goods", 13}}},
			right: axis{unit: "kg", zero: true, least: 50, curves: []curve{{"goods.mass", "e", mass}}},
		},
		s.rainWind(),
	}
}
