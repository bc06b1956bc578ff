package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/passkey"
	"aovuon/server/watch"
)

// guard says who may ask a route. The zero rule lets nobody in.
type guard struct {
	action account.Action // what the visitor must be allowed to do; everybody, when public
	public bool
	blind  bool // public, and the same for everybody: nobody is looked up for it
	script bool // asked by programs: they are told 401, not led to a page
	enrol  bool // also for those who must set a second factor up before anything else
}

// needs is the rule of a page for those who may do an action.
func needs(a account.Action) guard { return guard{action: a} }

// The rules that name no action.
func everybody() guard { return guard{public: true} }
func stranger() guard  { return guard{public: true, blind: true} }

// route is one line of the table of what there is.
type route struct {
	pattern string // http.ServeMux's; those that begin with a method alone are taken before it
	guard   guard
	handler http.HandlerFunc
}

type visitorKey struct{}

// visitor returns who asks; nil: nobody who signed in.
func visitor(ctx context.Context) *account.Visitor {
	v, _ := ctx.Value(visitorKey{}).(*account.Visitor)
	return v
}

// may reports whether the visitor of a request may do something. Where pages are open, everybody may read them.
func (s *Server) may(ctx context.Context, a account.Action) bool {
	v := visitor(ctx)
	if v == nil && s.o.OpenPages && (a == account.SeePlaces || a == account.SeeAllPlaces || a == account.SeeSystem) {
		return true
	}
	return v.Role().May(a)
}

// guarded lets a request through if its route's rule does.
func (s *Server) guarded(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if rt.guard.blind {
			rt.handler(w, r)
			return
		}
		v, err := s.who(r, !rt.guard.script)
		if err != nil {
			s.o.Log.Error("visitor not known", slog.Any("err", err))
			s.send(w, r, s.failed(r))
			return
		}
		if v != nil {
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Session", v.Account.ID+"."+v.Session.ID) // so that a phone shows nobody the pages it kept for another
		}
		r = r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
		switch {
		case rt.guard.public || rt.guard.action != "" && s.may(r.Context(), rt.guard.action) || rt.guard.enrol && v.Enrols():
			rt.handler(w, r)
		case v.Enrols() && rt.guard.script:
			s.apiRefuse(w, http.StatusForbidden, "set up a second factor first")
		case v.Enrols():
			http.Redirect(w, r, inLanguage("/account/second", s.words(r).lang), http.StatusSeeOther)
		case v == nil && rt.guard.script:
			s.apiRefuse(w, http.StatusUnauthorized, "sign in first")
		case v == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, inLanguage("/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), s.words(r).lang), http.StatusSeeOther)
		case rt.guard.script:
			s.apiRefuse(w, http.StatusForbidden, "not allowed to you")
		default:
			s.answer(w, r, s.denied)
		}
	}
}

// who returns the visitor of a request's session; nil: there is none. person: somebody is there, so the session goes on.
func (s *Server) who(r *http.Request, person bool) (*account.Visitor, error) {
	token := s.cookie(r, sidCookie)
	if token == "" || s.o.Accounts == nil {
		return nil, nil //nolint:nilnil // nobody is no error
	}
	if !person {
		return s.o.Accounts.Look(r.Context(), token)
	}
	return s.o.Accounts.Visit(r.Context(), token)
}

// denied draws the page for those who may not see what they ask for.
func (s *Server) denied(r *http.Request, w *words) (answer, error) {
	a, err := s.missing(r, w, "denied.text", "")
	a.status = http.StatusForbidden
	return a, err
}

// ownFarm is the part of the farm that a visitor may see: all, the own places, or only whose farm it is.
func (s *Server) ownFarm(ctx context.Context, f *farm.Farm) *farm.Farm {
	if s.may(ctx, account.SeeAllPlaces) {
		return f
	}
	own := farm.Farm{Coop: f.Coop}
	if v := visitor(ctx); v != nil && s.may(ctx, account.SeePlaces) {
		for _, p := range f.Places {
			if slices.Contains(v.Account.Places, p.Code) {
				own.Places = append(own.Places, p)
			}
		}
		for _, m := range f.Mounts {
			if slices.Contains(v.Account.Places, m.Place) {
				own.Mounts = append(own.Mounts, m)
			}
		}
		own.Zones, own.Limits = f.Zones, f.Limits
	}
	return &own
}

// values are the newest values a visitor may see.
func (s *Server) values(ctx context.Context) []watch.Value {
	all := s.o.Live.Snapshot()
	if s.may(ctx, account.SeeAllPlaces) {
		return all
	}
	v := visitor(ctx)
	return slices.DeleteFunc(slices.Clone(all), func(x watch.Value) bool {
		return v == nil || !s.may(ctx, account.SeePlaces) || !slices.Contains(v.Account.Places, x.Place)
	})
}

// The cookies. Over TLS their names begin with __Host-, so that no other host can plant them; a browser takes that from https alone, so on
// a plain network they go without.
const (
	sidCookie    = "sid"    // of the session
	deviceCookie = "device" // that somebody signed in here before, or which card this phone is bound to
)

func (s *Server) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

func (s *Server) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// newCookie makes a cookie for days; 0 removes it.
func (s *Server) newCookie(name, value string, days int) *http.Cookie {
	c := &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: days * 24 * 60 * 60, Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if days == 0 {
		c.MaxAge = -1
	}
	return c
}

// address is where a request comes from, as tries are counted: an IPv4 address, or the /64 network of an IPv6 one. Only what proxies of the
// configuration say of others is believed.
func (s *Server) address(r *http.Request) string {
	port, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "?"
	}
	at := port.Addr().Unmap()
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(s.o.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	said := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(said) - 1; i >= 0 && trusted(at); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(said[i]))
		if err != nil {
			break
		}
		at = next.Unmap()
	}
	if at.Is6() {
		p, err := at.WithZone("").Prefix(64)
		if err != nil {
			return at.String()
		}
		return p.String()
	}
	return at.String()
}

// from is what tries are judged by.
func (s *Server) from(r *http.Request) account.From {
	return account.From{Address: s.address(r), Device: s.cookie(r, deviceCookie), Agent: r.UserAgent()}
}

// limited answers 429 to an address that asks too much.
func (s *Server) limited(b *account.Bucket, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { s.take(w, r, b, s.address(r), next) }
}

// entering is limited for ways in: it answers 429 to a browser that somebody signed in with before for what this browser asks alone, whatever
// others ask behind the same address.
func (s *Server) entering(b *account.Bucket, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		place, err := s.o.Accounts.Place(r.Context(), s.from(r))
		if err != nil {
			s.o.Log.Error("place not known", slog.Any("err", err))
			s.send(w, r, s.failed(r))
			return
		}
		s.take(w, r, b, place, next)
	}
}

func (s *Server) take(w http.ResponseWriter, r *http.Request, b *account.Bucket, key string, next http.HandlerFunc) {
	if !b.Take(key) {
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, s.words(r).t("problem.busy"), http.StatusTooManyRequests)
		return
	}
	next(w, r)
}

// localPath returns a path of ours to go on to; anything else is the first page.
func localPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") ||
		strings.ContainsAny(s, "\\\r\n\t") || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	return s
}

// problem returns the key of the words for what an account's owner did wrong; false: it is a fault of ours.
func problem(err error) (key string, known bool) {
	for _, p := range []struct {
		err error
		key string
	}{
		{account.ErrRefused, "problem.refused"},
		{account.ErrCode, "problem.code"},
		{account.ErrCloned, "problem.cloned"},
		{account.ErrPasskey, "problem.passkey"},
		{account.ErrLate, "problem.slow"},
		{account.ErrLast, "problem.last"},
		{account.ErrMany, "problem.many"},
		{account.ErrProof, "problem.proof"},
		{passkey.ErrPlain, "problem.plain"},
		{passkey.ErrHost, "problem.host"},
		{account.ErrShort, "problem.short"},
		{account.ErrCommon, "problem.common"},
		{account.ErrNamed, "problem.named"},
		{account.ErrTaken, "problem.taken"},
		{account.ErrLastAdmin, "problem.lastadmin"},
		{account.ErrBound, "problem.bound"},
		{account.ErrTyped, "problem.typed"},
		{account.ErrPIN, "problem.pin"},
		{account.ErrWrongPIN, "problem.wrongpin"},
		{account.ErrShut, "problem.shut"},
		{account.ErrLink, "problem.link"},
		{account.ErrNotFarmer, "problem.notfarmer"},
		{account.ErrLogin, "problem.login"},
		{account.ErrName, "problem.name"},
		{account.ErrPerson, "problem.person"},
		{account.ErrNone, "problem.none"},
	} {
		if errors.Is(err, p.err) {
			return p.key, true
		}
	}
	return "", false
}
