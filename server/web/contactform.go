package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// formAddresses is how many addresses the form of a contact offers.
const formAddresses = 4

type contactView struct {
	frame
	New       bool
	ID        string
	Problem   string
	Done      string
	C         notify.Contact
	Steps     []int // as people count them
	Ways      []wayView
	Pushes    []string // values of addresses that browsers made: they are kept, and can be taken off
	Places    []placeLine
	Accounts  []optionView
	From, To  string
	Agreed    string // since when
	Agree     bool
	Last      []messageLine
	CanRemove bool
}

type wayView struct {
	N        int
	To       string
	Channels []optionView
}

func (s *Server) contactPage(r *http.Request, w *words) (answer, error) {
	id := r.PathValue("id")
	if id == "" {
		c := notify.Contact{Lang: Vietnamese, Level: rule.Warn, Digest: true}
		return s.drawContact(r, w, contactView{New: true, C: c})
	}
	c, err := s.o.Notify.Contact(r.Context(), id)
	if errors.Is(err, notify.ErrNoContact) {
		return s.missing(r, w, "missing.page", "")
	}
	if err != nil {
		return answer{}, err
	}
	return s.drawContact(r, w, contactView{C: c, Agree: !c.Agreed.IsZero()})
}

// drawContact draws the form with what stands in v.C.
func (s *Server) drawContact(r *http.Request, w *words, v contactView) (answer, error) {
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return answer{}, err
	}
	v.ID, v.Places = v.C.ID, placeLines(f, v.C.Places)
	for i := range notify.MostStep + 1 {
		v.Steps = append(v.Steps, i+1) // people count from one
	}
	s.waysOf(w, &v)
	if v.C.QuietFrom != v.C.QuietTo {
		v.From, v.To = clock(v.C.QuietFrom), clock(v.C.QuietTo)
	}
	if !v.C.Agreed.IsZero() {
		v.Agreed = w.t("contact.agreed.since", w.dateTime(v.C.Agreed))
	}
	if v.Accounts, err = s.accountOptions(r, w, v.C.Account); err != nil {
		return answer{}, err
	}
	if !v.New {
		if v.Last, err = s.messageLines(r, w, notify.Filter{Contact: v.C.ID, Limit: 10}); err != nil {
			return answer{}, err
		}
	}
	title := v.C.Name
	if v.New {
		title = w.t("contact.new")
	}
	a, err := s.draw(r, w, "contact.html", "contacts", title, func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// waysOf lays the addresses of a contact out in the form.
func (s *Server) waysOf(w *words, v *contactView) {
	ways := 0
	for _, a := range v.C.Addresses {
		if a.Channel == pushChannel {
			v.Pushes = append(v.Pushes, a.To)
			continue
		}
		ways++
		v.Ways = append(v.Ways, wayView{N: ways, To: a.To, Channels: s.channelOptions(w, a.Channel)})
	}
	for ways < formAddresses {
		ways++
		v.Ways = append(v.Ways, wayView{N: ways, Channels: s.channelOptions(w, "")})
	}
}

func (s *Server) channelOptions(w *words, chosen string) []optionView {
	out := []optionView{{Value: "", Label: w.t("contact.way.none"), Chosen: chosen == ""}}
	list := s.o.Notify.Channels()
	if chosen != "" && !slices.Contains(list, chosen) {
		list = append(slices.Clone(list), chosen)
	}
	for _, c := range list {
		if c != pushChannel {
			out = append(out, optionView{Value: c, Label: w.channel(c), Chosen: c == chosen})
		}
	}
	return out
}

func (s *Server) accountOptions(r *http.Request, w *words, chosen string) ([]optionView, error) {
	out := []optionView{{Value: "", Label: w.t("contact.account.none"), Chosen: chosen == ""}}
	if s.o.Accounts == nil {
		return out, nil
	}
	all, err := s.o.Accounts.People.Accounts(r.Context())
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.Active() || a.ID == chosen {
			out = append(out, optionView{Value: a.ID, Label: a.Name + " (" + w.t("role."+string(a.Role)) + ")", Chosen: a.ID == chosen})
		}
	}
	return out, nil
}

// contactOf reads a contact from a form: these fields and no others, over what it was. problem says what cannot be read.
func (s *Server) contactOf(r *http.Request, w *words, f *farm.Farm, c notify.Contact) (out notify.Contact, problem string) {
	p := r.PostForm
	c.Name, c.Account, c.Lang, c.Level = strings.TrimSpace(p.Get("name")), p.Get("account"), p.Get("lang"), rule.Verdict(p.Get("level"))
	c.Digest, c.Disabled = p.Get("digest") != "", p.Get("disabled") != ""
	var err error
	if c.Step, err = strconv.Atoi(p.Get("step")); err != nil {
		problem = w.t("contact.problem.other")
	}
	kept := p["push"]
	old := c.Addresses
	c.Addresses, c.Places = nil, nil
	for _, a := range old { // those that browsers made stay where they stood: first
		if a.Channel == pushChannel && slices.Contains(kept, a.To) {
			c.Addresses = append(c.Addresses, a)
		}
	}
	for n := 1; n <= formAddresses*2; n++ {
		a := notify.Address{Channel: p.Get("channel" + strconv.Itoa(n)), To: strings.TrimSpace(p.Get("to" + strconv.Itoa(n)))}
		if a.To != "" && a.Channel != "" && a.Channel != pushChannel {
			c.Addresses = append(c.Addresses, a)
		} else if a.To != "" && a.Channel == "" {
			problem = w.t("contact.problem.other")
		}
	}
	for _, code := range p["place"] {
		if _, ok := f.Place(code); ok {
			c.Places = append(c.Places, code)
		}
	}
	if bad := quietOf(w, p.Get("from"), p.Get("to"), &c); bad != "" {
		problem = bad
	}
	if c.Name == "" || utf8.RuneCountInString(c.Name) > 80 {
		problem = w.t("contact.problem.name")
	}
	return c, problem
}

// quietOf reads quiet hours into a contact.
func quietOf(w *words, from, to string, c *notify.Contact) (problem string) {
	c.QuietFrom, c.QuietTo = 0, 0
	if strings.TrimSpace(from) == "" && strings.TrimSpace(to) == "" {
		return ""
	}
	a, okA := clockOf(from)
	b, okB := clockOf(to)
	if !okA || !okB {
		return w.t("contact.problem.quiet")
	}
	c.QuietFrom, c.QuietTo = a, b
	return ""
}

func (s *Server) saveContact(r *http.Request, w *words) (answer, error) {
	ctx, id := r.Context(), r.PathValue("id")
	v := contactView{New: id == ""}
	if !v.New {
		var err error
		if v.C, err = s.o.Notify.Contact(ctx, id); errors.Is(err, notify.ErrNoContact) {
			return s.missing(r, w, "missing.page", "")
		} else if err != nil {
			return answer{}, err
		}
	}
	f, err := s.wholeFarm(ctx)
	if err != nil {
		return answer{}, err
	}
	by := s.sender(r)
	v.Agree = r.PostForm.Get("agreed") != ""
	v.C, v.Problem = s.contactOf(r, w, f, v.C)
	switch {
	case !v.Agree:
		v.C.Agreed, v.C.AgreedBy = time.Time{}, ""
	case v.C.Agreed.IsZero():
		v.C.Agreed, v.C.AgreedBy = by.At, by.Actor
	}
	if v.Problem == "" && !v.Agree && !v.C.Disabled {
		v.Problem = w.t("contact.problem.agreed")
	}
	if v.Problem == "" && s.taken(r, v.C) {
		v.Problem = w.t("contact.problem.account")
	}
	if v.Problem != "" {
		return s.drawContact(r, w, v)
	}
	c, err := s.o.Notify.Save(ctx, v.C, by)
	if err != nil {
		if v.Problem, err = s.contactProblem(w, err); err != nil {
			return answer{}, err
		}
		return s.drawContact(r, w, v)
	}
	return answer{to: inLanguage("/contacts/"+c.ID, w.lang)}, nil
}

// taken reports whether another contact is of the same account.
func (s *Server) taken(r *http.Request, c notify.Contact) bool {
	other, err := s.o.Notify.Own(r.Context(), c.Account)
	return err == nil && other.ID != c.ID
}

func (s *Server) testContact(r *http.Request, w *words) (answer, error) {
	ids, err := s.o.Notify.Test(r.Context(), r.PathValue("id"), s.sender(r))
	if errors.Is(err, notify.ErrNoContact) {
		return s.missing(r, w, "missing.page", "")
	}
	if err != nil {
		return answer{}, err
	}
	c, err := s.o.Notify.Contact(r.Context(), r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	return s.drawContact(r, w, contactView{C: c, Agree: !c.Agreed.IsZero(), Done: w.t("contact.test.sent", w.count(int64(len(ids))))})
}

func (s *Server) removeContact(r *http.Request, w *words) (answer, error) {
	err := s.o.Notify.Remove(r.Context(), r.PathValue("id"), s.sender(r))
	if errors.Is(err, notify.ErrNoContact) {
		return s.missing(r, w, "missing.page", "")
	}
	return answer{to: inLanguage("/contacts", w.lang)}, err
}

// ownAlarms is what a visitor is told, for the page of the own account.
type ownAlarms struct {
	Has      bool
	What     string
	Ways     []string
	On       bool
	From, To string
	Digest   bool
	Crit     bool
}

func (s *Server) ownAlarms(r *http.Request, w *words, me account.Account) (*ownAlarms, error) {
	if s.o.Notify == nil {
		return nil, nil //nolint:nilnil // nobody is told here
	}
	c, err := s.o.Notify.Own(r.Context(), me.ID)
	if errors.Is(err, notify.ErrNoContact) {
		return &ownAlarms{What: w.t("account.alarms.none")}, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return nil, err
	}
	o := &ownAlarms{Has: true, On: c.Reached() || !c.Disabled && !c.Agreed.IsZero(), Digest: c.Digest, Crit: c.Level == rule.Crit}
	places := w.t("account.alarms.places.all")
	switch {
	case me.Role == account.Farmer:
		places = placeNames(w, f, me.Places)
	case len(c.Places) > 0:
		places = placeNames(w, f, c.Places)
	}
	o.What = w.t("account.alarms.what", places)
	for _, a := range c.Addresses {
		o.Ways = append(o.Ways, s.wayText(w, a))
	}
	if c.QuietFrom != c.QuietTo {
		o.From, o.To = clock(c.QuietFrom), clock(c.QuietTo)
	}
	return o, nil
}

// saveOwnAlarms keeps what somebody wants of their own alarms: quiet hours, how much, and whether at all.
func (s *Server) saveOwnAlarms(r *http.Request, w *words) (answer, error) {
	ctx, me, by := r.Context(), visitor(r.Context()).Account, s.sender(r)
	c, err := s.o.Notify.Own(ctx, me.ID)
	fresh := errors.Is(err, notify.ErrNoContact)
	if err != nil && !fresh {
		return answer{}, err
	}
	if r.PostForm.Get("stop") != "" {
		if !fresh {
			err = s.o.Notify.Remove(ctx, c.ID, by)
		} else {
			err = nil
		}
		return answer{to: inLanguage("/account", w.lang)}, err
	}
	if fresh {
		c = notify.Contact{Name: me.Name, Account: me.ID, Lang: w.lang}
	}
	c.Level, c.Digest = rule.Warn, r.PostForm.Get("digest") != ""
	if r.PostForm.Get("crit") != "" {
		c.Level = rule.Crit
	}
	if problem := quietOf(w, r.PostForm.Get("from"), r.PostForm.Get("to"), &c); problem != "" {
		return s.mePage(r, w, &ownError{problem}, "")
	}
	on := r.PostForm.Get("on") != ""
	c.Disabled = !on
	if on && c.Agreed.IsZero() {
		c.Agreed, c.AgreedBy = by.At, me.ID
	}
	if _, err := s.o.Notify.Save(ctx, c, by); err != nil {
		text, err := s.contactProblem(w, err)
		if err != nil {
			return answer{}, err
		}
		return s.mePage(r, w, &ownError{text}, "")
	}
	return s.mePage(r, w, nil, w.t("account.alarms.done"))
}

// ownError is what somebody did wrong, in their words already.
type ownError struct{ text string }

func (e *ownError) Error() string { return e.text }
