package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"aovuon/server/history"
)

// flavour is which of the three programs answers.
type flavour int32

const (
	unknown flavour = iota
	one             // 1.8 and later of version 1
	two             // 2.x
	three           // 3 Core, and what is built on it
)

// bucket is what writes go to: 1.8 reads it as "database/retention policy", 3 Core as the name of a database.
func (s *Store) bucket() string {
	name := s.opts.Bucket
	if name == "" {
		name = s.opts.Database
	}
	if s.opts.Policy != "" {
		name += "/" + s.opts.Policy
	}
	return name
}

// place says in a query where its measurements are.
func (s *Store) place(ctx context.Context, form url.Values) error {
	form.Set("db", s.opts.Database)
	if s.opts.Policy == "" {
		return nil
	}
	is, err := s.flavour(ctx)
	switch {
	case err != nil:
		return err
	case is == three:
		form.Set("db", s.bucket()) // its databases have no retention policies, but names of two parts
	default:
		form.Set("rp", s.opts.Policy)
	}
	return nil
}

// flavour asks once, and remembers.
func (s *Store) flavour(ctx context.Context) (flavour, error) {
	if is := flavour(s.kind.Load()); is != unknown {
		return is, nil
	}
	version, err := s.Version(ctx)
	if err != nil {
		return unknown, err
	}
	is := two
	switch {
	case strings.HasPrefix(version, "1."):
		is = one
	case strings.HasPrefix(version, "2."):
	case strings.HasPrefix(version, "3."):
		is = three
		s.single.Store(true)
	default: // built from source, they name themselves "unknown" or "dev"
		_, err := s.call(ctx, http.MethodGet, "/api/v2/orgs", nil, nil, nil)
		switch {
		case answered(err, http.StatusNotFound):
			is = one
		case errors.Is(err, history.ErrUnavailable):
			return unknown, err
		}
	}
	s.kind.Store(int32(is))
	return is, nil
}

// Version asks which InfluxDB this is, such as 1.8.10. 1.8 and 2.x say so in a header of every answer, 3 Core in the answer to a ping.
func (s *Store) Version(ctx context.Context) (string, error) {
	var body struct {
		Version string `json:"version"`
	}
	header, err := s.call(ctx, http.MethodGet, "/ping", nil, nil, &body)
	if err != nil {
		return "", fmt.Errorf("history/influx: version: %w", err)
	}
	version := header.Get("X-Influxdb-Version")
	if version == "" {
		version = body.Version
	}
	if version = strings.TrimPrefix(version, "v"); version == "" {
		return "", fmt.Errorf("history/influx: version: %w: %s does not answer like InfluxDB: see the url", history.ErrConfiguration, s.opts.URL)
	}
	return version, nil
}

// maxAnswer bounds what is read of an answer that is no answer to a query.
const maxAnswer = 4 << 20

// statusError is an answer other than 2xx.
type statusError struct {
	status int
	err    error // what it means
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// answered reports whether err is an answer of this status.
func answered(err error, status int) bool {
	e, ok := errors.AsType[*statusError](err)
	return ok && e.status == status
}

// call asks one of InfluxDB's own endpoints, with and for JSON; out is left alone where the answer has none.
func (s *Store) call(ctx context.Context, method, path string, query url.Values, in, out any) (_ http.Header, err error) {
	var body io.Reader = http.NoBody
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = strings.NewReader(string(raw))
	}
	at := s.opts.URL + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode >= 400 {
		return resp.Header, &statusError{resp.StatusCode, s.refused(resp.StatusCode, resp.Header)}
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return resp.Header, unreachable(ctx, fmt.Errorf("answer broken off: %w", err))
	}
	if out != nil && strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		if err := json.Unmarshal(raw, out); err != nil {
			return resp.Header, fmt.Errorf("%w: %s answers %s with something else: see the url: %w", history.ErrConfiguration, s.opts.URL, path, err)
		}
	}
	return resp.Header, nil
}
