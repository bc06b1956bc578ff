package account

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"aovuon/server/ledger"
)

// A card that was given pinTries wrong PINs stays shut until staff make another one.
const pinTries = 5

// The lengths of a PIN, in digits.
const (
	MinPIN = 4
	MaxPIN = 8
)

// The errors of a PIN.
var (
	ErrPIN      = fmt.Errorf("account: a PIN has %d to %d digits, not all the same and not in a row", MinPIN, MaxPIN)
	ErrWrongPIN = errors.New("account: wrong PIN")
	ErrShut     = errors.New("account: too many wrong PINs: staff make another card")
)

// CheckPIN says why a PIN is not taken.
func CheckPIN(pin string) error {
	if len(pin) < MinPIN || len(pin) > MaxPIN || strings.Trim(pin, "0123456789") != "" {
		return ErrPIN
	}
	if strings.Count(pin, pin[:1]) == len(pin) || strings.Contains("0123456789", pin) || strings.Contains("9876543210", pin) {
		return ErrPIN
	}
	return nil
}

// NewCard is a card that was just made: its code is seen now and never again.
type NewCard struct {
	ID   string
	Name string // of the farmer
	Code string
}

// MakeCards makes the cards of farmers, each once. If one of them may have none, none is made: a card that was made and not shown would only
// have ended the one there was.
func (s *Service) MakeCards(ctx context.Context, ids []string, by ledger.By) ([]NewCard, error) {
	var once []string
	for _, id := range ids {
		if slices.Contains(once, id) {
			continue
		}
		if _, err := s.farmer(ctx, id); err != nil {
			return nil, err
		}
		once = append(once, id)
	}
	out := make([]NewCard, 0, len(once))
	for _, id := range once {
		n, err := s.MakeCard(ctx, id, by)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// farmer returns who may have a card; the error wraps ErrNotFarmer for anybody else.
func (s *Service) farmer(ctx context.Context, id string) (Account, error) {
	a, err := s.People.AccountOf(ctx, id)
	if errors.Is(err, ErrNone) || err == nil && (a.Role != Farmer || !a.Active()) {
		return Account{}, ErrNotFarmer
	}
	return a, err
}

// MakeCard makes a farmer's card. The one there was, and what is open with it, ends.
func (s *Service) MakeCard(ctx context.Context, id string, by ledger.By) (NewCard, error) {
	a, err := s.farmer(ctx, id)
	if err != nil {
		return NewCard{}, err
	}
	n := NewCard{Name: a.Name}
	if n.ID, err = draw(6); err != nil {
		return NewCard{}, err
	}
	n.ID = "c-" + n.ID
	if n.Code, err = newCardCode(); err != nil {
		return NewCard{}, err
	}
	return n, s.Cards.AddCard(ctx, Card{ID: n.ID, Account: a.ID, Code: HashToken(n.Code), Made: by.At}, by)
}

// Seen is what a visitor may know of a card before it is used.
type Seen struct {
	Fresh bool // not bound yet
	PIN   bool // one is asked for
}

// SeeCard says how a card stands for the phone it is held before; code empty: the card this phone is bound to. Its errors wrap ErrTyped,
// ErrBound and ErrRefused.
func (s *Service) SeeCard(ctx context.Context, code string, from From) (Seen, error) {
	c, _, err := s.card(ctx, code, from)
	return Seen{Fresh: len(c.Device) == 0, PIN: c.PIN != ""}, err
}

// card returns a card this phone may use, and whose it is.
func (s *Service) card(ctx context.Context, code string, from From) (c Card, a Account, err error) {
	place, err := s.Place(ctx, from)
	if err != nil {
		return Card{}, Account{}, err
	}
	if wait, err := s.address.Wait(ctx, place); err != nil || wait > 0 {
		return Card{}, Account{}, errors.Join(err, waitFor(wait))
	}
	var codeHash, device []byte
	if from.Device != "" && len(from.Device) <= 100 {
		device = HashToken(from.Device)
	}
	if code != "" {
		if code, err = ParseCard(code); err != nil {
			return Card{}, Account{}, err
		}
		codeHash = HashToken(code)
	} else if device == nil {
		return Card{}, Account{}, ErrRefused
	}
	if codeHash != nil {
		c, err = s.Cards.CardOf(ctx, codeHash, nil)
	} else {
		c, err = s.Cards.CardOf(ctx, nil, device)
	}
	if err == nil {
		a, err = s.People.AccountOf(ctx, c.Account)
	}
	if errors.Is(err, ErrNone) || err == nil && (!c.Revoked.IsZero() || !a.Active() || a.Role != Farmer) {
		s.Log.Warn("card refused", slog.String("card", c.ID), slog.String("address", from.Address))
		_, err := s.address.Failed(ctx, place)
		return Card{}, Account{}, errors.Join(ErrRefused, err)
	}
	if err != nil {
		return Card{}, Account{}, err
	}
	if len(c.Device) > 0 && subtle.ConstantTimeCompare(c.Device, device) != 1 {
		s.Log.Warn("card held before another phone", slog.String("card", c.ID), slog.String("address", from.Address))
		_, err := s.address.Failed(ctx, place)
		return Card{}, Account{}, errors.Join(ErrBound, err)
	}
	return c, a, nil
}

// UseCard lets a farmer in by the card. A new card is bound to the phone, with a secret that only this phone has; pin is then the one
// that will be asked for, or empty.
func (s *Service) UseCard(ctx context.Context, code, pin string, from From) (Opened, error) {
	c, a, err := s.card(ctx, code, from)
	if err != nil {
		return Opened{}, err
	}
	if len(c.Device) == 0 {
		return s.bind(ctx, c, a, pin, from)
	}
	if c.PIN != "" {
		if err := s.tryPIN(ctx, c, pin); err != nil {
			return Opened{}, err
		}
	}
	return s.open(ctx, a, "", c.ID, from)
}

func (s *Service) bind(ctx context.Context, c Card, a Account, pin string, from From) (Opened, error) {
	by := ledger.By{Actor: a.ID, At: s.Now()}
	hash := ""
	if pin != "" {
		if err := CheckPIN(pin); err != nil {
			return Opened{}, err
		}
		var err error
		if hash, err = s.Hasher.Hash(ctx, pin); err != nil {
			return Opened{}, err
		}
	}
	var err error
	if from.Device, err = NewToken(); err != nil { // never one that was there before
		return Opened{}, err
	}
	bound, err := s.Cards.BindCard(ctx, c.ID, HashToken(from.Device), by)
	if err != nil {
		return Opened{}, err
	}
	if !bound {
		return Opened{}, ErrBound
	}
	if hash != "" {
		if err := s.PINs.SavePIN(ctx, c.ID, hash, by); err != nil {
			return Opened{}, err
		}
	}
	s.Log.Info("card bound", slog.String("card", c.ID), slog.String("account", a.ID))
	return s.open(ctx, a, "", c.ID, from)
}

// tryPIN counts the try before it is judged, so that many at once are no more tries than one after the other.
func (s *Service) tryPIN(ctx context.Context, c Card, pin string) error {
	may, err := s.PINs.TryPIN(ctx, c.ID, pinTries)
	if err != nil {
		return err
	}
	if !may {
		return ErrShut
	}
	ok, _, err := s.Hasher.Check(ctx, c.PIN, pin)
	if err != nil {
		return err
	}
	if !ok {
		return ErrWrongPIN
	}
	return s.PINs.GoodPIN(ctx, c.ID)
}

// ownCard returns the card the visitor came in with; the error wraps ErrRefused where there is none.
func (s *Service) ownCard(ctx context.Context, v *Visitor) (Card, error) {
	all, err := s.Cards.Cards(ctx)
	if err != nil {
		return Card{}, err
	}
	for _, c := range all {
		if c.ID == v.Session.Card && c.Account == v.Account.ID && c.Revoked.IsZero() {
			return c, nil
		}
	}
	return Card{}, ErrRefused
}

// HasPIN reports whether the card the visitor came in with has a PIN.
func (s *Service) HasPIN(ctx context.Context, v *Visitor) (bool, error) {
	c, err := s.ownCard(ctx, v)
	return c.PIN != "", err
}

// SetPIN sets the PIN of the card the visitor came in with; empty: none is asked for any more. The one there is must be shown: whoever finds a
// phone that is signed in does not change it.
func (s *Service) SetPIN(ctx context.Context, v *Visitor, old, pin string) error {
	c, err := s.ownCard(ctx, v)
	if err != nil {
		return err
	}
	if c.PIN != "" {
		if err := s.tryPIN(ctx, c, old); err != nil {
			return err
		}
	}
	hash := ""
	if pin != "" {
		if err := CheckPIN(pin); err != nil {
			return err
		}
		var err error
		if hash, err = s.Hasher.Hash(ctx, pin); err != nil {
			return err
		}
	}
	return s.PINs.SavePIN(ctx, v.Session.Card, hash, s.By(v))
}

// Shut reports whether a card was given too many wrong PINs.
func (c *Card) Shut() bool { return c.PIN != "" && c.PINTries >= pinTries }
