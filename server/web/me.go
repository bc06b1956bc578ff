package web

import (
	"html/template"
	"net/http"

	"aovuon/server/account"
	"aovuon/server/label"
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
	Advised  bool // staff without one-time codes
	Card     bool // came in with a card
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
	v.Advised = me.Account.Role.Staff() && !v.HasCodes
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
	a, err := s.draw(r, w, "account.html", "account", w.t("account.title"), func(f frame) any {
		v.frame = f
		v.There = inLanguage("/account", map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
	a.status = status
	return a, err
}

func (s *Server) newPassword(r *http.Request, w *words) (answer, error) {
	o, err := s.o.Accounts.SetPassword(r.Context(), visitor(r.Context()), r.PostForm.Get("old"), r.PostForm.Get("password"), s.from(r))
	if err != nil {
		return s.mePage(r, w, err, "")
	}
	return answer{to: inLanguage("/account", w.lang), set: s.opened(o)}, nil
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

type codesView struct {
	frame
	Problem  string
	Secret   string
	QR       template.HTML
	Recovery []string
}

func (s *Server) codesPage(r *http.Request, w *words) (answer, error) {
	secret, err := account.NewSecret()
	if err != nil {
		return answer{}, err
	}
	return s.codesForm(r, w, secret, nil)
}

func (s *Server) codesForm(r *http.Request, w *words, secret []byte, wrong error) (answer, error) {
	me := visitor(r.Context())
	v := codesView{Secret: account.SecretText(secret)}
	status := http.StatusOK
	if wrong != nil {
		text, code, err := s.told(w, wrong)
		if err != nil {
			return answer{}, err
		}
		v.Problem, status = text, code
	}
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	issuer := f.Coop.Name.In(Vietnamese)
	if r := []rune(issuer); len(r) > 40 || len(r) == 0 {
		issuer = "AoVuon"
	}
	qr, err := label.NewText(account.SecretURL(secret, issuer, me.Account.Login))
	if err != nil {
		return answer{}, err
	}
	v.QR = template.HTML(qr.SVG(w.t("codes.qr")))
	a, err := s.draw(r, w, "codes.html", "account", w.t("codes.title"), func(f frame) any { v.frame = f; return v })
	a.status = status
	return a, err
}

func (s *Server) enrolCodes(r *http.Request, w *words) (answer, error) {
	secret, err := account.ParseSecret(r.PostForm.Get("secret"))
	if err != nil {
		return s.codesPage(r, w)
	}
	codes, err := s.o.Accounts.EnrolCodes(r.Context(), visitor(r.Context()), secret, r.PostForm.Get("code"), r.PostForm.Get("password"), s.from(r))
	if err != nil {
		return s.codesForm(r, w, secret, err)
	}
	v := codesView{Recovery: codes}
	return s.draw(r, w, "codes.html", "account", w.t("codes.title"), func(f frame) any { v.frame = f; return v })
}

func (s *Server) dropCodes(r *http.Request, w *words) (answer, error) {
	if err := s.o.Accounts.DropCodes(r.Context(), visitor(r.Context()), r.PostForm.Get("password"), s.from(r)); err != nil {
		return s.mePage(r, w, err, "")
	}
	return answer{to: inLanguage("/account", w.lang)}, nil
}

func (s *Server) setPIN(r *http.Request, w *words) (answer, error) {
	err := s.o.Accounts.SetPIN(r.Context(), visitor(r.Context()), r.PostForm.Get("pin"))
	return s.mePage(r, w, err, w.t("account.pin.done"))
}
