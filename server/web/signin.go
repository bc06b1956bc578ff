package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"aovuon/server/account"
)

// accountRoutes are where people get in, and where accounts are kept.
func (s *Server) accountRoutes() []route {
	if s.o.Accounts == nil {
		return nil
	}
	entry := account.NewBucket(entryBurst, entryEvery, s.o.Now)
	enter := func(act func(*http.Request, *words) (answer, error)) http.HandlerFunc {
		return s.entering(entry, s.form(act))
	}
	enrol := guard{action: account.OwnAccount, enrol: true}
	own, users, cards := needs(account.OwnAccount), needs(account.ManageAccounts), needs(account.ManageCards)
	return []route{
		{"GET /sign-in", everybody(), s.page(s.signInPage)},
		{"POST /sign-in", everybody(), enter(s.signIn)},
		{"POST /sign-in/code", everybody(), enter(s.signInCode)},
		{"POST " + signInChallenge, guard{public: true, script: true}, s.entering(entry, s.challenge(s.askSignIn))},
		{"POST /sign-out", everybody(), s.form(s.signOut)},
		{"GET /setup/{token}", everybody(), s.entering(entry, s.page(s.setupPage))},
		{"POST /setup/{token}", everybody(), enter(s.setup)},
		{"GET /c", everybody(), s.page(s.keyCardPage)},
		{"GET /c/{code}", everybody(), s.entering(entry, s.page(s.keyCardPage))},
		{"POST /c", everybody(), enter(s.keyCard)},

		{"GET /account", own, s.page(s.me)},
		{"GET /account/confirm", own, s.page(s.confirmPage)},
		{"POST /account/confirm", own, enter(s.confirm)},
		{"GET /account/second", enrol, s.page(s.secondPage)},
		{"POST " + ownChallenge, guard{action: account.OwnAccount, enrol: true, script: true}, s.entering(entry, s.challenge(s.askOwn))},
		{"GET /account/password", own, s.page(s.freshly(s.passwordPage))},
		{"POST /account/password", own, s.form(s.freshly(s.newPassword))},
		{"POST /account/sessions", own, s.form(s.endSession)},
		{"GET /account/codes", enrol, s.page(s.freshly(s.codesPage))},
		{"POST /account/codes", enrol, s.form(s.freshly(s.enrolCodes))},
		{"POST /account/codes/off", own, s.form(s.freshly(s.dropCodes))},
		{"POST /account/recovery", own, s.form(s.freshly(s.newRecovery))},
		{"GET /account/passkeys", enrol, s.page(s.freshly(s.passkeysPage))},
		{"POST /account/passkeys", enrol, s.form(s.freshly(s.addPasskey))},
		{"POST /account/passkeys/{id}/remove", own, s.form(s.freshly(s.removePasskey))},
		{"POST /account/pin", own, s.form(s.setPIN)},

		{"GET /users", users, s.page(s.usersPage)},
		{"POST /users", users, s.form(s.addUser)},
		{"GET /users/{id}", users, s.page(s.userPage)},
		{"POST /users/{id}", users, s.form(s.editUser)},
		{"POST /users/{id}/{what}", users, s.form(s.actOnUser)},

		{"GET /cards", cards, s.page(s.cardsPage)},
		{"POST /cards", cards, s.form(s.makeCards)},
		{"POST /cards/{id}/revoke", cards, s.form(s.revokeCard)},

		{"GET /trail", needs(account.SeeTrail), s.page(s.trailPage)},
	}
}

type signInView struct {
	frame
	Problem  string
	Login    string
	Next     string
	CardHref string // to sign in with a key card
	Code     bool   // the password was right; the second factor is asked for
	Codes    bool   // there are one-time codes, beside recovery codes
	Ask      *askView
}

func (s *Server) signInPage(r *http.Request, w *words) (answer, error) {
	if visitor(r.Context()) != nil {
		return answer{to: inLanguage(localPath(r.URL.Query().Get("next")), w.lang)}, nil
	}
	return s.signInForm(r, w, signInView{Next: localPath(r.URL.Query().Get("next"))})
}

func (s *Server) signInForm(r *http.Request, w *words, v signInView) (answer, error) {
	if !v.Code && s.o.Accounts.Party != nil {
		v.Ask = ask(w, signInChallenge, "any", "quiet", w.t("passkey.signin"))
	}
	a, err := s.draw(r, w, "signin.html", "signin", w.t("signin.title"), func(f frame) any {
		f.Script = "passkey.js"
		v.frame, v.CardHref = f, "/c"+nextQuery(v.Next)
		return v
	})
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// codeForm asks for the second factor of a half session.
func (s *Server) codeForm(r *http.Request, w *words, token, next, problem string) (answer, error) {
	a, err := s.o.Accounts.Half(r.Context(), token)
	if errors.Is(err, account.ErrRefused) {
		return s.signInForm(r, w, signInView{Problem: w.t("problem.late"), Next: next})
	}
	if err != nil {
		return answer{}, err
	}
	v := signInView{Problem: problem, Code: true, Codes: len(a.Secret) > 0, Next: next}
	if s.o.Accounts.Party != nil && len(a.Passkeys) > 0 {
		v.Ask = ask(w, signInChallenge, "code", "", w.t("passkey.use"))
	}
	return s.signInForm(r, w, v)
}

// signIn takes login and password, or a passkey. Who signs in again ends the session that was there.
func (s *Server) signIn(r *http.Request, w *words) (answer, error) {
	next := localPath(r.PostForm.Get("next"))
	var o account.Opened
	var err error
	if key := r.PostForm.Get("passkey"); key != "" {
		o, err = s.o.Accounts.SignInPasskey(r.Context(), []byte(key), s.from(r))
	} else {
		o, err = s.o.Accounts.SignIn(r.Context(), r.PostForm.Get("login"), r.PostForm.Get("password"), s.from(r))
	}
	if err != nil {
		text, status, err := s.told(w, err)
		if err != nil {
			return answer{}, err
		}
		a, err := s.signInForm(r, w, signInView{Problem: text, Login: r.PostForm.Get("login"), Next: next})
		a.status = status
		return a, err
	}
	if o.NeedsCode {
		a, err := s.codeForm(r, w, o.Token, next, "")
		a.set = s.opened(o)
		return a, err
	}
	return s.enter(r, w, o, next)
}

// enter leads somebody in whose session was just opened.
func (s *Server) enter(r *http.Request, w *words, o account.Opened, next string) (answer, error) {
	if v := visitor(r.Context()); v != nil {
		if err := s.o.Accounts.SignOut(r.Context(), v); err != nil && !errors.Is(err, account.ErrNone) {
			return answer{}, err
		}
	}
	if o.NeedsEnrol {
		next = "/account/second"
	}
	return answer{to: inLanguage(next, w.lang), set: s.opened(o)}, nil
}

// opened are the cookies of a session. They last as long as the session may at most; the server ends it earlier.
func (s *Server) opened(o account.Opened) []*http.Cookie {
	last := account.AbsoluteLimit
	if o.Card {
		last = account.CardAbsolute
	}
	set := []*http.Cookie{s.newCookie(sidCookie, o.Token, int(last/(24*time.Hour)))}
	if o.Device != "" && !o.NeedsCode {
		set = append(set, s.newCookie(deviceCookie, o.Device, 400))
	}
	return set
}

func (s *Server) signInCode(r *http.Request, w *words) (answer, error) {
	next := localPath(r.PostForm.Get("next"))
	token := s.cookie(r, sidCookie)
	var o account.Opened
	var err error
	if key := r.PostForm.Get("passkey"); key != "" {
		o, err = s.o.Accounts.CodePasskey(r.Context(), token, []byte(key), s.from(r))
	} else {
		o, err = s.o.Accounts.Code(r.Context(), token, r.PostForm.Get("code"), s.from(r))
	}
	if err != nil {
		text, status, err := s.told(w, err)
		if err != nil {
			return answer{}, err
		}
		a, err := s.codeForm(r, w, token, next, text)
		a.status = status
		return a, err
	}
	return s.enter(r, w, o, next)
}

func (s *Server) signOut(r *http.Request, w *words) (answer, error) {
	if v := visitor(r.Context()); v != nil {
		if err := s.o.Accounts.SignOut(r.Context(), v); err != nil {
			return answer{}, err
		}
	}
	return answer{to: inLanguage("/sign-in", w.lang), set: []*http.Cookie{s.newCookie(sidCookie, "", 0)}}, nil
}

type setupView struct {
	frame
	account.Invited
	Problem     string
	Wrong       map[string]string // by field
	Login, Name string
	Action      string
}

func (s *Server) setupPage(r *http.Request, w *words) (answer, error) {
	return s.setupForm(r, w, setupView{})
}

func (s *Server) setupForm(r *http.Request, w *words, v setupView) (answer, error) {
	i, err := s.o.Accounts.Peek(r.Context(), r.PathValue("token"))
	if errors.Is(err, account.ErrLink) || errors.Is(err, account.ErrNone) {
		return s.missing(r, w, "missing.link", "")
	}
	if err != nil {
		return answer{}, err
	}
	if v.Invited = i; !i.First {
		v.Login = i.Login
	}
	v.Action = inLanguage("/setup/"+url.PathEscape(r.PathValue("token")), w.lang)
	a, err := s.draw(r, w, "setup.html", "", w.t("setup.title"), func(f frame) any {
		v.frame = f
		v.There = inLanguage("/setup/"+url.PathEscape(r.PathValue("token")), map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
	return a, err
}

// setupWrongs says at which fields of a link's form something is wrong, and how to mend it.
func setupWrongs(w *words, err error) map[string]string {
	out := map[string]string{}
	for _, at := range []struct {
		field string
		err   error
	}{
		{"login", account.ErrLogin},
		{"login", account.ErrTaken},
		{"name", account.ErrName},
		{"password", account.ErrShort},
		{"password", account.ErrNamed},
		{"password", account.ErrCommon},
	} {
		if errors.Is(err, at.err) {
			key, _ := problem(at.err)
			out[at.field] = w.t(key)
		}
	}
	return out
}

func (s *Server) setup(r *http.Request, w *words) (answer, error) {
	p := account.Person{Login: r.PostForm.Get("login"), Name: r.PostForm.Get("name")}
	next := "/account"
	if i, err := s.o.Accounts.Peek(r.Context(), r.PathValue("token")); err == nil && i.First && s.o.Registrar != nil {
		next = "/start"
	}
	o, err := s.o.Accounts.Redeem(r.Context(), r.PathValue("token"), p, r.PostForm.Get("password"), s.from(r))
	if err != nil {
		wrong := setupWrongs(w, err)
		text, status, err := s.told(w, err)
		if err != nil {
			return answer{}, err
		}
		if len(wrong) > 0 {
			text = w.t("setup.wrong")
		}
		a, err := s.setupForm(r, w, setupView{Problem: text, Wrong: wrong, Login: p.Login, Name: p.Name})
		if a.status == http.StatusOK {
			a.status = status
		}
		return a, err
	}
	if o.NeedsCode {
		a, err := s.codeForm(r, w, o.Token, next, "")
		a.set = s.opened(o)
		return a, err
	}
	return s.enter(r, w, o, next)
}
