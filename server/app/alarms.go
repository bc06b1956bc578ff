package app

import (
	"context"
	"log/slog"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/ingest"
	"aovuon/server/project"
	"aovuon/server/watch/alarm"
)

const (
	// alarmEvery is how often alarms are decided on.
	alarmEvery = 2 * time.Second
	// alarmRaw is how long readings are kept as they came: longer than the longest persistence of a limit.
	alarmRaw = 7 * time.Hour
)

// alarms is the part of the server that watches limits.
type alarms struct {
	desk       *alarm.Desk
	watch      *alarm.Watch
	projection *project.Windows
}

func (s *running) openAlarms() {
	windows := alarm.NewWindows(alarmRaw)
	a := &alarms{desk: alarm.NewDesk(s.db, s.db, s.now), projection: project.NewWindows(windows, s.places, s.dater, s.now)}
	a.watch = alarm.NewWatch(alarm.Options{
		Store: s.db, Desk: a.desk, Every: alarmEvery, Now: s.now, Log: s.log,
		Lookers: []alarm.Looker{
			alarm.NewFollow(windows, a.projection.Position, s.db.LogEnd), alarm.NewGateways(s.gatewaysInService, s.db, windows), alarm.NewLimits(s.db, windows), alarm.NewKit(s.db, s.waterTests), alarm.NewRules(s.board), &historyWatch{state: s.historyState},
		},
	})
	s.alarms = a
}

// looked is when alarms were last judged and kept; zero: not since the start.
func (a *alarms) looked() time.Time {
	if st := a.watch.Status(); st.Problem == "" {
		return st.Ticked
	}
	return time.Time{}
}

// gatewaysInService returns the ids of the gateways that should be heard of.
func (s *running) gatewaysInService(ctx context.Context) (ids []string, err error) {
	standings, err := s.db.Standings(ctx)
	for _, g := range standings {
		if g.Retired.IsZero() && g.Kind != ingest.Imported { // a file is silent for good
			ids = append(ids, g.Gateway)
		}
	}
	return ids, err
}

// waterTests returns what the diary has of water that was measured from a time on, as it stands after corrections.
func (s *running) waterTests(ctx context.Context, from time.Time) ([]alarm.Test, error) {
	events, err := s.db.Events(ctx, diary.Query{Kinds: []string{diary.WaterTest}, From: from})
	if err != nil {
		return nil, err
	}
	var out []alarm.Test
	for _, e := range diary.Entries(events) {
		t := alarm.Test{Place: e.Place, At: e.At(), Values: map[string]float64{}}
		for _, k := range farm.KitParameters() {
			if v, ok := e.Values.Number(k.Key); ok {
				t.Values[k.Key] = v
			}
		}
		if !e.Voided && len(t.Values) > 0 {
			out = append(out, t)
		}
	}
	return out, nil
}

// runWindows fills the windows of the alarms from the log's last day and leads them on.
func (s *running) runWindows(ctx context.Context) error {
	from, ok := s.warm(ctx, s.alarms.projection.Name(), func() (int64, error) { return s.alarms.projection.Warm(ctx, s.db) })
	if !ok {
		return nil
	}
	return project.NewRunner(project.RunnerOptions{
		Projection: s.alarms.projection, Source: s.recent, Start: from, Wake: s.recent.Wake(), Linger: 10 * time.Millisecond, Now: s.now, Log: s.log,
	}).Run(ctx)
}

// alarms is how the watch does, where this process is the one that judges.
func (f *figures) alarms(_ context.Context, put func(*figure, float64, ...string)) error {
	if !f.s.leads.leading(leaseAlarms) {
		return nil
	}
	st := f.s.alarms.watch.Status()
	for _, g := range []struct {
		name, help string
		v          float64
	}{
		{"open", "Alarms that people are told of.", float64(st.Open)},
		{"pending", "What is beyond a limit, not yet for long enough.", float64(st.Pending)},
		{"watched", "Places and topics that the newest tick looked at.", float64(st.Watched)},
		{"blind", "Parts of the watch that cannot look, the database among them.", float64(st.Blind)},
		{"tick_seconds", "How long the newest tick took.", st.Took.Seconds()},
		{"ticked_timestamp_seconds", "When the newest tick was done, since 1970; 0: none was.", seconds(st.Ticked)},
	} {
		put(gauge("alarm_"+g.name, g.help), g.v)
	}
	return nil
}

// warm tries until what is filled from the log is filled; then it is followed from the position that is returned. ok is false where ctx ended
// before.
func (s *running) warm(ctx context.Context, name string, fill func() (int64, error)) (from int64, ok bool) {
	for {
		from, err := fill()
		if err == nil {
			return from, true
		}
		if ctx.Err() == nil {
			s.log.Warn("what is filled from the log waits", slog.String("projection", name), slog.Any("err", err))
		}
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			t.Stop()
			return 0, false
		case <-t.C:
		}
	}
}
