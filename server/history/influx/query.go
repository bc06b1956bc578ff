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

// answer is a part of the answer to one statement; its cells are C.
type answer[C any] struct {
	Statement int         `json:"statement_id"`
	Series    []series[C] `json:"series"`
	Error     string      `json:"error"`
}

type series[C any] struct {
	Tags   map[string]string `json:"tags"`
	Values [][]C             `json:"values"` // a row's first column is the time in milliseconds; null is nil
}

// result is an answer of numbers.
type result = answer[*float64]

// oneStatement is what 3 Core says to several statements in one query.
const oneStatement = "single InfluxQL statement"

// query runs InfluxQL statements and gives every part of the answer to f as it arrives, in one request unless the server takes one statement
// a request only.
func (s *Store) query(ctx context.Context, method string, statements []string, f func(result) error) error {
	return ask(ctx, s, method, statements, f)
}

// ask is query for cells of any kind.
func ask[C any](ctx context.Context, s *Store, method string, statements []string, f func(answer[C]) error) error {
	if !s.single.Load() && len(statements) > 1 {
		begun := false
		err := request(ctx, s, method, strings.Join(statements, "; "), func(r answer[C]) error {
			begun = true
			return f(r)
		})
		if err == nil || begun || !strings.Contains(err.Error(), oneStatement) {
			return err
		}
		s.single.Store(true)
	}
	if !s.single.Load() {
		return request(ctx, s, method, strings.Join(statements, "; "), f)
	}
	for i, one := range statements {
		if err := request(ctx, s, method, one, func(r answer[C]) error {
			r.Statement += i
			return f(r)
		}); err != nil {
			return err
		}
	}
	return nil
}

// request runs InfluxQL in one request. Always in chunks: an answer in one piece may be cut short by the server's max-row-limit.
func request[C any](ctx context.Context, s *Store, method, q string, f func(answer[C]) error) (err error) {
	form := url.Values{"q": {q}, "epoch": {"ms"}, "chunked": {"true"}, "chunk_size": {"10000"}}
	if err := s.place(ctx, form); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.opts.URL+"/query?"+form.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode == http.StatusBadRequest && resp.Header.Get(foreignHeader) == "" {
		return fmt.Errorf("InfluxDB does not understand the query: %s", resp.Header.Get(errorHeader))
	}
	if resp.StatusCode != http.StatusOK {
		return s.refused(resp.StatusCode, resp.Header)
	}
	for d := json.NewDecoder(resp.Body); ; {
		var part struct {
			Results []answer[C] `json:"results"`
			Error   string      `json:"error"`
		}
		if err := d.Decode(&part); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return unreachable(ctx, fmt.Errorf("answer broken off: %w", err))
		}
		if part.Error != "" {
			return s.queryFailed(part.Error)
		}
		for _, r := range part.Results {
			if r.Error != "" {
				return s.queryFailed(r.Error)
			}
			if r.Statement < 0 {
				return fmt.Errorf("InfluxDB answered statement %d", r.Statement)
			}
			if err := f(r); err != nil {
				return err
			}
		}
	}
}

// queryFailed is for errors within an answer of status 200: a missing database, or the state of the server.
func (s *Store) queryFailed(text string) error {
	err := errors.New(text)
	switch {
	case strings.Contains(text, "database not found"), strings.Contains(text, "retention policy not found"):
		return s.noDatabase(err)
	case strings.Contains(text, "not authorized"):
		return fmt.Errorf("%w: see the rights of the user on database %q: %w", history.ErrConfiguration, s.opts.Database, err)
	}
	return &history.UnavailableError{Err: err}
}

// identifier quotes a name as InfluxQL wants measurements, tags and databases.
func identifier(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// literal quotes a text as InfluxQL wants values.
func literal(s string) string {
	return `'` + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + `'`
}

// is returns the condition that picks one series of a measurement.
func is(k history.Series) string {
	return `"place" = ` + literal(k.Place) + ` AND "gateway" = ` + literal(k.Gateway) + ` AND "sensor" = ` + literal(k.Sensor)
}
