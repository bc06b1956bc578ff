package alarm

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
)

// Register is the farm on record.
type Register interface {
	// FarmRevision changes whenever Farm would.
	FarmRevision(ctx context.Context) (string, error)
	Farm(ctx context.Context) (*farm.Farm, error)
	// LimitVersions returns which version of each profile's limits is in force.
	LimitVersions(ctx context.Context) (map[string]int64, error)
}

// LimitsID is the Looker of the limits of the water, the soil and the air.
const LimitsID = "limits"

// Limits watches that values stay within the limits of their place's profile.
type Limits struct {
	register Register
	windows  *Windows

	revision string
	planned  time.Time // when plan was made
	plan     []watched
	versions map[string]int64
	started  time.Time // of the first look
}

// watched is what one alarm is about: a quantity at a place, its limits, and the channels that measure it there now.
type watched struct {
	Key
	place    farm.Place
	version  int64 // of the place's profile
	quantity measure.Quantity
	limits   []farm.Limit
	channels []channel
	warmth   []channel // those of the water's temperature there
	judge    func(l *Limits, w *watched, now time.Time) Finding
}

// channel is a probe's quantity and since when it hangs there.
type channel struct {
	history.Series
	since time.Time
}

// NewLimits returns the Looker.
func NewLimits(register Register, windows *Windows) *Limits {
	return &Limits{register: register, windows: windows}
}

// ID implements Looker.
func (*Limits) ID() string { return LimitsID }

// replan is how often mounts are asked for that began or ended meanwhile.
const replan = 30 * time.Second

// refresh makes the plan anew where the farm changed.
func (l *Limits) refresh(ctx context.Context, now time.Time) error {
	revision, err := l.register.FarmRevision(ctx)
	if err != nil {
		return fmt.Errorf("alarm: register: %w", err)
	}
	if revision == l.revision && !l.planned.IsZero() && now.Sub(l.planned) < replan && !now.Before(l.planned) {
		return nil
	}
	f, err := l.register.Farm(ctx)
	if err != nil {
		return fmt.Errorf("alarm: register: %w", err)
	}
	if l.versions, err = l.register.LimitVersions(ctx); err != nil {
		return fmt.Errorf("alarm: register: %w", err)
	}
	l.plan, l.revision, l.planned = planOf(f, l.versions, now), revision, now
	return nil
}

// Look implements Looker.
func (l *Limits) Look(ctx context.Context, now time.Time) ([]Finding, error) {
	if err := l.refresh(ctx, now); err != nil {
		return nil, err
	}
	if l.started.IsZero() {
		l.started = now
	}
	l.windows.mu.Lock()
	defer l.windows.mu.Unlock()
	out := make([]Finding, 0, len(l.plan))
	for i := range l.plan {
		out = append(out, l.plan[i].judge(l, &l.plan[i], now))
	}
	return out, nil
}

// judgeValues weighs all channels of one key: the gravest value counts, silence only where nobody measures any more.
func (l *Limits) judgeValues(w *watched, now time.Time) Finding {
	var best Finding
	silent := 0
	for i := range w.channels {
		s := l.windows.series[w.channels[i].Series]
		f := l.judgeChannel(w, w.channels[i], s, now)
		if f.Sign == Silent {
			if silent++; silent < len(w.channels) {
				continue
			}
			if best.Explain != nil { // another one still measures
				continue
			}
		}
		if best.Explain == nil || f.Sign > best.Sign || f.Sign == best.Sign && f.Level.Worse(best.Level) {
			best = f
		}
	}
	return best
}

func (l *Limits) judgeChannel(w *watched, c channel, s *series, now time.Time) Finding {
	ms := now.UnixMilli()
	if s == nil {
		return l.unheard(w, c, now)
	}
	newest, ok := s.newest()
	if !ok || ms-newest.at > s.stale() {
		return l.silence(w, c, s, now)
	}
	best := Finding{Key: w.Key, Sign: Clear, Explain: func() rule.Decision { return within(w, c, newest, now) }}
	for i := range w.limits {
		limit := &w.limits[i]
		sign, began, last := s.against(limit, newest, ms)
		best.Keep = max(best.Keep, limit.Keeping())
		if last > best.Last.UnixMilli() || best.Last.IsZero() && last > 0 {
			best.Last = time.UnixMilli(last).UTC()
		}
		level := verdict(limit.Level)
		if sign < best.Sign || sign == best.Sign && !level.Worse(best.Level) {
			continue
		}
		best.Sign = sign
		if sign >= Beyond {
			best.Level, best.Began = level, time.UnixMilli(began).UTC()
			best.Explain = func() rule.Decision { return broken(w, c, limit, newest, began, now) }
		}
	}
	return best
}

func verdict(l farm.Level) rule.Verdict {
	if l == farm.Crit {
		return rule.Crit
	}
	return rule.Warn
}

// against weighs a series against one limit: how its newest value stands, since when it has been beyond, and when it was so last.
func (s *series) against(l *farm.Limit, newest point, now int64) (sign Sign, began, last int64) {
	if l.N > 0 {
		if began, ok := s.counted(l); ok {
			return Exceeded, began, newest.at
		}
	}
	gap := s.stale()
	if !l.Broken(newest.value) {
		for i := len(s.raw) - 1; i >= 0 && last == 0; i-- {
			if p := s.raw[i]; p.ok && l.Broken(p.value) {
				last = p.at
			}
		}
		if l.Cleared(newest.value) {
			return Clear, 0, last
		}
		return Band, 0, last
	}
	n, before := 0, newest.at
	for _, p := range slices.Backward(s.raw) {
		if !p.ok {
			continue
		}
		if !l.Broken(p.value) || before-p.at > gap { // nobody knows what was in a long gap
			break
		}
		began, before = p.at, p.at
		n++
	}
	wait := l.Persistence().Milliseconds()
	if l.N == 0 && now-began >= wait && (n > 1 || wait == 0) { // one reading alone wakes nobody
		return Exceeded, began, newest.at
	}
	return Beyond, began, newest.at
}

// counted reports whether N of the newest M values are beyond a limit, and when the first of them was measured.
func (s *series) counted(l *farm.Limit) (began int64, ok bool) {
	n, m := 0, 0
	for i := len(s.raw) - 1; i >= 0 && m < l.M; i-- {
		if p := s.raw[i]; p.ok {
			m++
			if l.Broken(p.value) {
				n++
				began = p.at
			}
		}
	}
	return began, n >= l.N
}
