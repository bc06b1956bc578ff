package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// pollRegister is how soon a running server knows a gateway that another process enrolled.
const pollRegister = 300 * time.Millisecond

// Registry is the register of gateways, held in memory and kept up to date by Run. It is safe for concurrent use.
type Registry struct {
	store Enrolments
	log   *slog.Logger
	now   atomic.Pointer[register]

	mu      sync.Mutex
	retired func(gateway string)
}

// register is one reading of the store.
type register struct {
	revision string
	known    map[string]*member
}

type member struct {
	Enrolment
	verifier note.Verifier
}

// NewRegistry reads the register once.
func NewRegistry(ctx context.Context, store Enrolments, log *slog.Logger) (*Registry, error) {
	r := &Registry{store: store, log: log}
	if _, err := r.load(ctx); err != nil {
		return nil, fmt.Errorf("ingest: register of gateways: %w", err)
	}
	return r, nil
}

// OnRetired sets what is called when a gateway is found to be taken out of service, or to have another key or password, to close its
// connection.
func (r *Registry) OnRetired(f func(gateway string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = f
}

// Run follows the store until ctx ends. A store that cannot be read leaves the register as it is.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(pollRegister)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		changed, err := r.load(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			r.log.Warn("register of gateways cannot be read", slog.Any("err", err))
		case changed:
			r.log.Info("register of gateways changed", slog.Int("gateways", len(r.now.Load().known)))
		}
		failing = err != nil
	}
}

func (r *Registry) load(ctx context.Context) (changed bool, err error) {
	old := r.now.Load()
	revision, err := r.store.EnrolmentRevision(ctx)
	if err != nil || (old != nil && old.revision == revision) {
		return false, err
	}
	list, err := r.store.Enrolments(ctx)
	if err != nil {
		return false, err
	}
	next := &register{revision: revision, known: make(map[string]*member, len(list))}
	for _, e := range list {
		v, err := note.NewVerifier(e.VKey)
		if err != nil {
			return false, fmt.Errorf("gateway %s: verifier key: %w", e.Gateway, err)
		}
		next.known[e.Gateway] = &member{Enrolment: e, verifier: v}
	}
	r.now.Store(next)
	r.tellRetired(old, next)
	return true, nil
}

func (r *Registry) tellRetired(old, next *register) {
	r.mu.Lock()
	tell := r.retired
	r.mu.Unlock()
	if old == nil || tell == nil {
		return
	}
	for id, m := range next.known {
		if before := old.known[id]; before != nil && before.Retired.IsZero() && (!m.Retired.IsZero() || m.VKey != before.VKey || m.SecretSHA != before.SecretSHA) {
			tell(id)
		}
	}
}

func (r *Registry) member(gateway string) *member { return r.now.Load().known[gateway] }

// SecretSHA returns the SHA-256 of the MQTT password of a gateway in service.
func (r *Registry) SecretSHA(gateway string) (sha [32]byte, ok bool) {
	m := r.member(gateway)
	if m == nil || !m.Retired.IsZero() {
		return sha, false
	}
	return m.SecretSHA, true
}

// Source returns the verifier key of a source in service that cannot sign; ok is false for any other name.
func (r *Registry) Source(name string) (vkey string, ok bool) {
	m := r.member(name)
	if m == nil || !m.Retired.IsZero() || !m.Unsigned() {
		return "", false
	}
	return m.VKey, true
}
