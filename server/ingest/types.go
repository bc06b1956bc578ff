package ingest

import (
	"context"
	"time"
)

// Reason says why a message was refused.
type Reason string

// The reasons of a refusal.
const (
	UnknownGateway Reason = "unknown-gateway" // nobody enrolled a gateway of that name
	RetiredGateway Reason = "retired-gateway" // it was taken out of service
	BadSignature   Reason = "bad-signature"   // not signed with the key the gateway was enrolled with, or altered since
	Malformed      Reason = "malformed"       // not in the form gateway/wire/FORMAT.md asks for
	TooLarge       Reason = "too-large"       // above the size of a batch
	Foreign        Reason = "foreign"         // one gateway's message on another's topic, or a try to publish there
	BrokenChain    Reason = "broken-chain"    // does not name the batch before it
	ReplayedSeq    Reason = "replayed-seq"    // a number that is stored already, with other bytes

	// Of sources that cannot sign.
	NoValue   Reason = "no-value"   // the device itself has none
	BadValue  Reason = "bad-value"  // no number, or of a unit that is none of the quantity
	BadTime   Reason = "bad-time"   // in the future, or too old
	SentTwice Reason = "sent-twice" // the same sensor, quantity and time came before
	TooFast   Reason = "too-fast"   // more messages than the source may send
)

// Reasons lists every reason.
func Reasons() []Reason {
	return []Reason{UnknownGateway, RetiredGateway, BadSignature, Malformed, TooLarge, Foreign, BrokenChain, ReplayedSeq, NoValue, BadValue, BadTime, SentTwice, TooFast}
}

// Refusal is one message that was refused.
type Refusal struct {
	Gateway  string // empty where no enrolled gateway can be held to it
	Reason   Reason
	Detail   string // for people; at most MaxDetail bytes
	Received time.Time
	Size     int64  // of the whole message, bytes
	Sample   []byte // its first bytes, at most MaxSample
}

// Bounds of what the quarantine keeps of one refusal.
const (
	MaxDetail = 200
	MaxSample = 512
)

// Count is how often a gateway's messages were refused for a reason.
type Count struct {
	Gateway     string
	Reason      Reason
	N           int64
	First, Last time.Time
}

// State is what a gateway said of itself, kept for the system page.
type State struct {
	Gateway string
	State   string    // online or offline
	Time    time.Time // when the server was told
}

// Enrolment is one gateway the server knows.
type Enrolment struct {
	Gateway   string
	VKey      string   // verifier key of its signatures
	SecretSHA [32]byte // SHA-256 of its MQTT password
	Enrolled  time.Time
	Retired   time.Time // zero while in service
	Kind      Kind
}

// Kind says what stands behind a name of the register. It never changes: what a name sent stays what it was.
type Kind string

// The kinds.
const (
	Device   Kind = ""       // a gateway that signs what it measured
	Intake   Kind = "intake" // devices that cannot sign: the server seals what it was told
	Imported Kind = "import" // files of other systems, likewise
)

// Unsigned reports whether the server itself seals what comes under the name: nobody can say who said it.
func (e Enrolment) Unsigned() bool { return e.Kind != Device }

// Notes is what the quarantine and the gateway states are written to. None of it is needed to keep a reading: it is
// written behind the log, a second late at most.
type Notes interface {
	// SaveRefusals adds counts to the counters and keeps samples, the newest of each gateway and reason.
	SaveRefusals(ctx context.Context, counts []Count, samples []Refusal) error
	SaveStates(ctx context.Context, states []State) error
}

// Enrolments is the register of gateways.
type Enrolments interface {
	// EnrolmentRevision changes whenever Enrolments would.
	EnrolmentRevision(ctx context.Context) (string, error)
	Enrolments(ctx context.Context) ([]Enrolment, error)
}
