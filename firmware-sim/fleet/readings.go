package fleet

import (
	"fmt"
	"math"
	"time"

	"aovuon/gateway/measure"
)

// Truth is what readings are taken from, such as a world.
type Truth interface {
	Value(place string, q measure.Quantity, t time.Time) (float64, error)
}

// Pond and Plot name the two places of a gateway of the fleet.
func Pond(gateway string) string { return gateway + "-ao" }

// Plot is the other place of a gateway.
func Plot(gateway string) string { return gateway + "-vuon" }

// channel is one quantity that a gateway reads.
type channel struct {
	sensor, place string
	quantity      measure.Quantity
}

// channelsOf returns what a gateway reads, in the order of its batches.
func channelsOf(gateway string) []channel {
	pond, plot := Pond(gateway), Plot(gateway)
	return []channel{
		{"ao-nhiet", pond, measure.WaterTemperature},
		{"ao-oxy", pond, measure.DissolvedOxygen},
		{"ao-ph", pond, measure.PH},
		{"vuon-am", plot, measure.SoilMoisture},
		{"vuon-kk", plot, measure.AirTemperature},
		{"vuon-kk", plot, measure.RelativeHumidity},
	}
}

// Plain is the truth of a fleet that measures the server and not the world: a wave a day for each quantity, shifted from place
// to place, the same for the same place and instant, and cheap.
type Plain struct{}

// Value implements Truth, rounded to three decimals.
func (Plain) Value(place string, q measure.Quantity, t time.Time) (float64, error) {
	var middle, swing float64
	switch q { //nolint:exhaustive // what channelsOf names
	case measure.WaterTemperature:
		middle, swing = 24, 3
	case measure.DissolvedOxygen:
		middle, swing = 6, 2.5
	case measure.PH:
		middle, swing = 7.5, 0.4
	case measure.SoilMoisture:
		middle, swing = 27, 4
	case measure.AirTemperature:
		middle, swing = 23, 5
	case measure.RelativeHumidity:
		middle, swing = 78, 12
	default:
		return 0, fmt.Errorf("fleet: no plain value of %s", q)
	}
	day := float64(t.UnixMilli()%86_400_000)/86_400_000 + float64(hash(place)%1000)/1000
	return math.Round((middle+swing*math.Sin(2*math.Pi*day))*1000) / 1000, nil
}

// hash is FNV-1a: the same in every run.
func hash(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return h
}

// spec is a batch that is owed and not made yet: when its readings were taken, and when it was meant to be sent.
type spec struct {
	ended int64     // ms since 1970, of its last reading
	step  int64     // ms between two rounds of readings
	due   time.Time // zero for a batch of the backlog
}

// take reads n values, round after round over the channels, so that the last round is at s.ended. Rounds that would not lie
// after the last one before, last, are moved there: a gateway's readings never share a time.
func take(truth Truth, channels []channel, s spec, n int, last int64) (readings []measure.Reading, end int64, err error) {
	rounds := int64((n + len(channels) - 1) / len(channels))
	at := max(s.ended-(rounds-1)*s.step, last+1)
	readings = make([]measure.Reading, 0, n)
	for i := range n {
		if i > 0 && i%len(channels) == 0 {
			at += s.step
		}
		c := channels[i%len(channels)]
		wall := time.UnixMilli(at)
		v, err := truth.Value(c.place, c.quantity, wall)
		if err != nil {
			return nil, 0, err
		}
		readings = append(readings, measure.Reading{Sensor: c.sensor, Quantity: c.quantity, Time: measure.Instant{Wall: wall}, Value: v})
	}
	return readings, at, nil
}
