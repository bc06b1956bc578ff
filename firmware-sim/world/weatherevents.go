package world

import (
	"math"
	"time"
)

// Noise channels of the weather, a range of its own.
const (
	chanWarm = iota + 1000
	chanCover
	chanMoist
	chanBreeze
	chanWeight
	chanPatch
	chanFlutter
	chanSurge
	chanDrizzle
	chanShower
	chanLongRain
	chanTyphoon
)

// pulse is something that comes and goes: nothing at both ends, a bell between them.
type pulse struct {
	from, lasts float64 // hours
	amount      float64
}

// bell is sin² of the pulse's way: its mean over the pulse is 1/2.
func (p pulse) bell(h float64) float64 {
	x := (h - p.from) / p.lasts
	if x <= 0 || x >= 1 {
		return 0
	}
	s := math.Sin(math.Pi * x)
	return s * s
}

// rate spreads the amount over the pulse, per hour.
func (p pulse) rate(h float64) float64 { return 2 * p.amount * p.bell(h) / p.lasts }

// near is 1 in the pulse, rises within 45 minutes before it and falls within an hour after it: clouds are wider than their rain.
func (p pulse) near(h float64) float64 {
	return spell{from: p.from - 0.75, to: p.from + p.lasts, up: 0.75, down: 1}.at(h)
}

// spell is a stretch of time that begins within up hours and ends within down hours after to.
type spell struct {
	from, to, up, down float64
	amount             float64
}

// at is 0 outside the spell, 1 in it and smooth between.
func (s spell) at(h float64) float64 {
	if h <= s.from || h >= s.to+s.down {
		return 0
	}
	return smooth((h-s.from)/s.up) * (1 - smooth((h-s.to)/s.down))
}

// smooth is 0 up to 0 and 1 from 1 on, smoothstep between.
func smooth(x float64) float64 {
	x = clamp(x, 0, 1)
	return x * x * (3 - 2*x)
}

// dice are the numbers that one use of chance draws for one index.
type dice struct {
	seed, channel uint64
	i             int64
}

func (d dice) roll(n uint64) float64 { return unit(d.seed, d.channel+n<<32, d.i) }

// Cold surges: an anticyclone of Siberia sends a front through within hours; two to six days later the air is mild again. Slots of
// ten days bring at most one.
const (
	surgeSlot                = 240.0
	surgeMin, surgeMax       = 48.0, 144.0 // hours that it holds
	surgeUp, surgeDown       = 16.0, 40.0
	surgeShallow, surgeDepth = 3.5, 8.5 // °C
	// surgeMean is how much colder a month with a surge in every slot is, °C.
	surgeMean = 2.75
)

// surges are the cold surges that reach into the hours from h to h+24.
func surges(seed uint64, h float64) (list []spell) {
	slot := int64(math.Floor(h / surgeSlot))
	for i := slot - 1; i <= slot+1; i++ {
		d := dice{seed, chanSurge, i}
		from := (float64(i) + d.roll(1)) * surgeSlot
		if d.roll(0) >= surgeChances().at(from) {
			continue
		}
		to := from + surgeMin + (surgeMax-surgeMin)*d.roll(2)
		if from < h+24 && to+surgeDown > h {
			list = append(list, spell{from, to, surgeUp, surgeDown, surgeShallow + (surgeDepth-surgeShallow)*d.roll(3)})
		}
	}
	return list
}

// front is the rain that a surge brings as it comes.
func front(seed uint64, s spell) pulse {
	d := dice{seed, chanSurge, int64(s.from)}
	month := rainNormals().at(s.from) * frontShares().at(s.from)
	return pulse{s.from - 2, 8 + 8*d.roll(4), month / (monthHours / surgeSlot * surgeChances().at(s.from)) * 2 * d.roll(5)}
}

const monthHours = 365.2425 * 2 // hours in a twelfth of the year

// drizzles are the spells of mưa phùn that reach into the hours from h to h+24. Slots of six days bring at most one, of one to four
// days.
func drizzles(seed uint64, h float64) (list []spell) {
	const slot, ramp = 144.0, 8.0
	at := int64(math.Floor(h / slot))
	for i := at - 1; i <= at+1; i++ {
		d := dice{seed, chanDrizzle, i}
		from := (float64(i) + d.roll(1)) * slot
		if d.roll(0) >= drizzleChances().at(from) {
			continue
		}
		to := from + 30 + 70*d.roll(2)
		if from < h+24 && to+ramp > h {
			list = append(list, spell{from, to, ramp, ramp, 1})
		}
	}
	return list
}

// showers are those of one day: one in the afternoon or evening, and sometimes one before.
func showers(seed uint64, day int64) (list []pulse) {
	const early = 0.35 // as many before noon as after it
	noon := float64(day)*24 + 12
	chance := showerChances().at(noon)
	month := rainNormals().at(noon) * showerShares().at(noon)
	mean := month / (monthHours / 24 * chance * (1 + early))
	for n, s := range []struct{ from, span, chance float64 }{{1, 12, early * chance}, {13, 8, chance}} {
		d := dice{seed, chanShower + uint64(n)<<16, day}
		if d.roll(0) >= s.chance {
			continue
		}
		u := d.roll(3)
		list = append(list, pulse{float64(day)*24 + s.from + s.span*d.roll(1), 0.8 + 2.2*d.roll(2), mean * (0.2 + 2.4*u*u)})
	}
	return list
}

// longRains are the rains of many hours that reach into the hours from h to h+24. Slots of five days bring at most one.
func longRains(seed uint64, h float64) (list []pulse) {
	const slot = 120.0
	at := int64(math.Floor(h / slot))
	for i := at - 1; i <= at+1; i++ {
		d := dice{seed, chanLongRain, i}
		from := (float64(i) + d.roll(1)) * slot
		chance := longRainChances().at(from)
		if d.roll(0) >= chance {
			continue
		}
		p := pulse{from, 10 + 26*d.roll(2), rainNormals().at(from) * longRainShares().at(from) / (monthHours / slot * chance) * (0.4 + 1.2*d.roll(3))}
		if p.from < h+25 && p.from+p.lasts > h-1 {
			list = append(list, p)
		}
	}
	return list
}

// typhoons are the typhoons of a year, June to October, most of them around mid August: none to three. Their amount is the wind at
// its height, m/s at 2 m.
func typhoons(seed uint64, year int) (list []pulse) {
	d := dice{seed, chanTyphoon, int64(year)}
	u := d.roll(0)
	n := 0
	for _, least := range []float64{0.15, 0.5, 0.85} { // 15 % of years have none, 35 % one, 35 % two, 15 % three
		if u >= least {
			n++
		}
	}
	first := hoursOf(time.Date(year, time.June, 1, 0, 0, 0, 0, zone()))
	for i := range uint64(n) {
		day := 150 * (d.roll(1+4*i) + d.roll(2+4*i)) / 2
		list = append(list, pulse{first + 24*day, 26 + 16*d.roll(3+4*i), 12 + 12*d.roll(4+4*i)})
	}
	return list
}

// A typhoon's rain at its height in mm/h, for every m/s of its wind there; together it is some 40 to 130 mm.
const typhoonRain = 0.25

// depression is how much the pressure falls at the height of a typhoon with a wind (m/s at 2 m), hPa: Atkinson and Holliday 1977,
// 3.44 (1010 - p)^0.644 m/s at 10 m; the wind at 2 m is 0.748 of that (FAO-56 equation 47).
func depression(wind float64) float64 { return math.Pow(wind/0.748/3.44, 1/0.644) }
