package derive

import (
	"context"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// testLasts is how long a total ammonia that a person measured stands for the pond. Feeding and weather change it within
// days; test kits are used weekly.
const testLasts = 7 * 24 * time.Hour

// Source is where an input comes from: a sensor or a number, or neither.
type Source struct {
	Quantity measure.Quantity // what the sensor measures, or the number is of
	Sensor   string
	Number   float64   // when there is no sensor
	Given    bool      // somebody said so: a number that is not is only assumed
	Tested   time.Time // when a person measured the number; zero for one that holds always
}

// Channel computes one derived value. It implements sense.Sensor.
type Channel struct {
	id      string
	name    string
	gives   measure.Quantity
	from    []Source
	compute func([]float64) (float64, error)
	board   *sense.Board
	clock   sense.Clock
}

// New returns the channel id, which computes f from the sources, one for each of f.Takes. The first is a sensor.
func New(id string, f Formula, from []Source, board *sense.Board, clock sense.Clock) *Channel {
	return &Channel{
		id: id, name: f.Name, gives: f.Gives, from: from, compute: f.of(from[len(from)-1].Quantity), board: board, clock: clock,
	}
}

// Sense implements sense.Sensor.
func (c *Channel) Sense(context.Context) ([]sense.Sample, error) {
	out := sense.Sample{Quantity: c.gives}
	values := make([]float64, len(c.from))
	for i, from := range c.from {
		in, quality, err := c.input(from, i == 0)
		if err != nil {
			return nil, err
		}
		values[i] = in.Value
		out.Inputs = append(out.Inputs, in)
		out.Quality = measure.Worse(out.Quality, quality)
	}
	v, err := c.compute(values)
	if err != nil {
		return nil, sense.Faultf(measure.Refused, "derived %s: %w", c.id, err)
	}
	out.Value = v
	return []sense.Sample{out}, nil
}

// input gets one input and what it leaves of the value's quality.
func (c *Channel) input(from Source, main bool) (measure.Input, measure.Quality, error) {
	if from.Sensor == "" {
		return c.number(from)
	}
	k, ok := c.board.Newest(from.Sensor, from.Quantity)
	if !ok {
		return measure.Input{}, 0, sense.Faultf(measure.NoResponse, "derived %s: %s has not given its %s yet", c.id, from.Sensor, from.Quantity)
	}
	age := max(0, c.clock.Now().Uptime-k.Time.Uptime)
	if k.Quality < measure.OutOfRange && (main || age <= sense.MaxAge(from.Quantity)) {
		return measure.Input{Quantity: from.Quantity, Value: k.Value, Sensor: from.Sensor, Age: age}, k.Quality, nil
	}
	reason := k.Reason
	if k.Quality == measure.OutOfRange {
		reason = measure.Refused
	}
	if main {
		return measure.Input{}, 0, sense.Faultf(reason, "derived %s: %s has no value it could be computed from", c.id, from.Sensor)
	}
	in, ok := c.board.Input(from.Sensor, from.Quantity)
	if in.Sensor == "" {
		if reason == "" {
			reason = measure.NoResponse
		}
		return in, 0, sense.Faultf(reason, "derived %s: %s has no good %s", c.id, from.Sensor, from.Quantity)
	}
	if ok {
		return in, measure.Good, nil
	}
	in.Assumed = true
	return in, measure.Estimated, nil
}

// number is an input that stands in the configuration. One that a person measured travels as from this channel, with the
// age of the test.
func (c *Channel) number(from Source) (measure.Input, measure.Quality, error) {
	in := measure.Input{Quantity: from.Quantity, Value: from.Number, Assumed: !from.Given}
	if !from.Tested.IsZero() {
		now := c.clock.Now()
		age := now.Wall.Sub(from.Tested)
		if now.Clock == measure.Unsynced || age < 0 { // nobody knows how old it is
			in.Assumed = true
		} else {
			in.Sensor, in.Age, in.Assumed = c.id, age, age > testLasts
		}
	}
	if in.Assumed {
		return in, measure.Estimated, nil
	}
	return in, measure.Good, nil
}

var _ sense.Sensor = (*Channel)(nil)
