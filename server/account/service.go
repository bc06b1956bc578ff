package account

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"aovuon/server/ledger"
)

// How long sessions and links last. A farmer holds the card before the phone once: what a card opened lasts as long as one season and the
// rest after it, ends when the card is revoked, and is good for the farmer's own places alone.
const (
	IdleLimit     = 12 * time.Hour
	AbsoluteLimit = 7 * 24 * time.Hour
	CardIdle      = 120 * 24 * time.Hour
	CardAbsolute  = 400 * 24 * time.Hour // browsers keep no cookie longer
	codeLimit     = 5 * time.Minute      // between password and second factor
	enrolLimit    = 30 * time.Minute     // to set a second factor up
	ProofLimit    = 10 * time.Minute     // for how long somebody who showed who they are may change what they sign in with
	LinkLimit     = 24 * time.Hour
	seenEvery     = time.Minute
)

// Service lets people in.
type Service struct {
	Options
	account *Failures // by login, or by a device that knows the account
	address *Failures // by address, or by a device that somebody signed in with before
}

// New returns a service.
func New(o Options) *Service {
	s := &Service{
		Options: o,
		account: NewFailures(5, 15*time.Minute, o.Now, o.Tally, o.Vault.name),
		address: NewFailures(20, 15*time.Minute, o.Now, o.Tally, o.Vault.name), // many phones share an address of a mobile network
	}
	s.account.shared, s.address.shared = o.Shared, o.Shared
	return s
}

// Visitor is who a request comes from.
type Visitor struct {
	Account Account
	Session Session
}

// Role returns what the visitor is: Public without a session, and while a second factor must be set up.
func (v *Visitor) Role() Role {
	if v == nil || v.Session.Stage != "" {
		return Public
	}
	return v.Account.Role
}

// By is the visitor, for the ledger.
func (s *Service) By(v *Visitor) ledger.By { return ledger.By{Actor: v.Account.ID, At: s.Now()} }

// Enrols reports whether the visitor must set up a second factor before anything else.
func (v *Visitor) Enrols() bool { return v != nil && v.Session.Stage == StageEnrol }

// Look returns who a session's token belongs to; nil: to nobody who is let in, or may set up a second factor to be. It keeps no session alive: what
// a page asks by itself.
func (s *Service) Look(ctx context.Context, token string) (*Visitor, error) {
	v, err := s.session(ctx, token, "", StageEnrol)
	if errors.Is(err, ErrNone) {
		return nil, nil //nolint:nilnil // nobody is no error
	}
	return v, err
}

// Visit is Look for what a person asks: the session is good for another while.
func (s *Service) Visit(ctx context.Context, token string) (*Visitor, error) {
	v, err := s.Look(ctx, token)
	if v == nil || err != nil {
		return nil, err
	}
	if now := s.Now(); now.Sub(v.Session.Seen) >= seenEvery {
		if err := s.Sessions.SeenSession(ctx, v.Session.Hash, now); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// session returns the session of a token at one of some stages; the error wraps ErrNone where it is over.
func (s *Service) session(ctx context.Context, token string, stages ...string) (*Visitor, error) {
	if token == "" || len(token) > 100 {
		return nil, ErrNone
	}
	x, a, err := s.Sessions.SessionOf(ctx, HashToken(token))
	if err != nil {
		return nil, err
	}
	now, idle, most := s.Now(), IdleLimit, AbsoluteLimit
	if x.Card != "" {
		idle, most = CardIdle, CardAbsolute
	}
	switch x.Stage {
	case StageCode:
		most = codeLimit
	case StageEnrol:
		most = enrolLimit
	}
	if !slices.Contains(stages, x.Stage) || !a.Active() || now.Sub(x.Seen) > idle || now.Sub(x.Made) > most {
		return nil, ErrNone
	}
	return &Visitor{Account: a, Session: x}, nil
}

// From is where a request comes from.
type From struct {
	Address string // of the client, as Failures should count it
	Device  string // secret that an earlier sign-in left there; empty: none
	Agent   string // what the browser calls itself
}

// Opened is a session that was opened.
type Opened struct {
	Token      string
	NeedsCode  bool // the second factor is asked for still
	NeedsEnrol bool // one must be set up still
	Device     string
	Card       bool // by a card: it lasts longer
}

// admit lets somebody in whose password was right, as far as that goes.
func (s *Service) admit(ctx context.Context, a Account, from From) (Opened, error) {
	if a.Second() {
		return s.open(ctx, a, StageCode, "", from)
	}
	return s.enter(ctx, a, from)
}

// enter lets somebody in who showed all that is asked for.
func (s *Service) enter(ctx context.Context, a Account, from From) (Opened, error) {
	s.Log.Info("signed in", slog.String("account", a.ID), slog.String("address", from.Address))
	if s.Required && a.Role.Staff() && !a.Second() {
		return s.open(ctx, a, StageEnrol, "", from)
	}
	return s.open(ctx, a, "", "", from)
}

// open starts a session with a token of its own: never one that a visitor brought.
func (s *Service) open(ctx context.Context, a Account, stage, card string, from From) (Opened, error) {
	token, err := NewToken()
	if err != nil {
		return Opened{}, err
	}
	id, err := draw(8)
	if err != nil {
		return Opened{}, err
	}
	o := Opened{Token: token, NeedsCode: stage == StageCode, NeedsEnrol: stage == StageEnrol, Device: from.Device, Card: card != ""}
	now := s.Now()
	var proven time.Time
	if stage != StageCode && card == "" {
		proven = now
	}
	if stage == "" {
		if o.Device == "" || len(o.Device) > 100 {
			if o.Device, err = NewToken(); err != nil {
				return Opened{}, err
			}
		}
		if err := s.Devices.KnowDevice(ctx, a.ID, HashToken(o.Device), now); err != nil {
			return Opened{}, err
		}
	}
	return o, s.Sessions.StartSession(ctx, Session{
		ID: id, Hash: HashToken(token), Account: a.ID, Stage: stage, Card: card, Device: cleanAgent(from.Agent), Made: now, Seen: now, Proven: proven,
	})
}

func cleanAgent(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160])
	}
	return s
}

// known returns the hash of the secret of a device that an account (empty: any) was used on before; nil: it was not.
func (s *Service) known(ctx context.Context, account string, from From) ([]byte, error) {
	if from.Device == "" || len(from.Device) > 100 {
		return nil, nil
	}
	hash := HashToken(from.Device)
	if known, err := s.Devices.KnownDevice(ctx, account, hash); !known || err != nil {
		return nil, err
	}
	return hash, nil
}

// Place is what tries from somewhere are counted by: the address, but of a browser that somebody signed in with before the browser itself. What
// others do behind the same address is not held against it.
func (s *Service) Place(ctx context.Context, from From) (string, error) {
	device, err := s.known(ctx, "", from)
	if device != nil {
		return "device:" + hex.EncodeToString(device), err
	}
	return "address:" + from.Address, err
}

// attempt reserves one try for an account from a place: it counts as failed until good is called. The error is a *WaitError.
func (s *Service) attempt(ctx context.Context, purpose, id, name string, from From) (good func() error, err error) {
	place, err := s.Place(ctx, from)
	if err != nil {
		return nil, err
	}
	key := purpose + ":" + name
	if id != "" {
		device, err := s.known(ctx, id, from)
		if err != nil {
			return nil, err
		}
		if device != nil { // whoever is kept out from strange devices is let in from their own
			key = purpose + ":device:" + hex.EncodeToString(device) + ":" + name
		}
	}
	own, err := s.account.Wait(ctx, key)
	if err != nil {
		return nil, err
	}
	there, err := s.address.Wait(ctx, place)
	if err != nil {
		return nil, err
	}
	if wait := max(own, there); wait > 0 {
		return nil, &WaitError{Wait: wait}
	}
	if _, err := s.account.Failed(ctx, key); err != nil {
		return nil, err
	}
	until, err := s.address.Failed(ctx, place)
	if err != nil {
		return nil, err
	}
	return func() error { return errors.Join(s.account.Good(ctx, key), s.address.Undo(ctx, place, until)) }, nil
}

// SignIn checks a login and its password. Unknown logins take the same work. The error wraps ErrRefused or is a *WaitError.
func (s *Service) SignIn(ctx context.Context, login, password string, from From) (Opened, error) {
	name, cleanErr := CleanLogin(login)
	if cleanErr != nil {
		name = "?"
	}
	a, err := s.People.AccountByLogin(ctx, name)
	if err != nil && !errors.Is(err, ErrNone) {
		return Opened{}, err
	}
	good, err := s.attempt(ctx, "password", a.ID, name, from)
	if err != nil {
		return Opened{}, err
	}
	ok, stale, err := s.Hasher.Check(ctx, a.Password, password)
	if err != nil {
		return Opened{}, err
	}
	if !ok || !a.Active() {
		s.Log.Warn("sign-in refused", slog.String("account", a.ID), slog.String("address", from.Address))
		return Opened{}, ErrRefused
	}
	if err := good(); err != nil {
		return Opened{}, err
	}
	if stale {
		if err := s.rehash(ctx, a, password); err != nil {
			return Opened{}, err
		}
	}
	return s.admit(ctx, a, from)
}

func (s *Service) rehash(ctx context.Context, a Account, password string) error {
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = s.People.ChangeAccount(ctx, Change{ID: a.ID, What: "rehash", By: ledger.By{Actor: ledger.Server, At: s.Now()}, Apply: func(a *Account) error {
		a.Password = hash
		return nil
	}})
	return err
}

// Code checks the one-time code, or a recovery code, of a session that waits for it, and opens another one in its place.
func (s *Service) Code(ctx context.Context, token, code string, from From) (Opened, error) {
	v, err := s.half(ctx, token)
	if err != nil {
		return Opened{}, err
	}
	good, err := s.attempt(ctx, "code", v.Account.ID, v.Account.ID, from)
	if err != nil {
		return Opened{}, err
	}
	ok, err := s.spend(ctx, v, code)
	if err != nil {
		return Opened{}, err
	}
	if !ok {
		s.Log.Warn("one-time code refused", slog.String("account", v.Account.ID), slog.String("address", from.Address))
		return Opened{}, ErrCode
	}
	return s.whole(ctx, v, good, from)
}

// half returns who showed the password and is asked for the second factor; the error wraps ErrRefused.
func (s *Service) half(ctx context.Context, token string) (*Visitor, error) {
	v, err := s.session(ctx, token, StageCode)
	if errors.Is(err, ErrNone) {
		err = ErrRefused
	}
	return v, err
}

// whole opens a session in place of a half one.
func (s *Service) whole(ctx context.Context, v *Visitor, good func() error, from From) (Opened, error) {
	if err := errors.Join(good(), s.Sessions.EndSessions(ctx, v.Account.ID, v.Session.ID, s.By(v))); err != nil {
		return Opened{}, err
	}
	return s.enter(ctx, v.Account, from)
}

// spend uses a code up.
func (s *Service) spend(ctx context.Context, v *Visitor, code string) (bool, error) {
	if c, ok := typed(code, 16); ok {
		return s.Factors.SpendRecovery(ctx, v.Account.ID, HashToken(c), s.By(v))
	}
	if len(v.Account.Secret) == 0 {
		return false, nil
	}
	secret, err := s.Vault.Open(v.Account.ID, v.Account.Secret)
	if err != nil { // recovery codes and passkeys go on
		s.Log.Error("one-time codes cannot be checked: put back account.key, or server user reset", slog.String("account", v.Account.ID), slog.Any("err", err))
		return false, nil
	}
	if step, ok := matchCode(secret, code, s.Now()); ok {
		return s.Factors.SpendStep(ctx, v.Account.ID, step)
	}
	return false, nil
}

// SignOut ends the session of a token.
func (s *Service) SignOut(ctx context.Context, v *Visitor) error {
	return s.Sessions.EndSessions(ctx, v.Account.ID, v.Session.ID, s.By(v))
}
