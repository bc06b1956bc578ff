package privacy

import "math"

// Rough is a point on the Earth as strangers may know it: the middle of a cell of a hundredth of a degree. In Viet Nam a cell is 1.11 km
// from south to north and 1.02 to 1.10 km from west to east, so a house is one of many.
type Rough struct {
	Lat float64 `json:"lat"` // degrees north, WGS 84
	Lon float64 `json:"lon"` // degrees east
}

// cellsPerDegree is how many cells a degree has each way.
const cellsPerDegree = 100

// Roughen returns the middle of the cell a point lies in. Every point of a cell gives the same result, so that asking again, or comparing
// with the neighbours, tells no more. ok is false for what is no point on the Earth.
func Roughen(lat, lon float64) (r Rough, ok bool) {
	if math.IsNaN(lat) || math.IsNaN(lon) || math.Abs(lat) > 90 || math.Abs(lon) > 180 {
		return Rough{}, false
	}
	return Rough{Lat: middle(lat, 90), Lon: middle(lon, 180)}, true
}

// middle returns the middle of the cell of v, three decimals long.
func middle(v, end float64) float64 {
	cell := math.Min(math.Floor(v*cellsPerDegree), end*cellsPerDegree-1)
	return math.Round((cell+0.5)*10) / (10 * cellsPerDegree)
}
