package influx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"

	"aovuon/server/history"
)

// failure is what an answer to a write means.
type failure struct {
	err      error  // the whole batch failed; nil: see the rest
	reason   string // why lines were refused
	tooLarge bool   // the request was
	dropped  int    // lines refused, when the server counts them
}

// failure reads an error of influxdb-client-go.
func (s *Store) failure(ctx context.Context, err error) failure {
	e, ok := errors.AsType[*influxhttp.Error](err)
	if !ok || e.StatusCode == 0 {
		return failure{err: unreachable(ctx, err)}
	}
	text := e.Header.Get(errorHeader)
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		if e.Header.Get(foreignHeader) != "" {
			break // what is not InfluxDB never looked at a line: no point is to blame
		}
		return failure{reason: fmt.Sprintf("InfluxDB: %d: %s", e.StatusCode, text), dropped: dropped(text)}
	case http.StatusRequestEntityTooLarge:
		return failure{tooLarge: true, reason: "InfluxDB: 413: larger than the server takes in one request"}
	}
	return failure{err: s.refused(e.StatusCode, e.Header)}
}

// unreachable is for requests that got no answer.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%w: the server's TLS certificate is not trusted: %w", history.ErrConfiguration, err)
	}
	return &history.UnavailableError{Err: err}
}

// refused is for answers that concern the whole request.
func (s *Store) refused(status int, h http.Header) error {
	err := fmt.Errorf("%d %s: %s", status, http.StatusText(status), h.Get(errorHeader))
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500:
		return &history.UnavailableError{RetryAfter: retryAfter(h), Err: err}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("%w: %s refuses the user or token: see user name, password and rights on database %q: %w",
			history.ErrConfiguration, s.opts.URL, s.opts.Database, err)
	case status == http.StatusNotFound:
		return s.noDatabase(err)
	}
	return fmt.Errorf("%w: %s does not answer like InfluxDB: see the url: %w", history.ErrConfiguration, s.opts.URL, err)
}

func (s *Store) noDatabase(err error) error {
	return fmt.Errorf("%w: no database %q at %s: `server history setup` makes it (1.8: CREATE DATABASE %s; 2.x: a bucket with a DBRP mapping; 3 Core: a database): %w",
		history.ErrConfiguration, s.bucket(), s.opts.URL, identifier(s.opts.Database), err)
}

// retryAfter reads seconds, or a date, which it compares with the server's own clock.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	then, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return max(0, then.Sub(now))
}

// dropped reads 1.8's "partial write: … dropped=3". For lines it cannot parse it says 0.
func dropped(text string) int {
	m := regexp.MustCompile(`dropped=(\d+)$`).FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}
