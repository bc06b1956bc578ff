package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/channel/push"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// pushRoutes are where somebody has this very device told of alarms. A browser makes the address; its script sends it as a field of a form.
func (s *Server) pushRoutes() []route {
	if s.o.Notify == nil {
		return nil
	}
	own := needs(account.OwnAccount)
	return []route{
		{"GET /account/push", own, s.page(s.pushPage)},
		{"POST /account/push", own, s.form(s.addPush)},
		{"POST /account/push/off", own, s.form(s.dropPush)},
		{"POST /account/push/test", own, s.form(s.testPush)},
	}
}

type pushView struct {
	frame
	Key     string // what the browser subscribes with; empty: push is not set up
	Problem string
	Done    string
	Devices []pushDevice
	Unsaid  bool // the visitor's alarms are switched off: nothing is sent, whatever is on here
}

// pushDevice is a device of the visitor's that is told.
type pushDevice struct {
	N        int
	Endpoint string
	Browser  string // by whose push service it is reached; empty: it is not known
}

func (s *Server) pushPage(r *http.Request, w *words) (answer, error) { return s.drawPush(r, w, "", "") }

func (s *Server) drawPush(r *http.Request, w *words, problem, done string) (answer, error) {
	c, err := s.ownContact(r, w)
	if err != nil {
		return answer{}, err
	}
	v := pushView{Problem: problem, Done: done}
	if slices.Contains(s.o.Notify.Channels(), pushChannel) {
		v.Key = s.o.PushKey
	}
	for _, a := range c.Addresses {
		sub, err := push.ParseSubscription(a.To)
		if a.Channel != pushChannel || err != nil {
			continue
		}
		d := pushDevice{N: len(v.Devices) + 1, Endpoint: sub.Endpoint}
		if u, err := url.Parse(sub.Endpoint); err == nil {
			d.Browser = browserOf(u.Hostname())
		}
		v.Devices = append(v.Devices, d)
	}
	v.Unsaid = len(v.Devices) > 0 && !c.Reached()
	a, err := s.draw(r, w, "push.html", "account", w.t("push.title"), func(f frame) any {
		f.Script = "push.js"
		v.frame = f
		v.There = inLanguage("/account/push", map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		return v
	})
	if problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// browserOf names the browsers that a push service serves.
func browserOf(host string) string {
	for _, s := range []struct{ end, name string }{
		{"fcm.googleapis.com", "Chrome, Cốc Cốc"}, {"push.services.mozilla.com", "Firefox"}, {"push.apple.com", "Safari"}, {"notify.windows.com", "Edge"},
	} {
		if host == s.end || strings.HasSuffix(host, "."+s.end) {
			return s.name
		}
	}
	return ""
}

// ownContact is what is kept of how the visitor is told, or what would be: pressing the button is their word that they may be.
func (s *Server) ownContact(r *http.Request, w *words) (notify.Contact, error) {
	me := visitor(r.Context()).Account
	c, err := s.o.Notify.Own(r.Context(), me.ID)
	if errors.Is(err, notify.ErrNoContact) {
		return notify.Contact{Name: me.Name, Account: me.ID, Lang: w.lang, Level: rule.Warn, Digest: true}, nil
	}
	return c, err
}

// mostDevices is how many devices of one person are told: addresses of other channels must have room beside them.
const mostDevices = 5

// addPush keeps the device that asks. One that asks again takes the place of what it was; "old" is what its browser replaced by itself.
func (s *Server) addPush(r *http.Request, w *words) (answer, error) {
	sub, err := push.ParseSubscription(r.PostForm.Get("subscription"))
	if err != nil {
		return s.drawPush(r, w, w.t("push.problem.unread"), "")
	}
	c, err := s.ownContact(r, w)
	if err != nil {
		return answer{}, err
	}
	old := r.PostForm.Get("old")
	quiet := old != "" && !slices.ContainsFunc(c.Addresses, pushTo(old)) // taken off meanwhile: a browser does not put it on again by itself
	if quiet {
		return s.drawPush(r, w, w.t("push.problem.unread"), "")
	}
	c.Addresses = slices.DeleteFunc(slices.Clone(c.Addresses), func(a notify.Address) bool { return pushTo(sub.Endpoint)(a) || pushTo(old)(a) })
	devices := 0
	for _, a := range c.Addresses {
		if a.Channel == pushChannel {
			devices++
		}
	}
	if devices >= mostDevices {
		return s.drawPush(r, w, w.t("push.problem.full", w.count(mostDevices)), "")
	}
	by := s.sender(r)
	c.Addresses = slices.Insert(c.Addresses, devices, notify.Address{Channel: pushChannel, To: sub.String()}) // before short messages, which cost money
	if old == "" {
		c.Disabled = false
		if c.Agreed.IsZero() {
			c.Agreed, c.AgreedBy = by.At, by.Actor
		}
	}
	return s.keepPush(r, w, c, w.t("push.done"))
}

// pushTo finds the device that a push service knows by an address.
func pushTo(endpoint string) func(notify.Address) bool {
	return func(a notify.Address) bool {
		sub, err := push.ParseSubscription(a.To)
		return a.Channel == pushChannel && err == nil && endpoint != "" && sub.Endpoint == endpoint
	}
}

func (s *Server) keepPush(r *http.Request, w *words, c notify.Contact, done string) (answer, error) {
	if _, err := s.o.Notify.Save(r.Context(), c, s.sender(r)); err != nil {
		text, err := s.contactProblem(w, err)
		if err != nil {
			return answer{}, err
		}
		return s.drawPush(r, w, text, "")
	}
	return s.drawPush(r, w, "", done)
}

// dropPush takes a device off.
func (s *Server) dropPush(r *http.Request, w *words) (answer, error) {
	c, err := s.ownContact(r, w)
	if err != nil {
		return answer{}, err
	}
	before := len(c.Addresses)
	c.Addresses = slices.DeleteFunc(slices.Clone(c.Addresses), pushTo(r.PostForm.Get("endpoint")))
	if len(c.Addresses) == before {
		return s.drawPush(r, w, "", w.t("push.off.done"))
	}
	return s.keepPush(r, w, c, w.t("push.off.done"))
}

// testPush sends a trial to every address of the visitor's own.
func (s *Server) testPush(r *http.Request, w *words) (answer, error) {
	c, err := s.ownContact(r, w)
	if err != nil {
		return answer{}, err
	}
	if c.ID == "" {
		return s.drawPush(r, w, w.t("push.problem.none"), "")
	}
	ids, err := s.o.Notify.Test(r.Context(), c.ID, s.sender(r))
	if err != nil {
		return answer{}, err
	}
	return s.drawPush(r, w, "", w.t("push.test.done", w.count(int64(len(ids)))))
}
