package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aovuon/server/ledger"
)

// sending sends what a channel has to send, one message after the other.
func (s *Service) sending(ctx context.Context, c Channel) error {
	tick := time.NewTicker(Look)
	defer tick.Stop()
	for {
		for ctx.Err() == nil {
			sent, err := s.SendOne(ctx, c)
			if err != nil && ctx.Err() == nil {
				s.o.Log.Error("messages wait", slog.String("channel", c.Name()), slog.Any("err", err))
			}
			if err != nil || !sent {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.wake[c.Name()]:
		}
	}
}

// SendOne makes one attempt; false: the channel has nothing to send. The error is the outbox's: what the channel says is kept there.
func (s *Service) SendOne(ctx context.Context, c Channel) (bool, error) {
	m, ok, err := s.o.Outbox.Take(ctx, c.Name(), s.o.Now())
	if err != nil || !ok {
		return false, err
	}
	limited, cancel := context.WithTimeout(ctx, SendLimit)
	ref, err := c.Send(limited, m)
	cancel()
	if ctx.Err() != nil && err != nil { // told to stop: it is sent again by the next start
		return false, nil
	}
	// What the provider took is kept although the program is told to stop: it would be sent twice.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), SendLimit)
	defer cancel()
	now := s.o.Now()
	if err == nil {
		m.State, m.Done, m.Ref, m.Err, m.Next = Sent, now, ref, "", time.Time{}
		return true, s.o.Outbox.Settle(keep, m, nil)
	}
	s.o.Log.Warn("a message was not taken", slog.String("channel", c.Name()), slog.String("message", m.ID), slog.String("contact", m.Contact), slog.Int("attempt", m.Attempts), slog.Any("err", err))
	return true, s.fail(keep, m, err, now)
}

// fail keeps that an attempt failed, and turns to the contact's next address where this one is given up.
func (s *Service) fail(ctx context.Context, m Message, cause error, now time.Time) error {
	c, to, other, err := s.next(ctx, m)
	if err != nil {
		return err
	}
	m = failed(m, cause, other, now)
	var instead *Message
	if m.State == Failed && other {
		id, err := newID(now)
		if err != nil {
			return err
		}
		n := standIn(m, id, to, now)
		instead = &n
	}
	if err := s.o.Outbox.Settle(ctx, m, instead); err != nil {
		return err
	}
	if instead != nil {
		s.nudge(instead.Channel)
	}
	if errors.Is(cause, ErrGone) {
		return s.forgetAddress(ctx, c, Address{m.Channel, m.To}, now)
	}
	return nil
}

// next returns who a message is for as they are now, and where else they are reached.
func (s *Service) next(ctx context.Context, m Message) (Contact, Address, bool, error) {
	list, err := s.o.Book.Contacts(ctx)
	if err != nil {
		return Contact{}, Address{}, false, err
	}
	for _, c := range list {
		if c.ID == m.Contact {
			to, ok := c.route(s.names, Address{m.Channel, m.To})
			return c, to, ok && !c.Disabled && m.Kind != Test, nil
		}
	}
	return Contact{}, Address{}, false, nil
}

// forgetAddress takes an address off a contact that its provider says is no more.
func (s *Service) forgetAddress(ctx context.Context, c Contact, gone Address, now time.Time) error {
	var left []Address
	for _, a := range c.Addresses {
		if a != gone {
			left = append(left, a)
		}
	}
	if len(left) == len(c.Addresses) {
		return nil
	}
	c.Addresses = left
	s.o.Log.Warn("an address is no more and was taken off", slog.String("contact", c.ID), slog.String("channel", gone.Channel))
	if err := s.o.Book.SaveContact(ctx, c, ledger.By{Actor: ledger.Server, At: now}); err != nil {
		return fmt.Errorf("notify: take an address off: %w", err)
	}
	return nil
}

// receiving keeps what a provider reports of messages that it took.
func (s *Service) receiving(ctx context.Context, r Receipts) error {
	for ctx.Err() == nil {
		err := r.Receipts(ctx, func(x Receipt) {
			if err := s.Received(ctx, r.Name(), x); err != nil {
				s.o.Log.Error("a receipt was not kept", slog.String("channel", r.Name()), slog.String("ref", x.Ref), slog.Any("err", err))
			}
		})
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop
		}
		s.o.Log.Warn("no receipts now", slog.String("channel", r.Name()), slog.Any("err", err))
		t := time.NewTimer(10 * time.Second)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

// Received keeps one report. What did not arrive goes the contact's next way.
func (s *Service) Received(ctx context.Context, channel string, x Receipt) error {
	m, ok, err := s.o.Outbox.ByRef(ctx, channel, x.Ref)
	if err != nil || !ok || m.State != Sent {
		return err // of a message that is not ours, or that is known about already
	}
	if x.Delivered {
		m.State = Delivered
		if !x.At.IsZero() {
			m.Done = x.At.UTC().Truncate(time.Millisecond)
		}
		return s.o.Outbox.Settle(ctx, m, nil)
	}
	why := x.Err
	if why == "" {
		why = "the provider says that it did not arrive"
	}
	return s.fail(ctx, m, fmt.Errorf("%s: %w", why, ErrPermanent), s.o.Now())
}
