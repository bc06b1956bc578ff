package notify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"aovuon/server/ledger"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// How often what changes by itself is looked at. A change of an alarm is so told within Look of it.
const (
	Look      = time.Second
	sweepEach = 10 * time.Second
	// Lost is after how long an attempt that began and never ended is made again. Until then it may be under way in another server.
	Lost = SendLimit + 30*time.Second
	// mostChanges is how many changes one pass takes in.
	mostChanges = 500
)

// Options are what a Service is made of. All but Board, Wake and Alone must be set.
type Options struct {
	Alarms   Alarms
	Plans    Plans
	Outbox   Outbox
	Book     Book
	Composer Composer
	Channels []Channel
	Board    func(now time.Time) []rule.Decision // what the slow rules found; nil: the digest tells alarms alone
	Wake     <-chan struct{}                     // there are new changes; nil: they are looked for every Look
	// Alone: no other server sends from the same outbox, so what was being sent when this one starts was lost with the one before it.
	Alone bool
	Now   func() time.Time
	Log   *slog.Logger
}

// Service makes messages of changes of alarms, and sends them. It is safe for concurrent use.
type Service struct {
	o     Options
	names []string
	wake  map[string]chan struct{} // by channel: something may be there to send
}

// New returns a service; Run works.
func New(o Options) (*Service, error) {
	s := &Service{o: o, wake: map[string]chan struct{}{}}
	for _, c := range o.Channels {
		if slices.Contains(s.names, c.Name()) {
			return nil, fmt.Errorf("notify: two channels are called %q", c.Name())
		}
		s.names = append(s.names, c.Name())
		s.wake[c.Name()] = make(chan struct{}, 1)
	}
	return s, nil
}

// Run works until ctx ends. What does not answer is asked again: it never fails for good.
func (s *Service) Run(ctx context.Context) error {
	if s.o.Alone {
		s.sweep(ctx, s.o.Now())
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.planning(ctx) })
	g.Go(func() error { return s.sweeping(ctx) })
	for _, c := range s.o.Channels {
		g.Go(func() error { return s.sending(ctx, c) })
		if r, ok := c.(Receipts); ok {
			g.Go(func() error { return s.receiving(ctx, r) })
		}
	}
	return g.Wait()
}

// planning turns changes into messages.
func (s *Service) planning(ctx context.Context) error {
	tick := time.NewTicker(Look)
	defer tick.Stop()
	var looked time.Time // for a digest
	for {
		for {
			more, err := s.Pass(ctx)
			if err != nil && ctx.Err() == nil && !errors.Is(err, ErrMoved) {
				s.o.Log.Error("alarms are not told now", slog.Any("err", err))
			}
			if err != nil || !more {
				break
			}
		}
		if now := s.o.Now(); now.Sub(looked) >= sweepEach {
			if err := s.Daily(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, ErrMoved) {
				s.o.Log.Error("no digest", slog.Any("err", err))
			}
			looked = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.o.Wake:
		}
	}
}

// Pass takes in the changes there are, and the time that passed; more: there may be more of them.
func (s *Service) Pass(ctx context.Context) (more bool, err error) {
	now := s.o.Now().UTC().Truncate(time.Millisecond)
	v := view{now: now, channels: s.names}
	if v.Standing, err = s.o.Plans.Planned(ctx); err != nil {
		return false, err
	}
	if v.changes, err = s.o.Alarms.Changes(ctx, v.Cursor, mostChanges); err != nil {
		return false, fmt.Errorf("notify: changes: %w", err)
	}
	if len(v.changes) == 0 && !slices.ContainsFunc(v.Rungs, func(r Rung) bool { return !r.Due.IsZero() }) {
		return false, nil
	}
	if err := s.fill(ctx, &v); err != nil {
		return false, err
	}
	plan, letters := makePlan(v)
	if plan.From == plan.To && len(plan.Rungs)+len(plan.Off)+len(letters) == 0 {
		return false, nil
	}
	if err := s.write(ctx, v, &plan, letters); err != nil {
		return false, err
	}
	if err := s.o.Plans.Commit(ctx, plan); err != nil {
		return false, err
	}
	for _, m := range plan.Messages {
		s.nudge(m.Channel)
	}
	return len(v.changes) == mostChanges, nil
}

// fill reads what a plan is made from, beside the changes.
func (s *Service) fill(ctx context.Context, v *view) error {
	open, err := s.o.Alarms.Open(ctx)
	if err != nil {
		return fmt.Errorf("notify: open alarms: %w", err)
	}
	v.open = map[string]alarm.Alarm{}
	for _, a := range open {
		v.open[a.ID] = a
	}
	var ids []string
	for _, c := range v.changes {
		ids = append(ids, c.Alarm.ID)
	}
	for _, r := range v.Rungs {
		if !r.Due.IsZero() {
			ids = append(ids, r.Alarm)
		}
	}
	slices.Sort(ids)
	if v.messages, err = s.o.Plans.MessagesOf(ctx, slices.Compact(ids)); err != nil {
		return err
	}
	v.waiting, err = s.o.Plans.WaitingAlarms(ctx)
	return err
}

// write turns letters into messages.
func (s *Service) write(ctx context.Context, v view, plan *Plan, letters []letter) error {
	ids := map[string]string{} // of the message of a contact
	for _, l := range letters {
		told := l.told()
		m := Message{Kind: told[0].Kind, Alarm: told[0].ID, Contact: l.contact.ID, Level: told[0].Level, Lang: l.contact.Lang}
		urgent := false
		for _, t := range told {
			m.Items = append(m.Items, Item{t.ID, t.Kind, l.steps[t.ID]})
			m.Step = max(m.Step, l.steps[t.ID])
			urgent = urgent || Urgent(t.Alarm)
		}
		text, err := s.o.Composer.Compose(ctx, Draft{Kind: m.Kind, Lang: m.Lang, At: v.now, Alarms: told})
		if err != nil {
			return fmt.Errorf("notify: write to %s: %w", l.contact.ID, err)
		}
		if m, err = s.addressed(m, l.contact, text, !urgent, v.now, v.Settings); err != nil {
			return err
		}
		ids[l.contact.ID] = m.ID
		plan.Messages = append(plan.Messages, m)
	}
	for old, contact := range plan.Merged {
		plan.Merged[old] = ids[contact]
	}
	return nil
}

func (s *Service) addressed(m Message, c Contact, text Text, quiet bool, now time.Time, set Settings) (Message, error) {
	return addressed(s.names, m, c, text, quiet, now, set)
}

// addressed gives a message its text, its way and its time. Where no channel is there for any address it has failed already, and says so.
func addressed(channels []string, m Message, c Contact, text Text, quiet bool, now time.Time, set Settings) (Message, error) {
	id, err := newID(now)
	if err != nil {
		return m, err
	}
	m.ID, m.Subject, m.Text, m.Short, m.Link = id, text.Subject, text.Text, text.Short, text.Link
	m.Created, m.Next, m.State = now, now, Waiting
	if end := c.quietEnd(now); quiet && !end.IsZero() {
		m.Next = end
	}
	m.Expires = m.Next.Add(lifetime(m.Kind, m.Level, set))
	to, ok := c.route(channels, Address{})
	if !ok {
		m.State, m.Done, m.Next, m.Err = Failed, now, time.Time{}, NoChannel
		if len(c.Addresses) > 0 {
			m.Channel = c.Addresses[0].Channel
		}
		return m, nil
	}
	m.Channel, m.To = to.Channel, to.To
	return m, nil
}

func newID(at time.Time) (string, error) {
	id, err := ulid.New(ulid.Timestamp(at), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("notify: new id: %w", err)
	}
	return id.String(), nil
}

// nudge tells a channel that something may be there to send.
func (s *Service) nudge(channel string) {
	select {
	case s.wake[channel] <- struct{}{}:
	default: // it knows already, or there is no such channel
	}
}

// sweeping gives up what is late, takes back what was lost, and forgets what is old.
func (s *Service) sweeping(ctx context.Context) error {
	tick := time.NewTicker(sweepEach)
	defer tick.Stop()
	var swept time.Time
	for {
		now := s.o.Now()
		s.sweep(ctx, now.Add(-Lost))
		if now.Sub(swept) > 24*time.Hour {
			if st, err := s.o.Plans.Planned(ctx); err == nil {
				err = s.o.Outbox.Forget(ctx, now.AddDate(0, 0, -st.Settings.KeepDays))
				if err != nil && ctx.Err() == nil {
					s.o.Log.Error("old messages stay", slog.Any("err", err))
				}
				swept = now
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) sweep(ctx context.Context, begun time.Time) {
	expired, again, err := s.o.Outbox.Sweep(ctx, s.o.Now(), begun)
	if err != nil && ctx.Err() == nil {
		s.o.Log.Error("messages are not swept", slog.Any("err", err))
	}
	if expired > 0 {
		s.o.Log.Warn("messages could not be sent in their time", slog.Int("messages", expired))
	}
	if again > 0 {
		s.o.Log.Warn("messages are sent again: nobody knows what became of them", slog.Int("messages", again))
		for _, name := range s.names {
			s.nudge(name)
		}
	}
}

// Test has a message of no alarm sent to every address of a contact, whatever the hour, and returns their ids.
func (s *Service) Test(ctx context.Context, contact string, by ledger.By) ([]string, error) {
	return SendTest(ctx, s.o.Book, s.o.Composer, s.names, contact, by)
}
