package notify

import (
	"context"
	"errors"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// Alarms is what is read of alarms; alarm.Desk is one.
type Alarms interface {
	// Changes returns the changes after one, in their order; at most limit.
	Changes(ctx context.Context, after int64, limit int) ([]alarm.Change, error)
	// Open returns the alarms that have not ended, those nobody is told of (pending) with them or not.
	Open(ctx context.Context) ([]alarm.Alarm, error)
}

// Composer writes what a message says.
type Composer interface {
	Compose(ctx context.Context, d Draft) (Text, error)
}

// Draft is what a message is about, as data.
type Draft struct {
	Kind    Kind
	Lang    string
	At      time.Time
	Alarms  []Told          // the gravest first
	Notices []rule.Decision // of a digest: what is worth knowing, beside alarms
	Since   time.Time       // of a digest: what happened since
	Contact string          // of a test: the name of who is told
}

// Told is one alarm in a message, and why it is in it.
type Told struct {
	alarm.Alarm
	Kind Kind
}

// Text is what a message says.
type Text struct {
	Subject string // one line
	Text    string
	Short   string // GSM 7-bit, at most 160 characters
	Link    string
}

// Cursors of the changes of alarms.
const (
	CursorLadder = "notify"
	CursorDigest = "notify-digest"
)

// Plans keeps where the messages to be made stand.
type Plans interface {
	// Planned returns where it stands: cursor, rungs, contacts, settings.
	Planned(ctx context.Context) (Standing, error)
	// MessagesOf returns the messages that speak of any of some alarms, the oldest first.
	MessagesOf(ctx context.Context, alarms []string) ([]Message, error)
	// WaitingAlarms returns the messages of alarms that wait, to whomever.
	WaitingAlarms(ctx context.Context) ([]Message, error)
	// Commit keeps a plan, all of it in one transaction. The error wraps ErrMoved, and nothing is kept, where the cursor is not From any more, or a
	// rung is not what it Was.
	Commit(ctx context.Context, p Plan) error
}

// ErrMoved says that another server has moved the cursor meanwhile.
var ErrMoved = errors.New("notify: another server was quicker: nothing was written")

// ErrNoContact says that there is no contact of that id.
var ErrNoContact = errors.New("notify: no such contact")

// ErrContact is wrapped by the errors of what was written of a contact.
var ErrContact = errors.New("notify: not a contact's data")

// Standing is where it stands between two passes.
type Standing struct {
	Cursor, Digest int64 // numbers of changes
	Rungs          []Rung
	Contacts       []Contact // those that are disabled, or never agreed, too
	Settings       Settings
	LastDigest     time.Time // zero: there was none
}

// Rung is where an open alarm stands on the ladder.
type Rung struct {
	Alarm string
	Step  int       // that was told last
	Round int       // how often this step was told: 1, 2 …
	Told  time.Time // when
	Due   time.Time // when somebody is told again; zero: nobody is, until something changes
	Was   time.Time // of a plan: Due as it was when the plan was begun
}

// Plan is what is done about some changes.
type Plan struct {
	At       time.Time
	Cursor   string // its name
	From, To int64
	Messages []Message
	Merged   map[string]string // id of a waiting message → of the new one that takes over what it says
	Drop     []string          // ids of waiting messages that need not be sent any more
	Rungs    []Rung            // as they are now
	Off      []string          // alarms that are off the ladder
	Digest   time.Time         // of a digest: when it was made
}

// Moot is the Err of a message that was not sent because there was nothing to say any more: the alarm was over, answered, or under maintenance.
const Moot = "over before it was sent"

// NoChannel is the Err of a message that no channel is there for.
const NoChannel = "no channel is set up for any address of this contact"

// Outbox keeps messages on their way.
type Outbox interface {
	// Take marks the most urgent message that a channel has to send at now as Sending, an attempt more, and returns it; false: there is none.
	Take(ctx context.Context, channel string, now time.Time) (Message, bool, error)
	// Settle keeps what came of an attempt, or of a receipt: m as it stands after it, and the one that stands in for it (nil: none).
	Settle(ctx context.Context, m Message, next *Message) error
	// Sweep gives up what waits beyond its time at now, and takes back what has been Sending since before a time: nobody knows what became of it.
	Sweep(ctx context.Context, now, begun time.Time) (expired, again int, err error)
	// ByRef returns the newest message that a channel's provider knows by a reference; false: there is none.
	ByRef(ctx context.Context, channel, ref string) (Message, bool, error)
	// Forget removes messages that were done before a time.
	Forget(ctx context.Context, before time.Time) error
}

// Book keeps contacts and how the ladder is climbed. Each change is one transaction with its leaf of the ledger.
type Book interface {
	Contacts(ctx context.Context) ([]Contact, error)
	// SaveContact adds a contact, or changes it. Those that are the account's own are at most one.
	SaveContact(ctx context.Context, c Contact, by ledger.By) error
	// RemoveContact removes a contact and all that says who it was; the error wraps ErrNoContact.
	RemoveContact(ctx context.Context, id string, by ledger.By) error
	SaveSettings(ctx context.Context, s Settings, by ledger.By) error
	Log
}

// Log keeps what was sent.
type Log interface {
	// AddMessages keeps messages that no alarm asked for: tests, bulletins.
	AddMessages(ctx context.Context, list []Message) error
	// Messages returns those that a filter asks for, the newest first, with their attempts.
	Messages(ctx context.Context, f Filter) ([]Record, error)
}

// Filter asks for messages; the zero one for all.
type Filter struct {
	State, Channel, Contact, Alarm string
	Kind                           Kind
	Before                         string // id of a message: those that are older
	Limit                          int
	ID                             string // that one alone
}

// Record is a message with all that was tried.
type Record struct {
	Message
	Tries []Attempt
}

// Attempt is one try to send a message.
type Attempt struct {
	N     int
	Begun time.Time
	Ended time.Time // zero: the program ended while it was tried
	State Delivery  // that the message came to
	Err   string
}
