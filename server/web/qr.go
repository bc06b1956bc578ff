package web

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/trace"
)

// qrScale is how many pixels a module of a PNG is wide.
const qrScale = 10

// qr answers /qr<path of a label or board>.png and .svg. Only what was issued has a code: nobody may have ours made for
// something else.
func (s *Server) qr(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/qr")
	path, svg := strings.CutSuffix(path, ".svg")
	if !svg {
		var png bool
		if path, png = strings.CutSuffix(path, ".png"); !png {
			http.NotFound(w, r)
			return
		}
	}
	target, err := s.issued(r, path)
	_, malformed := errors.AsType[*trace.MalformedError](err)
	switch {
	case malformed || errors.Is(err, trace.ErrUnknown):
		http.NotFound(w, r)
		return
	case err != nil:
		s.o.Log.Error("QR code failed", slog.Any("err", err))
		http.Error(w, "503", http.StatusServiceUnavailable)
		return
	}
	code, err := label.New(s.base + target)
	body, mime := []byte(nil), "image/svg+xml"
	if err == nil && svg {
		body = code.SVG(code.URL())
	} else if err == nil {
		mime = "image/png"
		body, err = code.PNG(qrScale)
	}
	if err != nil {
		s.o.Log.Error("QR code failed", slog.Any("err", err))
		http.Error(w, "503", http.StatusServiceUnavailable)
		return
	}
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // a label may be drawn into another page
	if !s.unchanged(w, r, body) {
		s.write(w, body)
	}
}

// issued returns the canonical path of a lot's label or a place's board; the error wraps trace.ErrUnknown for any other.
func (s *Server) issued(r *http.Request, path string) (string, error) {
	if board, ok := strings.CutPrefix(path, "/p/"); ok {
		f, err := s.wholeFarm(r.Context())
		if err != nil {
			return "", err
		}
		if code, err := farm.ParseCode(board); err == nil {
			if _, ok := f.Place(code); ok {
				return "/p/" + code, nil
			}
		}
		return "", trace.ErrUnknown
	}
	l, err := trace.ParseLink(path, "")
	if err != nil {
		return "", err
	}
	d, err := s.o.Lots.Dossier(r.Context(), l)
	if err == nil && !d.Lot.Sellable() { // no label is issued for it
		err = trace.ErrUnknown
	}
	if err != nil {
		return "", err
	}
	return trace.Address("", l)
}
