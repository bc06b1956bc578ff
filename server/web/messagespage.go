package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/watch/notify"
)

// messagesShown is how many messages a page lists.
const messagesShown = 50

type messagesView struct {
	frame
	Lines                             []messageLine
	States, Kinds, Channels, Contacts []optionView
	Edit                              bool
	Older                             string // link; empty: there is nothing older
}

type messageLine struct {
	ID, When, Kind, State, Who, Href string // Href: of the contact; empty: not for the visitor, or it was removed
	Way                              string
	Next                             string
	Bad, Done                        bool
	Err                              string
	Subject, Text, Short             string
	Tries                            []string
	Tried                            string
	Alarm                            string
	Instead, Erased                  bool
}

func (s *Server) messagesPage(r *http.Request, w *words) (answer, error) {
	q := r.URL.Query()
	filter := notify.Filter{State: q.Get("state"), Channel: q.Get("channel"), Contact: q.Get("contact"), Kind: notify.Kind(q.Get("kind")), Alarm: q.Get("alarm"), Before: q.Get("before"), Limit: messagesShown + 1}
	for _, x := range []string{filter.State, filter.Channel, filter.Contact, string(filter.Kind), filter.Alarm, filter.Before} {
		if len(x) > 40 {
			return s.missing(r, w, "missing.page", "")
		}
	}
	v := messagesView{Edit: s.may(r.Context(), account.EditFarm)}
	var err error
	if v.Lines, err = s.messageLines(r, w, filter); err != nil {
		return answer{}, err
	}
	if len(v.Lines) > messagesShown {
		v.Lines = v.Lines[:messagesShown]
		q.Set("before", v.Lines[messagesShown-1].ID)
		q.Del("lang")
		v.Older = inLanguage("/messages?"+q.Encode(), w.lang)
	}
	all := func(chosen string) []optionView {
		return []optionView{{Value: "", Label: w.t("messages.any"), Chosen: chosen == ""}}
	}
	v.States, v.Kinds, v.Channels, v.Contacts = all(filter.State), all(string(filter.Kind)), all(filter.Channel), all(filter.Contact)
	for _, x := range notify.States() {
		v.States = append(v.States, optionView{Value: string(x), Label: w.t("notify.state." + string(x)), Chosen: filter.State == string(x)})
	}
	for _, x := range notify.Kinds() {
		v.Kinds = append(v.Kinds, optionView{Value: string(x), Label: w.t("notify.kind." + string(x)), Chosen: filter.Kind == x})
	}
	for _, x := range s.o.Notify.Channels() {
		v.Channels = append(v.Channels, optionView{Value: x, Label: w.channel(x), Chosen: filter.Channel == x})
	}
	list, err := s.o.Notify.Contacts(r.Context())
	if err != nil {
		return answer{}, err
	}
	for _, c := range list {
		v.Contacts = append(v.Contacts, optionView{Value: c.ID, Label: c.Name, Chosen: filter.Contact == c.ID})
	}
	return s.draw(r, w, "messages.html", "contacts", w.t("messages.title"), func(fr frame) any { v.frame = fr; return v })
}

// messageLines reads messages for a page. Addresses are for those who may change contacts.
func (s *Server) messageLines(r *http.Request, w *words, f notify.Filter) ([]messageLine, error) {
	list, err := s.o.Notify.Messages(r.Context(), f)
	if err != nil {
		return nil, err
	}
	contacts, err := s.o.Notify.Contacts(r.Context())
	if err != nil {
		return nil, err
	}
	edit := s.may(r.Context(), account.EditFarm)
	out := make([]messageLine, 0, len(list))
	for _, m := range list {
		l := messageLine{
			ID: m.ID, When: w.dateTime(m.Created), Kind: w.t("notify.kind." + string(m.Kind)), State: w.t("notify.state." + string(m.State)), Way: w.channel(m.Channel),
			Bad: m.State == notify.Failed || m.State == notify.Expired && m.Err != notify.Moot, Done: m.State == notify.Sent || m.State == notify.Delivered,
			Subject: m.Subject, Text: m.Text, Short: m.Short, Alarm: m.Alarm, Instead: m.After != "", Erased: m.Subject == "" && m.Text == "",
			Tried: w.amount("messages.tried", int64(len(m.Tries))), Who: w.t("messages.gone"),
		}
		if m.Channel == "" {
			l.Way = ""
		}
		if i := slices.IndexFunc(contacts, func(c notify.Contact) bool { return c.ID == m.Contact }); i >= 0 {
			l.Who = contacts[i].Name
			if edit {
				l.Href = "/contacts/" + url.PathEscape(m.Contact)
			}
		}
		if edit && m.To != "" && m.Channel != pushChannel {
			l.Way += ": " + m.To
		}
		if m.State == notify.Waiting {
			l.Next = w.t("messages.next", w.moment(m.Next, s.o.Now()))
		}
		l.Err = s.messageError(w, m.Err, m.To, edit)
		for _, a := range m.Tries {
			what := w.t("notify.state." + string(a.State))
			switch {
			case a.Ended.IsZero() && m.State != notify.Sending:
				what = w.t("messages.lost")
			case a.Err != "":
				what += " – " + s.messageError(w, a.Err, m.To, edit)
			}
			l.Tries = append(l.Tries, w.t("messages.attempt", w.count(int64(a.N)), w.moment(a.Begun, s.o.Now()), what))
		}
		out = append(out, l)
	}
	return out, nil
}

// messageError writes why a message was not sent; the address in it is not for everybody.
func (s *Server) messageError(w *words, text, to string, edit bool) string {
	switch text {
	case notify.Moot:
		return w.t("messages.moot")
	case notify.NoChannel:
		return w.t("messages.nochannel")
	}
	if !edit && to != "" {
		text = strings.ReplaceAll(text, to, "…")
	}
	return text
}
