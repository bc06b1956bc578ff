package world

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// crop is what grows on a plot. Stages and coefficients are of FAO-56 tables 11, 12, 17 and 22, stages shortened to the delta's
// seasons.
type crop struct {
	name                                    string
	days                                    [4]float64 // of the initial stage, the development, the middle and the late one
	kc                                      [3]float64 // initial, middle, end
	cover                                   float64    // share of the ground that a full canopy covers
	rooted                                  float64    // m, at full depth
	depletion                               float64    // p, at 5 mm a day
	response                                float64    // Ky of FAO-33, yield's answer to lack of water
	yield                                   float64    // t/ha, without want
	nitrogen, phosphorus, potassium, manure float64    // kg/ha a season, as the farmers give them
	flooded                                 bool
}

// The crops by number, as the state of a plot has them; 0 is fallow: weeds on a third of the ground.
const (
	fallow = iota
	potato
	herb
	rice
)

// crops are by number. Potato: rates of the Nam Định guide (15–20 t manure, 250–300 kg urea, 350–400 kg superphosphate, 200–250
// kg K2SO4). Herb: small vegetables and mint. Rice: transplanted.
func crops() [4]crop {
	return [4]crop{
		fallow: {name: "fallow", kc: [3]float64{0.9, 0.9, 0.9}, cover: 0.35, rooted: 0.3, depletion: 0.5},
		potato: {
			name: "potato", days: [4]float64{20, 25, 30, 22}, kc: [3]float64{0.5, 1.15, 0.75}, cover: 0.92, rooted: 0.5, depletion: 0.35, response: 1.1,
			yield: 20, nitrogen: 127, phosphorus: 27, potassium: 95, manure: 15_000,
		},
		herb: {
			name: "herb", days: [4]float64{25, 35, 75, 35}, kc: [3]float64{0.6, 1.1, 1.0}, cover: 0.85, rooted: 0.4, depletion: 0.30, response: 1.0,
			yield: 12, nitrogen: 80, phosphorus: 20, potassium: 60, manure: 10_000,
		},
		rice: {
			name: "rice", days: [4]float64{20, 30, 35, 25}, kc: [3]float64{1.05, 1.2, 0.75}, cover: 0.95, rooted: 0.4, depletion: 0.2, response: 1.2,
			yield: 6, nitrogen: 100, phosphorus: 25, potassium: 50, flooded: true,
		},
	}
}

// crop is what grows on the plot.
func (p *plot) crop(s state) *crop { return &p.crops[int(clamp(s[plotCrop], fallow, rice))] }

// flooded tells whether the plot is a rice field.
func (p *plot) flooded(s state) bool { return p.crop(s).flooded }

// cropNamed is the number of a crop that can be planted.
func cropNamed(name string) (float64, error) {
	var known []string
	for i, c := range crops() {
		if i != fallow && c.name == name {
			return float64(i), nil
		}
		if i != fallow {
			known = append(known, c.name)
		}
	}
	return 0, fmt.Errorf("world: unknown crop %q; want one of %s", name, strings.Join(known, ", "))
}

// stage is how far a crop is at an age in days: 0 to 1 through the development, 1 to 2 through the late stage.
func (c *crop) stage(age float64) float64 {
	d := c.days
	switch {
	case age <= d[0]:
		return 0
	case age < d[0]+d[1]:
		return (age - d[0]) / d[1]
	case age < d[0]+d[1]+d[2]:
		return 1
	case d[3] > 0:
		return 1 + math.Min(1, (age-d[0]-d[1]-d[2])/d[3])
	}
	return 0
}

// coefficient is Kc at an age: the lines of FAO-56 figure 34.
func (c *crop) coefficient(age float64) float64 {
	x := c.stage(age)
	if x <= 1 {
		return c.kc[0] + (c.kc[1]-c.kc[0])*x
	}
	return c.kc[1] + (c.kc[2]-c.kc[1])*(x-1)
}

// canopy is the share of the ground that the crop covers at an age. It comes up in the first stage, and thins in the last.
func (c *crop) canopy(age float64) float64 {
	if c.days[0] == 0 {
		return c.cover
	}
	young := 0.12 * math.Min(1, age/c.days[0])
	x := c.stage(age)
	if x <= 1 {
		return young + (c.cover-young)*x
	}
	return c.cover * (1 - 0.45*(x-1))
}

// roots is their depth at an age, m: from 15 cm to the full depth when the canopy is full.
func (c *crop) roots(age float64) float64 {
	if c.days[0] == 0 {
		return c.rooted
	}
	return 0.15 + (c.rooted-0.15)*clamp(age/(c.days[0]+c.days[1]), 0, 1)
}

// season is when a plot's crop is usually planted and harvested: month times 100 and day.
type season struct {
	crop           float64
	plant, harvest int
}

// seasons are those of a plot. Potato: guide of Nam Định province (main, early and spring crop); rice: the delta's spring and
// summer crop; herbs are cut twice a year.
func seasons(name, which string) []season {
	switch name {
	case "potato":
		switch which {
		case "early":
			return []season{{potato, 1005, 1225}}
		case "spring":
			return []season{{potato, 1205, 305}}
		}
		return []season{{potato, 1028, 203}}
	case "herb":
		return []season{{herb, 401, 918}, {herb, 1001, 320}}
	case "rice":
		return []season{{rice, 215, 605}, {rice, 625, 1005}}
	}
	return nil
}

// dateOf is the hour of civil time at which a month and day (as in season) begin in a year.
func dateOf(year, date int) float64 {
	return float64(time.Date(year, time.Month(date/100), date%100, 0, 0, 0, 0, time.UTC).Unix()) / 3600
}

// seasonAt is the season that h lies in, with its planting and its harvest in hours; ok is false between seasons.
func (p *plot) seasonAt(h float64) (crop, plant, harvest float64, ok bool) {
	year := time.Unix(int64(h*3600), 0).UTC().Year()
	for _, s := range p.seasons {
		for y := year - 1; y <= year; y++ {
			plant, end := dateOf(y, s.plant)+p.late, y
			if s.harvest < s.plant {
				end++
			}
			harvest := dateOf(end, s.harvest) + p.late
			if h >= plant && h < harvest {
				return s.crop, plant, harvest, true
			}
		}
	}
	return 0, 0, 0, false
}
