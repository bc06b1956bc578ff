package calibrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/sense"
	"aovuon/gateway/wire"
)

// Documents takes records to the server (seal.Sealer).
type Documents interface {
	// TakeDocument keeps a document for the next batch.
	TakeDocument(ctx context.Context, d wire.Document) error
	// Flush puts everything taken on disk, now.
	Flush(ctx context.Context) error
}

// idle is how long a session may wait for its person. Then it is aborted: a sensor must not be without values because somebody
// went home.
const idle = 30 * time.Minute

// Desk is where the sensors of a gateway are calibrated. Its methods may be called from several goroutines.
type Desk struct {
	store store
	clock sense.Clock
	log   *slog.Logger
	life  context.Context //nolint:containedctx // measurements outlive the request that began them
	end   context.CancelFunc

	mu       sync.RWMutex
	fitted   map[string]*fitted
	order    []string
	inForce  map[key]*kept
	unsent   []*kept
	damaged  []error
	sessions map[string]*Session // by sensor; one that ended stays until the next, to be looked at
	torn     map[string]*torn    // by sensor: circuits that were left in the middle
	mending  sync.WaitGroup      // of torn ones, and of those whose person went away
	closed   bool
	holder   Holder
	docs     Documents
}

// NewDesk reads the calibrations kept in calibrations/ of the data folder. What is damaged is passed over, and logged by Open.
func NewDesk(dataDir string, clock sense.Clock) *Desk {
	d := &Desk{
		store: store{dir: filepath.Join(dataDir, "calibrations")}, clock: clock, log: slog.New(slog.DiscardHandler),
		fitted: make(map[string]*fitted), sessions: make(map[string]*Session),
	}
	d.life, d.end = context.WithCancel(context.Background())
	d.inForce, d.unsent, d.damaged = d.store.load()
	var bad []error
	d.torn, bad = d.store.allTorn()
	d.damaged = append(d.damaged, bad...)
	return d
}

// Open lets sessions begin: holder gives them their buses, docs takes their records. Records that an earlier run could not
// hand over are handed over now. Close must be called after it.
func (d *Desk) Open(ctx context.Context, holder Holder, docs Documents, log *slog.Logger) {
	d.mu.Lock()
	d.holder, d.docs, d.log = holder, docs, log
	unsent, damaged := d.unsent, d.damaged
	d.unsent, d.damaged = nil, nil
	left := slices.Collect(maps.Values(d.torn))
	d.mu.Unlock()
	for _, t := range left {
		d.mending.Go(func() { d.mend(d.life, t) })
	}
	for _, err := range damaged {
		log.Error("a calibration cannot be read; an older one counts, or none", slog.Any("err", err))
	}
	for _, k := range unsent {
		if err := d.spool(ctx, k); err != nil {
			d.log.Error("a calibration record waits for the disk", slog.String("sensor", k.record.Sensor), slog.Any("err", err))
		}
	}
}

// Close aborts what is under way; ctx bounds how long probes may take to get their calibration back.
func (d *Desk) Close(ctx context.Context) {
	d.mu.RLock()
	open := make([]string, 0, len(d.sessions))
	for id := range d.sessions {
		open = append(open, id)
	}
	d.mu.RUnlock()
	for _, id := range open {
		if _, err := d.Abort(ctx, id); err != nil && !isRefusal(err, "over") {
			d.log.Error("a calibration was left unfinished", slog.String("sensor", id), slog.Any("err", err))
		}
	}
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.end()
	d.mending.Wait()
}

// drop aborts a session whose person went away.
func (d *Desk) drop(s *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.sessions[s.begin.Sensor] != s || !s.forsaken() {
		return
	}
	d.mending.Go(func() {
		d.log.Warn("nobody goes on with a calibration; it is aborted", slog.String("sensor", s.begin.Sensor), slog.String("who", s.begin.Who))
		if _, err := d.Abort(d.life, s.begin.Sensor); err != nil && !isRefusal(err, "over") && d.life.Err() == nil {
			d.log.Error("a calibration was left unfinished", slog.String("sensor", s.begin.Sensor), slog.Any("err", err))
		}
	})
}

// forsaken reports, once, that nobody has gone on with the session for too long.
func (s *Session) forsaken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropped || s.state.Phase == Measuring || s.clock.Now().Uptime-s.used < idle {
		return false
	}
	s.dropped = true
	return true
}

func isRefusal(err error, code string) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Code == code
}

// Begin begins a session. From now on the sensor's readings are faults (calibrating), until it ends.
func (d *Desk) Begin(ctx context.Context, b Begin) (State, error) {
	b.Who, b.Serial = strings.TrimSpace(b.Who), strings.TrimSpace(b.Serial)
	if err := checkText("who does it", b.Who, 1, maxWho); err != nil {
		return State{}, err
	}
	if err := checkText("serial", b.Serial, 0, maxShort); err != nil {
		return State{}, err
	}
	s, err := d.enter(&b)
	if err != nil {
		return State{}, err
	}
	var notes []string
	err = s.hold(ctx, func(ctx context.Context) (err error) {
		notes, err = s.proc.prepare(ctx)
		return err
	})
	if err != nil {
		d.leave(s)
		return State{}, fmt.Errorf("calibrate: sensor %s does not answer: %w", b.Sensor, err)
	}
	s.change(func(st *State) { st.Notes = notes })
	d.log.Info("calibration began", slog.String("sensor", b.Sensor), slog.String("method", string(s.state.Method)), slog.String("who", b.Who))
	return s.State(), nil
}

// enter checks what is asked for and reserves the sensor.
func (d *Desk) enter(b *Begin) (*Session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.holder == nil {
		return nil, refuse("closed", "the gateway is starting or stopping: ask again in a moment")
	}
	f, ok := d.fitted[b.Sensor]
	if !ok {
		return nil, refuse("unknown", "no sensor %.60q: this gateway has %s", b.Sensor, strings.Join(d.order, ", "))
	}
	if old := d.sessions[b.Sensor]; old != nil && old.running() {
		return nil, refuse("busy", "%s is calibrating %s: finish that first, or end it with gateway calibrate %s --abort", old.begin.Who, b.Sensor, b.Sensor)
	}
	proc, err := f.procedure(b, d.inForce)
	if err != nil {
		return nil, err
	}
	s := &Session{
		begin: *b, kind: f.spec.Kind, bus: f.spec.Bus, proc: proc, held: d.holder, clock: d.clock, store: d.store,
		changed: make(chan struct{}), used: d.clock.Now().Uptime,
		state: State{Version: 1, Sensor: b.Sensor, Quantity: b.Quantity, Method: b.Method, Who: b.Who, Steps: proc.steps(), Phase: Asking},
	}
	d.sessions[b.Sensor] = s
	return s, nil
}

func (s *Session) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Phase != Done && s.state.Phase != Aborted
}

// away reports whether a poll finds the probe out of its place. One poll does even when the session was over before it came: what
// watches the readings learns by it that the probe is another one now, and somebody has to carry it back.
func (s *Session) away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	over := s.state.Phase == Done || s.state.Phase == Aborted
	away := !over || !s.told
	s.told = true
	return away
}

func (d *Desk) leave(s *Session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sessions[s.begin.Sensor] == s {
		delete(d.sessions, s.begin.Sensor)
	}
}

// Session returns the session of a sensor, also one that ended.
func (d *Desk) Session(sensor string) (*Session, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s, ok := d.sessions[sensor]
	if !ok {
		return nil, refuse("none", "nobody is calibrating %.60q", sensor)
	}
	return s, nil
}

// State returns the state of a sensor's session once its version is above after, or as it is when ctx is done.
func (d *Desk) State(ctx context.Context, sensor string, after int) (State, error) {
	s, err := d.Session(sensor)
	if err != nil {
		return State{}, err
	}
	return s.Wait(ctx, after), nil
}

// Answer gives the answer of a person to the present step. It returns at once; State tells what comes of it.
func (d *Desk) Answer(_ context.Context, sensor string, a Answer) (State, error) {
	s, err := d.Session(sensor)
	if err != nil {
		return State{}, err
	}
	if err := s.answer(d.life, a); err != nil {
		return State{}, err
	}
	return s.State(), nil
}

// Abort drops a session and brings the probe back to what it was. Where it cannot be brought back the error says so, and the
// sensor is uncalibrated until it is calibrated again.
func (d *Desk) Abort(ctx context.Context, sensor string) (State, error) {
	s, err := d.Session(sensor)
	if err != nil {
		return State{}, err
	}
	if !s.running() {
		return State{}, s.over()
	}
	how, err := s.close(ctx)
	if isRefusal(err, "over") {
		return State{}, err
	}
	if err == nil {
		err = d.store.untear(sensor)
	}
	if err != nil {
		reason := "aborted; " + err.Error()
		_, keepErr := d.keep(ctx, s, Result{Verdict: Bad, Reasons: []string{cut(reason, maxReason)}}, "")
		return s.State(), errors.Join(err, keepErr)
	}
	d.log.Info("calibration aborted", slog.String("sensor", sensor), slog.String("probe", how))
	return s.State(), nil
}

// Finish keeps the calibration: coefficients come into force, the record is written here and handed to the spool. Steps
// that are left must be such as may be skipped.
func (d *Desk) Finish(ctx context.Context, sensor, note string) (State, error) {
	s, err := d.Session(sensor)
	if err != nil {
		return State{}, err
	}
	if err := checkText("note", note, 0, maxNote); err != nil {
		return State{}, err
	}
	res, err := s.finish(d.life)
	if err != nil {
		return State{}, err
	}
	k, err := d.keep(ctx, s, res, note)
	if err != nil {
		s.mu.Lock()
		s.ending = false // it can be tried again
		s.mu.Unlock()
		return State{}, err
	}
	s.change(func(st *State) { st.Phase, st.Record, st.Unspooled = Done, &k.record, !k.spool })
	d.log.Info("calibrated", slog.String("sensor", sensor), slog.String("quantity", string(k.record.Quantity)),
		slog.String("verdict", string(k.record.Verdict)), slog.String("who", k.record.Who))
	return s.State(), nil
}

// over is the refusal of what comes too late.
func (s *Session) over() error {
	return refuse("over", "the calibration of %s is over", s.begin.Sensor)
}

// finish skips what is left and judges. Without an error the session is the caller's to keep.
func (s *Session) finish(ctx context.Context) (Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = s.clock.Now().Uptime
	if s.ending {
		return Result{}, s.over()
	}
	if s.state.Phase == Measuring {
		return Result{}, refuse("busy", "a step is being measured")
	}
	for _, step := range s.state.Steps[s.state.At:] {
		if !step.Optional {
			return Result{}, refuse("step", "step %s is not done", step.Name)
		}
	}
	if len(s.state.Points) == 0 {
		return Result{}, refuse("step", "no step was done")
	}
	if s.result == nil {
		s.changeLocked(func(st *State) { st.At, st.Phase, st.Problem, st.Code = len(st.Steps), Measuring, "", "" })
		s.mu.Unlock()
		s.review(ctx)
		s.mu.Lock()
	}
	if s.ending { // aborted meanwhile
		return Result{}, s.over()
	}
	if s.result == nil {
		return Result{}, refuse(s.state.Code, "%s", s.state.Problem)
	}
	s.ending = true
	return *s.result, nil
}
