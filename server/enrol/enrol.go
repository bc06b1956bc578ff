// Package enrol lets gateways in over HTTP: a request made with a claim, or signed with the key in force, comes in; the register has a new
// key, and an answer goes out that only the server could have made. A claim can do nothing else. gateway/wire/FORMAT.md has the bytes.
package enrol

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/ledger"
)

// The errors of a Register that are the asker's fault.
var (
	ErrRefused = errors.New("refused") // no such claim, or not the key in force: which is not told
)

// Register is where gateways are enrolled; its errors wrap ErrRefused where the request cannot be granted.
type Register interface {
	ClaimKey(ctx context.Context, id string, now time.Time) (key []byte, err error)
	EnrolByClaim(ctx context.Context, id string, card wire.Card, by ledger.By) error
	Rekey(ctx context.Context, q wire.Rekey, by ledger.By) error
}

// Options are what a Server is made of.
type Options struct {
	Register Register
	Broker   string      // where gateways connect to: tcp:// or ssl://
	VKey     string      // of Signer
	Signer   note.Signer // of receipts
	CAPEM    string      // who signed the broker's certificate; empty: the system knows them, or no TLS
	// Certificate issues a gateway's certificate for its request; nil: none are issued.
	Certificate func(csr []byte, gateway string) (der []byte, err error)
	Now         func() time.Time
	Log         *slog.Logger
}

// Server answers POST /enrol and POST /rekey.
type Server struct {
	o     Options
	limit *limit
}

// New returns the handler.
func New(o Options) *Server { return &Server{o: o, limit: newLimit(o.Now)} }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "this is for gateways: gateway enrol", http.StatusMethodNotAllowed)
		return
	}
	if !s.limit.allow(peer(r)) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many tries: wait a minute", http.StatusTooManyRequests)
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxEnrol))
	if err != nil {
		http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		return
	}
	var answer []byte
	switch r.URL.Path {
	case "/enrol":
		answer, err = s.enrol(r.Context(), raw)
	case "/rekey":
		answer, err = s.rekey(r.Context(), raw)
	default:
		http.NotFound(w, r)
		return
	}
	switch {
	case errors.Is(err, wire.ErrMalformed) || errors.Is(err, wire.ErrTooLarge):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.Is(err, ErrRefused) || errors.Is(err, wire.ErrSignature):
		s.o.Log.Warn("enrolment refused", slog.String("from", peer(r)), slog.String("path", r.URL.Path), slog.Any("err", err))
		http.Error(w, "refused: the code is not right, was used or is over; or the key is not the one in force. The server's log says which", http.StatusForbidden)
	case err != nil:
		s.o.Log.Error("enrolment failed", slog.Any("err", err))
		http.Error(w, "503", http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if _, err := w.Write(answer); err != nil {
			s.o.Log.Debug("answer not taken", slog.Any("err", err))
		}
	}
}

func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (s *Server) enrol(ctx context.Context, raw []byte) ([]byte, error) {
	e, err := wire.ParseEnrol(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrMalformed, err)
	}
	now := s.o.Now()
	key, err := s.o.Register.ClaimKey(ctx, e.ClaimID, now)
	if err != nil {
		return nil, err
	}
	if !wire.VerifyTag(raw, key) {
		return nil, fmt.Errorf("%w: claim %s: wrong code", ErrRefused, e.ClaimID)
	}
	certificate, err := s.certify(e.CSR, e.Card.Gateway)
	if err != nil {
		return nil, err
	}
	if err := s.o.Register.EnrolByClaim(ctx, e.ClaimID, e.Card, ledger.By{Actor: ledger.Operator, At: now}); err != nil {
		return nil, err
	}
	s.o.Log.Info("gateway enrolled by claim", slog.String("gateway", e.Card.Gateway))
	return wire.Enrolled{
		Request: wire.HashOf(raw), Broker: s.o.Broker, ServerVKey: s.o.VKey, CAPEM: s.o.CAPEM, Certificate: certificate,
	}.Seal(key), nil
}

func (s *Server) rekey(ctx context.Context, raw []byte) ([]byte, error) {
	q, err := wire.OpenRekey(raw)
	if err != nil {
		return nil, err
	}
	certificate, err := s.certify(q.CSR, q.Card.Gateway)
	if err != nil {
		return nil, err
	}
	if err := s.o.Register.Rekey(ctx, q, ledger.By{Actor: ledger.Server, At: s.o.Now()}); err != nil {
		return nil, err
	}
	s.o.Log.Info("gateway has a new key", slog.String("gateway", q.Card.Gateway))
	return wire.SealRekeyed(raw, certificate, s.o.Signer)
}

func (s *Server) certify(csr []byte, gateway string) ([]byte, error) {
	if s.o.Certificate == nil || csr == nil {
		return nil, nil
	}
	der, err := s.o.Certificate(csr, gateway)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wire.ErrMalformed, err)
	}
	return der, nil
}
