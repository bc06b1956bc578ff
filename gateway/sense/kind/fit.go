package kind

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Fitter stands between a driver and everybody who reads it, also the sensors it compensates: calibration.
type Fitter interface {
	// Fit returns a sensor that says what driver says, with its calibration.
	Fit(s Spec, quantities []measure.Quantity, driver sense.Sensor) sense.Sensor
}

// Option changes how Build builds.
type Option func(*builder)

// WithFitter lets f have every driver before anything else does.
func WithFitter(f Fitter) Option { return func(b *builder) { b.fitter = f } }

// ParseCalibrateEvery reads Spec.CalibrateEvery: "30d", any duration Go reads, or "off". said is false for the empty text:
// the default of the kind holds.
func ParseCalibrateEvery(text string) (every time.Duration, said bool, err error) {
	const longest = 3660
	switch text {
	case "":
		return 0, false, nil
	case "off":
		return 0, true, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > longest {
			return 0, false, fmt.Errorf("%q is no number of days from 1 to %d", text, longest)
		}
		return time.Duration(n) * 24 * time.Hour, true, nil
	}
	every, err = time.ParseDuration(text)
	if err != nil || every < time.Hour || every > longest*24*time.Hour {
		return 0, false, fmt.Errorf("%q is no time between two calibrations", text)
	}
	return every, true, nil
}

// checkCalibrateEvery wants a time people can mean.
func (c *checker) checkCalibrateEvery(i int) {
	if _, _, err := ParseCalibrateEvery(c.specs[i].CalibrateEvery); err != nil {
		c.say(i, "calibrate_every", err.Error(), "write a number of days such as 30d, at least 1h, or off")
	}
}
