package notify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// digestDue returns the newest time at or before now at which a digest is made.
func digestDue(now time.Time, minute int) time.Time {
	local := now.In(farm.Time())
	at := time.Date(local.Year(), local.Month(), local.Day(), 0, minute, 0, 0, farm.Time())
	if at.After(local) {
		at = at.AddDate(0, 0, -1)
	}
	return at.UTC()
}

// Daily tells once a day what was warned of, to those who want that, and that nothing was, where nothing was: who hears nothing at all knows
// that something is broken.
func (s *Service) Daily(ctx context.Context) error {
	now := s.o.Now().UTC().Truncate(time.Millisecond)
	st, err := s.o.Plans.Planned(ctx)
	if err != nil {
		return err
	}
	due := digestDue(now, st.Settings.DigestAt)
	if !st.LastDigest.Before(due) {
		return nil
	}
	plan := Plan{At: now, Cursor: CursorDigest, From: st.Digest, To: st.Digest, Digest: now}
	first := st.LastDigest.IsZero()
	since := st.LastDigest
	if first {
		since = now.Add(-24 * time.Hour)
	}
	told, err := s.happened(ctx, &plan)
	if err != nil {
		return err
	}
	if now.Sub(due) < 6*time.Hour && !first { // a server that was off all day, or is new, tells it tomorrow
		if err := s.digests(ctx, st, &plan, told, since, now); err != nil {
			return err
		}
	}
	if err := s.o.Plans.Commit(ctx, plan); err != nil {
		return err
	}
	for _, m := range plan.Messages {
		s.nudge(m.Channel)
	}
	return nil
}

// happened returns the alarms that people were told of since the last digest, as they stand after it, the gravest first.
func (s *Service) happened(ctx context.Context, plan *Plan) ([]Told, error) {
	all := map[string]Told{}
	for {
		list, err := s.o.Alarms.Changes(ctx, plan.To, mostChanges)
		if err != nil {
			return nil, fmt.Errorf("notify: changes: %w", err)
		}
		for _, c := range list {
			plan.To = c.N
			if !c.Alarm.Fired.IsZero() {
				kind := Opened
				if c.Alarm.State == alarm.Normal {
					kind = Closed
				}
				all[c.Alarm.ID] = Told{c.Alarm, kind}
			}
		}
		if len(list) < mostChanges {
			break
		}
	}
	open, err := s.o.Alarms.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("notify: open alarms: %w", err)
	}
	for _, a := range open {
		if a.State.Open() {
			all[a.ID] = Told{a, Opened}
		}
	}
	out := make([]Told, 0, len(all))
	for _, t := range all {
		out = append(out, t)
	}
	slices.SortFunc(out, func(x, y Told) int {
		return cmp.Or(rankOf(y)-rankOf(x), x.Began.Compare(y.Began), cmp.Compare(x.ID, y.ID))
	})
	return out, nil
}

func (s *Service) digests(ctx context.Context, st Standing, plan *Plan, told []Told, since, now time.Time) error {
	var notices []rule.Decision
	if s.o.Board != nil {
		for _, d := range s.o.Board(now) {
			if d.Verdict == rule.Notice {
				notices = append(notices, d)
			}
		}
	}
	for _, c := range st.Contacts {
		if !c.Digest || !c.Reached() {
			continue
		}
		d := Draft{Kind: Digest, Lang: c.Lang, At: now, Since: since}
		m := Message{Kind: Digest, Contact: c.ID, Level: rule.Notice, Lang: c.Lang}
		for _, t := range told {
			if mine := c; everywhere(t.Alarm) || mine.sees(t.Place) {
				d.Alarms = append(d.Alarms, t)
			}
		}
		for _, n := range notices {
			if c.sees(n.Place) {
				d.Notices = append(d.Notices, n)
			}
		}
		text, err := s.o.Composer.Compose(ctx, d)
		if err != nil {
			return fmt.Errorf("notify: digest for %s: %w", c.ID, err)
		}
		if m, err = s.addressed(m, c, text, true, now, st.Settings); err != nil {
			return err
		}
		plan.Messages = append(plan.Messages, m)
	}
	return nil
}

// sees reports whether a place is one that a contact looks after.
func (c Contact) sees(place string) bool {
	return len(c.Places) == 0 || slices.Contains(c.Places, place)
}

// SendTest has a test sent to every address of a contact that a channel is there for, and returns the ids of the messages. Those of other
// addresses are kept as failed, with why.
func SendTest(ctx context.Context, book Book, composer Composer, channels []string, contact string, by ledger.By) ([]string, error) {
	list, err := book.Contacts(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(c Contact) bool { return c.ID == contact })
	if i < 0 {
		return nil, ErrNoContact
	}
	c, now := list[i], by.At.UTC().Truncate(time.Millisecond)
	text, err := composer.Compose(ctx, Draft{Kind: Test, Lang: c.Lang, At: now, Contact: c.Name})
	if err != nil {
		return nil, fmt.Errorf("notify: test: %w", err)
	}
	var out []Message
	var ids []string
	for _, a := range c.Addresses {
		alone := c
		alone.Addresses = []Address{a}
		m, err := addressed(channels, Message{Kind: Test, Contact: c.ID, Level: rule.Notice, Lang: c.Lang}, alone, text, false, now, DefaultSettings())
		if err != nil {
			return nil, err
		}
		out, ids = append(out, m), append(ids, m.ID)
	}
	return ids, book.AddMessages(ctx, out)
}
