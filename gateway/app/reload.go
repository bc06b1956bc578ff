package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/settings"
	"aovuon/gateway/wire"
)

const (
	// fileEvery is how often the configuration file is looked at.
	fileEvery = 2 * time.Second
	// probation is how long a probe that worked may turn out to be broken by settings from afar.
	probation = 10 * time.Minute
)

// errRestart is wrapped by the error of a change that only a restart can bring into force.
var errRestart = errors.New("only a restart brings it into force")

// parts are what a reload changes.
type parts struct {
	replace   func(channels []sense.Channel)
	rules     func(p *plan)
	after     func(p *plan) // everything else is in force
	intervals func(every, offline time.Duration)
	document  func(ctx context.Context, d wire.Document) error
	program   func() *wire.ProgramReport
}

// reloader keeps the gateway at work as its file and the server's desired settings say. It is a sense.Sink beside the
// others: it sees whether probes go on working.
type reloader struct {
	path    string
	planner *planner
	clock   sense.Clock
	parts   parts
	log     *slog.Logger
	came    chan incoming
	rolled  chan string // a probe that worked does not any more

	mu      sync.Mutex
	file    []byte // as it is in force
	seen    []byte // as it was looked at last, good or not
	plan    *plan
	wanted  wanted
	kept    []string
	working map[string]bool // by sensor: its last readings were values
	trial   map[string]bool // sensors that changed and have not read since
	trialTo time.Duration   // uptime at which the trial is over
	before  wanted          // what is put back when it fails
}

// incoming is a version of desired settings that came.
type incoming struct {
	sealed []byte
	d      wire.Desired
}

// newReloader plans the first start: with what was desired when the program ended, or, if that does not fit any more, with
// the file alone.
func newReloader(path string, file []byte, cfg *Config, m *planner, clock sense.Clock, log *slog.Logger) (*reloader, error) {
	r := &reloader{
		path: path, planner: m, clock: clock, log: log, file: file, seen: file, came: make(chan incoming, 4), rolled: make(chan string, 1),
		working: make(map[string]bool), wanted: wanted{State: wire.SettingsLocal},
	}
	secrets, err := cfg.openSecrets()
	if err == nil {
		r.wanted = loadWanted(cfg.wantedFile(), secrets.server, cfg.Gateway, log)
	}
	if len(r.wanted.inForce.Changes) > 0 {
		p, kept, err := r.planOf(file, r.wanted.inForce)
		if err == nil {
			r.plan, r.kept = p, kept
			return r, nil
		}
		log.Error("desired settings do not fit the file any more: the file alone counts", slog.Uint64("version", r.wanted.inForce.Version), slog.Any("err", err))
		r.wanted.InForce, r.wanted.inForce = "", wire.Desired{}
		r.wanted.State, r.wanted.Why = wire.SettingsRefused, err.Error()
	}
	if r.plan, err = m.plan(cfg, true); err != nil {
		return nil, err
	}
	return r, nil
}

// planOf plans file with desired settings over it.
func (r *reloader) planOf(file []byte, d wire.Desired) (p *plan, kept []string, err error) {
	cfg, err := parse(r.path, file) // first by itself: its own faults are told with its own lines
	if err != nil {
		return nil, nil, err
	}
	if len(d.Changes) > 0 {
		var merged []byte
		if merged, kept, err = settings.Apply(file, d.Changes); err != nil {
			return nil, nil, err
		}
		// What is wrong now is wrong with what is desired: no line of the file is to blame.
		if cfg, err = parse(fmt.Sprintf("%s with version %d of the desired settings", r.path, d.Version), merged); err != nil {
			return nil, nil, err
		}
		cfg.path = r.path
	}
	if r.plan != nil {
		if err := needsRestart(r.plan.cfg, cfg); err != nil {
			return nil, nil, err
		}
	}
	p, err = r.planner.plan(cfg, true)
	return p, kept, err
}

// needsRestart reports what a reload cannot change.
func needsRestart(now, next *Config) error {
	a, b := reflect.ValueOf(*now), reflect.ValueOf(*next)
	var names []string
	for i, f := range reflect.VisibleFields(a.Type()) {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" || slices.Contains([]string{"sensors", "buses", "aerators", "alarms", "siren", "derived", "timezone", "update"}, key) {
			continue
		}
		x, y := a.Field(i).Interface(), b.Field(i).Interface()
		if s, ok := x.(SealConfig); ok { // the batches' intervals can change, the window of a power cut cannot
			t := next.Seal
			x, y = s.CommitEvery, t.CommitEvery
		}
		if !reflect.DeepEqual(x, y) {
			names = append(names, key)
		}
	}
	if names == nil {
		return nil
	}
	key := "$." + names[0]
	return errors.Join(next.src.Problem("this changed while the gateway works: "+strings.Join(names, ", "),
		"restart the gateway, or take the change back; everything else waits with it", key), errRestart)
}

// present is the plan that is in force.
func (r *reloader) present() *plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plan
}

// run follows the file, the desired settings and SIGHUP until ctx is done.
func (r *reloader) run(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(fileEvery)
	defer tick.Stop()
	r.tell(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			r.look(ctx)
		case <-hup:
			if err := r.reload(ctx); err != nil {
				r.log.Error("the configuration is not taken; the gateway works on as it did", slog.Any("err", err))
			}
		case in := <-r.came:
			r.desire(ctx, in)
		case sensor := <-r.rolled:
			r.rollBack(ctx, sensor)
		}
	}
}

// look reloads when the file has changed since it was looked at last.
func (r *reloader) look(ctx context.Context) {
	raw, err := readConfig(r.path)
	r.mu.Lock()
	same := err != nil || bytes.Equal(raw, r.seen) // a file that is being replaced may be away for a moment
	r.mu.Unlock()
	if same {
		return
	}
	if err := r.reload(ctx); err != nil {
		r.log.Error("the configuration is not taken; the gateway works on as it did", slog.Any("err", err))
	}
}

// reload brings the file into force as it is now. After an error everything works on as before.
func (r *reloader) reload(ctx context.Context) error {
	raw, err := readConfig(r.path)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = raw
	p, kept, err := r.planOf(raw, r.wanted.inForce)
	if err != nil {
		return err
	}
	r.file = raw
	r.apply(p, kept)
	r.trial = nil // somebody who is there sees what he did
	r.log.Info("the configuration is in force", slog.Int("sensors", len(p.channels)), slog.Any("kept", kept))
	r.tellLocked(ctx)
	return nil
}

// apply puts a plan to work. Nothing of it can fail any more.
func (r *reloader) apply(p *plan, kept []string) (changed []string) {
	was := make(map[string]string, len(r.plan.channels))
	for _, c := range r.plan.channels {
		was[c.ID] = c.Key
	}
	for _, c := range p.channels {
		if key, ok := was[c.ID]; ok && key != c.Key {
			changed = append(changed, c.ID)
		}
	}
	r.parts.replace(p.channels)
	if !sameRules(r.plan.cfg, p.cfg) {
		r.parts.rules(p)
	}
	r.parts.intervals(p.cfg.Seal.Every, p.cfg.Seal.OfflineEvery)
	r.parts.after(p)
	r.plan, r.kept = p, kept
	return changed
}

func sameRules(a, b *Config) bool {
	return reflect.DeepEqual(a.Aerators, b.Aerators) && reflect.DeepEqual(a.Alarms, b.Alarms) && a.Siren == b.Siren && a.Timezone == b.Timezone
}

// Desired takes what the uplink brought. It never blocks: the server sends again what is not answered.
func (r *reloader) Desired(sealed []byte, d wire.Desired) {
	select {
	case r.came <- incoming{bytes.Clone(sealed), d}:
	default:
	}
}

// desire brings a version of desired settings into force, or says why not.
func (r *reloader) desire(ctx context.Context, in incoming) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch have := r.wanted.newest.Version; {
	case in.d.Version < have:
		return // it was overtaken on the way
	case in.d.Version == have:
		r.tellLocked(ctx) // the answer got lost, or is on its way
		return
	}
	before := r.wanted
	next := wanted{Newest: string(in.sealed), newest: in.d}
	p, kept, err := r.planOf(r.file, in.d)
	if err == nil {
		err = mayStart(in.d, p.cfg, r.clock.Now())
	}
	if err != nil {
		next.InForce, next.inForce, next.State, next.Why = before.InForce, before.inForce, wire.SettingsRefused, err.Error()
		r.log.Error("desired settings are refused; the former stay in force", slog.Uint64("version", in.d.Version), slog.Any("err", err))
	} else {
		next.InForce, next.inForce, next.State = string(in.sealed), in.d, wire.SettingsApplied
	}
	if len(next.inForce.Changes) == 0 && err == nil {
		next.State = wire.SettingsLocal
	}
	// On disk first: settings that a restart would forget must not be answered for.
	if err := next.save(r.plan.cfg.wantedFile()); err != nil {
		r.log.Error("desired settings wait for the disk", slog.Any("err", err))
		return // not answered: the server sends them again
	}
	r.wanted = next
	if err == nil {
		r.before = before
		r.onTrial(r.apply(p, kept))
		r.log.Info("desired settings are in force", slog.Uint64("version", in.d.Version), slog.Int("changes", len(in.d.Changes)), slog.Any("kept", kept))
	}
	r.tellLocked(ctx)
}

// onTrial watches those of the changed sensors that worked.
func (r *reloader) onTrial(changed []string) {
	r.trial = make(map[string]bool)
	for _, id := range changed {
		if r.working[id] {
			r.trial[id] = true
		}
	}
	r.trialTo = r.clock.Now().Uptime + probation
}

// Take implements sense.Sink: it keeps nothing.
func (r *reloader) Take(_ context.Context, readings []measure.Reading) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range readings {
		v := &readings[i]
		works := v.Quality != measure.Fault
		if r.trial[v.Sensor] && v.Time.Uptime <= r.trialTo && !works && v.Reason != measure.Calibrating {
			select {
			case r.rolled <- v.Sensor:
			default:
			}
		}
		if works {
			delete(r.trial, v.Sensor) // it reads with the new settings: they did it no harm
		}
		r.working[v.Sensor] = works
	}
	return nil
}

// rollBack puts back what was in force before the desired settings under which a probe stopped working.
func (r *reloader) rollBack(ctx context.Context, sensor string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.trial[sensor] {
		return // it worked in between, or somebody changed the file
	}
	r.trial = nil
	next := r.wanted
	next.InForce, next.inForce = r.before.InForce, r.before.inForce
	next.State, next.Why = wire.SettingsRolledBack, fmt.Sprintf("sensor %s had a value before and has none now", sensor)
	p, kept, err := r.planOf(r.file, next.inForce)
	if err != nil {
		r.log.Error("the former settings do not fit any more; those desired last stay in force", slog.String("sensor", sensor), slog.Any("err", err))
		r.wanted.Why = fmt.Sprintf("%s; what was in force before does not fit any more: %v", next.Why, err)
		r.tellLocked(ctx)
		return
	}
	if err := next.save(r.plan.cfg.wantedFile()); err != nil {
		r.log.Error("a restart would bring the settings again that were rolled back", slog.Any("err", err))
	}
	r.log.Warn("desired settings are rolled back", slog.Uint64("version", r.wanted.newest.Version), slog.String("sensor", sensor))
	r.wanted = next
	r.apply(p, kept)
	r.tellLocked(ctx)
}
