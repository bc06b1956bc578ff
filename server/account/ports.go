package account

import (
	"context"
	"log/slog"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/passkey"
)

// People keeps accounts. Every change is one transaction with its leaf of the ledger.
type People interface {
	Accounts(ctx context.Context) ([]Account, error)
	// AccountOf returns an account by its id or its login; the error wraps ErrNone.
	AccountOf(ctx context.Context, id string) (Account, error)
	AccountByLogin(ctx context.Context, login string) (Account, error)
	// AddAccount adds an account; the error wraps ErrTaken, or ErrLink where spend (the hash of a link; nil: none) cannot be used at By.At.
	AddAccount(ctx context.Context, a Account, spend []byte, by ledger.By) error
	// ChangeAccount applies c. Sessions, cards' and others, end where a password, a role, places or being enabled changed.
	ChangeAccount(ctx context.Context, c Change) (Account, error)
}

// Change is one change of an account.
type Change struct {
	ID    string
	What  string // in the ledger: role, disabled, password, …
	By    ledger.By
	Spend []byte // the hash of a one-time link that is used up by it; nil: none
	Apply func(*Account) error
}

// Factors keeps what is asked for beside a password.
type Factors interface {
	// SaveSecret turns one-time codes on (or off, with a nil secret). Recovery codes are replaced by those given (nil: they stay), and go with
	// the last factor.
	SaveSecret(ctx context.Context, id string, secret []byte, step int64, recovery [][]byte, by ledger.By) error
	// SpendStep marks the code of a step as used; false: it, or a later one, was used before.
	SpendStep(ctx context.Context, id string, step int64) (bool, error)
	// SpendRecovery uses a recovery code up; false: there is none of that hash, or it is used.
	SpendRecovery(ctx context.Context, id string, hash []byte, by ledger.By) (bool, error)
	RecoveryLeft(ctx context.Context, id string) (int, error)
	// SaveRecovery replaces the recovery codes.
	SaveRecovery(ctx context.Context, id string, recovery [][]byte, by ledger.By) error
}

// Passkey is one passkey of an account.
type Passkey struct {
	passkey.Key
	ID      string // its fingerprint
	Account string
	Name    string // by which its owner knows it
	Made    time.Time
	Used    time.Time // zero: never
	Cloned  time.Time // since when it is not taken, because its counter went back; zero: it is
}

// Passkeys keeps passkeys.
type Passkeys interface {
	// AddPasskey adds one; the error wraps ErrPasskey where it is somebody's already. Recovery codes as with SaveSecret.
	AddPasskey(ctx context.Context, k Passkey, recovery [][]byte, by ledger.By) error
	// RemovePasskey removes one of an account's (id empty: all); the error wraps ErrNone where there is none. Recovery codes go with the last factor.
	RemovePasskey(ctx context.Context, account, id string, by ledger.By) error
	PasskeysOf(ctx context.Context, account string) ([]Passkey, error)
	// UsedPasskey keeps the counter of a signature; false: one as high was seen already, or the passkey is gone.
	UsedPasskey(ctx context.Context, id string, counter uint32, at time.Time) (bool, error)
	// ClonedPasskey keeps that a passkey is not taken any more.
	ClonedPasskey(ctx context.Context, k Passkey, by ledger.By) error
}

// Challenge is what a browser was asked.
type Challenge struct {
	Hash    []byte // of its challenge
	Purpose string
	Account string // whose passkey was asked for; empty: anybody's
	Session string // within which; empty: none
	State   []byte
	Expires time.Time
}

// Proofs keeps who was asked for proof, and who gave it.
type Proofs interface {
	SaveChallenge(ctx context.Context, c Challenge) error
	// TakeChallenge returns a challenge and forgets it; the error wraps ErrLate where there is none that can be used now.
	TakeChallenge(ctx context.Context, hash []byte, now time.Time) (Challenge, error)
	// ProveSession keeps when the visitor of a session last showed who is there.
	ProveSession(ctx context.Context, hash []byte, at time.Time) error
}

// Tally keeps counts of failures beyond the life of a process.
type Tally interface {
	// CountOf returns the count of a key; the zero one where there is none.
	CountOf(ctx context.Context, key []byte) (Count, error)
	// KeepCount keeps a count (N 0: forgets it), and forgets those that are older than ForgetFailures.
	KeepCount(ctx context.Context, key []byte, c Count) error
}

// Session is a visitor that is let in, or, with a Stage, half way.
type Session struct {
	ID      string // for lists; no secret
	Hash    []byte // of the token
	Account string
	Stage   string // empty: let in; StageCode, StageEnrol
	Card    string // the card it was opened with; empty: a password
	Device  string // what the browser calls itself
	Made    time.Time
	Seen    time.Time
	Proven  time.Time // when the visitor last showed all that is asked for to sign in; zero: never (a card)
}

// The stages of a session that is not let in.
const (
	StageCode  = "code"  // the password was right, the second factor is asked for still
	StageEnrol = "enrol" // a second factor must be set up before anything else
)

// Sessions keeps sessions, and which devices somebody signed in with before.
type Sessions interface {
	StartSession(ctx context.Context, s Session) error
	// SessionOf returns the session of a token and its account; the error wraps ErrNone.
	SessionOf(ctx context.Context, hash []byte) (Session, Account, error)
	SeenSession(ctx context.Context, hash []byte, at time.Time) error
	SessionsOf(ctx context.Context, account string) ([]Session, error)
	// EndSessions ends a session of an account by its id (empty: all) and tells the ledger where somebody else did it.
	EndSessions(ctx context.Context, account, id string, by ledger.By) error
}

// Devices keeps which devices an account was used on before.
type Devices interface {
	KnowDevice(ctx context.Context, account string, hash []byte, at time.Time) error
	// KnownDevice reports whether an account (empty: any) was used on a device.
	KnownDevice(ctx context.Context, account string, hash []byte) (bool, error)
}

// Link is a link that works once.
type Link struct {
	Hash    []byte // of its token
	Account string // whose password it sets; empty: it makes the first admin
	Expires time.Time
}

// Links keeps one-time links.
type Links interface {
	// SaveLink keeps a link, and forgets the others of the same account. Those that make the first admin stand side by side, until one of
	// them is used.
	SaveLink(ctx context.Context, l Link, by ledger.By) error
	// LinkOf returns a link that can be used now; the error wraps ErrLink.
	LinkOf(ctx context.Context, hash []byte, now time.Time) (Link, error)
}

// Card is a farmer's key card.
type Card struct {
	ID       string // short, printed on the card; no secret
	Account  string
	Code     []byte // hash of the code in its QR code
	Device   []byte // hash of the secret of the phone it is bound to; empty: none yet
	PIN      string // argon2id; empty: none is asked for
	PINTries int    // wrong ones since the last right one
	Made     time.Time
	Bound    time.Time
	Revoked  time.Time
}

// Cards keeps key cards.
type Cards interface {
	// AddCard makes a card and revokes those the account had.
	AddCard(ctx context.Context, c Card, by ledger.By) error
	// CardOf returns a card by the hash of its code, or of its phone's secret; the error wraps ErrNone.
	CardOf(ctx context.Context, code, device []byte) (Card, error)
	// BindCard binds a card to a phone; false: it is bound already, or revoked.
	BindCard(ctx context.Context, id string, device []byte, by ledger.By) (bool, error)
	RevokeCard(ctx context.Context, id string, by ledger.By) error
	Cards(ctx context.Context) ([]Card, error)
}

// PINs keeps the PINs of cards.
type PINs interface {
	SavePIN(ctx context.Context, card, pin string, by ledger.By) error
	// TryPIN counts a try before it is judged; false: there were most already.
	TryPIN(ctx context.Context, card string, most int) (bool, error)
	GoodPIN(ctx context.Context, card string) error
}

// Options are what a Service works with. All must be set but Party.
type Options struct {
	People   People
	Factors  Factors
	Sessions Sessions
	Devices  Devices
	Links    Links
	Cards    Cards
	PINs     PINs
	Passkeys Passkeys
	Proofs   Proofs
	Tally    Tally
	Hasher   *Hasher
	Vault    *Vault
	Party    *passkey.Party // who passkeys are for; nil: none are offered
	NoParty  error          // why; passkey.ErrHost or passkey.ErrPlain
	Required bool           // staff get nowhere without a second factor
	Shared   bool           // other processes let people in, too, and keep their failures in the same Tally
	Coop     string         // no password may hold its name
	Now      func() time.Time
	Log      *slog.Logger
}
