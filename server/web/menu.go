package web

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"aovuon/server/account"
	"aovuon/server/farm"
)

// entry is one entry of the navigation.
type entry struct{ Name, Href, Label string }

// mostShown is how many entries of the navigation a phone has room for beside each other; of more the rest is behind "more".
const mostShown = 5

// Shown are the entries that are always seen.
func (f frame) Shown() []entry {
	if len(f.Menu) <= mostShown {
		return f.Menu
	}
	return f.Menu[:mostShown-1]
}

// Rest are the others.
func (f frame) Rest() []entry { return f.Menu[len(f.Shown()):] }

// InRest reports whether this page is one of the others.
func (f frame) InRest() bool {
	return slices.ContainsFunc(f.Rest(), func(e entry) bool { return e.Name == f.Nav })
}

// menu are the pages a visitor may see, those that people need every day first.
func (s *Server) menu(ctx context.Context, w *words) (out []entry) {
	for _, e := range []struct {
		name, href string
		action     account.Action
	}{
		{"home", "/", account.SeePlaces},
		{"diary", "/diary", account.ReadBook},
		{"gates", "/gates", account.SeeRegister},
		{"book", "/book", account.ReadBook},
		{"lots", "/lots", account.SeeRegister},
		{"trace", "/trace", account.SeeRegister},
		{"recall", "/recall", account.SeeRegister},
		{"farm", "/farm", account.SeeRegister},
		{"labels", "/labels", account.EditFarm},
		{"scans", "/scans", account.SeeRegister},
		{"system", "/system", account.SeeSystem},
		{"cards", "/cards", account.ManageCards},
		{"users", "/users", account.ManageAccounts},
		{"trail", "/trail", account.SeeTrail},
		{"account", "/account", account.OwnAccount},
	} {
		if e.name == "lots" && s.o.Goods == nil {
			continue
		}
		if (e.name == "trace" || e.name == "recall") && (s.o.Recall == nil || s.o.Goods == nil || s.o.Book == nil) {
			continue
		}
		if e.name == "scans" && s.o.ScanDesk == nil {
			continue
		}
		if e.name == "gates" && (s.o.Gates == nil || s.o.Book == nil) {
			continue
		}
		if s.may(ctx, e.action) && (e.name != "diary" && e.name != "farm" && e.name != "book" || s.o.Book != nil) {
			out = append(out, entry{e.name, e.href, w.t("nav." + e.name)})
		}
	}
	if visitor(ctx) == nil && s.o.Accounts != nil {
		out = append(out, entry{"signin", "/sign-in", w.t("nav.signin")})
	}
	return out
}

// draw renders a page of forms.
func (s *Server) draw(r *http.Request, w *words, file, nav, title string, fill func(frame) any) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	fr := s.frame(r, w, f, title)
	fr.Nav, fr.Forms = nav, true
	body, err := s.e.render(w.lang, file, "layout", fill(fr))
	return answer{status: http.StatusOK, body: body, secret: true}, err
}

// told returns the words for what somebody did wrong, and the status; an error of ours comes back.
func (s *Server) told(w *words, err error) (string, int, error) {
	if wait, ok := errors.AsType[*account.WaitError](err); ok {
		return w.t("problem.wait", w.count(int64(wait.Wait.Seconds())+1)), http.StatusTooManyRequests, nil
	}
	if key, ok := problem(err); ok {
		return w.t(key), http.StatusUnprocessableEntity, nil
	}
	return "", 0, err
}

type boardPageView struct {
	frame
	Place farm.Place
	Zone  string
	Next  string
}

// boardPage is what the code on a place's board leads to: the whole page for those who may see it, for everybody else what the board itself says.
func (s *Server) boardPage(r *http.Request, w *words) (answer, error) {
	if f, p, ok, err := s.placeAsked(r); ok || err != nil {
		if err != nil {
			return answer{}, err
		}
		if s.o.Book != nil && s.mayWrite(r.Context(), p.Code) {
			return s.spot(r, w, f, p)
		}
		return s.place(r, w)
	}
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return answer{}, err
	}
	code, bad := farm.ParseCode(r.PathValue("code"))
	p, ok := f.Place(code)
	if bad != nil || !ok {
		return s.missing(r, w, "missing.place", "")
	}
	if visitor(r.Context()) == nil {
		return s.placePublic(r, w, f, p)
	}
	v := boardPageView{Place: p, Next: inLanguage("/sign-in?next=/p/"+p.Code, w.lang)}
	if z, ok := f.Zone(p.Zone); ok {
		v.Zone = z.Name.In(w.lang)
	}
	return s.draw(r, w, "board.html", "", p.Title.In(w.lang), func(fr frame) any { v.frame = fr; return v })
}
