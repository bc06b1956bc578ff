// Package history keeps readings as time series: what the charts, the pages and the evidence are drawn from.
//
// Points come in from the batch log's projector; ranges, newest values and hourly figures go out to pages and lots. It is
// a projection: whatever is lost here is written again from the batch log. The engines live in history/sqlite and
// history/influx and pass one contract suite, history/historytest.
package history

import (
	"context"
	"errors"
	"time"

	"aovuon/gateway/measure"
)

// ErrUnavailable wraps every error that a later try may not meet: the engine is down, busy or starting. A projector
// waits and tries again; it never skips.
var ErrUnavailable = errors.New("history engine unavailable")

// Series names one line of values: one quantity of one sensor at one place.
type Series struct {
	Place    string // code of the place; "unplaced" while nobody has said where the sensor is
	Quantity measure.Quantity
	Gateway  string
	Sensor   string
}

// Point is one reading of a series. A point of quality Fault has no value.
type Point struct {
	Series
	Time    time.Time // UTC, millisecond resolution
	Value   float64
	Quality measure.Quality
}

// Bucket summarises the points of one step of a range.
type Bucket struct {
	Start  time.Time // of the step; for a raw range the time of the one point
	N      int       // points that carry a value
	Faults int       // points that carry none
	// Min, Mean and Max are over the N values of any quality but Fault and OutOfRange; meaningless when N is 0.
	Min, Mean, Max float64
	Worst          measure.Quality // the worst quality among all points of the step
}

// Query asks for the points of one series with From <= time < To.
type Query struct {
	Series
	From, To time.Time
	Every    time.Duration // width of a step; steps start at multiples of it in local time of Zone. 0: every point by itself
	Zone     *time.Location
}

// Store is the history port.
type Store interface {
	// Write makes the points durable, or returns an error and may have kept some. Points of the same series and time
	// replace each other, so writing again is harmless. Order does not matter.
	Write(ctx context.Context, points []Point) error
	// Range returns the non-empty steps in time order.
	Range(ctx context.Context, q Query) ([]Bucket, error)
	// Latest returns the newest point of each series that has any, in no order.
	Latest(ctx context.Context, series []Series) ([]Point, error)
	// Each calls f for every point of a series with from <= time < to, in time order, until f returns an error.
	Each(ctx context.Context, s Series, from, to time.Time, f func(Point) error) error
	Close() error
}
