package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"aovuon/server/account"
	"aovuon/server/setup"
)

// InstallOptions are what the setup page needs: the page of a server that is none yet.
type InstallOptions struct {
	Desk Installer
	Now  func() time.Time
	Log  *slog.Logger
}

// install answers all that is asked of a server that was not set up yet. It has the words, the templates and the headers of the pages, and nothing
// of what they are drawn from.
type install struct {
	*Server
	desk    Installer
	handler http.Handler
}

// installCookie is that of the browser a link belongs to.
const installCookie = "setup"

// NewInstall returns the setup page. It answers machines of the own network alone: until somebody has settled a certificate, everything is sent as
// it is, so nothing secret is asked here. The first admin sets a password at the address that was settled.
func NewInstall(o InstallOptions) (http.Handler, error) {
	e, err := newEngine()
	if err != nil {
		return nil, err
	}
	i := &install{Server: &Server{o: Options{Now: o.Now, Log: o.Log}, e: e}, desk: o.Desk}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(512))
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	entry := account.NewBucket(entryBurst, entryEvery, o.Now)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", i.health)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "setup is not finished", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("GET /static/{sum}/{file}", i.static)
	mux.HandleFunc("GET /setup/{token}", i.limited(entry, i.answering(i.shown)))
	mux.HandleFunc("POST /setup/{token}", i.limited(entry, i.answering(i.sent)))
	mux.HandleFunc("/", i.answering(i.closed))
	i.handler = i.secured(http.NewCrossOriginProtection().Handler(i.near(compress(mux))))
	return i.handler, nil
}

// limited is Server.limited without proxies: nobody speaks for others here.
func (i *install) limited(b *account.Bucket, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i.take(w, r, b, r.RemoteAddr[:strings.LastIndex(r.RemoteAddr, ":")+1], next)
	}
}

func (i *install) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	i.write(w, []byte("setup\n"))
}

// near keeps out who is not of the own network: a machine on the Internet must not be set up by whoever finds it first.
func (i *install) near(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ownNetwork(r.RemoteAddr) {
			i.o.Log.Warn("the setup page answers the own network alone", slog.String("address", r.RemoteAddr))
			http.Error(w, i.words(r).t("install.far"), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ownNetwork reports whether an address is one that only a near network has, RFC 6598 (carriers, overlay networks) included.
func ownNetwork(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	a = a.Unmap().WithZone("")
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// answering draws a page that no one keeps.
func (i *install) answering(draw func(http.ResponseWriter, *http.Request, *words) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if r.Method == http.MethodPost {
			if err := r.ParseForm(); err != nil {
				http.Error(w, "the form cannot be read", http.StatusBadRequest)
				return
			}
		}
		words := i.words(r)
		a, err := draw(w, r, words)
		if err != nil {
			i.o.Log.Error("setup page", slog.Any("err", err))
			a, err = i.page(words, r, installPage{Step: "failed", InstallState: InstallState{Problem: err.Error()}})
			a.status = http.StatusInternalServerError
		}
		if err != nil {
			http.Error(w, "503", http.StatusServiceUnavailable)
			return
		}
		i.send(w, r, a)
	}
}

// closed is what everybody sees who does not come by a link.
func (i *install) closed(_ http.ResponseWriter, r *http.Request, w *words) (answer, error) {
	a, err := i.page(w, r, installPage{Step: "closed"})
	a.status = http.StatusNotFound
	if r.URL.Path == "/" {
		a.status = http.StatusOK
	}
	return a, err
}

// enter lets the browser in that a link belongs to; ok is false where the answer says why not.
func (i *install) enter(rw http.ResponseWriter, r *http.Request, w *words) (a answer, ok bool, err error) {
	cookie := ""
	if c, err := r.Cookie(installCookie); err == nil {
		cookie = c.Value
	}
	set, err := i.desk.Enter(r.PathValue("token"), cookie)
	switch {
	case errors.Is(err, setup.ErrLink), errors.Is(err, setup.ErrElsewhere):
		step := "gone"
		if errors.Is(err, setup.ErrElsewhere) {
			step = "elsewhere"
		}
		a, err = i.page(w, r, installPage{Step: step})
		a.status = http.StatusNotFound
		return a, false, err
	case err != nil:
		return answer{}, false, err
	case set != "":
		http.SetCookie(rw, &http.Cookie{Name: installCookie, Value: set, Path: "/setup/", MaxAge: int(setup.LinkLimit / time.Second), HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return answer{}, true, nil
}

// path is where the page of this link stands, at a step.
func (i *install) path(r *http.Request, w *words, step string) string {
	return inLanguage("/setup/"+url.PathEscape(r.PathValue("token"))+"?step="+step, w.lang)
}
