package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"aovuon/server/ledger"
	"aovuon/server/passkey"
)

// MaxPasskeys is how many passkeys an account has at most.
const MaxPasskeys = 20

// What a challenge is for. An answer to one is none to another.
const (
	forSignIn = "sign-in" // alone, without a login
	forCode   = "code"    // after the password
	forProof  = "proof"   // once more, in a session
	forNew    = "new"     // a new passkey
)

// owner is an account as authenticators know it.
func (s *Service) owner(ctx context.Context, a Account) (passkey.Owner, []Passkey, error) {
	list, err := s.Passkeys.PasskeysOf(ctx, a.ID)
	o := passkey.Owner{ID: a.ID, Login: a.Login, Name: a.Name}
	for _, k := range list {
		o.Keys = append(o.Keys, k.Key)
	}
	return o, list, err
}

// ask asks a browser for a passkey of v's; v nil: of anybody's.
func (s *Service) ask(ctx context.Context, purpose string, v *Visitor) ([]byte, error) {
	if s.Party == nil {
		return nil, s.NoParty
	}
	var o passkey.Owner
	if v != nil {
		var err error
		if o, _, err = s.owner(ctx, v.Account); err != nil {
			return nil, err
		}
	}
	var q passkey.Question
	var err error
	switch {
	case purpose == forNew && len(o.Keys) >= MaxPasskeys:
		return nil, ErrMany
	case purpose == forNew:
		q, err = s.Party.Make(o)
	case v != nil && len(o.Keys) == 0:
		return nil, ErrNone
	default:
		q, err = s.Party.Ask(o)
	}
	if err != nil {
		return nil, err
	}
	c := Challenge{Hash: HashToken(q.Challenge), Purpose: purpose, State: q.State, Expires: s.Now().Add(passkey.Limit)}
	if v != nil {
		c.Account, c.Session = v.Account.ID, v.Session.ID
	}
	return q.Options, s.Proofs.SaveChallenge(ctx, c)
}

// take returns the question that an answer is to, once. One that was asked for something else, of somebody else or elsewhere is none.
func (s *Service) take(ctx context.Context, purpose string, v *Visitor, answer []byte) (Challenge, error) {
	if s.Party == nil {
		return Challenge{}, s.NoParty
	}
	asked, err := passkey.ChallengeOf(answer)
	if err != nil {
		return Challenge{}, errors.Join(ErrPasskey, err)
	}
	c, err := s.Proofs.TakeChallenge(ctx, HashToken(asked), s.Now())
	if err != nil {
		return Challenge{}, err
	}
	if c.Purpose != purpose || v != nil && (c.Account != v.Account.ID || c.Session != v.Session.ID) {
		return Challenge{}, fmt.Errorf("%w: it answers another question", ErrPasskey)
	}
	return c, nil
}

// answered checks an answer of v's browser, and whether its authenticator verified the person.
func (s *Service) answered(ctx context.Context, purpose string, v *Visitor, answer []byte) (verified bool, err error) {
	c, err := s.take(ctx, purpose, v, answer)
	if err != nil {
		return false, err
	}
	_, verified, err = s.judge(ctx, c, answer)
	return verified, err
}

// judge checks an answer to a challenge: whose it is, and whether the authenticator verified the person. The error wraps ErrPasskey or ErrCloned.
func (s *Service) judge(ctx context.Context, c Challenge, answer []byte) (a Account, verified bool, err error) {
	var keys []Passkey
	got, err := s.Party.Answered(c.State, answer, func(id string) (passkey.Owner, error) {
		var o passkey.Owner
		var err error
		if a, err = s.People.AccountOf(ctx, id); err != nil {
			return o, err
		}
		o, keys, err = s.owner(ctx, a)
		return o, err
	})
	if errors.Is(err, passkey.ErrAnswer) || errors.Is(err, ErrNone) || err == nil && !a.Active() {
		s.Log.Warn("passkey refused", slog.String("account", a.ID), slog.Any("err", err))
		return a, false, ErrPasskey
	}
	if err != nil {
		return a, false, err
	}
	i := slices.IndexFunc(keys, func(k Passkey) bool { return slices.Equal(k.Credential, got.Key.Credential) })
	if i < 0 {
		return a, false, ErrPasskey
	}
	k := keys[i]
	used := false
	if k.Cloned.IsZero() && !got.Cloned {
		if used, err = s.Passkeys.UsedPasskey(ctx, k.ID, got.Counter, s.Now()); err != nil {
			return a, false, err
		}
	}
	if used {
		return a, got.Verified, nil
	}
	s.Log.Warn("passkey's counter went back", slog.String("account", a.ID), slog.String("passkey", k.ID))
	if k.Cloned.IsZero() {
		k.Cloned = s.Now()
		err = s.Passkeys.ClonedPasskey(ctx, k, ledger.By{Actor: ledger.Server, At: k.Cloned})
	}
	return a, false, errors.Join(ErrCloned, err)
}

// AskSignIn asks a browser for any passkey that it has for this server.
func (s *Service) AskSignIn(ctx context.Context) ([]byte, error) { return s.ask(ctx, forSignIn, nil) }

// SignInPasskey lets somebody in by a passkey alone: the authenticator verified the person, so it is both factors. The error wraps ErrPasskey, ErrCloned or ErrLate, or is a
// *WaitError.
func (s *Service) SignInPasskey(ctx context.Context, answer []byte, from From) (Opened, error) {
	place, err := s.Place(ctx, from)
	if err != nil {
		return Opened{}, err
	}
	good, err := s.attempt(ctx, "passkey", "", place, from)
	if err != nil {
		return Opened{}, err
	}
	c, err := s.take(ctx, forSignIn, nil, answer)
	if err != nil {
		return Opened{}, err
	}
	a, verified, err := s.judge(ctx, c, answer)
	if err != nil {
		return Opened{}, err
	}
	if !verified || a.Password == "" { // where there is no password yet, a link is waited for
		return Opened{}, ErrPasskey
	}
	if err := good(); err != nil {
		return Opened{}, err
	}
	return s.enter(ctx, a, from)
}

// AskCode asks the browser of a session that waits for its second factor for a passkey. The error wraps ErrRefused, or ErrNone where the account has none.
func (s *Service) AskCode(ctx context.Context, token string) ([]byte, error) {
	v, err := s.half(ctx, token)
	if err != nil {
		return nil, err
	}
	return s.ask(ctx, forCode, v)
}

// CodePasskey is Code with a passkey.
func (s *Service) CodePasskey(ctx context.Context, token string, answer []byte, from From) (Opened, error) {
	v, err := s.half(ctx, token)
	if err != nil {
		return Opened{}, err
	}
	good, err := s.attempt(ctx, "code", v.Account.ID, v.Account.ID, from)
	if err != nil {
		return Opened{}, err
	}
	if _, err := s.answered(ctx, forCode, v, answer); err != nil {
		return Opened{}, err
	}
	return s.whole(ctx, v, good, from)
}

// Half says what a session that waits for its second factor may be given; the error wraps ErrRefused.
func (s *Service) Half(ctx context.Context, token string) (Account, error) {
	v, err := s.half(ctx, token)
	if err != nil {
		return Account{}, err
	}
	return v.Account, nil
}

// AskNew asks the visitor's browser for a new passkey. Only those who work for the co-op have any: farmers have cards.
func (s *Service) AskNew(ctx context.Context, v *Visitor) ([]byte, error) {
	if err := s.mayAdd(v); err != nil {
		return nil, err
	}
	return s.ask(ctx, forNew, v)
}

func (s *Service) mayAdd(v *Visitor) error {
	if !v.Account.Role.Staff() {
		return ErrRefused
	}
	return s.fresh(v)
}

// AddPasskey adds the passkey of an answer to AskNew. Recovery codes are made with the first factor.
func (s *Service) AddPasskey(ctx context.Context, v *Visitor, name string, answer []byte, from From) (Enrolled, error) {
	if err := s.mayAdd(v); err != nil {
		return Enrolled{}, err
	}
	name = cleanAgent(strings.Join(strings.Fields(name), " "))
	if r := []rune(name); len(r) > 60 {
		name = string(r[:60])
	}
	c, err := s.take(ctx, forNew, v, answer)
	if err != nil {
		return Enrolled{}, err
	}
	o, list, err := s.owner(ctx, v.Account)
	if err != nil {
		return Enrolled{}, err
	}
	if len(list) >= MaxPasskeys {
		return Enrolled{}, ErrMany
	}
	key, err := s.Party.Made(o, c.State, answer)
	if errors.Is(err, passkey.ErrAnswer) {
		s.Log.Warn("new passkey refused", slog.String("account", v.Account.ID), slog.Any("err", err))
		return Enrolled{}, ErrPasskey
	}
	if err != nil {
		return Enrolled{}, err
	}
	by := s.By(v)
	k := Passkey{Key: key, ID: key.Fingerprint(), Account: v.Account.ID, Name: name, Made: by.At}
	var codes []string
	var hashes [][]byte
	if !v.Account.Second() {
		if codes, hashes, err = newRecovery(); err != nil {
			return Enrolled{}, err
		}
	}
	if err := s.Passkeys.AddPasskey(ctx, k, hashes, by); err != nil {
		return Enrolled{}, err
	}
	s.Log.Info("passkey added", slog.String("account", v.Account.ID), slog.String("passkey", k.ID))
	return s.enrolled(ctx, v, codes, from)
}

// RemovePasskey removes one of the visitor's passkeys.
func (s *Service) RemovePasskey(ctx context.Context, v *Visitor, id string) error {
	if err := s.fresh(v); err != nil {
		return err
	}
	if id == "" || !slices.Contains(v.Account.Passkeys, id) {
		return ErrNone
	}
	if s.Required && v.Account.Role.Staff() && len(v.Account.Secret) == 0 && len(v.Account.Passkeys) == 1 {
		return ErrLast
	}
	return s.Passkeys.RemovePasskey(ctx, v.Account.ID, id, s.By(v))
}
