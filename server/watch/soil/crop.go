package soil

import (
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
)

// Crop is what a crop asks of the soil.
type Crop struct {
	Key string // potato, sweet_potato, tomato, rice, vegetable, herb: its words are soil.crop.KEY
	// Stages are the shares of a season that are its initial, development, middle and late stage (FAO-56 table 11, as shares of its total),
	// and Kc what the crop uses of a reference grass in the first, the third and at the end (FAO-56 table 12).
	Stages [4]float64
	Kc     [3]float64
	Roots  float64 // m, at full depth (FAO-56 table 22, the lower end: tilled beds above a shallow groundwater)
	P      float64 // share of the available water that it takes before it suffers, at 5 mm/day (table 22)
	Days   int     // from planting to harvest where the season does not say
	// StopDays before the harvest no water is given any more: skins set, and fewer tubers rot (guide of Nam Định province: two weeks).
	StopDays int
	Flooded  bool // stands in water: this method is not for it
	Near     bool // figures of a like crop: an estimate
}

// youngRoots is how deep roots reach when a crop is planted, m, and where every crop's germinate.
const youngRoots = 0.15

// crops are those that have figures of their own; the last two take in all others of their branch.
func crops() []Crop {
	return []Crop{
		{Key: "potato", Stages: shares(25, 30, 30, 30), Kc: [3]float64{0.5, 1.15, 0.75}, Roots: 0.5, P: 0.35, Days: 95, StopDays: 14},
		{Key: "sweet_potato", Stages: shares(20, 30, 60, 40), Kc: [3]float64{0.5, 1.15, 0.65}, Roots: 1.0, P: 0.65, Days: 120, StopDays: 14},
		{Key: "tomato", Stages: shares(30, 40, 45, 30), Kc: [3]float64{0.6, 1.15, 0.8}, Roots: 0.7, P: 0.40, Days: 120},
		{Key: "rice", Days: 110, Stages: shares(30, 30, 60, 30), Kc: [3]float64{1.05, 1.2, 0.75}, Roots: 0.5, P: 0.20, Flooded: true},
		{Key: "vegetable", Stages: shares(25, 35, 25, 10), Kc: [3]float64{0.7, 1.05, 0.95}, Roots: 0.4, P: 0.30, Days: 75, Near: true},
		{Key: "herb", Stages: shares(25, 35, 75, 35), Kc: [3]float64{0.6, 1.1, 1.0}, Roots: 0.4, P: 0.30, Days: 170, Near: true},
	}
}

func shares(days ...float64) (out [4]float64) {
	whole := 0.0
	for _, d := range days {
		whole += d
	}
	for i, d := range days {
		out[i] = d / whole
	}
	return out
}

// Crops returns the keys of all crops.
func Crops() []string {
	var out []string
	for _, c := range crops() {
		out = append(out, c.Key)
	}
	return out
}

// cropNamed returns the crop that names stand for, scientific ones first; otherwise that of the branch.
func cropNamed(branch string, names ...string) (Crop, bool) {
	all := crops()
	known := map[string][]string{
		"potato": {"solanum tuberosum", "khoai tây"}, "sweet_potato": {"ipomoea batatas", "khoai lang"},
		"tomato": {"solanum lycopersicum", "lycopersicon esculentum", "cà chua"}, "rice": {"oryza sativa", "lúa"},
	}
	for _, name := range names {
		name = strings.ToLower(strings.TrimSpace(name))
		for _, c := range all {
			if slices.ContainsFunc(known[c.Key], func(k string) bool { return name == k || strings.HasPrefix(name, k+" ") }) {
				return c, true
			}
		}
	}
	switch farm.Branch(branch) {
	case farm.Crop:
		return all[len(all)-2], true
	case farm.Herb:
		return all[len(all)-1], true
	case farm.Fish, farm.Process:
	}
	return Crop{}, false
}

// Season is what grows on a plot.
type Season struct {
	Crop
	Cycle     string    // id of its record
	Name      string    // of the record
	Planted   time.Time // by the diary, or the season's first day
	Harvest   time.Time // the season's last day; zero: a perennial's
	Estimated bool      // Harvest is reckoned by Crop.Days: the season does not say it
	Perennial bool
	AreaM2    float64
}

// grown is the share of the season that has passed, 0 to 1.
func (s Season) grown(at time.Time) float64 {
	whole := s.Harvest.Sub(s.Planted)
	if whole <= 0 {
		return 1
	}
	return min(max(float64(at.Sub(s.Planted))/float64(whole), 0), 1)
}

// Coefficient returns Kc at a time: the lines of FAO-56 figure 34. A perennial's is that of its middle.
func (s Season) Coefficient(at time.Time) float64 {
	if s.Perennial {
		return s.Kc[1]
	}
	x, full, late := s.grown(at), s.Stages[0]+s.Stages[1], s.Stages[0]+s.Stages[1]+s.Stages[2]
	switch {
	case x <= s.Stages[0]:
		return s.Kc[0]
	case x < full:
		return s.Kc[0] + (s.Kc[1]-s.Kc[0])*(x-s.Stages[0])/s.Stages[1]
	case x <= late:
		return s.Kc[1]
	}
	return s.Kc[1] + (s.Kc[2]-s.Kc[1])*(x-late)/s.Stages[3]
}

// Depth returns how deep its roots reach at a time, m: evenly from youngRoots to the full depth when the canopy is full.
func (s Season) Depth(at time.Time) float64 {
	if s.Perennial {
		return s.Roots
	}
	return youngRoots + (s.Roots-youngRoots)*min(1, s.grown(at)/(s.Stages[0]+s.Stages[1]))
}

// Left returns how many days there are to the harvest; ok is false of a perennial.
func (s Season) Left(at time.Time) (days int, ok bool) {
	if s.Harvest.IsZero() {
		return 0, false
	}
	return int(farm.Midnight(s.Harvest).Sub(farm.Midnight(at)).Hours() / 24), true
}

// stopped reports whether no water is given any more. A harvest that is only reckoned stops nothing: a crop that is late would dry out unseen.
func (s Season) stopped(at time.Time) bool {
	left, ok := s.Left(at)
	return ok && !s.Estimated && s.StopDays > 0 && left <= s.StopDays
}
