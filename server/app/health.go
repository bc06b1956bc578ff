package app

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// readyPatience is how long the database may take to answer one who asks whether the server works, or is ready.
const readyPatience = 2 * time.Second

// healthz answers 200 while this process can work at all: batches can be committed, as far as the last commit and the last look at the disk tell.
// One that takes no batches looks at database and disk.
func (s *running) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	ask, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	if _, err := s.db.LogEnd(ask); err != nil || s.ingest != nil && s.ingest.Trouble() != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "batches cannot be committed\n"
	}
	if t := s.disk.Trouble(); t != "" && text == "ok\n" {
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "batches cannot be committed: " + t + "\n"
	}
	if _, err := w.Write([]byte(text)); err != nil {
		s.log.Debug("answer not taken", slog.Any("err", err))
	}
}

// part is one that a process needs to be ready.
type part struct {
	name string
	well bool
}

// readyz answers 200 while this process does its work for others: the database answers, the broker is there, ingest listens, the ledger can be signed,
// and nobody has asked it to stop. Each part that its roles need has a line. A history that is down is no reason: charts wait, nothing else does. What is wrong
// stands in the log and on the system page; strangers are told which part.
func (s *running) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	ask, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	_, err := s.db.LogEnd(ask)
	status, text := http.StatusOK, ""
	parts := []part{{"database", err == nil}}
	if s.ingest != nil {
		parts = append(parts, part{"broker", s.broker.state().Connected}, part{"ingest", s.ingest.Trouble() == ""})
	}
	parts = append(parts, part{"disk", s.disk.Trouble() == ""})
	if s.ledger != nil {
		parts = append(parts, part{"ledger", !s.leads.leading(leaseLedger) || s.ledger.Fault() == nil})
	}
	for _, part := range append(parts, part{"serving", !s.leaving.Load()}) {
		word := "ok"
		if !part.well {
			status, word = http.StatusServiceUnavailable, "not ready"
		}
		text += part.name + ": " + word + "\n"
	}
	w.WriteHeader(status)
	if _, err := w.Write([]byte(text)); err != nil {
		s.log.Debug("answer not taken", slog.Any("err", err))
	}
}
