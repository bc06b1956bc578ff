package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
)

type usersView struct {
	frame
	Problem string
	People  []userLine
	Roles   []roleLine
	Places  []placeLine
	Person  account.Person
}

type userLine struct {
	account.Account
	Word   string // the role
	Places string
}

type roleLine struct {
	Name, Word, What string
	Chosen           bool
}

type placeLine struct {
	farm.Place
	Chosen bool
}

func (s *Server) usersPage(r *http.Request, w *words) (answer, error) {
	return s.usersForm(r, w, account.Person{Role: account.Farmer}, nil)
}

func (s *Server) usersForm(r *http.Request, w *words, p account.Person, wrong error) (answer, error) {
	all, err := s.o.Accounts.People.Accounts(r.Context())
	if err != nil {
		return answer{}, err
	}
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := usersView{Roles: roleLines(w, p.Role), Places: placeLines(f, p.Places), Person: p}
	status := http.StatusOK
	if wrong != nil {
		if v.Problem, status, err = s.told(w, wrong); err != nil {
			return answer{}, err
		}
	}
	for _, a := range all {
		v.People = append(v.People, userLine{a, w.t("role." + string(a.Role)), placeNames(w, f, a.Places)})
	}
	a, err := s.draw(r, w, "users.html", "users", w.t("users.title"), func(fr frame) any { v.frame = fr; return v })
	a.status = status
	return a, err
}

func roleLines(w *words, chosen account.Role) (out []roleLine) {
	for _, r := range account.Roles() {
		out = append(out, roleLine{string(r), w.t("role." + string(r)), w.t("role." + string(r) + ".what"), r == chosen})
	}
	return out
}

func placeLines(f *farm.Farm, chosen []string) (out []placeLine) {
	for _, p := range f.Places {
		out = append(out, placeLine{p, slices.Contains(chosen, p.Code)})
	}
	return out
}

func placeNames(w *words, f *farm.Farm, codes []string) string {
	var names []string
	for _, c := range codes {
		if p, ok := f.Place(c); ok {
			names = append(names, p.Title.In(w.lang))
		} else {
			names = append(names, c)
		}
	}
	return strings.Join(names, ", ")
}

// personOf reads a person from a form: these fields and no others. Places the farm does not have are left out.
func (s *Server) personOf(r *http.Request) (account.Person, error) {
	p := account.Person{Login: r.PostForm.Get("login"), Name: r.PostForm.Get("name"), Role: account.Role(r.PostForm.Get("role"))}
	f, err := s.farmNow(r.Context())
	if err != nil {
		return p, err
	}
	for _, c := range r.PostForm["place"] {
		if _, ok := f.Place(c); ok {
			p.Places = append(p.Places, c)
		}
	}
	return p, nil
}

func (s *Server) addUser(r *http.Request, w *words) (answer, error) {
	p, err := s.personOf(r)
	if err != nil {
		return answer{}, err
	}
	by := s.o.Accounts.By(visitor(r.Context()))
	a, err := s.o.Accounts.Add(r.Context(), p, by)
	if err != nil {
		return s.usersForm(r, w, p, err)
	}
	token, err := s.o.Accounts.NewLink(r.Context(), a.ID, by)
	if err != nil {
		return answer{}, err
	}
	return s.userForm(r, w, a.ID, userView{Link: s.base + "/setup/" + token})
}

type userView struct {
	frame
	Problem  string
	Link     string // that sets a password; shown once
	Person   account.Account
	Self     bool
	Out      bool // disabled
	Roles    []roleLine
	Places   []placeLine
	Sessions []account.Session
	Farmer   bool
	Staff    bool
	Second   bool
	Codes    bool
	Keys     int64
}

func (s *Server) userPage(r *http.Request, w *words) (answer, error) {
	return s.userForm(r, w, r.PathValue("id"), userView{})
}

func (s *Server) userForm(r *http.Request, w *words, id string, v userView) (answer, error) {
	a, err := s.o.Accounts.People.AccountOf(r.Context(), id)
	if errors.Is(err, account.ErrNone) {
		return s.missing(r, w, "missing.page", "")
	}
	if err != nil {
		return answer{}, err
	}
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	if v.Sessions, err = s.o.Accounts.Sessions.SessionsOf(r.Context(), id); err != nil {
		return answer{}, err
	}
	v.Person, v.Roles, v.Places = a, roleLines(w, a.Role), placeLines(f, a.Places)
	v.Self, v.Out, v.Farmer = visitor(r.Context()).Account.ID == id, !a.Disabled.IsZero(), a.Role == account.Farmer
	v.Staff, v.Second, v.Codes, v.Keys = a.Role.Staff(), a.Second(), len(a.Secret) > 0, int64(len(a.Passkeys))
	out, err := s.draw(r, w, "user.html", "users", a.Name, func(fr frame) any {
		v.frame = fr
		v.There = inLanguage("/users/"+id, map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
	if v.Problem != "" {
		out.status = http.StatusUnprocessableEntity
	}
	return out, err
}

func (s *Server) editUser(r *http.Request, w *words) (answer, error) {
	p, err := s.personOf(r)
	if err != nil {
		return answer{}, err
	}
	_, err = s.o.Accounts.Edit(r.Context(), r.PathValue("id"), p, s.o.Accounts.By(visitor(r.Context())))
	return s.actedOnUser(r, w, "", err)
}

// actOnUser does what a button of a person's page says.
func (s *Server) actOnUser(r *http.Request, w *words) (answer, error) {
	id, by := r.PathValue("id"), s.o.Accounts.By(visitor(r.Context()))
	token := ""
	_, err := s.o.Accounts.People.AccountOf(r.Context(), id)
	switch what := r.PathValue("what"); {
	case err != nil:
	case what == "disable", what == "enable":
		_, err = s.o.Accounts.Disable(r.Context(), id, what == "disable", by)
	case what == "reset":
		token, err = s.o.Accounts.Reset(r.Context(), id, by)
	case what == "link":
		token, err = s.o.Accounts.NewLink(r.Context(), id, by)
	case what == "end":
		err = s.o.Accounts.Sessions.EndSessions(r.Context(), id, r.PostForm.Get("session"), by)
	default:
		return s.missing(r, w, "missing.page", "")
	}
	return s.actedOnUser(r, w, token, err)
}

func (s *Server) actedOnUser(r *http.Request, w *words, token string, err error) (answer, error) {
	id := r.PathValue("id")
	switch {
	case errors.Is(err, account.ErrNone):
		return s.missing(r, w, "missing.page", "")
	case err != nil:
		text, _, err := s.told(w, err)
		if err != nil {
			return answer{}, err
		}
		return s.userForm(r, w, id, userView{Problem: text})
	case token != "":
		return s.userForm(r, w, id, userView{Link: s.base + "/setup/" + token})
	}
	return answer{to: inLanguage("/users/"+id, w.lang)}, nil
}
