package world

import "math"

// weather is the weather of one seed with what actions lay over it.
type weather struct {
	former
}

func newWeather(seed uint64, _ []Action) *weather { return &weather{former: newFormer(seed)} }

// at is the weather at h.
func (w *weather) at(h float64) Sky {
	_, hour := split(h)
	clear := 900 * math.Max(0, math.Sin(math.Pi*(hour-6)/12))
	air, dew, cloud := w.air(h), w.dew(h), w.cloud(h)
	day, _ := split(h)
	rain := 0.0
	if r := w.rain(day); r.depth > 0 && h >= r.begin && h < r.begin+r.lasts {
		rain = r.depth / r.lasts
	}
	return Sky{
		Air: air, Dew: math.Min(dew, air), Humidity: clamp(100*saturation(dew)/saturation(air), 20, 99.2), Pressure: w.pressure(h),
		Sun: clear * (1 - 2*cloud/3), Clear: clear, Cloud: cloud, Wind: 1.8, Rain: rain,
	}
}
