package web

import (
	"net/http"

	"aovuon/server/farm"
)

// CA is the server's own certificate authority, for phones to install.
type CA struct {
	PEM, DER    []byte
	Fingerprint string // SHA-256, AB:CD:…
}

// tlsRoutes are the page that explains how to believe this server on a local network, and its files. They are for everybody, also without TLS.
func (s *Server) tlsRoutes() []route {
	return []route{
		{"GET /tls", stranger(), s.page(s.tlsPage)},
		{"GET /tls/ca.pem", stranger(), s.caFile("application/x-pem-file", "ca.pem", func(c *CA) []byte { return c.PEM })},
		{"GET /tls/ca.crt", stranger(), s.caFile("application/x-x509-ca-cert", "aovuon-ca.crt", func(c *CA) []byte { return c.DER })},
	}
}

type tlsPage struct {
	frame
	Fingerprint string
	Pages       string
}

// tlsPage explains how the authority's certificate is installed.
func (s *Server) tlsPage(r *http.Request, w *words) (answer, error) {
	if s.o.CA == nil {
		return s.missing(r, w, "missing.page", "")
	}
	f, err := s.farmNow(r.Context())
	if err != nil {
		f = &farm.Farm{}
	}
	p := tlsPage{frame: s.frame(r, w, f, w.t("tls.title")), Fingerprint: s.o.CA.Fingerprint, Pages: s.base + "/"}
	p.Plain = true
	body, err := s.e.render(w.lang, "tls.html", "layout", p)
	return answer{status: http.StatusOK, body: body}, err
}

// caFile sends the certificate in one of its forms.
func (s *Server) caFile(mime, name string, form func(*CA) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.o.CA == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", mime)
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		w.Header().Set("Cache-Control", "no-cache")
		s.write(w, form(s.o.CA))
	}
}
