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
type entry struct {
	Name, Href, Label string
	Icon              string // symbol of templates/icons.html; only those at the top of menuLines need one
	Group             string // what it belongs to behind "more"
	Near              bool   // also beside the first ones, where a screen is wide
}

// A phone has room for mostShown entries beside each other at its lower edge; of more the rest is behind "more". A wide screen shows
// nearShown more of them.
const (
	mostShown = 5
	nearShown = 4
)

// Barred reports whether the page has the navigation.
func (f frame) Barred() bool { return len(f.Menu) > 0 && !f.Plain }

// Shown are the entries that are always seen.
func (f frame) Shown() []entry {
	if len(f.Menu) <= mostShown {
		return f.Menu
	}
	return f.Menu[:mostShown-1]
}

// Near are those of the others that a wide screen has room for.
func (f frame) Near() []entry {
	rest := f.Menu[len(f.Shown()):]
	return rest[:min(len(rest), nearShown)]
}

// entryGroup are the entries behind "more" that belong together.
type entryGroup struct {
	Label   string
	Entries []entry
	Near    bool // all of them stand beside the first ones, where a screen is wide
}

// Rest are the others, by what they belong to.
func (f frame) Rest() []entryGroup {
	var out []entryGroup
	at := map[string]int{}
	for i, e := range f.Menu[len(f.Shown()):] {
		g, ok := at[e.Group]
		if !ok {
			g = len(out)
			at[e.Group], out = g, append(out, entryGroup{Label: e.Group, Near: true})
		}
		e.Near = i < nearShown
		out[g].Entries = append(out[g].Entries, e)
		out[g].Near = out[g].Near && e.Near
	}
	return out
}

// InRest reports whether this page is one of the others.
func (f frame) InRest() bool {
	return slices.ContainsFunc(f.Menu[len(f.Shown()):], func(e entry) bool { return e.Name == f.Nav })
}

// menuLine is one line of the table of the navigation: nav.NAME is its label, nav.group.GROUP what it belongs to.
type menuLine struct {
	name, href string
	action     account.Action // what a visitor must be allowed to do
	group      string         // now, work, goods, office
	there      bool           // this server has the page
}

// menuLines are the pages of the navigation. The order is what people need: the first four that a visitor may see lie at the lower edge of a
// phone and need a symbol n-NAME in templates/icons.html; the others are behind "more", by their group.
func (s *Server) menuLines() []menuLine {
	book := s.o.Book != nil
	kin := s.o.Recall != nil && s.o.Goods != nil && book
	return []menuLine{
		{"home", "/", account.SeePlaces, "now", true},
		{"alarms", "/alarms", account.SeePlaces, "now", s.o.Alarms != nil},
		{"diary", "/diary", account.ReadBook, "work", book},
		{"forecast", "/forecast", account.SeePlaces, "now", s.o.Dawn != nil},
		{"gates", "/gates", account.SeeRegister, "work", s.o.Gates != nil && book},
		{"book", "/book", account.ReadBook, "work", book},
		{"water", "/water", account.SeePlaces, "now", s.o.Soil != nil},
		{"lots", "/lots", account.SeeRegister, "goods", s.o.Goods != nil},
		{"trace", "/trace", account.SeeRegister, "goods", kin},
		{"recall", "/recall", account.SeeRegister, "goods", kin},
		{"farm", "/farm", account.SeeRegister, "work", book},
		{"blight", "/blight", account.ReadBook, "work", s.o.Blight != nil && book},
		{"pests", "/pests", account.ReadBook, "work", book},
		{"bulletin", "/bulletin", account.SeeRegister, "now", s.o.Board != nil && book},
		{"labels", "/labels", account.EditFarm, "goods", true},
		{"scans", "/scans", account.SeeRegister, "goods", s.o.ScanDesk != nil},
		{"contacts", "/contacts", account.EditFarm, "now", s.o.Notify != nil},
		{"readings", "/readings", account.SeePlaces, "office", true},
		{"wall", "/wall", account.SeeAllPlaces, "office", true},
		{"system", "/system", account.SeeSystem, "office", true},
		{"cards", "/cards", account.ManageCards, "office", true},
		{"users", "/users", account.ManageAccounts, "office", true},
		{"trail", "/trail", account.SeeTrail, "office", true},
		{"ledger", "/ledger", account.SeeTrail, "office", true},
		{"help", "/help", account.SeeRegister, "office", true},
		{"account", "/account", account.OwnAccount, "office", true},
	}
}

// menu are the pages a visitor may see.
func (s *Server) menu(ctx context.Context, w *words) (out []entry) {
	for _, l := range s.menuLines() {
		if l.there && s.may(ctx, l.action) {
			out = append(out, entry{Name: l.name, Href: l.href, Label: w.t("nav." + l.name), Icon: "n-" + l.name, Group: w.t("nav.group." + l.group)})
		}
	}
	if visitor(ctx) == nil && s.o.Accounts != nil {
		out = append(out, entry{Name: "signin", Href: "/sign-in", Label: w.t("nav.signin"), Icon: "n-account", Group: w.t("nav.group.office")})
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
	if own, ok := errors.AsType[*ownError](err); ok {
		return own.text, http.StatusUnprocessableEntity, nil
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
