package homeassistant

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch"
)

// Live are the newest values; watch.Live is one.
type Live interface {
	Snapshot() []watch.Value
	Subscribe(ctx context.Context) <-chan []watch.Value
}

// Service keeps what is retained true.
type Service struct {
	Options
	Farm   func(ctx context.Context) (*farm.Farm, error)
	Live   Live
	Filled func() bool // whether Live has what was measured before the start: nothing is taken away before
	File   string      // remembers which topics were used, so that they can be taken away
	Remove bool        // take everything away, and say nothing
	Now    func() time.Time
	Every  time.Duration // how often the farm is looked at, and what has become stale; 0: a minute
	Log    *slog.Logger
}

// Publish sends a retained message and waits until the broker has it.
type Publish func(m Message) error

// session is what is known of one connection.
type session struct {
	*Service
	publish   Publish
	farm      *farm.Farm
	described map[history.Series]string      // what was said of a series
	newest    map[history.Series]watch.Value // what was said last
	stale     map[history.Series]bool        // that it was said as stale
	topics    []string                       // in use, as the file has them
}

// Run says everything, and then what changes, until ctx ends or a message cannot be sent: then it is to be run again on a new connection.
func (s *Service) Run(ctx context.Context, publish Publish) error {
	x := &session{Service: s, publish: publish, described: map[history.Series]string{}, newest: map[history.Series]watch.Value{}, stale: map[history.Series]bool{}}
	var err error
	if x.topics, err = s.read(); err != nil {
		return err
	}
	if s.Remove {
		return x.removeAll(ctx)
	}
	changes := s.Live.Subscribe(ctx)
	if err := x.look(ctx, s.Live.Snapshot()); err != nil {
		return err
	}
	if err := publish(Message{StatusTopic, []byte(Online)}); err != nil {
		return err
	}
	every := s.Every
	if every == 0 {
		every = time.Minute
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return publish(Message{StatusTopic, []byte(Offline)})
		case values, ok := <-changes:
			if !ok {
				return publish(Message{StatusTopic, []byte(Offline)})
			}
			err = x.say(values)
		case <-tick.C:
			err = x.look(ctx, s.Live.Snapshot())
		}
		if err != nil {
			return err
		}
	}
}

// look takes the farm as it is, describes what is not described so, takes away what is gone, and says what is new or stale.
func (x *session) look(ctx context.Context, values []watch.Value) (err error) {
	if x.farm, err = x.Farm(ctx); err != nil {
		return err
	}
	// Known ones first: whoever is interrupted from here on still knows what to take away.
	wanted := map[string]bool{}
	for _, v := range values {
		for _, t := range x.Topics(v.Series) {
			wanted[t] = true
		}
	}
	used := maps.Clone(wanted)
	for _, t := range x.topics {
		used[t] = true
	}
	if err := x.remember(slices.Sorted(maps.Keys(used))); err != nil {
		return err
	}
	if err := x.say(values); err != nil || !x.Filled() {
		return err
	}
	x.mounted(wanted)
	for _, t := range x.topics {
		if !wanted[t] {
			if err := x.publish(Message{Topic: t}); err != nil {
				return err
			}
			delete(used, t)
		}
	}
	maps.DeleteFunc(x.described, func(s history.Series, _ string) bool { return !wanted[stateTopic(s)] })
	return x.remember(slices.Sorted(maps.Keys(used)))
}

// mounted wants what a probe measures that hangs somewhere now, even where nobody has heard of it for long: what people have set up for it in Home
// Assistant must not go because a battery is empty.
func (x *session) mounted(wanted map[string]bool) {
	now := x.Now()
	for _, m := range x.farm.Mounts {
		if !m.Holds(now) {
			continue
		}
		for _, q := range m.Measures {
			for _, t := range x.Topics(history.Series{Place: m.Place, Quantity: q, Gateway: m.Gateway, Sensor: m.Sensor}) {
				wanted[t] = true
			}
		}
	}
}

// say says values, after what they are of.
func (x *session) say(values []watch.Value) error {
	now := x.Now()
	for _, v := range values {
		d, err := x.Describe(x.farm, v.Series)
		if err != nil {
			return err
		}
		if x.described[v.Series] != string(d.Payload) {
			if !slices.Contains(x.topics, d.Topic) { // new since the last look
				if err := x.remember(append(slices.Clone(x.topics), x.Topics(v.Series)...)); err != nil {
					return err
				}
			}
			if err := x.publish(d); err != nil {
				return err
			}
			x.described[v.Series] = string(d.Payload)
		}
		stale := IsStale(v, now)
		if said, ok := x.newest[v.Series]; ok && said == v && x.stale[v.Series] == stale {
			continue
		}
		m, err := State(x.farm, v, now)
		if err != nil {
			return err
		}
		if err := x.publish(m); err != nil {
			return err
		}
		x.newest[v.Series], x.stale[v.Series] = v, stale
	}
	return nil
}

// removeAll takes everything away and waits for the end.
func (x *session) removeAll(ctx context.Context) error {
	for _, t := range append(slices.Clone(x.topics), StatusTopic) {
		if err := x.publish(Message{Topic: t}); err != nil {
			return err
		}
	}
	if len(x.topics) > 0 {
		x.Log.Info("taken away from Home Assistant", slog.Int("topics", len(x.topics)))
	}
	if err := x.remember(nil); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (s *Service) read() (topics []string, err error) {
	raw, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &topics)
	}
	if err != nil {
		return nil, fmt.Errorf("homeassistant: %s: %w: remove it; what was published before then stays until the broker forgets it", s.File, err)
	}
	return topics, nil
}

// remember writes down which topics are in use, before they are.
func (x *session) remember(topics []string) error {
	if slices.Equal(topics, x.topics) {
		return nil
	}
	raw, err := json.Marshal(topics)
	if err != nil {
		return fmt.Errorf("homeassistant: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(x.File), ".homeassistant-*")
	if err != nil {
		return fmt.Errorf("homeassistant: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), x.File)
	}
	if err != nil {
		return fmt.Errorf("homeassistant: %w", errors.Join(err, os.Remove(f.Name())))
	}
	x.topics = topics
	return nil
}
