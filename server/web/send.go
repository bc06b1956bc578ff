package web

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// csp is what a page may load: nothing but its own scripts, styles and pictures.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

// labelCSP is for the public page: no script at all, and the one style sheet that stands in the page.
func (s *Server) labelCSP() string {
	return "default-src 'none'; style-src " + s.e.cssSum + "; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; " +
		"object-src 'none'"
}

// secured sets the headers of every answer.
func (s *Server) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.secure && s.o.HSTS {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// send writes a page. A public one carries a tag of its content, weak because it is compressed on the way.
func (s *Server) send(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	for _, c := range a.set {
		http.SetCookie(w, c)
	}
	if a.to != "" {
		http.Redirect(w, r, a.to, http.StatusSeeOther)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	switch {
	case a.secret:
		h.Set("Cache-Control", "no-store")
	case h.Get("Cache-Control") != "no-store": // as it is for those who signed in
		h.Set("Cache-Control", "no-cache")
	}
	if a.csp != "" {
		h.Set("Content-Security-Policy", a.csp)
	}
	body := slim(a.body)
	if a.public {
		h.Set("Cache-Control", "public, max-age=60")
		if a.fresh {
			h.Set("Cache-Control", "public, no-cache")
		}
		if s.unchanged(w, r, body) {
			return
		}
	}
	w.WriteHeader(a.status)
	s.write(w, body)
}

// unchanged tags the body and answers 304 to a reader who has it.
func (s *Server) unchanged(w http.ResponseWriter, r *http.Request, body []byte) bool {
	w.Header().Add("Vary", "Accept-Encoding")
	sum := sha256.Sum256(body)
	return s.known(w, r, base64.RawURLEncoding.EncodeToString(sum[:12]))
}

// known tags an answer, weakly because it may be compressed, and answers 304 to a reader who has it.
func (s *Server) known(w http.ResponseWriter, r *http.Request, mark string) bool {
	tag := `"` + mark + `"`
	w.Header().Set("ETag", "W/"+tag)
	for have := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if have = strings.TrimSpace(have); have == "*" || strings.TrimPrefix(have, "W/") == tag {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// static sends an embedded file. Its address holds a sum of its content, so it never changes.
func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	a, ok := s.e.assets[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.mime)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	s.write(w, a.body)
}
