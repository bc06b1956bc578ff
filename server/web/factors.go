package web

import (
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"

	"aovuon/server/account"
	"aovuon/server/label"
	"aovuon/server/passkey"
)

// askView is a button that asks the browser for a passkey.
type askView struct {
	From, What, Class, Label string
	Or                       bool // there is another way below it
}

// Where a browser's question is fetched.
const (
	signInChallenge = "/sign-in/challenge"
	ownChallenge    = "/account/challenge"
)

func ask(w *words, from, what, class, label string) *askView {
	return &askView{From: inLanguage(from, w.lang), What: what, Class: class, Label: label, Or: what == "code" || what == "proof"}
}

// noPasskeys says why no passkeys are offered; empty: they are.
func (s *Server) noPasskeys(w *words) string {
	switch a := s.o.Accounts; {
	case a.Party != nil:
		return ""
	case errors.Is(a.NoParty, passkey.ErrPlain):
		return w.t("problem.plain")
	}
	return w.t("problem.host")
}

// challenge answers with a question for navigator.credentials.
func (s *Server) challenge(asked func(r *http.Request) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			s.apiRefuse(w, http.StatusBadRequest, "the form cannot be read")
			return
		}
		options, err := asked(r)
		if err != nil {
			text, status, err := s.told(s.words(r), err)
			if err != nil {
				s.apiFail(w, err)
				return
			}
			s.apiRefuse(w, status, text)
			return
		}
		s.apiSend(w, http.StatusOK, json.RawMessage(options))
	}
}

func (s *Server) askSignIn(r *http.Request) ([]byte, error) {
	if r.PostForm.Get("what") == "code" {
		return s.o.Accounts.AskCode(r.Context(), s.cookie(r, sidCookie))
	}
	return s.o.Accounts.AskSignIn(r.Context())
}

func (s *Server) askOwn(r *http.Request) ([]byte, error) {
	me := visitor(r.Context())
	if r.PostForm.Get("what") == "new" {
		return s.o.Accounts.AskNew(r.Context(), me)
	}
	return s.o.Accounts.AskProof(r.Context(), me)
}

// freshly leads those who did not show lately who they are to where they do, and back to the page they asked for.
func (s *Server) freshly(draw func(*http.Request, *words) (answer, error)) func(*http.Request, *words) (answer, error) {
	return func(r *http.Request, w *words) (answer, error) {
		if s.o.Accounts.Fresh(visitor(r.Context())) {
			return draw(r, w)
		}
		next := "/account"
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next = r.URL.Path
		}
		return answer{to: inLanguage("/account/confirm?next="+url.QueryEscape(next), w.lang)}, nil
	}
}

type confirmView struct {
	frame
	Problem, Login, Next string
	Second, Codes        bool
	Ask                  *askView
}

func (s *Server) confirmPage(r *http.Request, w *words) (answer, error) {
	return s.confirmForm(r, w, localPath(r.URL.Query().Get("next")), nil)
}

func (s *Server) confirmForm(r *http.Request, w *words, next string, wrong error) (answer, error) {
	me := visitor(r.Context()).Account
	v := confirmView{Login: me.Login, Next: next, Second: me.Second(), Codes: len(me.Secret) > 0}
	if s.o.Accounts.Party != nil && len(me.Passkeys) > 0 {
		v.Ask = ask(w, ownChallenge, "proof", "", w.t("passkey.use"))
	}
	status := http.StatusOK
	if wrong != nil {
		var err error
		if v.Problem, status, err = s.told(w, wrong); err != nil {
			return answer{}, err
		}
	}
	a, err := s.draw(r, w, "confirm.html", "account", w.t("confirm.title"), func(f frame) any {
		f.Script = "passkey.js"
		v.frame = f
		return v
	})
	a.status = status
	return a, err
}

func (s *Server) confirm(r *http.Request, w *words) (answer, error) {
	next := localPath(r.PostForm.Get("next"))
	p := account.Proof{Password: r.PostForm.Get("password"), Code: r.PostForm.Get("code"), Passkey: []byte(r.PostForm.Get("passkey"))}
	if err := s.o.Accounts.Prove(r.Context(), visitor(r.Context()), p, s.from(r)); err != nil {
		return s.confirmForm(r, w, next, err)
	}
	return answer{to: inLanguage(next, w.lang)}, nil
}

type passwordView struct {
	frame
	Problem, Login string
}

func (s *Server) passwordPage(r *http.Request, w *words) (answer, error) {
	return s.passwordForm(r, w, nil)
}

func (s *Server) passwordForm(r *http.Request, w *words, wrong error) (answer, error) {
	v := passwordView{Login: visitor(r.Context()).Account.Login}
	status := http.StatusOK
	if wrong != nil {
		var err error
		if v.Problem, status, err = s.told(w, wrong); err != nil {
			return answer{}, err
		}
	}
	a, err := s.draw(r, w, "password.html", "account", w.t("account.password"), func(f frame) any { v.frame = f; return v })
	a.status = status
	return a, err
}

func (s *Server) newPassword(r *http.Request, w *words) (answer, error) {
	o, err := s.o.Accounts.SetPassword(r.Context(), visitor(r.Context()), r.PostForm.Get("password"), s.from(r))
	if err != nil {
		return s.passwordForm(r, w, err)
	}
	return answer{to: inLanguage("/account", w.lang), set: s.opened(o)}, nil
}

type codesView struct {
	frame
	Problem  string
	Secret   string
	QR       template.HTML
	Recovery []string
	Done     string
	Next     string // after the recovery codes, or without any
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
	v := codesView{Secret: account.SecretText(secret), Next: "/account"}
	if me.Enrols() {
		v.Next = "/account/second"
	}
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
	e, err := s.o.Accounts.EnrolCodes(r.Context(), visitor(r.Context()), secret, r.PostForm.Get("code"), s.from(r))
	if err != nil {
		return s.codesForm(r, w, secret, err)
	}
	return s.enrolled(r, w, e, w.t("codes.done"))
}

// enrolled shows new recovery codes, once, and lets in who had to set a factor up first.
func (s *Server) enrolled(r *http.Request, w *words, e account.Enrolled, done string) (answer, error) {
	v := codesView{Recovery: e.Recovery, Done: done, Next: "/account"}
	var set []*http.Cookie
	if e.In != nil {
		v.Next, set = "/", s.opened(*e.In)
	}
	if len(e.Recovery) == 0 {
		return answer{to: inLanguage(v.Next, w.lang), set: set}, nil
	}
	a, err := s.draw(r, w, "codes.html", "account", w.t("codes.spare"), func(f frame) any {
		v.frame = f
		v.There = inLanguage("/account", map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
	a.set = set
	return a, err
}

func (s *Server) dropCodes(r *http.Request, w *words) (answer, error) {
	if err := s.o.Accounts.DropCodes(r.Context(), visitor(r.Context())); err != nil {
		return s.mePage(r, w, err, "")
	}
	return answer{to: inLanguage("/account", w.lang)}, nil
}

func (s *Server) newRecovery(r *http.Request, w *words) (answer, error) {
	codes, err := s.o.Accounts.NewRecovery(r.Context(), visitor(r.Context()))
	if err != nil {
		return s.mePage(r, w, err, "")
	}
	return s.enrolled(r, w, account.Enrolled{Recovery: codes}, "")
}

// secondView offers a second factor: to those who must set one up, and to those who add a passkey.
type secondView struct {
	frame
	Problem    string
	Enrols     bool
	NoPasskeys string
	Ask        *askView
}

func (s *Server) secondPage(r *http.Request, w *words) (answer, error) {
	if !visitor(r.Context()).Enrols() {
		return answer{to: inLanguage("/account", w.lang)}, nil
	}
	return s.secondForm(r, w, nil)
}

func (s *Server) passkeysPage(r *http.Request, w *words) (answer, error) {
	return s.secondForm(r, w, nil)
}

func (s *Server) secondForm(r *http.Request, w *words, wrong error) (answer, error) {
	v := secondView{Enrols: visitor(r.Context()).Enrols(), NoPasskeys: s.noPasskeys(w), Ask: ask(w, ownChallenge, "new", "", w.t("passkey.make"))}
	status := http.StatusOK
	if wrong != nil {
		var err error
		if v.Problem, status, err = s.told(w, wrong); err != nil {
			return answer{}, err
		}
	}
	title := w.t("passkey.add")
	if v.Enrols {
		title = w.t("second.title")
	}
	a, err := s.draw(r, w, "second.html", "account", title, func(f frame) any {
		f.Script = "passkey.js"
		v.frame = f
		return v
	})
	a.status = status
	return a, err
}

func (s *Server) addPasskey(r *http.Request, w *words) (answer, error) {
	e, err := s.o.Accounts.AddPasskey(r.Context(), visitor(r.Context()), r.PostForm.Get("name"), []byte(r.PostForm.Get("passkey")), s.from(r))
	if err != nil {
		return s.secondForm(r, w, err)
	}
	return s.enrolled(r, w, e, w.t("passkey.done"))
}

func (s *Server) removePasskey(r *http.Request, w *words) (answer, error) {
	err := s.o.Accounts.RemovePasskey(r.Context(), visitor(r.Context()), r.PathValue("id"))
	if errors.Is(err, account.ErrNone) {
		return s.missing(r, w, "missing.page", "")
	}
	if err != nil {
		return s.mePage(r, w, err, "")
	}
	return answer{to: inLanguage("/account", w.lang)}, nil
}
