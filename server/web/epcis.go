package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
)

// Teller collects what EPCIS events are told from; epcis.Gatherer is one.
type Teller interface {
	Lot(ctx context.Context, l trace.Link, staff bool) (epcis.Source, error)
	Period(ctx context.Context, from, to time.Time, staff bool) (epcis.Source, error)
}

func (s *Server) epcisRoutes() []route {
	if s.o.EPCIS == nil {
		return nil
	}
	return []route{
		{"GET /epcis/lot/{path...}", everybody(), s.plain(s.lotEPCIS)},
		{"GET /epcis/events", guard{action: account.SeeRegister, script: true}, s.epcisEvents},
		{"GET /epcis/export.jsonld", needs(account.SeeRegister), s.plain(s.periodEPCIS)},
	}
}

// toldPublicly reports whether strangers are told of a lot beyond its page: it was released for sale.
func toldPublicly(state trace.State) bool {
	switch state {
	case trace.Released, trace.Shipped, trace.Recalled, trace.Closed:
		return true
	case trace.Growing, trace.Harvested, trace.Held, trace.Void:
	}
	return false
}

// lotEPCIS answers /epcis/lot<path of a lot>.jsonld: all of it for those who see the register, for all others what they may know.
func (s *Server) lotEPCIS(r *http.Request) (file, error) {
	path, ok := strings.CutSuffix("/"+strings.TrimPrefix(r.URL.EscapedPath(), "/epcis/lot/"), ".jsonld")
	link, err := trace.ParseLink(path, "")
	if !ok || err != nil {
		return file{}, ledger.ErrNoLeaf
	}
	return s.lotDocument(r.Context(), link, s.may(r.Context(), account.SeeRegister))
}

// lotDocument writes the EPCIS document of a lot.
func (s *Server) lotDocument(ctx context.Context, link trace.Link, staff bool) (file, error) {
	link.Serial = "" // the story of an item is its lot's
	d, err := s.o.Lots.Dossier(ctx, link)
	if err == nil && !staff && !toldPublicly(d.Lot.State) {
		err = trace.ErrUnknown
	}
	var src epcis.Source
	if err == nil {
		src, err = s.o.EPCIS.Lot(ctx, d.Lot.Link(), staff)
	}
	if errors.Is(err, trace.ErrUnknown) {
		return file{}, ledger.ErrNoLeaf
	}
	if err != nil {
		return file{}, err
	}
	events := epcis.Export(src)
	var made time.Time // when the newest event happened: the same story is the same bytes
	for _, e := range events {
		if e.Time.After(made) {
			made = e.Time.Time
		}
	}
	var b bytes.Buffer
	if err := epcis.Write(&b, src.Names.Document(events, made)); err != nil {
		return file{}, err
	}
	return file{body: b.Bytes(), mime: mimeLD, private: staff, name: fileStem(d.Lot.Code) + ".jsonld"}, nil
}

// periodEPCIS answers /epcis/export.jsonld?from=&to=, days of the co-op; both are in it.
func (s *Server) periodEPCIS(r *http.Request) (file, error) {
	q := r.URL.Query()
	from, errFrom := time.ParseInLocation(time.DateOnly, q.Get("from"), farm.Time())
	to, errTo := time.ParseInLocation(time.DateOnly, q.Get("to"), farm.Time())
	if errFrom != nil || errTo != nil || to.Before(from) {
		return file{}, &badRequestError{"want ?from=2026-10-01&to=2026-10-31, the first and the last day"}
	}
	src, err := s.o.EPCIS.Period(r.Context(), from, to.AddDate(0, 0, 1), true)
	if errors.Is(err, epcis.ErrTooMuch) {
		return file{}, &badRequestError{err.Error()}
	}
	if err != nil {
		return file{}, err
	}
	var b bytes.Buffer
	if err := epcis.Write(&b, src.Names.Document(epcis.Export(src), s.o.Now())); err != nil {
		return file{}, err
	}
	return file{body: b.Bytes(), mime: mimeLD, private: true, name: "epcis-" + q.Get("from") + "-" + q.Get("to") + ".jsonld"}, nil
}

// badRequestError is the error of a request that says why it cannot be answered.
type badRequestError struct{ why string }

func (e *badRequestError) Error() string { return e.why }

// epcisEvents answers the standard's query of events.
func (s *Server) epcisEvents(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("GS1-EPCIS-Version", "2.0.0")
	h.Set("GS1-CBV-Version", "2.0.0")
	q, err := epcis.ParseQuery(r.URL.Query())
	if bad, ok := errors.AsType[*epcis.QueryError](err); ok {
		s.problem(w, http.StatusBadRequest, "QueryParameterException", bad.Error(), nil)
		return
	}
	src, err := s.o.EPCIS.Period(r.Context(), q.From, q.To, true)
	if errors.Is(err, epcis.ErrTooMuch) {
		s.problem(w, http.StatusRequestEntityTooLarge, "QueryTooLargeException", "ask for less: narrow GE_eventTime and LT_eventTime", nil)
		return
	}
	if err != nil {
		s.o.Log.Error("events not told", slog.Any("err", err))
		s.problem(w, http.StatusServiceUnavailable, "ImplementationException", "the database does not answer: come again", nil)
		return
	}
	page, next := q.Page(epcis.Export(src))
	if next != "" {
		v := r.URL.Query()
		v.Set("nextPageToken", next)
		h.Set("Link", "<"+(&url.URL{Path: r.URL.Path, RawQuery: v.Encode()}).String()+`>; rel="next"`)
	}
	h.Set("Content-Type", mimeLD)
	var b bytes.Buffer
	if err := epcis.Write(&b, src.Names.Answer(page, s.o.Now())); err != nil {
		s.o.Log.Error("events not told", slog.Any("err", err))
		s.problem(w, http.StatusInternalServerError, "ImplementationException", "the events cannot be written", nil)
		return
	}
	s.write(w, b.Bytes())
}

// problem answers a program with what is wrong (RFC 7807, with the exceptions of EPCIS 2.0).
func (s *Server) problem(w http.ResponseWriter, status int, exception, detail string, faults any) {
	body, err := json.MarshalIndent(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
		Faults any    `json:"faults,omitempty"`
	}{"epcisException:" + exception, exception, status, detail, faults}, "", "  ")
	if err != nil {
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	s.write(w, append(body, '\n'))
}
