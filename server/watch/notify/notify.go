// Package notify tells people of alarms: who, by which channel, when again, and until somebody answers.
//
// Changes of alarms come in, in their order and after a cursor; messages go out to a Store in the transaction that moves the cursor, and
// from there, each with its attempts and its outcome, to a Channel. README.md has the ladder, the quiet hours and what "at least once"
// means here. No SQL, no HTTP: channels live in server/channel.
package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aovuon/server/watch/rule"
)

// Kind is why a message is sent.
type Kind string

// The kinds.
const (
	Opened   Kind = "opened"
	Raised   Kind = "raised"   // an open alarm has become graver
	Reminder Kind = "reminder" // nobody has acknowledged it
	Closed   Kind = "closed"
	Digest   Kind = "digest" // what was warned of during a day
	Test     Kind = "test"   // somebody pressed the button
	Bulletin Kind = "bulletin"
)

// Message is one text to one person by one channel. What it says is fixed when it is made.
type Message struct {
	ID      string // ULID; the same for every attempt: channels that can, have it suppress a second delivery
	Kind    Kind   // of several items the one that asks most: opened, raised, reminder, closed
	Alarm   string // ID of the gravest of Items; empty of a digest, a test, a bulletin
	Step    int    // of the ladder
	Items   []Item // what it speaks of: one alarm, or in a storm many
	Contact string // id
	Channel string // Name of a Channel
	To      string // address in the channel's form: number +84…, mail address, endpoint
	Level   rule.Verdict
	Lang    string
	Subject string // one line
	Text    string // whole text
	Short   string // without diacritics, GSM 7-bit, at most 160 characters
	Link    string // address of the page; may be empty

	Created  time.Time
	Expires  time.Time // not sent after it; zero: never
	State    Delivery
	Attempts int
	Next     time.Time // when it is tried next
	Tried    time.Time // when the last attempt began
	Done     time.Time // when it was sent, or given up
	Ref      string    // the provider's id of it
	Err      string    // why the last attempt failed; safe to show to staff, without secrets
	After    string    // ID of the message that failed, for which this one stands in
}

// Item is one alarm that a message speaks of.
type Item struct {
	Alarm string // ID
	Kind  Kind   // Opened, Raised, Reminder or Closed
	Step  int    // of the ladder
}

// Delivery is where a message stands.
type Delivery string

// The states of a message.
const (
	Waiting   Delivery = "waiting"
	Sending   Delivery = "sending"   // an attempt has begun; after a crash nobody knows, and it is sent again: the at-least-once window
	Sent      Delivery = "sent"      // the provider took it
	Delivered Delivery = "delivered" // the provider says that it arrived
	Failed    Delivery = "failed"    // for good: the next channel is tried
	Expired   Delivery = "expired"   // its time ran out before it could be sent
	Merged    Delivery = "merged"    // it had not been sent when a newer one to the same person took over what it says; Ref is the ID of that
)

// Channel sends messages. Send is called by one goroutine at a time for each channel.
type Channel interface {
	Name() string // mail, push, sms, zalo, …
	// Send returns the provider's id of the message. The error wraps ErrPermanent where trying again is of no use (the address does not
	// exist, the number is barred, the subscription is gone), or is a *RetryError.
	Send(ctx context.Context, m Message) (ref string, err error)
}

// Receipts is a Channel that is told what became of its messages.
type Receipts interface {
	Channel
	// Receipts calls f for every report until ctx ends.
	Receipts(ctx context.Context, f func(Receipt)) error
}

// Checker is a Channel that tells an address from what is none before anything is sent.
type Checker interface {
	Channel
	// CheckAddress returns the one spelling of an address as somebody wrote it. Its error says what is wrong and how to mend it.
	CheckAddress(to string) (string, error)
}

// Receipt is what a provider says of a message it took.
type Receipt struct {
	Ref       string
	Delivered bool
	At        time.Time
	Err       string // why not
}

// ErrPermanent is a message that this channel will never deliver.
var ErrPermanent = errors.New("notify: cannot be delivered")

// ErrGone wraps ErrPermanent: the address itself is no more (a push subscription that ended) and is taken off the contact.
var ErrGone = fmt.Errorf("%w: the address is no more", ErrPermanent)

// RetryError asks for patience: a provider said when.
type RetryError struct {
	After time.Duration
	Err   error
}

func (e *RetryError) Error() string { return "try again in " + e.After.String() + ": " + e.Err.Error() }
func (e *RetryError) Unwrap() error { return e.Err }

// Address is where a contact is reached.
type Address struct {
	Channel string `json:"channel"` // Name of a Channel
	To      string `json:"to"`
}

// Contact is somebody who is told of alarms.
type Contact struct {
	ID        string       `json:"id"` // ULID
	Name      string       `json:"name"`
	Account   string       `json:"account,omitempty"`   // id of the account, whose acknowledgements count; empty: reached from outside only
	Lang      string       `json:"lang"`                // vi, en
	Addresses []Address    `json:"addresses,omitempty"` // in the order they are tried
	Places    []string     `json:"places,omitempty"`    // codes; empty: all
	Step      int          `json:"step"`                // of the ladder: 0 is told first, 1 when nobody answered …
	Level     rule.Verdict `json:"level"`               // from which on: Warn, or Crit
	QuietFrom int          `json:"quiet_from"`          // minutes of the day, local; equal to QuietTo: none. Never of what is critical of oxygen
	QuietTo   int          `json:"quiet_to"`            //
	Digest    bool         `json:"digest,omitempty"`
	Disabled  bool         `json:"disabled,omitempty"`
	// Agreed is when the person said that they may be told this way, by themselves or to AgreedBy. Nothing but a test goes to who never did.
	Agreed   time.Time `json:"agreed,omitzero"`
	AgreedBy string    `json:"agreed_by,omitempty"` // id of the account that wrote it down
}
