package calibrate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// circuit is an EZO circuit whose electrode has drifted: it says gain·(true − 7) + 7 + off, until points are set.
type circuit struct {
	mu       sync.Mutex
	truth    float64 // of the bottle
	off      float64 // pH
	gain     float64
	acid     float64 // of Slope,?
	offset   float64 // mV, of Slope,?
	wobble   float64 // of every second reading
	exports  bool
	deaf     int // so many commands go unanswered
	reads    int
	log      []string // what changed something
	celsius  float64  // of the thermometer beside it; 0: none
	quantity measure.Quantity
}

func (c *circuit) Sense(context.Context) ([]sense.Sample, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in := measure.Input{Quantity: measure.WaterTemperature, Value: 25, Assumed: true}
	if c.celsius != 0 {
		in = measure.Input{Quantity: measure.WaterTemperature, Value: c.celsius, Sensor: "ao1-temp"}
	}
	return []sense.Sample{{Quantity: c.quantity, Value: c.value(), Inputs: []measure.Input{in}}}, nil
}

func (c *circuit) value() float64 {
	c.reads++
	v := 7 + c.gain*(c.truth-7) + c.off
	if c.reads%2 == 0 {
		v += c.wobble
	}
	return math.Round(v*1000) / 1000
}

func (c *circuit) Command(_ context.Context, command string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaf > 0 {
		c.deaf--
		return "", sense.Faultf(measure.NoResponse, "nobody")
	}
	name, args, _ := strings.Cut(command, ",")
	switch {
	case name == "R" || name == "RT":
		return strconv.FormatFloat(c.value(), 'f', 3, 64), nil
	case command == "Slope,?":
		return fmt.Sprintf("?Slope,%.1f,99.1,%.2f", c.acid, c.offset), nil
	case name == "Export" && !c.exports:
		return "", sense.Faultf(measure.Refused, "syntax")
	case command == "Export,?":
		return "?Export,2,24", nil
	case name == "Export":
		c.reads = 0
		if len(c.log) > 0 && c.log[len(c.log)-1] == "export 2" {
			c.log = append(c.log, "export end")
			return "*DONE", nil
		}
		n := 1
		if len(c.log) > 0 && c.log[len(c.log)-1] == "export 1" {
			n = 2
		}
		c.log = append(c.log, fmt.Sprintf("export %d", n))
		return fmt.Sprintf("59 6F 75 2%d", n), nil
	case name == "Cal":
		c.log = append(c.log, command)
		c.off, c.gain = 0, 1 // it reads right from now on
		if at := strings.LastIndex(args, ","); at >= 0 {
			v, err := strconv.ParseFloat(args[at+1:], 64)
			if err != nil {
				return "", err
			}
			c.off = v - (7 + (c.truth - 7))
		}
		return "", nil
	}
	c.log = append(c.log, command)
	return "", nil
}

func (c *circuit) said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, l := range c.log {
		if !strings.HasPrefix(l, "export") {
			out = append(out, l)
		}
	}
	return out
}

func (c *circuit) put(truth float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.truth = truth
}

// bus counts what is held at once.
type bus struct {
	mu sync.Mutex
}

func (b *bus) Do(ctx context.Context, _ string, f func(ctx context.Context) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return f(ctx)
}

// spool is where documents go.
type spool struct {
	mu   sync.Mutex
	docs []wire.Document
	err  error

	meanwhile func() // while a record is on its way; nil: nothing
}

func (s *spool) TakeDocument(_ context.Context, d wire.Document) error {
	if s.meanwhile != nil {
		s.meanwhile()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs = append(s.docs, d)
	return nil
}

func (s *spool) Flush(context.Context) error { return s.err }

// rig is a gateway with one sensor.
type rig struct {
	t      *testing.T
	dir    string
	clock  *sensetest.Clock
	bus    *bus
	spool  *spool
	desk   *calibrate.Desk
	sensor sense.Sensor // what the station asks
}

func begun() time.Time { return time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC) }

func newRig(t *testing.T, spec kind.Spec, q measure.Quantity, driver sense.Sensor) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), clock: sensetest.NewClock(begun()), bus: &bus{}, spool: &spool{}}
	r.start(spec, q, driver)
	t.Cleanup(func() { r.desk.Close(context.WithoutCancel(t.Context())) })
	return r
}

func (r *rig) start(spec kind.Spec, q measure.Quantity, driver sense.Sensor) {
	r.desk = calibrate.NewDesk(r.dir, r.clock)
	r.sensor = r.desk.Fit(spec, []measure.Quantity{q}, driver)
	r.desk.Open(r.t.Context(), r.bus, r.spool, slog.New(slog.DiscardHandler))
}

// step answers and waits until the step is over.
func (r *rig) step(a calibrate.Answer) calibrate.State {
	r.t.Helper()
	st, err := r.desk.Answer(r.t.Context(), "ao1-x", a)
	for err == nil && st.Phase == calibrate.Measuring {
		st, err = r.desk.State(r.t.Context(), "ao1-x", st.Version)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

func (r *rig) begin(b calibrate.Begin) calibrate.State {
	r.t.Helper()
	b.Sensor, b.Who = "ao1-x", "Lê Thị Hoa"
	st, err := r.desk.Begin(r.t.Context(), b)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// finish keeps the calibration. A poll that missed the session learns of it all the same.
func (r *rig) finish() {
	r.t.Helper()
	if _, err := r.desk.Finish(r.t.Context(), "ao1-x", ""); err != nil {
		r.t.Fatal(err)
	}
	if q, why, _ := r.quality(); q != measure.Fault || why != measure.Calibrating {
		r.t.Errorf("the first poll after it: %v %v; want one that says what happened", q, why)
	}
}

func (r *rig) quality() (measure.Quality, measure.FaultReason, float64) {
	r.t.Helper()
	samples, err := r.sensor.Sense(r.t.Context())
	if f, ok := errors.AsType[*sense.Fault](err); ok {
		return measure.Fault, f.Reason, 0
	}
	if err != nil || len(samples) != 1 {
		r.t.Fatal(samples, err)
	}
	return samples[0].Quality, "", samples[0].Value
}

func phSpec() kind.Spec { return kind.Spec{ID: "ao1-x", Kind: "ezo-ph", Bus: "ao"} }

func drifted() *circuit {
	return &circuit{quantity: measure.PH, truth: 7, off: 0.3, gain: 0.97, acid: 98.2, offset: -3.1, celsius: 20, exports: true}
}
