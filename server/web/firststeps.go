package web

import (
	"context"
	"log/slog"
	"net/http"

	"aovuon/server/account"
	"aovuon/server/farm"
)

// firstStep is one thing to do before a new co-op's pages are of use. It is ticked by what is on record, never by hand.
type firstStep struct {
	Name, Label, Help, Href, Go string
	Done                        bool
}

type startView struct {
	frame
	Steps []firstStep
	Left  int64
	Trust bool // phones have to install the server's certificate
}

func (s *Server) startRoutes() []route {
	if s.o.Accounts == nil || s.o.Registrar == nil {
		return nil
	}
	return []route{{"GET /start", needs(account.EditFarm), s.page(s.startPage)}}
}

// startPage lists the first steps.
func (s *Server) startPage(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	steps, err := s.firstSteps(r.Context(), w, f)
	if err != nil {
		return answer{}, err
	}
	v := startView{Steps: steps, Trust: s.o.CA != nil}
	for _, x := range steps {
		if !x.Done {
			v.Left++
		}
	}
	return s.draw(r, w, "start.html", "home", w.t("start.title"), func(fr frame) any { v.frame = fr; return v })
}

// led reports whether a visitor's dashboard leads to the first steps: as long as nothing is measured anywhere.
func (s *Server) led(ctx context.Context, f *farm.Farm) bool {
	return s.o.Accounts != nil && s.o.Registrar != nil && !f.Coop.Demo && (len(f.Places) == 0 || len(f.Mounts) == 0) && s.may(ctx, account.EditFarm)
}

// firstSteps are the steps a visitor may take, in the order in which one needs the other.
func (s *Server) firstSteps(ctx context.Context, w *words, f *farm.Farm) ([]firstStep, error) {
	sys, err := s.o.System(ctx)
	if err != nil {
		return nil, err
	}
	seen, gateways := false, 0
	for _, g := range sys.Gateways {
		if g.Retired.IsZero() && !g.Unsigned() {
			gateways++
			seen = seen || !g.Seen.IsZero()
		}
	}
	people, err := s.o.Accounts.People.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	var out []firstStep
	add := func(there bool, action account.Action, name, href string, done bool) {
		if there && s.may(ctx, action) {
			out = append(out, firstStep{name, w.t("start." + name), w.t("start." + name + ".help"), href, w.t("start." + name + ".go"), done})
		}
	}
	me := visitor(ctx)
	add(me != nil, account.OwnAccount, "second", "/account", me != nil && me.Account.Second())
	add(s.o.Backups != nil, account.ManageAccounts, "backup", backupPath, sys.Backup != nil && !sys.Backup.Made.IsZero())
	add(true, account.EditFarm, "place", "/land/new", len(f.Places) > 0)
	add(s.o.Claims != nil, account.EditFarm, "gateway", "/gateways/new", gateways > 0)
	add(gateways > 0, account.SeeSystem, "seen", "/system", seen)
	mounts := "/land"
	if len(f.Places) == 1 {
		mounts = "/land/" + f.Places[0].Code
	}
	add(true, account.EditFarm, "mount", mounts, len(f.Mounts) > 0)
	add(true, account.ManageAccounts, "people", "/users", len(people) > 1)
	if s.may(ctx, account.ManageCards) {
		cards, err := s.o.Accounts.Cards.Cards(ctx)
		if err != nil {
			return nil, err
		}
		add(true, account.ManageCards, "cards", "/cards", len(cards) > 0)
	}
	if s.o.Notify != nil {
		contacts, err := s.o.Notify.Contacts(ctx)
		if err != nil { // the list without this tick is better than none
			s.o.Log.Warn("contacts", slog.Any("err", err))
		}
		add(true, account.EditFarm, "contacts", "/contacts", len(contacts) > 0)
	}
	return out, nil
}
