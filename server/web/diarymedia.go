package web

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"slices"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/media"
)

// Shelf keeps photos and voice notes by the hash of their bytes.
type Shelf interface {
	// Keep keeps a photo or a voice note; what comes back is what an entry names. The error wraps media.ErrKind, ErrBroken or ErrSize where the
	// bytes are at fault.
	Keep(ctx context.Context, raw []byte, by ledger.By) (diary.Media, error)
	// Media returns what is kept under a hash; false: nothing is.
	Media(ctx context.Context, sum string) (m diary.Media, raw []byte, ok bool, err error)
}

// What one form may bring, bytes: photos straight from a phone's camera where there is no script to make them smaller.
const (
	maxUpload     = 40 << 20
	maxUploadHeld = 1 << 20 // in memory; the rest is in files until the form is answered
	maxMedia      = media.MostBytes
)

// upload turns a function that takes a form with files into a handler; without files it is as form.
func (s *Server) upload(act func(*http.Request, *words) (answer, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		err := r.ParseMultipartForm(maxUploadHeld)
		if errors.Is(err, http.ErrNotMultipart) {
			err = r.ParseForm()
		}
		if r.MultipartForm != nil {
			defer func() {
				if err := r.MultipartForm.RemoveAll(); err != nil {
					s.o.Log.Warn("files of a form stay", slog.Any("err", err))
				}
			}()
		}
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			s.answer(w, r, func(r *http.Request, w *words) (answer, error) {
				a, err := s.missing(r, w, "problem.diary.large", "")
				a.status = http.StatusRequestEntityTooLarge
				return a, err
			})
			return
		}
		if err != nil {
			http.Error(w, "the form cannot be read", http.StatusBadRequest)
			return
		}
		s.answer(w, r, act)
	}
}

// keepUploads keeps the files of one input of a form.
func (s *Server) keepUploads(r *http.Request, name string) ([]diary.Media, error) {
	if r.MultipartForm == nil || s.o.Shelf == nil {
		return nil, nil
	}
	var out []diary.Media
	for _, h := range r.MultipartForm.File[name] {
		if h.Size == 0 && h.Filename == "" { // nothing was chosen
			continue
		}
		raw, err := readUpload(h)
		if err != nil {
			return nil, err
		}
		m, err := s.o.Shelf.Keep(r.Context(), raw, s.sender(r))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o diary.Media) bool { return o.SHA256 == m.SHA256 }) {
			out = append(out, m)
		}
	}
	return out, nil
}

func readUpload(h *multipart.FileHeader) (raw []byte, err error) {
	if h.Size > maxMedia {
		return nil, media.ErrSize
	}
	f, err := h.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(f)
}

// mediaProblem puts into words why a photo was not kept; an error of ours comes back.
func (s *Server) mediaProblem(w *words, err error) (string, error) {
	switch {
	case errors.Is(err, media.ErrKind), errors.Is(err, media.ErrBroken):
		return w.t("problem.media.kind"), nil
	case errors.Is(err, media.ErrSize):
		return w.t("problem.media.size"), nil
	}
	return "", err
}

// sender says who sends a photo or a voice note.
func (s *Server) sender(r *http.Request) ledger.By {
	return ledger.By{Actor: visitor(r.Context()).Account.ID, At: s.o.Now()}
}

// apiMedia keeps a photo or a voice note that a phone sends under its hash.
func (s *Server) apiMedia(w http.ResponseWriter, r *http.Request) {
	if !s.sameWriter(w, r) {
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMedia))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		s.apiRefuse(w, http.StatusRequestEntityTooLarge, "media: too large")
		return
	}
	if err != nil {
		s.apiRefuse(w, http.StatusBadRequest, "media: cannot be read")
		return
	}
	if hexSum(raw) != r.PathValue("sum") {
		s.apiRefuse(w, http.StatusUnprocessableEntity, "media: the bytes do not have that hash")
		return
	}
	m, err := s.o.Shelf.Keep(r.Context(), raw, s.sender(r))
	switch {
	case errors.Is(err, media.ErrKind), errors.Is(err, media.ErrBroken):
		s.apiRefuse(w, http.StatusUnsupportedMediaType, "media: neither a photo nor a voice note")
	case errors.Is(err, media.ErrSize):
		s.apiRefuse(w, http.StatusRequestEntityTooLarge, "media: too large")
	case err != nil:
		s.apiFail(w, err)
	default:
		s.apiSend(w, http.StatusCreated, m)
	}
}

// entryMedia shows a photo or plays a voice note of an entry, to those who may read the entry.
func (s *Server) entryMedia(w http.ResponseWriter, r *http.Request) {
	e, ok, err := s.entryAsked(r)
	sum := r.PathValue("sum")
	if err == nil && (!ok || s.o.Shelf == nil || !slices.ContainsFunc(e.History, func(h diary.Event) bool {
		return slices.ContainsFunc(h.Media, func(m diary.Media) bool { return m.SHA256 == sum })
	})) {
		http.NotFound(w, r)
		return
	}
	var m diary.Media
	var raw []byte
	if err == nil {
		m, raw, ok, err = s.o.Shelf.Media(r.Context(), sum)
	}
	s.sendMedia(w, r, m, raw, ok, err)
}

// sendMedia answers with a photo or a voice note; ok is false where nothing is kept.
func (s *Server) sendMedia(w http.ResponseWriter, r *http.Request, m diary.Media, raw []byte, ok bool, err error) {
	switch {
	case err != nil:
		s.apiFail(w, err)
	case !ok:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", m.Type)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
		if m.Type != "image/jpeg" { // it is played where it stands; opened by itself it is a file to be saved
			w.Header().Set("Content-Disposition", `attachment; filename="`+m.SHA256[:12]+`"`)
		}
		w.Header().Set("Cache-Control", "no-store")
		s.write(w, raw)
	}
}

// mayReadPlace reports whether the visitor may read what was done at a place.
func (s *Server) mayReadPlace(ctx context.Context, place string) bool {
	v := visitor(ctx)
	if v == nil || !s.may(ctx, account.ReadBook) {
		return false
	}
	return s.may(ctx, account.SeeAllPlaces) || slices.Contains(v.Account.Places, place)
}
