// Package siren sounds the sirens of gateways: it asks for a desired setting that says until when, and the gateway's own answer says whether it
// sounds. Messages come in, whose To is a gateway; settings are asked for through a port. What a gateway makes of it stands in gateway/edge: it
// ends by itself, its own alarms go on, and what comes late is not heard.
package siren

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/desired"
	"aovuon/server/watch/notify"
)

// Name is the channel's.
const Name = "siren"

// Path is the setting.
const Path = "siren.until"

// Longest is what a gateway takes at most (gateway/edge).
const Longest = 30 * time.Minute

// Trial is how long a trial sounds.
const Trial = 10 * time.Second

// Gateways are asked, and what they answered.
type Gateways interface {
	// Sound asks that a gateway's sirens sound until a time, and returns the version of its settings that says so. The error wraps
	// notify.ErrPermanent where that gateway cannot be asked.
	Sound(ctx context.Context, gateway string, until time.Time) (version uint64, err error)
	// Answer returns what a gateway reported last.
	Answer(ctx context.Context, gateway string) (desired.Report, error)
}

// Options are the settings of New.
type Options struct {
	Gateways Gateways
	Length   time.Duration // of one message; 0: 5 min
	Look     time.Duration // how often answers are looked for; 0: 2 s
	Now      func() time.Time
}

// Channel sounds sirens.
type Channel struct {
	o Options

	mu      sync.Mutex
	pending []asked
}

// asked is a version that was not answered yet.
type asked struct {
	ref, gateway string
	version      uint64
	until        time.Time
}

// New returns the channel.
func New(o Options) *Channel {
	if o.Length == 0 {
		o.Length = 5 * time.Minute
	}
	if o.Look == 0 {
		o.Look = 2 * time.Second
	}
	return &Channel{o: o}
}

// Name is "siren".
func (c *Channel) Name() string { return Name }

// CheckAddress takes the name of a gateway.
func (c *Channel) CheckAddress(to string) (string, error) {
	to = strings.ToLower(strings.TrimSpace(to))
	if !wire.ValidGatewayID(to) {
		return "", fmt.Errorf("siren: %q is no name of a gateway: write one such as gw-ao", to)
	}
	return to, nil
}

// Send has the sirens of a gateway sound. Its reference is the gateway and the version of its settings. Good news and what is to be read are not
// sounded; a siren that sounds falls silent by itself, since another alarm may need it.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := c.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	length := c.o.Length
	switch m.Kind {
	case notify.Closed:
		return "", nil
	case notify.Digest, notify.Bulletin:
		return "", fmt.Errorf("%w: siren: this is to be read, not sounded", notify.ErrPermanent)
	case notify.Test:
		length = Trial
	case notify.Opened, notify.Raised, notify.Reminder:
	}
	until := c.o.Now().Add(length).UTC().Truncate(time.Second)
	version, err := c.o.Gateways.Sound(ctx, to, until)
	if err != nil {
		return "", fmt.Errorf("siren: %w", err)
	}
	a := asked{to + "/" + strconv.FormatUint(version, 10), to, version, until}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.ContainsFunc(c.pending, func(p asked) bool { return p.ref == a.ref }) {
		c.pending = append(c.pending, a)
	}
	return a.ref, nil
}

// Receipts calls f for what gateways answered. One that says nothing until the time is over did not sound, as far as anybody knows.
func (c *Channel) Receipts(ctx context.Context, f func(notify.Receipt)) error {
	t := time.NewTicker(c.o.Look)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			c.look(ctx, f)
		}
	}
}

// look settles what was answered.
func (c *Channel) look(ctx context.Context, f func(notify.Receipt)) {
	c.mu.Lock()
	list := slices.Clone(c.pending)
	c.mu.Unlock()
	for _, a := range list {
		r, err := c.o.Gateways.Answer(ctx, a.gateway)
		if err != nil {
			continue // the database says so elsewhere; a is looked for again
		}
		receipt, ok := a.settle(r, c.o.Now())
		if !ok {
			continue
		}
		c.mu.Lock()
		c.pending = slices.DeleteFunc(c.pending, func(p asked) bool { return p.ref == a.ref })
		c.mu.Unlock()
		f(receipt)
	}
}

// errSilent is a gateway that said nothing.
var errSilent = errors.New("the gateway did not answer in time: is it on, has it a link?")

// settle reads a report; false: it does not speak of a yet.
func (a asked) settle(r desired.Report, now time.Time) (notify.Receipt, bool) {
	out := notify.Receipt{Ref: a.ref, At: now}
	switch {
	case r.State == "" || r.Version < a.version:
		if now.Before(a.until) {
			return out, false
		}
		out.Err = errSilent.Error()
	case r.Version == a.version && r.State != wire.SettingsApplied:
		out.Err = "the gateway refused: " + r.Why
	case slices.Contains(r.Kept, Path):
		out.Err = "the gateway's own file says " + Path + ", and that stands"
	case r.Version > a.version && string(r.Settings[Path]) != strconv.Quote(a.until.Format(time.RFC3339)):
		out.Err = "the gateway's settings were changed again before it answered: nobody knows whether it sounded"
	default:
		out.Delivered = true
	}
	return out, true
}
