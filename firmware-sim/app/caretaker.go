package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
)

const (
	// caring is how long before its season a gateway is switched on: time to calibrate its probes.
	caring = 6 * time.Hour
	// careEvery is how often probes are calibrated in a season, counted back from careLast before its end, so that none is overdue
	// when the live part begins.
	careEvery = 28 * 24 * time.Hour
	careLast  = 12 * 24 * time.Hour
	// roomCelsius is how warm the bottles are.
	roomCelsius = 27.0
)

// caretaker is the technician of a season: before it begins, and every four weeks, he takes the oxygen and pH probes out of their
// ponds and leads the gateway's own calibration through its bottles.
type caretaker struct {
	clock        *virtualClock
	board        *fault.Board
	book         *counter // does not write down what probes say in bottles
	first, until time.Time
	began        bool
}

// visit implements gateway.Visit.
func (c *caretaker) visit(ctx context.Context, now time.Time, desk *calibrate.Desk, ask func(context.Context) error) error {
	if c.began && !c.due(now, desk) {
		return nil
	}
	c.book.quiet.Store(true)
	defer c.book.quiet.Store(false)
	if !c.began { // what has just been switched on is asked once, and warms up
		if err := errors.Join(ask(ctx), c.clock.Sleep(ctx, time.Minute)); err != nil {
			return fmt.Errorf("caretaker: %w", err)
		}
	}
	for _, t := range c.probes(desk) {
		if err := c.calibrate(ctx, desk, t); err != nil {
			return fmt.Errorf("caretaker: %s: %w", t.Sensor, err)
		}
	}
	if err := ask(ctx); err != nil { // the probes are back in their ponds
		return fmt.Errorf("caretaker: %w", err)
	}
	if !c.began {
		c.began = true
		if wait := c.first.Sub(c.clock.wall()); wait > 0 {
			return c.clock.Sleep(ctx, wait)
		}
	}
	return nil
}

// due reports whether one of the days of care has come since the probes were calibrated last.
func (c *caretaker) due(now time.Time, desk *calibrate.Desk) bool {
	day := c.until.Add(-careLast)
	for day.After(now) {
		day = day.Add(-careEvery)
	}
	if !day.After(c.first) {
		return false
	}
	for _, t := range c.probes(desk) {
		if t.Last != nil && t.Last.Time.Before(day) {
			return true
		}
	}
	return false
}

// probes lists what he calibrates: sensors whose device bears their name, as is the habit.
func (c *caretaker) probes(desk *calibrate.Desk) (list []calibrate.Target) {
	for _, t := range desk.Targets() {
		named := func(d fault.Device) bool { return d.Name == t.Sensor }
		if bottles(t) != nil && slices.ContainsFunc(c.board.Devices(), named) {
			list = append(list, t)
		}
	}
	return list
}

// bottles are the values of the steps of the usual way to calibrate t; nil for one that is not led here.
func bottles(t calibrate.Target) map[string]float64 {
	switch m := t.Methods[0]; {
	case m == calibrate.EZOPH:
		return map[string]float64{"mid": 7, "low": 4, "high": 10}
	case m == calibrate.EZODO, m == calibrate.Linear && t.Quantity == measure.DissolvedOxygen:
		return map[string]float64{"air": world.Saturation(roomCelsius, 0, 1)}
	}
	return nil
}

func (c *caretaker) calibrate(ctx context.Context, desk *calibrate.Desk, t calibrate.Target) (err error) {
	celsius := roomCelsius
	st, err := desk.Begin(ctx, calibrate.Begin{Sensor: t.Sensor, Quantity: t.Quantity, Who: "Nguyễn Văn Tâm", Serial: "SIM-" + t.Sensor})
	if err != nil {
		return err
	}
	for step, ok := st.Step(); ok; step, ok = st.Step() {
		a := calibrate.Answer{Step: step.Name, Celsius: &celsius, Lot: "SIM-" + step.Name}
		value, led := bottles(t)[step.Name]
		a.Skip = !led
		if led {
			if t.Methods[0] == calibrate.EZOPH {
				if value, err = calibrate.PHBuffer(value, celsius); err != nil {
					return err
				}
			}
			if err := c.board.Dip(t.Sensor, &fault.Bath{Value: value, Celsius: &celsius}); err != nil {
				return err
			}
		}
		if st, err = desk.Answer(ctx, t.Sensor, a); err != nil {
			return err
		}
		for st.Phase == calibrate.Measuring {
			if st, err = desk.State(ctx, t.Sensor, st.Version); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if st.Problem != "" {
			return fmt.Errorf("step %s: %s", step.Name, st.Problem)
		}
	}
	if err := c.board.Dip(t.Sensor, nil); err != nil {
		return err
	}
	_, err = desk.Finish(ctx, t.Sensor, "")
	return err
}
