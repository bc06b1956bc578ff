// Package lanpage is what every page needs that a machine in the field shows on a local network, without a name, without
// TLS, to whoever is there: bounds, headers, a guard against other sites' pages, the reader's language, an end.
//
// The page's own handler goes in; a guarded one comes out.
package lanpage

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"aovuon/gateway/words"
)

const (
	mostAtOnce = 16       // requests; a page takes milliseconds
	mostForm   = 16 << 10 // bytes
)

// Guard says what a page is made of and who may ask for it.
type Guard struct {
	Sheet  string   // the style sheet that stands in the page
	Script string   // the script that stands in the page and may ask the page's own address; empty: none runs
	Hosts  []string // names of this machine, beside its addresses
	Who    string   // what to ask for, said to those who came by a name that is none of ours: "the gateway"
	// MostForm is how many bytes a form may have; 0: 16 KiB.
	MostForm int64
}

// Handler guards a page: at most 16 requests at once, forms of at most MostForm and of the page's own, nothing from
// elsewhere in it, no other page around it, nothing kept, and no answer to a name that was made to lead here.
func (g Guard) Handler(inner http.Handler) (http.Handler, error) {
	zip, err := gzhttp.NewWrapper(gzhttp.MinSize(512))
	if err != nil {
		return nil, fmt.Errorf("lanpage: %w", err)
	}
	csp, most := g.csp(), g.MostForm
	if most == 0 {
		most = mostForm
	}
	guarded := http.NewCrossOriginProtection().Handler(zip(inner))
	busy := make(chan struct{}, mostAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
		default:
			http.Error(w, "too many requests at once: try again in a moment", http.StatusServiceUnavailable)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !g.knows(host) {
			// Somebody's page made its own name lead here (DNS rebinding); a browser would take us for that page.
			http.Error(w, "ask for this page by "+g.Who+"'s address or its name", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		guarded.ServeHTTP(w, r)
	}), nil
}

func (g Guard) csp() string {
	csp := "default-src 'none'; style-src " + hashOf(g.Sheet) + "; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if g.Script != "" {
		csp += "; script-src " + hashOf(g.Script) + "; connect-src 'self'"
	}
	return csp
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// knows reports whether the page may be asked for by this name: an address, a name of this machine, or one that only a
// local network knows. Any other name was made to lead here by somebody else's page.
func (g Guard) knows(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	return slices.ContainsFunc(g.Hosts, func(own string) bool {
		own = strings.ToLower(own)
		return own != "" && (host == own || host == own+".local" || host == own+".lan" || host == own+".home.arpa")
	})
}

// Language is the language of a request: that of ?lang=, which is remembered, or the remembered one, or Vietnamese.
func Language(w http.ResponseWriter, r *http.Request) string {
	if l := r.URL.Query().Get("lang"); slices.Contains(words.Languages(), l) {
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: l, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, HttpOnly: true})
		return l
	}
	if c, err := r.Cookie("lang"); err == nil && slices.Contains(words.Languages(), c.Value) {
		return c.Value
	}
	return words.Vietnamese
}

// Slim drops what only those who write a style sheet, a script or a template need.
func Slim(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		l := strings.TrimSpace(line)
		if l == "" || strings.HasPrefix(l, "// ") || strings.HasPrefix(l, "/*") && strings.HasSuffix(l, "*/") {
			continue
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// Serve answers on l until ctx is done; then it waits two seconds for answers under way. write bounds the longest of them.
func Serve(ctx context.Context, l net.Listener, page http.Handler, write time.Duration) error {
	srv := &http.Server{
		Handler: page, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: write,
		IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), // what strangers send is not worth a line
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	end := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := srv.Shutdown(last); err != nil {
			end <- srv.Close()
			return
		}
		end <- nil
	})
	err := srv.Serve(l)
	if !stop() {
		err = errors.Join(err, <-end)
	}
	if ctx.Err() == nil || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("lanpage: %w", err)
	}
	return nil
}
