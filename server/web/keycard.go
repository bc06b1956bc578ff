package web

import (
	"errors"
	"net/http"
	"net/url"

	"aovuon/server/account"
)

type keyCardView struct {
	frame
	account.Seen
	Problem string
	Code    string // of the card that is held before the phone; empty: it is typed, or the phone's own
	Ready   bool   // a card may be used
	Own     bool   // it is the one this phone is bound to
	Next    string // where to go on to
}

// keyCardPage is where a card's QR code leads. Looking at it changes nothing: programs that preview links look, too.
func (s *Server) keyCardPage(r *http.Request, w *words) (answer, error) {
	v := keyCardView{Code: r.PathValue("code")}
	seen, err := s.o.Accounts.SeeCard(r.Context(), v.Code, s.from(r))
	v.Seen, v.Ready, v.Own = seen, err == nil, err == nil && v.Code == ""
	if err != nil && v.Code != "" { // without a code this is the page to type one on
		text, status, err := s.told(w, err)
		if err != nil {
			return answer{}, err
		}
		v.Problem = text
		if errors.Is(err, account.ErrTyped) {
			v.Code = ""
		}
		a, err := s.keyCardForm(r, w, v)
		a.status = status
		return a, err
	}
	if _, known := problem(err); err != nil && !known {
		if _, waits := errors.AsType[*account.WaitError](err); !waits {
			return answer{}, err
		}
	}
	return s.keyCardForm(r, w, v)
}

func (s *Server) keyCardForm(r *http.Request, w *words, v keyCardView) (answer, error) {
	a, err := s.draw(r, w, "keycard.html", "signin", w.t("keycard.title"), func(f frame) any {
		v.frame, v.Next = f, localPath(r.FormValue("next"))
		v.There = inLanguage("/c", map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
	return a, err
}

// keyCard lets a farmer in by a card; with "look" it only goes on to the page of the code that was typed.
func (s *Server) keyCard(r *http.Request, w *words) (answer, error) {
	typed := r.PostForm.Get("code")
	fail := func(err error, v keyCardView) (answer, error) {
		text, status, err := s.told(w, err)
		if err != nil {
			return answer{}, err
		}
		v.Problem = text
		a, err := s.keyCardForm(r, w, v)
		a.status = status
		return a, err
	}
	if r.PostForm.Get("look") != "" {
		code, err := account.ParseCard(typed)
		if err != nil {
			return fail(err, keyCardView{})
		}
		return answer{to: inLanguage("/c/"+code+nextQuery(r.PostForm.Get("next")), w.lang)}, nil
	}
	o, err := s.o.Accounts.UseCard(r.Context(), typed, r.PostForm.Get("pin"), s.from(r))
	if err == nil {
		return s.enter(r, w, o, localPath(r.PostForm.Get("next")))
	}
	v := keyCardView{Code: typed}
	if errors.Is(err, account.ErrPIN) || errors.Is(err, account.ErrWrongPIN) {
		v.Ready, v.Fresh, v.PIN, v.Own = true, errors.Is(err, account.ErrPIN), errors.Is(err, account.ErrWrongPIN), typed == ""
	}
	return fail(err, v)
}

// nextQuery names where to go on to in an address; "" for the first page.
func nextQuery(next string) string {
	if next = localPath(next); next == "/" {
		return ""
	}
	return "?next=" + url.QueryEscape(next)
}
