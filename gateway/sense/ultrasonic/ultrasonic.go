package ultrasonic

import (
	"context"
	"fmt"
	"math"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/serial"
)

const (
	// AssumedAir is the temperature at which no correction is due, and the one taken when nobody knows the air's, °C.
	AssumedAir = 20.0
	// BlindZone is how near the sensor cannot see, cm: what it says below is no measurement.
	BlindZone = 3.0
	// MaxHeight is more than any of the sensors sees, cm.
	MaxHeight = 750.0

	patience  = time.Second // several frames
	frameSize = 4
	header    = 0xFF
	// Readings above the range: what the maker's later sensors say in place of a distance (wiki.dfrobot.com/sen0754).
	nothing   = 0xFFFD
	disturbed = 0xFFFE
	// stale bounds what a port may hold of the time nobody listened.
	stale = 1 << 16
)

// Line is how the sensors' lines are set.
func Line() serial.Line { return serial.Line{Baud: 9600, Parity: serial.NoParity, StopBits: 1} }

// Dev is one sensor. It has its port to itself.
type Dev struct {
	port   serial.Port
	height float64
	inputs sense.Inputs
}

// New returns the sensor at a port. It hangs height cm above the level that counts as 0, such as the floor of the pond.
// inputs knows the temperature of the air between, or does not.
func New(port serial.Port, height float64, inputs sense.Inputs) *Dev {
	return &Dev{port: port, height: height, inputs: inputs}
}

// Sense implements sense.Sensor: the level of the water, and the distance down to it.
func (d *Dev) Sense(ctx context.Context) ([]sense.Sample, error) {
	var mm int
	err := d.port.Use(ctx, Line(), func(c serial.Conn) (err error) {
		mm, err = listen(ctx, c)
		return err
	})
	if ctxErr := ctx.Err(); ctxErr != nil && err != nil {
		return nil, ctxErr
	}
	if fault, ok := err.(*sense.Fault); ok { //nolint:errorlint // one that is wrapped keeps its wrapping
		return nil, fault
	}
	if err != nil {
		return nil, sense.BusFault(fmt.Errorf("ultrasonic: %w", err))
	}
	return d.samples(mm), nil
}

// samples are what a distance at the sensor's own speed of sound means.
func (d *Dev) samples(mm int) []sense.Sample {
	air, quality := sense.InputOr(d.inputs, measure.AirTemperature, AssumedAir)
	distance := Distance(mm, air.Value)
	if float64(mm)/10 < BlindZone {
		quality = measure.OutOfRange
	}
	inputs := []measure.Input{air}
	return []sense.Sample{
		{Quantity: measure.WaterLevel, Value: d.height - distance, Quality: quality, Inputs: inputs},
		{Quantity: measure.SurfaceDistance, Value: distance, Quality: quality, Inputs: inputs},
	}
}

// Distance is the distance in cm that a sensor printed as mm through air of a temperature in °C.
func Distance(mm int, air float64) float64 {
	const zero = 273.15
	return float64(mm) / 10 * math.Sqrt((air+zero)/(AssumedAir+zero))
}

// listen waits for a frame that is newer than the question.
func listen(ctx context.Context, c serial.Conn) (mm int, err error) {
	buf := make([]byte, 512)
	for old := 0; ; {
		n, err := c.Read(ctx, buf, 0)
		if err != nil {
			return 0, err
		}
		if old += n; n == 0 || old > stale {
			break
		}
	}
	var heard []byte
	for left := patience; left > 0 && len(heard) < len(buf); {
		// A lot of bytes counts as the least time between two frames, so that time need not be asked.
		n, err := c.Read(ctx, buf, min(left, 100*time.Millisecond))
		if err != nil {
			return 0, err
		}
		left -= 100 * time.Millisecond
		heard = append(heard, buf[:n]...)
		if mm, ok := find(heard); ok {
			return known(mm)
		}
	}
	switch {
	case len(heard) == 0:
		return 0, sense.Faultf(measure.NoResponse, "ultrasonic: nothing within %v", patience)
	case hasHeader(heard):
		return 0, sense.Faultf(measure.CRC, "ultrasonic: no sum in % x fits", heard[:min(len(heard), 24)])
	}
	return 0, sense.Faultf(measure.Garbled, "ultrasonic: % x has no frame: want FF and three bytes", heard[:min(len(heard), 24)])
}

// known tells distances from what stands in their place.
func known(mm int) (int, error) {
	switch mm {
	case 0, nothing:
		return 0, sense.Faultf(measure.Refused, "ultrasonic: no echo: nothing below, or foam, or the sensor hangs askew")
	case disturbed:
		return 0, sense.Faultf(measure.Refused, "ultrasonic: disturbed by the sound of another sensor")
	}
	return mm, nil
}

// find returns the distance of the first whole frame whose sum fits. The talk may begin within a frame.
func find(p []byte) (mm int, ok bool) {
	for ; len(p) >= frameSize; p = p[1:] {
		if p[0] == header && p[0]+p[1]+p[2] == p[3] {
			return int(p[1])<<8 | int(p[2]), true
		}
	}
	return 0, false
}

// hasHeader reports whether p has the beginning of a frame, and all of it.
func hasHeader(p []byte) bool {
	for i := range max(0, len(p)-frameSize+1) {
		if p[i] == header {
			return true
		}
	}
	return false
}
