package account

import (
	"context"
	"log/slog"

	"aovuon/server/ledger"
)

// Fresh reports whether the visitor showed so lately who is there that what they sign in with may be changed.
func (s *Service) Fresh(v *Visitor) bool {
	if v.Enrols() {
		return true // a short session that opens nothing else
	}
	return !v.Session.Proven.IsZero() && s.Now().Sub(v.Session.Proven) <= ProofLimit
}

// fresh is the guard of every such change; the error is ErrProof.
func (s *Service) fresh(v *Visitor) error {
	if !s.Fresh(v) {
		return ErrProof
	}
	return nil
}

// Proof is what somebody shows once more. A passkey that verified its owner is enough; otherwise the password, and with it what else is
// asked for at a sign-in: a code, or any passkey of the account.
type Proof struct {
	Password, Code string
	Passkey        []byte // the browser's answer to AskProof
}

// AskProof asks the visitor's browser for a passkey. The error wraps ErrNone where the account has none.
func (s *Service) AskProof(ctx context.Context, v *Visitor) ([]byte, error) {
	return s.ask(ctx, forProof, v)
}

// Prove checks a proof of the visitor, who may then change for ProofLimit what they sign in with. The error wraps ErrRefused, ErrCode or ErrPasskey, or is a
// *WaitError.
func (s *Service) Prove(ctx context.Context, v *Visitor, p Proof, from From) error {
	good, err := s.attempt(ctx, "password", v.Account.ID, v.Account.Login, from)
	if err != nil {
		return err
	}
	second := !v.Account.Second()
	if len(p.Passkey) > 0 {
		verified, err := s.answered(ctx, forProof, v, p.Passkey)
		if err != nil {
			return err
		}
		if verified {
			return s.proven(ctx, v, good)
		}
		second = true
	}
	ok, _, err := s.Hasher.Check(ctx, v.Account.Password, p.Password)
	if err != nil {
		return err
	}
	if !ok {
		s.Log.Warn("proof refused", slog.String("account", v.Account.ID), slog.String("address", from.Address))
		return ErrRefused
	}
	if !second {
		if ok, err = s.spend(ctx, v, p.Code); err != nil {
			return err
		}
		if !ok {
			return ErrCode
		}
	}
	return s.proven(ctx, v, good)
}

func (s *Service) proven(ctx context.Context, v *Visitor, good func() error) error {
	if err := good(); err != nil {
		return err
	}
	v.Session.Proven = s.Now()
	return s.Proofs.ProveSession(ctx, v.Session.Hash, v.Session.Proven)
}

// SetPassword replaces the visitor's password. Every session ends; the one that is returned is new.
func (s *Service) SetPassword(ctx context.Context, v *Visitor, password string, from From) (Opened, error) {
	if err := s.fresh(v); err != nil {
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
	return s.enter(ctx, a, from)
}

// Enrolled is what comes of a factor that was added.
type Enrolled struct {
	Recovery []string // new recovery codes, which nobody sees again; none: those there are stay
	In       *Opened  // the session in place of one that had to set a factor up; nil: the visitor's goes on
}

// EnrolCodes turns one-time codes on with a secret of which code is a code now.
func (s *Service) EnrolCodes(ctx context.Context, v *Visitor, secret []byte, code string, from From) (Enrolled, error) {
	if err := s.fresh(v); err != nil {
		return Enrolled{}, err
	}
	good, err := s.attempt(ctx, "enrol", v.Account.ID, v.Account.ID, from)
	if err != nil {
		return Enrolled{}, err
	}
	step, ok := matchCode(secret, code, s.Now())
	if !ok {
		return Enrolled{}, ErrCode
	}
	if err := good(); err != nil {
		return Enrolled{}, err
	}
	codes, hashes, err := newRecovery()
	if err != nil {
		return Enrolled{}, err
	}
	box, err := s.Vault.Seal(v.Account.ID, secret)
	if err != nil {
		return Enrolled{}, err
	}
	if err := s.Factors.SaveSecret(ctx, v.Account.ID, box, step, hashes, s.By(v)); err != nil {
		return Enrolled{}, err
	}
	return s.enrolled(ctx, v, codes, from)
}

// enrolled lets somebody in who had to set a factor up first.
func (s *Service) enrolled(ctx context.Context, v *Visitor, recovery []string, from From) (Enrolled, error) {
	e := Enrolled{Recovery: recovery}
	if !v.Enrols() {
		return e, nil
	}
	if err := s.Sessions.EndSessions(ctx, v.Account.ID, v.Session.ID, s.By(v)); err != nil {
		return e, err
	}
	a, err := s.People.AccountOf(ctx, v.Account.ID)
	if err != nil {
		return e, err
	}
	o, err := s.enter(ctx, a, from)
	e.In = &o
	return e, err
}

// DropCodes turns one-time codes off.
func (s *Service) DropCodes(ctx context.Context, v *Visitor) error {
	if err := s.fresh(v); err != nil {
		return err
	}
	if s.Required && v.Account.Role.Staff() && len(v.Account.Passkeys) == 0 {
		return ErrLast
	}
	return s.Factors.SaveSecret(ctx, v.Account.ID, nil, 0, nil, s.By(v))
}

// NewRecovery replaces the recovery codes of an account with a second factor.
func (s *Service) NewRecovery(ctx context.Context, v *Visitor) ([]string, error) {
	if err := s.fresh(v); err != nil {
		return nil, err
	}
	if !v.Account.Second() {
		return nil, ErrNone
	}
	codes, hashes, err := newRecovery()
	if err != nil {
		return nil, err
	}
	return codes, s.Factors.SaveRecovery(ctx, v.Account.ID, hashes, s.By(v))
}

// SealSecrets seals what a program before the vault left as it was; it returns how many secrets there were, and how many this vault cannot open.
func (s *Service) SealSecrets(ctx context.Context, keep func(ctx context.Context, account string, was, box []byte, by ledger.By) error) (sealedNow, foreign int, err error) {
	all, err := s.People.Accounts(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, a := range all {
		switch {
		case len(a.Secret) == secretLen: // a box is longer
			box, err := s.Vault.Seal(a.ID, a.Secret)
			if err != nil {
				return sealedNow, foreign, err
			}
			if err := keep(ctx, a.ID, a.Secret, box, ledger.By{Actor: ledger.Server, At: s.Now()}); err != nil {
				return sealedNow, foreign, err
			}
			sealedNow++
		case len(a.Secret) > 0:
			if _, err := s.Vault.Open(a.ID, a.Secret); err != nil {
				foreign++
			}
		}
	}
	return sealedNow, foreign, nil
}
