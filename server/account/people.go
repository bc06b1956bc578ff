package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"aovuon/server/ledger"
)

// ErrNotFarmer says that a card was asked for somebody who signs in with a password, or for nobody.
var ErrNotFarmer = errors.New("account: key cards are for farmers in service: staff sign in with a password")

// ErrPerson is wrapped by the errors of what was written of a person.
var ErrPerson = errors.New("account: not a person's data")

// Person is what is written of somebody.
type Person struct {
	Login, Name string
	Role        Role
	Places      []string
}

// Clean checks what was written; places of anybody but a farmer are dropped.
func (p Person) Clean() (Person, error) {
	var errs []error
	var err error
	if p.Login, err = CleanLogin(p.Login); err != nil {
		errs = append(errs, err)
	}
	if p.Name, err = CleanName(p.Name); err != nil {
		errs = append(errs, err)
	}
	if _, err = ParseRole(string(p.Role)); err != nil {
		errs = append(errs, err)
	}
	if p.Role != Farmer {
		p.Places = nil
	}
	slices.Sort(p.Places)
	p.Places = slices.Compact(p.Places)
	if err := errors.Join(errs...); err != nil {
		return p, fmt.Errorf("%w: %w", ErrPerson, err)
	}
	return p, nil
}

// Add adds a person, who cannot sign in before a link or a card is used.
func (s *Service) Add(ctx context.Context, p Person, by ledger.By) (Account, error) {
	return s.add(ctx, p, "", nil, by)
}

func (s *Service) add(ctx context.Context, p Person, hash string, spend []byte, by ledger.By) (Account, error) {
	p, err := p.Clean()
	if err != nil {
		return Account{}, err
	}
	a := Account{Login: p.Login, Name: p.Name, Role: p.Role, Places: p.Places, Password: hash, Made: by.At}
	if a.ID, err = NewID(); err != nil {
		return Account{}, err
	}
	if by.Actor == "" { // somebody who makes the own account
		by.Actor = a.ID
	}
	return a, s.People.AddAccount(ctx, a, spend, by)
}

// Edit changes a person's name, role and places.
func (s *Service) Edit(ctx context.Context, id string, p Person, by ledger.By) (Account, error) {
	return s.People.ChangeAccount(ctx, Change{ID: id, What: "person", By: by, Apply: func(a *Account) error {
		p.Login = a.Login
		p, err := p.Clean()
		if err != nil {
			return err
		}
		a.Name, a.Role, a.Places = p.Name, p.Role, p.Places
		return nil
	}})
}

// Disable keeps somebody out, from now on, or lets them in again.
func (s *Service) Disable(ctx context.Context, id string, out bool, by ledger.By) (Account, error) {
	what := "enabled"
	if out {
		what = "disabled"
	}
	return s.People.ChangeAccount(ctx, Change{ID: id, What: what, By: by, Apply: func(a *Account) error {
		switch {
		case !out:
			a.Disabled = time.Time{}
		case a.Disabled.IsZero():
			a.Disabled = by.At
		}
		return nil
	}})
}

// Reset takes password, one-time codes, passkeys and sessions away; the link that is returned sets a new password.
func (s *Service) Reset(ctx context.Context, id string, by ledger.By) (token string, err error) {
	if _, err := s.People.ChangeAccount(ctx, Change{ID: id, What: "reset", By: by, Apply: func(a *Account) error {
		a.Password = ""
		return nil
	}}); err != nil {
		return "", err
	}
	if err := s.Passkeys.RemovePasskey(ctx, id, "", by); err != nil && !errors.Is(err, ErrNone) {
		return "", err
	}
	if err := s.Factors.SaveSecret(ctx, id, nil, 0, nil, by); err != nil {
		return "", err
	}
	if err := s.Sessions.EndSessions(ctx, id, "", by); err != nil {
		return "", err
	}
	return s.NewLink(ctx, id, by)
}

// NewLink makes the link with which an account sets its password; those made before stop working.
func (s *Service) NewLink(ctx context.Context, id string, by ledger.By) (token string, err error) {
	if token, err = NewToken(); err != nil {
		return "", err
	}
	return token, s.Links.SaveLink(ctx, Link{Hash: HashToken(token), Account: id, Expires: by.At.Add(LinkLimit)}, by)
}

// SetupNeeded reports whether there is no admin in service.
func (s *Service) SetupNeeded(ctx context.Context) (bool, error) {
	all, err := s.People.Accounts(ctx)
	return err == nil && !slices.ContainsFunc(all, func(a Account) bool { return a.Role == Admin && a.Active() }), err
}

// SetupLink makes the link with which the first admin is made; those made before work as well, until one of them is used.
func (s *Service) SetupLink(ctx context.Context, by ledger.By) (token string, err error) {
	return s.NewLink(ctx, "", by)
}

// Invited is what a link is for.
type Invited struct {
	First bool   // it makes the first admin
	Login string // whose password it sets
}

// Peek says what a link is for, and changes nothing; the error wraps ErrLink.
func (s *Service) Peek(ctx context.Context, token string) (Invited, error) {
	i, _, err := s.peek(ctx, token)
	return i, err
}

func (s *Service) peek(ctx context.Context, token string) (Invited, Account, error) {
	if len(token) > 100 {
		return Invited{}, Account{}, ErrLink
	}
	l, err := s.Links.LinkOf(ctx, HashToken(token), s.Now())
	if err != nil {
		return Invited{}, Account{}, err
	}
	if l.Account == "" {
		needed, err := s.SetupNeeded(ctx)
		if err == nil && !needed {
			err = ErrLink
		}
		return Invited{First: true}, Account{}, err
	}
	a, err := s.People.AccountOf(ctx, l.Account)
	if err == nil && !a.Active() {
		err = ErrLink
	}
	return Invited{Login: a.Login}, a, err
}

// Redeem uses a link up: the first admin is made, or a password set. Whose account has a second factor is asked for it still. The error wraps all
// that is wrong with what was written.
func (s *Service) Redeem(ctx context.Context, token string, p Person, password string, from From) (Opened, error) {
	i, a, err := s.peek(ctx, token)
	if err != nil {
		return Opened{}, err
	}
	if i.First {
		p.Role, p.Places = Admin, nil // whatever a form says
		p, err = p.Clean()
	} else {
		p.Login = a.Login
	}
	if err := errors.Join(err, CheckPassword(password, p.Login, s.Coop)); err != nil { // all that is wrong at once: a password has to be typed again each time
		return Opened{}, err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return Opened{}, err
	}
	if i.First {
		a, err = s.add(ctx, p, hash, HashToken(token), ledger.By{At: s.Now()})
	} else {
		by := ledger.By{Actor: a.ID, At: s.Now()}
		a, err = s.People.ChangeAccount(ctx, Change{ID: a.ID, What: "password", By: by, Spend: HashToken(token), Apply: func(a *Account) error {
			a.Password = hash
			return nil
		}})
	}
	if err != nil {
		return Opened{}, err
	}
	s.Log.Info("link used", slog.String("account", a.ID), slog.String("address", from.Address))
	return s.admit(ctx, a, from)
}

// Find returns an account by its login.
func (s *Service) Find(ctx context.Context, login string) (Account, error) {
	a, err := s.People.AccountByLogin(ctx, login)
	if errors.Is(err, ErrNone) {
		err = fmt.Errorf("%q: %w", login, err)
	}
	return a, err
}
