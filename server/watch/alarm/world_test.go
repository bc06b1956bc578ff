package alarm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch/rule"
)

// memory is a Store and an Archive that keep what sqldb keeps, for stories of the rules alone. down makes every call of it fail.
type memory struct {
	alarms  map[string]Alarm
	changes []Change
	held    []Maintenance
	down    bool
}

var errDown = errors.New("disk I/O error")

func (m *memory) LastingAlarms(_ context.Context, at time.Time) (list []Alarm, held []Maintenance, err error) {
	if m.down {
		return nil, nil, errDown
	}
	for _, a := range m.alarms {
		if a.Ended.IsZero() {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b Alarm) int { return cmp.Compare(a.ID, b.ID) })
	for _, x := range m.held {
		if !x.Over(at) {
			held = append(held, x)
		}
	}
	return list, held, nil
}

func (m *memory) KeepAlarmChanges(_ context.Context, changes []Change) error {
	if m.down {
		return errDown
	}
	seen := map[string]bool{}
	for _, c := range changes {
		if old := m.alarms[c.Alarm.ID]; !seen[c.Alarm.ID] && old.N != c.Alarm.N {
			return ErrMoved
		}
		for _, o := range m.alarms {
			if o.Ended.IsZero() && o.Key == c.Alarm.Key && o.ID != c.Alarm.ID {
				return ErrMoved
			}
		}
		seen[c.Alarm.ID] = true
	}
	for i := range changes {
		c := &changes[i]
		c.N = int64(len(m.changes) + 1)
		c.Alarm.N = c.N
		m.alarms[c.Alarm.ID] = c.Alarm
		m.changes = append(m.changes, *c)
	}
	return nil
}

func (m *memory) KeepMaintenance(_ context.Context, x Maintenance) error {
	m.held = slices.DeleteFunc(m.held, func(o Maintenance) bool { return o.ID == x.ID })
	m.held = append(m.held, x)
	return nil
}

func (m *memory) AlarmChanges(_ context.Context, after int64, limit int) ([]Change, error) {
	return m.changes[after:min(int(after)+limit, len(m.changes))], nil
}

func (m *memory) Alarm(_ context.Context, id string) (Alarm, []Change, error) {
	a, ok := m.alarms[id]
	if !ok {
		return a, nil, ErrNone
	}
	return a, nil, nil
}

func (m *memory) AlarmHistory(context.Context, Query) ([]Alarm, error) { return nil, nil }

func (m *memory) Maintenances(context.Context, time.Time, time.Time) ([]Maintenance, error) {
	return m.held, nil
}

// feed is a probe of a story: what it says at a moment; sends false: nothing.
type feed struct {
	gateway, sensor string
	quantity        measure.Quantity
	says            func(t time.Time) (v float64, sends bool)
	fault           func(t time.Time) measure.FaultReason // nil: never
}

// story is one pond with its probes, watched by a clock that the test moves. Everything is one place "P1" of profile "freshwater".
type story struct {
	t        *testing.T
	now      time.Time
	farm     *farm.Farm
	revision int
	feeds    []feed
	store    *memory
	board    *rule.Board
	tests    []Test
	end, at  int64 // of the log, and up to where the windows are

	windows *Windows
	watch   *Watch
	desk    *Desk
}

func (s *story) FarmRevision(context.Context) (string, error) { return fmt.Sprint(s.revision), nil }
func (s *story) Farm(context.Context) (*farm.Farm, error)     { return s.farm, nil }
func (s *story) LimitVersions(context.Context) (map[string]int64, error) {
	return map[string]int64{"freshwater": 3}, nil
}

func newStory(t *testing.T, limits []farm.Limit, feeds ...feed) *story {
	s := &story{
		t: t, now: noon, feeds: feeds, store: &memory{alarms: map[string]Alarm{}}, board: rule.NewBoard(),
		farm: &farm.Farm{Places: []farm.Place{{Code: "P1", Name: "ao1", Kind: farm.Pond, Profile: "freshwater"}}, Limits: limits},
	}
	for i := range s.farm.Limits {
		s.farm.Limits[i].Profile = "freshwater"
	}
	for _, f := range feeds {
		s.farm.Mounts = append(s.farm.Mounts, farm.Mount{Gateway: f.gateway, Sensor: f.sensor, Place: "P1", Measures: []measure.Quantity{f.quantity}})
	}
	s.start()
	return s
}

// start is a start of the server: windows are empty and filled from what was sent within the horizon.
func (s *story) start() {
	s.windows = NewWindows(7 * time.Hour)
	s.desk = NewDesk(s.store, s.store, func() time.Time { return s.now })
	s.watch = NewWatch(Options{
		Store: s.store, Desk: s.desk, Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
		Lookers: []Looker{
			NewFollow(s.windows, func() int64 { return s.at }, func(context.Context) (int64, error) { return s.end, nil }),
			NewGateways(func(context.Context) ([]string, error) { return []string{"gw1", "gw2"}, nil }, s, s.windows),
			NewLimits(s, s.windows), NewKit(s, func(context.Context, time.Time) ([]Test, error) { return s.tests, nil }), NewRules(s.board),
		},
	})
	for t := s.now.Add(-Horizon).Truncate(time.Minute); t.Before(s.now); t = t.Add(time.Minute) {
		if !t.Before(noon.Add(-26 * time.Hour)) {
			s.deliver(t, s.now)
		}
	}
}

// deliver has every probe say what it measured at a moment.
func (s *story) deliver(t, now time.Time) {
	var samples []Sample
	for _, f := range s.feeds {
		v, sends := f.says(t)
		if !sends {
			continue
		}
		x := Sample{Series: history.Series{Place: "P1", Quantity: f.quantity, Gateway: f.gateway, Sensor: f.sensor}, Time: t, Value: v}
		if f.fault != nil && f.fault(t) != "" {
			x.Value, x.Quality, x.Reason = 0, measure.Fault, f.fault(t)
		}
		samples = append(samples, x)
		s.windows.Heard(f.gateway, t)
	}
	s.windows.Add(samples, now)
}

// run lets time pass: probes are read every minute, the clock ticks every half.
func (s *story) run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		if s.now.Truncate(time.Minute).Equal(s.now) {
			s.deliver(s.now, s.now)
		}
		if err := s.watch.Tick(s.t.Context(), s.now); err != nil && !s.store.down {
			s.t.Fatal(err)
		}
		s.now = s.now.Add(30 * time.Second)
	}
}

// told is what happened, a line each: minutes since noon, topic, what.
func (s *story) told() string {
	var b strings.Builder
	for _, c := range s.store.changes {
		place := strings.TrimPrefix(c.Alarm.Place, "P1")
		fmt.Fprintf(&b, "%g %s%s ", c.At.Sub(noon).Minutes(), place, c.Alarm.Topic)
		switch c.What {
		case ToState:
			fmt.Fprintf(&b, "%s", c.Alarm.State)
		case Raised:
			fmt.Fprintf(&b, "raised to %s", c.Alarm.Level)
		default:
			b.WriteString(c.What)
		}
		if c.What == ToState && c.Alarm.State.Open() && c.Alarm.State != Recovering && c.From != Recovering {
			fmt.Fprintf(&b, " (%s)", c.Alarm.Level)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// steps says what a probe measures: pairs of minutes since noon and the value from then on.
func steps(pairs ...float64) func(time.Time) (float64, bool) {
	return func(t time.Time) (v float64, sends bool) {
		for i := 0; i < len(pairs); i += 2 {
			if t.Sub(noon).Minutes() >= pairs[i] {
				v = pairs[i+1]
			}
		}
		return v, v > -999
	}
}

const quiet = -1000 // a probe that sends nothing

// oxygen is a probe of a living pond: until noon what it says goes up and down by a little more than a fouled one's does.
func oxygen(says func(time.Time) (float64, bool)) feed {
	return feed{gateway: "gw1", sensor: "ao1-do", quantity: measure.DissolvedOxygen, says: lively(says)}
}

func lively(says func(time.Time) (float64, bool)) func(time.Time) (float64, bool) {
	return func(t time.Time) (float64, bool) {
		v, sends := says(t)
		if t.Before(noon) {
			v += 0.3 * math.Abs(math.Sin(2*math.Pi*t.Sub(noon).Hours()/24))
		}
		return v, sends
	}
}

// alive is another probe of the gateway, so that it is heard whatever the first does.
func alive(gateway string) feed {
	return feed{gateway: gateway, sensor: gateway + "-ec", quantity: measure.Conductivity, says: steps(-1e6, 400)}
}

func oxygenLimits() []farm.Limit {
	return []farm.Limit{
		{Quantity: measure.DissolvedOxygen, Level: farm.Warn, Value: 4, Clear: 4.5, HasClear: true, For: 10 * time.Minute, Keep: 15 * time.Minute, Source: farm.Text{VI: "TCVN 13952:2024"}},
		{Quantity: measure.DissolvedOxygen, Level: farm.Crit, Value: 3, Clear: 3.5, HasClear: true, For: 3 * time.Minute, Keep: 15 * time.Minute, Source: farm.Text{VI: "Quảng Thọ"}},
	}
}
