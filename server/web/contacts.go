package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/channel/bulletin"
	"aovuon/server/farm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// notifyRoutes are who is told of alarms, how, and what was sent.
func (s *Server) notifyRoutes() []route {
	if s.o.Notify == nil {
		return nil
	}
	edit, read, own := needs(account.EditFarm), needs(account.SeeRegister), needs(account.OwnAccount)
	return []route{
		{"GET /contacts", edit, s.page(s.contactsPage)},
		{"GET /contacts/new", edit, s.page(s.contactPage)},
		{"POST /contacts/new", edit, s.form(s.saveContact)},
		{"GET /contacts/{id}", edit, s.page(s.contactPage)},
		{"POST /contacts/{id}", edit, s.form(s.saveContact)},
		{"POST /contacts/{id}/test", edit, s.form(s.testContact)},
		{"POST /contacts/{id}/remove", edit, s.form(s.removeContact)},
		{"GET /messages", read, s.page(s.messagesPage)},
		{"GET /ladder", edit, s.page(s.ladderPage)},
		{"POST /ladder", edit, s.form(s.saveLadder)},
		{"POST /account/alarms", own, s.form(s.saveOwnAlarms)},
	}
}

type contactsView struct {
	frame
	Steps      []stepView
	NoChannels bool
	Nobody     bool // critical alarms of some place reach nobody
}

type stepView struct {
	Title string
	Lines []contactLine
}

type contactLine struct {
	ID, Name string
	Ways     []string
	What     string   // places, what they are told, when not
	Wrong    []string // why nothing is sent
}

func (s *Server) contactsPage(r *http.Request, w *words) (answer, error) {
	list, err := s.o.Notify.Contacts(r.Context())
	if err != nil {
		return answer{}, err
	}
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := contactsView{NoChannels: !slices.ContainsFunc(s.o.Notify.Channels(), func(name string) bool { return name != bulletin.Name })} // a text to read out wakes nobody
	v.Nobody = len(list) > 0 && !slices.ContainsFunc(list, func(c notify.Contact) bool { return c.Reached() && len(c.Places) == 0 })
	for _, c := range list {
		title := w.t("contacts.step", w.count(int64(c.Step)+1)) // people count from one
		if c.Step == 0 {
			title = w.t("contacts.step.first")
		}
		if n := len(v.Steps); n == 0 || v.Steps[n-1].Title != title {
			v.Steps = append(v.Steps, stepView{Title: title})
		}
		at := &v.Steps[len(v.Steps)-1]
		at.Lines = append(at.Lines, s.contactLine(w, f, c))
	}
	return s.draw(r, w, "contacts.html", "contacts", w.t("contacts.title"), func(fr frame) any { v.frame = fr; return v })
}

func (s *Server) contactLine(w *words, f *farm.Farm, c notify.Contact) contactLine {
	l := contactLine{ID: c.ID, Name: c.Name}
	for _, a := range c.Addresses {
		l.Ways = append(l.Ways, s.wayText(w, a))
	}
	what := []string{w.t("contacts.all")}
	if len(c.Places) > 0 {
		what[0] = placeNames(w, f, c.Places)
	}
	if c.Level == rule.Crit {
		what = append(what, w.t("contacts.critonly"))
	}
	if c.QuietFrom != c.QuietTo {
		what = append(what, w.t("contacts.quiet", clock(c.QuietFrom), clock(c.QuietTo)))
	}
	if c.Digest {
		what = append(what, w.t("contacts.digest"))
	}
	l.What = strings.Join(what, " · ")
	if c.Disabled {
		l.Wrong = append(l.Wrong, w.t("contacts.off"))
	}
	if c.Agreed.IsZero() {
		l.Wrong = append(l.Wrong, w.t("contacts.unagreed"))
	}
	if len(c.Addresses) == 0 {
		l.Wrong = append(l.Wrong, w.t("contacts.noaddress"))
	}
	return l
}

// wayText writes a channel and an address. A push subscription is no address that a person could read.
func (s *Server) wayText(w *words, a notify.Address) string {
	name := w.channel(a.Channel)
	if !slices.Contains(s.o.Notify.Channels(), a.Channel) {
		name = w.t("contacts.unset", name)
	}
	if a.Channel == pushChannel {
		return name
	}
	return name + ": " + a.To
}

// pushChannel is the channel whose addresses browsers make.
const pushChannel = "push"

// channel names a channel; one that has no word is called by its name.
func (w *words) channel(name string) string {
	if w.has("notify.channel." + name) {
		return w.t("notify.channel." + name)
	}
	return name
}

// clock writes a minute of the day.
func clock(minute int) string {
	return time.Date(2000, 1, 1, 0, minute, 0, 0, time.UTC).Format("15:04")
}

// clockOf reads a time of the day as people write it.
func clockOf(s string) (minute int, ok bool) {
	t, err := time.Parse("15:04", strings.ReplaceAll(strings.TrimSpace(s), "h", ":"))
	return t.Hour()*60 + t.Minute(), err == nil
}

// contactProblem writes what is wrong with a contact; an error of ours comes back.
func (s *Server) contactProblem(w *words, err error) (string, error) {
	if bad, ok := errors.AsType[*notify.AddressError](err); ok {
		return w.t("contact.problem.address", w.channel(bad.Address.Channel)+" "+bad.Address.To, w.t("contact.to.help")), nil
	}
	if errors.Is(err, notify.ErrContact) {
		return w.t("contact.problem.other"), nil
	}
	return "", err
}
