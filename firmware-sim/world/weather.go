package world

import (
	"math"
	"sync/atomic"
	"time"
)

// weather is the weather of one seed with what actions lay over it: a pure function of the hour. It is safe for concurrent use.
type weather struct {
	seed  uint64
	overs []overlay
	days  [16]atomic.Pointer[weatherDay] // by day, the last one asked for; they save time and change no value
}

func newWeather(seed uint64, actions []Action) *weather {
	w := &weather{seed: seed}
	for _, a := range actions {
		w.overs = append(w.overs, over(a))
	}
	return w
}

// usual is what is usual at one instant of the year.
type usual struct {
	air, half   float64 // °C; half of the day's range
	cover       float64 // log odds of cloud
	deficit     float64 // °C of the mean over the dew point
	wind, press float64
	spell, dry  float64
	dawn        float64 // hour of the day's coolest
}

// weatherDay is what holds for one day, and all that happens in it.
type weatherDay struct {
	day      int64
	from, to usual // at its first instant and its last
	sun      sunDay

	surges, drizzles        []spell
	fronts, showers, storms []pulse
	overs                   []overlay
}

func (w *weather) day(n int64) *weatherDay {
	slot := &w.days[n&15]
	if d := slot.Load(); d != nil && d.day == n {
		return d
	}
	d := w.makeDay(n)
	slot.Store(d)
	return d
}

func (w *weather) makeDay(n int64) *weatherDay {
	h := float64(n) * 24
	d := &weatherDay{day: n, from: usualAt(n), to: usualAt(n + 1), sun: sunHere(n)}
	d.surges, d.drizzles = surges(w.seed, h), drizzles(w.seed, h)
	for _, s := range surges(w.seed, h+12) { // a front comes hours before its surge is felt
		d.fronts = append(d.fronts, front(w.seed, s))
	}
	d.fronts = append(d.fronts, longRains(w.seed, h)...)
	for i := n - 1; i <= n+1; i++ { // a shower may pass midnight
		d.showers = append(d.showers, showers(w.seed, i)...)
	}
	d.storms = typhoons(w.seed, time.Unix(n*86400, 0).UTC().Year())
	for _, o := range w.overs {
		if !o.reaches(h, h+24) {
			continue
		}
		if o.kind == Typhoon {
			d.storms = append(d.storms, o.storm)
			continue
		}
		d.overs = append(d.overs, o)
	}
	d.fronts, d.showers, d.storms = within(d.fronts, h), within(d.showers, h), within(d.storms, h)
	return d
}

// within keeps the pulses that are near a day.
func within(list []pulse, h float64) (near []pulse) {
	for _, p := range list {
		if p.from-1 < h+24 && p.from+p.lasts+1 > h {
			near = append(near, p)
		}
	}
	return near
}

// usualAt is what is usual at the first instant of day n.
func usualAt(n int64) usual {
	h := float64(n) * 24
	cloud := 1 - 1.13*sunshineNormals().at(h)                       // rain's own clouds come on top
	rain := 0.5 * (showerChances().at(h) + longRainChances().at(h)) // °C that rain takes
	return usual{
		air:     airNormals().at(h) + surgeMean*surgeChances().at(h) + rain, // the normal has its surges and its rains in it
		half:    rangeNormals().at(h) / 2,
		cover:   math.Log(cloud/(1-cloud)) / 0.78, // the mean of a logistic of noise lies nearer to a half
		deficit: deficitOf(humidityNormals().at(h)),
		wind:    windNormals().at(h), press: pressureNormals().at(h) - 1.6*surgeChances().at(h),
		spell: spellNormals().at(h), dry: dryNormals().at(h),
		dawn: sunHere(n).sunrise() - 0.2,
	}
}

// deficitOf is how far below the mean temperature the dew point lies, °C, for a mean humidity: 5 % a degree near saturation
// (Lawrence 2005), fitted to this model's days.
func deficitOf(humidity float64) float64 { return (100 - humidity) / 5.3 }

// join is between a and b, x of the way.
func join(a, b usual, x float64) usual {
	mix := func(p, q float64) float64 { return p + (q-p)*x }
	return usual{
		mix(a.air, b.air), mix(a.half, b.half), mix(a.cover, b.cover), mix(a.deficit, b.deficit), mix(a.wind, b.wind), mix(a.press, b.press),
		mix(a.spell, b.spell), mix(a.dry, b.dry), mix(a.dawn, b.dawn),
	}
}

// mood is what the large weather does at an instant, each between 0 and 1.
type mood struct {
	surge, depth float64 // a cold surge, and how much colder it makes it, °C
	onset        float64 // its wind
	drizzle      float64
	wet          float64 // rain is near
	storm, gale  float64 // a typhoon, and its wind in m/s
	fall         float64 // of the pressure, hPa
	rain         float64 // mm/h of showers, long rains, fronts and typhoons
	gust         float64 // of showers
}

func (d *weatherDay) mood(h float64) (m mood) {
	for _, s := range d.surges {
		at := s.at(h)
		m.depth = math.Max(m.depth, at*s.amount)
		m.onset = math.Max(m.onset, pulse{from: s.from, lasts: 40}.bell(h))
	}
	m.surge = m.depth / surgeDepth
	for _, s := range d.drizzles {
		m.drizzle = math.Max(m.drizzle, s.at(h))
	}
	for _, p := range d.fronts {
		m.rain += p.rate(h)
		m.wet = math.Max(m.wet, p.near(h))
	}
	for _, p := range d.showers {
		m.rain += p.rate(h)
		m.wet = math.Max(m.wet, p.near(h))
		m.gust = math.Max(m.gust, p.bell(h))
	}
	for _, p := range d.storms {
		b := p.bell(h)
		m.storm = math.Max(m.storm, b)
		m.gale = math.Max(m.gale, b*p.amount)
		m.rain += typhoonRain * p.amount * b
		m.fall = math.Max(m.fall, b*depression(p.amount))
	}
	m.wet = math.Max(m.wet, m.storm)
	return m
}

// at is the weather at h.
func (w *weather) at(h float64) Sky {
	n, hour := split(h)
	d := w.day(n)
	u := join(d.from, d.to, hour/24)
	m := d.mood(h)
	ov := d.laid(h)
	m.drizzle = math.Max(m.drizzle, ov.drizzle)
	m.wet = math.Max(m.wet, ov.wet)

	cloud := 1 / (1 + math.Exp(-u.cover-3.5*(0.75*drift(w.seed, chanCover, h, 37)+0.45*drift(w.seed, chanCover, h+5555, 9))))
	cloud += (0.98 - cloud) * math.Max(m.drizzle, 0.97*m.wet)
	cloud += (ov.cover - cloud) * ov.covered

	bare := clearShare * d.sun.outside(hour)
	air, dew := w.air(h, hour, u, m, ov, cloud)
	return Sky{
		Air: air, Dew: dew, Humidity: 100 * saturation(dew) / saturation(air), // FAO-56 equation 54
		Pressure: w.pressure(h, hour, u, m),
		Sun:      bare * through(cloud), Clear: bare, Cloud: cloud,
		Wind: w.wind(h, hour, u, m, ov),
		Rain: m.rain + ov.rain + w.drizzle(h)*m.drizzle,
	}
}

// air is the air temperature and the dew point, °C. The day's course is coolest at sunrise and warmest at 14:30; cloud and drizzle
// make it small. The dew point lies below the mean of the day and follows the air down when that cools to it, as fog and dew take
// the water out; near rain the air comes closer to it.
func (w *weather) air(h, hour float64, u usual, m mood, ov laid, cloud float64) (air, dew float64) {
	warm := u.spell * (0.75*drift(w.seed, chanWarm, h, 130) + 0.4*drift(w.seed, chanWarm, h+7777, 44))
	mean := u.air + warm - m.depth + ov.warmer
	usualCloud := 1 / (1 + math.Exp(-0.78*u.cover))
	half := u.half * (1.5 - 1.2*cloud) / (1.5 - 1.2*usualCloud) * (1 - 0.75*m.drizzle)
	day := 2*swing(hour, u.dawn, 14.5, 0.3) - 1
	air = mean + half*day + 0.25*drift(w.seed, chanFlutter, h, 0.7)*(1-m.drizzle)

	deficit := u.deficit * (1 + 0.45*drift(w.seed, chanMoist, h, 60)) * (1 + 0.8*u.dry*m.surge)
	deficit += (0.15 - deficit) * m.drizzle
	dew = mean - deficit
	air -= 0.55 * math.Max(0, air-dew) * m.wet // rain cools the air towards its wet bulb
	gap := air - dew
	return air, air - (gap+math.Sqrt(gap*gap+0.25))/2
}

// wind is that at 2 m, m/s: weakest before dawn, strongest in the afternoon, in gusts; surges come with wind, drizzle without.
func (w *weather) wind(h, hour float64, u usual, m mood, ov laid) float64 {
	course := 0.4 + 1.15*swing(hour, 4.5, 14.5, 0.4)
	course += (1 - course) * 0.6 * m.surge // the monsoon blows at night, too
	gusts := 0.92 * math.Exp(0.5*drift(w.seed, chanBreeze, h, 5)+0.45*drift(w.seed, chanBreeze, h+3333, 31))
	v := u.wind*course*gusts*(1-0.35*m.drizzle) + 2.5*m.onset + 2*m.gust
	v += (math.Min(v, 1) - v) * 0.5 * m.storm
	v += m.gale * (1 + 0.15*drift(w.seed, chanPatch, h, 0.5))
	return v + (math.Min(v, 0.4)-v)*ov.calm
}

// pressure is that at sea level, hPa: the season's, the tide of the air that the sun raises twice a day, 1.16 cos³φ hPa with its
// heights near 9:44 and 21:44 (Haurwitz 1956, in Chapman and Lindzen, Atmospheric Tides, 1970), surges and typhoons.
func (w *weather) pressure(h, hour float64, u usual, m mood) float64 {
	c := math.Cos(latitude * math.Pi / 180)
	tide := 1.16 * c * c * c * math.Cos(2*math.Pi*(hour-9.73)/12)
	return u.press + tide + 3*drift(w.seed, chanWeight, h, 90) + 6*m.surge - m.fall
}

// drizzle is the rain of mưa phùn, mm/h: patches of some hours, 1 to 3 mm a day.
func (w *weather) drizzle(h float64) float64 {
	return 0.45 * math.Max(0, drift(w.seed, chanPatch, h, 5))
}

// saturation is the vapour pressure of water at t °C, kPa (FAO-56 equation 11).
func saturation(t float64) float64 { return 0.6108 * math.Exp(17.27*t/(t+237.3)) }

// laid is what actions lay over an instant.
type laid struct {
	warmer         float64 // °C
	cover, covered float64 // the cloud, and how much of it is theirs
	calm, drizzle  float64
	wet, rain      float64
}

func (d *weatherDay) laid(h float64) (l laid) {
	for _, o := range d.overs {
		at := o.at(h)
		switch o.kind { //nolint:exhaustive // typhoons are storms, and the others are at places
		case ColdSnap:
			l.warmer -= o.amount * at
		case HeatWave:
			l.warmer += o.amount * at
		case Overcast:
			if at >= l.covered {
				l.cover, l.covered = o.amount, at
			}
		case Calm:
			l.calm = math.Max(l.calm, at)
		case Drizzle:
			l.drizzle = math.Max(l.drizzle, at)
		case Rainfall:
			l.wet = math.Max(l.wet, at)
			if h >= o.from && h < o.to {
				l.rain += o.amount / (o.to - o.from)
			}
		}
	}
	return l
}
