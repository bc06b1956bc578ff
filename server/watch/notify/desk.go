package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aovuon/server/ledger"
)

// Desk is where people say who is told of alarms, and look at what was sent. It is safe for concurrent use.
type Desk struct {
	book     Book
	plans    Plans
	composer Composer
	channels []Channel
	now      func() time.Time
}

// NewDesk returns a Desk.
func NewDesk(book Book, plans Plans, composer Composer, channels []Channel, now func() time.Time) *Desk {
	return &Desk{book, plans, composer, channels, now}
}

// Channels returns the names of the channels that are set up, in the order in which they are offered.
func (d *Desk) Channels() []string { return names(d.channels) }

func names(list []Channel) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Name()
	}
	return out
}

// Contacts returns all contacts, in the order of the ladder.
func (d *Desk) Contacts(ctx context.Context) ([]Contact, error) { return d.book.Contacts(ctx) }

// Contact returns one contact; the error wraps ErrNoContact.
func (d *Desk) Contact(ctx context.Context, id string) (Contact, error) {
	return d.find(ctx, func(c Contact) bool { return c.ID == id })
}

// Own returns the contact of an account; the error wraps ErrNoContact.
func (d *Desk) Own(ctx context.Context, account string) (Contact, error) {
	return d.find(ctx, func(c Contact) bool { return c.Account == account && account != "" })
}

func (d *Desk) find(ctx context.Context, which func(Contact) bool) (Contact, error) {
	list, err := d.book.Contacts(ctx)
	if err != nil {
		return Contact{}, err
	}
	if i := slices.IndexFunc(list, which); i >= 0 {
		return list[i], nil
	}
	return Contact{}, ErrNoContact
}

// AddressError says that an address is none of its channel.
type AddressError struct {
	N       int // index in Addresses
	Address Address
	Err     error
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("notify: address %d (%s): %v", e.N+1, e.Address.Channel, e.Err)
}
func (e *AddressError) Unwrap() error { return e.Err }

// Save keeps a contact, its addresses in the one spelling of their channels, and returns it; without an id it is a new one. The error is an
// *AddressError, or wraps ErrContact or ErrNoContact.
func (d *Desk) Save(ctx context.Context, c Contact, by ledger.By) (Contact, error) {
	for i, a := range c.Addresses {
		j := slices.IndexFunc(d.channels, func(ch Channel) bool { return ch.Name() == a.Channel })
		if j < 0 {
			continue // of a channel that is not set up now: it stays, and is passed over
		}
		if ch, ok := d.channels[j].(Checker); ok {
			to, err := ch.CheckAddress(a.To)
			if err != nil {
				return c, &AddressError{i, a, err}
			}
			c.Addresses[i].To = to
		}
	}
	if c.ID == "" {
		var err error
		if c.ID, err = newID(d.now()); err != nil {
			return c, err
		}
	}
	return c, d.book.SaveContact(ctx, c, by)
}

// Remove removes a contact; the error wraps ErrNoContact.
func (d *Desk) Remove(ctx context.Context, id string, by ledger.By) error {
	return d.book.RemoveContact(ctx, id, by)
}

// Test has a test sent to every address of a contact, and returns the ids of the messages.
func (d *Desk) Test(ctx context.Context, id string, by ledger.By) ([]string, error) {
	return SendTest(ctx, d.book, d.composer, d.Channels(), id, by)
}

// Messages returns what was sent; see Book.
func (d *Desk) Messages(ctx context.Context, f Filter) ([]Record, error) {
	return d.book.Messages(ctx, f)
}

// Settings returns how the ladder is climbed.
func (d *Desk) Settings(ctx context.Context) (Settings, error) {
	s, err := d.plans.Planned(ctx)
	return s.Settings, err
}

// SaveSettings keeps how the ladder is climbed; the error wraps ErrContact.
func (d *Desk) SaveSettings(ctx context.Context, s Settings, by ledger.By) error {
	return d.book.SaveSettings(ctx, s, by)
}

// States lists the states of a message.
func States() []Delivery {
	return []Delivery{Waiting, Sending, Sent, Delivered, Failed, Expired, Merged}
}

// Kinds lists the kinds of messages.
func Kinds() []Kind { return []Kind{Opened, Raised, Reminder, Closed, Digest, Test, Bulletin} }

// Words lists the keys of the locales that messages and their pages ask for beside those written in them.
func Words() []string {
	var out []string
	for _, k := range Kinds() {
		out = append(out, "notify.kind."+string(k))
	}
	for _, s := range States() {
		out = append(out, "notify.state."+string(s))
	}
	for _, c := range []string{"mail", "webhook", "push", "sms", "zalo", "zalo_oa", "siren", "bulletin"} {
		out = append(out, "notify.channel."+c)
	}
	return out
}
