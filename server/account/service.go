package account

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"aovuon/server/ledger"
)

// How long sessions and links last.
const (
	IdleLimit     = 12 * time.Hour
	AbsoluteLimit = 7 * 24 * time.Hour
	codeLimit     = 5 * time.Minute // between password and one-time code
	LinkLimit     = 24 * time.Hour
	seenEvery     = time.Minute
)

// Service lets people in.
type Service struct {
	Options
	account *Failures // by login, or by a device that knows the account
	address *Failures
}

// New returns a service.
func New(o Options) *Service {
	return &Service{
		Options: o,
		account: NewFailures(5, 15*time.Minute, o.Now),
		address: NewFailures(20, 15*time.Minute, o.Now), // many phones share an address of a mobile network
	}
}

// Visitor is who a request comes from.
type Visitor struct {
	Account Account
	Session Session
}

// Role returns what the visitor is: Public without a session.
func (v *Visitor) Role() Role {
	if v == nil {
		return Public
	}
	return v.Account.Role
}

// By is the visitor, for the ledger.
func (s *Service) By(v *Visitor) ledger.By { return ledger.By{Actor: v.Account.ID, At: s.Now()} }

// Look returns who a session's token belongs to; nil: to nobody who is let in. It keeps no session alive: what a page asks by itself.
func (s *Service) Look(ctx context.Context, token string) (*Visitor, error) {
	v, err := s.session(ctx, token, "")
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

// session returns the session of a token at a stage; the error wraps ErrNone where it is over.
func (s *Service) session(ctx context.Context, token, stage string) (*Visitor, error) {
	if token == "" || len(token) > 100 {
		return nil, ErrNone
	}
	x, a, err := s.Sessions.SessionOf(ctx, HashToken(token))
	if err != nil {
		return nil, err
	}
	now, idle := s.Now(), IdleLimit
	if stage == StageCode {
		idle = codeLimit
	}
	if x.Stage != stage || !a.Active() || now.Sub(x.Seen) > idle || now.Sub(x.Made) > AbsoluteLimit {
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
	Token     string
	NeedsCode bool // the one-time code is asked for still
	Device    string
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
	o := Opened{Token: token, NeedsCode: stage == StageCode, Device: from.Device}
	now := s.Now()
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
		ID: id, Hash: HashToken(token), Account: a.ID, Stage: stage, Card: card, Device: cleanAgent(from.Agent), Made: now, Seen: now,
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

// attempt reserves one try for an account from an address: it counts as failed until good is called. The error is a *WaitError.
func (s *Service) attempt(ctx context.Context, purpose, id, name string, from From) (good func(), err error) {
	known := false
	if from.Device != "" && len(from.Device) <= 100 {
		if known, err = s.Devices.KnownDevice(ctx, id, HashToken(from.Device)); err != nil {
			return nil, err
		}
	}
	key, address := purpose+":"+name, "address:"+from.Address
	if known { // whoever is kept out from strange devices is let in from their own
		key = purpose + ":device:" + hex.EncodeToString(HashToken(from.Device)) + ":" + name
	}
	wait := s.account.Wait(key)
	if !known { // a neighbour behind the same address keeps nobody out who has been in from there
		wait = max(wait, s.address.Wait(address))
	}
	if wait > 0 {
		return nil, &WaitError{Wait: wait}
	}
	s.account.Failed(key)
	s.address.Failed(address)
	return func() { s.account.Good(key); s.address.Undo(address) }, nil
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
	good()
	if stale {
		if err := s.rehash(ctx, a, password); err != nil {
			return Opened{}, err
		}
	}
	if len(a.Secret) > 0 {
		return s.open(ctx, a, StageCode, "", from)
	}
	s.Log.Info("signed in", slog.String("account", a.ID), slog.String("address", from.Address))
	return s.open(ctx, a, "", "", from)
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
	v, err := s.session(ctx, token, StageCode)
	if errors.Is(err, ErrNone) {
		return Opened{}, ErrRefused
	}
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
	good()
	if err := s.Sessions.EndSessions(ctx, v.Account.ID, v.Session.ID, s.By(v)); err != nil {
		return Opened{}, err
	}
	s.Log.Info("signed in", slog.String("account", v.Account.ID), slog.String("address", from.Address))
	return s.open(ctx, v.Account, "", "", from)
}

// spend uses a code up.
func (s *Service) spend(ctx context.Context, v *Visitor, code string) (bool, error) {
	if step, ok := matchCode(v.Account.Secret, code, s.Now()); ok {
		return s.Factors.SpendStep(ctx, v.Account.ID, step)
	}
	if c, ok := typed(code, 16); ok {
		return s.Factors.SpendRecovery(ctx, v.Account.ID, HashToken(c), s.By(v))
	}
	return false, nil
}

// SignOut ends the session of a token.
func (s *Service) SignOut(ctx context.Context, v *Visitor) error {
	return s.Sessions.EndSessions(ctx, v.Account.ID, v.Session.ID, s.By(v))
}

// confirm asks for the password again, before what would lock its owner out.
func (s *Service) confirm(ctx context.Context, v *Visitor, password string, from From) error {
	good, err := s.attempt(ctx, "password", v.Account.ID, v.Account.Login, from)
	if err != nil {
		return err
	}
	ok, _, err := s.Hasher.Check(ctx, v.Account.Password, password)
	if err != nil {
		return err
	}
	if !ok {
		return ErrRefused
	}
	good()
	return nil
}

// SetPassword replaces the visitor's password. Every session ends; the one that is returned is new.
func (s *Service) SetPassword(ctx context.Context, v *Visitor, old, password string, from From) (Opened, error) {
	if err := s.confirm(ctx, v, old, from); err != nil {
		return Opened{}, err
	}
	if err := CheckPassword(password, v.Account.Login, s.Coop); err != nil {
		return Opened{}, err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return Opened{}, err
	}
	a, err := s.People.ChangeAccount(ctx, Change{ID: v.Account.ID, What: "password", By: s.By(v), Apply: func(a *Account) error {
		a.Password = hash
		return nil
	}})
	if err != nil {
		return Opened{}, err
	}
	return s.open(ctx, a, "", "", from)
}

// EnrolCodes turns one-time codes on with a secret of which code is a code now; it returns the recovery codes, which nobody sees again.
func (s *Service) EnrolCodes(ctx context.Context, v *Visitor, secret []byte, code, password string, from From) ([]string, error) {
	if err := s.confirm(ctx, v, password, from); err != nil {
		return nil, err
	}
	step, ok := matchCode(secret, code, s.Now())
	if !ok {
		return nil, ErrCode
	}
	codes, hashes, err := newRecovery()
	if err != nil {
		return nil, err
	}
	return codes, s.Factors.SaveSecret(ctx, v.Account.ID, secret, step, hashes, s.By(v))
}

// DropCodes turns one-time codes off.
func (s *Service) DropCodes(ctx context.Context, v *Visitor, password string, from From) error {
	if err := s.confirm(ctx, v, password, from); err != nil {
		return err
	}
	return s.Factors.SaveSecret(ctx, v.Account.ID, nil, 0, nil, s.By(v))
}
