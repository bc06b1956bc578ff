package world

import "math"

// Noise channels of places: every use of chance has its own, so that changing one model leaves the others as they were. A number
// once used stays what it is. The weather's begin at 1000.
const (
	chanPondBloom      = 10
	chanPondRipple     = 11
	chanPondAlkalinity = 12
	chanPlotAir        = 13
	chanSoilTrait      = 15
	chanPondLevel      = 16
	chanPondSalt       = 17
	chanRoomStove      = 21
)

// hash mixes seed, channel and index to 64 well spread bits (splitmix64's finaliser, Steele, Lea, Flood 2014).
func hash(seed, channel uint64, i int64) uint64 {
	x := seed ^ channel*0x9e3779b97f4a7c15 ^ uint64(i)*0xd1342543de82ef95
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return x
}

// unit is a number in [0, 1) from a hash.
func unit(seed, channel uint64, i int64) float64 {
	return float64(hash(seed, channel, i)>>11) / (1 << 53)
}

// drift is smooth noise in [-1, 1] that turns over every period hours: value noise on a regular grid, joined by
// smoothstep, so it is continuous with a continuous slope.
func drift(seed, channel uint64, h, period float64) float64 {
	x := h / period
	i := math.Floor(x)
	f := x - i
	a := 2*unit(seed, channel, int64(i)) - 1
	b := 2*unit(seed, channel, int64(i)+1) - 1
	return a + (b-a)*f*f*(3-2*f)
}

// text turns a place's id into a seed (FNV-1a).
func text(s string) uint64 {
	x := uint64(14695981039346656037)
	for i := range len(s) {
		x = (x ^ uint64(s[i])) * 1099511628211
	}
	return x
}

// swing is 0 at the hour low and 1 at the hour high of every day, monotone between, continuous over midnight.
// bend in [0, 1] straightens the way down: 0 a half cosine, 1 a line.
func swing(hour, low, high, bend float64) float64 {
	up := high - low
	x := math.Mod(hour-low+48, 24)
	if x < up {
		return (1 - math.Cos(math.Pi*x/up)) / 2
	}
	u := (x - up) / (24 - up)
	return (1-bend)*(1+math.Cos(math.Pi*u))/2 + bend*(1-u)
}

// split returns the day number and the hour of the day of h.
func split(h float64) (day int64, hour float64) {
	d := math.Floor(h / 24)
	return int64(d), h - 24*d
}

func clamp(v, lo, hi float64) float64 { return math.Max(lo, math.Min(hi, v)) }
