package calibrate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// Session leads one calibration of one quantity of one sensor. It is made by Desk.Begin.
type Session struct {
	begin Begin
	kind  string
	bus   string
	proc  procedure
	held  Holder
	clock sense.Clock
	store store

	mu      sync.Mutex
	state   State
	result  *Result
	used    time.Duration // uptime of the last thing a person did
	changed chan struct{} // closed at the next change
	stop    context.CancelFunc
	working sync.WaitGroup // a measurement under way
	told    bool           // a poll has found the probe away
	dropped bool           // it is being aborted for want of its person
	ending  bool           // somebody is keeping or aborting it, or did: whoever comes second is too late
}

// Holder gives exclusive use of a bus (sense.Station).
type Holder interface {
	Do(ctx context.Context, bus string, f func(ctx context.Context) error) error
}

const (
	pause   = time.Second // between two readings of a step
	stumble = 3           // faults in a row that end a step
	shownN  = 12          // readings a state carries
)

// State returns what a person should see now.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot()
}

func (s *Session) snapshot() State {
	st := s.state
	st.Readings = append([]float64(nil), st.Readings[max(0, len(st.Readings)-shownN):]...)
	st.Points = append([]Point(nil), st.Points...)
	return st
}

// Wait returns the state once its version is above after, or as it is when ctx is done.
func (s *Session) Wait(ctx context.Context, after int) State {
	for {
		s.mu.Lock()
		st, changed := s.snapshot(), s.changed
		s.mu.Unlock()
		if st.Version > after {
			return st
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return st
		}
	}
}

// change edits the state and tells those who wait.
func (s *Session) change(edit func(st *State)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changeLocked(edit)
}

func (s *Session) changeLocked(edit func(st *State)) {
	edit(&s.state)
	s.state.Version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// hold runs f while nobody else uses the probe's bus.
func (s *Session) hold(ctx context.Context, f func(ctx context.Context) error) error {
	return s.held.Do(ctx, s.bus, f)
}

// answer takes a person's answer to the present step: the step is skipped, or its measurement begins. It returns at once;
// ctx is what the measurement lives in.
func (s *Session) answer(ctx context.Context, a Answer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	step, ok := s.state.Step()
	switch {
	case s.ending:
		return s.over()
	case s.state.Phase == Measuring:
		return refuse("busy", "step %s is being measured", step.Name)
	case s.state.Phase != Asking || !ok:
		return refuse("over", "no step is left: finish or abort")
	case a.Step != step.Name:
		return refuse("step", "the step to be done is %q, not %.40q", step.Name, a.Step)
	case a.Skip && !step.Optional:
		return refuse("step", "step %s cannot be skipped", step.Name)
	}
	s.used = s.clock.Now().Uptime
	if a.Skip {
		s.changeLocked(func(st *State) { st.At++; st.Problem, st.Code, st.Readings = "", "", nil })
		if s.state.At == len(s.state.Steps) {
			s.changeLocked(func(st *State) { st.Phase = Measuring })
			ctx, s.stop = context.WithCancel(ctx)
			s.working.Go(func() { s.review(ctx) })
		}
		return nil
	}
	p, err := s.point(step, a)
	if err != nil {
		return err
	}
	s.changeLocked(func(st *State) {
		st.Phase, st.Problem, st.Code, st.Readings = Measuring, "", "", nil
		st.Spread, st.Limit = 0, s.proc.rules().spread
	})
	ctx, s.stop = context.WithCancel(ctx)
	i, earlier := s.state.At, append([]Point(nil), s.state.Points...)
	s.working.Go(func() { s.work(ctx, i, p, earlier) })
	return nil
}

// point checks an answer and makes the point it begins.
func (s *Session) point(step Step, a Answer) (Point, error) {
	v, err := step.valueOf(a)
	if err != nil {
		return Point{}, err
	}
	for what, text := range map[string]string{"lot": a.Lot, "expiry": a.Expiry} {
		if err := checkText(what, text, 0, maxShort); err != nil {
			return Point{}, err
		}
	}
	p := Point{Name: step.Name, Nominal: &v, Lot: a.Lot, Expiry: a.Expiry}
	if p.Expired, err = expired(a.Expiry, s.clock.Now()); err != nil {
		return Point{}, err
	}
	if a.Celsius != nil {
		if !(*a.Celsius >= -5 && *a.Celsius <= 60) {
			return Point{}, refuse("temperature", "%v °C is no temperature of a bottle: write -5 to 60", *a.Celsius)
		}
		p.Celsius, p.CelsiusFrom = a.Celsius, "hand"
	}
	return p, nil
}

// work measures step i and makes it a point, or says what is in the way.
func (s *Session) work(ctx context.Context, i int, p Point, earlier []Point) {
	err := s.measure(ctx, i, &p, earlier)
	if ctx.Err() != nil {
		return // aborted, and whoever did it goes on
	}
	if err != nil {
		s.change(func(st *State) { st.Phase, st.Problem, st.Code = Asking, err.Error(), codeOf(err) })
		return
	}
	last := false
	s.change(func(st *State) {
		st.Points, st.Readings = append(st.Points, p), nil
		st.At++
		if last = st.At == len(st.Steps); !last {
			st.Phase = Asking
		}
	})
	if last {
		s.review(ctx)
	}
}

func (s *Session) measure(ctx context.Context, i int, p *Point, earlier []Point) error {
	step := s.proc.steps()[i]
	if err := s.temperature(ctx, step, p); err != nil {
		return err
	}
	var err error
	if p.Expected, err = s.proc.expect(i, *p.Nominal, p.Celsius); err != nil {
		return err
	}
	raw, err := s.settle(ctx, p.Celsius)
	if err != nil {
		return err
	}
	p.Before = s.proc.shown(raw)
	p.Raw = &raw
	if err := s.proc.check(i, raw, *p, earlier); err != nil {
		return err
	}
	if err := s.note(); err != nil {
		return err
	}
	return s.hold(ctx, func(ctx context.Context) error { return s.proc.set(ctx, i, p) })
}

// note writes down that the circuit is about to be changed, before it is for the first time: see torn.
func (s *Session) note() error {
	e, ok := s.proc.(*ezoProbe)
	if !ok || e.touched {
		return nil
	}
	return s.store.tear(&torn{Sensor: s.begin.Sensor, Quantity: s.begin.Quantity, Kind: s.kind, Method: s.begin.Method, Who: s.begin.Who, Backup: e.backup})
}

// temperature finds out how warm the bottle is when nobody said so.
func (s *Session) temperature(ctx context.Context, step Step, p *Point) error {
	if !step.Celsius || p.Celsius != nil {
		return nil
	}
	var at temperature
	var ok bool
	var err error
	for began := s.clock.Now().Uptime; ; {
		err = s.hold(ctx, func(ctx context.Context) (err error) {
			at, ok, err = s.proc.celsius(ctx)
			return err
		})
		if !warming(err) || s.clock.Now().Uptime-began >= s.proc.rules().within {
			break
		}
		if err := s.clock.Sleep(ctx, pause); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return refuse("temperature", "step %s: no thermometer measures beside this probe: measure the bottle's temperature and say it", step.Name)
	}
	p.Celsius, p.CelsiusFrom = &at.celsius, at.from
	return nil
}

// settle asks the probe until its readings are steady and returns their mean. A reading that does not become steady in the
// time of its rule is refused.
func (s *Session) settle(ctx context.Context, celsius *float64) (float64, error) {
	r := s.proc.rules()
	var readings []float64
	faults := 0
	for began := s.clock.Now().Uptime; ; {
		var v float64
		err := s.hold(ctx, func(ctx context.Context) (err error) {
			v, err = s.proc.read(ctx, celsius)
			return err
		})
		switch {
		case ctx.Err() != nil:
			return 0, ctx.Err()
		case warming(err) && s.clock.Now().Uptime-began < r.within:
		case err != nil:
			if faults++; faults == stumble {
				return 0, fmt.Errorf("the probe does not answer: %w", err)
			}
		default:
			faults = 0
			readings = append(readings, v)
			mean, spread, limit, steady := r.steady(readings)
			s.change(func(st *State) { st.Readings, st.Spread, st.Limit = readings, spread, limit })
			if steady && s.clock.Now().Uptime-began >= r.least {
				return mean, nil
			}
			if s.clock.Now().Uptime-began >= r.within {
				return 0, refuse("unsteady", "the reading did not become steady in %v: it moved by %s over the last %d, %s is allowed. Swirl, wait, and try again; a probe that never settles is dirty or worn out",
					r.within, short(spread), min(len(readings), r.count), short(limit))
			}
		}
		if err := s.clock.Sleep(ctx, pause); err != nil {
			return 0, err
		}
	}
}

// warming reports whether err says that the probe was switched on just now: some take half a minute until they measure.
func warming(err error) bool {
	f, ok := errors.AsType[*sense.Fault](err)
	return ok && f.Reason == measure.NotReady
}

// review judges the points once no step is left. The session's lock is free meanwhile: a poll that holds the bus asks the
// session whether the probe is away.
func (s *Session) review(ctx context.Context) {
	points := s.State().Points
	var res Result
	err := s.hold(ctx, func(ctx context.Context) (err error) {
		res, err = s.proc.result(ctx, points)
		return err
	})
	if ctx.Err() != nil {
		return
	}
	s.change(func(st *State) {
		st.Phase = Review
		if err != nil {
			st.Problem, st.Code = err.Error(), codeOf(err)
			return
		}
		s.result = &res
		st.Points, st.Verdict, st.Reasons = points, res.Verdict, res.Reasons
		st.Slope, st.Offset, st.OffsetIn = res.SlopePercent, res.Offset, res.OffsetUnit
	})
}

// codeOf is what programs tell an error by.
func codeOf(err error) string {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return "fault"
}

// close ends the session for good: what is being measured is left, and an unfinished calibration is undone as far as the
// probe can. It returns in words how the probe is now; the error says that it is not what it was.
func (s *Session) close(ctx context.Context) (how string, err error) {
	s.mu.Lock()
	late, stop := s.ending, s.stop
	s.ending = true
	s.mu.Unlock()
	if late {
		return "", s.over()
	}
	if stop != nil {
		stop()
	}
	s.working.Wait()
	err = s.hold(ctx, func(ctx context.Context) (err error) {
		how, err = s.proc.undo(ctx)
		return err
	})
	s.change(func(st *State) {
		st.Phase, st.Problem, st.Code = Aborted, how, ""
		if err != nil {
			st.Problem, st.Code = err.Error(), "kept"
		}
	})
	return how, err
}
