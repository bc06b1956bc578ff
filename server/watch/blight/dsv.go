package blight

import "math"

// DSV returns Wallin's daily severity value, 0 to 4, for so many humid hours with that mean temperature, °C: BLITECAST, as the University of
// Wisconsin and Michigan State University print it. The temperature is rounded to 0.1 °C first, because the printed bands leave gaps.
func DSV(t float64, hours int) int {
	tenths := int(math.Round(exact(t) * 10))
	var from [4]int // hours from which the value is 1, 2, 3, 4; 0: never
	switch {
	case tenths < 72 || tenths > 266:
		return 0
	case tenths <= 116:
		from = [4]int{16, 19, 22, 0}
	case tenths <= 150:
		from = [4]int{13, 16, 19, 22}
	default:
		from = [4]int{10, 13, 16, 19}
	}
	value := 0
	for i, least := range from {
		if least > 0 && hours >= least {
			value = i + 1
		}
	}
	return value
}

// FirstSprayDSV is the sum since emergence at which BLITECAST asks for the first spray; FirstSprayRain as many rain-favourable days.
const (
	FirstSprayDSV  = 18
	FirstSprayRain = 10
)

// Risk is the level of the University of Wisconsin.
type Risk string

// The levels.
const (
	RiskNone     Risk = "none"
	RiskLow      Risk = "low"
	RiskModerate Risk = "moderate"
	RiskHigh     Risk = "high"
	RiskVeryHigh Risk = "very_high"
)

// Risks lists every level, lowest first.
func Risks() []Risk { return []Risk{RiskNone, RiskLow, RiskModerate, RiskHigh, RiskVeryHigh} }

// UWRisk returns the level for the severity values of the last 14 days and of the season; the first rule that fits wins.
func UWRisk(fortnight, total int) Risk {
	switch {
	case fortnight >= 21 && total >= 30:
		return RiskVeryHigh
	case fortnight >= 14 && total >= 30:
		return RiskHigh
	case fortnight >= 3 || total >= 30:
		return RiskModerate
	case fortnight >= 1:
		return RiskLow
	}
	return RiskNone
}

// RainFavourable is Hyre's day: the mean of the last 5 days is below 25.5 °C, the rain of the last 10 at least 30 mm, and it was not colder than
// 7.2 °C (cropsim, R. Hijmans, citing UC IPM).
func RainFavourable(mean5, rain10, lowest float64) bool {
	return exact(mean5) < 25.5 && exact(rain10) >= 30 && exact(lowest) >= 7.2
}

// Schedule is what the Metos matrix asks for.
type Schedule int

// The schedules, by the numbers Metos gives them.
const (
	NoSpray  Schedule = -1
	Warning  Schedule = 0
	SevenDay Schedule = 1
	FiveDay  Schedule = 2
)

// Metos returns the schedule for the rain-favourable days and the severity values of the last 7 days.
func Metos(rainDays, dsv int) Schedule {
	matrix := [2][6]Schedule{ // DSV below 3, 3, 4, 5, 6, above 6
		{NoSpray, NoSpray, Warning, SevenDay, SevenDay, FiveDay},
		{NoSpray, Warning, SevenDay, FiveDay, FiveDay, FiveDay},
	}
	row := 0
	if rainDays >= 5 {
		row = 1
	}
	return matrix[row][min(max(dsv-2, 0), 5)]
}
