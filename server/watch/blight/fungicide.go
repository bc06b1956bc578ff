package blight

// FungicideUnits returns the units by which a day's rain, mm, weathers a spray so many days old (1: the day after it). Fry 1983 prints "<1" for
// the first column, which holds a dry day too. The bands are made gapless at x.45. Before day 1 nothing weathers.
func FungicideUnits(days int, rain float64) int {
	if days < 1 {
		return 0
	}
	row := weathering(days)
	rain = exact(rain)
	if rain < 1 {
		return 1
	}
	units := row[0].units
	for _, b := range row[1:] {
		if rain > b.above {
			units = b.units
		}
	}
	return units
}

// band is what more rain than Above comes to. The first of a row begins at 1 mm.
type band struct {
	above float64
	units int
}

func weathering(days int) []band {
	switch {
	case days == 1:
		return []band{{1, 4}, {1.45, 5}, {3.45, 6}, {6, 7}}
	case days == 2:
		return []band{{1, 3}, {1.45, 4}, {4.45, 5}, {8, 6}}
	case days == 3:
		return []band{{1, 3}, {2.45, 4}, {5, 5}}
	case days <= 5:
		return []band{{1, 3}, {2.45, 4}, {8, 5}}
	case days <= 9:
		return []band{{1, 3}, {4, 4}}
	case days <= 14:
		return []band{{1, 2}, {1.45, 3}, {8, 4}}
	}
	return []band{{1, 2}, {8, 3}}
}

// weathered returns the units of a day of which nobody wrote down whether it rained.
func weathered(days int) Span {
	if days < 1 {
		return Span{}
	}
	row := weathering(days)
	return Span{1, row[len(row)-1].units}
}

// Interval is how many days have to lie between two sprays: the next is due after more than Interval.
const Interval = 5

// SprayDue is the decision of SIMCAST: the first spray, or more than Interval days after the last, once one of the sums reaches its limit.
// Fungicide units count from the first spray on.
func SprayDue(c Class, first bool, days int, blightUnits, fungicideUnits Span) Tri {
	if !first && days <= Interval {
		return No
	}
	bu, fu := c.Limits()
	b, f := blightUnits.Reaches(bu), No
	if !first {
		f = fungicideUnits.Reaches(fu)
	}
	switch {
	case b == Yes || f == Yes:
		return Yes
	case b == Unknown || f == Unknown:
		return Unknown
	}
	return No
}
