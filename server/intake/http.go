package intake

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Path is where messages are posted: Path + name of the intake.
const Path = "/in/"

// patience is how long a sender waits for the commit.
const patience = 10 * time.Second

// Secrets knows the tokens of sources in service.
type Secrets interface {
	SecretSHA(name string) (sha [32]byte, ok bool)
}

// Handler takes messages in over HTTP.
type Handler struct {
	Sources map[string]*Source
	Secrets Secrets
	Now     func() time.Time
	Log     *slog.Logger
}

// answered is what a sender is told.
type answered struct {
	Readings int       `json:"readings"`          // taken now
	Twice    int       `json:"twice,omitempty"`   // came before, and are stored
	Ignored  int       `json:"ignored,omitempty"` // values that the mapping says are of no interest
	Nothing  bool      `json:"nothing,omitempty"` // the message is none of those that carry measurements
	Refused  []refusal `json:"refused,omitempty"`
	Error    string    `json:"error,omitempty"`
}

type refusal struct {
	Why    Why    `json:"why"`
	Device string `json:"device,omitempty"`
	Value  string `json:"value,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// ServeHTTP takes POST /in/<name>, with the intake's token as "Authorization: Bearer", or as the password of Basic with its name. The answer comes after
// the commit: 200 means that what it says was taken is durable.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Path)
	s, ok := h.Sources[name]
	if !ok || !h.allowed(r, name) { // who has no token is not told which names there are
		w.Header().Set("WWW-Authenticate", `Bearer realm="intake"`)
		h.answer(w, http.StatusUnauthorized, answered{Error: "no such intake, or not its token (server intake add)"})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.answer(w, http.StatusMethodNotAllowed, answered{Error: "want POST"})
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxMessage+1))
	switch {
	case err != nil:
		h.answer(w, http.StatusBadRequest, answered{Error: "the message broke off"})
		return
	case len(body) > MaxMessage:
		h.answer(w, http.StatusRequestEntityTooLarge, answered{Error: "at most 65536 bytes"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	t, err := s.Take(ctx, Message{Topic: strings.Trim(r.URL.Query().Get("topic"), "/"), Event: r.URL.Query().Get("event"), Body: body, Received: h.Now()})
	out := answered{Readings: len(t.Readings), Twice: t.Twice, Ignored: t.Ignored, Nothing: t.Nothing}
	for _, x := range t.Refused {
		out.Refused = append(out.Refused, refusal(x))
	}
	switch {
	case errors.Is(err, ErrTooFast):
		w.Header().Set("Retry-After", "1")
		out = answered{Error: err.Error()}
		h.answer(w, http.StatusTooManyRequests, out)
	case err != nil:
		h.Log.Warn("message of an intake is not durable", slog.String("intake", name), slog.Any("err", err))
		w.Header().Set("Retry-After", "30")
		h.answer(w, http.StatusServiceUnavailable, answered{Error: "not stored: send it again"})
	case len(t.Refused) == 1 && t.Refused[0].Why == Malformed:
		h.answer(w, http.StatusBadRequest, out)
	default:
		h.answer(w, http.StatusOK, out)
	}
}

func (h *Handler) allowed(r *http.Request, name string) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if user, password, basic := r.BasicAuth(); basic {
		token, ok = password, user == name
	}
	want, known := h.Secrets.SecretSHA(name)
	got := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && known && ok
}

func (h *Handler) answer(w http.ResponseWriter, status int, a answered) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(a); err != nil {
		h.Log.Debug("answer not sent", slog.Any("err", err))
	}
}
