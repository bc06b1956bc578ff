package web

import (
	"net/http"

	"aovuon/server/account"
)

type meView struct {
	frame
	Me       account.Account
	Role     string
	Problem  string
	Done     string
	Sessions []sessionLine
	Recovery int64
	HasCodes bool
	Second   bool
	Staff    bool
	Advised  bool // staff without a second factor
	Card     bool // came in with a card
	// Household: there are places of one's own, and a register that says whose they are.
	Household bool

	HasPIN bool // which has one

	Alarms *ownAlarms // nil: nobody is told here

	Passkeys   []account.Passkey
	NoPasskeys string // why none are offered
}

type sessionLine struct {
	account.Session
	Here bool
}

func (s *Server) me(r *http.Request, w *words) (answer, error) { return s.mePage(r, w, nil, "") }

// mePage draws the visitor's own account; err is what went wrong just now, done what went well.
func (s *Server) mePage(r *http.Request, w *words, wrong error, done string) (answer, error) {
	me := visitor(r.Context())
	v := meView{
		Me: me.Account, Role: w.t("role." + string(me.Account.Role)), Done: done, HasCodes: len(me.Account.Secret) > 0, Card: me.Session.Card != "",
	}
	v.Second, v.Staff, v.NoPasskeys = me.Account.Second(), me.Account.Role.Staff(), s.noPasskeys(w)
	v.Advised = v.Staff && !v.Second
	v.Household = len(me.Account.Places) > 0 && s.o.Registrar != nil && s.o.Book != nil
	status := http.StatusOK
	if wrong != nil {
		text, code, err := s.told(w, wrong)
		if err != nil {
			return answer{}, err
		}
		v.Problem, status = text, code
	}
	list, err := s.o.Accounts.Sessions.SessionsOf(r.Context(), me.Account.ID)
	if err != nil {
		return answer{}, err
	}
	for _, x := range list {
		v.Sessions = append(v.Sessions, sessionLine{x, x.ID == me.Session.ID})
	}
	left, err := s.o.Accounts.Factors.RecoveryLeft(r.Context(), me.Account.ID)
	if err != nil {
		return answer{}, err
	}
	v.Recovery = int64(left)
	if v.Card {
		if v.HasPIN, err = s.o.Accounts.HasPIN(r.Context(), me); err != nil {
			return answer{}, err
		}
	}
	if v.Alarms, err = s.ownAlarms(r, w, me.Account); err != nil {
		return answer{}, err
	}
	if v.Passkeys, err = s.o.Accounts.Passkeys.PasskeysOf(r.Context(), me.Account.ID); err != nil {
		return answer{}, err
	}
	a, err := s.draw(r, w, "account.html", "account", w.t("account.title"), func(f frame) any {
		v.frame = f
		v.There = inLanguage("/account", map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
	a.status = status
	return a, err
}

// endSession ends one of the visitor's own sessions, or all of them.
func (s *Server) endSession(r *http.Request, w *words) (answer, error) {
	me := visitor(r.Context())
	id := r.PostForm.Get("id")
	if id == "" && r.PostForm.Get("all") == "" {
		return s.mePage(r, w, nil, "")
	}
	if err := s.o.Accounts.Sessions.EndSessions(r.Context(), me.Account.ID, id, s.o.Accounts.By(me)); err != nil {
		return answer{}, err
	}
	return answer{to: inLanguage("/account", w.lang)}, nil
}

func (s *Server) setPIN(r *http.Request, w *words) (answer, error) {
	err := s.o.Accounts.SetPIN(r.Context(), visitor(r.Context()), r.PostForm.Get("old"), r.PostForm.Get("pin"))
	return s.mePage(r, w, err, w.t("account.pin.done"))
}
