package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"aovuon/server/pki"
)

// TLSConfig says how the pages are served over TLS; empty: they are not.
type TLSConfig struct {
	CertFile string      `yaml:"cert_file"`
	KeyFile  string      `yaml:"key_file"`
	ACME     *ACMEConfig `yaml:"acme"`
	LAN      bool        `yaml:"lan"`      // a certificate of the server's own authority, which phones install
	Redirect string      `yaml:"redirect"` // host:port of a listener that sends http:// to https://
}

// ACMEConfig says for which names a certificate is asked of an authority on the internet (Let's Encrypt).
type ACMEConfig struct {
	Domains   []string `yaml:"domains"`
	Email     string   `yaml:"email"`
	Cache     string   `yaml:"cache"`     // folder; acme in data_dir
	Directory string   `yaml:"directory"` // of another authority
}

func (t *TLSConfig) check() *keyError {
	ways := 0
	for _, w := range []bool{t.CertFile != "" || t.KeyFile != "", t.ACME != nil, t.LAN} {
		if w {
			ways++
		}
	}
	switch {
	case ways > 1:
		return &keyError{"tls", "more than one way to a certificate", "keep one of cert_file with key_file, acme, and lan"}
	case (t.CertFile == "") != (t.KeyFile == ""):
		return &keyError{"tls.cert_file", "cert_file and key_file belong together", "name both, or neither"}
	case t.Redirect != "" && !hostPort(t.Redirect):
		return &keyError{"tls.redirect", fmt.Sprintf("%q is no address", t.Redirect), "write host:port, such as 0.0.0.0:80"}
	case t.Redirect != "" && ways == 0:
		return &keyError{"tls.redirect", "there is nothing to lead to", "say cert_file, acme or lan, or remove it"}
	case t.ACME == nil:
		return nil
	case len(t.ACME.Domains) == 0:
		return &keyError{"tls.acme.domains", "missing", "write domains: [htx.example]"}
	}
	for _, d := range t.ACME.Domains {
		if !realName(d) {
			return &keyError{"tls.acme.domains", fmt.Sprintf("%q is no name on the internet", d), "an authority gives certificates for such names alone; on a local network write lan: true"}
		}
	}
	return nil
}

// realName reports whether a host is a name that the whole internet knows.
func realName(host string) bool {
	if net.ParseIP(host) != nil || !strings.Contains(host, ".") || strings.ContainsAny(host, "*/: ") {
		return false
	}
	return !slices.ContainsFunc([]string{".local", ".lan", ".internal", ".arpa", ".localhost", ".test"}, func(s string) bool { return strings.HasSuffix(host, s) })
}

// webTLS is what the pages' listener shows; nil without TLS. front stands before what the redirect listener answers.
func (c *Config) webTLS(a *pki.Authority, now func() time.Time) (conf *tls.Config, front func(http.Handler) http.Handler, err error) {
	same := func(h http.Handler) http.Handler { return h }
	switch t := c.TLS; {
	case t.LAN:
		r, err := pki.NewRenewer(a, c.ownHosts, now)
		if err != nil {
			return nil, nil, fmt.Errorf("tls.lan: %w", err)
		}
		return &tls.Config{GetCertificate: r.Certificate, MinVersion: tls.VersionTLS12}, same, nil
	case t.ACME != nil:
		m := c.acme()
		conf := m.TLSConfig()
		conf.MinVersion = tls.VersionTLS12
		return conf, m.HTTPHandler, nil
	case t.CertFile != "":
		cert, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, nil, fmt.Errorf("tls.cert_file: %w", err)
		}
		return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, same, nil
	}
	return nil, same, nil
}

func (c *Config) acme() *autocert.Manager {
	t := c.TLS.ACME
	m := &autocert.Manager{Prompt: autocert.AcceptTOS, HostPolicy: autocert.HostWhitelist(t.Domains...), Cache: autocert.DirCache(t.Cache), Email: t.Email}
	if t.Cache == "" {
		m.Cache = autocert.DirCache(filepath.Join(c.sharedDir(), "acme"))
	}
	if t.Directory != "" {
		m.Client = &acme.Client{DirectoryURL: t.Directory}
	}
	return m
}

// redirect leads http:// to https://. The page that explains how to believe this server, and what it needs, is shown without TLS: nobody
// can see it otherwise.
func (s *running) redirect(pages http.Handler) http.Handler {
	_, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil || port == "443" {
		port = ""
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.config.TLS.LAN && (r.URL.Path == "/tls" || strings.HasPrefix(r.URL.Path, "/tls/") || strings.HasPrefix(r.URL.Path, "/static/")) {
			pages.ServeHTTP(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "use https://", http.StatusBadRequest) // what was sent was readable by everybody: the sender must know
			return
		}
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.Trim(host, "[]")
		if host == "" || strings.ContainsAny(host, "/\\@?# ") {
			http.Error(w, "which host?", http.StatusBadRequest)
			return
		}
		if port != "" {
			host = net.JoinHostPort(host, port)
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		http.Redirect(w, r, "https://"+host+r.URL.EscapedPath()+query(r.URL.RawQuery), http.StatusPermanentRedirect)
	})
}

func query(raw string) string {
	if raw == "" {
		return ""
	}
	return "?" + raw
}

// openTLS makes the pages' server speak TLS, and opens the listener that leads there.
func (s *running) openTLS(ctx context.Context, a *pki.Authority, pages http.Handler) error {
	conf, front, err := s.config.webTLS(a, s.now)
	if err != nil || conf == nil {
		return err
	}
	s.web.TLSConfig = conf
	if s.config.TLS.Redirect == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.config.TLS.Redirect)
	if err != nil {
		return fmt.Errorf("tls.redirect: %w", err)
	}
	s.plain = &http.Server{
		Handler: front(s.redirect(pages)), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: s.web.ErrorLog,
	}
	s.plainListener = l
	s.closers = append(s.closers, func() error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return nil
}

// servePlain answers on the redirect listener until ctx ends.
func (s *running) servePlain(ctx context.Context) error {
	if s.plain == nil {
		return nil
	}
	stop := context.AfterFunc(ctx, func() {
		if err := s.plain.Close(); err != nil {
			s.log.Debug("redirect listener", slog.Any("err", err))
		}
	})
	defer stop()
	if err := s.plain.Serve(s.plainListener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("tls.redirect: %w", err)
	}
	return nil
}

type tlsCmd struct {
	CA tlsCACmd `cmd:"" name:"ca" help:"Print the certificate of the server's own authority, and its fingerprint to compare with what a phone shows."`
}

type tlsCACmd struct{}

// Run prints the certificate with its fingerprint above it.
func (tlsCACmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	a, err := pki.Load(c.caFile(), c.caKeyFile())
	if err != nil {
		return err
	}
	return e.printf("# SHA-256 %s\n%s", a.Fingerprint(), a.PEM())
}
